#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Scopes where they are easily broken: foreign code that panics, blocked threads, cancellations from other threads.

mod fixtures;

use fixtures::{Drops, Log, Reports, begin, both_flavors, ms, on_virtual_time, sleep, two_workers};
use futures::future::poll_fn;
use futures::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::scope::{CancelScope, cancellable, cleanup, current_scope, shield};
use weftwork::spawn;
use weftwork::sync::oneshot;
use weftwork::task::{spawn_local, yield_now};
use weftwork::time::timeout;

/// A waker that panics when it is called, and beforehand wakes the task that polls.
struct Bomb(Waker);

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        panic!("in a waker");
    }
}

/// Polls `future` with a waker that panics, as a combinator of somebody else's might.
async fn with_bombs<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    poll_fn(move |cx| {
        let waker = Waker::from(Arc::new(Bomb(cx.waker().clone())));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

#[test]
fn a_waker_that_panics_as_a_group_is_dropped_leaves_the_group_to_its_children() {
    on_virtual_time(|clock| async move {
        let host = spawn(async {
            let mut group = Box::pin(weftwork::group(async |group: weftwork::TaskGroup| {
                group.spawn(with_bombs(shield(sleep(20)))).detach();
                group.spawn(with_bombs(shield(sleep(30)))).detach();
                pending::<()>().await;
            }));
            begin(&mut group).await;
            sleep(1).await;
            drop(group);
        });
        host.await.unwrap();
        assert_eq!(clock.ms(), 30, "the host waited for both");
    });
}

#[test]
fn a_waker_that_panics_keeps_no_child_from_hearing_that_a_sibling_failed() {
    on_virtual_time(|clock| async move {
        for panics in [false, true] {
            let host = spawn(weftwork::try_group(async move |group: weftwork::TryTaskGroup<&'static str>| {
                group
                    .spawn(with_bombs(async {
                        shield(sleep(20)).await;
                        Ok(())
                    }))
                    .detach();
                group.spawn(pending::<Result<(), _>>()).detach();
                group
                    .spawn(async move {
                        sleep(1).await;
                        assert!(!panics, "a child");
                        Err::<(), _>("an error")
                    })
                    .detach();
                pending::<Result<(), _>>().await
            }));
            match host.await {
                Ok(ended) => assert!(!panics && ended.unwrap_err().single() == Ok("an error")),
                Err(error) => assert!(panics && error.into_panic().unwrap().message() == Some("a child")),
            }
        }
        assert_eq!(clock.ms(), 40);
    });
}

#[test]
fn the_scope_inside_of_a_shield_or_a_pad_is_the_one_around() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            shield(async {
                assert!(current_scope().cancel());
                sleep(5).await;
            })
            .await;
            theirs.put("shielded");
            sleep(1).await;
        });
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["shielded".into()], 5));
        let scope = CancelScope::new();
        let ended = scope.run(async {
            let caught = cancellable(async {
                assert!(current_scope().cancel());
                sleep(5).await;
            });
            caught.await.unwrap_err().propagate::<()>().await;
        });
        assert!(ended.await.is_err());
        assert_eq!((scope.cancelled_caught(), clock.ms()), (true, 5));
        let ended = cleanup(ms(10), async {
            assert!(current_scope().cancel());
            sleep(5).await;
        });
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 5);
    });
}

#[test]
fn what_is_waited_for_by_a_blocked_thread_lies_in_no_scope_of_that_thread() {
    let runtime = two_workers().build().unwrap();
    let handle = runtime.handle().clone();
    runtime.block_on(async {
        let scope = CancelScope::new();
        let ended = scope.run(async {
            let inside = handle.block_on(async {
                assert!(scope.cancel());
                sleep(1).await;
                timeout(ms(1), pending::<()>()).await.is_err()
            });
            assert!(inside);
            pending::<()>().await;
        });
        assert!(ended.await.is_err());
    });
}

#[test]
fn a_task_is_cancelled_although_a_waker_of_something_inside_panics() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(with_bombs(async move {
            let _ = cancellable(pending::<()>()).await;
            theirs.put("caught");
        }));
        sleep(10).await;
        assert!(catch_unwind(AssertUnwindSafe(|| task.cancel())).is_err());
        task.await.unwrap();
        assert_eq!((log.all(), clock.ms()), (vec!["caught".into()], 10));
    });
}

#[test]
fn a_scope_is_cancelled_although_the_waker_of_somebody_who_waits_for_that_panics() {
    on_virtual_time(|clock| async move {
        let scope = CancelScope::new();
        let (first, second) = (scope.clone(), scope.clone());
        let told = spawn(with_bombs(async move { first.cancelled().await }));
        let ended = spawn(async move { second.run(pending::<()>()).await });
        sleep(10).await;
        assert!(catch_unwind(AssertUnwindSafe(|| scope.cancel())).is_err());
        told.await.unwrap();
        assert!(ended.await.unwrap().is_err());
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn a_waker_that_panics_while_a_task_asks_who_is_inside_is_reported() {
    let reports = Reports::default();
    two_workers()
        .on_unhandled(reports.hook())
        .run(async {
            let task = spawn(async {
                let mut shielded = Box::pin(with_bombs(shield(pending::<()>())));
                let mut polls = 0;
                poll_fn(|cx| {
                    polls += 1;
                    if polls == 1 {
                        // Nobody inside hears of it yet.
                        current_scope().cancel();
                        assert!(shielded.as_mut().poll(cx).is_pending());
                    }
                    if polls <= 2 { Poll::Pending } else { Poll::Ready(3) }
                })
                .await
            });
            assert_eq!(task.await.unwrap(), 3);
        })
        .unwrap();
    assert_eq!(reports.of(UnhandledKind::WakerPanicked).len(), 1, "{:?}", reports.all());
}

#[test]
fn a_handle_released_while_a_region_unwinds_is_untouched() {
    struct Release<T>(Option<weftwork::JoinHandle<T>>);
    impl<T> Drop for Release<T> {
        fn drop(&mut self) {
            self.0.take().unwrap().detach();
        }
    }
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            sleep(100).await;
            theirs.put("ran");
        });
        let ended = timeout(ms(10), async move {
            let mut guard = Release(Some(task));
            let _ = guard.0.as_mut().unwrap().await;
        });
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 10);
        sleep(200).await;
        assert_eq!(log.all(), ["ran"]);
    });
}

#[test]
fn handles_in_a_future_that_panics_detach() {
    /// Awaits a handle, and then panics with it inside.
    struct Panics(weftwork::JoinHandle<()>);
    impl Future for Panics {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            assert!(Pin::new(&mut self.0).poll(cx).is_pending());
            panic!("with a handle inside");
        }
    }
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            sleep(100).await;
            theirs.put("ran");
        });
        assert!(spawn(Panics(task)).await.unwrap_err().is_panic());
        assert_eq!(clock.ms(), 0);
        sleep(200).await;
        assert_eq!(log.all(), ["ran"]);
    });
}

#[test]
fn a_task_that_awaits_itself_can_be_cancelled() {
    on_virtual_time(|clock| async move {
        let (give, got) = oneshot::channel::<weftwork::JoinHandle<()>>();
        let (show, shown) = oneshot::channel();
        let drops = Drops::default();
        let token = drops.token();
        let task = spawn(async move {
            let _token = token;
            show.send(current_scope()).map_err(drop).unwrap();
            let me = got.await.unwrap();
            timeout(ms(1_000), me).await.unwrap().unwrap();
        });
        give.send(task).unwrap();
        let scope = shown.await.unwrap();
        sleep(10).await;
        assert!(scope.cancel());
        sleep(1).await;
        assert_eq!((drops.count(), clock.ms()), (1, 11));
        assert_eq!(fixtures::armed_timers(), 0);
    });
}

#[test]
fn a_destructor_that_panics_is_reported_though_the_runtime_ends_meanwhile() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    both_flavors(|builder| {
        let reports = Reports::default();
        builder
            .on_unhandled(reports.hook())
            .run(async {
                let stays = spawn(shield(pending::<()>()));
                yield_now().await;
                let task = spawn(async move {
                    let _bomb = Bomb;
                    stays.await.unwrap();
                });
                sleep(2).await;
                assert!(task.cancel());
                task.detach();
                sleep(2).await;
            })
            .unwrap();
        assert_eq!(reports.of(UnhandledKind::TaskPanicked).len(), 1, "{:?}", reports.all());
    });
}

#[test]
fn what_a_cancelled_task_waited_for_is_dropped_on_the_thread_that_may_though_the_runtime_ends() {
    struct Stays(Rc<RefCell<std::thread::ThreadId>>);
    impl Drop for Stays {
        fn drop(&mut self) {
            assert_eq!(*self.0.borrow(), std::thread::current().id());
        }
    }
    let (keep, kept) = std::sync::mpsc::channel::<Waker>();
    let drops = Drops::default();
    let token = drops.token();
    Builder::new_current_thread()
        .run(async move {
            let value = (Stays(Rc::new(RefCell::new(std::thread::current().id()))), token);
            let (end, ends) = oneshot::channel();
            let local = spawn_local(async move {
                shield(ends).await.unwrap();
                value
            });
            yield_now().await;
            let mut keep = Some(keep);
            let task = spawn_local(async move {
                poll_fn(|cx| {
                    if let Some(keep) = keep.take() {
                        keep.send(cx.waker().clone()).unwrap();
                    }
                    Poll::Ready(())
                })
                .await;
                let _ = local.await;
            });
            sleep(1).await;
            assert!(task.cancel());
            sleep(1).await;
            // The one that was awaited ends with a value, and this before the other hears of it.
            end.send(()).unwrap();
            yield_now().await;
        })
        .unwrap();
    assert_eq!(drops.count(), 1);
    let waker = kept.recv().unwrap();
    std::thread::spawn(move || drop(waker)).join().unwrap();
}

#[test]
fn every_pad_hears_of_a_cancellation_from_another_thread_while_it_is_polled() {
    const ROUNDS: usize = 1_000;
    both_flavors(|builder| {
        let (give, got) = std::sync::mpsc::channel::<CancelScope>();
        let canceller = std::thread::spawn(move || got.iter().filter(CancelScope::cancel).count());
        let (begun, after) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (entered, left) = (begun.clone(), after.clone());
        builder
            .run(async move {
                for round in 0..ROUNDS {
                    let (give, begun, after) = (give.clone(), begun.clone(), after.clone());
                    let body = async move {
                        give.send(current_scope()).unwrap();
                        let mut pads: FuturesUnordered<_> = (0..3)
                            .map(|pad| {
                                let (begun, after) = (begun.clone(), after.clone());
                                async move {
                                    begun.fetch_add(1, Ordering::Relaxed);
                                    let ended = cancellable(async {
                                        if pad == 0 {
                                            pending::<()>().await;
                                        }
                                        loop {
                                            yield_now().await;
                                        }
                                    });
                                    let cancelled = ended.await.map(|_: ()| ()).unwrap_err();
                                    after.fetch_add(1, Ordering::Relaxed);
                                    cleanup(ms(1_000), yield_now()).await.unwrap();
                                    cancelled.propagate::<()>().await;
                                }
                            })
                            .collect();
                        while pads.next().await.is_some() {}
                    };
                    if round % 2 == 0 {
                        assert!(spawn(body).await.unwrap_err().is_cancelled());
                    } else {
                        let scope = CancelScope::new();
                        assert!(spawn(async move { scope.run(body).await.is_err() }).await.unwrap());
                    }
                }
            })
            .unwrap();
        assert_eq!(canceller.join().unwrap(), ROUNDS);
        let counts = (entered.load(Ordering::Relaxed), left.load(Ordering::Relaxed));
        assert_eq!(counts.0, counts.1);
        assert!(counts.0 > 0);
    });
}

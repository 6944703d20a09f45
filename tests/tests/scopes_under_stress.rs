#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Scopes where they are easily broken: regions that change their task, foreign code that panics, cancellations from other
//! threads, random trees.

mod fixtures;

use fixtures::{Drops, Log, Reports, both_flavors, ms, on_virtual_time, sleep, two_workers};
use futures::future::{join_all, poll_fn};
use futures::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::scope::{CancelScope, cancellable, cleanup, current_scope, shield};
use weftwork::spawn;
use weftwork::sync::oneshot;
use weftwork::task::{spawn_local, yield_now};
use weftwork::time::timeout;

/// Polls a future once, and finds it pending.
async fn begin<F: Future + Unpin>(future: &mut F) {
    poll_fn(|cx| {
        assert!(Pin::new(&mut *future).poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

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
fn a_shield_that_goes_to_another_task_and_ends_there_holds_up_the_first_no_longer() {
    on_virtual_time(|clock| async move {
        let first = spawn(async move {
            let _ = cancellable(pending::<()>()).await;
            let mut shielded = Box::pin(shield(sleep(100)));
            begin(&mut shielded).await;
            spawn(shielded).detach();
            sleep(1).await;
        });
        sleep(10).await;
        assert!(first.cancel());
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 10);
        sleep(100).await;
    });
}

#[test]
fn a_region_dropped_elsewhere_after_it_was_woken_holds_up_its_task_no_longer() {
    on_virtual_time(|clock| async move {
        let (give, got) = oneshot::channel();
        let task = spawn(async move {
            let mut pad = Box::pin(cancellable(pending::<()>()));
            begin(&mut pad).await;
            give.send(pad).map_err(drop).unwrap();
            pending::<()>().await;
        });
        let pad = got.await.unwrap();
        sleep(10).await;
        assert!(task.cancel());
        sleep(5).await;
        assert!(!task.is_finished());
        drop(pad);
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 15);
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
fn a_region_that_cleans_up_in_a_combinator_is_waited_for_in_peace() {
    // The combinator wakes itself and then polls only what is woken; who asked those inside at each poll would never rest.
    on_virtual_time(|clock| async move {
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        let task = spawn(async move {
            let mut inside = FuturesUnordered::from_iter([Box::pin(async {
                let _ = cancellable(pending::<()>()).await;
                cleanup(ms(3_000), sleep(2_500)).await.unwrap();
            })]);
            poll_fn(|cx| {
                counted.fetch_add(1, Ordering::Relaxed);
                inside.poll_next_unpin(cx).map(drop)
            })
            .await;
        });
        sleep(10).await;
        task.cancel();
        task.await.unwrap();
        assert_eq!(clock.ms(), 2_510);
        let polls = polls.load(Ordering::Relaxed);
        assert!(polls < 30, "{polls} polls");
    });
}

#[test]
fn a_region_that_was_told_and_is_then_kept_holds_up_for_two_seconds_at_most() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let _ = cancellable(pending::<()>()).await;
            let mut shielded = Box::pin(shield(sleep(5_000)));
            begin(&mut shielded).await;
            sleep(1).await;
        });
        sleep(10).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 2_010);
    });
}

#[test]
fn a_forgotten_region_holds_up_for_a_second_at_most() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let mut shielded = Box::pin(shield(pending::<()>()));
            begin(&mut shielded).await;
            std::mem::forget(shielded);
            sleep(5_000).await;
        });
        sleep(10).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 1_010);
    });
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

/// Numbers that look random, the same for the same seed.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What a random task does; times are milliseconds.
#[derive(Debug)]
enum Plan {
    Sleep(u64),
    Yield,
    /// What comes after it: the time that cleaning up takes, and whether it propagates.
    Pad(Box<Plan>, u64, bool),
    Shield(Box<Plan>),
    Timeout(u64, Box<Plan>),
    Scope(Box<Plan>),
    InTurn(Vec<Plan>),
    Together(Vec<Plan>),
    /// In a combinator that polls only what is woken.
    AsTheyCome(Vec<Plan>),
    Task(Box<Plan>),
    /// A task waited for by reference, for a time, and then for good.
    Kept(u64, Box<Plan>),
    CancelSelf,
}

impl Plan {
    fn random(numbers: &mut Seeded, depth: u64) -> Self {
        let inner = |numbers: &mut Seeded| Box::new(Self::random(numbers, depth - 1));
        let some = |numbers: &mut Seeded| {
            (0..1 + numbers.below(3)).map(|_| Self::random(numbers, depth - 1)).collect::<Vec<_>>()
        };
        match if depth == 0 { numbers.below(6) } else { numbers.below(24) } {
            0..4 => Self::Sleep(numbers.below(20)),
            4 => Self::Yield,
            5 if numbers.below(8) == 0 => Self::CancelSelf,
            5 => Self::Sleep(1),
            6..11 => Self::Pad(inner(numbers), numbers.below(5), numbers.below(2) == 0),
            11 => Self::Shield(Box::new(Self::random(numbers, depth / 2))),
            12..15 => Self::Timeout(numbers.below(15), inner(numbers)),
            15..17 => Self::Scope(inner(numbers)),
            17 => Self::InTurn(some(numbers)),
            18..20 => Self::Together(some(numbers)),
            20 => Self::AsTheyCome(some(numbers)),
            21..23 => Self::Task(inner(numbers)),
            _ => Self::Kept(numbers.below(15), inner(numbers)),
        }
    }
}

/// What the random tasks leave behind.
#[derive(Debug, Clone, Default)]
struct Traces {
    made: Arc<AtomicUsize>,
    drops: Drops,
    begun: Arc<AtomicUsize>,
    after: Arc<AtomicUsize>,
    scopes: Arc<Mutex<Vec<CancelScope>>>,
}

fn follow(plan: Plan, traces: Traces) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    traces.made.fetch_add(1, Ordering::Relaxed);
    let token = traces.drops.token();
    Box::pin(async move {
        let _token = token;
        let go = |plan| follow(plan, traces.clone());
        match plan {
            Plan::Sleep(of) => sleep(of).await,
            Plan::Yield => yield_now().await,
            Plan::Pad(inner, clean, propagates) => {
                let inner = go(*inner);
                traces.begun.fetch_add(1, Ordering::Relaxed);
                let ended = cancellable(inner).await;
                traces.after.fetch_add(1, Ordering::Relaxed);
                if let Err(cancelled) = ended {
                    let _ = cleanup(ms(3), sleep(clean)).await;
                    if propagates {
                        cancelled.propagate::<()>().await;
                    }
                }
            }
            Plan::Shield(inner) => shield(go(*inner)).await,
            Plan::Timeout(after, inner) => drop(timeout(ms(after), go(*inner)).await),
            Plan::Scope(inner) => {
                let scope = CancelScope::new();
                traces.scopes.lock().unwrap().push(scope.clone());
                let _ = scope.run(go(*inner)).await;
            }
            Plan::InTurn(all) => {
                for plan in all {
                    go(plan).await;
                }
            }
            Plan::Together(all) => drop(join_all(all.into_iter().map(go)).await),
            Plan::AsTheyCome(all) => {
                let mut all: FuturesUnordered<_> = all.into_iter().map(go).collect();
                while all.next().await.is_some() {}
            }
            Plan::Task(inner) => drop(spawn(go(*inner)).await),
            Plan::Kept(after, inner) => {
                let mut task = spawn(go(*inner));
                if timeout(ms(after), &mut task).await.is_err() {
                    let _ = task.await;
                }
            }
            Plan::CancelSelf => drop(current_scope().cancel()),
        }
    })
}

#[test]
fn random_trees_unwind_whole() {
    const BATCHES: u64 = 100;
    const TREES: u64 = 100;
    on_virtual_time(|clock| async move {
        for batch in 0..BATCHES {
            let began = clock.ms();
            let traces = Traces::default();
            let mut numbers = Seeded(batch);
            let mut tasks: Vec<_> =
                (0..TREES).map(|_| spawn(follow(Plan::random(&mut numbers, 5), traces.clone()))).collect();
            for _ in 0..numbers.below(30) {
                sleep(numbers.below(3)).await;
                for _ in 0..numbers.below(8) {
                    tasks[numbers.below(TREES) as usize].cancel();
                }
                let scopes = traces.scopes.lock().unwrap().clone();
                for _ in 0..numbers.below(8).min(scopes.len() as u64) {
                    scopes[numbers.below(scopes.len() as u64) as usize].cancel();
                }
            }
            for task in &mut tasks {
                let _ = task.await;
            }
            // Nothing had to be given up after a second.
            assert!(clock.ms() - began < 1_000, "batch {batch} took {} ms", clock.ms() - began);
            drop(tasks);
            traces.scopes.lock().unwrap().clear();
            // Those that were detached end by themselves.
            sleep(1_000).await;
            let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
            assert_eq!(traces.drops.count(), count(&traces.made), "batch {batch}: futures");
            assert_eq!(count(&traces.begun), count(&traces.after), "batch {batch}: pads");
            assert_eq!(fixtures::armed_timers(), 0, "batch {batch}: timers");
        }
    });
}

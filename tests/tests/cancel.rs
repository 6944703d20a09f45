#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Cancelling a task: its future is dropped where it waits, once, on a thread that may, and its handle says why.

mod fixtures;

use fixtures::{Drops, Reports, both_flavors, gate, two_workers, waiting};
use futures::future::{join_all, poll_fn};
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;
use weftwork::net::UnixStream;
use weftwork::runtime::Builder;
use weftwork::sync::{channel, oneshot};
use weftwork::task::{CancelKind, yield_now};
use weftwork::testing::settle;
use weftwork::{Handle, JoinError, JoinHandle, spawn, spawn_local};

#[test]
fn cancelling_drops_the_future_where_it_waits_and_the_handle_says_why() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (task, drops) = waiting().await;
                assert!(task.cancel_cause().is_none());
                let line = line!() + 1;
                assert!(task.cancel_with("enough"));
                let error = task.await.unwrap_err();
                assert_eq!(drops.count(), 1, "whoever joins finds the future dropped");
                assert!(error.is_cancelled() && !error.is_panic());
                let cause = error.cancel_cause().unwrap();
                assert_eq!((cause.kind, cause.message.as_deref()), (CancelKind::Explicit, Some("enough")));
                assert_eq!((cause.at.file(), cause.at.line()), (file!(), line));
                assert!(error.to_string().contains("enough"), "{error}");
            })
            .unwrap();
    });
}

#[test]
fn the_cause_names_the_task_that_cancelled() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (task, _) = waiting().await;
                let task = Arc::new(Mutex::new(Some(task)));
                let theirs = task.clone();
                let canceller = spawn(async move { theirs.lock().unwrap().as_ref().unwrap().cancel() });
                let id = canceller.id();
                assert!(canceller.await.unwrap());
                let task = task.lock().unwrap().take().unwrap();
                assert_eq!(task.await.unwrap_err().cancel_cause().unwrap().by, Some(id));
            })
            .unwrap();
    });
}

#[test]
fn the_second_cancel_is_refused_and_the_first_cause_is_kept() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (task, drops) = waiting().await;
                assert!(task.cancel_with("first"));
                assert!(!task.cancel_with("second"));
                assert_eq!(task.cancel_cause().unwrap().message.as_deref(), Some("first"));
                let error = task.await.unwrap_err();
                assert_eq!(error.cancel_cause().unwrap().message.as_deref(), Some("first"));
                assert_eq!(drops.count(), 1);
            })
            .unwrap();
    });
}

#[test]
fn a_finished_task_cannot_be_cancelled() {
    both_flavors(|builder| {
        builder
            .run(async {
                let task = spawn(async { 5 });
                while !task.is_finished() {
                    yield_now().await;
                }
                assert!(!task.cancel());
                assert!(task.cancel_cause().is_none());
                assert_eq!(task.await.unwrap(), 5);
            })
            .unwrap();
    });
}

#[test]
fn a_value_given_by_the_poll_in_which_the_task_was_cancelled_wins() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (give, own) = oneshot::channel::<Arc<JoinHandle<u32>>>();
                let (look, looked) = oneshot::channel();
                let task = spawn(async move {
                    let own = own.await.unwrap();
                    look.send(own.cancel()).unwrap();
                    7
                });
                let task = Arc::new(task);
                give.send(task.clone()).map_err(drop).unwrap();
                assert!(looked.await.unwrap(), "it was still running");
                while !task.is_finished() {
                    yield_now().await;
                }
                // The task has dropped its own reference when it ended.
                let task = Arc::try_unwrap(task).unwrap();
                assert_eq!(task.await.unwrap(), 7);
            })
            .unwrap();
    });
}

#[test]
fn a_task_that_cancels_itself_ends_at_its_next_await() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (give, own) = oneshot::channel::<Arc<JoinHandle<()>>>();
                let drops = Drops::default();
                let token = drops.token();
                let reached = Arc::new(AtomicBool::new(false));
                let theirs = reached.clone();
                let task = Arc::new(spawn(async move {
                    let _token = token;
                    let own = own.await.unwrap();
                    assert!(own.cancel());
                    drop(own);
                    yield_now().await;
                    theirs.store(true, Ordering::Relaxed);
                }));
                give.send(task.clone()).map_err(drop).unwrap();
                while !task.is_finished() {
                    yield_now().await;
                }
                assert!(Arc::try_unwrap(task).unwrap().await.unwrap_err().is_cancelled());
                assert_eq!((drops.count(), reached.load(Ordering::Relaxed)), (1, false));
            })
            .unwrap();
    });
}

#[test]
fn a_task_cancelled_before_its_first_poll_never_runs_and_drops_what_it_captured() {
    both_flavors(|builder| {
        // Nobody polls while the main future is inside one poll of a current-thread runtime; on two workers the cancel may
        // come too late, and then the task has run.
        let outcomes = builder
            .run(async {
                let mut outcomes = Vec::new();
                for _ in 0..100 {
                    let (drops, ran) = (Drops::default(), Arc::new(AtomicBool::new(false)));
                    let (token, theirs) = (drops.token(), ran.clone());
                    let task = spawn(async move {
                        let _token = token;
                        theirs.store(true, Ordering::SeqCst);
                    });
                    let cancelled = task.cancel();
                    let outcome = task.await;
                    assert_eq!(drops.count(), 1);
                    if outcome.is_ok() {
                        assert!(ran.load(Ordering::SeqCst));
                    } else {
                        assert!(cancelled);
                    }
                    outcomes.push((outcome.is_err(), ran.load(Ordering::SeqCst)));
                }
                (Handle::current().metrics().workers.len() == 1).then_some(outcomes)
            })
            .unwrap();
        if let Some(outcomes) = outcomes {
            assert_eq!(outcomes, vec![(true, false); 100]);
        }
    });
}

#[test]
fn cancelling_one_task_leaves_its_siblings_alone() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (sender, receiver) = channel::bounded::<usize>(16);
                let tasks: Vec<_> = (0..10)
                    .map(|_| {
                        let receiver = receiver.clone();
                        spawn(async move { receiver.recv().await.unwrap() })
                    })
                    .collect();
                yield_now().await;
                assert!(tasks[3].cancel() && tasks[7].cancel());
                settle().await;
                for value in 0..8 {
                    sender.send(value).await.unwrap();
                }
                let outcomes = join_all(tasks).await;
                let cancelled: Vec<_> = (0..10).filter(|&task| outcomes[task].is_err()).collect();
                assert_eq!(cancelled, [3, 7]);
                let sum: usize = outcomes.into_iter().flatten().sum();
                assert_eq!(sum, (0..8).sum(), "no value went to a task that was cancelled");
            })
            .unwrap();
    });
}

#[test]
fn a_task_may_be_cancelled_by_a_plain_thread_and_by_another_runtime() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let (by_thread, thread_drops) = runtime.block_on(waiting());
        let (by_runtime, runtime_drops) = runtime.block_on(waiting());
        let by_thread = thread::spawn(move || {
            assert!(by_thread.cancel());
            by_thread
        });
        let by_thread = by_thread.join().unwrap();
        let other = two_workers().build().unwrap();
        let by_runtime = other.spawn(async move {
            assert!(by_runtime.cancel());
            by_runtime
        });
        let by_runtime = other.block_on(by_runtime).unwrap();
        runtime.block_on(async {
            assert!(by_thread.await.unwrap_err().cancel_cause().unwrap().by.is_none());
            assert!(by_runtime.await.unwrap_err().cancel_cause().unwrap().by.is_some());
        });
        assert_eq!((thread_drops.count(), runtime_drops.count()), (1, 1));
    });
}

#[test]
fn tasks_cancelled_from_everywhere_at_once_are_dropped_once() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let drops = Drops::default();
        let tasks: Vec<_> = (0..500)
            .map(|_| {
                let token = drops.token();
                runtime.spawn(async move {
                    let _token = token;
                    for _ in 0..3 {
                        yield_now().await;
                    }
                })
            })
            .collect();
        let tasks = Arc::new(tasks);
        let cancellers: Vec<_> = (0..3)
            .map(|_| {
                let tasks = tasks.clone();
                thread::spawn(move || tasks.iter().filter(|task| task.cancel()).count())
            })
            .collect();
        runtime.block_on(async {
            while !tasks.iter().all(JoinHandle::is_finished) {
                yield_now().await;
            }
        });
        let accepted: usize = cancellers.into_iter().map(|canceller| canceller.join().unwrap()).sum();
        assert!(accepted <= 500, "each was cancelled once at most");
        assert_eq!(drops.count(), 500);
    });
}

// The thread on which a future is dropped.

/// Panics, and so ends the process or the test, if it is dropped on another thread than it was made on.
struct AtHome(ThreadId, Rc<()>);

impl AtHome {
    fn new() -> Self {
        Self(thread::current().id(), Rc::new(()))
    }
}

impl Drop for AtHome {
    fn drop(&mut self) {
        assert_eq!(self.0, thread::current().id(), "dropped on a thread where it may not be");
    }
}

/// Cancels local tasks, which have been polled or not, from another thread.
fn cancel_local_from_elsewhere(polled: bool) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let tasks: Vec<JoinHandle<()>> = runtime.block_on(async {
        let tasks = (0..50).map(|_| {
            let home = AtHome::new();
            spawn_local(async move {
                let _home = home;
                pending::<()>().await;
            })
        });
        let tasks = tasks.collect();
        if polled {
            yield_now().await;
        }
        tasks
    });
    let canceller = thread::spawn(move || {
        assert!(tasks.iter().all(JoinHandle::cancel));
        tasks
    });
    let tasks = canceller.join().unwrap();
    assert_eq!(runtime.metrics().live_tasks, 50, "nothing is dropped by the canceller");
    for outcome in runtime.block_on(join_all(tasks)) {
        assert!(matches!(outcome, Err(JoinError::Cancelled(_))), "{outcome:?}");
    }
}

#[test]
fn rustsec_2021_0072_a_local_task_cancelled_from_elsewhere_is_dropped_at_home() {
    cancel_local_from_elsewhere(true);
    cancel_local_from_elsewhere(false);
}

#[test]
fn rustsec_2021_0072_a_local_task_cancelled_while_it_runs_is_dropped_at_home() {
    Builder::new_current_thread()
        .run(async {
            for _ in 0..50 {
                let home = AtHome::new();
                let ((inside, entered), (release, released)) = (gate(), gate());
                let task = spawn_local(async move {
                    let _home = home;
                    inside.open();
                    released.wait();
                    pending::<()>().await;
                });
                let canceller = thread::spawn(move || {
                    entered.wait();
                    assert!(task.cancel());
                    release.open();
                    task
                });
                yield_now().await;
                assert!(canceller.join().unwrap().await.unwrap_err().is_cancelled());
            }
        })
        .unwrap();
}

#[test]
fn tokio_3929_a_local_task_cancelled_after_its_runtime_is_gone_was_dropped_at_home() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let task = runtime.block_on(async {
        let home = AtHome::new();
        let task = spawn_local(async move {
            let _home = home;
            pending::<()>().await;
        });
        yield_now().await;
        task
    });
    drop(runtime);
    let canceller = thread::spawn(move || {
        assert!(!task.cancel(), "it has ended with its runtime");
        drop(task);
    });
    canceller.join().unwrap();
}

#[test]
fn a_future_is_dropped_by_a_worker_and_not_by_its_canceller() {
    let runtime = two_workers().thread_name("cancel-w").build().unwrap();
    let dropped_on = Arc::new(Mutex::new(None));
    struct Where(Arc<Mutex<Option<String>>>);
    impl Drop for Where {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = thread::current().name().map(str::to_owned);
        }
    }
    let place = Where(dropped_on.clone());
    let (begin, begun) = gate();
    let task = runtime.spawn(async move {
        let _place = place;
        begin.open();
        pending::<()>().await;
    });
    begun.wait();
    assert!(task.cancel());
    assert!(runtime.block_on(task).unwrap_err().is_cancelled());
    let name = dropped_on.lock().unwrap().take().unwrap();
    assert!(name.starts_with("cancel-w"), "dropped on {name}");
}

#[test]
fn a_local_value_is_dropped_at_home_when_its_handle_is_dropped_there() {
    Builder::new_current_thread()
        .run(async {
            let task = spawn_local(async { AtHome::new() });
            yield_now().await;
            drop(task);
            let value = spawn_local(async { AtHome::new() }).await.unwrap();
            assert_eq!(Rc::strong_count(&value.1), 1);
        })
        .unwrap();
}

// What a future's drop may do.

#[test]
fn the_drop_of_a_cancelled_future_may_use_the_runtime() {
    both_flavors(|builder| {
        builder
            .run(async {
                struct Spawns(Option<oneshot::Sender<u8>>);
                impl Drop for Spawns {
                    fn drop(&mut self) {
                        let sender = self.0.take().unwrap();
                        spawn(async move { sender.send(6).unwrap() }).detach();
                    }
                }
                let (sender, receiver) = oneshot::channel();
                let (begin, begun) = oneshot::channel();
                let spawns = Spawns(Some(sender));
                let task = spawn(async move {
                    let _spawns = spawns;
                    begin.send(()).unwrap();
                    pending::<()>().await;
                });
                begun.await.unwrap();
                task.cancel();
                assert_eq!(receiver.await, Ok(6));
                assert!(task.await.unwrap_err().is_cancelled());
            })
            .unwrap();
    });
}

#[test]
fn the_drop_of_a_cancelled_future_may_wake_its_own_task() {
    both_flavors(|builder| {
        builder
            .run(async {
                struct Wakes(Arc<Mutex<Option<Waker>>>);
                impl Drop for Wakes {
                    fn drop(&mut self) {
                        self.0.lock().unwrap().take().unwrap().wake();
                    }
                }
                let wakes = Wakes(Arc::default());
                let task = spawn(async move {
                    poll_fn(|cx| {
                        *wakes.0.lock().unwrap() = Some(cx.waker().clone());
                        Poll::<()>::Pending
                    })
                    .await;
                });
                settle().await;
                task.cancel();
                assert!(task.await.unwrap_err().is_cancelled());
            })
            .unwrap();
    });
}

#[test]
fn a_panic_in_the_drop_of_a_cancelled_future_is_the_outcome() {
    both_flavors(|builder| {
        builder
            .run(async {
                struct Bomb;
                impl Drop for Bomb {
                    fn drop(&mut self) {
                        panic!("in drop");
                    }
                }
                let (begin, begun) = oneshot::channel();
                let task = spawn(async move {
                    let _bomb = Bomb;
                    begin.send(()).unwrap();
                    pending::<()>().await;
                });
                begun.await.unwrap();
                task.cancel();
                assert_eq!(task.await.unwrap_err().into_panic().unwrap().message(), Some("in drop"));
            })
            .unwrap();
    });
}

#[test]
fn a_value_that_came_before_the_cancel_wins_although_the_task_had_not_run_again() {
    Builder::new_current_thread()
        .run(async {
            let (send, receive) = weftwork::sync::oneshot::channel();
            let task = spawn(async { receive.await.unwrap() });
            weftwork::task::yield_now().await;
            send.send(5).unwrap();
            assert!(task.cancel());
            assert_eq!(task.await.unwrap(), 5);
        })
        .unwrap();
}

#[test]
fn a_task_cancelled_as_its_runtime_ends_is_cancelled_and_runs_no_more() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let runtime = builder.on_unhandled(reports.hook()).build().unwrap();
        let polls = Arc::new(AtomicUsize::new(0));
        let count = polls.clone();
        let tasks: Vec<_> = runtime.block_on(async {
            let mut tasks = vec![spawn(weftwork::sleep(Duration::from_secs(3_600)))];
            let (reader, writer) = UnixStream::pair().unwrap();
            tasks.push(spawn(async move {
                let _writer = writer;
                reader.read(&mut [0]).await.unwrap();
            }));
            tasks.push(spawn(poll_fn(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                Poll::Pending
            })));
            settle().await;
            tasks
        });
        let before = polls.load(Ordering::SeqCst);
        // Queued by the cancel, and on a current-thread runtime run by nobody before the end.
        let runs_on = runtime.block_on(async move {
            for task in &tasks {
                assert!(task.cancel());
            }
            tasks
        });
        drop(runtime);
        for task in runs_on {
            let error = weftwork_sync::block_on(task).unwrap_err();
            assert!(error.is_cancelled(), "{error}");
        }
        assert!(polls.load(Ordering::SeqCst) <= before + 1);
        assert!(reports.all().is_empty(), "{:?}", reports.all());
    });
}

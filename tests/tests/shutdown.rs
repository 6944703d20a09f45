#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! The end of a runtime: what is dropped, what is told, what is left behind and named.

mod fixtures;

use fixtures::{DropToken, Drops, Reports, both_flavors, gate, poll_once, threads_named, two_workers};
use futures::executor;
use futures::future::poll_fn;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use weftwork::net::TcpListener;
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::sync::{Notify, oneshot};
use weftwork::task::{self, CancelKind, yield_now};
use weftwork::time::{Duration, sleep};
use weftwork::{Handle, Runtime, block_in_place, spawn, spawn_local, to_thread};

/// Longer than any test: whoever waits that long hangs.
const LONG: Duration = Duration::from_secs(3600);

/// Tasks that wait for everything there is to wait for, and some that have not begun.
fn spawn_all_kinds(drops: &Drops) -> usize {
    fn start<F: Future<Output = ()> + Send + 'static>(token: DropToken, future: F) {
        spawn(async move {
            let _token = token;
            future.await;
        })
        .detach();
    }
    let notify = Arc::new(Notify::new());
    for _ in 0..10 {
        let notify = notify.clone();
        start(drops.token(), pending());
        start(drops.token(), sleep(LONG));
        start(drops.token(), async move { notify.notified().await });
        start(drops.token(), async {
            loop {
                yield_now().await;
            }
        });
        start(drops.token(), async {
            let _ = spawn(pending::<()>()).await;
        });
        start(drops.token(), async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let _ = listener.accept().await;
        });
        start(drops.token(), async {
            let _ = to_thread(|| {
                while !weftwork::is_cancelled() {
                    thread::yield_now();
                }
            })
            .await;
        });
    }
    70
}

#[test]
fn every_future_is_dropped_once() {
    for begun in [false, true] {
        both_flavors(|builder| {
            let runtime = builder.build().unwrap();
            let drops = Drops::default();
            let spawned = runtime.block_on(async {
                let spawned = spawn_all_kinds(&drops);
                for _ in 0..if begun { 20 } else { 0 } {
                    yield_now().await;
                }
                spawned
            });
            runtime.shutdown_timeout(LONG).unwrap();
            assert_eq!(drops.count(), spawned);
        });
    }
}

#[test]
fn every_future_is_dropped_once_when_the_main_future_ends() {
    both_flavors(|builder| {
        let drops = Drops::default();
        let spawned = builder.run(async { spawn_all_kinds(&drops) }).unwrap();
        assert_eq!(drops.count(), spawned);
    });
}

#[test]
fn futures_that_spawn_when_they_are_dropped_leave_nothing() {
    struct Spawns(Drops, u8);
    impl Drop for Spawns {
        fn drop(&mut self) {
            drop(self.0.token());
            if self.1 > 0 {
                let next = Spawns(self.0.clone(), self.1 - 1);
                let handle = spawn(async move {
                    let _next = next;
                    pending::<()>().await;
                });
                assert_eq!(handle.cancel_cause().unwrap().kind, CancelKind::Shutdown, "born cancelled");
            }
        }
    }
    both_flavors(|builder| {
        let drops = Drops::default();
        builder
            .run(async {
                for _ in 0..10 {
                    let spawns = Spawns(drops.clone(), 5);
                    spawn(async move {
                        let _spawns = spawns;
                        pending::<()>().await;
                    })
                    .detach();
                }
                yield_now().await;
            })
            .unwrap();
        assert_eq!(drops.count(), 60);
    });
}

#[test]
fn futures_that_wake_each_other_when_they_are_dropped_are_dropped_once() {
    both_flavors(|builder| {
        let drops = Drops::default();
        builder
            .run(async {
                let mut before = None;
                for _ in 0..100 {
                    let (sender, receiver) = oneshot::channel::<()>();
                    let (token, held) = (drops.token(), before.replace(sender));
                    spawn(async move {
                        let _token = token;
                        let _held = held;
                        let _ = receiver.await;
                        pending::<()>().await;
                    })
                    .detach();
                }
                yield_now().await;
            })
            .unwrap();
        assert_eq!(drops.count(), 100);
    });
}

#[test]
fn a_task_spawned_after_the_end_is_born_cancelled() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        drop(runtime);
        let drops = Drops::default();
        let token = drops.token();
        let late = handle.spawn(async move {
            let _token = token;
            unreachable!("it never runs");
        });
        assert_eq!(drops.count(), 1);
        let error = executor::block_on(late).unwrap_err();
        assert_eq!(error.cancel_cause().unwrap().kind, CancelKind::Shutdown);
    });
}

#[test]
fn tasks_spawned_while_the_runtime_ends_are_dropped_once() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let drops = Drops::default();
        let (stop, (begin, begun)) = (Arc::new(AtomicBool::new(false)), gate());
        let spawner = thread::spawn({
            let (handle, drops, stop) = (runtime.handle().clone(), drops.clone(), stop.clone());
            move || {
                let mut spawned = 0;
                while !stop.load(Ordering::SeqCst) {
                    let token = drops.token();
                    handle
                        .spawn(async move {
                            let _token = token;
                            pending::<()>().await;
                        })
                        .detach();
                    spawned += 1;
                    begin.open();
                }
                spawned
            }
        });
        begun.wait();
        runtime.shutdown_timeout(LONG).unwrap();
        stop.store(true, Ordering::SeqCst);
        let spawned: usize = spawner.join().unwrap();
        assert_eq!(drops.count(), spawned);
    });
}

// Ended from inside, in the background, within another.

#[test]
fn a_runtime_may_be_dropped_by_its_own_task() {
    let drops = Drops::default();
    let (ended, end) = gate();
    let runtime = two_workers().build().unwrap();
    let (give, take) = oneshot::channel::<Runtime>();
    let token = drops.token();
    let idle = runtime.spawn(async move {
        let _token = token;
        pending::<()>().await;
    });
    let dropper = runtime.spawn(async move {
        drop(take.await.unwrap());
        // It does not wait for itself, and goes on to its next await.
        ended.open();
    });
    give.send(runtime).map_err(drop).unwrap();
    end.wait();
    executor::block_on(dropper).unwrap();
    assert!(executor::block_on(idle).unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_runtime_may_be_dropped_within_another() {
    both_flavors(|outer| {
        outer
            .run(async {
                both_flavors(|inner| {
                    let inner = inner.build().unwrap();
                    let drops = Drops::default();
                    let token = drops.token();
                    let task = inner.spawn(async move {
                        let _token = token;
                        pending::<()>().await;
                    });
                    drop(inner);
                    assert!(task.is_finished());
                    assert_eq!(drops.count(), 1);
                });
                assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
            })
            .unwrap();
    });
}

#[test]
fn shutdown_in_the_background_does_not_wait_but_ends_everything() {
    let runtime = two_workers().build().unwrap();
    let ((inside, entered), (opener, closed)) = (gate(), gate());
    let drops = Drops::default();
    let (stuck, idle) = (drops.token(), drops.token());
    runtime
        .spawn(async move {
            let _stuck = stuck;
            inside.open();
            closed.wait();
            pending::<()>().await;
        })
        .detach();
    entered.wait();
    let task = runtime.spawn(async move {
        let _idle = idle;
        pending::<()>().await;
    });
    runtime.shutdown_background();
    // Still blocked, so nothing could have waited for it.
    opener.open();
    assert!(executor::block_on(task).unwrap_err().is_cancelled());
    while drops.count() < 2 {
        thread::yield_now();
    }
}

// What a thread is inside of.

#[test]
fn a_task_that_is_stuck_is_named_and_the_rest_ends() {
    let reports = Reports::default();
    let runtime = two_workers().on_unhandled(reports.hook()).build().unwrap();
    let ((inside, entered), (opener, closed)) = (gate(), gate());
    let drops = Drops::default();
    let (stuck, idle) = (drops.token(), drops.token());
    let _entered = runtime.enter();
    let line = line!() + 2;
    let task = task::Builder::new().name("stuck");
    let task = task.spawn(async move {
        let _stuck = stuck;
        inside.open();
        closed.wait();
        pending::<()>().await;
    });
    let task = task.unwrap();
    entered.wait();
    runtime
        .spawn(async move {
            let _idle = idle;
            pending::<()>().await;
        })
        .detach();
    drop(_entered);
    let error = runtime.shutdown_timeout(Duration::from_millis(20)).unwrap_err();
    assert_eq!(drops.count(), 1, "the idle task is gone, the stuck one is not");
    assert_eq!(error.tasks.len(), 1);
    let left = &error.tasks[0];
    assert_eq!((left.id, left.name.as_deref()), (task.id(), Some("stuck")));
    assert_eq!((left.spawned_at.file(), left.spawned_at.line()), (file!(), line));
    assert!(error.to_string().contains("\"stuck\""), "{error}");
    assert_eq!(reports.of(UnhandledKind::LeftBehind).len(), 1);
    // The process goes on; once its poll returns the task is dropped as any other.
    opener.open();
    assert!(executor::block_on(task).unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 2);
}

#[test]
fn shutdown_waits_for_polls_that_return_in_time() {
    let runtime = two_workers().build().unwrap();
    let ((inside, entered), (opener, closed)) = (gate(), gate());
    let drops = Drops::default();
    let token = drops.token();
    let task = runtime.spawn(async move {
        let _token = token;
        inside.open();
        closed.wait();
        5
    });
    entered.wait();
    let releaser = thread::spawn({
        let handle = runtime.handle().clone();
        move || {
            // Shutdown has begun when the runtime says that it is stopping.
            while !format!("{handle:?}").contains("stopping: true") {
                thread::yield_now();
            }
            opener.open();
        }
    });
    runtime.shutdown_timeout(LONG).unwrap();
    releaser.join().unwrap();
    assert_eq!(drops.count(), 1);
    assert_eq!(executor::block_on(task).unwrap(), 5, "its value was ready");
}

#[test]
fn local_tasks_of_another_thread_are_left_and_named() {
    let (give, take) = mpsc::channel();
    let (go, done) = gate();
    let home = thread::spawn(move || {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            task::Builder::new().name("local").spawn_local(pending::<()>()).unwrap().detach();
            yield_now().await;
        });
        give.send(runtime).unwrap();
        done.wait();
    });
    let runtime = take.recv().unwrap();
    let error = runtime.shutdown_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.tasks[0].name.as_deref(), Some("local"));
    go.open();
    home.join().unwrap();
}

// Locks and pools at the end.

#[test]
fn tokio_3869_a_wake_under_a_lock_drops_no_future_that_takes_the_lock() {
    struct Locks(Arc<Mutex<Vec<Waker>>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            drop(self.0.lock().unwrap());
        }
    }
    for _ in 0..20 {
        both_flavors(|builder| {
            let runtime = builder.build().unwrap();
            let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
            let ((ready, waiting), stop) = (gate(), Arc::new(AtomicBool::new(false)));
            for _ in 0..10 {
                let (locks, theirs, ready) = (Locks(wakers.clone()), wakers.clone(), ready.clone());
                runtime
                    .spawn(async move {
                        let _locks = locks;
                        poll_fn(move |cx: &mut Context<'_>| {
                            theirs.lock().unwrap().push(cx.waker().clone());
                            ready.open();
                            Poll::<()>::Pending
                        })
                        .await;
                    })
                    .detach();
            }
            runtime.block_on(yield_now());
            (0..10).for_each(|_| waiting.wait());
            let waker = thread::spawn({
                let (wakers, stop) = (wakers.clone(), stop.clone());
                move || {
                    while !stop.load(Ordering::SeqCst) {
                        let mut held = wakers.lock().unwrap();
                        held.iter().for_each(Waker::wake_by_ref);
                        held.truncate(100);
                    }
                }
            });
            runtime.shutdown_timeout(LONG).unwrap();
            stop.store(true, Ordering::SeqCst);
            waker.join().unwrap();
        });
    }
}

#[test]
fn tokio_3228_a_thread_in_place_that_waits_for_a_task_does_not_hold_shutdown_up() {
    let runtime = two_workers().build().unwrap();
    let ((inside, entered), handle) = (gate(), runtime.handle().clone());
    let waits = runtime.spawn(async move {
        let never = spawn(pending::<()>());
        block_in_place(|| {
            inside.open();
            handle.block_on(never).is_err()
        })
    });
    entered.wait();
    runtime.shutdown_timeout(LONG).unwrap();
    assert!(executor::block_on(waits).unwrap());
}

#[test]
fn a_thread_in_place_that_waits_for_time_does_not_hold_shutdown_up() {
    let reports = Reports::default();
    let runtime = two_workers().on_unhandled(reports.hook()).build().unwrap();
    let ((inside, entered), handle) = (gate(), runtime.handle().clone());
    let waits = runtime.spawn(async move {
        block_in_place(|| {
            inside.open();
            handle.block_on(sleep(LONG));
        });
    });
    entered.wait();
    runtime.shutdown_timeout(LONG).unwrap();
    assert!(executor::block_on(waits).unwrap_err().is_panic(), "nothing would have ended that sleep");
}

#[test]
fn a_task_that_arms_a_timer_while_its_runtime_ends_is_cancelled() {
    let reports = Reports::default();
    let runtime = two_workers().on_unhandled(reports.hook()).build().unwrap();
    let ((inside, entered), (go, told)) = (gate(), gate());
    let task = runtime.spawn(async move {
        inside.open();
        told.wait();
        sleep(LONG).await;
    });
    entered.wait();
    let watched = runtime.handle().clone();
    let opener = thread::spawn(move || {
        // A timer of a thread that is no worker ends with the runtime's, so afterwards they are closed.
        let ended = std::panic::catch_unwind(|| watched.block_on(sleep(LONG)));
        go.open();
        ended.is_err()
    });
    while runtime.metrics().timers == 0 {
        thread::yield_now();
    }
    runtime.shutdown_timeout(LONG).unwrap();
    assert!(opener.join().unwrap());
    assert!(executor::block_on(task).unwrap_err().is_cancelled());
    assert!(reports.all().is_empty());
}

#[test]
fn a_blocking_call_that_waits_for_a_task_does_not_hold_shutdown_up() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let (inside, entered) = gate();
        runtime.block_on(async {
            let never = spawn(pending::<()>());
            let call = to_thread(move || {
                inside.open();
                let _ = Handle::current().block_on(never);
            });
            let mut call = Box::pin(call.join_on_cancel());
            assert!(poll_once(&mut call).is_pending());
        });
        entered.wait();
        runtime.shutdown_timeout(LONG).unwrap();
    });
}

#[test]
fn no_thread_is_left() {
    for _ in 0..10 {
        both_flavors(|builder| {
            let runtime = builder.thread_name("shut-left").build().unwrap();
            runtime.block_on(async {
                to_thread(|| ()).await.unwrap();
                spawn(sleep(Duration::from_millis(1))).await.unwrap();
            });
            assert!(threads_named("shut-left") > 0);
            runtime.shutdown_timeout(LONG).unwrap();
            // The threads have left the runtime; the system takes a moment to forget them.
            while threads_named("shut-left") > 0 {
                thread::yield_now();
            }
        });
    }
}

#[test]
fn a_runtime_that_was_never_used_ends() {
    for _ in 0..20 {
        both_flavors(|builder| drop(builder.build().unwrap()));
        both_flavors(|builder| builder.build().unwrap().shutdown_timeout(LONG).unwrap());
        both_flavors(|builder| builder.build().unwrap().shutdown_background());
    }
}

#[test]
fn a_current_thread_runtime_whose_local_tasks_have_ended_may_move() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (end, ended) = oneshot::channel();
    let local = runtime.block_on(async {
        let local = spawn_local(async move {
            let local = std::rc::Rc::new(5);
            ended.await.unwrap();
            *local
        });
        yield_now().await;
        local
    });
    thread::scope(|scope| {
        let refused = scope.spawn(|| runtime.block_on(async {})).join();
        assert!(refused.is_err(), "a local task is left");
        end.send(()).unwrap();
        assert_eq!(runtime.block_on(local).unwrap(), 5);
        let elsewhere = scope.spawn(|| {
            runtime.block_on(async {
                let id = thread::current().id();
                spawn_local(async move { thread::current().id() == id }).await.unwrap()
            })
        });
        assert!(elsewhere.join().unwrap());
    });
    runtime.shutdown_timeout(LONG).unwrap();
}

#[test]
fn a_current_thread_runtime_drops_its_local_tasks_at_home() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let drops = Drops::default();
    runtime.block_on(async {
        let token = drops.token();
        let local = std::rc::Rc::new(token);
        spawn_local(async move {
            let _local = local;
            pending::<()>().await;
        })
        .detach();
    });
    runtime.shutdown_timeout(LONG).unwrap();
    assert_eq!(drops.count(), 1);
}

#[test]
fn nothing_of_a_runtime_is_left_when_its_shutdown_returns() {
    let drops = Drops::default();
    for round in 1..=200 {
        let token = drops.token();
        let hook = move |_: &weftwork::runtime::Unhandled<'_>| {
            let _ = &token;
        };
        let runtime = two_workers().on_unhandled(hook).build().unwrap();
        runtime.shutdown_timeout(Duration::from_secs(3_600)).unwrap();
        assert_eq!(drops.count(), round, "a thread that has said it is gone still holds the runtime");
    }
}

#[test]
fn who_builds_a_runtime_does_not_hold_others() {
    let drops = Drops::default();
    let over = AtomicBool::new(false);
    let others = || {
        while !over.load(Ordering::Relaxed) {
            drop(Builder::new_current_thread().build().unwrap());
        }
    };
    let held = thread::scope(|scope| {
        scope.spawn(others);
        scope.spawn(others);
        let held = (1..=500).find(|round| {
            let token = drops.token();
            let hook = move |_: &weftwork::runtime::Unhandled<'_>| {
                let _ = &token;
            };
            let runtime = Builder::new_current_thread().on_unhandled(hook).build().unwrap();
            runtime.shutdown_timeout(LONG).unwrap();
            drops.count() != *round
        });
        over.store(true, Ordering::Relaxed);
        held
    });
    assert_eq!(held, None, "the round whose runtime outlived its shutdown");
}

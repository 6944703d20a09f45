#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Work that somebody once relied on another to do, while that other had left, slept or was stuck in foreign code.
//!
//! Each test here hung, or lost a worker, in some version of the scheduler. Whatever it waits for comes at once in a runtime
//! that strands nothing; [`PATIENCE`] only turns a hang into a failure. Timers of [`LATER`] are due when the watchdog, which
//! would hide what is lost, has gone to sleep.

mod fixtures;

use fixtures::{Opener, Reports, gate, one_worker_alone, two_workers};
use futures::future::join_all;
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::io::Write;
use std::net;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::sync::oneshot;
use weftwork::task::{self, yield_now};
use weftwork::testing::settle;
use weftwork::time::{Duration, Instant, Sleep, sleep, sleep_until};
use weftwork::{Handle, Runtime, block_in_place, spawn, spawn_local};

/// How long a test waits before it says that something is stranded.
const PATIENCE: Duration = Duration::from_secs(30);
/// Several times what the watchdog stays awake for in a runtime that has gone quiet.
const LATER: Duration = Duration::from_millis(400);

/// One worker that the watchdog gives spares.
fn one_worker() -> Builder {
    Builder::new_multi_thread().worker_threads(1)
}

/// Waits for what a runtime that strands nothing does.
#[track_caller]
fn happens<T>(what: &Receiver<T>) -> T {
    match what.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(error) => panic!("stranded: {error}"),
    }
}

/// Blocks the runtime's only worker; it is back when the opener is used or dropped.
fn block(runtime: &Runtime) -> Opener {
    let ((inside, entered), (opener, closed)) = (gate(), gate());
    runtime
        .spawn(async move {
            inside.open();
            closed.wait();
        })
        .detach();
    entered.wait();
    opener
}

/// Polls a sleep once, and so arms it.
fn arm(sleep: &mut Pin<Box<Sleep>>) {
    assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

// Spares.

#[test]
fn a_timer_armed_on_a_spare_fires_after_the_spare_has_left() {
    let runtime = one_worker().build().unwrap();
    let opener = block(&runtime);
    let ((arming, armed), (firing, fired)) = (channel(), channel());
    let stood_in = runtime.spawn(async move {
        let mut sleep = Box::pin(sleep(LATER));
        arm(&mut sleep);
        let _ = arming.send(());
        sleep.await;
        let _ = firing.send(());
    });
    happens(&armed);
    opener.open();
    // Until no spare is left.
    runtime.block_on(settle());
    happens(&fired);
    runtime.block_on(stood_in).unwrap();
}

#[test]
fn the_reactor_is_not_left_to_nobody_when_a_spare_that_kept_it_leaves() {
    let runtime = one_worker().build().unwrap();
    let opener = block(&runtime);
    // It has run, so a spare stands in; with nothing left to do that sleeps in the reactor.
    runtime.block_on(runtime.spawn(async {})).unwrap();
    opener.open();
    runtime.block_on(settle());
    let (firing, fired) = channel();
    let handle = runtime.handle().clone();
    let outside = thread::spawn(move || {
        handle.block_on(sleep(LATER));
        let _ = firing.send(());
    });
    happens(&fired);
    outside.join().unwrap();
}

#[test]
fn sockets_and_timers_go_on_while_spares_come_and_go() {
    let runtime = one_worker().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let addr = listener.local_addr().unwrap();
    let echo = runtime.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        while stream.read(&mut byte).await.unwrap() > 0 {
            sleep(Duration::from_micros(100)).await;
            stream.write_all(&byte).await.unwrap();
        }
    });
    let (told, heard) = channel();
    let peer = thread::spawn(move || {
        let mut stream = net::TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        for _ in 0..20 {
            stream.write_all(b"x").unwrap();
            std::io::Read::read_exact(&mut stream, &mut [0]).unwrap();
            let _ = told.send(());
        }
    });
    for _ in 0..20 {
        let opener = block(&runtime);
        happens(&heard);
        opener.open();
    }
    peer.join().unwrap();
    runtime.block_on(echo).unwrap();
}

// Claimed, and nothing there.

#[test]
fn a_claimed_keeper_that_found_nothing_is_woken_again() {
    let (end, ended) = oneshot::channel::<()>();
    let (built, handles) = channel();
    let driver = thread::spawn(move || {
        let runtime = Builder::new_current_thread().watchdog(false).build().unwrap();
        built.send(runtime.handle().clone()).unwrap();
        let _ = runtime.block_on(ended);
    });
    let handle: Handle = happens(&handles);
    handle.block_on(settle());
    let mut far = Box::pin(sleep(Duration::from_secs(3600)));
    {
        let _entered = handle.enter();
        arm(&mut far);
    }
    // It was woken to take note of the deadline, and sleeps again.
    handle.block_on(settle());
    let (running, ran) = channel();
    handle.spawn(async move { running.send(()) }).detach();
    happens(&ran);
    end.send(()).unwrap();
    driver.join().unwrap();
}

// Fairness.

#[test]
fn a_yielding_main_and_two_tasks_that_wake_each_other_let_a_third_run() {
    one_worker_alone()
        .run(async {
            let wakers: Arc<Mutex<[Option<Waker>; 2]>> = Arc::default();
            let stop = Arc::new(AtomicBool::new(false));
            for this in 0..2 {
                let (wakers, stop) = (wakers.clone(), stop.clone());
                spawn(poll_fn(move |cx| {
                    if stop.load(Ordering::SeqCst) {
                        return Poll::Ready(());
                    }
                    let other = {
                        let mut wakers = wakers.lock().unwrap();
                        wakers[this] = Some(cx.waker().clone());
                        wakers[1 - this].clone()
                    };
                    other.iter().for_each(Waker::wake_by_ref);
                    Poll::Pending
                }))
                .detach();
            }
            for _ in 0..10 {
                yield_now().await;
            }
            let third = spawn(yield_now());
            let mut yields = 0;
            while !third.is_finished() {
                assert!(yields < 1000, "the third task starves");
                yield_now().await;
                yields += 1;
            }
            stop.store(true, Ordering::SeqCst);
        })
        .unwrap();
}

// Foreign code.

/// A waker that blocks until the other end says that it went on, and tells whether it did.
struct Blocks {
    until: Mutex<Receiver<()>>,
    outcome: Mutex<Sender<bool>>,
}

impl Wake for Blocks {
    fn wake(self: Arc<Self>) {
        let went_on = self.until.lock().unwrap().recv_timeout(PATIENCE).is_ok();
        let _ = self.outcome.lock().unwrap().send(went_on);
    }
}

/// A waker that blocks; what ends that; whether that came.
fn blocking_waker() -> (Waker, Sender<()>, Receiver<bool>) {
    let ((go_on, until), (outcome, went_on)) = (channel(), channel());
    let waker = Waker::from(Arc::new(Blocks { until: Mutex::new(until), outcome: Mutex::new(outcome) }));
    (waker, go_on, went_on)
}

#[test]
fn a_foreign_waker_that_blocks_strands_nobody() {
    for workers in [1, 2] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
        let (waker, go_on, went_on) = blocking_waker();
        let task = runtime.spawn(async move {
            // Of two timers that are due at once, the foreign one fires first.
            let at = Instant::now() + Duration::from_millis(1);
            let mut foreign = pin!(sleep_until(at));
            let _ = foreign.as_mut().poll(&mut Context::from_waker(&waker));
            sleep_until(at).await;
            let child = spawn(yield_now());
            child.await.unwrap();
            let _ = go_on.send(());
        });
        assert!(happens(&went_on), "the waker blocked what it waited for");
        runtime.block_on(task).unwrap();
    }
}

#[test]
fn a_foreign_waker_of_a_socket_that_blocks_strands_nobody() {
    for workers in [1, 2] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = runtime.block_on(TcpStream::connect(listener.local_addr().unwrap())).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let (waker, go_on, went_on) = blocking_waker();
        let (arming, armed) = channel();
        let task = runtime.spawn(async move {
            let (mut bytes, mut more) = ([0], [0]);
            let mut foreign = Box::pin(stream.peek(&mut bytes));
            assert!(foreign.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            let mut mine = pin!(stream.peek(&mut more));
            let mut told = false;
            poll_fn(|cx| {
                let polled = mine.as_mut().poll(cx);
                if !std::mem::replace(&mut told, true) {
                    let _ = arming.send(());
                }
                polled
            })
            .await
            .unwrap();
            let _ = go_on.send(());
        });
        happens(&armed);
        peer.write_all(b"x").unwrap();
        assert!(happens(&went_on), "the waker blocked what it waited for");
        runtime.block_on(task).unwrap();
    }
}

/// Held by tests that use the collector, which is the process's: each would run what the other deferred.
static COLLECTOR: Mutex<()> = Mutex::new(());

#[test]
fn stealing_may_run_destructors_that_spawn() {
    let _alone = COLLECTOR.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever spawned inside of the thief's section would find it in a state that only an assertion sees.
    let reports = Reports::default();
    let runtime = two_workers().on_unhandled(reports.hook()).build().unwrap();
    let spawned = Arc::new(AtomicUsize::new(0));
    let theirs = spawned.clone();
    let (ending, ended) = channel();
    let task = runtime.spawn(async move {
        for _ in 0..100 {
            let round = (0..600).map(|_| {
                let spawned = theirs.clone();
                spawn(async move {
                    crossbeam_epoch::pin().defer(move || {
                        if Handle::try_current().is_ok() {
                            let counted = spawned.clone();
                            spawn(async move { counted.fetch_add(1, Ordering::SeqCst) }).detach();
                        }
                    });
                    // Work that is worth a thief's while.
                    for step in 0..300 {
                        std::hint::black_box(step);
                    }
                })
            });
            for task in round.collect::<Vec<_>>() {
                task.await.unwrap();
            }
        }
        let _ = ending.send(());
    });
    happens(&ended);
    runtime.block_on(task).unwrap();
    runtime.block_on(settle());
    assert!(reports.all().is_empty(), "{:?}", reports.all());
    assert!(spawned.load(Ordering::SeqCst) > 0, "the collector ran nothing on a worker");
    assert!(runtime.metrics().total().steals > 0, "nobody stole");
}

thread_local! {
    /// Whether a task runs on this thread.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

/// One of many tasks; what it defers is run by whoever comes to the collector next, once outside of every task.
async fn defers(here: Arc<Mutex<Option<Sender<Sender<()>>>>>) {
    IN_TASK.set(true);
    crossbeam_epoch::pin().defer(move || {
        if Handle::try_current().is_err() || IN_TASK.get() {
            return;
        }
        let here = here.lock().unwrap().take();
        if let Some(here) = here {
            let (go_on, until) = channel();
            let _ = here.send(go_on);
            let _ = until.recv();
        }
    });
    for step in 0..300 {
        std::hint::black_box(step);
    }
    IN_TASK.set(false);
}

#[test]
fn a_destructor_that_blocks_a_thief_strands_nobody() {
    let _alone = COLLECTOR.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = two_workers().build().unwrap();
    let ((blocking, blocked), (ending, ended)) = (channel(), channel());
    let here = Arc::new(Mutex::new(Some(blocking)));
    let task = runtime.spawn(async move {
        for _ in 0..1000 {
            let round: Vec<_> = (0..600).map(|_| spawn(defers(here.clone()))).collect();
            for task in round {
                task.await.unwrap();
            }
            if here.lock().unwrap().is_none() {
                break;
            }
        }
        let _ = ending.send(());
    });
    let go_on: Sender<()> = happens(&blocked);
    // With everything else at its end nobody but the thief is up.
    happens(&ended);
    runtime.block_on(task).unwrap();
    for _ in 0..20 {
        while !runtime.metrics().workers.iter().any(|worker| worker.asleep) {
            thread::yield_now();
        }
        let (running, ran) = channel();
        runtime.spawn(async move { running.send(()) }).detach();
        happens(&ran);
    }
    let _ = go_on.send(());
}

// The end.

#[test]
fn a_runtime_may_be_dropped_in_place_by_its_own_task() {
    for nested in [false, true] {
        let reports = Reports::default();
        let runtime = Arc::new(two_workers().on_unhandled(reports.hook()).build().unwrap());
        let ((opener, last), (dropping, dropped)) = (gate(), channel());
        let theirs = runtime.clone();
        let task = runtime.spawn(async move {
            block_in_place(move || {
                last.wait();
                if nested {
                    // Here the thread is a worker of another runtime as well.
                    Builder::new_current_thread().run(async move { drop(theirs) }).unwrap();
                } else {
                    drop(theirs);
                }
                let _ = dropping.send(());
            });
        });
        drop(runtime);
        opener.open();
        happens(&dropped);
        // Had it waited for itself, it would have given up and reported this task.
        assert!(reports.of(UnhandledKind::LeftBehind).is_empty());
        futures::executor::block_on(task).unwrap();
    }
}

#[test]
fn ending_a_current_thread_runtime_elsewhere_returns_at_once_and_names_its_local_tasks() {
    let runtime = thread::spawn(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            task::Builder::new().name("local").spawn_local(pending::<()>()).unwrap().detach();
            spawn_local(async {}).await.unwrap();
            task::Builder::new().name("sendable").spawn(pending::<()>()).unwrap().detach();
            yield_now().await;
        });
        runtime
    });
    let runtime = runtime.join().unwrap();
    let (ending, ended) = channel();
    let end = thread::spawn(move || ending.send(runtime.shutdown_timeout(Duration::from_secs(3600))));
    let error = happens(&ended).unwrap_err();
    let names: Vec<_> = error.tasks.iter().map(|task| task.name.as_deref()).collect();
    assert_eq!(names, [Some("local")]);
    assert!(error.blocking.is_empty());
    end.join().unwrap().unwrap();
}

#[test]
fn a_runtime_ended_elsewhere_wakes_whoever_waits_for_its_tasks() {
    let (runtime, waiting) = thread::spawn(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        let waiting: Vec<_> = (0..10).map(|_| runtime.spawn(pending::<()>())).collect();
        runtime.block_on(yield_now());
        (runtime, waiting)
    })
    .join()
    .unwrap();
    let (joining, joined) = channel();
    let joiner = thread::spawn(move || joining.send(futures::executor::block_on(join_all(waiting))));
    runtime.shutdown_timeout(PATIENCE).unwrap();
    assert!(happens(&joined).iter().all(|outcome| outcome.as_ref().unwrap_err().is_cancelled()));
    joiner.join().unwrap().unwrap();
}

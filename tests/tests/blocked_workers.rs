#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Polls that block: what they would strand goes on elsewhere, and they are named.
//!
//! Nearly every test here ends only if the runtime saves what lies behind a blocked poll; where it does not, the test hangs.

mod fixtures;

use fixtures::{Gate, Opener, Report, Reports, both_flavors, gate, two_workers};
use futures::future::join_all;
use std::io::{Read, Write};
use std::net;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;
use weftwork::net::TcpListener;
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::task::yield_now;
use weftwork::testing::{ManualClock, settle};
use weftwork::time::{Duration, sleep};
use weftwork::{Handle, Runtime, block_in_place, spawn, task};

/// Starts `count` tasks that block their workers, and waits until each is inside its poll.
fn block(runtime: &Runtime, count: usize) -> Vec<Opener> {
    (0..count)
        .map(|_| {
            let ((inside, entered), (opener, closed)) = (gate(), gate());
            runtime
                .spawn(async move {
                    inside.open();
                    closed.wait();
                })
                .detach();
            entered.wait();
            opener
        })
        .collect()
}

#[test]
fn tokio_4941_the_task_woken_last_is_taken_from_a_blocked_worker() {
    let runtime = two_workers().build().unwrap();
    let blocked = runtime.spawn(async {
        for _ in 0..10 {
            let (opener, child) = gate();
            // The child lies where only this worker looks, and this poll waits for it.
            spawn(async move { opener.open() }).detach();
            child.wait();
        }
    });
    runtime.block_on(blocked).unwrap();
}

#[test]
fn tasks_queued_behind_a_blocked_poll_run_elsewhere() {
    let runtime = two_workers().build().unwrap();
    let blocked = runtime.spawn(async {
        let (opener, children) = gate();
        for _ in 0..1000 {
            let opener = opener.clone();
            spawn(async move {
                yield_now().await;
                opener.open();
            })
            .detach();
        }
        (0..1000).for_each(|_| children.wait());
    });
    runtime.block_on(blocked).unwrap();
}

/// Opens a gate when it is woken.
struct Ring(Opener);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.0.open();
    }
}

/// Arms a timer on the calling worker; the gate opens when it fires.
fn armed(after: Duration) -> (Pin<Box<weftwork::time::Sleep>>, Gate) {
    let (opener, fired) = gate();
    let mut sleep = Box::pin(sleep(after));
    let waker = Waker::from(Arc::new(Ring(opener)));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    (sleep, fired)
}

#[test]
fn timers_of_a_blocked_worker_fire() {
    let runtime = two_workers().build().unwrap();
    let blocked = runtime.spawn(async {
        let timers: Vec<_> = (1..10).map(|ms| armed(Duration::from_millis(ms))).collect();
        for (sleep, fired) in timers {
            fired.wait();
            drop(sleep);
        }
    });
    runtime.block_on(blocked).unwrap();
}

#[test]
fn timers_of_a_blocked_worker_fire_when_a_manual_clock_moves() {
    let clock = ManualClock::new();
    let runtime = two_workers().clock(&clock).build().unwrap();
    let (inside, entered) = gate();
    let blocked = runtime.spawn(async move {
        let (sleep, fired) = armed(Duration::from_secs(3600));
        inside.open();
        fired.wait();
        drop(sleep);
    });
    entered.wait();
    clock.advance(Duration::from_secs(3600));
    runtime.block_on(blocked).unwrap();
}

#[test]
fn timers_fire_while_every_worker_is_blocked() {
    let runtime = two_workers().build().unwrap();
    let openers = block(&runtime, 2);
    // Armed by a thread that is no worker.
    runtime.block_on(sleep(Duration::from_millis(1)));
    // Armed by a spare, which may be gone again when it is due.
    runtime.block_on(runtime.spawn(sleep(Duration::from_millis(1)))).unwrap();
    openers.iter().for_each(Opener::open);
}

#[test]
fn tokio_4730_sockets_go_on_while_the_worker_that_saw_them_ready_is_blocked() {
    for blocked in [1, 2] {
        let runtime = two_workers().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let ((inside, entered), gates) = (gate(), (0..blocked).map(|_| gate()));
        let (openers, closed): (Vec<_>, Vec<_>) = gates.unzip();
        let mut closed = closed.into_iter();
        let server = runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (blocks, inside) = (closed.next(), inside.clone());
                spawn(async move {
                    let mut byte = [0];
                    while stream.read(&mut byte).await.unwrap() > 0 {
                        // The first connections block right after the reactor has said that they are readable.
                        if let Some(gate) = &blocks {
                            inside.open();
                            gate.wait();
                        }
                        stream.write_all(&byte).await.unwrap();
                    }
                })
                .detach();
            }
        });
        let talk = |stream: &mut net::TcpStream| {
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0]).unwrap();
        };
        let mut stuck: Vec<_> = (0..blocked).map(|_| net::TcpStream::connect(addr).unwrap()).collect();
        for stream in &mut stuck {
            stream.write_all(b"x").unwrap();
            entered.wait();
        }
        let mut healthy = net::TcpStream::connect(addr).unwrap();
        (0..20).for_each(|_| talk(&mut healthy));
        openers.iter().for_each(Opener::open);
        drop(stuck);
        assert!(server.cancel());
    }
}

#[test]
fn a_spare_takes_the_place_of_blocked_workers() {
    let runtime = two_workers().build().unwrap();
    for blocked in 2..6 {
        let openers = block(&runtime, blocked);
        assert_eq!(runtime.block_on(runtime.spawn(async { 5 })).unwrap(), 5);
        openers.iter().for_each(Opener::open);
    }
    assert!(runtime.metrics().spares_started > 0);
}

#[test]
fn spares_leave_when_the_blocked_workers_are_back() {
    let runtime = two_workers().build().unwrap();
    let openers = block(&runtime, 4);
    runtime.block_on(runtime.spawn(async {})).unwrap();
    openers.iter().for_each(Opener::open);
    runtime.block_on(settle());
    assert_eq!(runtime.metrics().spares, 0);
}

#[test]
fn a_runtime_without_spares_goes_on_when_a_worker_is_back() {
    let runtime = two_workers().max_spare_threads(0).build().unwrap();
    let openers = block(&runtime, 2);
    let waiting: Vec<_> = (0..100).map(|_| runtime.spawn(yield_now())).collect();
    openers[0].open();
    runtime.block_on(join_all(waiting));
    assert_eq!(runtime.metrics().spares_started, 0);
    openers[1].open();
}

// block_in_place.

#[test]
fn tokio_6596_block_in_place_hands_the_last_woken_task_over() {
    for workers in [1, 2] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
        let blocked = runtime.spawn(async {
            let (opener, child) = gate();
            spawn(async move { opener.open() }).detach();
            block_in_place(|| child.wait());
        });
        runtime.block_on(blocked).unwrap();
    }
}

#[test]
fn block_in_place_hands_tasks_over_without_a_watchdog() {
    let runtime = two_workers().watchdog(false).build().unwrap();
    let blocked = runtime.spawn(async {
        let (opener, children) = gate();
        for _ in 0..100 {
            let opener = opener.clone();
            spawn(async move { opener.open() }).detach();
        }
        block_in_place(|| (0..100).for_each(|_| children.wait()));
    });
    runtime.block_on(blocked).unwrap();
}

#[test]
fn every_worker_may_be_inside_block_in_place() {
    let runtime = two_workers().build().unwrap();
    let blocked: Vec<_> = (0..6)
        .map(|_| {
            runtime.spawn(async {
                let (opener, child) = gate();
                spawn(async move { opener.open() }).detach();
                block_in_place(|| child.wait());
            })
        })
        .collect();
    runtime.block_on(join_all(blocked)).into_iter().for_each(Result::unwrap);
}

#[test]
fn block_in_place_gives_what_its_closure_gives_and_the_task_goes_on() {
    both_flavors(|builder| {
        let value = builder
            .run(async {
                let value = block_in_place(|| 6 * 7);
                yield_now().await;
                spawn(async move { block_in_place(|| value) }).await.unwrap()
            })
            .unwrap();
        assert_eq!(value, 42);
    });
    assert_eq!(block_in_place(|| 1), 1);
}

#[test]
fn a_panic_inside_block_in_place_ends_its_task_only() {
    both_flavors(|builder| {
        builder
            .run(async {
                let task = spawn(async { block_in_place(|| panic!("in place")) });
                assert_eq!(task.await.unwrap_err().into_panic().unwrap().message(), Some("in place"));
                assert_eq!(spawn(async { block_in_place(|| 3) }).await.unwrap(), 3);
            })
            .unwrap();
    });
}

#[test]
fn tokio_5239_block_in_place_and_block_on_can_be_nested() {
    let runtime = two_workers().build().unwrap();
    let nested = runtime.spawn(async {
        let handle = Handle::current();
        block_in_place(|| {
            handle.block_on(async {
                let inner = spawn(async { 1 }).await.unwrap();
                yield_now().await;
                inner + block_in_place(|| block_in_place(|| Handle::current().block_on(async { 2 })))
            })
        })
    });
    assert_eq!(runtime.block_on(nested).unwrap(), 3);
}

#[test]
fn a_task_can_sleep_after_block_in_place() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let task = spawn(async {
                    block_in_place(|| ());
                    sleep(Duration::from_secs(5)).await;
                    block_in_place(|| ());
                });
                settle().await;
                assert!(!task.is_finished());
                clock.advance(Duration::from_secs(5));
                task.await.unwrap();
            })
            .unwrap();
    });
}

// Reports.

fn slow_poll_of(name: &'static str) -> impl Fn(&Report) -> bool {
    move |report| report.kind == UnhandledKind::SlowPoll && report.name.as_deref() == Some(name)
}

#[test]
fn a_poll_that_lasts_too_long_is_reported_with_the_name_and_place_of_its_task() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let builder = builder.slow_poll(Duration::from_millis(5)).on_unhandled(reports.hook());
        let (seen, line, id) = builder
            .run(async {
                let theirs = reports.clone();
                let named = task::Builder::new().name("stuck");
                let line = line!() + 1;
                let task = named.spawn(async move { theirs.wait_for(slow_poll_of("stuck")) }).unwrap();
                let id = task.id();
                (task.await.unwrap(), line, id)
            })
            .unwrap();
        assert_eq!(seen.task, Some(id));
        assert_eq!(seen.spawned_at, Some((file!(), line)));
        assert!(seen.text.contains("\"stuck\"") && seen.text.contains("to_thread"), "{}", seen.text);
        let of_this_poll = reports.all().into_iter().filter(slow_poll_of("stuck")).count();
        assert_eq!(of_this_poll, 1, "one poll is reported once");
    });
}

#[test]
fn each_slow_poll_of_a_task_is_reported() {
    let reports = Reports::default();
    let theirs = reports.clone();
    two_workers()
        .slow_poll(Duration::from_millis(2))
        .on_unhandled(reports.hook())
        .run(async move {
            let stuck = task::Builder::new().name("again").spawn(async move {
                for polls in 1..=3 {
                    while theirs.all().into_iter().filter(slow_poll_of("again")).count() < polls {
                        thread::yield_now();
                    }
                    yield_now().await;
                }
            });
            stuck.unwrap().await.unwrap();
        })
        .unwrap();
    assert_eq!(reports.all().into_iter().filter(slow_poll_of("again")).count(), 3);
}

#[test]
fn a_slow_main_future_is_reported() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let seen = builder
            .slow_poll(Duration::from_millis(5))
            .on_unhandled(reports.hook())
            .run(async { reports.wait_for(slow_poll_of("main")) })
            .unwrap();
        assert_eq!(seen.spawned_at.map(|(file, _)| file), Some(file!()));
    });
}

#[test]
fn a_hook_that_blocks_stops_nothing() {
    let (opener, closed) = gate();
    let closed = std::sync::Mutex::new(closed);
    let reports = Reports::default();
    let keep = reports.hook();
    let runtime = two_workers()
        .slow_poll(Duration::from_millis(1))
        .on_unhandled(move |what| {
            keep(what);
            if what.kind == UnhandledKind::SlowPoll {
                closed.lock().unwrap().wait();
            }
        })
        .build()
        .unwrap();
    let openers = block(&runtime, 2);
    reports.wait_for(|report| report.kind == UnhandledKind::SlowPoll);
    // Both workers are blocked, and so is the hook; everything else goes on.
    assert_eq!(runtime.block_on(runtime.spawn(async { 1 })).unwrap(), 1);
    openers.iter().for_each(Opener::open);
    (0..1000).for_each(|_| opener.open());
}

#[test]
fn a_runtime_whose_poll_blocks_can_be_asked_about() {
    let runtime = two_workers().build().unwrap();
    let openers = block(&runtime, 2);
    let metrics = runtime.metrics();
    assert_eq!(metrics.live_tasks, 2);
    openers.iter().for_each(Opener::open);
}

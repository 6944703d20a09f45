#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! A clock that jumps to the next timer: when it does, and what keeps it from it.

mod fixtures;

use fixtures::{both_flavors, gate, ms, two_workers};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weftwork::runtime::Builder;
use weftwork::sync::oneshot;
use weftwork::task::yield_now;
use weftwork::testing::{ManualClock, Trial, settle};
use weftwork::time::{Duration, Instant, timeout};
use weftwork::{Handle, ThreadPool, block_in_place, run_in_executor, sleep, spawn, to_thread};

const DAY: Duration = Duration::from_secs(86_400);

/// Runs a body on both flavours on a clock that jumps.
fn jumping<F: Future>(body: impl Fn(ManualClock) -> F) {
    both_flavors(|builder| {
        let clock = ManualClock::jumping();
        builder.clock(&clock).run(body(clock.clone())).unwrap();
    });
}

/// Notes that it has been called, for what has to come before a timer.
fn flag() -> (Arc<AtomicBool>, impl FnOnce() + Send + 'static) {
    let flag = Arc::new(AtomicBool::new(false));
    let theirs = flag.clone();
    (flag, move || theirs.store(true, Ordering::SeqCst))
}

#[test]
fn a_day_passes_at_once() {
    jumping(|clock| async move {
        let began = clock.now();
        sleep(DAY).await;
        assert_eq!(clock.now() - began, DAY);
    });
}

#[test]
fn timers_of_many_tasks_fire_in_the_order_of_their_deadlines() {
    jumping(|_| async {
        let (give, got) = weftwork::sync::channel::bounded(8);
        for n in [5_u64, 1, 4, 2, 3] {
            let give = give.clone();
            spawn(async move {
                sleep(DAY * u32::try_from(n).unwrap()).await;
                give.send(n).await.unwrap();
            })
            .detach();
        }
        drop(give);
        let mut order = Vec::new();
        while let Ok(n) = got.recv().await {
            order.push(n);
        }
        assert_eq!(order, [1, 2, 3, 4, 5]);
    });
}

#[test]
fn time_stands_still_while_a_task_can_run() {
    jumping(|clock| async move {
        let began = clock.now();
        let day = spawn(sleep(DAY));
        for _ in 0..1_000 {
            yield_now().await;
        }
        settle().await;
        assert_eq!(clock.now(), began);
        day.await.unwrap();
        assert_eq!(clock.now() - began, DAY);
    });
}

#[test]
fn it_waits_for_closures_on_the_pool() {
    jumping(|_| async {
        for _ in 0..50 {
            let (done, note) = flag();
            let call = timeout(DAY, to_thread(note));
            assert!(call.await.is_ok());
            assert!(done.load(Ordering::SeqCst));
        }
    });
}

#[test]
fn it_waits_for_closures_on_a_pool_of_somebody_elses() {
    let pool = ThreadPool::new(1);
    jumping(|_| {
        let pool = pool.clone();
        async move {
            for _ in 0..50 {
                let (done, note) = flag();
                assert!(timeout(ms(1), run_in_executor(&pool, note)).await.is_ok());
                assert!(done.load(Ordering::SeqCst));
            }
        }
    });
}

#[test]
fn a_closure_whose_caller_is_gone_is_waited_for_too() {
    jumping(|_| async {
        let (opener, gate) = gate();
        let (done, note) = flag();
        let (begun, begins) = flag();
        let mut call = Box::pin(to_thread(move || {
            begins();
            gate.wait();
            note();
        }));
        futures::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let day = spawn(sleep(DAY));
        while !begun.load(Ordering::SeqCst) {
            yield_now().await;
        }
        assert!(!day.is_finished());
        drop(call);
        opener.open();
        day.await.unwrap();
        assert!(done.load(Ordering::SeqCst));
    });
}

#[test]
fn it_jumps_for_a_closure_that_waits_for_a_timer_itself() {
    jumping(|clock| async move {
        let began = clock.now();
        to_thread(|| Handle::current().block_on(sleep(DAY))).await.unwrap();
        assert_eq!(clock.now() - began, DAY);
    });
}

#[test]
fn it_waits_for_a_closure_although_one_of_another_runtime_waits_for_a_timer() {
    let clock = ManualClock::jumping();
    let (mine, theirs) = (two_workers().clock(&clock).build().unwrap(), two_workers().build().unwrap());
    let began = clock.now();
    let (handle, looks, reads) = (mine.handle().clone(), mine.handle().clone(), clock.clone());
    let (begin, begun) = std::sync::mpsc::channel();
    let closure = mine.spawn(to_thread(move || {
        begin.send(()).unwrap();
        // The other closure has lain down, or is about to.
        while looks.metrics().timers == 0 {
            std::thread::yield_now();
        }
        (0..10_000).for_each(|_| std::thread::yield_now());
        assert_eq!(reads.now(), began, "a closure of this runtime runs");
    }));
    begun.recv().unwrap();
    let other = theirs.spawn(to_thread(move || handle.block_on(sleep(DAY))));
    mine.block_on(closure).unwrap().unwrap();
    theirs.block_on(other).unwrap().unwrap();
    assert_eq!(clock.now() - began, DAY);
}

#[test]
fn a_thread_outside_that_waits_in_block_on_sees_it_jump() {
    let clock = ManualClock::jumping();
    let runtime = fixtures::two_workers().clock(&clock).build().unwrap();
    let began = clock.now();
    runtime.block_on(async {
        sleep(DAY).await;
        assert!(timeout(DAY, spawn(sleep(DAY * 3))).await.is_err());
        sleep(DAY).await;
    });
    assert_eq!(clock.now() - began, DAY * 3);
}

#[test]
fn it_stands_still_while_a_thread_polls_in_block_on() {
    both_flavors(|builder| {
        let clock = ManualClock::jumping();
        builder
            .clock(&clock)
            .run(async {
                let (opener, gate) = gate();
                let handle = Handle::current();
                let (begin, begun) = oneshot::channel();
                let thread = std::thread::spawn(move || {
                    handle.block_on(async {
                        begin.send(()).unwrap();
                        // A poll that takes its time.
                        gate.wait();
                        Instant::now()
                    })
                });
                let hold = clock.hold();
                begun.await.unwrap();
                drop(hold);
                let day = spawn(sleep(DAY));
                let before = Instant::now();
                for _ in 0..100 {
                    yield_now().await;
                }
                opener.open();
                assert_eq!(thread.join().unwrap(), before);
                day.await.unwrap();
            })
            .unwrap();
    });
}

#[test]
fn it_jumps_for_a_worker_that_blocks_in_place() {
    let clock = ManualClock::jumping();
    let began = clock.now();
    fixtures::two_workers()
        .clock(&clock)
        .run(async {
            let task = spawn(async { block_in_place(|| Handle::current().block_on(sleep(DAY))) });
            task.await.unwrap();
        })
        .unwrap();
    assert_eq!(clock.now() - began, DAY);
}

#[test]
fn held_it_stands_still_and_let_go_it_jumps() {
    jumping(|clock| async move {
        let hold = clock.hold();
        let (give, got) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            give.send(()).unwrap();
            drop(hold);
        });
        let began = clock.now();
        timeout(ms(1), got).await.unwrap().unwrap();
        assert_eq!(clock.now(), began);
        sleep(DAY).await;
        thread.join().unwrap();
    });
}

#[test]
fn bytes_on_their_way_come_before_the_next_timer() {
    jumping(|clock| async move {
        let listener = weftwork::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let echo = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut byte = [0];
            while stream.read(&mut byte).await.unwrap() == 1 {
                stream.write_all(&byte).await.unwrap();
            }
        });
        let began = clock.now();
        let stream = weftwork::net::TcpStream::connect(at).await.unwrap();
        for n in 0..50 {
            stream.write_all(&[n]).await.unwrap();
            let mut byte = [0];
            timeout(DAY, stream.read(&mut byte)).await.unwrap().unwrap();
            assert_eq!(byte, [n]);
        }
        assert_eq!(clock.now(), began);
        drop(stream);
        echo.await.unwrap();
        sleep(DAY).await;
    });
}

#[test]
fn a_timer_that_was_cancelled_moves_nothing() {
    jumping(|clock| async move {
        let began = clock.now();
        assert!(timeout(DAY, async {}).await.is_ok());
        assert!(timeout(DAY, sleep(ms(5))).await.is_ok());
        sleep(ms(5)).await;
        assert_eq!(clock.now() - began, ms(10));
    });
}

#[test]
#[should_panic(expected = "nobody waits for a timer")]
fn a_test_that_can_never_go_on_fails() {
    Trial::new(Builder::new_current_thread()).virtual_clock().run(pending::<()>()).unwrap();
}

#[test]
#[should_panic(expected = "nobody waits for a timer")]
fn it_fails_on_many_workers_too() {
    Trial::new(fixtures::two_workers()).virtual_clock().run(async { spawn(pending::<()>()).await.unwrap() }).unwrap();
}

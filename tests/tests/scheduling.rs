#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Who runs when on several workers: stolen, shared and fair; and on both flavours nothing is lost.

mod fixtures;

use fixtures::{both_flavors, gate, one_worker_alone, two_workers};
use futures::future::join_all;
use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use weftwork::runtime::Builder;
use weftwork::sync::{Notify, channel, oneshot};
use weftwork::task::yield_now;
use weftwork::{Handle, JoinHandle, spawn};

#[test]
fn two_tasks_are_inside_their_polls_at_once() {
    two_workers()
        .run(async {
            for _ in 0..20 {
                let barrier = Arc::new(Barrier::new(2));
                let tasks = [0, 1].map(|_| {
                    let barrier = barrier.clone();
                    spawn(async move {
                        barrier.wait();
                    })
                });
                join_all(tasks).await;
            }
        })
        .unwrap();
}

#[test]
fn work_is_stolen_from_a_worker_that_has_too_much() {
    two_workers()
        .run(async {
            // How many batches it takes for the other worker to wake up and get something is up to the system.
            while Handle::current().metrics().total().stolen == 0 {
                let batch = (0..600).map(|_| {
                    spawn(async {
                        for _ in 0..20 {
                            yield_now().await;
                        }
                    })
                });
                join_all(batch.collect::<Vec<_>>()).await;
            }
        })
        .unwrap();
}

#[test]
fn tokio_5686_two_tasks_that_wake_each_other_let_a_third_run() {
    one_worker_alone()
        .run(async {
            let stop = Arc::new(AtomicBool::new(false));
            let bells = Arc::new([Notify::new(), Notify::new()]);
            let player = |mine: usize| {
                let (stop, bells) = (stop.clone(), bells.clone());
                spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        bells[1 - mine].notify_one();
                        bells[mine].notified().await;
                    }
                    bells[1 - mine].notify_one();
                })
            };
            let players = [player(0), player(1)];
            let third = spawn(async move {
                for _ in 0..10 {
                    yield_now().await;
                }
                stop.store(true, Ordering::Relaxed);
            });
            third.await.unwrap();
            join_all(players).await;
        })
        .unwrap();
}

#[test]
fn busy_tasks_do_not_starve_the_main_future() {
    one_worker_alone()
        .run(async {
            let stop = Arc::new(AtomicBool::new(false));
            let busy = [0; 8].map(|_| {
                let stop = stop.clone();
                spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        yield_now().await;
                    }
                })
            });
            for _ in 0..100 {
                yield_now().await;
            }
            stop.store(true, Ordering::Relaxed);
            join_all(busy).await;
        })
        .unwrap();
}

#[test]
fn a_busy_main_future_does_not_starve_the_tasks() {
    one_worker_alone()
        .run(async {
            let patient = spawn(async {
                for _ in 0..100 {
                    yield_now().await;
                }
            });
            while !patient.is_finished() {
                yield_now().await;
            }
            patient.await.unwrap();
        })
        .unwrap();
}

#[test]
fn a_busy_worker_looks_at_what_comes_from_outside() {
    let runtime = one_worker_alone().build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = stop.clone();
    let busy = runtime.spawn(async move {
        while !theirs.load(Ordering::Relaxed) {
            yield_now().await;
        }
    });
    runtime.block_on(async {
        runtime.spawn(async move { stop.store(true, Ordering::Relaxed) }).await.unwrap();
        busy.await.unwrap();
    });
}

#[test]
fn thousands_of_tasks_from_plain_threads_all_run() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let handle = runtime.handle().clone();
                thread::spawn(move || {
                    (0..1000).map(|task| handle.spawn(async move { thread * 1000 + task })).collect::<Vec<_>>()
                })
            })
            .collect();
        let tasks = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let sum: u64 = runtime.block_on(join_all(tasks)).into_iter().map(Result::unwrap).sum();
        assert_eq!(sum, (0..4000).sum());
    });
}

#[test]
fn tasks_woken_by_plain_threads_all_run() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..1000).map(|_| oneshot::channel()).unzip();
        let tasks: Vec<_> =
            receivers.into_iter().map(|receiver| runtime.spawn(async move { receiver.await.unwrap() })).collect();
        let waker = thread::spawn(move || {
            for (value, sender) in senders.into_iter().enumerate() {
                sender.send(value).unwrap();
            }
        });
        let sum: usize = runtime.block_on(join_all(tasks)).into_iter().map(Result::unwrap).sum();
        assert_eq!(sum, (0..1000).sum());
        waker.join().unwrap();
    });
}

#[test]
fn the_main_future_is_woken_by_plain_threads() {
    both_flavors(|builder| {
        builder
            .run(async {
                for value in 0..200 {
                    let (sender, receiver) = oneshot::channel();
                    let waker = thread::spawn(move || sender.send(value).unwrap());
                    assert_eq!(receiver.await, Ok(value));
                    waker.join().unwrap();
                }
            })
            .unwrap();
    });
}

#[test]
fn tens_of_thousands_of_tasks_can_be_joined() {
    both_flavors(|builder| {
        let sum: u64 = builder
            .run(async {
                let tasks: Vec<_> = (0..20_000_u64).map(|task| spawn(async move { task })).collect();
                join_all(tasks).await.into_iter().map(Result::unwrap).sum()
            })
            .unwrap();
        assert_eq!(sum, (0..20_000).sum());
    });
}

#[test]
fn a_chain_of_tasks_that_each_spawn_the_next_ends() {
    fn link(left: usize, done: oneshot::Sender<()>) {
        spawn(async move {
            match left {
                0 => done.send(()).unwrap(),
                _ => link(left - 1, done),
            }
        })
        .detach();
    }
    both_flavors(|builder| {
        builder
            .run(async {
                let (done, end) = oneshot::channel();
                link(10_000, done);
                end.await.unwrap();
            })
            .unwrap();
    });
}

// One poll takes only so much.

#[test]
fn a_task_that_always_finds_its_channel_ready_lets_others_run() {
    for builder in [Builder::new_current_thread(), one_worker_alone()] {
        builder
            .run(async {
                let stop = Arc::new(AtomicBool::new(false));
                let theirs = stop.clone();
                let greedy = spawn(async move {
                    let (sender, receiver) = channel::bounded(1);
                    while !theirs.load(Ordering::Relaxed) {
                        sender.send(()).await.unwrap();
                        receiver.recv().await.unwrap();
                    }
                });
                let modest = spawn(async move { stop.store(true, Ordering::Relaxed) });
                modest.await.unwrap();
                greedy.await.unwrap();
            })
            .unwrap();
    }
}

#[test]
fn a_task_that_only_joins_finished_tasks_lets_others_run() {
    for builder in [Builder::new_current_thread(), one_worker_alone()] {
        let (before, after) = builder
            .run(async {
                let finished: Vec<_> = (0..1000).map(|_| spawn(async {})).collect();
                while !finished.iter().all(JoinHandle::is_finished) {
                    yield_now().await;
                }
                let turns = Arc::new(AtomicUsize::new(0));
                let stop = Arc::new(AtomicBool::new(false));
                let (theirs, end) = (turns.clone(), stop.clone());
                let other = spawn(async move {
                    while !end.load(Ordering::Relaxed) {
                        theirs.fetch_add(1, Ordering::Relaxed);
                        yield_now().await;
                    }
                });
                yield_now().await;
                let before = turns.load(Ordering::Relaxed);
                for task in finished {
                    task.await.unwrap();
                }
                let after = turns.load(Ordering::Relaxed);
                stop.store(true, Ordering::Relaxed);
                other.await.unwrap();
                (before, after)
            })
            .unwrap();
        // 128 joins a poll: a thousand take eight polls at least, with seven turns of the other in between.
        assert!(after >= before + 7, "{before} turns before, {after} after");
    }
}

// Wakes are not lost, polls do not overlap.

#[test]
fn a_wake_is_never_lost() {
    const WAKES: usize = 20_000;
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let shared = Arc::new((AtomicWaker::new(), AtomicUsize::new(0)));
        let theirs = shared.clone();
        let counter = runtime.spawn(poll_fn(move |cx| {
            theirs.0.register(cx.waker());
            if theirs.1.load(Ordering::SeqCst) == WAKES { Poll::Ready(()) } else { Poll::Pending }
        }));
        // Only the last of these wakes lets the task end, and it comes while the task runs, is scheduled or is idle.
        let waker = thread::spawn(move || {
            for _ in 0..WAKES {
                shared.1.fetch_add(1, Ordering::SeqCst);
                shared.0.wake();
            }
        });
        runtime.block_on(counter).unwrap();
        waker.join().unwrap();
    });
}

#[test]
fn a_task_is_polled_by_one_thread_at_a_time() {
    let runtime = Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let inside = Arc::new(AtomicBool::new(false));
    let stop = Arc::new(AtomicBool::new(false));
    let (given, end) = (Arc::new(Mutex::new(None)), stop.clone());
    let place = given.clone();
    let (begun, begins) = gate();
    let task = runtime.spawn(poll_fn(move |cx| {
        assert!(!inside.swap(true, Ordering::SeqCst), "two threads are inside");
        let first = place.lock().unwrap().replace(cx.waker().clone()).is_none();
        if first {
            begun.open();
        }
        thread::yield_now();
        assert!(inside.swap(false, Ordering::SeqCst), "another thread has left");
        if end.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }));
    begins.wait();
    let wakers: Vec<_> = (0..3)
        .map(|_| {
            let waker: Waker = given.lock().unwrap().clone().unwrap();
            thread::spawn(move || (0..5000).for_each(|_| waker.wake_by_ref()))
        })
        .collect();
    for waker in wakers {
        waker.join().unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    given.lock().unwrap().clone().unwrap().wake();
    runtime.block_on(task).unwrap();
}

#[test]
fn a_waker_outlives_its_task_and_its_runtime() {
    both_flavors(|builder| {
        let waker = builder
            .run(async {
                let (sender, receiver) = oneshot::channel();
                let mut sender = Some(sender);
                let task = spawn(poll_fn(move |cx| {
                    if let Some(sender) = sender.take() {
                        sender.send(cx.waker().clone()).unwrap();
                    }
                    Poll::Ready(())
                }));
                task.await.unwrap();
                let waker = receiver.await.unwrap();
                waker.wake_by_ref();
                waker
            })
            .unwrap();
        let another = waker.clone();
        waker.wake();
        another.wake_by_ref();
    });
}

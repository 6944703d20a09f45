#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Who runs when: first in first out on one thread, as asyncio has it; stolen, shared and fair on several.

mod fixtures;

use fixtures::{both_flavors, gate, one_worker_alone, two_workers};
use futures::future::join_all;
use futures::task::AtomicWaker;
use std::cell::RefCell;
use std::fmt::Display;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use weftwork::runtime::Builder;
use weftwork::sync::{Notify, channel, oneshot};
use weftwork::task::yield_now;
use weftwork::time::Duration;
use weftwork::{Handle, JoinHandle, sleep, spawn, spawn_local};

/// What tasks of one thread did, in the order in which they did it.
#[derive(Debug, Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Display) {
        self.0.borrow_mut().push(what.to_string());
    }

    fn text(&self) -> String {
        self.0.borrow().join(" ")
    }
}

/// Runs a test on a current-thread runtime and gives what it logged.
fn logged<F: Future>(test: impl FnOnce(Log) -> F) -> String {
    let log = Log::default();
    Builder::new_current_thread().run(test(log.clone())).unwrap();
    log.text()
}

// First in, first out.

#[test]
fn tasks_begin_in_the_order_in_which_they_were_spawned() {
    let order = logged(async |log| {
        for task in 0..8 {
            let log = log.clone();
            spawn_local(async move { log.say(task) }).detach();
        }
        log.say("main");
        yield_now().await;
        log.say("main");
    });
    assert_eq!(order, "main 0 1 2 3 4 5 6 7 main");
}

#[test]
fn tasks_that_yield_take_turns() {
    let order = logged(async |log| {
        let turns = |name: &'static str| {
            let log = log.clone();
            spawn_local(async move {
                for turn in 0..3 {
                    log.say(format_args!("{name}{turn}"));
                    yield_now().await;
                }
            })
        };
        let (ping, pong) = (turns("ping"), turns("pong"));
        ping.await.unwrap();
        pong.await.unwrap();
    });
    assert_eq!(order, "ping0 pong0 ping1 pong1 ping2 pong2");
}

#[test]
fn a_task_spawned_by_a_task_goes_behind_those_that_are_ready() {
    let order = logged(async |log| {
        let inner = log.clone();
        let first = log.clone();
        let a = spawn_local(async move {
            first.say("a");
            let child = inner.clone();
            spawn_local(async move { child.say("child of a") }).detach();
        });
        let second = log.clone();
        let b = spawn_local(async move { second.say("b") });
        a.await.unwrap();
        b.await.unwrap();
        log.say("main");
        yield_now().await;
    });
    // main is woken when a ends, and so after b and the child, which were ready before.
    assert_eq!(order, "a b child of a main");
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_woken() {
    let order = logged(async |log| {
        let mut senders = Vec::new();
        for task in 0..5 {
            let (sender, receiver) = oneshot::channel::<()>();
            let log = log.clone();
            spawn_local(async move {
                receiver.await.unwrap();
                log.say(task);
            })
            .detach();
            senders.push(Some(sender));
        }
        yield_now().await;
        for task in [3, 0, 4, 1, 2] {
            senders[task].take().unwrap().send(()).unwrap();
        }
        yield_now().await;
    });
    assert_eq!(order, "3 0 4 1 2");
}

#[test]
fn a_batch_says_hello_together_and_world_together() {
    let order = logged(async |log| {
        let batch: Vec<JoinHandle<()>> = (0..3)
            .map(|_| {
                let log = log.clone();
                spawn_local(async move {
                    log.say("hello");
                    sleep(Duration::ZERO).await;
                    log.say("world");
                })
            })
            .collect();
        join_all(batch).await;
        log.say("!");
    });
    assert_eq!(order, "hello hello hello world world world !");
}

#[test]
fn a_sleep_of_zero_is_a_yield() {
    let order = logged(async |log| {
        let sleeper = log.clone();
        let a = spawn_local(async move {
            for turn in 0..3 {
                sleeper.say(format_args!("sleep{turn}"));
                sleep(Duration::ZERO).await;
            }
        });
        let yielder = log.clone();
        let b = spawn_local(async move {
            for turn in 0..3 {
                yielder.say(format_args!("yield{turn}"));
                yield_now().await;
            }
        });
        a.await.unwrap();
        b.await.unwrap();
    });
    assert_eq!(order, "sleep0 yield0 sleep1 yield1 sleep2 yield2");
}

#[test]
fn awaiting_a_finished_task_does_not_let_others_run() {
    let order = logged(async |log| {
        let done = spawn_local(async {});
        yield_now().await;
        let other = log.clone();
        spawn_local(async move { other.say("other") }).detach();
        done.await.unwrap();
        log.say("main");
        yield_now().await;
    });
    assert_eq!(order, "main other");
}

#[test]
fn a_task_that_is_woken_twice_is_polled_once() {
    let order = logged(async |log| {
        let notify = Rc::new(RefCell::new(None::<Waker>));
        let (theirs, its) = (notify.clone(), log.clone());
        spawn_local(poll_fn(move |cx| {
            its.say("polled");
            *theirs.borrow_mut() = Some(cx.waker().clone());
            Poll::<()>::Pending
        }))
        .detach();
        yield_now().await;
        let waker = notify.borrow_mut().take().unwrap();
        waker.wake_by_ref();
        waker.wake_by_ref();
        waker.wake();
        yield_now().await;
        yield_now().await;
        log.say("end");
    });
    assert_eq!(order, "polled polled end");
}

#[test]
fn tasks_from_another_thread_keep_their_order() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let runtime = Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    let theirs = order.clone();
    let tasks = thread::spawn(move || {
        let one = |task: usize| {
            let order = theirs.clone();
            handle.spawn(async move { order.lock().unwrap().push(task) })
        };
        (0..100).map(one).collect::<Vec<_>>()
    });
    let tasks = tasks.join().unwrap();
    runtime.block_on(join_all(tasks));
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

// Several workers.

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

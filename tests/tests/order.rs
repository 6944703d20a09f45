#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! The order of tasks on one thread: first in, first out, exactly as asyncio has it.

use futures::future::join_all;
use std::cell::RefCell;
use std::fmt::Display;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use weftwork::runtime::Builder;
use weftwork::scope::is_cancelled;
use weftwork::sync::oneshot;
use weftwork::task::yield_now;
use weftwork::time::Duration;
use weftwork::{JoinHandle, sleep, spawn_local};

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
            // The end of the run cancels it, and polls it a last time.
            if !is_cancelled() {
                its.say("polled");
            }
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

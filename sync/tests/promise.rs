//! The promise and the shared future: cases by hand and threads.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Event, Promise, block_on, oneshot, promise, shared};

#[test]
fn every_promise_has_the_value() {
    let (setter, first) = promise();
    let mut tasks = [Task::new(first.clone()), Task::new(first.clone()), Task::new(first)];
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    setter.set(String::from("here"));
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll() == Poll::Ready(Ok("here".into()))));
}

#[test]
fn a_value_that_cannot_be_cloned_is_borrowed() {
    struct Plain(u8);
    let (setter, promised) = promise();
    let mut waiting = Task::new(promised.wait());
    assert!(waiting.poll().is_pending());
    setter.set(Plain(7));
    assert!(matches!(waiting.poll(), Poll::Ready(Ok(Plain(7)))));
    assert!(promised.get().is_some_and(|value| value.is_ok_and(|plain| plain.0 == 7)));
}

#[test]
fn a_setter_that_is_dropped_tells_all() {
    let (setter, promised) = promise::<u8>();
    let (mut owned, mut borrowed) = (Task::new(promised.clone()), Task::new(promised.wait()));
    assert!(owned.poll().is_pending() && borrowed.poll().is_pending());
    drop(setter);
    assert!(matches!(owned.poll(), Poll::Ready(Err(_))));
    assert!(matches!(borrowed.poll(), Poll::Ready(Err(_))));
    assert!(promised.is_done() && promised.blocking_wait().is_err());
}

#[test]
fn the_setter_learns_that_nobody_wants_the_value() {
    let (setter, promised) = promise::<Rc<()>>();
    let another = promised.clone();
    let mut closed = Task::new(setter.closed());
    assert!(closed.poll().is_pending());
    drop(promised);
    assert!(closed.poll().is_pending() && !setter.is_closed());
    drop(another);
    assert_eq!(closed.wakes(), 1);
    assert!(closed.poll().is_ready() && setter.is_closed());
    drop(closed);
    let again = setter.promise();
    assert!(!setter.is_closed());
    let token = Rc::new(());
    setter.set(token.clone());
    drop(again);
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn callbacks_are_called_once_in_order_after_the_wakers() {
    let (setter, promised) = promise();
    let calls = Arc::new(Mutex::new(vec![]));
    let mut waiting = Task::new(promised.clone());
    assert!(waiting.poll().is_pending());
    for n in 0..3 {
        let calls = calls.clone();
        promised.on_done(move |outcome| calls.lock().unwrap().push((n, outcome.copied())));
    }
    assert!(calls.lock().unwrap().is_empty());
    setter.set(5);
    assert_eq!(*calls.lock().unwrap(), [(0, Ok(5)), (1, Ok(5)), (2, Ok(5))]);
    let late = calls.clone();
    promised.on_done(move |outcome| late.lock().unwrap().push((3, outcome.copied())));
    assert_eq!(calls.lock().unwrap().len(), 4);
    assert_eq!(waiting.wakes(), 1);
}

#[test]
fn callbacks_hear_of_a_dropped_setter_and_outlive_the_promises() {
    let (setter, promised) = promise::<u8>();
    let heard = Arc::new(Mutex::new(0));
    let theirs = heard.clone();
    promised.on_done(move |outcome| *theirs.lock().unwrap() += u32::from(outcome.is_err()));
    drop(promised);
    drop(setter);
    assert_eq!(*heard.lock().unwrap(), 1);
}

#[test]
fn a_callback_may_come_back_into_the_promise() {
    let (setter, promised) = promise();
    let (inside, seen) = (promised.clone(), Arc::new(Mutex::new(None)));
    let theirs = seen.clone();
    promised.on_done(move |_| {
        let theirs = theirs.clone();
        inside.on_done(move |outcome| *theirs.lock().unwrap() = outcome.copied().ok());
    });
    setter.set(3);
    assert_eq!(*seen.lock().unwrap(), Some(3));
}

#[test]
fn a_callback_that_panics_keeps_no_other_from_being_called() {
    let (setter, promised) = promise();
    let heard = Arc::new(Mutex::new(false));
    let theirs = heard.clone();
    promised.on_done(|_| panic!("planted"));
    promised.on_done(move |_| *theirs.lock().unwrap() = true);
    assert!(catch_unwind(AssertUnwindSafe(|| setter.set(1))).is_err());
    assert!(*heard.lock().unwrap());
    assert_eq!(promised.get(), Some(Ok(&1)));
}

#[test]
fn a_promise_that_is_cloned_while_it_waits_waits_for_itself() {
    let (setter, promised) = promise();
    let mut first = Task::new(promised);
    assert!(first.poll().is_pending());
    let mut second = Task::new(first.future().as_ref().get_ref().clone());
    assert!(second.poll().is_pending());
    drop(first);
    setter.set(1);
    assert_eq!((second.wakes(), second.poll()), (1, Poll::Ready(Ok(1))));
}

#[test]
fn threads_all_see_the_value() {
    for _ in 0..200 {
        let (setter, promised) = promise();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let promised: Promise<Box<u32>> = promised.clone();
                thread::spawn("waits".into(), move || block_on(promised)).unwrap()
            })
            .collect();
        drop(promised);
        setter.set(Box::new(9));
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Ok(Box::new(9))));
    }
}

#[test]
fn a_shared_future_is_polled_by_whoever_waits() {
    let (answer, answered) = oneshot::channel::<u8>();
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let mut inner = Box::pin(answered);
    let first = shared(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        inner.as_mut().poll(cx)
    }));
    let (mut a, mut b) = (Task::new(first.clone()), Task::new(first.clone()));
    assert!(a.poll().is_pending() && b.poll().is_pending());
    assert!(answer.send(4).is_ok());
    assert_eq!((a.wakes(), b.wakes()), (1, 1));
    assert_eq!(b.poll(), Poll::Ready(Ok(4)));
    let polled = polls.get();
    assert_eq!((a.poll(), polls.get()), (Poll::Ready(Ok(4)), polled));
    assert_eq!(first.peek(), Some(&Ok(4)));
}

#[test]
fn one_that_is_kept_and_never_polled_again_holds_nobody_up() {
    let (answer, answered) = oneshot::channel::<u8>();
    let future = shared(answered);
    let (mut kept, mut other) = (Task::new(future.clone()), Task::new(future));
    assert!(kept.poll().is_pending() && other.poll().is_pending());
    assert!(answer.send(1).is_ok());
    assert_eq!(other.poll(), Poll::Ready(Ok(1)));
    drop(kept);
}

#[test]
fn a_shared_future_whose_poller_is_dropped_goes_on() {
    let event = Arc::new(Event::new());
    let theirs = event.clone();
    let future = shared(async move {
        theirs.wait().await;
        7
    });
    let (mut first, mut second) = (Task::new(future.clone()), Task::new(future));
    assert!(first.poll().is_pending());
    assert!(second.poll().is_pending());
    drop(first);
    event.set();
    assert_eq!((second.wakes(), second.poll()), (1, Poll::Ready(7)));
}

#[test]
fn a_shared_future_that_wakes_itself_lets_its_task_yield() {
    let mut left = 3;
    let future = shared(poll_fn(move |cx| {
        left -= 1;
        if left == 0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
    let mut task = Task::new(future);
    assert!(task.poll().is_pending() && task.wakes() == 1);
    assert!(task.poll().is_pending() && task.wakes() == 2);
    assert!(task.poll().is_ready());
}

#[test]
fn a_shared_future_is_dropped_when_it_is_done_or_nobody_is_left() {
    let token = Rc::new(());
    let held = token.clone();
    let done = shared(async move { drop(held) });
    block_on(done.clone());
    assert_eq!(Rc::strong_count(&token), 1);
    let held = token.clone();
    let (_answer, answered) = oneshot::channel::<()>();
    let never = shared(async move {
        let _held = held;
        answered.await
    });
    let mut task = Task::new(never.clone());
    assert!(task.poll().is_pending());
    drop(never);
    assert_eq!(Rc::strong_count(&token), 2);
    drop(task);
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn who_awaits_a_shared_future_that_panicked_panics_too() {
    let future = shared(async { panic!("planted") });
    let (mut first, mut second) = (Task::new(future.clone()), Task::new(future));
    assert!(catch_unwind(AssertUnwindSafe(|| first.poll().map(|()| ()))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| second.poll().map(|()| ()))).is_err());
}

#[test]
fn threads_share_a_future() {
    for _ in 0..200 {
        let (answer, answered) = oneshot::channel::<u32>();
        let future = shared(answered);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let future = future.clone();
                thread::spawn("waits".into(), move || block_on(future)).unwrap()
            })
            .collect();
        drop(future);
        assert!(answer.send(5).is_ok());
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Ok(5)));
    }
}

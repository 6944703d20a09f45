//! Scopes (L10): a region hears of its cancellation whenever that comes, the first cause stays, and a cancelled region that waits
//! for a live one inside is polled when that is gone, wherever it went.
#![cfg(weftwork_loom)]
#![allow(
    clippy::disallowed_types,
    reason = "std's Wake asks for std's Arc; what it orders is ordered by a modelled flag"
)]

use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use weftwork::JoinError;
use weftwork::doors::{Probe, Tasks};
use weftwork::scope::{CancelScope, cancellable, current_scope, shield};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared, thread};

type Started = Shared<Mutex<Option<thread::JoinHandle<()>>>>;

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn unbounded(name: &'static str, model: impl Fn() + Send + Sync + 'static) {
    check(name, Bound::Unbounded, Bound::Unbounded, model);
}

fn poll<F: Future>(future: &mut Pin<Box<F>>, probe: &Probe) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(&probe.waker()))
}

fn message(cause: &weftwork::task::CancelCause) -> &str {
    cause.message.as_deref().unwrap()
}

/// Polls what is inside only when the waker that it gave it was called, as combinators of many futures do.
struct Fussy<F> {
    inside: Pin<Box<F>>,
    called: Option<Arc<Called>>,
}

struct Called {
    flag: AtomicBool,
    outer: Waker,
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.flag.swap(true, Ordering::AcqRel);
        self.outer.wake_by_ref();
    }
}

impl<F: Future> Fussy<F> {
    fn new(inside: F) -> Self {
        Self { inside: Box::pin(inside), called: None }
    }
}

impl<F: Future> Future for Fussy<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let first = || Arc::new(Called { flag: AtomicBool::new(true), outer: cx.waker().clone() });
        let called = self.called.get_or_insert_with(first).clone();
        if !called.flag.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let waker = Waker::from(called);
        self.inside.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[test]
fn a_cancel_against_a_poll_that_is_about_to_wait() {
    unbounded("scopes/cancel_against_poll", || {
        let (scope, probe) = (CancelScope::new(), Probe::new());
        let theirs = scope.clone();
        let mut run = Box::pin(scope.run(pending::<()>()));
        let other = spawn(move || assert!(theirs.cancel()));
        let mut ended = poll(&mut run, &probe);
        other.join().unwrap();
        if ended.is_pending() {
            assert!(probe.wakes() > 0, "nobody polls it again");
            ended = poll(&mut run, &probe);
        }
        assert!(matches!(ended, Poll::Ready(Err(_))));
        drop((run, scope));
        assert_eq!(probe.held(), 0);
    });
}

#[test]
fn a_cancel_against_a_poll_with_another_waker() {
    unbounded("scopes/cancel_against_other_waker", || {
        let (scope, first, second) = (CancelScope::new(), Probe::new(), Probe::new());
        let theirs = scope.clone();
        let mut run = Box::pin(scope.run(pending::<()>()));
        assert!(poll(&mut run, &first).is_pending());
        let other = spawn(move || assert!(theirs.cancel()));
        let mut ended = poll(&mut run, &second);
        other.join().unwrap();
        if ended.is_pending() {
            assert!(second.wakes() > 0, "the newest waker is called");
            ended = poll(&mut run, &second);
        }
        assert!(matches!(ended, Poll::Ready(Err(_))));
        drop((run, scope));
        assert_eq!((first.held(), second.held()), (0, 0));
    });
}

#[test]
fn a_cancel_of_a_task_against_a_pad_that_enters() {
    check("scopes/task_cancel_against_entering", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let tasks = Tasks::new();
        let polls = Shared::new(Counter::new(0));
        let begun = polls.clone();
        let mut handle = tasks.spawn(async move {
            begun.add(1);
            Fussy::new(cancellable(pending::<()>())).await.is_err()
        });
        let (canceller, theirs) = (Shared::new(Mutex::new(None)), tasks.clone());
        // The handle goes to the other thread and comes back.
        let place = canceller.clone();
        let other = spawn(move || {
            assert!(handle.cancel());
            *place.lock() = Some(handle);
        });
        // Without a runtime there is no grace: a third poll that begins cancelled might give up a pad whose waker is just being called.
        theirs.run_one();
        theirs.run_one();
        other.join().unwrap();
        theirs.run_all();
        handle = canceller.lock().take().unwrap();
        match handle.try_take().expect("the task has ended") {
            Ok(caught) => assert!(caught),
            Err(JoinError::Cancelled(_)) => assert_eq!(polls.get(), 0, "the pad has not heard"),
            Err(error) => panic!("{error}"),
        }
    });
}

#[test]
fn a_cancel_of_a_scope_against_a_pad_that_enters_deep_inside() {
    check("scopes/cancel_against_entering_deep", Bound::Preemptions(3), Bound::Preemptions(4), || {
        let (scope, probe) = (CancelScope::new(), Probe::new());
        let theirs = scope.clone();
        let inside = async { Fussy::new(cancellable(pending::<()>())).await.is_err() };
        let mut run = Box::pin(scope.run(Fussy::new(CancelScope::new().run(inside))));
        let other = spawn(move || assert!(theirs.cancel()));
        let mut ended = poll(&mut run, &probe);
        other.join().unwrap();
        let mut wakes = 0;
        while ended.is_pending() {
            assert!(probe.wakes() > wakes, "nobody polls it again");
            wakes = probe.wakes();
            ended = poll(&mut run, &probe);
        }
        // The pad caught it and gave a value, which wins.
        assert!(matches!(ended, Poll::Ready(Ok(Ok(true)))), "{ended:?}");
    });
}

#[test]
fn a_soft_cancel_against_a_shield_that_enters() {
    check("scopes/soft_cancel_against_shield", Bound::Preemptions(3), Bound::Preemptions(4), || {
        let (scope, probe) = (CancelScope::new(), Probe::new());
        let theirs = scope.clone();
        let mut run = Box::pin(scope.run(Fussy::new(shield(pending::<()>()))));
        let other = spawn(move || assert!(theirs.cancel_soft(Duration::ZERO)));
        let mut ended = poll(&mut run, &probe);
        other.join().unwrap();
        let mut wakes = 0;
        while ended.is_pending() {
            assert!(probe.wakes() > wakes, "nobody polls it again");
            wakes = probe.wakes();
            ended = poll(&mut run, &probe);
        }
        assert!(matches!(ended, Poll::Ready(Err(_))));
        drop((run, scope));
        assert_eq!(probe.held(), 0);
    });
}

#[test]
fn a_soft_cancel_of_what_is_cancelled_against_a_poll_that_waits_for_a_shield() {
    check("scopes/softened_against_poll", Bound::Preemptions(3), Bound::Preemptions(4), || {
        let (scope, probe) = (CancelScope::new(), Probe::new());
        let theirs = scope.clone();
        let mut run = Box::pin(scope.run(Fussy::new(shield(pending::<()>()))));
        assert!(poll(&mut run, &probe).is_pending());
        assert!(scope.cancel());
        let mut wakes = probe.wakes();
        let other = spawn(move || assert!(!theirs.cancel_soft(Duration::ZERO)));
        let mut ended = poll(&mut run, &probe);
        other.join().unwrap();
        while ended.is_pending() {
            assert!(probe.wakes() > wakes, "nobody polls it again");
            wakes = probe.wakes();
            ended = poll(&mut run, &probe);
        }
        assert!(matches!(ended, Poll::Ready(Err(_))));
    });
}

#[test]
fn two_cancels_of_a_scope() {
    unbounded("scopes/two_cancels", || {
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let other = spawn(move || theirs.cancel_with("theirs"));
        let mine = scope.cancel_with("mine");
        let cause = scope.cancel_cause().expect("it is cancelled");
        let their = other.join().unwrap();
        assert!(mine != their);
        assert_eq!(message(&cause), if mine { "mine" } else { "theirs" });
    });
}

#[test]
fn two_cancels_of_a_task_by_its_handle_and_by_its_scope() {
    unbounded("scopes/two_cancels_of_a_task", || {
        let tasks = Tasks::new();
        let place = Shared::new(Mutex::new(None));
        let give = place.clone();
        let mut handle = tasks.spawn(async move {
            *give.lock() = Some(current_scope());
            pending::<()>().await;
        });
        tasks.run_all();
        let scope = place.lock().take().unwrap();
        let other = spawn(move || scope.cancel_with("scope"));
        let mine = handle.cancel_with("handle");
        let their = other.join().unwrap();
        tasks.run_all();
        assert!(mine != their);
        let error = handle.try_take().expect("the task has ended").unwrap_err();
        assert_eq!(message(error.cancel_cause().unwrap()), if mine { "handle" } else { "scope" });
    });
}

/// A future that, cancelled, polls a shield and has another thread do something with it.
fn gives_away<F: Future<Output = ()> + 'static>(
    started: Started,
    inside: F,
    then: impl FnOnce(Pin<Box<weftwork::scope::Shield<F>>>) + 'static,
) -> impl Future<Output = ()> {
    let mut parts = Some((inside, then));
    poll_fn(move |cx| {
        if let Some((inside, then)) = parts.take() {
            let mut shielded = Box::pin(shield(inside));
            assert!(shielded.as_mut().poll(cx).is_pending());
            *started.lock() = Some(spawn(move || then(shielded)));
        }
        Poll::Pending
    })
}

#[test]
fn a_live_region_dropped_elsewhere_while_its_scope_decides_to_wait() {
    unbounded("scopes/dropped_elsewhere", || {
        let (scope, probe, started) = (CancelScope::new(), Probe::new(), Started::new(Mutex::new(None)));
        assert!(scope.cancel());
        let mut run = Box::pin(scope.run(gives_away(started.clone(), pending(), drop)));
        let mut ended = poll(&mut run, &probe);
        started.lock().take().unwrap().join().unwrap();
        if ended.is_pending() {
            assert!(probe.wakes() > 0, "nobody polls it again");
            ended = poll(&mut run, &probe);
        }
        assert!(matches!(ended, Poll::Ready(Err(_))));
        drop((run, scope));
        assert_eq!(probe.held(), 0);
    });
}

#[test]
fn a_live_region_that_ends_in_another_task_while_its_own_decides_to_wait() {
    unbounded("scopes/ends_elsewhere", || {
        let (tasks, started) = (Tasks::new(), Started::new(Mutex::new(None)));
        let theirs = started.clone();
        let mut first = true;
        let inside = poll_fn(move |_| if core::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) });
        let mut handle = tasks.spawn(async move {
            let _ = cancellable(pending::<()>()).await;
            gives_away(theirs, inside, |mut shielded| {
                assert!(poll(&mut shielded, &Probe::new()).is_ready());
            })
            .await;
        });
        tasks.run_all();
        assert!(handle.cancel());
        tasks.run_all();
        started.lock().take().unwrap().join().unwrap();
        tasks.run_all();
        let ended = handle.try_take().expect("somebody polled it again");
        assert!(ended.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_cancel_and_a_moved_deadline_against_the_end_of_the_scope() {
    unbounded("scopes/cancel_against_drop", || {
        let (scope, probe) = (CancelScope::new(), Probe::new());
        let theirs = scope.clone();
        let mut run = Box::pin(scope.run(cancellable(pending::<()>())));
        assert!(poll(&mut run, &probe).is_pending());
        let other = spawn(move || {
            theirs.set_deadline(None);
            assert_eq!(theirs.cancel(), theirs.cancel_called(), "an ended scope is not cancelled");
        });
        drop(run);
        other.join().unwrap();
        assert!(!scope.cancelled_caught());
        assert_eq!(probe.held(), 0);
    });
}

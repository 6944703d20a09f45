//! The join handle (L4): completion against polling, dropping and cancelling, and against shutdown. The output is dropped
//! once, the waker is called once and freed, the cell is freed (loom reports one that is not).
#![cfg(weftwork_loom)]

use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use weftwork::doors::{Probe, Tasks};
use weftwork::{JoinError, JoinHandle};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// An output that counts its drops, and whose reading and dropping loom watches.
struct Canary {
    drops: Shared<Counter>,
    cell: UnsafeCell<u32>,
}
// SAFETY: whoever has the outcome has it alone; loom checks that it does.
unsafe impl Send for Canary {}

impl Canary {
    fn read(&self) -> u32 {
        // SAFETY: as above.
        self.cell.with(|p| unsafe { *p })
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        // SAFETY: as above.
        self.cell.with_mut(|p| unsafe { *p = 0 });
        self.drops.add(1);
    }
}

fn output(drops: &Shared<Counter>) -> impl Future<Output = Canary> + use<> {
    let drops = drops.clone();
    async move { Canary { drops, cell: UnsafeCell::new(7) } }
}

/// Both ways of a task off its list: on the worker that owns it, before it completes, and handed back from another one.
fn check_both(name: &'static str, quick: Bound, full: Bound, model: fn(Tasks)) {
    check(name, quick, full, move || model(Tasks::new()));
    check(format!("{name}_handed_back").leak(), quick, full, move || model(Tasks::handed_back()));
}

fn counter() -> Shared<Counter> {
    Shared::new(Counter::new(0))
}

fn poll(handle: &mut JoinHandle<Canary>, probe: &Probe) -> Option<Result<Canary, JoinError>> {
    match Pin::new(handle).poll(&mut Context::from_waker(&probe.waker())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

#[test]
fn completion_against_polling() {
    check_both("join/complete_poll", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let (drops, probe) = (counter(), Probe::new());
        let (task, mut handle) = tasks.ready(output(&drops));
        let other = spawn(move || task.run());
        let outcome = poll(&mut handle, &probe);
        let waited = outcome.is_none();
        other.join().unwrap();
        assert_eq!(probe.wakes(), u64::from(waited), "called once if it waited");
        let outcome = outcome.or_else(|| poll(&mut handle, &probe)).unwrap();
        assert_eq!(outcome.unwrap().read(), 7);
        assert_eq!(drops.get(), 1);
        drop(handle);
        assert_eq!(probe.held(), 0);
    });
}

#[test]
fn completion_against_polling_twice_with_two_wakers() {
    check_both("join/complete_poll_poll", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let (drops, first, second) = (counter(), Probe::new(), Probe::new());
        let (task, mut handle) = tasks.ready(output(&drops));
        let other = spawn(move || task.run());
        let mut outcome = poll(&mut handle, &first);
        let mut waited = false;
        if outcome.is_none() {
            outcome = poll(&mut handle, &second);
            waited = outcome.is_none();
        }
        other.join().unwrap();
        if waited {
            assert_eq!((first.wakes(), second.wakes()), (0, 1), "the newest waker is called, once");
        }
        assert!(first.wakes() + second.wakes() <= 1);
        let outcome = outcome.or_else(|| poll(&mut handle, &second)).unwrap();
        assert_eq!(outcome.unwrap().read(), 7);
        drop(handle);
        assert_eq!((drops.get(), first.held(), second.held()), (1, 0, 0));
    });
}

#[test]
fn completion_against_dropping() {
    check_both("join/complete_drop", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let drops = counter();
        let (task, handle) = tasks.ready(output(&drops));
        let other = spawn(move || task.run());
        drop(handle);
        other.join().unwrap();
        assert_eq!((drops.get(), tasks.released()), (1, 1));
    });
}

#[test]
fn completion_against_polling_and_dropping() {
    check_both("join/complete_poll_drop", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let (drops, probe) = (counter(), Probe::new());
        let (task, mut handle) = tasks.ready(output(&drops));
        let other = spawn(move || task.run());
        let outcome = poll(&mut handle, &probe);
        drop(handle);
        drop(outcome);
        other.join().unwrap();
        assert_eq!((drops.get(), probe.held()), (1, 0));
        assert!(probe.wakes() <= 1);
    });
}

#[test]
fn completion_against_looking() {
    check_both("join/complete_try_take", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let drops = counter();
        let (task, mut handle) = tasks.ready(output(&drops));
        let other = spawn(move || task.run());
        if handle.is_finished() {
            assert_eq!(handle.try_take().unwrap().unwrap().read(), 7);
        }
        drop(handle);
        other.join().unwrap();
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn completion_against_cancelling_and_polling() {
    check_both("join/complete_cancel_poll", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let (drops, probe) = (counter(), Probe::new());
        let (task, mut handle) = tasks.ready(output(&drops));
        let other = spawn(move || task.run());
        let cancelled = handle.cancel();
        let outcome = poll(&mut handle, &probe);
        other.join().unwrap();
        match outcome.or_else(|| poll(&mut handle, &probe)).unwrap() {
            Ok(value) => assert_eq!(value.read(), 7),
            Err(error) => assert!(cancelled && error.is_cancelled()),
        }
        assert!(tasks.next().is_none(), "no second right to poll");
        assert!(drops.get() <= 1 && probe.wakes() <= 1);
    });
}

#[test]
fn cancelling_against_cancelling_and_a_poll() {
    check_both("join/cancel_cancel_poll", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let drops = counter();
        let counted = drops.clone();
        let handle = Shared::new(tasks.spawn(async move {
            let _canary = Canary { drops: counted, cell: UnsafeCell::new(7) };
            pending::<()>().await;
        }));
        tasks.run_one();
        let (theirs, polls) = (handle.clone(), tasks.clone());
        let other = spawn(move || {
            let won = theirs.cancel();
            polls.run_one();
            won
        });
        let won = handle.cancel_with("here");
        tasks.run_one();
        assert!(won != other.join().unwrap(), "one of two cancels");
        tasks.run_all();
        assert!(handle.is_finished() && handle.cancel_cause().is_some());
        assert_eq!((drops.get(), tasks.released()), (1, 1));
    });
}

#[test]
fn cancelling_against_a_wake_and_a_poll() {
    check_both("join/cancel_wake_poll", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let drops = counter();
        let counted = drops.clone();
        let (given, taken) = weftwork_sync::oneshot::channel::<()>();
        let mut handle = tasks.spawn(async move {
            let canary = Canary { drops: counted, cell: UnsafeCell::new(7) };
            let _ = taken.await;
            canary
        });
        tasks.run_one();
        let polls = tasks.clone();
        let other = spawn(move || {
            drop(given);
            polls.run_one();
        });
        handle.cancel();
        tasks.run_one();
        other.join().unwrap();
        tasks.run_all();
        drop(handle.try_take().unwrap());
        assert_eq!((drops.get(), tasks.released()), (1, 1));
    });
}

/// A task that polls once or, if it yields, twice before it waits, and a cancel that comes with a value meanwhile: whether the
/// poll, its end, the next poll or nobody finds it, the last poll sees the value, and the value wins.
fn cancel_that_publishes(tasks: &Tasks, yields: bool) {
    let (flag, polls) = (Shared::new(AtomicBool::new(false)), counter());
    let (seen, polled) = (flag.clone(), polls.clone());
    let (task, mut handle) = tasks.ready(poll_fn(move |cx| {
        polled.add(1);
        if seen.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if yields && polled.get() == 1 {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }));
    let again = tasks.clone();
    let other = spawn(move || {
        task.run();
        if yields {
            again.run_one();
        }
    });
    flag.store(true, Ordering::Relaxed);
    assert!(handle.cancel() || handle.is_finished());
    other.join().unwrap();
    tasks.run_all();
    assert_eq!(handle.try_take().unwrap().is_ok(), polls.get() > 0, "a value that is ready wins");
}

#[test]
fn a_task_that_is_cancelled_before_its_first_poll_never_runs() {
    check_both("join/cancel_first", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let polls = counter();
        let polled = polls.clone();
        let (task, mut handle) = tasks.ready(async move { polled.add(1) });
        assert!(handle.cancel());
        let other = spawn(move || task.run());
        drop(handle.try_take());
        other.join().unwrap();
        assert_eq!((polls.get(), handle.is_finished()), (0, true));
    });
}

#[test]
fn a_cancel_publishes_what_came_before_it() {
    check_both("join/cancel_publishes", Bound::Unbounded, Bound::Unbounded, |tasks| {
        cancel_that_publishes(&tasks, false);
    });
}

#[test]
fn a_cancel_between_two_polls_publishes_what_came_before_it() {
    check_both("join/cancel_yield_publishes", Bound::Unbounded, Bound::Unbounded, |tasks| {
        cancel_that_publishes(&tasks, true);
    });
}

#[test]
fn shutdown_against_a_wake_and_a_handle() {
    check_both("join/finish_wake_drop", Bound::Preemptions(2), Bound::Preemptions(4), |tasks| {
        let drops = counter();
        let counted = drops.clone();
        let (given, taken) = weftwork_sync::oneshot::channel::<()>();
        let (listed, handle) = tasks.listed(async move {
            let canary = Canary { drops: counted, cell: UnsafeCell::new(7) };
            let _ = taken.await;
            canary
        });
        tasks.run_one();
        let waking = spawn(move || drop(given));
        let finishing = spawn(move || listed.finish());
        drop(handle);
        waking.join().unwrap();
        let held = finishing.join().unwrap();
        assert_eq!(tasks.run_one(), held, "a Runnable is left exactly where shutdown found one");
        assert_eq!((drops.get(), tasks.released()), (1, 1));
    });
}

#[test]
fn shutdown_against_a_poll() {
    check_both("join/finish_poll", Bound::Unbounded, Bound::Unbounded, |tasks| {
        let (drops, probe) = (counter(), Probe::new());
        let counted = drops.clone();
        let (listed, mut handle) = tasks.listed(async move {
            let canary = Canary { drops: counted, cell: UnsafeCell::new(7) };
            pending::<()>().await;
            canary
        });
        assert!(poll(&mut handle, &probe).is_none());
        let polls = tasks.clone();
        let other = spawn(move || _ = polls.run_one());
        let _ = listed.finish();
        other.join().unwrap();
        tasks.run_all();
        assert!(poll(&mut handle, &probe).unwrap().is_err_and(|error| error.is_cancelled()));
        assert!(drops.get() <= 1, "a future that was never polled holds no canary");
        assert_eq!((probe.wakes(), tasks.released()), (1, 1));
    });
}

//! The state word of a task, through real cells (L2): a woken task is polled and sees what was written before the wake, one
//! thread at a time is inside it, and what goes wrong in a poll neither hides from the search nor leaves the task.
#![cfg(weftwork_loom)]

use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};
use weftwork::doors::Tasks;
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::{Mutex, Shared, UnsafeCell, planted, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// What a task waits for: flags that nothing but its wake-ups publishes.
struct Signals {
    flags: [AtomicBool; 2],
    waker: Mutex<Option<Waker>>,
}

impl Signals {
    fn new() -> Shared<Self> {
        Shared::new(Self { flags: [AtomicBool::new(false), AtomicBool::new(false)], waker: Mutex::new(None) })
    }

    /// Sets a flag with no ordering of its own.
    fn raise(&self, flag: usize) {
        self.flags[flag].store(true, Ordering::Relaxed);
    }

    fn waker(&self) -> Waker {
        self.waker.lock().clone().unwrap()
    }
}

/// Ready once the first `count` flags are seen. Its first poll leaves its waker.
fn all_of(signals: &Shared<Signals>, count: usize) -> impl Future<Output = ()> + use<> {
    let signals = signals.clone();
    let mut begun = false;
    poll_fn(move |cx| {
        if !begun {
            begun = true;
            *signals.waker.lock() = Some(cx.waker().clone());
        }
        if signals.flags[..count].iter().all(|flag| flag.load(Ordering::Relaxed)) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
}

#[test]
fn a_woken_task_is_polled_and_sees_what_was_written() {
    check("task/wake_against_poll", Bound::Unbounded, Bound::Unbounded, || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let mut handle = tasks.spawn(all_of(&signals, 1));
        tasks.run_one();
        let (theirs, waker) = (signals.clone(), signals.waker());
        let other = spawn(move || {
            theirs.raise(0);
            waker.wake();
        });
        tasks.run_one();
        other.join().unwrap();
        tasks.run_all();
        assert!(handle.try_take().is_some(), "the wake-up was lost");
        drop(signals.waker.lock().take());
    });
}

#[test]
fn a_wake_up_is_answered_once() {
    check("task/wake_answered_once", Bound::Unbounded, Bound::Unbounded, || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let handle = tasks.spawn(all_of(&signals, 1));
        tasks.run_one();
        let waker = signals.waker.lock().take().unwrap();
        let other = spawn(move || waker.wake());
        tasks.run_one();
        other.join().unwrap();
        // The first answers it, unless it was answered above.
        tasks.run_one();
        assert!(!tasks.run_one(), "it waits, and nobody polls it");
        handle.cancel();
        tasks.run_all();
        assert_eq!(tasks.released(), 1);
    });
}

#[test]
fn tokio_7622_a_wake_of_a_scheduled_task_publishes_too() {
    check("task/tokio_7622", Bound::Unbounded, Bound::Unbounded, || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let mut handle = tasks.spawn(all_of(&signals, 2));
        tasks.run_one();
        signals.raise(0);
        signals.waker().wake_by_ref();
        let (theirs, waker) = (signals.clone(), signals.waker());
        let other = spawn(move || {
            theirs.raise(1);
            waker.wake_by_ref();
        });
        tasks.run_one();
        other.join().unwrap();
        tasks.run_all();
        assert!(handle.try_take().is_some(), "the wake-up was lost");
        drop(signals.waker.lock().take());
    });
}

#[test]
fn two_wakers_and_a_poll() {
    check("task/two_wakers_and_a_poll", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let mut handle = tasks.spawn(all_of(&signals, 2));
        tasks.run_one();
        let by_value = (signals.clone(), signals.waker());
        let by_ref = (signals.clone(), signals.waker());
        let first = spawn(move || {
            by_value.0.raise(0);
            by_value.1.wake();
        });
        let second = spawn(move || {
            by_ref.0.raise(1);
            by_ref.1.wake_by_ref();
        });
        tasks.run_one();
        first.join().unwrap();
        second.join().unwrap();
        tasks.run_all();
        assert!(handle.try_take().is_some(), "a wake-up was lost");
        drop(signals.waker.lock().take());
    });
}

#[test]
fn the_future_goes_from_poll_to_poll_in_order() {
    // The stage of the cell is watched: a poll that is not ordered after the last one fails the model.
    check("task/two_pollers", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let mut handle = tasks.spawn(all_of(&signals, 2));
        tasks.run_one();
        let (theirs, waker, polls) = (signals.clone(), signals.waker(), tasks.clone());
        let other = spawn(move || {
            theirs.raise(0);
            waker.wake_by_ref();
            polls.run_one();
        });
        let third = (signals.clone(), signals.waker());
        let waking = spawn(move || {
            third.0.raise(1);
            third.1.wake();
        });
        tasks.run_one();
        other.join().unwrap();
        waking.join().unwrap();
        tasks.run_all();
        assert!(handle.try_take().is_some(), "a wake-up was lost");
        assert_eq!(tasks.released(), 1);
        drop(signals.waker.lock().take());
    });
}

#[test]
fn a_task_that_wakes_itself_is_woken_by_others_meanwhile() {
    check("task/self_wake_against_wake", Bound::Unbounded, Bound::Unbounded, || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let seen = signals.clone();
        let mut polls = 0;
        let mut handle = tasks.spawn(poll_fn(move |cx| {
            polls += 1;
            if polls == 1 {
                *seen.waker.lock() = Some(cx.waker().clone());
            } else if polls == 2 {
                cx.waker().wake_by_ref();
            }
            if polls > 2 && seen.flags[0].load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        }));
        tasks.run_one();
        signals.waker().wake_by_ref();
        let (theirs, waker) = (signals.clone(), signals.waker());
        let other = spawn(move || {
            theirs.raise(0);
            waker.wake();
        });
        tasks.run_one();
        tasks.run_one();
        other.join().unwrap();
        tasks.run_all();
        assert!(handle.try_take().is_some(), "a wake-up was lost");
        drop(signals.waker.lock().take());
    });
}

#[test]
fn a_waker_outlives_its_task_and_is_dropped_anywhere() {
    check("task/last_waker", Bound::Unbounded, Bound::Unbounded, || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        drop(tasks.spawn(all_of(&signals, 1)));
        tasks.run_one();
        let (here, there) = (signals.waker(), signals.waker.lock().take().unwrap());
        signals.raise(0);
        let other = spawn(move || there.wake());
        here.wake_by_ref();
        drop(here);
        tasks.run_all();
        other.join().unwrap();
        tasks.run_all();
        assert_eq!(tasks.released(), 1);
        assert_eq!(tasks.unhandled(), 0);
    });
}

struct Racy(UnsafeCell<u32>);
// SAFETY: none: that is what the model has to find.
unsafe impl Sync for Racy {}
// SAFETY: as above.
unsafe impl Send for Racy {}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_race_planted_inside_two_tasks_fails_the_model() {
    check("task/planted_race", Bound::Unbounded, Bound::Unbounded, || {
        let tasks = Tasks::new();
        let shared = Shared::new(Racy(UnsafeCell::new(0)));
        let racing = |shared: Shared<Racy>| async move {
            // SAFETY: none, see above.
            shared.0.with_mut(|p| unsafe { *p += 1 });
        };
        let (first, _first) = tasks.ready(racing(shared.clone()));
        let (second, _second) = tasks.ready(racing(shared));
        let other = spawn(move || first.run());
        second.run();
        other.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "an assertion inside a task")]
fn an_assertion_that_fails_inside_a_task_fails_the_model() {
    check("task/failed_assertion", Bound::Unbounded, Bound::Unbounded, || {
        let tasks = Tasks::new();
        let _handle = tasks.spawn(async { panic!("an assertion inside a task") });
        tasks.run_one();
    });
}

#[test]
fn a_planted_panic_stays_inside_its_task() {
    check("task/planted_panic", Bound::Unbounded, Bound::Unbounded, || {
        let (tasks, signals) = (Tasks::new(), Signals::new());
        let waits = all_of(&signals, 1);
        let mut handle = tasks.spawn(async move {
            waits.await;
            planted()
        });
        tasks.run_one();
        let (theirs, waker) = (signals.clone(), signals.waker());
        let other = spawn(move || {
            theirs.raise(0);
            waker.wake();
        });
        tasks.run_one();
        other.join().unwrap();
        tasks.run_all();
        let Some(outcome) = handle.try_take() else { panic!("the wake-up was lost") };
        let ended: Result<(), _> = outcome;
        assert!(ended.unwrap_err().is_panic());
        drop(signals.waker.lock().take());
    });
}

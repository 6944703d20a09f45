//! The condition variable (part of L9): a notification that follows a change made under the mutex is not missed, one that was
//! told and is dropped tells the next, and the mutex is given back, in whichever state a wait is dropped.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, thread};
use weftwork_sync::{Condvar, Mutex, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

struct Pair {
    mutex: Mutex<u32>,
    condvar: Condvar,
}

impl Pair {
    fn new() -> Shared<Self> {
        Shared::new(Self { mutex: Mutex::new(0), condvar: Condvar::new() })
    }

    /// Waits for a unit and takes it.
    fn take(&self) {
        block_on(async {
            *self.condvar.wait_while(self.mutex.lock().await, |units| *units == 0).await -= 1;
        });
    }

    fn add(&self, units: u32) {
        block_on(async { *self.mutex.lock().await += units });
    }

    /// Begins to wait and gives up, before it is told, once it is, or while it waits for the lock. If it has the lock again the
    /// notification was its own, and it tells the next because it takes no unit.
    fn give_up(&self) {
        block_on(async {
            let mut wait = pin!(self.condvar.wait(self.mutex.lock().await));
            let mut cx = Context::from_waker(Waker::noop());
            let _ = wait.as_mut().poll(&mut cx);
            if wait.as_mut().poll(&mut cx).is_ready() {
                self.condvar.notify_one();
            }
        });
    }

    fn is_at_rest(&self) {
        assert_eq!(*self.mutex.try_lock().expect("nobody holds it"), 0);
    }
}

#[test]
fn a_notification_after_the_change_is_not_missed() {
    check("condvar/one", Bound::Preemptions(2), Bound::Unbounded, || {
        let pair = Pair::new();
        let theirs = pair.clone();
        let takes = spawn(move || theirs.take());
        pair.add(1);
        pair.condvar.notify_one();
        takes.join().unwrap();
        pair.is_at_rest();
    });
}

#[test]
fn a_notification_under_the_lock_is_not_missed() {
    check("condvar/one_under_the_lock", Bound::Preemptions(2), Bound::Preemptions(5), || {
        let pair = Pair::new();
        let theirs = pair.clone();
        let takes = spawn(move || theirs.take());
        block_on(async {
            let mut units = pair.mutex.lock().await;
            *units += 1;
            pair.condvar.notify_one();
        });
        takes.join().unwrap();
        pair.is_at_rest();
    });
}

#[test]
fn notify_all_reaches_everybody() {
    check("condvar/all", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let pair = Pair::new();
        let takers = [pair.clone(), pair.clone()].map(|theirs| spawn(move || theirs.take()));
        pair.add(2);
        pair.condvar.notify_all();
        for taker in takers {
            taker.join().unwrap();
        }
        pair.is_at_rest();
    });
}

#[test]
fn two_notifications_reach_two() {
    check("condvar/two", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let pair = Pair::new();
        let takers = [pair.clone(), pair.clone()].map(|theirs| spawn(move || theirs.take()));
        for _ in 0..2 {
            pair.add(1);
            pair.condvar.notify_one();
        }
        for taker in takers {
            taker.join().unwrap();
        }
        pair.is_at_rest();
    });
}

#[test]
fn a_waiter_dropped_in_any_state_passes_its_notification_on() {
    check("condvar/dropped_waiter_passes_on", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let pair = Pair::new();
        let (first, second) = (pair.clone(), pair.clone());
        let gives_up = spawn(move || first.give_up());
        let takes = spawn(move || second.take());
        pair.add(1);
        pair.condvar.notify_one();
        gives_up.join().unwrap();
        takes.join().unwrap();
        pair.is_at_rest();
    });
}

#[test]
fn a_waiter_dropped_while_it_waits_for_the_lock_passes_its_notification_on() {
    check("condvar/dropped_while_locking", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let pair = Pair::new();
        let mut cx = Context::from_waker(Waker::noop());
        let [mut first, second] = [(); 2].map(|()| {
            let mut wait = Box::pin(pair.condvar.wait(pair.mutex.try_lock().unwrap()));
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            wait
        });
        let theirs = pair.clone();
        let adds = spawn(move || {
            block_on(async {
                let mut units = theirs.mutex.lock().await;
                *units += 1;
                theirs.condvar.notify_one();
            });
        });
        if first.as_mut().poll(&mut cx).is_ready() {
            pair.condvar.notify_one();
        }
        drop(first);
        *block_on(second) -= 1;
        adds.join().unwrap();
        pair.is_at_rest();
    });
}

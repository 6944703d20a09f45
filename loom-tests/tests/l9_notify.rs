//! The notification (part of L9): one that was given is received by somebody or kept, `notify_waiters` reaches everybody
//! who was there before it, and what a waiter had when it was dropped goes to the next.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};
use weftwork_sync::{Notify, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn is_kept(notify: &Notify) -> bool {
    pin!(notify.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

struct Told {
    notify: Notify,
    data: UnsafeCell<u32>,
}
// SAFETY: the notification orders the accesses; loom checks that it does.
unsafe impl Sync for Told {}
// SAFETY: as above.
unsafe impl Send for Told {}

#[test]
fn a_notification_is_not_lost_and_publishes() {
    check("notify/one", Bound::Unbounded, Bound::Unbounded, || {
        let told = Shared::new(Told { notify: Notify::new(), data: UnsafeCell::new(0) });
        let theirs = told.clone();
        let other = spawn(move || {
            // SAFETY: the reader waits for the notification below.
            theirs.data.with_mut(|data| unsafe { *data = 7 });
            theirs.notify.notify_one();
        });
        block_on(told.notify.notified());
        // SAFETY: notified after the write.
        assert_eq!(told.data.with(|data| unsafe { *data }), 7);
        other.join().unwrap();
        assert!(!is_kept(&told.notify));
    });
}

#[test]
fn notify_waiters_reaches_a_future_made_before_it() {
    check("notify/waiters", Bound::Unbounded, Bound::Unbounded, || {
        let told = Shared::new(Told { notify: Notify::new(), data: UnsafeCell::new(0) });
        let notified = told.notify.notified();
        let theirs = told.clone();
        let other = spawn(move || {
            // SAFETY: the reader waits for the notification below.
            theirs.data.with_mut(|data| unsafe { *data = 7 });
            theirs.notify.notify_waiters();
        });
        block_on(notified);
        // SAFETY: notified after the write.
        assert_eq!(told.data.with(|data| unsafe { *data }), 7);
        other.join().unwrap();
    });
}

#[test]
fn two_notifications_reach_two_waiters() {
    check("notify/two", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let notify = Shared::new(Notify::new());
        // Both are in the queue before anybody is notified, so neither notification can fall together with the other.
        let (first, second) = (notify.clone(), notify.clone());
        let (mut a, mut b) = (Box::pin(notify.notified()), Box::pin(notify.notified()));
        assert!(!a.as_mut().enable() && !b.as_mut().enable());
        let others = [spawn(move || first.notify_one()), spawn(move || second.notify_one())];
        block_on(a);
        block_on(b);
        for other in others {
            other.join().unwrap();
        }
        assert!(!is_kept(&notify));
    });
}

#[test]
fn a_waiter_dropped_in_any_state_passes_the_notification_on() {
    check("notify/dropped_waiter_passes_on", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let notify = Shared::new(Notify::new());
        let (first, second) = (notify.clone(), notify.clone());
        let gives_up = spawn(move || {
            let mut waiting = pin!(first.notified());
            waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        let notifier = spawn(move || second.notify_one());
        let received = gives_up.join().unwrap();
        notifier.join().unwrap();
        assert_ne!(received, is_kept(&notify), "the notification was received or kept, and not both");
    });
}

#[test]
fn tokio_3660_notify_waiters_keeps_the_permit() {
    check("notify/tokio_3660", Bound::Unbounded, Bound::Unbounded, || {
        let notify = Shared::new(Notify::new());
        let theirs = notify.clone();
        let other = spawn(move || theirs.notify_waiters());
        notify.notify_one();
        other.join().unwrap();
        assert!(is_kept(&notify));
    });
}

#[test]
fn tokio_3652_a_swept_waiter_leaves_the_permit_alone() {
    check("notify/tokio_3652", Bound::Preemptions(2), Bound::Unbounded, || {
        let notify = Shared::new(Notify::new());
        let theirs = notify.clone();
        let mut swept = Box::pin(notify.notified());
        assert!(!swept.as_mut().enable());
        let other = spawn(move || {
            theirs.notify_waiters();
            theirs.notify_one();
        });
        drop(swept);
        other.join().unwrap();
        assert!(is_kept(&notify));
    });
}

#[test]
fn notify_one_against_notify_waiters_with_one_waiter() {
    check("notify/one_against_waiters", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let notify = Shared::new(Notify::new());
        let (first, second) = (notify.clone(), notify.clone());
        let mut waiting = Box::pin(notify.notified());
        assert!(!waiting.as_mut().enable());
        let others = [spawn(move || first.notify_one()), spawn(move || second.notify_waiters())];
        block_on(waiting);
        for other in others {
            other.join().unwrap();
        }
        let _either = is_kept(&notify);
    });
}

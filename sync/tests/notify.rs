//! The notification.
#![cfg(not(weftwork_loom))]

mod by_hand;

use by_hand::Task;
use weftwork_sync::{Notify, coop};

fn is_kept(notify: &Notify) -> bool {
    Task::new(notify.notified()).poll().is_ready()
}

#[test]
fn one_notification_is_kept_and_no_more() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    assert!(is_kept(&notify));
    assert!(!is_kept(&notify));
}

#[test]
fn waiters_are_notified_in_order() {
    let notify = Notify::new();
    let (mut first, mut second) = (Task::new(notify.notified()), Task::new(notify.notified()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    notify.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    notify.notify_one();
    assert!(first.poll().is_ready() && second.poll().is_ready());
    assert!(!is_kept(&notify));
}

#[test]
fn tokio_4618_a_dropped_waiter_passes_its_notification_on() {
    let notify = Notify::new();
    let (mut first, mut second) = (Task::new(notify.notified()), Task::new(notify.notified()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    notify.notify_one();
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second);
    assert!(is_kept(&notify));
}

#[test]
fn notify_waiters_reaches_futures_that_were_only_made() {
    let notify = Notify::new();
    let mut made = Task::new(notify.notified());
    notify.notify_waiters();
    let mut later = Task::new(notify.notified());
    assert!(made.poll().is_ready());
    assert!(later.poll().is_pending());
}

#[test]
fn notify_waiters_wakes_everybody_and_keeps_nothing() {
    let notify = Notify::new();
    let mut tasks: Vec<_> = (0..20).map(|_| Task::new(notify.notified())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    notify.notify_waiters();
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll().is_ready()));
    assert!(!is_kept(&notify));
}

#[test]
fn tokio_3652_a_swept_waiter_leaves_the_permit_alone() {
    let notify = Notify::new();
    let mut swept = Task::new(notify.notified());
    assert!(swept.poll().is_pending());
    notify.notify_waiters();
    notify.notify_one();
    drop(swept);
    assert!(is_kept(&notify));
}

#[test]
fn tokio_3660_notify_waiters_keeps_the_permit() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_waiters();
    assert!(is_kept(&notify));
}

#[test]
fn tokio_7996_a_future_covered_by_notify_waiters_takes_no_permit() {
    let notify = Notify::new();
    let mut covered = Task::new(notify.notified());
    notify.notify_waiters();
    notify.notify_one();
    assert!(covered.poll().is_ready());
    assert!(is_kept(&notify));
}

#[test]
fn an_enabled_future_is_in_the_queue() {
    let notify = Notify::new();
    let (mut first, mut second) = (Task::new(notify.notified()), Task::new(notify.notified()));
    assert!(!first.future().enable());
    assert!(second.poll().is_pending());
    notify.notify_one();
    assert_eq!(second.wakes(), 0);
    assert!(first.future().enable());
    assert!(first.poll().is_ready());
}

#[test]
fn an_enabled_future_that_is_dropped_passes_its_notification_on() {
    let notify = Notify::new();
    let mut enabled = Task::new(notify.notified());
    assert!(!enabled.future().enable());
    notify.notify_one();
    drop(enabled);
    assert!(is_kept(&notify));
}

#[test]
fn a_value_that_is_ready_wins_over_a_cancelled_region() {
    let notify = Notify::new();
    let mut waiting = Task::new(notify.notified());
    assert!(waiting.poll().is_pending());
    notify.notify_one();
    coop::within(8, true, || assert!(waiting.poll().is_ready()));
}

#[test]
fn debug_says_who_waits() {
    let notify = Notify::new();
    notify.notify_one();
    assert_eq!(format!("{notify:?}"), "Notify { kept: true, waiters: 0 }");
}

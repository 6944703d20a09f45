//! The oneshot.
#![cfg(not(weftwork_loom))]

mod by_hand;

use by_hand::Task;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::oneshot::{self, TryRecvError};
use weftwork_sync::primitive::thread;

#[test]
fn a_value_wakes_the_receiver_once() {
    let (sender, receiver) = oneshot::channel();
    let mut receiving = Task::new(receiver);
    assert!(receiving.poll().is_pending() && receiving.poll().is_pending());
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(receiving.wakes(), 1);
    assert_eq!(receiving.poll(), Poll::Ready(Ok(1)));
    assert!(matches!(receiving.poll(), Poll::Ready(Err(_))), "the value was taken");
    assert_eq!(receiving.wakers_held(), 0);
}

#[test]
fn a_dropped_sender_wakes_the_receiver() {
    let (sender, receiver) = oneshot::channel::<u8>();
    let mut receiving = Task::new(receiver);
    assert!(receiving.poll().is_pending());
    drop(sender);
    assert_eq!(receiving.wakes(), 1);
    assert!(matches!(receiving.poll(), Poll::Ready(Err(_))));
}

#[test]
fn a_value_that_nobody_takes_is_dropped_once_by_whoever_is_last() {
    let value = Rc::new(());
    let (sender, receiver) = oneshot::channel();
    assert!(sender.send(value.clone()).is_ok());
    assert_eq!(Rc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn a_value_refused_comes_back() {
    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert_eq!(sender.send(1), Err(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_value_sent_before_close_is_received() {
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(sender.send(1), Ok(()));
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn closed_is_woken_by_a_receiver_that_leaves() {
    let (mut sender, receiver) = oneshot::channel::<u8>();
    {
        let mut closed = Task::new(sender.closed());
        assert!(closed.poll().is_pending() && closed.poll_as_another().is_pending());
        drop(receiver);
        assert_eq!(closed.wakes(), 1);
        assert!(closed.poll().is_ready());
    }
    assert!(sender.is_closed());
}

#[test]
fn wakers_of_both_ends_are_dropped_with_them() {
    let (mut sender, receiver) = oneshot::channel::<u8>();
    let mut receiving = Task::new(receiver);
    assert!(receiving.poll().is_pending() && receiving.poll_as_another().is_pending());
    assert_eq!(receiving.wakers_held(), 1);
    let mut closed = Task::new(sender.closed());
    assert!(closed.poll().is_pending());
    assert_eq!(closed.wakers_held(), 1);
    drop(receiving);
    assert_eq!((closed.wakes(), closed.wakers_held()), (1, 0));
}

#[test]
fn a_thread_waits_for_a_task() {
    for _ in 0..200 {
        let (sender, receiver) = oneshot::channel();
        let other = thread::spawn("sends".into(), move || sender.send(7)).unwrap();
        assert_eq!(receiver.blocking_recv(), Ok(7));
        assert_eq!(other.join().unwrap(), Ok(()));
    }
}

#[test]
fn rustsec_2026_0005_dropping_a_polled_receiver_against_send() {
    for _ in 0..500 {
        let (sender, receiver) = oneshot::channel();
        let mut receiving = Task::new(receiver);
        assert!(receiving.poll().is_pending());
        let other = thread::spawn("sends".into(), move || drop(sender.send(Box::new(7)))).unwrap();
        drop(receiving);
        other.join().unwrap();
    }
}

#[test]
fn debug_says_how_it_stands() {
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(format!("{sender:?}"), r#"oneshot::Sender { state: "open" }"#);
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(format!("{receiver:?}"), r#"oneshot::Receiver { state: "sent" }"#);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(format!("{receiver:?}"), r#"oneshot::Receiver { state: "received" }"#);
}

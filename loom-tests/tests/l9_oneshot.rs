//! The oneshot (part of L9): a value sent is received or dropped exactly once, a waiting end is always woken, and the
//! memory is freed once, after both ends, in whichever state each of them leaves.
#![cfg(weftwork_loom)]

use core::pin::Pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::oneshot::{self, Receiver};
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// A value whose drops are counted, and whose content loom watches.
struct Watched {
    content: UnsafeCell<u32>,
    drops: Shared<AtomicUsize>,
}

impl Watched {
    fn new() -> (Self, Shared<AtomicUsize>) {
        let drops = Shared::new(AtomicUsize::new(0));
        (Self { content: UnsafeCell::new(7), drops: drops.clone() }, drops)
    }

    fn read(&self) -> u32 {
        // SAFETY: owned by the caller; loom checks it.
        self.content.with(|content| unsafe { *content })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // SAFETY: owned exclusively; loom checks it.
        self.content.with_mut(|content| unsafe { *content = 0 });
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll_once<T>(receiver: &mut Receiver<T>) -> Option<Result<T, oneshot::RecvError>> {
    match Pin::new(receiver).poll(&mut Context::from_waker(Waker::noop())) {
        core::task::Poll::Ready(found) => Some(found),
        core::task::Poll::Pending => None,
    }
}

#[test]
fn a_waiting_receiver_gets_the_value() {
    check("oneshot/send_wakes", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, receiver) = oneshot::channel();
        let (value, drops) = Watched::new();
        let other = spawn(move || assert!(sender.send(value).is_ok()));
        assert_eq!(block_on(receiver).unwrap().read(), 7);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_dropped_sender_wakes_the_receiver() {
    check("oneshot/sender_drop_wakes", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, receiver) = oneshot::channel::<u32>();
        let other = spawn(move || drop(sender));
        assert!(block_on(receiver).is_err());
        other.join().unwrap();
    });
}

#[test]
fn a_value_sent_to_a_receiver_that_leaves_is_dropped_once() {
    check("oneshot/send_against_drop", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, receiver) = oneshot::channel();
        let (value, drops) = Watched::new();
        let other = spawn(move || drop(sender.send(value)));
        drop(receiver);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn rustsec_2026_0005_polled_then_dropped_against_send() {
    check("oneshot/poll_drop_against_send", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, mut receiver) = oneshot::channel();
        let (value, drops) = Watched::new();
        let other = spawn(move || drop(sender.send(value)));
        if let Some(found) = poll_once(&mut receiver) {
            assert_eq!(found.map(|v| v.read()), Ok(7));
        }
        drop(receiver);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn tokio_4225_close_and_try_recv_against_send() {
    check("oneshot/close_against_send", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, mut receiver) = oneshot::channel();
        let (value, drops) = Watched::new();
        let other = spawn(move || sender.send(value).is_ok());
        receiver.close();
        let received = receiver.try_recv().map(|v| v.read()).is_ok();
        let sent = other.join().unwrap();
        assert_eq!(sent, received, "after close, the value is on exactly one side");
        drop(receiver);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_receiver_that_changes_its_waker_is_woken_by_the_new_one() {
    check("oneshot/waker_replaced", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, mut receiver) = oneshot::channel();
        let other = spawn(move || sender.send(7));
        if let Some(found) = poll_once(&mut receiver) {
            assert_eq!(found, Ok(7));
        } else {
            assert_eq!(block_on(&mut receiver), Ok(7));
        }
        assert_eq!(other.join().unwrap(), Ok(()));
    });
}

#[test]
fn closed_is_woken_by_close_and_by_drop() {
    check("oneshot/closed_wakes", Bound::Unbounded, Bound::Unbounded, || {
        let (mut sender, mut receiver) = oneshot::channel::<u32>();
        let other = spawn(move || {
            receiver.close();
            drop(receiver);
        });
        block_on(sender.closed());
        assert!(sender.is_closed());
        assert_eq!(sender.send(1), Err(1));
        other.join().unwrap();
    });
}

#[test]
fn closed_given_up_against_a_receiver_that_leaves() {
    check("oneshot/closed_given_up", Bound::Unbounded, Bound::Unbounded, || {
        let (mut sender, receiver) = oneshot::channel::<u32>();
        let other = spawn(move || drop(receiver));
        let _ = Pin::new(&mut sender.closed()).poll(&mut Context::from_waker(Waker::noop()));
        drop(sender);
        other.join().unwrap();
    });
}

#[test]
fn both_ends_wait_and_both_leave() {
    check("oneshot/both_wait", Bound::Preemptions(3), Bound::Unbounded, || {
        let (mut sender, mut receiver) = oneshot::channel();
        let other = spawn(move || {
            let _ = Pin::new(&mut sender.closed()).poll(&mut Context::from_waker(Waker::noop()));
            sender.send(1).is_ok()
        });
        let received = poll_once(&mut receiver).is_some();
        receiver.close();
        let received = received || receiver.try_recv().is_ok();
        assert_eq!(other.join().unwrap(), received);
    });
}

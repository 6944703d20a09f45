//! The unbounded channel (part of L9): every value that was sent is received or dropped exactly once, blocks are freed when
//! nobody is in them, and nobody sleeps beside a value.
#![cfg(weftwork_loom)]

mod by_hand;

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::channel::{self, Receiver, Sender, TryRecvError, Unbounded};
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A value whose drops are counted, and whose content loom watches.
#[derive(Debug)]
struct Watched {
    content: UnsafeCell<u32>,
    drops: Shared<AtomicUsize>,
}

impl Watched {
    fn new(drops: &Shared<AtomicUsize>) -> Self {
        Self { content: UnsafeCell::new(7), drops: drops.clone() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // SAFETY: owned exclusively; loom checks it.
        self.content.with_mut(|content| unsafe { *content = 0 });
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// A channel whose block has room for `room` values more, and nothing in it.
fn before_the_end_of_a_block<T: Default>(room: usize) -> (Sender<T, Unbounded>, Receiver<T, Unbounded>) {
    let (sender, receiver) = channel::unbounded();
    for _ in 0..31 - room {
        assert!(sender.send(T::default()).is_ok() && receiver.try_recv().is_ok());
    }
    (sender, receiver)
}

#[test]
fn a_waiting_receiver_gets_the_value() {
    check("unbounded/send_wakes_receiver", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::unbounded();
        let other = spawn(move || sender.send(7).unwrap());
        assert_eq!(block_on(receiver.recv()), Ok(7));
        other.join().unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn two_senders_and_a_receiver() {
    check("unbounded/two_senders", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::unbounded();
        let others = [sender.clone(), sender].map(|s| spawn(move || s.send(1).unwrap()));
        let mut sum = 0;
        while let Ok(value) = block_on(receiver.recv()) {
            sum += value;
        }
        assert_eq!(sum, 2);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn crossbeam_972_two_senders_meet_at_the_end_of_a_block() {
    check("unbounded/block_ends", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = before_the_end_of_a_block::<u32>(1);
        let others = [sender.clone(), sender].map(|s| spawn(move || s.send(1).unwrap()));
        let mut sum = 0;
        while let Ok(value) = block_on(receiver.recv()) {
            sum += value;
        }
        assert_eq!(sum, 2);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn two_receivers_meet_at_the_end_of_a_block() {
    check("unbounded/two_receivers", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = before_the_end_of_a_block::<u32>(1);
        assert!(sender.send(1).is_ok() && sender.send(1).is_ok());
        let second = receiver.clone();
        let takes = spawn(move || second.try_recv());
        let mine = receiver.try_recv();
        assert_eq!((mine, takes.join().unwrap()), (Ok(1), Ok(1)));
    });
}

#[test]
fn a_receiver_at_the_heels_of_a_sender_over_the_end_of_a_block() {
    check("unbounded/at_the_heels", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = before_the_end_of_a_block::<u32>(1);
        let sends = spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        assert_eq!((block_on(receiver.recv()), block_on(receiver.recv())), (Ok(1), Ok(2)));
        assert!(block_on(receiver.recv()).is_err());
        sends.join().unwrap();
    });
}

#[test]
fn two_in_flight_wake_two_receivers() {
    // A value that is written while the one before it is not: the notification must not be used up on it (rule 3).
    check("unbounded/in_flight", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::unbounded();
        let mut a = by_hand::Task::new(async { assert_eq!(receiver.recv().await, Ok(1)) });
        let mut b = by_hand::Task::new(async { assert_eq!(receiver.recv().await, Ok(1)) });
        by_hand::run_both(&mut a, &mut b);
        // The last sender stays: its end would wake everybody.
        let others = [sender.clone(), sender.clone()].map(|s| spawn(move || s.send(1).unwrap()));
        a.run();
        b.run();
        for other in others {
            other.join().unwrap();
        }
        by_hand::run_both(&mut a, &mut b);
        assert!(a.is_done() && b.is_done());
    });
}

#[test]
fn a_receiver_dropped_in_any_state_loses_no_value_and_no_wake_up() {
    check("unbounded/dropped_recv", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::unbounded();
        let first = receiver.clone();
        let gives_up = spawn(move || poll_once(first.recv()).is_some());
        let stays = spawn(move || block_on(receiver.recv()).is_ok());
        sender.send(1).unwrap();
        let taken = gives_up.join().unwrap();
        if taken {
            sender.send(2).unwrap_or(());
        }
        assert!(stays.join().unwrap());
    });
}

#[test]
fn crossbeam_1187_the_last_receiver_leaves_against_sends() {
    check("unbounded/receiver_leaves", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let drops = Shared::new(AtomicUsize::new(0));
        let (sender, receiver) = channel::unbounded();
        let values = [Watched::new(&drops), Watched::new(&drops)];
        let mut senders = vec![];
        for value in values {
            let s = sender.clone();
            senders.push(spawn(move || drop(s.send(value))));
        }
        drop(receiver);
        for other in senders {
            other.join().unwrap();
        }
        // Dropped at once, not with the last sender: somebody may wait for what the values hold.
        assert_eq!(drops.load(Ordering::Relaxed), 2);
        drop(sender);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_value_in_flight_at_closing_is_received_or_given_back() {
    check("unbounded/close_against_send", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::unbounded();
        let sends = spawn(move || sender.send(1).is_ok());
        let second = receiver.clone();
        let receives = spawn(move || block_on(second.recv()).is_ok());
        receiver.close();
        let received = receives.join().unwrap();
        let sent = sends.join().unwrap();
        let left = receiver.try_recv().is_ok();
        assert_eq!(usize::from(sent), usize::from(received) + usize::from(left));
    });
}

#[test]
fn many_taken_at_once_and_one_by_one_are_each_taken_once() {
    check("unbounded/recv_many_against_recv", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let drops = Shared::new(AtomicUsize::new(0));
        let (sender, receiver) = channel::unbounded();
        assert!(sender.send(Watched::new(&drops)).is_ok() && sender.send(Watched::new(&drops)).is_ok());
        let second = receiver.clone();
        let takes = spawn(move || second.try_recv_many(&mut vec![], 2).unwrap_or(0));
        let mine = usize::from(receiver.try_recv().is_ok());
        let theirs = takes.join().unwrap();
        assert_eq!((mine + theirs, drops.load(Ordering::Relaxed)), (2, 2));
    });
}

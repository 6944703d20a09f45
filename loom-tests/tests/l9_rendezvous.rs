//! The channel without a buffer (part of L9): a value is with the sender, the receiver, or given back, and a wait ends when
//! the other side comes, in whichever state either is dropped.
#![cfg(weftwork_loom)]

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::channel;
use weftwork_sync::primitive::thread;

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn a_sender_and_a_receiver_meet() {
    check("rendezvous/meet", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::rendezvous();
        let other = spawn(move || assert!(block_on(sender.send(7)).is_ok()));
        assert_eq!(block_on(receiver.recv()), Ok(7));
        other.join().unwrap();
        assert!(receiver.try_recv().is_err());
    });
}

#[test]
fn two_senders_meet_one_receiver() {
    check("rendezvous/two_senders", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::rendezvous();
        let others = [sender.clone(), sender].map(|s| spawn(move || assert!(block_on(s.send(1)).is_ok())));
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
fn a_send_given_up_in_any_state_was_taken_or_comes_back() {
    check("rendezvous/send_given_up", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::rendezvous();
        let second = sender.clone();
        let gives_up = spawn(move || {
            let mut send = pin!(second.send(1));
            match poll_once(send.as_mut()) {
                Some(sent) => sent.is_err(),
                None => send.take_back().is_some(),
            }
        });
        let got = receiver.try_recv().is_ok();
        let back = gives_up.join().unwrap();
        assert!(got != back, "with one of the two");
        drop(sender);
    });
}

#[test]
fn a_receiver_dropped_in_any_state_leaves_the_value_to_another() {
    check("rendezvous/recv_given_up", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::rendezvous();
        let second = receiver.clone();
        let gives_up = spawn(move || poll_once(pin!(second.recv())).is_some());
        let sends = spawn(move || {
            assert!(block_on(sender.send(1)).is_ok());
            sender
        });
        // If the other got it, there is nothing more to come.
        let mut mine = pin!(receiver.recv());
        let got = poll_once(mine.as_mut()).is_some();
        if gives_up.join().unwrap() {
            assert!(!got);
        } else if !got {
            assert_eq!(block_on(mine), Ok(1));
        }
        drop(sends.join().unwrap());
    });
}

#[test]
fn a_try_send_is_received_by_one_of_those_who_waited() {
    check("rendezvous/try_send", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::rendezvous();
        let second = receiver.clone();
        let gives_up = spawn(move || poll_once(pin!(second.recv())).is_some());
        let sent = sender.try_send(1).is_ok();
        let theirs = gives_up.join().unwrap();
        let mine = receiver.try_recv().is_ok();
        assert_eq!(usize::from(sent), usize::from(theirs) + usize::from(mine));
    });
}

#[test]
fn closing_against_a_meeting_gives_the_value_to_one_side() {
    check("rendezvous/close", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::rendezvous();
        let second = receiver.clone();
        let sends = spawn(move || block_on(sender.send(1)).is_ok());
        let receives = spawn(move || block_on(second.recv()).is_ok());
        receiver.close();
        assert_eq!(sends.join().unwrap(), receives.join().unwrap());
    });
}

#[test]
fn the_last_receiver_ends_the_wait_of_a_sender() {
    check("rendezvous/receiver_leaves", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::rendezvous();
        let other = spawn(move || drop(receiver));
        assert!(block_on(sender.send(1)).is_err());
        other.join().unwrap();
    });
}

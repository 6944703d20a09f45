//! The watched value (part of L9): a receiver that waits hears of every change and of the end, value and version belong
//! together, and a receiver can be dropped in any state.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::thread;
use weftwork_sync::{block_on, watch};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn poll_once<F: Future>(future: F) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_change_is_heard_of_and_seen() {
    check("watch/change", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, mut receiver) = watch::channel(Box::new(0));
        let other = spawn(move || {
            assert!(sender.send(Box::new(7)).is_ok());
            sender
        });
        block_on(receiver.changed()).unwrap();
        assert_eq!(**receiver.borrow(), 7);
        drop(other.join().unwrap());
    });
}

#[test]
fn the_last_value_is_seen_before_the_end() {
    check("watch/last_value", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, mut receiver) = watch::channel(0);
        let other = spawn(move || assert!(sender.send(1).is_ok()));
        assert!(block_on(receiver.changed()).is_ok());
        assert_eq!(*receiver.borrow_and_update(), 1);
        assert!(block_on(receiver.changed()).is_err());
        other.join().unwrap();
    });
}

#[test]
fn tokio_3168_no_change_is_missed_in_between() {
    check("watch/tokio_3168", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, mut receiver) = watch::channel(0);
        let other = spawn(move || {
            for value in [1, 2] {
                assert!(sender.send(value).is_ok());
            }
        });
        let mut newest = 0;
        while block_on(receiver.changed()).is_ok() {
            let now = *receiver.borrow_and_update();
            assert!(now > newest, "told of a change that there was not");
            newest = now;
        }
        assert_eq!(newest, 2);
        other.join().unwrap();
    });
}

#[test]
fn two_senders_and_a_value_that_passes() {
    check("watch/wait_for", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, mut receiver) = watch::channel(0);
        let others = [sender.clone(), sender].map(|sender| spawn(move || sender.send_modify(|value| *value += 1)));
        assert_eq!(block_on(receiver.wait_for(|value| *value == 2)).map(|value| *value), Ok(2));
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_receiver_dropped_in_any_state_leaves_the_others_alone() {
    check("watch/dropped_receiver", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, mut receiver) = watch::channel(0);
        let mut another = receiver.clone();
        let gives_up = spawn(move || poll_once(another.changed()));
        let sends = spawn(move || {
            assert!(sender.send(1).is_ok());
            sender
        });
        assert!(block_on(receiver.changed()).is_ok());
        gives_up.join().unwrap();
        assert_eq!(sends.join().unwrap().receiver_count(), 1);
    });
}

#[test]
fn the_last_receiver_wakes_the_sender() {
    check("watch/closed", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = watch::channel(0);
        let others = [receiver.clone(), receiver].map(|receiver| spawn(move || drop(receiver)));
        block_on(sender.closed());
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn the_last_of_two_senders_ends_the_wait() {
    check("watch/two_senders_leave", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, mut receiver) = watch::channel(0);
        let others = [sender.clone(), sender].map(|sender| spawn(move || drop(sender)));
        assert!(block_on(receiver.changed()).is_err());
        for other in others {
            other.join().unwrap();
        }
    });
}

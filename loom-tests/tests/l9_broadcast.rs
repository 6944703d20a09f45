//! The broadcast channel (part of L9): each receiver gets each value once and in order or learns what it missed, values are
//! taken once, nobody sleeps beside one, and ends can be dropped in any state.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::broadcast::{self, Receiver, RecvError, TryRecvError};
use weftwork_sync::primitive::thread;

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// Everything until the channel is closed: what was received, and how much was missed.
fn all(receiver: &mut Receiver<Box<u32>>) -> (Vec<u32>, u64) {
    let (mut received, mut missed) = (vec![], 0);
    loop {
        match block_on(receiver.recv()) {
            Ok(value) => received.push(*value),
            Err(RecvError::Lagged(count)) => missed += count,
            Err(_) => return (received, missed),
        }
    }
}

#[test]
fn a_value_that_is_sent_wakes_and_is_seen() {
    check("broadcast/send_wakes", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, mut receiver) = broadcast::channel(1);
        let other = spawn(move || {
            assert!(sender.send(Box::new(7)).is_ok());
            sender
        });
        assert_eq!(block_on(receiver.recv()), Ok(Box::new(7)));
        drop(other.join().unwrap());
    });
}

#[test]
fn two_receivers_take_one_value() {
    // One clones, the other may get the value itself.
    check("broadcast/two_receivers", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, mut first) = broadcast::channel(2);
        let mut second = sender.subscribe();
        assert!(sender.send(Box::new(1)).is_ok());
        let other = spawn(move || second.try_recv());
        assert_eq!(first.try_recv(), Ok(Box::new(1)));
        assert_eq!(other.join().unwrap(), Ok(Box::new(1)));
        assert!(sender.is_empty());
    });
}

#[test]
fn a_sender_overwrites_what_is_being_read() {
    // A ring of one place: the second value evicts the first while it is cloned, or the receiver lags.
    check("broadcast/overwrite", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, mut first) = broadcast::channel(1);
        let mut second = sender.subscribe();
        assert!(sender.send(Box::new(1)).is_ok());
        let other = spawn(move || {
            let received = second.try_recv();
            (received, second.try_recv())
        });
        assert!(sender.send(Box::new(2)).is_ok());
        match other.join().unwrap() {
            (Ok(one), Ok(two)) => assert_eq!((*one, *two), (1, 2)),
            (Ok(one), Err(TryRecvError::Empty)) => assert_eq!(*one, 1),
            (Err(TryRecvError::Lagged(1)), Ok(two)) => assert_eq!(*two, 2),
            other => panic!("{other:?}"),
        }
        assert_eq!(first.try_recv(), Err(TryRecvError::Lagged(1)));
        assert_eq!(first.try_recv(), Ok(Box::new(2)));
    });
}

#[test]
fn two_overwrite_what_is_being_read() {
    // The node that was evicted comes back for the third value, or another is made.
    check("broadcast/overwrite_twice", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, mut first) = broadcast::channel(1);
        let mut second = sender.subscribe();
        assert!(sender.send(Box::new(1)).is_ok());
        let other = spawn(move || {
            let mut got = vec![];
            let mut missed = 0;
            for _ in 0..3 {
                match second.try_recv() {
                    Ok(value) => got.push(*value),
                    Err(TryRecvError::Lagged(count)) => missed += count,
                    Err(_) => {}
                }
            }
            (got, missed, second)
        });
        assert!(sender.send(Box::new(2)).is_ok() && sender.send(Box::new(3)).is_ok());
        let (got, missed, second) = other.join().unwrap();
        assert!(got.is_sorted() && got.len() as u64 + missed + second.len() as u64 == 3, "{got:?} {missed}");
        assert_eq!(first.try_recv(), Err(TryRecvError::Lagged(2)));
        assert_eq!(first.try_recv(), Ok(Box::new(3)));
    });
}

#[test]
fn two_senders_and_one_who_receives_all() {
    check("broadcast/two_senders", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, mut receiver) = broadcast::channel(2);
        let others = [(sender.clone(), 1), (sender, 2)]
            .map(|(sender, value)| spawn(move || assert!(sender.send(Box::new(value)).is_ok())));
        let (mut received, missed) = all(&mut receiver);
        received.sort_unstable();
        assert_eq!((received, missed), (vec![1, 2], 0));
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn who_receives_slower_than_is_sent_learns_what_it_missed() {
    check("broadcast/lag", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, mut receiver) = broadcast::channel(1);
        let other = spawn(move || assert!((1..=3).all(|value| sender.send(Box::new(value)).is_ok())));
        let (received, missed) = all(&mut receiver);
        assert!(received.is_sorted() && received.last() == Some(&3));
        assert_eq!(received.len() as u64 + missed, 3);
        other.join().unwrap();
    });
}

#[test]
fn a_receiver_dropped_in_any_state_keeps_no_value_and_nobody_asleep() {
    check("broadcast/dropped_receiver", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, mut receiver) = broadcast::channel(2);
        let mut another = sender.subscribe();
        let gives_up = spawn(move || {
            let mut waiting = pin!(another.recv());
            waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        let sends = spawn(move || {
            assert!(sender.send(Box::new(1)).is_ok());
            sender
        });
        assert_eq!(block_on(receiver.recv()), Ok(Box::new(1)));
        gives_up.join().unwrap();
        let sender = sends.join().unwrap();
        assert_eq!((sender.len(), sender.receiver_count()), (0, 1));
    });
}

#[test]
fn a_receiver_that_leaves_against_one_that_reads() {
    check("broadcast/leave_against_read", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, mut first) = broadcast::channel(1);
        let second = sender.subscribe();
        assert!(sender.send(Box::new(1)).is_ok());
        let other = spawn(move || drop(second));
        assert_eq!(first.try_recv(), Ok(Box::new(1)));
        other.join().unwrap();
        assert!(sender.is_empty());
    });
}

#[test]
fn who_subscribes_is_counted_for_a_value_or_not() {
    check("broadcast/subscribe", Bound::Unbounded, Bound::Unbounded, || {
        let (sender, mut first) = broadcast::channel(2);
        let theirs = sender.clone();
        let other = spawn(move || {
            let mut second = theirs.subscribe();
            (second.try_recv(), second)
        });
        let sent = sender.send(Box::new(1)).unwrap();
        let (received, second) = other.join().unwrap();
        assert_eq!(usize::from(received.is_ok()) + second.len(), sent - 1);
        drop(second);
        assert_eq!(first.try_recv(), Ok(Box::new(1)));
        assert!(sender.is_empty());
    });
}

#[test]
fn a_weak_sender_against_the_last_one() {
    check("broadcast/weak_sender", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, mut receiver) = broadcast::channel(1);
        let weak = sender.downgrade();
        let other = spawn(move || weak.upgrade().is_some_and(|sender| sender.send(Box::new(1)).is_ok()));
        drop(sender);
        let (received, _) = all(&mut receiver);
        assert_eq!(received.len(), usize::from(other.join().unwrap()));
    });
}

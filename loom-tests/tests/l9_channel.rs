//! The channel (part of L9): every value that was sent is received or dropped exactly once, nobody sleeps beside a value
//! or a free place, and closing reaches everybody, in whichever state either end or a future is dropped.
#![cfg(weftwork_loom)]

mod by_hand;

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::channel::{self, TryRecvError};
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

#[test]
fn a_waiting_receiver_gets_the_value() {
    check("channel/send_wakes_receiver", Bound::Preemptions(2), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded(1);
        let other = spawn(move || sender.try_send(7).unwrap());
        assert_eq!(block_on(receiver.recv()), Ok(7));
        other.join().unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn a_waiting_sender_gets_the_place() {
    check("channel/recv_wakes_sender", Bound::Preemptions(2), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded(1);
        sender.try_send(1).unwrap();
        let other = spawn(move || {
            let first = receiver.try_recv();
            (first, receiver)
        });
        assert!(block_on(sender.send(2)).is_ok());
        let (first, receiver) = other.join().unwrap();
        assert_eq!((first, receiver.try_recv()), (Ok(1), Ok(2)));
    });
}

#[test]
fn values_pass_in_order_through_a_full_channel() {
    check("channel/in_order", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(1);
        let other = spawn(move || {
            for value in 0..3 {
                assert!(block_on(sender.send(value)).is_ok());
            }
        });
        for value in 0..3 {
            assert_eq!(block_on(receiver.recv()), Ok(value));
        }
        assert!(block_on(receiver.recv()).is_err());
        other.join().unwrap();
    });
}

#[test]
fn two_senders_and_a_receiver() {
    check("channel/two_senders", Bound::Preemptions(2), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(2);
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
fn two_receivers_get_two_values() {
    check("channel/two_receivers", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(2);
        let others = [receiver.clone(), receiver].map(|r| spawn(move || assert_eq!(block_on(r.recv()), Ok(1))));
        sender.try_send(1).unwrap();
        sender.try_send(1).unwrap();
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn two_senders_in_flight_wake_two_receivers() {
    // A slot that is stamped while the one before it is not: the notification must not be used up on it (rule 3).
    check("channel/in_flight", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        let mut a = by_hand::Task::new(async { assert_eq!(receiver.recv().await, Ok(1)) });
        let mut b = by_hand::Task::new(async { assert_eq!(receiver.recv().await, Ok(1)) });
        by_hand::run_both(&mut a, &mut b);
        // The last sender stays: its end would wake everybody.
        let others = [sender.clone(), sender.clone()].map(|s| spawn(move || s.try_send(1).unwrap()));
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
fn two_receivers_in_flight_free_two_places_for_two_senders() {
    check("channel/in_flight_places", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        sender.try_send(0).unwrap();
        sender.try_send(0).unwrap();
        let mut a = by_hand::Task::new(async { sender.send(1).await.unwrap() });
        let mut b = by_hand::Task::new(async { sender.send(1).await.unwrap() });
        by_hand::run_both(&mut a, &mut b);
        let others = [receiver.clone(), receiver.clone()].map(|r| spawn(move || r.try_recv()));
        a.run();
        b.run();
        for other in others {
            // A receiver that comes while the other is between claim and stamp still finds the second value.
            assert!(other.join().unwrap().is_ok());
        }
        by_hand::run_both(&mut a, &mut b);
        assert!(a.is_done() && b.is_done());
        assert_eq!(receiver.len(), 2);
    });
}

#[test]
fn a_value_in_flight_at_closing_leaves_nobody_asleep() {
    // The receivers wait again for the value that is on its way, and somebody else gets it (rule 5).
    check("channel/in_flight_close", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(1);
        let seen = std::cell::Cell::new(0);
        let receive = async || {
            let got = receiver.recv().await.is_ok();
            seen.set(seen.get() + usize::from(got));
        };
        let (mut a, mut b) = (by_hand::Task::new(receive()), by_hand::Task::new(receive()));
        by_hand::run_both(&mut a, &mut b);
        let theirs = receiver.clone();
        let sends = spawn(move || usize::from(sender.try_send(1).is_ok()));
        let comes_first = spawn(move || usize::from(theirs.try_recv().is_ok()));
        receiver.close();
        a.run();
        b.run();
        let sent = sends.join().unwrap();
        let mine = comes_first.join().unwrap();
        by_hand::run_both(&mut a, &mut b);
        assert!(a.is_done() && b.is_done());
        assert_eq!(sent, seen.get() + mine);
    });
}

#[test]
fn a_receiver_dropped_in_any_state_loses_no_value_and_no_wake_up() {
    check("channel/dropped_recv", Bound::Preemptions(2), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(2);
        let first = receiver.clone();
        let gives_up = spawn(move || poll_once(first.recv()).is_some());
        let stays = spawn(move || block_on(receiver.recv()).is_ok());
        sender.try_send(1).unwrap();
        let taken = gives_up.join().unwrap();
        if taken {
            sender.try_send(2).unwrap_or(());
        }
        assert!(stays.join().unwrap());
    });
}

#[test]
fn a_sender_dropped_in_any_state_loses_no_place_and_sends_nothing() {
    check("channel/dropped_send", Bound::Preemptions(2), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(1);
        sender.try_send(0).unwrap();
        let first = sender.clone();
        let gives_up = spawn(move || poll_once(first.send(1)).is_some());
        let stays = spawn(move || assert!(block_on(sender.send(2)).is_ok()));
        assert_eq!(block_on(receiver.recv()), Ok(0));
        let sent = gives_up.join().unwrap();
        let mut got = vec![];
        while let Ok(value) = block_on(receiver.recv()) {
            got.push(value);
        }
        stays.join().unwrap();
        got.sort_unstable();
        assert_eq!(got, if sent { vec![1, 2] } else { vec![2] });
    });
}

#[test]
fn crossbeam_1187_the_last_receiver_leaves_against_the_last_send() {
    check("channel/receiver_leaves_against_send", Bound::Unbounded, Bound::Unbounded, || {
        let drops = Shared::new(AtomicUsize::new(0));
        let (sender, receiver) = channel::bounded(1);
        let value = Watched::new(&drops);
        let other = spawn(move || {
            drop(sender.try_send(value));
            sender
        });
        drop(receiver);
        let sender = other.join().unwrap();
        // Dropped at once, not with the last sender: somebody may wait for what the value holds.
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(sender);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn two_sends_against_the_last_receiver_are_dropped_at_once() {
    check("channel/receiver_leaves_against_two", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let drops = Shared::new(AtomicUsize::new(0));
        let (sender, receiver) = channel::bounded(2);
        let others = [sender.clone(), sender].map(|s| {
            let value = Watched::new(&drops);
            spawn(move || {
                drop(s.try_send(value));
                s
            })
        });
        drop(receiver);
        let senders = others.map(|other| other.join().unwrap());
        assert_eq!(drops.load(Ordering::Relaxed), 2);
        drop(senders);
    });
}

#[test]
fn flume_120_a_closed_channel_gives_out_what_was_sent_first() {
    check("channel/close_after_send", Bound::Preemptions(3), Bound::Preemptions(5), || {
        let (sender, receiver) = channel::bounded(2);
        let other = spawn(move || {
            sender.try_send(1).unwrap();
            drop(sender);
        });
        assert_eq!(block_on(receiver.recv()), Ok(1));
        assert!(block_on(receiver.recv()).is_err());
        other.join().unwrap();
    });
}

#[test]
fn closing_wakes_a_receiver_and_a_sender() {
    check("channel/close_wakes", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(1);
        let (empty_sender, empty) = channel::bounded::<u32>(1);
        sender.try_send(1).unwrap();
        let waits_to_send = spawn(move || block_on(sender.send(2)).is_err());
        let waits_to_receive = spawn(move || block_on(empty.recv()).is_err());
        receiver.close();
        drop(empty_sender);
        assert!(waits_to_send.join().unwrap());
        assert!(waits_to_receive.join().unwrap());
        assert_eq!(receiver.try_recv(), Ok(1));
    });
}

#[test]
fn a_send_against_close_is_received_or_given_back() {
    check("channel/close_against_send", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(1);
        let sends = spawn(move || sender.try_send(1).is_ok());
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
fn many_values_taken_at_once_make_room_for_as_many_senders() {
    check("channel/recv_many_wakes", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(1).is_ok() && sender.try_send(1).is_ok());
        let others = [sender.clone(), sender].map(|s| spawn(move || assert!(block_on(s.send(2)).is_ok())));
        let mut got = vec![];
        while let Ok(count) = block_on(receiver.recv_many(&mut got, 2)) {
            assert!(count == 1 || count == 2);
        }
        assert_eq!(got, [1, 1, 2, 2]);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn two_who_take_many_get_each_value_once() {
    check("channel/recv_many_against_recv", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let drops = Shared::new(AtomicUsize::new(0));
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(Watched::new(&drops)).is_ok() && sender.try_send(Watched::new(&drops)).is_ok());
        let second = receiver.clone();
        let takes = spawn(move || second.try_recv_many(&mut vec![], 2).unwrap_or(0));
        let mine = usize::from(receiver.try_recv().is_ok());
        let theirs = takes.join().unwrap();
        let left = receiver.try_recv_many(&mut vec![], 2).unwrap_or(0);
        assert_eq!((mine + theirs + left, drops.load(Ordering::Relaxed)), (2, 2));
    });
}

#[test]
fn the_last_receiver_that_goes_wakes_who_waits_for_that() {
    check("channel/closed", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded::<u32>(1);
        let other = spawn(move || drop(receiver));
        block_on(sender.closed());
        assert!(sender.is_closed());
        other.join().unwrap();
    });
}

#[test]
fn a_closed_dropped_in_any_state_leaves_the_list_whole() {
    check("channel/closed_dropped", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded::<u32>(1);
        let second = sender.clone();
        let gives_up = spawn(move || poll_once(second.closed()).is_some());
        receiver.close();
        block_on(sender.closed());
        gives_up.join().unwrap();
    });
}

#[test]
fn a_weak_sender_is_a_sender_or_the_channel_is_closed() {
    check("channel/weak_against_last", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded(1);
        let weak = sender.downgrade();
        let other = spawn(move || drop(sender));
        let upgraded = weak.upgrade();
        other.join().unwrap();
        match upgraded {
            Some(sender) => assert_eq!((sender.try_send(1), receiver.try_recv()), (Ok(()), Ok(1))),
            None => assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed)),
        }
        drop(weak);
    });
}

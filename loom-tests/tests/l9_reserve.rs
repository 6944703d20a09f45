//! Permits of the channel (part of L9): a place that was looked at is free for whoever writes it, room is conserved, and a
//! permit that is used or dropped tells whoever waits for that, in whichever state the channel is.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::channel::{self, TryRecvError, TrySendError};
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
fn a_permit_brings_its_value_to_a_receiver_that_waits() {
    check("reserve/send_wakes_receiver", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded(1);
        let other = spawn(move || block_on(sender.reserve()).unwrap().send(7));
        assert_eq!(block_on(receiver.recv()), Ok(7));
        other.join().unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn a_permit_that_is_dropped_wakes_a_sender_that_waits() {
    check("reserve/drop_wakes_sender", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded(1);
        let permit = sender.clone().try_reserve_owned().unwrap();
        let other = spawn(move || drop(permit));
        assert!(block_on(sender.send(1)).is_ok());
        other.join().unwrap();
        assert_eq!(receiver.try_recv(), Ok(1));
    });
}

#[test]
fn a_permit_that_is_dropped_wakes_who_waits_for_another() {
    check("reserve/drop_wakes_reserve", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, _receiver) = channel::bounded::<u32>(1);
        let others = [sender.clone(), sender].map(|s| spawn(move || drop(block_on(s.reserve()).unwrap())));
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn tokio_2854_the_last_permit_is_dropped_against_a_receiver_of_a_closed_channel() {
    check("reserve/drop_at_close", Bound::Preemptions(3), Bound::Unbounded, || {
        let (sender, receiver) = channel::bounded::<u32>(1);
        let permit = sender.clone().try_reserve_owned().unwrap();
        let other = spawn(move || drop(permit));
        receiver.close();
        assert!(block_on(receiver.recv()).is_err());
        other.join().unwrap();
        drop(sender);
    });
}

#[test]
fn tokio_8075_one_permit_is_used_and_one_dropped_at_a_closed_channel() {
    check("reserve/send_and_drop_at_close", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        let used = sender.clone().try_reserve_owned().unwrap();
        let dropped = sender.clone().try_reserve_owned().unwrap();
        receiver.close();
        let uses = spawn(move || used.send(1));
        let drops = spawn(move || drop(dropped));
        assert_eq!(block_on(receiver.recv()), Ok(1));
        assert!(block_on(receiver.recv()).is_err());
        drop(uses.join().unwrap());
        drops.join().unwrap();
    });
}

#[test]
fn tokio_8260_two_receivers_hear_of_the_end_that_a_permit_makes() {
    check("reserve/two_receivers_at_close", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(1);
        let permit = sender.clone().try_reserve_owned().unwrap();
        receiver.close();
        let second = receiver.clone();
        let uses = spawn(move || permit.send(1));
        let receives = spawn(move || usize::from(block_on(second.recv()).is_ok()));
        let mine = usize::from(block_on(receiver.recv()).is_ok());
        assert_eq!(mine + receives.join().unwrap(), 1);
        drop(uses.join().unwrap());
        drop(sender);
    });
}

#[test]
fn a_push_beside_a_permit_writes_a_place_that_the_permit_looked_at() {
    check("reserve/push_where_a_permit_looked", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(1).is_ok() && sender.try_send(1).is_ok());
        let (theirs, second) = (sender.clone(), receiver.clone());
        // Another empties the first place, of which this thread hears by the permit only.
        let empties = spawn(move || second.try_recv().is_ok());
        let reserves = spawn(move || theirs.try_reserve().map(|permit| permit.send(2)).is_ok());
        let mut got = usize::from(receiver.try_recv().is_ok());
        let mut sent = 2 + usize::from(sender.try_send(3).is_ok());
        sent += usize::from(reserves.join().unwrap());
        got += usize::from(empties.join().unwrap());
        got += std::iter::from_fn(|| receiver.try_recv().ok()).count();
        assert_eq!(got, sent);
    });
}

#[test]
fn a_push_hears_of_an_emptied_place_by_the_permit_that_looked_at_it() {
    check("reserve/push_after_a_permit_looked", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(1).is_ok() && sender.try_send(1).is_ok());
        // Says only that it is time, and orders nothing.
        let passed = Shared::new(AtomicUsize::new(0));
        let (theirs, second) = (sender.clone(), receiver.clone());
        let (emptied, looked) = (passed.clone(), passed.clone());
        let empties = spawn(move || {
            assert_eq!(second.try_recv(), Ok(1));
            emptied.fetch_add(1, Ordering::Relaxed);
        });
        let reserves = spawn(move || {
            let permit = block_on(theirs.reserve()).unwrap();
            looked.fetch_add(1, Ordering::Relaxed);
            permit.send(2);
        });
        while passed.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        assert_eq!(receiver.try_recv(), Ok(1));
        let sent = usize::from(sender.try_send(3).is_ok());
        reserves.join().unwrap();
        empties.join().unwrap();
        assert_eq!(std::iter::from_fn(|| receiver.try_recv().ok()).count(), 1 + sent);
    });
}

#[test]
fn a_permit_writes_a_place_that_a_push_looked_at() {
    check("reserve/permit_where_a_push_looked", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(1).is_ok());
        let permit = sender.clone().try_reserve_owned().unwrap();
        let pushes = spawn(move || usize::from(sender.try_send(3).is_ok()));
        let uses = spawn(move || drop(permit.send(2)));
        // Emptied here, of which the permit's thread hears by the push only.
        assert_eq!(receiver.try_recv(), Ok(1));
        uses.join().unwrap();
        let sent = 1 + pushes.join().unwrap();
        assert_eq!(std::iter::from_fn(|| receiver.try_recv().ok()).count(), sent);
    });
}

#[test]
fn permits_pushes_and_pops_keep_to_the_capacity() {
    check("reserve/capacity", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(1);
        let second = sender.clone();
        let pushes = spawn(move || usize::from(second.try_send(1).is_ok()));
        let mine = match sender.try_reserve() {
            Ok(permit) => {
                assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)), "the only place is in a permit");
                permit.send(2);
                1
            }
            Err(_) => 0,
        };
        let theirs = pushes.join().unwrap();
        let left = std::iter::from_fn(|| receiver.try_recv().ok()).count();
        assert_eq!((mine + theirs, left), (1, 1));
    });
}

#[test]
fn a_permit_given_back_beside_a_push_leaves_the_count_right() {
    check("reserve/give_back_against_push", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        let permits = [sender.clone(), sender.clone()].map(|s| s.try_reserve_owned().unwrap());
        let mut threads = vec![];
        for (n, permit) in permits.into_iter().enumerate() {
            threads.push(spawn(move || match n {
                0 => drop(permit),
                _ => drop(permit.send(1)),
            }));
        }
        let sent = usize::from(sender.try_send(1).is_ok());
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(sender.len(), 1 + sent);
        assert_eq!(sender.try_reserve_many(1 - sent).map(|permits| permits.len()).unwrap_or(9), 1 - sent);
        drop(receiver);
    });
}

#[test]
fn two_who_gather_all_places_do_not_lock_each_other_out() {
    check("reserve/two_gather", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(1).is_ok());
        let others = [sender.clone(), sender].map(|s| {
            spawn(move || {
                let permits = block_on(s.reserve_many(2)).unwrap();
                assert_eq!(permits.len(), 2);
            })
        });
        assert_eq!(receiver.try_recv(), Ok(1));
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_gathering_dropped_in_any_state_leaves_room_and_turn_to_the_next() {
    check("reserve/gather_dropped", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.try_send(1).is_ok());
        let second = sender.clone();
        let gives_up = spawn(move || drop(poll_once(second.reserve_many(2))));
        let frees = spawn(move || {
            assert_eq!(receiver.try_recv(), Ok(1));
            receiver
        });
        assert_eq!(block_on(sender.reserve_many(2)).unwrap().len(), 2);
        gives_up.join().unwrap();
        drop(frees.join().unwrap());
    });
}

#[test]
fn closing_ends_the_wait_for_the_turn() {
    check("reserve/turn_at_close", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (sender, receiver) = channel::bounded::<u32>(1);
        let permit = sender.clone().try_reserve_owned().unwrap();
        // It has the turn and is not polled again.
        let mut kept = Box::pin(sender.reserve_many(1));
        assert!(kept.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let second = sender.clone();
        let waits = spawn(move || assert!(block_on(second.reserve_many(1)).is_err()));
        receiver.close();
        waits.join().unwrap();
        drop(kept);
        drop(permit);
    });
}

#[test]
fn a_reserve_dropped_in_any_state_passes_the_room_on() {
    check("reserve/dropped_reserve", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (sender, receiver) = channel::bounded(1);
        assert!(sender.try_send(1).is_ok());
        let second = sender.clone();
        let gives_up = spawn(move || drop(poll_once(second.reserve())));
        let stays = spawn(move || assert!(block_on(sender.send(2)).is_ok()));
        assert_eq!(block_on(receiver.recv()), Ok(1));
        assert_eq!(block_on(receiver.recv()), Ok(2));
        gives_up.join().unwrap();
        stays.join().unwrap();
    });
}

#[test]
fn crossbeam_1187_the_last_receiver_leaves_against_a_permit() {
    check("reserve/receiver_leaves_against_permit", Bound::Unbounded, Bound::Unbounded, || {
        let drops = Shared::new(AtomicUsize::new(0));
        let (sender, receiver) = channel::bounded(1);
        let permit = sender.clone().try_reserve_owned().unwrap();
        let value = Watched::new(&drops);
        let other = spawn(move || permit.send(value));
        drop(receiver);
        let theirs = other.join().unwrap();
        // Dropped at once, not with the last sender: somebody may wait for what the value holds.
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop((sender, theirs));
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

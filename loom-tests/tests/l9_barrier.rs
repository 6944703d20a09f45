//! The barrier (part of L9): a round lets all of its tasks go, each with an index of its own, and what each did before it
//! arrived is seen by all; giving up and breaking leave nobody asleep.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};
use weftwork_sync::{Barrier, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

struct Meeting {
    barrier: Barrier,
    data: [UnsafeCell<u32>; 3],
}
// SAFETY: the barrier orders the accesses; loom checks that it does.
unsafe impl Sync for Meeting {}
// SAFETY: as above.
unsafe impl Send for Meeting {}

impl Meeting {
    fn new(parties: usize) -> Shared<Self> {
        let data = [0, 1, 2].map(|_| UnsafeCell::new(0));
        Shared::new(Self { barrier: Barrier::new(parties), data })
    }

    /// Writes a place of its own, meets the others, and reads theirs.
    fn attend(&self, at: usize) -> usize {
        // SAFETY: the others read after the round.
        self.data[at].with_mut(|data| unsafe { *data = 7 });
        let arrived = block_on(self.barrier.wait()).unwrap();
        for data in &self.data[..self.barrier.parties()] {
            // SAFETY: nobody writes after the round.
            assert_eq!(data.with(|data| unsafe { *data }), 7);
        }
        arrived.index()
    }
}

#[test]
fn two_meet() {
    check("barrier/two", Bound::Unbounded, Bound::Unbounded, || {
        let meeting = Meeting::new(2);
        let theirs = meeting.clone();
        let other = spawn(move || theirs.attend(1));
        let mine = meeting.attend(0);
        assert_eq!(mine + other.join().unwrap(), 1);
        assert_eq!(meeting.barrier.waiting(), 0);
    });
}

#[test]
fn three_meet() {
    check("barrier/three", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let meeting = Meeting::new(3);
        let (first, second) = (meeting.clone(), meeting.clone());
        let others = [spawn(move || first.attend(1)), spawn(move || second.attend(2))];
        let mut indices = vec![meeting.attend(0)];
        indices.extend(others.map(|other| other.join().unwrap()));
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
    });
}

#[test]
fn two_rounds_do_not_mix() {
    check("barrier/two_rounds", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let barrier = Shared::new(Barrier::new(2));
        let theirs = barrier.clone();
        let rounds = |barrier: &Barrier| [0, 1].map(|_| block_on(barrier.wait()).unwrap().index());
        let other = spawn(move || rounds(&theirs));
        let (mine, theirs) = (rounds(&barrier), other.join().unwrap());
        assert_eq!((mine[0] + theirs[0], mine[1] + theirs[1]), (1, 1));
    });
}

#[test]
fn who_gives_up_in_any_state_is_counted_or_not() {
    check("barrier/gives_up", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let barrier = Shared::new(Barrier::new(2));
        let (first, second) = (barrier.clone(), barrier.clone());
        let gives_up = spawn(move || {
            let mut waiting = pin!(first.wait());
            waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        let meets = spawn(move || {
            let mut waiting = Box::pin(second.wait());
            let met = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            (met, waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready())
        });
        let (gave_up_late, (met, met_later)) = (gives_up.join().unwrap(), meets.join().unwrap());
        assert!(!(gave_up_late && met), "one of them came last");
        assert_eq!(barrier.waiting(), 0);
        let _either = met_later;
    });
}

#[test]
fn breaking_leaves_nobody_asleep() {
    check("barrier/abort", Bound::Preemptions(2), Bound::Unbounded, || {
        let barrier = Shared::new(Barrier::new(2));
        let theirs = barrier.clone();
        let other = spawn(move || theirs.abort());
        assert!(block_on(barrier.wait()).is_err());
        other.join().unwrap();
        assert!(barrier.is_broken());
    });
}

#[test]
fn a_round_against_a_reset_is_whole_or_not_at_all() {
    check("barrier/reset_against_round", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let barrier = Shared::new(Barrier::new(2));
        let (first, second) = (barrier.clone(), barrier.clone());
        let mut waiting = Box::pin(barrier.wait());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let resets = spawn(move || first.reset());
        let arrives = spawn(move || {
            let mut last = pin!(second.wait());
            last.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        let mine = block_on(waiting);
        resets.join().unwrap();
        assert_eq!(mine.is_ok(), arrives.join().unwrap());
    });
}

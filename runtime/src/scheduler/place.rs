//! Which processor a woken worker runs on: not the one of the worker that wakes it.
//!
//! A thread that wakes up goes to the processor where it ran last, unless the system finds an idle one for it. Linux does not
//! find any in a virtual machine whose idle processors are halted: the host has taken those away, so they count as
//! preempted. A worker that ran last where its waker runs now then waits behind it, for milliseconds, beside an idle
//! processor, until the balance of the load is looked at. (Seen on two processors: two tasks that compute, on two workers,
//! forty milliseconds on one of them.)
//!
//! So a worker writes down where it runs before it sleeps. Another one that wakes it, and goes on to run itself, compares; if
//! the two are the same it forbids the sleeper the processors of those that are awake, and the sleeper takes that back when it runs. What a
//! user allowed a thread is kept to, and where it leaves no choice nothing is done.
//!
//! Who touches what: the waker has claimed the sleeper (`idle.rs`), and claims are won by one. It changes the thread's
//! processors under the lock that the thread takes to give up its name, so a name is never used after its thread has ended.
//! A sleeper that woke by itself may look for a change before its waker has made it; it looks again when it next wakes up,
//! and runs elsewhere until then.

use crate::platform::{self, Processors, SystemThread};
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::unmodelled::Counter;

/// No processor.
const NOWHERE: u64 = u64::MAX;

/// Where the worker of a slot runs.
#[derive(Debug)]
pub(crate) struct Place {
    /// When it was last looked at.
    processor: Counter,
    /// 1 if there is something to give back; a hint for whoever was not woken by the one who wrote it.
    moved: Counter,
    thread: Mutex<Thread>,
}

#[derive(Debug, Default)]
struct Thread {
    name: Option<SystemThread>,
    /// What it might use before it was moved.
    before: Option<Processors>,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { processor: Counter::new(NOWHERE), moved: Counter::new(0), thread: Mutex::new(Thread::default()) }
    }

    /// The calling thread takes the seat.
    pub(super) fn enter(&self) {
        if let Some(name) = platform::this_thread() {
            self.thread.lock().name = Some(name);
        }
    }

    /// The calling thread leaves the seat.
    pub(super) fn leave(&self) {
        if platform::this_thread().is_some() {
            self.thread.lock().name = None;
            self.processor.set(NOWHERE);
            self.give_back();
        }
    }

    /// Notes where the calling thread, whose place this is, runs; `true` if the other place's thread ran there last.
    pub(super) fn is_also_of(&self, other: &Self) -> bool {
        self.note();
        let here = self.processor.get();
        here != NOWHERE && here == other.processor.get()
    }

    /// Notes where the calling thread, whose place this is, runs.
    pub(super) fn note(&self) {
        if let Some(here) = platform::processor() {
            self.processor.set(u64::from(here));
        }
    }

    /// Where it ran when that was last noted.
    pub(super) fn last(&self) -> Option<u32> {
        u32::try_from(self.processor.get()).ok()
    }

    /// Moves the sleeper of this place off these processors. The caller has claimed it, and wakes it afterwards.
    #[cold]
    pub(super) fn keep_off(&self, processors: impl Iterator<Item = u32>) {
        let mut thread = self.thread.lock();
        // What is still to be given back is what the user allowed, not what was left of it.
        if thread.before.is_none()
            && let Some(name) = thread.name
        {
            thread.before = platform::forbid(name, processors);
            self.moved.set(thread.before.is_some().into());
        }
    }

    /// The calling thread, whose place this is, has woken up: it may run everywhere again.
    #[inline]
    pub(super) fn give_back(&self) {
        if self.moved.get() != 0 {
            self.take_back();
        }
    }

    #[cold]
    fn take_back(&self) {
        let before = {
            let mut thread = self.thread.lock();
            self.moved.set(0);
            thread.before.take()
        };
        if let Some(before) = before {
            platform::allow(before);
        }
    }
}

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;

    /// Where there is a choice, and the system says.
    fn here() -> Option<u32> {
        let there_is_a_choice = std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
        platform::processor().filter(|_| there_is_a_choice)
    }

    #[test]
    fn a_sleeper_is_kept_off_its_wakers_processor_until_it_runs() {
        let place = Place::new();
        place.enter();
        let Some(here) = here() else { return };
        place.keep_off(core::iter::once(here));
        assert_ne!(platform::processor(), Some(here));
        assert_eq!(place.moved.get(), 1);
        place.give_back();
        assert_eq!(place.moved.get(), 0);
        // It may be everywhere again: there is something left that can be forbidden.
        place.keep_off(core::iter::once(here));
        assert_eq!(place.moved.get(), 1);
        place.leave();
    }

    #[test]
    fn what_the_user_allowed_is_given_back_also_after_two_moves() {
        let place = Place::new();
        place.enter();
        let Some(here) = here() else { return };
        place.keep_off(core::iter::once(here));
        place.keep_off((0..64).filter(|&processor| processor != here));
        assert_ne!(platform::processor(), Some(here), "a second move waits until the first was given back");
        place.leave();
        assert_eq!(place.moved.get(), 0);
    }

    #[test]
    fn a_thread_that_left_is_not_touched() {
        let place = Place::new();
        place.enter();
        place.leave();
        place.keep_off(platform::processor().into_iter());
        assert_eq!(place.moved.get(), 0);
    }

    #[test]
    fn places_are_compared_by_where_their_threads_ran_last() {
        let (mine, theirs) = (Place::new(), Place::new());
        assert!(!mine.is_also_of(&theirs), "a thread that never slept has no place");
        theirs.note();
        assert_eq!(theirs.last(), platform::processor());
    }
}

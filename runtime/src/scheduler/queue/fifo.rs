//! A worker's private queue: a ring of tasks that one thread at a time touches.
//!
//! It holds what `VecDeque` would, with half the instructions per task: the capacity is a power of two, so a place is found
//! by a mask, and the two ends only count up. It grows by doubling and, like its owner's list, has no other bound than the
//! tasks that exist; it does not shrink.

use crate::task::Runnable;
use crate::task::cell::Header;
use core::ptr::{self, NonNull};

/// What it has room for at first.
const CAPACITY: usize = 16;
/// How many neighbours stay together at most when a queue is dealt out: they were spawned together, and lie together in memory.
const LONGEST_RUN: usize = 16;
/// Into so many runs a queue is dealt out at least: where tasks spawn tasks the first few are worth more than all the others.
const RUNS: usize = 64;

/// First in, first out.
pub struct Fifo {
    /// Places from `head` to `tail`, modulo their number, hold the pointers of runnables; the others hold nothing of value.
    places: Box<[*mut Header]>,
    head: usize,
    tail: usize,
}

// SAFETY: a set of runnables, which are Send.
unsafe impl Send for Fifo {}

impl Fifo {
    pub(crate) fn new() -> Self {
        Self { places: Box::new([ptr::null_mut(); CAPACITY]), head: 0, tail: 0 }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.tail.wrapping_sub(self.head)
    }

    #[inline(always)]
    fn place(&mut self, at: usize) -> &mut *mut Header {
        let mask = self.places.len() - 1;
        // SAFETY: the number of places is a power of two, so the mask keeps the index below it.
        unsafe { self.places.get_unchecked_mut(at & mask) }
    }

    #[inline(always)]
    pub(crate) fn push_back(&mut self, task: Runnable) {
        if self.len() == self.places.len() {
            self.grow();
        }
        *self.place(self.tail) = task.into_ptr().as_ptr();
        self.tail = self.tail.wrapping_add(1);
    }

    #[inline(always)]
    pub(crate) fn pop_front(&mut self) -> Option<Runnable> {
        if self.head == self.tail {
            return None;
        }
        let task = *self.place(self.head);
        self.head = self.head.wrapping_add(1);
        // SAFETY: stored by push_back between head and tail, and handed out once.
        Some(unsafe { Runnable::from_ptr(NonNull::new_unchecked(task)) })
    }

    /// The task at that place from the front, below the length, and the first change places.
    #[cold]
    pub(crate) fn bring_forward(&mut self, at: usize) {
        let (head, other) = (self.head, self.head.wrapping_add(at));
        let (first, drawn) = (*self.place(head), *self.place(other));
        *self.place(head) = drawn;
        *self.place(other) = first;
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        while self.room() < more {
            self.grow();
        }
    }

    fn room(&self) -> usize {
        self.places.len() - self.len()
    }

    /// Moves half of the oldest tasks to `to`, as many as that has room for at most, and says how many: of every two runs of
    /// neighbours one. Both queues keep their order.
    pub(crate) fn deal_to(&mut self, to: &mut Self) -> usize {
        let run = (self.len() / RUNS).clamp(1, LONGEST_RUN);
        let pairs = (self.len() / (2 * run)).min(to.room() / run);
        let head = self.head;
        for pair in 0..pairs {
            for n in 0..run {
                *to.place(to.tail) = *self.place(head.wrapping_add(pair * 2 * run + n));
                to.tail = to.tail.wrapping_add(1);
            }
        }
        // What stays closes up towards the rest, the youngest first, so that nothing is overwritten before it was moved.
        for pair in (0..pairs).rev() {
            for n in (0..run).rev() {
                let task = *self.place(head.wrapping_add((pair * 2 + 1) * run + n));
                *self.place(head.wrapping_add((pairs + pair) * run + n)) = task;
            }
        }
        self.head = head.wrapping_add(pairs * run);
        pairs * run
    }

    /// The oldest, to look at.
    pub(crate) fn front(&mut self) -> Option<&Header> {
        // SAFETY: between head and tail lie the pointers of runnables, whose tasks are alive.
        (self.head != self.tail).then(|| unsafe { &**self.place(self.head) })
    }

    #[cold]
    fn grow(&mut self) {
        let mut places = vec![ptr::null_mut(); self.places.len() * 2].into_boxed_slice();
        let (len, head) = (self.len(), self.head);
        for (n, to) in places.iter_mut().enumerate().take(len) {
            *to = *self.place(head.wrapping_add(n));
        }
        self.places = places;
        self.head = 0;
        self.tail = len;
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        while let Some(task) = self.pop_front() {
            drop(task);
        }
    }
}

impl core::fmt::Debug for Fifo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Fifo").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;
    use crate::observe::unhandled::Unhandled;
    use crate::task::cell::{self, Schedule};
    use crate::task::{JoinHandle, Spec};
    use core::cell::RefCell;
    use core::panic::Location;
    use std::collections::VecDeque;

    thread_local! {
        static RETURNED: RefCell<Vec<Runnable>> = const { RefCell::new(Vec::new()) };
    }

    /// Keeps what is scheduled.
    struct Keeps;

    impl Schedule for Keeps {
        fn schedule(&self, task: Runnable, _turn: cell::Turn) {
            RETURNED.with_borrow_mut(|returned| returned.push(task));
        }

        unsafe fn leave(&self, _task: NonNull<Header>) -> bool {
            true
        }

        unsafe fn release(&self, _task: NonNull<Header>) {
            unreachable!("every task leaves before it completes")
        }

        fn unhandled(&self, _what: &Unhandled<'_>) {}
    }

    fn task() -> (Runnable, JoinHandle<()>) {
        let spec = Spec::new(Location::caller(), 0, false);
        // SAFETY: the future may go anywhere; the task is new, and this is its Runnable and its handle.
        unsafe {
            let task = cell::allocate(async {}, Keeps, spec, ());
            (Runnable::from_ptr(task), JoinHandle::from_ptr(task))
        }
    }

    #[test]
    fn what_goes_in_comes_out_in_order_however_often_it_wraps_and_grows() {
        let (mut queue, mut handles, mut expected) = (Fifo::new(), Vec::new(), VecDeque::new());
        for round in 0..600 {
            for _ in 0..(round % 7) {
                let (task, handle) = task();
                expected.push_back(handle.id());
                handles.push(handle);
                queue.push_back(task);
            }
            for _ in 0..(round % 5) {
                let Some(task) = queue.pop_front() else { break };
                assert_eq!(Some(task.header().spec.id), expected.pop_front());
                task.run();
            }
            assert_eq!(queue.len(), expected.len());
        }
        assert!(queue.len() > CAPACITY, "it has grown");
        while let Some(task) = queue.pop_front() {
            assert_eq!(Some(task.header().spec.id), expected.pop_front());
            task.run();
        }
        assert!(expected.is_empty() && handles.iter().all(JoinHandle::is_finished));
    }

    #[test]
    fn a_queue_is_dealt_out_in_runs_and_both_halves_keep_their_order() {
        for (length, turned, room) in
            [(0, 0, 64), (1, 3, 64), (63, 3, 64), (200, 9, 1024), (200, 9, 40), (3_000, 0, 2_000)]
        {
            let (mut queue, mut half, mut handles) = (Fifo::new(), Fifo::new(), Vec::new());
            half.reserve(room);
            for _ in 0..turned {
                queue.push_back(task().0);
                queue.pop_front().unwrap().run();
            }
            for _ in 0..length {
                let (task, handle) = task();
                handles.push(handle);
                queue.push_back(task);
            }
            let run = (length / RUNS).clamp(1, LONGEST_RUN);
            let pairs = (length / (2 * run)).min(half.room() / run);
            assert_eq!(queue.deal_to(&mut half), pairs * run);
            let goes = |n: &usize| n / run < 2 * pairs && (n / run).is_multiple_of(2);
            for (from, indices) in [
                (&mut half, (0..length).filter(goes).collect::<Vec<_>>()),
                (&mut queue, (0..length).filter(|n| !goes(n)).collect()),
            ] {
                for n in indices {
                    let task = from.pop_front().unwrap();
                    assert_eq!(task.header().spec.id, handles[n].id());
                    task.run();
                }
                assert_eq!(from.len(), 0);
            }
        }
    }

    #[test]
    fn a_queue_that_is_dropped_gives_its_tasks_back() {
        let mut queue = Fifo::new();
        let (task, handle) = task();
        queue.push_back(task);
        drop(queue);
        let returned = RETURNED.take();
        assert_eq!(returned.len(), 1);
        returned.into_iter().for_each(Runnable::run);
        assert!(handle.is_finished());
    }
}

//! The seat of one worker: what is its own, and what the others reach.
//!
//! Seats exist from the start, for the workers and for every spare that may ever stand in for a blocked one, so that
//! thieves, wakers and timers need not know which are taken.

use super::Gate;
use super::biased::Biased;
use super::deferred::Notes;
use super::place::Place;
use super::queue::{self, Fifo, Owner, Thief};
use crate::task::owned::{Drained, FinishedStack, OwnedList};
use crate::task::recycle::Kept;
use crate::task::{Runnable, TaskId};
use crate::time::timers::Timers;
use core::panic::Location;
use std::collections::VecDeque;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU32, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Parker};

/// Polls of the LIFO slot in a row.
pub(crate) const LIFO_STREAK: u32 = 3;

/// What a worker alone touches, until somebody has to rescue it.
///
/// The age of ready tasks: `shared` holds the oldest, then `private`; `lifo` holds the newest, which runs next because
/// its data are warm, three times in a row at most.
#[derive(Debug)]
pub struct Local {
    pub(crate) lifo: Option<Runnable>,
    pub(crate) private: Fifo,
    pub(crate) shared: Owner,
    /// `shared` is not empty, unless thieves emptied it.
    pub(crate) published: bool,
    /// Polls of the LIFO slot in a row.
    pub(crate) streak: u32,
    /// Tasks that may run on this worker's thread only; never stolen, never rescued.
    pub(crate) pinned: VecDeque<Runnable>,
    pub(crate) owned: OwnedList,
    /// What is being polled, for the watchdog's report.
    pub(crate) current: Option<(TaskId, &'static Location<'static>)>,
    /// Reads that tasks polled here have put off.
    pub(crate) deferred: Notes,
    /// Who may enter `owned`.
    pub(crate) gate: Gate,
}

/// Where a worker that announced its sleep sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bed {
    Parker,
    Reactor,
}

/// The seat of one worker.
#[derive(Debug)]
pub struct Slot {
    pub(crate) local: Biased<Local>,
    pub(crate) thief: Thief,
    /// `shared` is not empty, as far as its owner knows: thieves look here before they probe.
    pub(crate) has_work: AtomicBool,
    /// How many private tasks there were when the owner last looked, if they are worth moving: a hint for peers with nothing to do.
    pub(crate) offer: Counter,
    pub(crate) finished: FinishedStack,
    pub(crate) timers: Timers,
    /// Not zero while the worker sleeps past its timers, which the keeper fires meanwhile.
    pub(crate) entrusted: Counter,
    pub(crate) parker: Parker,
    in_reactor: AtomicBool,
    /// Pinned tasks woken by other threads.
    pub(crate) inbox: Mutex<Vec<Runnable>>,
    pub(crate) has_mail: AtomicBool,
    /// Counts up by one as a poll begins and as it ends: odd is inside a poll. The watchdog samples it twice.
    pub(crate) epoch: AtomicU32,
    /// The watchdog asks the worker to look at everything that others left lying.
    pub(crate) nudged: AtomicBool,
    /// The worker is inside `block_in_place`.
    pub(crate) yielded_place: AtomicBool,
    /// When the worker was last claimed, to learn what a wake-up costs.
    pub(crate) claimed_at: Counter,
    pub(super) place: Place,
    pub(crate) counters: Counters,
    /// Freed task cells of the thread that sat here last, where threads come and go.
    pub(crate) cells: Mutex<Option<Kept>>,
}

/// What a worker counts; written by itself alone, summed when read.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) polls: Counter,
    pub(crate) steals: Counter,
    pub(crate) stolen: Counter,
    pub(crate) parks: Counter,
    pub(crate) wakes: Counter,
    pub(crate) spawns: Counter,
    pub(crate) injected: Counter,
    pub(crate) timers: Counter,
}

impl Slot {
    pub(crate) fn new(timers: Timers) -> Self {
        let (shared, thief) = queue::shared();
        Self {
            local: Biased::new(Local {
                lifo: None,
                private: Fifo::new(),
                shared,
                published: false,
                streak: 0,
                pinned: VecDeque::new(),
                owned: OwnedList::new(),
                current: None,
                deferred: Notes::default(),
                gate: Gate::Open,
            }),
            thief,
            has_work: AtomicBool::new(false),
            offer: Counter::new(0),
            finished: FinishedStack::new(),
            timers,
            entrusted: Counter::new(0),
            parker: Parker::new(),
            in_reactor: AtomicBool::new(false),
            inbox: Mutex::new(Vec::new()),
            has_mail: AtomicBool::new(false),
            epoch: AtomicU32::new(0),
            nudged: AtomicBool::new(false),
            yielded_place: AtomicBool::new(false),
            claimed_at: Counter::new(0),
            place: Place::new(),
            counters: Counters::default(),
            cells: Mutex::new(None),
        }
    }

    /// Whether there is something to steal. The flag alone may be stale: thieves may have emptied the queue since.
    pub(crate) fn can_be_robbed(&self) -> bool {
        self.has_work.load(Ordering::Relaxed) && !self.thief.is_empty()
    }

    /// Whether somebody left something for this worker alone.
    pub(crate) fn wants_attention(&self) -> bool {
        self.nudged.load(Ordering::Relaxed) || self.has_mail.load(Ordering::Relaxed)
    }

    /// Unlinks tasks of this seat that completed elsewhere, in the place of an owner that has left.
    pub(crate) fn drain_finished(&self) -> Drained {
        self.local.take(|local| self.finished.drain(&mut local.owned))
    }

    /// A poll begins or ends; for the worker alone.
    #[inline]
    pub(crate) fn count_epoch(&self) {
        // Ordering: Relaxed: the watchdog samples it; where it must not miss a change, it is inside a pair.
        self.epoch.store(self.epoch.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Where the worker is going to sleep; before it announces that it does.
    pub(crate) fn make_bed(&self, bed: Bed) {
        // Ordering: Relaxed: published by the announcement that follows.
        self.in_reactor.store(bed == Bed::Reactor, Ordering::Relaxed);
    }

    /// Where the worker sleeps; for whoever claimed it.
    pub(crate) fn bed(&self) -> Bed {
        // Ordering: Relaxed: the claim acquired what the announcement published.
        if self.in_reactor.load(Ordering::Relaxed) { Bed::Reactor } else { Bed::Parker }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // A thread that shutdown did not wait for may have completed its task after the last look.
        drop(self.drain_finished());
    }
}

impl Local {
    /// A task that is next, because its data are warm; how many it left waiting behind it.
    #[inline(always)]
    pub(crate) fn push(&mut self, task: Runnable) -> usize {
        let Some(displaced) = self.lifo.replace(task) else { return 0 };
        self.private.push_back(displaced);
        self.private.len()
    }

    /// Ready tasks that somebody else may run.
    pub(crate) fn ready(&self) -> usize {
        usize::from(self.lifo.is_some()) + self.private.len() + self.shared.len()
    }

    /// Moves the oldest private tasks to where thieves find them; `true` if there are any there now.
    pub(crate) fn publish(&mut self) -> bool {
        let before = self.shared.len();
        let room = queue::SHARED_CAPACITY - before;
        if before == 0 {
            // The next choice is the slot's, even if its turn is over: otherwise the owner would take back what it has just
            // offered, and what lies in the slot, where no peer can reach it, would wait behind that. Once: if nobody
            // came for it, the next choice is the oldest again.
            self.streak = self.streak.min(LIFO_STREAK - 1);
        }
        // Half is left for the owner, as a thief would leave it.
        let count = self.private.len().div_ceil(2).min(room);
        for task in (0..count).map_while(|_| self.private.pop_front()) {
            self.shared.push(task);
        }
        self.published = self.shared.len() > 0;
        self.published
    }

    /// Takes the older half of the private tasks, a batch at most.
    pub(crate) fn take_half(&mut self) -> Vec<Runnable> {
        let count = (self.private.len() / 2).min(queue::SHARED_CAPACITY);
        (0..count).map_while(|_| self.private.pop_front()).collect()
    }

    /// Takes everything that another worker may run, oldest first.
    pub(crate) fn take_all(&mut self) -> Vec<Runnable> {
        self.take_some(usize::MAX)
    }

    /// As [`take_all`](Self::take_all), with so many of the private tasks at most.
    pub(crate) fn take_some(&mut self, most: usize) -> Vec<Runnable> {
        let private = self.private.len().min(most);
        let mut some = Vec::with_capacity(self.shared.len() + private + 1);
        while let Some(task) = self.shared.pop() {
            some.push(task);
        }
        some.extend((0..private).map_while(|_| self.private.pop_front()));
        some.extend(self.lifo.take());
        some
    }
}

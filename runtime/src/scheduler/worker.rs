//! The step of a worker: choose a task, run it, look around.
//!
//! A worker is a thread that sits at a slot. `step` never blocks except in `sleep.rs`, so that the same loop can be driven
//! step by step.
//!
//! The order of things. Own tasks first: the pinned ones in turn with the rest, then the LIFO slot (three times in a row at
//! most, so that two tasks that wake each other cannot keep the others out, tokio issue 5686), then the oldest. What lies
//! elsewhere (the injector, the reactor, timers) is visited when nothing is left here, every [`ROUND`] steps, and when the
//! watchdog has seen it lie for a tick: by age, then, and the age is bounded by the watchdog's period plus one poll.

use super::Core;
use super::gather::Gather;
use super::look::Look;
use super::queue::{Fifo, Owner};
use super::share::{Pace, SAMPLE};
use super::slot::{LIFO_STREAK, Local, Slot};
use crate::observe::unhandled::UnhandledKind;
use crate::task::{Runnable, TaskId, recycle};
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use core::task::Waker;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::{Patience, Shared, contain};

/// Steps between visits to what lies elsewhere.
pub(super) const ROUND: u32 = 64;
/// Steps between looks at whether the worker is to stay, and at its own timing.
pub(super) const STRIDE: u32 = SAMPLE;

/// 2^64 by the golden ratio: steps of it lie far from each other.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A thread that sits at a slot.
pub struct Worker {
    pub(crate) core: Shared<Core>,
    pub(crate) index: usize,
    /// The slot of that index: looked up once, used many times a step.
    slot: NonNull<Slot>,
    pub(super) multi: bool,
    /// Whether there are others to share with; a spare is there while this worker is blocked, and then it is robbed.
    pub(super) has_peers: bool,
    pub(super) steps: Cell<u32>,
    /// The step at which it last looked around.
    pub(super) looked_at: Cell<u32>,
    /// Counted among the searchers of `idle`.
    pub(crate) searching: Cell<bool>,
    pub(super) random: Cell<u32>,
    /// From which the next task is drawn; 0 if the oldest is next.
    lots: Cell<u64>,
    /// Where stolen tasks land before they become this worker's own.
    pub(super) landing: RefCell<Option<Owner>>,
    /// The same for half of a peer's private queue; empty in between.
    pub(super) haul: RefCell<Fifo>,
    pub(super) pace: Pace,
    pub(super) gather: Gather,
    /// How well the keeper has looked after entrusted timers: see `sleep.rs`.
    pub(super) trust: Cell<u32>,
    /// From which length on it is worth looking at again.
    pub(super) share_at: Cell<usize>,
    pub(super) patience: RefCell<Patience>,
    /// Kept to save an allocation per turn.
    pub(crate) ready: Cell<Vec<Waker>>,
    /// How many tasks are being polled inside of the poll that spawned them.
    pub(super) eager: Cell<u32>,
    /// It began to keep freed cells as it sat down, and so ends that.
    keeps_cells: bool,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// A task was polled.
    Polled,
    /// Nothing was ready; the worker looked around or slept.
    Looked,
}

impl Worker {
    /// Takes a seat. One thread at a time may sit at a slot; the caller sees to it.
    pub(crate) fn sit(core: Shared<Core>, index: usize) -> Self {
        let keeps_cells = recycle::enter_worker(|| core.slots[index].cells.lock().take());
        let random = (index as u32).wrapping_mul(0x9E37_79B9) | 1;
        let (slot, multi) = (NonNull::from(&*core.slots[index]), core.config.multi);
        let lots = core.config.seed.filter(|_| !multi).map_or(0, |seed| (seed ^ GOLDEN).max(1));
        let has_peers = multi && core.config.workers > 1;
        if has_peers {
            core.slots[index].place.enter();
        }
        Self {
            core,
            index,
            slot,
            multi,
            has_peers,
            steps: Cell::new(0),
            looked_at: Cell::new(0),
            searching: Cell::new(false),
            random: Cell::new(random),
            lots: Cell::new(lots),
            landing: RefCell::new(None),
            haul: RefCell::new(Fifo::new()),
            pace: Pace::default(),
            gather: Gather::default(),
            trust: Cell::new(0),
            share_at: Cell::new(usize::MAX),
            patience: RefCell::new(Patience::default()),
            ready: Cell::new(Vec::new()),
            eager: Cell::new(0),
            keeps_cells,
        }
    }

    #[inline(always)]
    pub(crate) fn slot(&self) -> &Slot {
        // SAFETY: slots never move, and the core that owns them is held as long as this worker lives.
        unsafe { self.slot.as_ref() }
    }

    /// The owner's section of this worker's slot.
    #[inline(always)]
    pub(crate) fn own<R>(&self, section: impl FnOnce(&mut Local) -> R) -> R {
        // SAFETY: a Worker is the one thread that sits at its slot (sit), it is not Sync, and no section contains code
        // that could start another.
        unsafe { self.slot().local.own(section) }
    }

    /// Whether this worker stands in for a blocked one and leaves again.
    pub(crate) fn is_spare(&self) -> bool {
        self.index >= self.core.config.workers
    }

    /// The id of the task that is being polled.
    pub(crate) fn current(&self) -> Option<TaskId> {
        self.own(|local| local.current.map(|(id, _)| id))
    }

    /// One step.
    pub(crate) fn step(&self) -> Step {
        let begun = Cell::new(false);
        self.steps(1, &|| !begun.replace(true))
    }

    /// Steps for as long as `stays` says, which is asked after each `stride` steps and whenever there was nothing to do.
    /// What the last of them came to.
    pub(crate) fn steps(&self, stride: u32, stays: &dyn Fn() -> bool) -> Step {
        let (mut again, mut last) = (None, Step::Looked);
        while stays() {
            for _ in 0..stride {
                last = self.step_after(&mut again);
                if last == Step::Looked {
                    break;
                }
            }
        }
        if let Some(task) = again {
            self.push_back(task);
        }
        last
    }

    /// One step after one that polled `again`, which was woken by that and has not been queued yet; on return the same of this
    /// step. So that a task which yields costs one section, not two; nothing that could block comes in between.
    #[inline(always)]
    fn step_after(&self, again: &mut Option<Runnable>) -> Step {
        let slot = self.slot();
        if slot.nudged.load(Ordering::Relaxed) | slot.has_mail.load(Ordering::Relaxed) {
            self.attend(again);
        }
        let steps = self.steps.get().wrapping_add(1);
        self.steps.set(steps);
        if steps.is_multiple_of(STRIDE) || !self.multi {
            self.pause(steps, again);
        }
        match self.next(steps, again) {
            Some(task) => {
                self.pace.count(task.header().polls.get() == 0);
                slot.count_epoch();
                *again = task.poll();
                slot.count_epoch();
                slot.counters.polls.bump();
                Step::Polled
            }
            None => {
                if self.has_peers {
                    self.stretch_ends(steps);
                }
                self.find_or_sleep();
                if self.has_peers {
                    self.stretch_begins(steps);
                }
                Step::Looked
            }
        }
    }

    /// Others left something for this worker.
    #[cold]
    fn attend(&self, again: &mut Option<Runnable>) {
        if let Some(task) = again.take() {
            self.push_back(task);
        }
        let slot = self.slot();
        if slot.nudged.load(Ordering::Relaxed) {
            // Ordering: Acquire pairs with nudge_all's Release: what this worker polls from now on knows of a wind-down.
            let _ = slot.nudged.load(Ordering::Acquire);
            slot.nudged.store(false, Ordering::Relaxed);
            self.core.wind_down.ring();
            if self.has_peers {
                self.sample(self.steps.get().wrapping_add(1));
            }
            self.look_around(Look::Everywhere);
        }
        if slot.has_mail.load(Ordering::Relaxed) {
            self.open_mail();
        }
        self.end_search_that_found();
    }

    /// What is done now and then between two polls.
    #[inline(never)]
    fn pause(&self, steps: u32, again: &mut Option<Runnable>) {
        if let Some(task) = again.take() {
            self.push_back(task);
        }
        if self.has_peers {
            if self.sample(steps) {
                self.take_injected();
            }
        } else if !self.multi {
            // First in, first out holds for tasks from outside as well.
            self.take_injected();
            if self.lots.get() != 0 {
                self.draw();
            }
        }
        if steps.is_multiple_of(ROUND) {
            self.look_around(Look::Near);
        }
        self.end_search_that_found();
    }

    /// Has one of the ready tasks be next, whichever the seed says.
    #[cold]
    fn draw(&self) {
        let state = self.lots.get().wrapping_add(GOLDEN).max(1);
        self.lots.set(state);
        // The finisher of SplitMix64.
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let drawn = mixed ^ (mixed >> 31);
        self.own(|local| {
            let ready = local.private.len() as u64;
            if ready > 1 {
                local.private.bring_forward((drawn % ready) as usize);
            }
        });
    }

    /// Chooses the next of this worker's own tasks.
    #[inline(always)]
    fn next(&self, steps: u32, again: &mut Option<Runnable>) -> Option<Runnable> {
        let has_work = &self.slot().has_work;
        let multi = self.multi;
        self.own(|local| {
            if let Some(task) = again.take() {
                self.pace.yielded();
                if multi && task.header().spec.pinned {
                    local.pinned.push_back(task);
                } else {
                    local.private.push_back(task);
                }
            }
            let task = Self::choose(local, steps, has_work);
            local.current = task.as_ref().map(|task| {
                let spec = &task.header().spec;
                (spec.id, spec.location)
            });
            task
        })
    }

    #[inline(always)]
    fn choose(local: &mut Local, steps: u32, has_work: &AtomicBool) -> Option<Runnable> {
        // Pinned tasks have every other step, so that neither side starves the other. One in between does not make the
        // slot's turn any longer.
        if !local.pinned.is_empty() && (steps & 1 == 0 || local.ready() == 0) {
            return local.pinned.pop_front();
        }
        if local.streak < LIFO_STREAK
            && let Some(task) = local.lifo.take()
        {
            local.streak += 1;
            return Some(task);
        }
        local.streak = 0;
        if local.published
            && let Some(task) = Self::oldest(local, has_work)
        {
            return Some(task);
        }
        match local.private.pop_front() {
            Some(task) => Some(task),
            None => Self::newest(local),
        }
    }

    /// From the part that others reach.
    #[cold]
    fn oldest(local: &mut Local, has_work: &AtomicBool) -> Option<Runnable> {
        let task = local.shared.pop();
        if local.shared.len() == 0 {
            local.published = false;
            has_work.store(false, Ordering::Relaxed);
        }
        task
    }

    /// What is left when the slot has had its turn.
    #[cold]
    fn newest(local: &mut Local) -> Option<Runnable> {
        local.lifo.take().or_else(|| local.pinned.pop_front())
    }

    /// Runs code that is not ours outside of every task: wakers, destructors. If it blocks, the watchdog sees it like a poll,
    /// and nobody relies on this worker meanwhile.
    pub(crate) fn foreign(&self, code: impl FnOnce()) {
        if self.searching.get() {
            self.found_work();
        }
        self.own(|local| local.current = None);
        self.slot().count_epoch();
        if let Err(payload) = contain(code) {
            self.core.report_panic(UnhandledKind::WakerPanicked, payload);
        }
        self.slot().count_epoch();
    }

    /// Runs a part of a worker's step inside of a poll, which is suspended meanwhile, in the eyes of the watchdog too.
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only settle() looks around inside of a poll"))]
    pub(crate) fn outside_of_poll(&self, part: impl FnOnce()) {
        let current = self.own(|local| local.current);
        self.slot().count_epoch();
        part();
        self.slot().count_epoch();
        self.own(|local| local.current = current);
    }

    /// Calls wakers that came out of the reactor or a wheel: our own tasks first, then foreign code, one by one.
    pub(crate) fn wake_all(&self, ready: &mut Vec<Waker>) {
        if ready.len() > 1 {
            // Whoever waited long has left the caches; fetched one by one, each would be waited for.
            ready.iter().for_each(crate::task::waker::fetch);
        }
        let mut foreign = Vec::new();
        for waker in ready.drain(..) {
            if crate::task::waker::task_of(&waker).is_some() {
                waker.wake();
            } else {
                foreign.push(waker);
            }
        }
        for waker in foreign {
            self.foreign(|| waker.wake());
        }
    }

    /// Whether there is something to run here.
    pub(super) fn has_own_work(&self) -> bool {
        self.own(|local| local.ready() + local.pinned.len()) > 0
    }

    /// A search ends with the work that it found, before that runs: it may block, and publishers rely on searchers. Called
    /// wherever a worker may have got tasks outside of a poll.
    pub(crate) fn end_search_that_found(&self) {
        if self.searching.get() && self.has_own_work() {
            self.found_work();
        }
    }

    /// Wakes one sleeper, if there is one, to run beside this worker.
    pub(super) fn wake_peer(&self) {
        let core = &*self.core;
        let Some(peer) = core.idle.claim_any() else { return };
        let place = &core.slots[peer].place;
        if self.slot().place.is_also_of(place) {
            let awake = core.slots.iter().enumerate().filter(|(slot, _)| *slot != peer && !core.idle.sleeps(*slot));
            place.keep_off(awake.filter_map(|(_, slot)| slot.place.last()));
        }
        core.wake(peer);
    }

    /// Ends this worker's part in the search, and hands the search on if it was the last.
    #[cold]
    pub(super) fn found_work(&self) {
        self.searching.set(false);
        if self.core.idle.end_search_with_work(|| self.core.has_visible_work()) == super::idle::Searcher::Last {
            self.wake_peer();
        }
    }

    /// A task woken or spawned by the task that runs here: it is next.
    #[inline]
    pub(crate) fn push(&self, task: Runnable) {
        if self.multi && !task.header().spec.pinned {
            let backlog = self.own(|local| local.push(task));
            self.pushed(backlog);
        } else {
            self.push_back(task);
        }
    }

    /// A task that goes behind everything that is ready.
    #[inline]
    pub(crate) fn push_back(&self, task: Runnable) {
        if self.multi && task.header().spec.pinned {
            if task.header().spec.owner() as usize != self.index {
                return self.core.inject(task);
            }
            self.own(|local| local.pinned.push_back(task));
        } else {
            self.own(|local| local.private.push_back(task));
        }
    }

    fn open_mail(&self) {
        let slot = self.slot();
        slot.has_mail.store(false, Ordering::Relaxed);
        let mail = core::mem::take(&mut *slot.inbox.lock());
        self.own(|local| local.pinned.extend(mail));
    }

    /// Gives everything that others may run to them: this worker leaves, or is about to block.
    pub(crate) fn hand_over(&self) {
        self.try_all();
        let tasks = self.own(Local::take_all);
        self.slot().has_work.store(false, Ordering::Relaxed);
        for task in tasks {
            self.core.inject(task);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.has_peers {
            self.slot().place.leave();
        }
        if self.keeps_cells {
            let cells = recycle::leave_worker();
            if !self.multi {
                *self.slot().cells.lock() = cells;
            }
        }
    }
}

impl core::fmt::Debug for Worker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).finish_non_exhaustive()
    }
}

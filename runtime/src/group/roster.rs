//! Who belongs to a group, and when the last of them has ended.
//!
//! A child costs its group one compare-exchange, as it is spawned, and nothing as it ends, unless somebody waits for it by then. So
//! the children are a stack that grows at its head without a lock, and a child has ended when its task is complete.
//!
//! | word | written by | means |
//! |---|---|---|
//! | `head` | spawning; the group, under the lock | the place of the youngest child, and what was decided of the group |
//! | `next` of a place | its child as it is spawned; whoever sweeps, under the lock | the place of the child spawned before |
//! | `COUNTED` of a task | its spawn, or whoever begins to wait | it is one of `remaining`, and counts itself out when it is complete |
//! | `remaining` | whoever begins to wait; children that are spawned or end from then on | those that are waited for |
//! | `dead`, `sweep_at` | children that end, and whoever sweeps | a hint: when a look for places to give up is worth it |
//!
//! A place lies in the cell of its task, and holds a reference to that until it is swept, after the task's end. What was decided:
//!
//! | bit of `head` | set by | means |
//! |---|---|---|
//! | `CLOSED` | the group as it ends; draining | no child is taken any more |
//! | `CANCELLED` | whoever cancels, under the lock, after the cause | children spawned from now on are born cancelled |
//! | `AWAITED` | whoever waits for the children, under the lock | children spawned from now on are counted |
//!
//! Races (model L17):
//! 1. Spawning against cancelling: both change `head`. Spawned first: the canceller's walk finds the child. Cancelled first: the
//!    child finds the bit, and is never polled.
//! 2. Spawning against closing: the same. Whoever closes without having waited has seen every child complete, and closes only if
//!    none came since. While somebody waits, a spawn has to count its child in first, which fails once nobody remains.
//! 3. The end of a child against the beginning of a wait: `COUNTED` stands in the word in which the task completes. Either the
//!    child is found complete, or it finds the bit and counts itself out.
//! 4. The first to be counted out against the count: the waiter is one of those that remain, by a large number, until it is through.
//! 5. The last to be counted out against whoever waits: it takes the waker under the lock, under which the waiter leaves it and looks
//!    at `remaining`. Until then it keeps the group alive (`Hub::keeps`).
//! 6. Sweeping against spawning: the place at the head is never swept, so what spawning changes and what sweeping changes are not
//!    the same words.

use crate::task::cell::{self, Header};
use core::cell::Cell;
use core::ptr::{self, NonNull};
use weftwork_sync::primitive::UnsafeCell;
use weftwork_sync::primitive::atomic::{AtomicPtr, AtomicUsize, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;

const CLOSED: usize = 1;
const CANCELLED: usize = 1 << 1;
const AWAITED: usize = 1 << 2;
const FLAGS: usize = CLOSED | CANCELLED | AWAITED;

/// What a waiter counts for, until it knows for how many it waits.
const WAITER: usize = usize::MAX >> 1;
/// So many children that have ended are always worth giving up.
const FEW: usize = 32;

pub(super) struct Roster {
    head: AtomicPtr<Place>,
    remaining: AtomicUsize,
    dead: Counter,
    sweep_at: Counter,
}

/// The place of a child, in the cell of its task.
#[repr(align(8))]
pub(super) struct Place {
    next: UnsafeCell<*const Place>,
    task: Cell<NonNull<Header>>,
}

/// The right to follow the places, and to change how they follow each other: whoever holds the group's lock has it.
#[derive(Default)]
pub(super) struct Links(());

/// How a spawn ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered {
    Member {
        cancelled: bool,
    },
    /// No child is taken any more. `last` if the caller was counted among those that remain, and was the last of them.
    Closed {
        last: bool,
    },
}

fn place(head: *mut Place) -> *const Place {
    head.map_addr(|address| address & !FLAGS)
}

fn has(head: *mut Place, flag: usize) -> bool {
    head.addr() & flag != 0
}

impl Place {
    pub(super) fn new() -> Self {
        Self { next: UnsafeCell::new(ptr::null()), task: Cell::new(NonNull::dangling()) }
    }
}

/// Follows the places from the youngest on.
struct Walk<'a> {
    at: *const Place,
    _links: &'a Links,
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a Header;

    fn next(&mut self) -> Option<&'a Header> {
        // SAFETY: a place that was reached is not given up while the links are borrowed, and with it its task lives; `next` changes
        // only by whoever has the links.
        unsafe {
            let place = self.at.as_ref()?;
            self.at = place.next.with(|next| *next);
            Some(place.task.get().as_ref())
        }
    }
}

/// Places that were given up, and still hold their references.
#[must_use = "the references have to be given up, outside of every lock"]
pub(super) struct Swept(*const Place);

impl Swept {
    /// Frees the tasks that nobody else holds.
    pub(super) fn release(self) {
        let mut at = self.0;
        // SAFETY: off the list, so this thread's alone.
        while let Some(place) = unsafe { at.as_ref() } {
            // SAFETY: as above; the reference is given up once, after the last look at the place.
            unsafe {
                at = place.next.with(|next| *next);
                cell::release(place.task.get());
            }
        }
    }
}

impl Roster {
    pub(super) fn new() -> Self {
        Self {
            head: AtomicPtr::new(ptr::null_mut()),
            remaining: AtomicUsize::new(0),
            dead: Counter::new(0),
            sweep_at: Counter::new(0),
        }
    }

    /// A child takes its place.
    ///
    /// # Safety
    /// The task is new and nobody else's yet; the place lies in its cell, and the roster outlives it (`Hub`).
    #[inline]
    pub(super) unsafe fn enter(&self, place: &Place, task: NonNull<Header>) -> Entered {
        // SAFETY: as the caller promises.
        let state = unsafe { &task.as_ref().state };
        place.task.set(task);
        state.reference_new();
        let mut counted = false;
        // Ordering: Acquire, with the Release of `wait`: whoever finds AWAITED finds `remaining`.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let awaited = has(head, AWAITED);
            // Race 2.
            if has(head, CLOSED) || (awaited && !counted && !self.count_in()) {
                state.release_new();
                return Entered::Closed { last: counted && self.count_out() };
            }
            if awaited && !counted {
                counted = true;
                state.count_new();
            }
            // SAFETY: nobody knows of the place yet.
            place.next.with_mut(|next| unsafe { *next = self::place(head) });
            let new = ptr::from_ref(place).cast_mut().map_addr(|address| address | (head.addr() & FLAGS));
            // Ordering: Release publishes the place to walks; Acquire as above.
            match self.head.compare_exchange_weak(head, new, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return Entered::Member { cancelled: has(head, CANCELLED) },
                Err(seen) => head = seen,
            }
        }
    }

    /// One more remains; `false` if nobody does any more.
    fn count_in(&self) -> bool {
        let mut now = self.remaining.load(Ordering::Relaxed);
        while now > 0 {
            // Ordering: Relaxed: whoever sees none remaining sees it by the decrement of the last.
            match self.remaining.compare_exchange_weak(now, now + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
        false
    }

    /// One of those that are counted has ended; `true` if it was the last.
    pub(super) fn count_out(&self) -> bool {
        // Ordering: AcqRel: what each came to is published to whoever sees that nobody remains.
        self.remaining.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// A child is about to end; `true` if it is time to sweep.
    #[inline]
    pub(super) fn ends(&self) -> bool {
        // A hint: one that is lost delays the sweep by one.
        self.dead.bump();
        self.dead.get() >= FEW as u64 + self.sweep_at.get()
    }

    pub(super) fn is_closed(&self) -> bool {
        // Ordering: Acquire: whoever finds it closed finds what its children came to, if it has ended.
        has(self.head.load(Ordering::Acquire), CLOSED)
    }

    /// From now on no child is taken.
    pub(super) fn close(&self) {
        let _ = self.set(CLOSED);
    }

    /// From now on children are born cancelled; those that are there are the caller's to cancel.
    pub(super) fn cancel(&self, _links: &Links) {
        let _ = self.set(CANCELLED);
    }

    fn set(&self, flag: usize) -> *mut Place {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let new = head.map_addr(|address| address | flag);
            // Ordering: Release publishes what the caller did before (the cause, `remaining`) to spawns; Acquire, the places that are
            // there to the caller's walk.
            match self.head.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return new,
                Err(seen) => head = seen,
            }
        }
    }

    /// The tasks of all places, the youngest first.
    pub(super) fn tasks<'a>(&self, links: &'a Links) -> impl Iterator<Item = &'a Header> + use<'a> {
        // Ordering: Acquire pairs with enter's Release: the places are whole.
        Walk { at: place(self.head.load(Ordering::Acquire)), _links: links }
    }

    /// Those that have not ended.
    pub(super) fn live<'a>(&self, links: &'a Links) -> impl Iterator<Item = &'a Header> + use<'a> {
        self.tasks(links).filter(|task| !task.state.is_complete())
    }

    /// Closes the group if everybody has ended; not while somebody waits, who is told.
    pub(super) fn close_if_over(&self, links: &Links) -> bool {
        // Ordering: Acquire as in `tasks`.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            if has(head, AWAITED) || (Walk { at: place(head), _links: links }).any(|task| !task.state.is_complete()) {
                return false;
            }
            let new = head.map_addr(|address| address | CLOSED);
            // Ordering: Release, with is_closed; Acquire for the next look.
            match self.head.compare_exchange(head, new, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return true,
                Err(seen) => head = seen,
            }
        }
    }

    /// Begins to wait for those that have not ended, unless somebody did; how that stands.
    pub(super) fn wait(&self, links: &mut Links) -> Waiting {
        // Ordering: Relaxed: set under the lock.
        if has(self.head.load(Ordering::Relaxed), AWAITED) {
            // Ordering: Acquire pairs with count_out.
            return if self.remaining.load(Ordering::Acquire) == 0 { Waiting::Over } else { Waiting::Goes };
        }
        // Race 4. Ordering: Relaxed: published by `set`.
        self.remaining.store(WAITER, Ordering::Relaxed);
        let head = self.set(AWAITED);
        let walk = Walk { at: place(head), _links: links };
        // Race 3.
        let counted = walk.filter(|task| task.state.count()).count();
        let rest = WAITER - counted;
        // Ordering: as in count_out.
        if self.remaining.fetch_sub(rest, Ordering::AcqRel) == rest { Waiting::Over } else { Waiting::Begun }
    }

    /// Gives up the places of children that have ended, and are not to be kept.
    pub(super) fn sweep(&self, _links: &mut Links, keep: impl Fn(&Header) -> bool) -> Swept {
        let (mut swept, mut live) = (ptr::null(), 0);
        // Ordering: Acquire as in `tasks`.
        let mut before = place(self.head.load(Ordering::Acquire));
        // SAFETY: as in Walk. Race 6: the first one stays.
        while let Some(kept) = unsafe { before.as_ref() } {
            // SAFETY: as in Walk.
            let next = kept.next.with(|next| unsafe { *next });
            // SAFETY: as in Walk.
            let Some(candidate) = (unsafe { next.as_ref() }) else { break };
            // SAFETY: its place holds a reference.
            let task = unsafe { candidate.task.get().as_ref() };
            if task.state.is_complete() && !keep(task) {
                // SAFETY: the links are the caller's, and neither place is the head, or the head's `next` alone is changed.
                unsafe {
                    let after = candidate.next.with(|next| *next);
                    kept.next.with_mut(|next| *next = after);
                    candidate.next.with_mut(|next| *next = swept);
                }
                swept = next;
            } else {
                live += 1;
                before = next;
            }
        }
        self.dead.set(0);
        self.sweep_at.set(live);
        Swept(swept)
    }

    /// Gives up all places: everybody has ended, and nobody comes any more.
    pub(super) fn clear(&self, _links: &mut Links) -> Swept {
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let new = ptr::null_mut::<Place>().map_addr(|_| head.addr() & FLAGS | CLOSED);
            // Ordering: Acquire as in `tasks`; Release, with is_closed.
            match self.head.compare_exchange(head, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Swept(place(head)),
                Err(seen) => head = seen,
            }
        }
    }
}

/// How a wait for the children stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Everybody has ended.
    Over,
    /// It has just begun: the last child has to find whom to tell, and the group.
    Begun,
    /// It has begun before.
    Goes,
}

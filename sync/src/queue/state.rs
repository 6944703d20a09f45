//! The protocol of all three queues: the items, who waits on either side, and the end, all under one lock.
//!
//! # Waiting
//! Getters wait for an item and putters for room, each side in a line of its own, and it is the same protocol twice. Whoever is
//! told is taken off its line, but that is a hint: the item (the room) is not set aside, and another may come first. Then the
//! one that came too late goes back to the front, one time later. Who has come too late [`PATIENCE`] times is told only when
//! something can be *kept* for it: the line counts those, and nobody else may take what it counts. So a future that is
//! kept and never polled holds up nobody, unless it has been late so often.
//!
//! # Why nobody sleeps beside an item (beside room)
//! Said for items. One is *free* if it is kept for nobody. Invariant, whenever the lock is free: if getters wait in line, there are at
//! least as many that were told and have not looked yet as there are free items. Each step keeps it:
//! 1. An item is put: one more is free, and one more is told; or it is kept for the one that is told.
//! 2. Somebody takes a free item, told or not: at least one free item less.
//! 3. Who was told finds nothing free and goes back into the line: no item is free.
//! 4. Who was told is dropped: what was kept for it becomes free, and if anything is free the next is told.
//! 5. A getter joins the line only when nothing is free, and before the end.
//! 6. The end (shutdown) takes everybody off both lines, and from then on nothing is kept for anybody: what is left belongs to
//!    whoever looks first, so that no getter gives up beside an item that is kept for one which is then dropped.
//!
//! # Foreign code under the lock
//! Comparing the items of a priority queue cannot be done elsewhere. It is done before anything changes (`order.rs`), and
//! before the waiter's outcome is taken note of: if it panics, the future still owes what it was told, and step 4 passes it on.

use super::order::Order;
use super::unfinished::Unfinished;
use crate::primitive::{Mutex as ListLock, MutexGuard};
use crate::waiters::{List, Outcome, Phase, Waiter};
use crate::{WakeBatch, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// How often one that was told comes too late before something is kept for it.
pub(super) const PATIENCE: usize = 4;

/// No bound on the number of items.
pub(super) const UNBOUNDED: usize = usize::MAX;

/// Those who wait on one side.
struct Line {
    list: List,
    /// How many were told for whom something is kept.
    kept: usize,
}

impl Line {
    const fn new() -> Self {
        Self { list: List::new(), kept: 0 }
    }

    /// Tells the first; the caller saw that something is free for it.
    fn tell(&mut self) -> Option<Waker> {
        let late = self.list.front_tag(|late| *late)?;
        if late >= PATIENCE {
            self.kept += 1;
        }
        self.list.take_front(Outcome::Granted).flatten()
    }

    /// The waiter is done with waiting, however far it got. Returns a waker to be dropped after the lock.
    fn settle(&mut self, waiter: Pin<&Waiter>, mine: bool) -> Option<Waker> {
        if mine {
            self.kept -= 1;
        }
        match waiter.phase() {
            Phase::Idle => None,
            // SAFETY: linked, in this list by the contract of `Core::poll`; under the lock.
            Phase::Waiting | Phase::Woken => unsafe { self.list.unlink(waiter) },
            Phase::Granted | Phase::Swept => {
                waiter.finish();
                None
            }
        }
    }
}

/// Which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Getters,
    Putters,
}

struct State<O> {
    items: O,
    getters: Line,
    putters: Line,
    shut_down: bool,
    max: usize,
}

impl<O: Order> State<O> {
    fn line(&mut self, side: Side) -> &mut Line {
        match side {
            Side::Getters => &mut self.getters,
            Side::Putters => &mut self.putters,
        }
    }

    fn free_items(&self) -> usize {
        if self.shut_down { self.items.count() } else { self.items.count() - self.getters.kept }
    }

    fn free_room(&self) -> usize {
        if self.shut_down { 0 } else { self.max - self.items.count() - self.putters.kept }
    }

    /// Tells the next on that side if there is something for it.
    fn tell(&mut self, side: Side) -> Option<Waker> {
        let free = match side {
            Side::Getters => self.free_items(),
            Side::Putters => self.free_room(),
        };
        if free > 0 { self.line(side).tell() } else { None }
    }
}

/// What somebody who looked came away with, and whom that concerns.
pub(super) struct Looked<R> {
    got: R,
    tell: Option<Waker>,
}

/// Nothing is to be had any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShutDown;

/// A waiter and how often it came too late, as it lies in the futures.
pub(super) struct Turn<'a> {
    pub(super) side: Side,
    pub(super) waiter: Pin<&'a Waiter>,
    pub(super) late: &'a mut usize,
}

impl Turn<'_> {
    /// Whether something is kept for it; the lock is held.
    fn is_kept_for(&self) -> bool {
        self.waiter.phase() == Phase::Granted && *self.late >= PATIENCE
    }
}

pub(super) struct Core<O> {
    state: ListLock<State<O>>,
    pub(super) unfinished: Unfinished,
}

/// What is seen from outside at one moment.
pub(super) struct Seen {
    pub(super) len: usize,
    pub(super) max: usize,
    pub(super) getters: usize,
    pub(super) putters: usize,
    pub(super) shut_down: bool,
}

impl<O> Core<O> {
    weft_const_fn! {
        pub(super) fn new(items: O, max: usize) -> Self {
            let state = State { items, getters: Line::new(), putters: Line::new(), shut_down: false, max };
            Self { state: ListLock::new(state), unfinished: Unfinished::new() }
        }
    }
}

impl<O: Order> Core<O> {
    /// One look for an item; `None`: there is nothing but waiting.
    pub(super) fn get(&self, state: &mut Held<'_, O>, mine: bool) -> Option<Looked<Result<O::Item, ShutDown>>> {
        let state = &mut state.0;
        if (mine || state.free_items() > 0)
            && let Some(item) = state.items.pop()
        {
            return Some(Looked { got: Ok(item), tell: state.tell(Side::Putters) });
        }
        state.shut_down.then_some(Looked { got: Err(ShutDown), tell: None })
    }

    /// One look for room for `item`, which is taken if there is some; `None`: there is nothing but waiting.
    pub(super) fn put(
        &self,
        state: &mut Held<'_, O>,
        mine: bool,
        item: &mut Option<O::Item>,
    ) -> Option<Looked<Result<(), ShutDown>>> {
        let state = &mut state.0;
        if state.shut_down {
            return Some(Looked { got: Err(ShutDown), tell: None });
        }
        if !mine && state.free_room() == 0 {
            return None;
        }
        // May panic; the item is still its owner's then.
        let place = state.items.place(item.as_ref()?);
        state.items.insert(item.take()?, place);
        // Before anybody can be done with it.
        self.unfinished.begin();
        Some(Looked { got: Ok(()), tell: state.tell(Side::Getters) })
    }

    /// Looks once, without waiting.
    pub(super) fn try_once<R>(&self, look: impl FnOnce(&mut Held<'_, O>) -> Option<Looked<R>>) -> Option<R> {
        let mut state = Held(self.state.lock());
        let looked = look(&mut state);
        drop(state);
        let Looked { got, tell } = looked?;
        wake(tell);
        Some(got)
    }

    /// Looks, and leaves the waiter in its line if there is nothing. `look` is told whether something is kept for this one; after the
    /// end it always comes away with something.
    ///
    /// # Safety
    /// A waiter always meets the same queue and the same side, and whoever owns it calls [`leave`](Self::leave) before it is freed.
    pub(super) unsafe fn poll<R>(
        &self,
        turn: &mut Turn<'_>,
        cx: &Context<'_>,
        mut look: impl FnMut(&mut Held<'_, O>, bool) -> Option<Looked<R>>,
    ) -> Poll<R> {
        let (side, waiter) = (turn.side, turn.waiter);
        let mut fresh = None;
        loop {
            let mut held = Held(self.state.lock());
            let mine = turn.is_kept_for();
            if let Some(Looked { got, tell }) = look(&mut held, mine) {
                let old = held.0.line(side).settle(waiter, mine);
                drop(held);
                drop(old);
                wake(tell);
                return Poll::Ready(got);
            }
            let list = &mut held.0.line(side).list;
            let phase = waiter.phase();
            let linked = matches!(phase, Phase::Waiting | Phase::Woken);
            // SAFETY: linked, in this list by contract; under the lock.
            if linked && unsafe { list.would_wake(waiter, cx) } {
                return Poll::Pending;
            }
            let Some(waker) = fresh.take() else {
                drop(held);
                fresh = Some(cx.waker().clone());
                continue;
            };
            let old = if linked {
                // SAFETY: as above.
                unsafe { list.set_waker(waiter, waker) }
            } else if phase == Phase::Idle {
                // SAFETY: not linked; the rest is the contract.
                unsafe { list.push_back(waiter, Some(waker), *turn.late) };
                None
            } else {
                waiter.finish();
                *turn.late += 1;
                // SAFETY: not linked; the rest is the contract.
                unsafe { list.push_front(waiter, Some(waker), *turn.late) };
                None
            };
            drop(held);
            drop(old);
            return Poll::Pending;
        }
    }

    /// The future of a waiter is dropped, or gives up.
    pub(super) fn leave(&self, turn: &mut Turn<'_>) {
        if turn.waiter.phase() == Phase::Idle {
            return;
        }
        let mut held = Held(self.state.lock());
        let mine = turn.is_kept_for();
        let told = turn.waiter.phase() == Phase::Granted;
        let old = held.0.line(turn.side).settle(turn.waiter, mine);
        let next = if told { held.0.tell(turn.side) } else { None };
        drop(held);
        drop(old);
        wake(next);
    }

    pub(super) fn shut_down(&self, immediate: bool) {
        let mut wakers = WakeBatch::new();
        let mut state = self.state.lock();
        state.shut_down = true;
        let drained = immediate.then(|| state.items.take());
        if let Some(drained) = &drained {
            // Under the lock, so that nobody finds the queue drained and the work on what was in it not done.
            self.unfinished.done_with(drained.count(), &mut wakers);
        }
        state.getters.list.take_all(Outcome::Swept, &mut wakers);
        state.putters.list.take_all(Outcome::Swept, &mut wakers);
        drop(state);
        wakers.wake_all();
        // The items are dropped last: their destructors are foreign, and nobody is to wait for them.
        drop(drained);
    }

    pub(super) fn see(&self) -> Seen {
        let state = self.state.lock();
        Seen {
            len: state.items.count(),
            max: state.max,
            getters: state.getters.list.len(),
            putters: state.putters.list.len(),
            shut_down: state.shut_down,
        }
    }
}

/// The state, locked; opaque to those who look.
pub(super) struct Held<'a, O>(MutexGuard<'a, State<O>>);

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

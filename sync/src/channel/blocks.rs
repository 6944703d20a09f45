//! The unbounded queue under the channel: a list of blocks, pushed at the tail by anyone, popped at the head by one at a time.
//!
//! The tail is that of crossbeam's `SegQueue` and list channel, and so of their ancestors, Michael and Scott's queue and
//! Morrison and Afek's: a position is claimed by a compare-exchange, and whoever claims the last slot of a block hangs the
//! next one on. The head differs: a receiver takes the *turn*, a bit in the head's word, for the few instructions in which
//! it reads a slot. So a slot is looked at before it is claimed and nobody waits for a value that is still being written; a block
//! has one owner when it is done with and is freed without counting its readers; and a pop is one read-modify-write.
//!
//! # The words
//! Both are 64 bits wide on every machine and so never come round.
//!
//! ```text
//!     tail    [ position | closed ]        head    [ position | turn ]
//! ```
//!
//! A position is a number of slots, of which every [`LAP`]th is not there: `position % LAP == LAP - 1` means that a block is
//! full and the next is being hung on. A block has `LAP - 1` slots, and each is written once and read once.
//!
//! # Who touches what
//!
//! | part | by whom |
//! |---|---|
//! | a slot's item | the sender that claimed its position, until it sets `written`; then the receiver that has the turn |
//! | a slot's `written` | set by that sender, its last touch of the block |
//! | a block's `next`, the tail's block | the sender that claimed its last slot, before it sets `written` there |
//! | the head's block | the receiver that has the turn |
//!
//! # Races
//! 1. The tail's block against its position, which are two words: a sender reads the position, then the block, then claims
//!    that position. The block changes only when the position stands at the missing slot, so if the claim succeeds, the
//!    block that was read is its own.
//! 2. Freeing against writing: a block is freed when its last item was taken. Each of its senders had set `written` by then,
//!    and the one of the last slot had hung the next block on.
//! 3. Closing against pushing: the bit is in the word that a claim exchanges. Closing while a block is being hung on
//!    changes nothing: the bit is carried along.
//! 4. The head never passes the tail: it moves over a slot after that was written, so after it was claimed, and over the
//!    missing slot after the tail had moved over it.
//!
//! # Who waits for whom
//! A receiver that finds the turn taken, and a sender that finds a block being hung on, wait for a few instructions of
//! another thread, and yield the processor if it takes long, as the other may need it. No code of users runs in between and
//! nothing is allocated.

use super::queue::{NotPopped, NotPushed, Queue};
use crate::primitive::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use crate::primitive::dekker::publish_then_check;
use crate::primitive::{UnsafeCell, hint, thread};
use core::mem::MaybeUninit;
use core::ptr;

/// Positions per block: its slots and one that is missing.
const LAP: u64 = 32;
const SLOTS: usize = LAP as usize - 1;

/// In the tail's word.
const CLOSED: u64 = 1;
/// In the head's word.
const TURN: u64 = 1;
/// One position.
const ONE: u64 = 2;

/// Looks before a thread yields to the one it waits for.
const LOOKS: u32 = 64;

struct Slot<T> {
    written: AtomicBool,
    item: UnsafeCell<MaybeUninit<T>>,
}

struct Block<T> {
    next: AtomicPtr<Block<T>>,
    slots: [Slot<T>; SLOTS],
}

impl<T> Block<T> {
    fn new() -> Box<Self> {
        let slot = |_| Slot { written: AtomicBool::new(false), item: UnsafeCell::new(MaybeUninit::uninit()) };
        Box::new(Self { next: AtomicPtr::new(ptr::null_mut()), slots: core::array::from_fn(slot) })
    }
}

/// Bytes that keep the two ends off each other's cache lines.
const BESIDE: usize = 128 - size_of::<u64>() - size_of::<usize>();

#[repr(C)]
pub struct Blocks<T> {
    tail: AtomicU64,
    tail_block: AtomicPtr<Block<T>>,
    _between: MaybeUninit<[u8; BESIDE]>,
    head: AtomicU64,
    head_block: UnsafeCell<*mut Block<T>>,
}

// SAFETY: items move in at one thread and out at another; `written` and the turn order the two.
unsafe impl<T: Send> Send for Blocks<T> {}
// SAFETY: as above; no reference to an item is ever given out.
unsafe impl<T: Send> Sync for Blocks<T> {}

/// The index of a position's slot in its block; `SLOTS` where it is the missing one.
#[inline]
fn index(word: u64) -> usize {
    ((word / ONE) % LAP) as usize
}

/// How many items were there before this position.
fn items(word: u64) -> u64 {
    let position = word / ONE;
    position / LAP * (LAP - 1) + position % LAP
}

/// Waits a moment for another thread's next instructions.
#[cold]
fn pause(looks: &mut u32) {
    *looks += 1;
    if *looks < LOOKS {
        hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// The turn of a receiver; given back on drop.
struct Turn<'a, T> {
    queue: &'a Blocks<T>,
    /// Where the head stands, without the bit.
    head: u64,
    /// Blocks that are done with, as a list, to be freed when the turn is over.
    done: *mut Block<T>,
}

impl<T> Turn<'_, T> {
    /// Takes the next item, if it was written.
    #[inline]
    fn take(&mut self) -> Option<T> {
        let block = self.queue.head_block.with(|place| {
            // SAFETY: the turn is the caller's.
            unsafe { *place }
        });
        let at = index(self.head);
        // SAFETY: the head's block is freed by whoever has the turn only.
        let slot = unsafe { &(*block).slots[at] };
        // Ordering: Acquire pairs with push: the item is seen, and the next block behind a last one.
        if !slot.written.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: written, and read once, because the head moves on under the same turn.
        let item = slot.item.with(|place| unsafe { (*place).assume_init_read() });
        self.head += ONE;
        if at + 1 == SLOTS {
            self.leave_block(block);
        }
        Some(item)
    }

    #[cold]
    fn leave_block(&mut self, block: *mut Block<T>) {
        // SAFETY: race 2.
        let next = unsafe { &(*block).next };
        // Ordering: Relaxed, the Acquire of the last slot saw it hung on.
        let after = next.load(Ordering::Relaxed);
        // Ordering: Relaxed, the block is this thread's alone.
        next.store(self.done, Ordering::Relaxed);
        self.done = block;
        // SAFETY: the turn is the caller's.
        self.queue.head_block.with_mut(|place| unsafe { *place = after });
        // Over the missing slot.
        self.head += ONE;
    }
}

impl<T> Drop for Turn<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire of the next turn: the head's block is seen.
        self.queue.head.store(self.head, Ordering::Release);
        if !self.done.is_null() {
            free(self.done);
        }
    }
}

/// Frees blocks without items, chained by `next`.
#[cold]
fn free<T>(mut block: *mut Block<T>) {
    while !block.is_null() {
        // SAFETY: made by Box::into_raw, and nobody else's any more.
        let owned = unsafe { Box::from_raw(block) };
        // Ordering: Relaxed, the block is this thread's alone.
        block = owned.next.load(Ordering::Relaxed);
    }
}

impl<T> Blocks<T> {
    pub(super) fn new() -> Self {
        let first = Box::into_raw(Block::new());
        Self {
            tail: AtomicU64::new(0),
            tail_block: AtomicPtr::new(first),
            _between: MaybeUninit::uninit(),
            head: AtomicU64::new(0),
            head_block: UnsafeCell::new(first),
        }
    }

    /// Takes the turn, unless nothing is there to be taken.
    #[inline]
    fn turn(&self) -> Result<Turn<'_, T>, NotPopped> {
        let mut looks = 0;
        // Ordering: Relaxed, the compare-exchange validates it.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // Ordering: Acquire pairs with close(), so that what was done before is seen by who finds the channel closed.
            let tail = self.tail.load(Ordering::Acquire);
            if tail & !CLOSED == head & !TURN {
                return Err(if tail & CLOSED != 0 { NotPopped::Closed } else { NotPopped::Empty });
            }
            if head & TURN != 0 {
                pause(&mut looks);
                head = self.head.load(Ordering::Relaxed);
                continue;
            }
            // Ordering: Acquire pairs with the Release of the turn before.
            match self.head.compare_exchange_weak(head, head | TURN, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(Turn { queue: self, head, done: ptr::null_mut() }),
                Err(now) => head = now,
            }
        }
    }

    /// Claims a position for an item: its block, and its index there. The last slot's block has its next one.
    #[inline]
    fn claim(&self) -> Result<(*mut Block<T>, usize), NotPushed> {
        let mut next = None;
        let mut looks = 0;
        // Ordering: Acquire, here and below: race 1: a block that is read after a position is no older than that.
        let mut tail = self.tail.load(Ordering::Acquire);
        loop {
            if tail & CLOSED != 0 {
                return Err(NotPushed::Closed);
            }
            let block = self.tail_block.load(Ordering::Acquire);
            let at = index(tail);
            if at == SLOTS {
                pause(&mut looks);
                tail = self.tail.load(Ordering::Acquire);
                continue;
            }
            if at + 1 == SLOTS && next.is_none() {
                // Before the claim: others wait from then on until it hangs there.
                next = Some(Block::new());
            }
            // Ordering: AcqRel so that it is in one order with the stores of the tail's block, which race 1 relies on.
            match self.tail.compare_exchange_weak(tail, tail + ONE, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    if let (true, Some(next)) = (at + 1 == SLOTS, next) {
                        self.hang(block, next);
                    }
                    return Ok((block, at));
                }
                Err(now) => tail = now,
            }
        }
    }

    /// Hangs the next block on one whose last slot the caller has claimed and not written.
    #[cold]
    fn hang(&self, block: *mut Block<T>, next: Box<Block<T>>) {
        let next = Box::into_raw(next);
        // SAFETY: race 2: the block stays until its last slot is written.
        let link = unsafe { &(*block).next };
        // Ordering: Relaxed, published by `written` of the last slot.
        link.store(next, Ordering::Relaxed);
        // Ordering: Release publishes the block itself, and race 1.
        self.tail_block.store(next, Ordering::Release);
        // Ordering: Release: whoever sees the position behind the missing slot sees the block.
        self.tail.fetch_add(ONE, Ordering::Release);
    }
}

impl<T> Queue for Blocks<T> {
    type Item = T;

    #[inline]
    fn push<R>(&self, item: &mut Option<T>, check: impl FnOnce() -> R) -> Result<R, NotPushed> {
        let (block, at) = self.claim()?;
        // SAFETY: the block stays until every slot of it was written and read.
        let slot = unsafe { &(*block).slots[at] };
        if let Some(value) = item.take() {
            // SAFETY: the position was claimed, so the slot is the caller's until it says `written`.
            slot.item.with_mut(|place| unsafe { (*place).write(value) });
        }
        // Ordering: Release pairs with the Acquire in take. It is the last touch of the block.
        Ok(publish_then_check(|| slot.written.store(true, Ordering::Release), check))
    }

    #[inline]
    fn pop<R>(&self, check: impl FnOnce() -> R) -> Result<(T, R), NotPopped> {
        let mut turn = self.turn()?;
        // Nobody waits for room, so no fence is needed before the look; see rule 3 in `state.rs`.
        let item = turn.take().ok_or(NotPopped::Empty)?;
        drop(turn);
        Ok((item, check()))
    }

    fn pop_many<R>(&self, limit: usize, into: &mut Vec<T>, check: impl FnOnce() -> R) -> Result<(usize, R), NotPopped> {
        // What is there now, so that the vector grows before the turn and once.
        into.reserve(limit.min(self.len()).max(1));
        let mut turn = self.turn()?;
        let room = limit.min(into.capacity() - into.len());
        let mut taken = 0;
        while taken < room {
            let Some(item) = turn.take() else { break };
            into.push(item);
            taken += 1;
        }
        drop(turn);
        if taken == 0 { Err(NotPopped::Empty) } else { Ok((taken, check())) }
    }

    fn close(&self) -> bool {
        // Ordering: Release pairs with the Acquire in turn and is_closed; Acquire for symmetry between closers.
        self.tail.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    fn is_closed(&self) -> bool {
        // Ordering: Acquire pairs with close().
        self.tail.load(Ordering::Acquire) & CLOSED != 0
    }

    fn len(&self) -> usize {
        loop {
            // Ordering: Acquire, so that the loads stay in this order; the count is of one moment if the tail stood still.
            let tail = self.tail.load(Ordering::Acquire);
            let head = self.head.load(Ordering::Acquire);
            if self.tail.load(Ordering::Relaxed) == tail {
                // Race 4; and a tail at the missing slot counts as many as one behind it.
                return items(tail).saturating_sub(items(head)) as usize;
            }
            // Under a model checker a loop that waits for another thread has to say so.
            hint::spin_loop();
        }
    }

    fn capacity(&self) -> Option<usize> {
        None
    }

    fn room(&self) -> usize {
        usize::MAX
    }
}

impl<T> Drop for Blocks<T> {
    fn drop(&mut self) {
        // Alone by &mut self, so no claim is under way and pop finds every item (crossbeam 1187).
        while let Ok((item, ())) = self.pop(|| ()) {
            drop(item);
        }
        // SAFETY: as above.
        free(self.head_block.with(|place| unsafe { *place }));
    }
}

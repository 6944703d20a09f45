//! The protocol of the reader-writer lock, without the value: one word and a waiter list.
//!
//! # The word
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `WAITERS` | the queue is not empty | set by a waiter, cleared by whoever empties the queue, both under the queue's lock |
//! | `STOPS` | somebody waits there who is not merely waiting for the right to upgrade, so readers that come wait too | as `WAITERS` |
//! | `WRITER` | somebody owns the lock alone; excludes all below | see the table of requests |
//! | `UPGRADABLE` | one of the readers may upgrade | see the table of requests |
//! | the rest | readers, the upgradable one among them, in units of `READER` | see the table of requests |
//!
//! | request | met while | passed by | puts into the word | given back by taking out |
//! |---|---|---|---|---|
//! | `Read` | no `WRITER` | nobody | `READER` | `READER` |
//! | `Upgradable` | no `WRITER`, no `UPGRADABLE` | readers | `READER`, `UPGRADABLE` | both |
//! | `Write` | nothing is held | the upgrade | `WRITER` | `WRITER` |
//! | `Upgrade`, by whoever holds `UPGRADABLE` | it is the only reader | nobody | `WRITER` for its `READER` and `UPGRADABLE` | `WRITER` |
//!
//! Taking is a compare-exchange as long as those that wait do not stop it (a reader is stopped by `STOPS`, all others by
//! `WAITERS`), and is done under the queue's lock otherwise. So a writer that waits stops the readers that come after it.
//! Giving back is an addition, by anyone at any time; who finds `WAITERS` by it and may have made room serves the queue. A
//! downgrade is a giving back too.
//!
//! # The queue
//! First come, first served, and served as far as it goes: readers that stand side by side at the front come in together. Two
//! exceptions let nobody wait longer who could have been served before:
//! - An upgrade goes to the front. It holds the lock for reading, so no writer before it could be served; and there is at
//!   most one, for there is one `UPGRADABLE`.
//! - Whoever waits for `UPGRADABLE` alone is passed by readers, whom it could wait beside (parking_lot 101: that it stops them
//!   is a deadlock where the upgradable reader of the moment waits for one of them).
//!
//! # Why nobody sleeps beside a lock it could have
//! Invariant, whenever the queue's lock is free: nobody in the queue is met and not stopped by one before it, or somebody who
//! gave back saw `WAITERS` and is on its way to the queue.
//! 1. Waiting against giving back: a waiter sets `WAITERS` (and `STOPS`) by the read-modify-write that finds its request not
//!    met. Whoever gives back later finds the bits with its own.
//! 2. Of several readers that leave, one is the last in the order of the word, or the last but the upgradable one, and that
//!    one serves; the queue can wait for nothing else that a plain reader gives back.
//! 3. A waiter that is dropped may have been what the others waited behind (readers behind a writer): it serves the queue
//!    when it leaves.
//! 4. A waiter that is dropped after it was served gives back what it was given, which serves the queue.
//! 5. While `STOPS` is set nobody but the holder of the queue's lock takes, and while `WAITERS` is set readers do at most, who
//!    are in the way of a `Write` only, which sets `STOPS`. So a request that is found met under the lock stays met until
//!    that holder takes on its behalf.

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{Choice, List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

const WAITERS: usize = 1;
const STOPS: usize = 2;
const WRITER: usize = 4;
const UPGRADABLE: usize = 8;
const READER: usize = 16;

/// Above this a read is refused by a panic: somebody forgets guards (2^27 of them at least). What waiters add beyond it cannot
/// reach the end of the word, because each is a future in memory.
const LIMIT: usize = usize::MAX >> 1;

/// What is asked for, and what is held once it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Want {
    Read,
    Upgradable,
    Write,
    /// By whoever holds `Upgradable`; once met, it holds what `Write` does.
    Upgrade,
}

impl Want {
    fn of_tag(tag: usize) -> Self {
        match tag {
            tag if tag == Self::Read as usize => Self::Read,
            tag if tag == Self::Upgradable as usize => Self::Upgradable,
            tag if tag == Self::Write as usize => Self::Write,
            _ => Self::Upgrade,
        }
    }

    /// Whether those who hold the lock let it in. The queue is not looked at.
    #[inline]
    fn is_met(self, word: usize) -> bool {
        match self {
            Self::Read => word & WRITER == 0,
            Self::Upgradable => word & (WRITER | UPGRADABLE) == 0,
            Self::Write => held(word) == 0,
            Self::Upgrade => held(word) == READER | UPGRADABLE,
        }
    }

    /// Whether those who wait make it wait.
    #[inline]
    fn is_stopped(self, word: usize) -> bool {
        match self {
            Self::Read => word & STOPS != 0,
            Self::Upgradable | Self::Write => word & WAITERS != 0,
            Self::Upgrade => false,
        }
    }

    /// What it sets in the word when it joins the queue.
    fn waits(self) -> usize {
        match self {
            Self::Upgradable => WAITERS,
            Self::Read | Self::Write | Self::Upgrade => WAITERS | STOPS,
        }
    }

    /// What is added to the word when it is met.
    #[inline]
    const fn adds(self) -> usize {
        match self {
            Self::Read => READER,
            Self::Upgradable => READER | UPGRADABLE,
            Self::Write => WRITER,
            Self::Upgrade => WRITER.wrapping_sub(READER | UPGRADABLE),
        }
    }

    /// What a task that waits here waits for.
    fn what(self) -> coop::Wait {
        coop::Wait::new(match self {
            Self::Read => "a lock for reading",
            Self::Upgradable => "a lock for upgradable reading",
            Self::Write => "a lock for writing",
            Self::Upgrade => "the end of other readers",
        })
    }
}

/// What is held of the lock.
#[inline]
fn held(word: usize) -> usize {
    word & !(WAITERS | STOPS)
}

pub(super) struct RawRwLock {
    word: AtomicUsize,
    queue: ListLock<Queue>,
}

struct Queue {
    list: List,
    /// How many in it set `STOPS`.
    stopping: usize,
}

impl AsMut<List> for Queue {
    fn as_mut(&mut self) -> &mut List {
        &mut self.list
    }
}

impl RawRwLock {
    weft_const_fn! {
        pub(super) fn new() -> Self {
            Self { word: AtomicUsize::new(0), queue: ListLock::new(Queue { list: List::new(), stopping: 0 }) }
        }
    }

    /// Takes what is wanted if it is to be had and nobody who waits is before it.
    ///
    /// # Panics
    /// If there are more readers than can be told apart from forgotten guards.
    #[inline]
    pub(super) fn try_take(&self, want: Want) -> bool {
        let mut seen = self.word.load(Ordering::Relaxed);
        while want.is_met(seen) && !want.is_stopped(seen) {
            if want == Want::Upgrade && seen & WAITERS != 0 {
                return self.try_upgrade_past_waiters();
            }
            assert!(seen < LIMIT, "an RwLock has too many readers: are read guards forgotten by mem::forget?");
            let next = seen.wrapping_add(want.adds());
            // Ordering: Acquire pairs with the Release of whoever gave the lock back.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    #[cold]
    fn try_upgrade_past_waiters(&self) -> bool {
        // Rule 5: held, so that whoever serves finds what it found until it has taken.
        let _queue = self.queue.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        while Want::Upgrade.is_met(seen) {
            let next = seen.wrapping_add(Want::Upgrade.adds());
            // Ordering: as in try_take.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Gives back what `held` stands for.
    #[inline]
    pub(super) fn give(&self, held: Want) {
        match held {
            Want::Read => self.unlock_read(),
            Want::Upgradable => self.unlock_upgradable(),
            Want::Write | Want::Upgrade => self.unlock_write(),
        }
    }

    /// A reader leaves.
    #[inline]
    pub(super) fn unlock_read(&self) {
        // Ordering: Release pairs with the Acquire of the writer that comes next: what was read is not read later.
        let before = self.word.fetch_sub(READER, Ordering::Release);
        if before & STOPS != 0 {
            self.reader_left(before - READER);
        }
    }

    #[cold]
    fn reader_left(&self, left: usize) {
        if Want::Write.is_met(left) || Want::Upgrade.is_met(left) {
            self.serve_locked();
        }
    }

    /// The writer leaves.
    #[inline]
    pub(super) fn unlock_write(&self) {
        self.exchange(WRITER, 0);
    }

    /// The upgradable reader leaves.
    #[inline]
    pub(super) fn unlock_upgradable(&self) {
        self.exchange(READER | UPGRADABLE, 0);
    }

    /// The writer becomes a reader.
    pub(super) fn write_to_read(&self) {
        self.exchange(WRITER, READER);
    }

    /// The writer becomes the upgradable reader.
    pub(super) fn write_to_upgradable(&self) {
        self.exchange(WRITER, READER | UPGRADABLE);
    }

    /// The upgradable reader becomes one like any other.
    pub(super) fn upgradable_to_read(&self) {
        self.exchange(UPGRADABLE, 0);
    }

    /// The caller keeps `left` of what it holds, and gives back the rest.
    #[inline]
    fn exchange(&self, held: usize, left: usize) {
        // Ordering: Release pairs with the Acquire of whoever takes the lock next.
        let before = self.word.fetch_add(left.wrapping_sub(held), Ordering::Release);
        if before & WAITERS != 0 {
            self.serve_locked();
        }
    }

    #[cold]
    fn serve_locked(&self) {
        let mut wakers = WakeBatch::new();
        let mut queue = self.queue.lock();
        self.serve(&mut queue, &mut wakers);
        drop(queue);
        wakers.wake_all();
    }

    /// Serves from the front as far as it goes, and clears the bits that are true no longer.
    fn serve(&self, queue: &mut Queue, wakers: &mut WakeBatch) {
        let Queue { list, stopping } = queue;
        list.take_chosen(Outcome::Granted, wakers, |tag| {
            let want = Want::of_tag(tag);
            // Ordering: Acquire: what those did who gave the lock back is handed on by the waiter's phase.
            if want.is_met(self.word.load(Ordering::Acquire)) {
                // Ordering: Relaxed, the load above was the acquire. By rule 5 the request is still met.
                self.word.fetch_add(want.adds(), Ordering::Relaxed);
                *stopping -= usize::from(want.waits() & STOPS != 0);
                Choice::Take
            } else if want == Want::Upgradable {
                Choice::Pass
            } else {
                Choice::Stop
            }
        });
        let false_now = match (list.is_empty(), *stopping) {
            (true, _) => WAITERS | STOPS,
            (false, 0) => STOPS,
            (false, _) => return,
        };
        // Ordering: Relaxed, orders nothing; the bits are changed under the queue's lock.
        self.word.fetch_and(!false_now, Ordering::Relaxed);
    }

    /// Takes what is wanted, or leaves `waiter` in the queue.
    #[inline]
    pub(super) fn poll_take(&self, want: Want, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        if waiter.phase() != Phase::Idle {
            return self.poll_again(want, waiter, cx);
        }
        let unit = ready!(coop::proceed_for(cx, false, || want.what()));
        if !self.try_take(want) {
            ready!(self.wait(want, waiter, cx));
        }
        unit.made_progress();
        Poll::Ready(())
    }

    #[cold]
    fn poll_again(&self, want: Want, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let unit = ready!(coop::proceed_for(cx, true, || want.what()));
        // SAFETY: it has begun, so `wait` linked it, and an outcome is taken note of here or in `leave`.
        ready!(unsafe { look_again(&self.queue, waiter, cx) });
        unit.made_progress();
        Poll::Ready(())
    }

    #[cold]
    fn wait(&self, want: Want, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut queue = self.queue.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let met = want.is_met(seen) && !want.is_stopped(seen);
            let next = if met { seen.wrapping_add(want.adds()) } else { seen | want.waits() };
            // Ordering: Acquire as in try_take. The exchange is made also where the bits are set already, so that what this
            // waiter found is the newest there is.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if met => {
                    drop(queue);
                    return Poll::Ready(());
                }
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        queue.stopping += usize::from(want.waits() & STOPS != 0);
        let waker = Some(waker);
        if want == Want::Upgrade {
            // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
            unsafe { queue.list.push_front(waiter, waker, want as usize) };
        } else {
            // SAFETY: as above.
            unsafe { queue.list.push_back(waiter, waker, want as usize) };
        }
        Poll::Pending
    }

    /// The future of `waiter` is dropped. `true` if what it wanted had been given to it meanwhile, and was given back here.
    #[inline]
    pub(super) fn leave(&self, want: Want, waiter: Pin<&Waiter>) -> bool {
        waiter.phase() != Phase::Idle && self.leave_queue(want, waiter)
    }

    #[cold]
    fn leave_queue(&self, want: Want, waiter: Pin<&Waiter>) -> bool {
        let mut wakers = WakeBatch::new();
        let mut queue = self.queue.lock();
        if waiter.outcome().is_some() {
            drop(queue);
            self.give(want);
            return true;
        }
        // SAFETY: not granted and never swept, so linked; under the lock.
        let old = unsafe { queue.list.unlink(waiter) };
        queue.stopping -= usize::from(want.waits() & STOPS != 0);
        self.serve(&mut queue, &mut wakers);
        drop(queue);
        drop(old);
        wakers.wake_all();
        false
    }

    /// Who holds it and how many wait; for Debug.
    pub(super) fn observe(&self) -> Observed {
        let word = self.word.load(Ordering::Relaxed);
        Observed {
            writer: word & WRITER != 0,
            upgradable: word & UPGRADABLE != 0,
            readers: word / READER,
            waiters: self.queue.lock().list.len(),
        }
    }
}

/// What was true a moment ago.
pub(super) struct Observed {
    pub(super) writer: bool,
    pub(super) upgradable: bool,
    pub(super) readers: usize,
    pub(super) waiters: usize,
}

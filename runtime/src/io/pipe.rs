//! One direction of a stream in memory: a bounded queue of bytes between one writer and one reader.
//!
//! It may assume that each end polls from one place at a time (the public type asks for `&mut`), and nothing about the
//! executor: it needs the waker it is polled with and no runtime.
//!
//! Everything is behind one lock: the bytes, and for each end whether it is still there and the waker it waits with.
//!
//! ```text
//!               the writer                       the reader
//!               here -- close, drop --> ended    here -- drop --> gone
//!
//!   write       full:   waits                    gone:  BrokenPipe, and what was queued is forgotten
//!   read        empty:  waits                    ended: what is left, then 0
//! ```
//!
//! The rule: whoever makes true what the other end waits for takes the other's waker *under the same lock* and calls it
//! after. Bytes that come or go do that, and so does an end that leaves.
//!
//! Races:
//! 1. An end finds nothing to do while the other moves bytes or leaves. Looking and leaving the waker are one critical
//!    section, so either the look sees the news, or the news finds the waker.
//! 2. A waker is foreign code and is cloned outside of the lock, so between the look that found nothing and the clone
//!    there may be news: with the clone in hand the end looks again, and only that look may leave it.
//! 3. An end is polled with another waker than before (it moved to another task). The new one replaces the old under the
//!    lock; the old one is owed nothing, and is dropped after the lock.
//! 4. An end leaves while its own waker lies here: it takes the waker along, or a task would live as long as its peer.

use crate::task::cell::drop_payload;
use core::fmt;
use core::task::{Context, Poll, Waker, ready};
use std::collections::VecDeque;
use std::io;
use weftwork_sync::coop;
use weftwork_sync::primitive::{Mutex, MutexGuard, contain};

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Reader,
    Writer,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Reader => Self::Writer,
            Self::Writer => Self::Reader,
        }
    }
}

pub(super) struct Pipe {
    /// The most that is queued, in bytes.
    capacity: usize,
    state: Mutex<State>,
}

struct State {
    /// Grows with what is written, up to the capacity.
    bytes: VecDeque<u8>,
    reader: End,
    writer: End,
}

struct End {
    here: bool,
    waiting: Option<Waker>,
}

/// What a look has come to.
#[must_use = "an end that finds nothing to do has to wait, and bytes that moved are news to the other"]
enum Look<R> {
    /// Bytes moved: the other end may go on.
    Moved(R),
    /// There is an answer, and nothing in it for the other end.
    Answer(R),
    /// Nothing yet.
    Wait,
}

/// What an end leaves behind. All of it is let go outside of the lock.
#[must_use = "the other end has to be woken"]
pub(super) struct Leaving {
    /// The other end's.
    to_wake: Option<Waker>,
    /// Its own, and the bytes that nobody will read.
    _forgotten: (Option<Waker>, VecDeque<u8>),
}

impl Leaving {
    /// Wakes the other end.
    pub(super) fn tell(mut self) {
        wake(self.to_wake.take());
    }
}

/// Wakes the other end, outside of the lock. Its waker is foreign and not this end's: its panic has no place here.
fn wake(other: Option<Waker>) {
    if let Some(waker) = other
        && let Err(payload) = contain(|| waker.wake())
    {
        drop_payload(payload);
    }
}

impl Pipe {
    pub(super) fn new(capacity: usize) -> Self {
        let end = || End { here: true, waiting: None };
        Self { capacity, state: Mutex::new(State { bytes: VecDeque::new(), reader: end(), writer: end() }) }
    }

    /// Takes at most `room` bytes, and gives them to `take` in at most two pieces; 0 says that no more will come.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, room: usize, mut take: impl FnMut(&[u8])) -> Poll<usize> {
        self.poll(Side::Reader, cx, |state| state.read(room, &mut take))
    }

    /// Queues what there is room for of the buffers that `bufs` gives.
    ///
    /// # Errors
    /// `BrokenPipe` if one of the ends is gone.
    pub(super) fn poll_write<'a, I>(&self, cx: &mut Context<'_>, bufs: impl Fn() -> I) -> Poll<io::Result<usize>>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        self.poll(Side::Writer, cx, |state| state.write(self.capacity, &bufs))
    }

    /// An end leaves: the writer has written all, or nobody will read any more. Leaving again changes nothing.
    pub(super) fn leave(&self, side: Side) -> Leaving {
        let mut state = self.state.lock();
        let end = state.end(side);
        end.here = false;
        let own = end.waiting.take();
        let unread = if side == Side::Reader { core::mem::take(&mut state.bytes) } else { VecDeque::new() };
        Leaving { to_wake: state.end(side.other()).waiting.take(), _forgotten: (own, unread) }
    }

    fn poll<R>(&self, side: Side, cx: &mut Context<'_>, mut look: impl FnMut(&mut State) -> Look<R>) -> Poll<R> {
        let unit = ready!(coop::proceed(cx, false));
        // Declared before the lock is taken, and so dropped after it is given back.
        let mut fresh = None;
        loop {
            let mut state = self.state.lock();
            let (answer, moved) = match look(&mut state) {
                Look::Moved(answer) => (answer, true),
                Look::Answer(answer) => (answer, false),
                Look::Wait => match state.wait(side, cx.waker(), fresh.take()) {
                    Waits::With(replaced) => {
                        drop(state);
                        drop(replaced);
                        return Poll::Pending;
                    }
                    Waits::NeedsWaker => {
                        drop(state);
                        // Race 2.
                        fresh = Some(cx.waker().clone());
                        continue;
                    }
                },
            };
            unit.made_progress();
            let_go(state, side, moved);
            return Poll::Ready(answer);
        }
    }
}

/// An end has its answer and waits no more; if bytes moved, the other end is woken.
fn let_go(mut state: MutexGuard<'_, State>, side: Side, moved: bool) {
    let own = state.end(side).waiting.take();
    let news = if moved { state.end(side.other()).waiting.take() } else { None };
    drop(state);
    wake(news);
    drop(own);
}

/// How an end comes to wait.
#[must_use = "without a waker the end is not woken"]
enum Waits {
    /// Its waker is in place; the one that was there before, if it was another, is to be dropped outside of the lock.
    With(Option<Waker>),
    /// It has to come back with a clone of its waker.
    NeedsWaker,
}

impl State {
    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Reader => &mut self.reader,
            Side::Writer => &mut self.writer,
        }
    }

    /// Leaves the waker, unless it lies here already.
    fn wait(&mut self, side: Side, waker: &Waker, fresh: Option<Waker>) -> Waits {
        let waiting = &mut self.end(side).waiting;
        match fresh {
            Some(fresh) => Waits::With(waiting.replace(fresh)),
            None if waiting.as_ref().is_some_and(|there| there.will_wake(waker)) => Waits::With(None),
            None => Waits::NeedsWaker,
        }
    }

    fn read(&mut self, room: usize, take: &mut impl FnMut(&[u8])) -> Look<usize> {
        let count = room.min(self.bytes.len());
        if count == 0 {
            return if room == 0 || !self.writer.here { Look::Answer(0) } else { Look::Wait };
        }
        let (front, back) = self.bytes.as_slices();
        let from_front = count.min(front.len());
        take(&front[..from_front]);
        if from_front < count {
            take(&back[..count - from_front]);
        }
        self.bytes.drain(..count);
        Look::Moved(count)
    }

    fn write<'a, I>(&mut self, capacity: usize, bufs: &impl Fn() -> I) -> Look<io::Result<usize>>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if !self.writer.here {
            return Look::Answer(Err(broken("this end is closed for writing")));
        }
        if !self.reader.here {
            return Look::Answer(Err(broken("the other end of the stream is dropped")));
        }
        let before = self.bytes.len();
        let mut all_empty = true;
        for buf in bufs() {
            all_empty &= buf.is_empty();
            let count = buf.len().min(capacity - self.bytes.len());
            self.bytes.extend(&buf[..count]);
        }
        match self.bytes.len() - before {
            0 if all_empty => Look::Answer(Ok(0)),
            0 => Look::Wait,
            count => Look::Moved(Ok(count)),
        }
    }
}

#[cold]
fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, why)
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (queued, reader, writer) = {
            let state = self.state.lock();
            (state.bytes.len(), state.reader.here, state.writer.here)
        };
        f.debug_struct("Pipe")
            .field("queued", &queued)
            .field("capacity", &self.capacity)
            .field("reader_is_here", &reader)
            .field("writer_is_here", &writer)
            .finish()
    }
}

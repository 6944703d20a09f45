//! Points of several tasks, put in an order.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use weftwork_sync::primitive::{Mutex, Shared};

/// Puts points of several tasks in an order: whoever awaits [`at(n)`](Self::at) goes on when all lower numbers have.
///
/// Numbers count from 0; each is awaited once. A clone is the same sequence.
///
/// trio's counterpart is `trio.testing.Sequencer`; tokio has none.
///
/// ```
/// use weftwork::testing::Sequencer;
///
/// weftwork::run(async {
///     let seq = Sequencer::new();
///     let other = seq.clone();
///     let task = weftwork::spawn(async move {
///         other.at(0).await;
///         other.at(2).await;
///     });
///     seq.at(1).await;
///     seq.at(3).await;
///     task.await.unwrap();
/// });
/// ```
#[derive(Clone)]
pub struct Sequencer {
    state: Shared<Mutex<Sequence>>,
}

#[derive(Default)]
struct Sequence {
    next: u32,
    /// Whoever waited at that number was dropped: nobody behind it can go on.
    broken: Option<u32>,
    waiting: Vec<(u32, Waker)>,
}

impl Sequencer {
    /// A sequence that waits for 0.
    pub fn new() -> Self {
        Self { state: Shared::new(Mutex::new(Sequence::default())) }
    }

    /// Goes on when everybody with a lower number has.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it breaks the sequence: everybody behind it panics, because a test whose order cannot be kept must
    /// not go on as if it were.
    ///
    /// # Panics
    /// When it is polled: if the number has been passed, if somebody else waits at it, and if the sequence is broken.
    pub fn at(&self, number: u32) -> SequencePoint {
        SequencePoint { sequence: self.clone(), number, stage: Stage::New }
    }
}

impl Default for Sequencer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequencer").field("next", &self.state.lock().next).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Waits,
    Passed,
}

/// The future of [`Sequencer::at`].
#[must_use = "futures do nothing unless awaited"]
pub struct SequencePoint {
    sequence: Sequencer,
    number: u32,
    stage: Stage,
}

impl Future for SequencePoint {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let number = self.number;
        if self.stage == Stage::New && crate::is_cancelled() {
            return Poll::Pending;
        }
        // Foreign code, and so outside of the lock.
        let waker = cx.waker().clone();
        let mut sequence = self.sequence.state.lock();
        if let Some(broken) = sequence.broken {
            drop(sequence);
            self.stage = Stage::Passed;
            panic!(
                "the sequence is broken: whoever waited at {broken} was cancelled, so {number} cannot be reached in order"
            );
        }
        let known = sequence.waiting.iter().position(|(other, _)| *other == number);
        if sequence.next > number || (self.stage == Stage::New && known.is_some()) {
            drop(sequence);
            self.stage = Stage::Passed;
            panic!("{number} of a sequence was awaited twice: give each point a number of its own");
        }
        if sequence.next == number {
            sequence.next += 1;
            let old = known.map(|at| sequence.waiting.swap_remove(at));
            let follower = sequence.waiting.iter().find(|(other, _)| *other == number + 1);
            let follower = follower.map(|(_, waker)| waker.clone());
            drop(sequence);
            drop(old);
            self.stage = Stage::Passed;
            if let Some(follower) = follower {
                follower.wake();
            }
            return Poll::Ready(());
        }
        let old = match known {
            Some(at) => Some(core::mem::replace(&mut sequence.waiting[at].1, waker)),
            None => {
                sequence.waiting.push((number, waker));
                None
            }
        };
        drop(sequence);
        drop(old);
        self.stage = Stage::Waits;
        Poll::Pending
    }
}

impl Drop for SequencePoint {
    fn drop(&mut self) {
        if self.stage != Stage::Waits {
            return;
        }
        let mut sequence = self.sequence.state.lock();
        sequence.broken.get_or_insert(self.number);
        let all = core::mem::take(&mut sequence.waiting);
        drop(sequence);
        all.into_iter().filter(|(other, _)| *other != self.number).for_each(|(_, waker)| waker.wake());
    }
}

impl fmt::Debug for SequencePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SequencePoint")
            .field("number", &self.number)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

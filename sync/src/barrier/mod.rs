//! A place where a number of tasks wait for each other.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: who has arrived, who is let go, who is sent away |
//! | `mod.rs` | the barrier and its future |

mod state;

use crate::waiters::Waiter;
use crate::weft_const_fn;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use state::{Arrivals, Broken};

/// Tasks wait here until a given number of them has arrived; then all go on, and the next round begins.
///
/// A task that gives up before the round is complete, because it is cancelled or runs out of time, is not counted any more: another has
/// to come instead. Where the others shall not wait for that, [`abort`](Self::abort) breaks the barrier.
///
/// # Fairness
/// A round takes those who came first, and lets all of them go at once.
///
/// # Counterparts
/// asyncio's `Barrier`, with its indices, `reset`, `abort` and `BrokenBarrierError`; tokio's `sync::Barrier`, which has none of
/// these. asyncio lets nobody arrive while a round leaves; here the next round begins at once.
///
/// # Examples
/// ```
/// use weftwork_sync::{Barrier, block_on};
///
/// static START: Barrier = Barrier::new(3);
///
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| {
///             let arrived = block_on(START.wait()).expect("nobody aborts it");
///             if arrived.is_leader() {
///                 println!("all {} are here", START.parties());
///             }
///         });
///     }
/// });
/// ```
#[doc(alias("asyncio.Barrier", "CyclicBarrier"))]
pub struct Barrier {
    arrivals: Arrivals,
}

impl Barrier {
    weft_const_fn! {
        /// A barrier for `parties` tasks; usable in a `static`.
        ///
        /// # Panics
        /// If `parties` is 0.
        ///
        /// # Examples
        /// ```
        /// assert_eq!(weftwork_sync::Barrier::new(2).parties(), 2);
        /// ```
        pub fn new(parties: usize) -> Self {
            assert!(parties > 0, "Barrier::new(0) would be a barrier at which nobody can arrive: say how many tasks meet there");
            Self { arrivals: Arrivals::new(parties) }
        }
    }

    /// Arrives, and waits until as many have as the barrier is for.
    ///
    /// What any of them did before it arrived is seen by all of them afterwards.
    ///
    /// # Errors
    /// [`BrokenBarrier`] if the barrier is or gets broken by [`abort`](Self::abort), or is [`reset`](Self::reset) meanwhile.
    ///
    /// # Cancel safety
    /// Dropping the future before the round is complete takes the arrival back. If the round was complete already, the
    /// others have been let go, and nothing is taken back.
    ///
    /// # Counterparts
    /// asyncio's and tokio's `Barrier.wait`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let barrier = weftwork_sync::Barrier::new(1);
    /// assert_eq!(barrier.wait().await?.index(), 0);
    /// # Ok::<(), weftwork_sync::BrokenBarrier>(())
    /// # }).expect("whole");
    /// ```
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, waiter: Waiter::new() }
    }

    /// As [`wait`](Self::wait), on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the others may need that thread.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// # Examples
    /// ```
    /// assert!(weftwork_sync::Barrier::new(1).blocking_wait().is_ok());
    /// ```
    pub fn blocking_wait(&self) -> Result<Arrived, BrokenBarrier> {
        crate::block_on(self.wait())
    }

    /// Makes the barrier as new: those who wait get [`BrokenBarrier`], and a barrier that was broken can be used again.
    ///
    /// # Counterparts
    /// asyncio's `Barrier.reset`.
    ///
    /// # Examples
    /// ```
    /// let barrier = weftwork_sync::Barrier::new(2);
    /// barrier.abort();
    /// barrier.reset();
    /// assert!(!barrier.is_broken());
    /// ```
    pub fn reset(&self) {
        self.arrivals.sweep(false);
    }

    /// Breaks the barrier: those who wait, and all who come later, get [`BrokenBarrier`], until it is [`reset`](Self::reset).
    ///
    /// # Counterparts
    /// asyncio's `Barrier.abort`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let barrier = weftwork_sync::Barrier::new(2);
    /// barrier.abort();
    /// assert!(barrier.wait().await.is_err());
    /// # });
    /// ```
    pub fn abort(&self) {
        self.arrivals.sweep(true);
    }

    /// How many have to arrive.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Barrier::new(2).parties(), 2);
    /// ```
    pub fn parties(&self) -> usize {
        self.arrivals.parties()
    }

    /// How many have arrived and wait for the others.
    ///
    /// # Counterparts
    /// asyncio's `Barrier.n_waiting`.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Barrier::new(2).waiting(), 0);
    /// ```
    #[doc(alias = "n_waiting")]
    pub fn waiting(&self) -> usize {
        self.arrivals.waiting()
    }

    /// Whether it was [aborted](Self::abort) and not reset since.
    ///
    /// # Counterparts
    /// asyncio's `Barrier.broken`.
    ///
    /// # Examples
    /// ```
    /// let barrier = weftwork_sync::Barrier::new(2);
    /// barrier.abort();
    /// assert!(barrier.is_broken());
    /// ```
    #[doc(alias = "broken")]
    pub fn is_broken(&self) -> bool {
        self.arrivals.is_broken()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties())
            .field("waiting", &self.waiting())
            .field("broken", &self.is_broken())
            .finish()
    }
}

/// The future of [`Barrier::wait`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    waiter: Waiter,
}

impl Future for BarrierWait<'_> {
    type Output = Result<Arrived, BrokenBarrier>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        let arrivals = &this.barrier.arrivals;
        arrivals.poll(waiter, cx).map(|arrived| match arrived {
            Ok(index) => Ok(Arrived { index, parties: arrivals.parties() }),
            Err(Broken) => Err(BrokenBarrier(())),
        })
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.barrier.arrivals.leave(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// Which place a task had in a round of a [`Barrier`].
///
/// # Examples
/// ```
/// let arrived = weftwork_sync::Barrier::new(1).blocking_wait().expect("whole");
/// assert!(arrived.is_leader());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "BarrierWaitResult")]
pub struct Arrived {
    index: usize,
    parties: usize,
}

impl Arrived {
    /// The place in the order of arrival: from 0 to [`parties`](Barrier::parties) - 1, each once in a round. Those who gave up
    /// are not counted.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Barrier::new(1).blocking_wait().map(|arrived| arrived.index()), Ok(0));
    /// ```
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether it came last: true of one in each round, of the one that runs already and has not to be woken.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Barrier::new(1).blocking_wait().map(|arrived| arrived.is_leader()), Ok(true));
    /// ```
    pub fn is_leader(&self) -> bool {
        self.index + 1 == self.parties
    }
}

/// The barrier is broken, or was reset while the task waited.
///
/// # Examples
/// ```
/// let barrier = weftwork_sync::Barrier::new(2);
/// barrier.abort();
/// assert!(barrier.blocking_wait().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[doc(alias = "BrokenBarrierError")]
pub struct BrokenBarrier(());

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the barrier was aborted, or reset while this task waited: the others will not come; reset it to begin again",
        )
    }
}

impl std::error::Error for BrokenBarrier {}

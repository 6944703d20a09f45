//! A flag that tasks wait for.
//!
//! The protocol is that of `wait_word.rs`: the word holds the flag, setting it is the waking change.

use crate::wait_word::{UNIT, WaitWord, Waiting};
use crate::weft_const_fn;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

const SET: usize = UNIT;

/// A flag that is set, cleared and waited for.
///
/// Setting it wakes all who wait at that moment, also if it is cleared at once: each of them completes, whatever the flag
/// says by the time it is polled. Who comes to wait while it is set does not wait.
///
/// # Fairness
/// All are told at once, in the order in which they came.
///
/// # What it costs
/// Waiting for an event that is set is one load. Setting and clearing are one read-modify-write each, and no lock unless
/// somebody waits. Setting an event that is set is not less than that: it publishes what the caller did before, so that
/// whoever clears the event and then looks does not miss it.
///
/// # Counterparts
/// asyncio's `Event`, made safe for many threads. In tokio it is a `watch` of a bool, or `Notify` with a flag beside it.
///
/// # Examples
/// ```
/// use weftwork_sync::{Event, block_on};
///
/// static READY: Event = Event::new();
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| READY.set());
///     block_on(READY.wait());
/// });
/// assert!(READY.is_set());
/// ```
#[doc(alias("asyncio.Event", "ManualResetEvent", "flag"))]
pub struct Event {
    word: WaitWord,
}

impl Event {
    weft_const_fn! {
        /// An event that is not set; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// assert!(!weftwork_sync::Event::new().is_set());
        /// ```
        pub fn new() -> Self {
            Self { word: WaitWord::new(0) }
        }
    }

    /// Sets the flag and wakes all who wait. `true` if it was not set before.
    ///
    /// # Counterparts
    /// asyncio's `Event.set`.
    ///
    /// # Examples
    /// ```
    /// let event = weftwork_sync::Event::new();
    /// assert!(event.set());
    /// assert!(!event.set());
    /// ```
    pub fn set(&self) -> bool {
        self.word.change(|_| Some(SET), |_| true, || ()) == Ok(0)
    }

    /// Clears the flag: who comes to wait from now on waits until it is set again. `true` if it was set.
    ///
    /// What was done before the flag was set is seen after it was cleared, so clearing it first and then looking at what it
    /// stands for misses nothing.
    ///
    /// # Counterparts
    /// asyncio's `Event.clear`.
    ///
    /// # Examples
    /// ```
    /// let event = weftwork_sync::Event::new();
    /// event.set();
    /// assert!(event.clear());
    /// assert!(!event.is_set());
    /// ```
    #[doc(alias = "reset")]
    pub fn clear(&self) -> bool {
        self.word.change(|_| Some(0), |_| false, || ()) == Ok(SET)
    }

    /// Whether the flag is set at this moment.
    ///
    /// # Examples
    /// ```
    /// let event = weftwork_sync::Event::new();
    /// event.set();
    /// assert!(event.is_set());
    /// ```
    #[inline]
    pub fn is_set(&self) -> bool {
        self.word.get() & SET != 0
    }

    /// Waits until the flag is set.
    ///
    /// It begins to wait when it is polled first; what was set and cleared before that is not noticed.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Counterparts
    /// asyncio's `Event.wait`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let event = weftwork_sync::Event::new();
    /// event.set();
    /// event.wait().await;
    /// # });
    /// ```
    pub fn wait(&self) -> EventWait<'_> {
        EventWait { waiting: Waiting::new(&self.word) }
    }

    /// Waits until the flag is set, on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that will set the flag may need that thread.
    ///
    /// # Examples
    /// ```
    /// let event = weftwork_sync::Event::new();
    /// event.set();
    /// event.blocking_wait();
    /// ```
    pub fn blocking_wait(&self) {
        crate::block_on(self.wait());
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).field("waiters", &self.word.waiting()).finish()
    }
}

/// The future of [`Event::wait`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct EventWait<'a> {
    waiting: Waiting<&'a WaitWord>,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        waiting.poll_as_leaf(cx, "an event", |value| value & SET != 0)
    }
}

impl fmt::Debug for EventWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait").field("phase", &self.waiting).finish_non_exhaustive()
    }
}

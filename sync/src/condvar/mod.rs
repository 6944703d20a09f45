//! Waiting for what a mutex guards to change.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: who is told |
//! | `guard.rs` | what the guards of a mutex have in common here: they can be given up and taken again |
//! | `mod.rs` | the condition variable and its futures |

mod guard;
mod state;

pub use guard::Relock;

use crate::waiters::{Outcome, Phase, Waiter};
use crate::{coop, weft_const_fn};
use core::fmt;
use core::future::Future;
use core::mem;
use core::ops::DerefMut;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use state::State;

/// A place where tasks give up a [`Mutex`](crate::Mutex), wait until somebody who changed its value tells them to look again,
/// and have it again.
///
/// # Fairness
/// [`notify_one`](Self::notify_one) tells the task that has waited longest. Those that were told take the mutex as everybody
/// does: by the time one has it, another may have changed the value again, so look before you go on, or let
/// [`wait_while`](Self::wait_while) do so.
///
/// # Counterparts
/// asyncio's `Condition`, which holds its lock; here the lock is the mutex whose guard is given, and a mutex may have several
/// condition variables. tokio has none.
///
/// # Examples
/// ```
/// use std::collections::VecDeque;
/// use weftwork_sync::{Condvar, Mutex, block_on};
///
/// static JOBS: Mutex<VecDeque<u32>> = Mutex::new(VecDeque::new());
/// static MORE: Condvar = Condvar::new();
///
/// let worker = std::thread::spawn(|| {
///     block_on(async {
///         let mut jobs = MORE.wait_while(JOBS.lock().await, |jobs| jobs.is_empty()).await;
///         jobs.pop_front()
///     })
/// });
/// JOBS.blocking_lock().push_back(7);
/// MORE.notify_one();
/// assert_eq!(worker.join().expect("it only waits"), Some(7));
/// ```
#[doc(alias("Condition", "asyncio.Condition"))]
pub struct Condvar {
    state: State,
}

// It holds nothing of a user's, and a panic finds it as it was before or after an operation.
impl core::panic::UnwindSafe for Condvar {}
impl core::panic::RefUnwindSafe for Condvar {}

impl Condvar {
    weft_const_fn! {
        /// A place where nobody waits; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// static MORE: weftwork_sync::Condvar = weftwork_sync::Condvar::new();
        /// MORE.notify_all();
        /// ```
        pub fn new() -> Self {
            Self { state: State::new() }
        }
    }

    /// Gives up the lock, waits to be notified, and takes the lock again. The guard may be borrowed or owned; what comes back
    /// is the like.
    ///
    /// The task joins the queue before the lock is free, when the future is polled for the first time: a notification that
    /// follows a change of the value made under the lock is not missed. It may also go on after another has changed the value
    /// again, so call it in a loop that looks at the value, or call [`wait_while`](Self::wait_while).
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue, or, if it was notified by [`notify_one`](Self::notify_one)
    /// already, passes the notification on to the next; the lock is free for others in either case. asyncio takes the lock
    /// again before its `wait` raises, because the block around it would give it back. Here a future that is dropped gives
    /// nothing back to its caller: the guard went into the future and is gone with it, and code that cleans up after a
    /// cancellation locks the mutex for itself.
    ///
    /// # Counterparts
    /// asyncio's `Condition.wait`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Condvar, Mutex, block_on};
    ///
    /// let (open, opened) = (Mutex::new(false), Condvar::new());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         *open.blocking_lock() = true;
    ///         opened.notify_all();
    ///     });
    ///     block_on(async {
    ///         let mut guard = open.lock().await;
    ///         while !*guard {
    ///             guard = opened.wait(guard).await;
    ///         }
    ///     });
    /// });
    /// ```
    #[track_caller]
    pub fn wait<G: Relock>(&self, guard: G) -> CondvarWait<'_, G> {
        CondvarWait {
            condvar: self,
            step: Step::Holds(guard),
            waiter: Waiter::new(),
            lock_waiter: Waiter::new(),
            place: Location::caller(),
        }
    }

    /// Waits as long as `condition` is true of the value, which it looks at under the lock: once at the beginning, and after
    /// each notification.
    ///
    /// # Panics
    /// Where `condition` does; the lock is given back then.
    ///
    /// # Cancel safety
    /// As [`wait`](Self::wait).
    ///
    /// # Counterparts
    /// asyncio's `Condition.wait_for`, whose predicate says the opposite: when to go on.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Condvar, Mutex, block_on};
    ///
    /// let (count, changed) = (Mutex::new(3), Condvar::new());
    /// let guard = block_on(async { changed.wait_while(count.lock().await, |count| *count < 3).await });
    /// assert_eq!(*guard, 3);
    /// ```
    #[doc(alias = "wait_for")]
    #[track_caller]
    pub fn wait_while<G, T, F>(&self, guard: G, condition: F) -> CondvarWaitWhile<'_, G, F>
    where
        G: Relock + DerefMut<Target = T>,
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        CondvarWaitWhile { wait: self.wait(guard), condition }
    }

    /// Tells the task that has waited longest to look again. Nothing is kept if nobody waits.
    ///
    /// The mutex need not be held, but the value has to have been changed under it.
    ///
    /// # Counterparts
    /// asyncio's `Condition.notify`, which wants the lock to be held.
    ///
    /// # Examples
    /// ```
    /// weftwork_sync::Condvar::new().notify_one();
    /// ```
    #[doc(alias("notify", "notify_n"))]
    pub fn notify_one(&self) {
        self.state.notify_one();
    }

    /// Tells everybody who waits to look again.
    ///
    /// # Examples
    /// ```
    /// weftwork_sync::Condvar::new().notify_all();
    /// ```
    pub fn notify_all(&self) {
        self.state.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").field("waiters", &self.state.waiting()).finish()
    }
}

/// How far a wait has come.
enum Step<G: Relock> {
    /// Not polled yet: the lock is held.
    Holds(G),
    /// In the condition variable's list; the lock was given up.
    Waits(G::Lock),
    /// Notified, as the outcome says, and waiting for the lock.
    Locks(G::Lock, Outcome),
    /// The guard was given out.
    Done,
}

/// The future of [`Condvar::wait`].
#[must_use = "a future does nothing unless it is awaited, and the lock is held until it is"]
pub struct CondvarWait<'a, G: Relock> {
    condvar: &'a Condvar,
    step: Step<G>,
    waiter: Waiter,
    /// Its place in the mutex's queue.
    lock_waiter: Waiter,
    /// Where it began, in case the lock is traced.
    place: &'static Location<'static>,
}

impl<G: Relock> CondvarWait<'_, G> {
    /// The step, and the two waiters, which are pinned; the step is not.
    fn project(self: Pin<&mut Self>) -> (&Condvar, &mut Step<G>, Pin<&Waiter>, Pin<&Waiter>) {
        // SAFETY: only the waiters are pinned, and they are handed out pinned.
        unsafe {
            let this = self.get_unchecked_mut();
            let waiters = (Pin::new_unchecked(&this.waiter), Pin::new_unchecked(&this.lock_waiter));
            (this.condvar, &mut this.step, waiters.0, waiters.1)
        }
    }
}

impl<G: Relock> Future for CondvarWait<'_, G> {
    type Output = G;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G> {
        let place = self.place;
        let (condvar, step, waiter, lock_waiter) = self.project();
        if !matches!(step, Step::Locks(..)) {
            let begun = waiter.phase() != Phase::Idle;
            // Given back at once: what completes is the lock, which spends one.
            drop(ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a condition"))));
        }
        if let Step::Holds(_) = step {
            condvar.state.join(waiter, cx);
            // Linked from here on, so the step says so before the lock is free: giving it back calls a waker, which may panic.
            if let Step::Holds(guard) = mem::replace(step, Step::Done) {
                let lock = guard.lock();
                *step = Step::Waits(lock);
                drop(guard);
            }
            return Poll::Pending;
        }
        if let Step::Waits(_) = step {
            // SAFETY: `join` linked it, and an outcome is taken note of here or in `leave`.
            let outcome = ready!(unsafe { condvar.state.look(waiter, cx) });
            if let Step::Waits(lock) = mem::replace(step, Step::Done) {
                *step = Step::Locks(lock, outcome);
            }
        }
        if let Step::Locks(lock, _) = step {
            ready!(G::poll_lock(lock, lock_waiter, cx, place));
        }
        match mem::replace(step, Step::Done) {
            Step::Locks(lock, _) => Poll::Ready(G::locked(lock)),
            _ => panic!("a CondvarWait was polled after it gave out its guard: await it once, or fuse it"),
        }
    }
}

impl<G: Relock> Drop for CondvarWait<'_, G> {
    fn drop(&mut self) {
        // SAFETY: if one is linked, the future was pinned, and it still is until this returns.
        let (waiter, lock_waiter) =
            unsafe { (Pin::new_unchecked(&self.waiter), Pin::new_unchecked(&self.lock_waiter)) };
        match &self.step {
            Step::Holds(_) | Step::Done => {}
            Step::Waits(_) => self.condvar.state.leave(waiter),
            Step::Locks(lock, outcome) => {
                // The lock first: who is told next wants it.
                G::leave(lock, lock_waiter);
                if *outcome == Outcome::Granted {
                    self.condvar.state.notify_one();
                }
            }
        }
    }
}

impl<G: Relock> fmt::Debug for CondvarWait<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match &self.step {
            Step::Holds(_) => "holds the lock",
            Step::Waits(_) => "waits",
            Step::Locks(..) => "waits for the lock",
            Step::Done => "done",
        };
        f.debug_struct("CondvarWait").field("step", &format_args!("{step}")).finish_non_exhaustive()
    }
}

/// The future of [`Condvar::wait_while`].
#[must_use = "a future does nothing unless it is awaited, and the lock is held until it is"]
pub struct CondvarWaitWhile<'a, G: Relock, F> {
    wait: CondvarWait<'a, G>,
    condition: F,
}

impl<G, T, F> Future for CondvarWaitWhile<'_, G, F>
where
    G: Relock + DerefMut<Target = T>,
    T: ?Sized,
    F: FnMut(&mut T) -> bool,
{
    type Output = G;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G> {
        // SAFETY: the wait is pinned with this and not moved; the condition is not pinned.
        let (mut wait, condition) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.wait), &mut this.condition)
        };
        loop {
            let (_, step, ..) = wait.as_mut().project();
            let goes_on = match step {
                Step::Holds(guard) => !condition(guard),
                _ => false,
            };
            if goes_on {
                match mem::replace(step, Step::Done) {
                    Step::Holds(guard) => return Poll::Ready(guard),
                    other => *step = other,
                }
            }
            let guard = ready!(wait.as_mut().poll(cx));
            *wait.as_mut().project().1 = Step::Holds(guard);
        }
    }
}

impl<G: Relock, F> fmt::Debug for CondvarWaitWhile<'_, G, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CondvarWaitWhile").field("wait", &self.wait).finish_non_exhaustive()
    }
}

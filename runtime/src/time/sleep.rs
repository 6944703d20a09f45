//! Waiting until a point in time.

use super::Instant;
use super::timers::{Look, Timer};
use crate::context;
use crate::platform::clock::nanoseconds;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use weftwork_sync::coop;

/// Waits for `duration`, counted from the first poll.
///
/// A duration of zero lets other tasks run once. The wait is never shorter than asked; how much longer it is depends on how
/// soon a worker looks at the clock.
///
/// # Panics
/// Polling it outside of a runtime panics.
///
/// # Cancel safety
/// Dropping it takes the timer away; nothing is lost. asyncio's counterpart is `asyncio.sleep`, tokio's is
/// `tokio::time::sleep`.
///
/// ```
/// use weftwork::time::{Duration, Instant};
/// weftwork::run(async {
///     let start = Instant::now();
///     weftwork::sleep(Duration::from_millis(2)).await;
///     assert!(start.elapsed() >= Duration::from_millis(2));
/// });
/// ```
#[doc(alias = "delay_for")]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { state: State::New(When::After(duration)) }
}

/// Waits until `deadline`; one that has passed does not wait at all.
///
/// Panics and cancel safety are those of [`sleep`]. tokio's counterpart is `tokio::time::sleep_until`.
#[doc(alias = "call_at")]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { state: State::New(When::At(deadline)) }
}

/// The future of [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    state: State,
}

#[derive(Clone, Copy)]
enum When {
    After(Duration),
    At(Instant),
}

enum State {
    New(When),
    Yielded,
    /// Dropped, the timer takes itself out.
    Armed {
        timer: Timer,
        deadline: Instant,
    },
    Done(Instant),
}

impl Sleep {
    /// When it ends, once that is known: a relative sleep counts from its first poll.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::New(When::At(deadline)) | State::Armed { deadline, .. } | State::Done(deadline) => Some(*deadline),
            State::New(When::After(_)) | State::Yielded => None,
        }
    }

    /// Whether it has ended.
    pub fn is_elapsed(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    /// Whether it is known to have ended, before the poll that would say so.
    #[inline(always)]
    pub(crate) fn has_fired(&self) -> bool {
        match &self.state {
            State::Armed { timer, deadline } => timer.has_fired(deadline.as_nanos()),
            State::Done(_) => true,
            State::New(_) | State::Yielded => false,
        }
    }

    /// Ends at `deadline` instead, whether it was armed, had ended, or neither.
    pub fn reset(&mut self, deadline: Instant) {
        self.state = State::New(When::At(deadline));
    }

    /// Arms the timer; `after` and `at` are nanoseconds, from now and on the clock.
    #[inline(always)]
    fn begin(&mut self, after: Option<u64>, at: u64, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let begun = context::with_timers(|timers, outside| {
            let now = timers.now();
            let (deadline, wait) = match after {
                Some(after) => (now.saturating_add(after), after),
                None => (at, at.saturating_sub(now)),
            };
            if wait == 0 {
                self.state = State::Done(Instant::from_nanos(at));
                return Poll::Ready(Ok(()));
            }
            let Some((timer, earliest)) = timers.arm(deadline, wait, cx.waker().clone()) else {
                // If the runtime ends, the task that sleeps ends before it would be polled again.
                let why = "the runtime has shut down, so nothing would end this sleep";
                return if context::is_ending() { Poll::Pending } else { Poll::Ready(Err(why)) };
            };
            // There is no timer yet that would have to be dropped.
            core::mem::forget(core::mem::replace(
                &mut self.state,
                State::Armed { timer, deadline: Instant::from_nanos(deadline) },
            ));
            if earliest && let Some(core) = outside {
                core.outside_timer_armed(deadline);
            }
            Poll::Pending
        });
        begun.unwrap_or(Poll::Ready(Err(context::NO_RUNTIME)))
    }

    /// Lets others run once: a sleep of no length.
    #[cold]
    fn yield_once(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if context::with_timers(|_, _| ()).is_none() {
            return Poll::Ready(Err(context::NO_RUNTIME));
        }
        self.state = State::Yielded;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// As a future's poll; where that panics, this says why.
    pub(crate) fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let begun = !matches!(self.state, State::New(_));
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a timer")));
        let polled = match &mut self.state {
            State::New(when) => {
                // Read field by field: a copy of all at once would wait for the writes of a moment ago.
                let (after, at) = match when {
                    When::After(duration) => (Some(nanoseconds(*duration)), 0),
                    When::At(deadline) => (None, deadline.as_nanos()),
                };
                if after == Some(0) { self.yield_once(cx) } else { self.begin(after, at, cx) }
            }
            State::Armed { timer, deadline } => match timer.look(deadline.as_nanos(), cx.waker()) {
                Look::Waits => Poll::Pending,
                Look::Fired => {
                    self.state = State::Done(*deadline);
                    Poll::Ready(Ok(()))
                }
                // The task that sleeps ends before it would be polled again.
                Look::Closed if context::is_ending() => return Poll::Pending,
                Look::Closed => return Poll::Ready(Err("the runtime that drove this sleep has shut down")),
            },
            State::Yielded => {
                self.state = State::Done(Instant::now());
                Poll::Ready(Ok(()))
            }
            State::Done(_) => Poll::Ready(Ok(())),
        };
        if polled.is_ready() {
            unit.made_progress();
        }
        polled
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(self.try_poll(cx)) {
            Ok(()) => Poll::Ready(()),
            Err(why) => panic!("{why}"),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, deadline) = match &self.state {
            State::New(When::After(duration)) => return write!(f, "Sleep {{ for {duration:?}, not begun }}"),
            State::New(When::At(deadline)) => ("not begun", *deadline),
            State::Yielded => return f.write_str("Sleep { yielding }"),
            State::Armed { deadline, .. } => ("waiting", *deadline),
            State::Done(deadline) => ("elapsed", *deadline),
        };
        write!(f, "Sleep {{ until {deadline:?}, {state} }}")
    }
}

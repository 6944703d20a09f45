//! Waiting until a point in time.

use super::Instant;
use super::timers::{Armed, Look, TimerKey, Timers};
use crate::context;
use crate::platform::clock::nanoseconds;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;

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
    Armed { timers: Shared<Timers>, key: TimerKey, deadline: Instant },
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

    /// Ends at `deadline` instead, whether it was armed, had ended, or neither.
    pub fn reset(&mut self, deadline: Instant) {
        self.disarm();
        self.state = State::New(When::At(deadline));
    }

    fn disarm(&mut self) {
        if let State::Armed { timers, key, .. } = &self.state {
            timers.cancel(*key);
        }
    }

    fn begin(&mut self, when: When, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let Some((timers, outside)) = context::timers() else { return Poll::Ready(Err(context::NO_RUNTIME)) };
        let (deadline, wait) = match when {
            When::After(Duration::ZERO) => {
                self.state = State::Yielded;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            When::After(duration) => {
                let wait = nanoseconds(duration);
                (timers.clock.now().saturating_add(wait), wait)
            }
            When::At(deadline) => {
                let wait = deadline.as_nanos().saturating_sub(timers.clock.now());
                if wait == 0 {
                    self.state = State::Done(deadline);
                    return Poll::Ready(Ok(()));
                }
                (deadline.as_nanos(), wait)
            }
        };
        match timers.arm(deadline, wait, cx.waker().clone()) {
            Armed::Timer(key, earliest) => {
                if let Some(core) = outside.filter(|_| earliest) {
                    core.outside_timer_armed(deadline);
                }
                self.state = State::Armed { timers, key, deadline: Instant::from_nanos(deadline) };
                Poll::Pending
            }
            // The task that sleeps ends before it would be polled again.
            Armed::Closed if context::is_ending() => Poll::Pending,
            Armed::Closed => Poll::Ready(Err("the runtime has shut down, so nothing would end this sleep")),
        }
    }

    /// As a future's poll; where that panics, this says why.
    pub(crate) fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let begun = !matches!(self.state, State::New(_));
        let unit = ready!(coop::proceed(cx, begun));
        let polled = match &self.state {
            State::New(when) => {
                let when = *when;
                self.begin(when, cx)
            }
            State::Armed { timers, key, deadline } => match timers.look(*key, cx.waker()) {
                Look::Waits => Poll::Pending,
                Look::Fired => {
                    self.state = State::Done(*deadline);
                    Poll::Ready(Ok(()))
                }
                // It may have been due; the task that sleeps ends before it would be polled again if it was not.
                Look::Closed if timers.clock.now() >= deadline.as_nanos() => {
                    self.state = State::Done(*deadline);
                    Poll::Ready(Ok(()))
                }
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

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
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

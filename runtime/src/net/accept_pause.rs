//! What a listener does when there are no descriptors left: it waits, longer each time, and tries again.
//!
//! The connection stays in the system's queue meanwhile, so the listener stays ready; trying at once would spin.
//!
//! Any number of tasks may wait in `accept`, with or without an identity, so the pause belongs to none of them. They all
//! wait for readiness as ever, but ask the system for nothing (it would say "ready" at once), and when the time is over an
//! [`Alarm`] raises it as if the system had: the timer is polled once, with the alarm as its waker.
//!
//! Races:
//! 1. The alarm rings while an acceptor takes the readiness back because it saw the pause: the ring is an event with its
//!    own sequence number, so the taking back fails, and the acceptor looks again (race 4 of `direction.rs`).
//! 2. The alarm rings, and another acceptor uses the readiness up, while an acceptor that saw the pause becomes a waiter:
//!    it asks the system for nothing and might wait for ever. So it looks at the pause again once it is a waiter. The ring
//!    ends the pause before it raises readiness, so whoever became a waiter after the ring sees the end.
//! 3. The alarm of a pause rings before its timer was put away, and another pause has begun by then: the older timer
//!    must not replace the newer one, so each pause has a number.

use crate::observe::events;
use crate::reactor::{ScheduledIo, Signs};
use crate::time::Sleep;
use core::mem::ManuallyDrop;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use core::time::Duration;
use std::io;
use weftwork_sync::coop;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU32, Ordering};
use weftwork_sync::primitive::{Mutex, Shared, contain};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener's pause.
#[derive(Debug)]
pub(super) struct Pause {
    alarm: Shared<Alarm>,
    /// Pauses since a connection was accepted.
    in_a_row: AtomicU32,
    timer: Mutex<Timer>,
}

#[derive(Debug, Default)]
struct Timer {
    pause: u64,
    sleep: Option<Box<Sleep>>,
}

/// Ends a pause.
#[derive(Debug)]
struct Alarm {
    pausing: AtomicBool,
    io: Shared<ScheduledIo>,
}

impl Pause {
    pub(super) fn new(io: Shared<ScheduledIo>) -> Self {
        Self {
            alarm: Shared::new(Alarm { pausing: AtomicBool::new(false), io }),
            in_a_row: AtomicU32::new(0),
            timer: Mutex::new(Timer::default()),
        }
    }

    /// Whether a pause goes on.
    pub(super) fn is_on(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `ring`; the readiness it raises follows in its own word.
        self.alarm.pausing.load(Ordering::Acquire)
    }

    /// A pause that only [`ring`](Self::ring) ends.
    #[cfg(test)]
    pub(super) fn hold(&self) {
        self.alarm.pausing.store(true, Ordering::Release);
    }

    /// What the timer does.
    #[cfg(test)]
    pub(super) fn ring(&self) {
        self.alarm.ring();
    }

    /// A connection was accepted: the next pause is a short one.
    pub(super) fn reset(&self) {
        // Ordering: Relaxed, a length is all that depends on it.
        if self.in_a_row.load(Ordering::Relaxed) != 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// Begins a pause, if none goes on, because of `error`.
    ///
    /// # Errors
    /// There is no runtime on this thread, and so no timer.
    pub(super) fn begin(&self, error: &io::Error) -> io::Result<()> {
        crate::context::reactor()?;
        let number = {
            let mut timer = self.timer.lock();
            // Ordering: Relaxed: under the lock; `ring` needs nothing from here.
            if self.alarm.pausing.swap(true, Ordering::Relaxed) {
                return Ok(());
            }
            timer.pause += 1;
            timer.pause
        };
        let length = length(self.in_a_row.fetch_add(1, Ordering::Relaxed));
        let mut sleep = Box::new(crate::time::sleep(length));
        let waker = waker(self.alarm.clone());
        // The timer is not the acceptor's: its budget and its cancellation do not concern it.
        match coop::unconstrained(|| sleep.try_poll(&mut Context::from_waker(&waker))) {
            Poll::Ready(ended) => {
                self.alarm.ring();
                ended.map_err(io::Error::other)?;
            }
            Poll::Pending => {
                let unused = {
                    let mut timer = self.timer.lock();
                    if timer.pause == number { timer.sleep.replace(sleep) } else { Some(sleep) }
                };
                drop(unused);
            }
        }
        events::accept_pauses(error, length);
        Ok(())
    }
}

/// Doubles from the first to the longest.
fn length(pauses_before: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << pauses_before.min(16)).min(LONGEST_PAUSE)
}

impl Alarm {
    fn ring(&self) {
        // Ordering: Release, and before the event: whoever finds the readiness finds the pause over.
        self.pausing.store(false, Ordering::Release);
        let mut acceptors = Vec::new();
        self.io.event(Signs::READY, Signs::NONE, &mut acceptors);
        for acceptor in acceptors {
            // Foreign wakers: one that panics keeps neither the others nor the timer from going on.
            let _ = contain(|| acceptor.wake());
        }
    }
}

/// The alarm as a waker. The data pointer is an owner of the alarm.
fn waker(alarm: Shared<Alarm>) -> Waker {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            // SAFETY: `data` came from into_raw; ManuallyDrop leaves its owner in place.
            let alarm = ManuallyDrop::new(unsafe { Shared::from_raw(data.cast::<Alarm>()) });
            RawWaker::new(Shared::into_raw(Shared::clone(&alarm)).cast(), &VTABLE)
        },
        // SAFETY: `data` came from into_raw, and wake gives its owner up.
        |data| unsafe { Shared::from_raw(data.cast::<Alarm>()) }.ring(),
        |data| {
            // SAFETY: `data` came from into_raw; ManuallyDrop leaves its owner in place.
            ManuallyDrop::new(unsafe { Shared::from_raw(data.cast::<Alarm>()) }).ring();
        },
        // SAFETY: `data` came from into_raw, and drop gives its owner up.
        |data| drop(unsafe { Shared::from_raw(data.cast::<Alarm>()) }),
    );
    let data = Shared::into_raw(alarm).cast();
    // SAFETY: the functions above keep a waker's contract: each waker is one owner of an Alarm, which is Send and Sync.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::{First, Way};

    #[test]
    fn pauses_grow_to_a_second() {
        let lengths: Vec<u128> = (0..9).map(|n| length(n).as_millis()).collect();
        assert_eq!(lengths, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(length(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn the_alarm_ends_the_pause_and_raises_readiness() {
        let io = Shared::new(ScheduledIo::new(First::Wait));
        let pause = Pause::new(io.clone());
        pause.alarm.pausing.store(true, Ordering::Relaxed);
        let first = waker(pause.alarm.clone());
        let second = first.clone();
        drop(first);
        assert!(pause.is_on() && io.direction(Way::In).now().is_none());
        second.wake();
        assert!(!pause.is_on() && io.direction(Way::In).now().is_some());
        assert_eq!(Shared::strong_count(&pause.alarm), 1);
    }
}

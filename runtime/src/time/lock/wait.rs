//! How a thread waits for a lock that will not wake it.

use core::time::Duration;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::{Parker, hint, thread};

/// Looks in a row: with the pauses between them some microseconds, longer than most sections take.
const LOOKS: u32 = 64;
/// Times to let others run before a nap.
const YIELDS: u32 = 16;
/// How long a nap is: what a thread that lost its processor inside of a section may need to get it back.
const NAP: Duration = Duration::from_micros(50);

/// Those who wait, of whom nobody knows.
pub(super) struct Waiters(());

impl Waiters {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Somebody has let go. Nothing of the lock may be touched any more.
    #[inline(always)]
    pub(super) fn left(&self) {}

    /// Waits until the lock looks free.
    pub(super) fn wait(&self, held: &AtomicBool) {
        let mut turns = 0_u32;
        // Ordering: Relaxed, a hint: it leaves the line with whoever has it, where an exchange would take it away each time.
        while held.load(Ordering::Relaxed) {
            turns = turns.saturating_add(1);
            if turns <= LOOKS {
                hint::spin_loop();
            } else if turns <= LOOKS + YIELDS {
                thread::yield_now();
            } else {
                // Nobody has this parker, so the time ends it.
                let _timed_out = Parker::new().park_for(Some(NAP));
            }
        }
    }
}

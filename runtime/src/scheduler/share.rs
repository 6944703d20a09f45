//! When a worker gives tasks of its own to its peers, and wakes one for them: a question of speed, not of promises.
//!
//! Waking a sleeping core costs its waker 2 to 3 us and the sleeper 1 to 25, so a queue that would be empty by then is not
//! worth it. How long the queue would take is estimated from the mean length of recent polls, read from the clock once per
//! [`SAMPLE`] polls; what a wake-up costs is learned from those that happened. A poll much longer than the mean is the
//! watchdog's case. Peers that are awake and search are fed at once.

use super::slot::Local;
use super::worker::Worker;
use weftwork_sync::primitive::atomic::Ordering;

/// Polls per reading of the clock.
pub(super) const SAMPLE: u32 = 32;
/// A queue that reaches this length is looked at without waiting for the next sample.
pub(super) const BURST: usize = 256;
/// A peer is woken when the queue would take this many times the cost of a wake-up.
const WORTH: u64 = 2;
/// Nanoseconds that a task costs the two workers when it moves: its cell changes caches, and so does its end. Shorter ones
/// are not worth moving while they remain that short.
const MOVE: u64 = 120;

impl Worker {
    /// Reads the clock for the mean length of a poll, and thinks about waking a peer.
    pub(super) fn sample(&self) {
        let backlog = self.own(|local| local.private.len());
        if backlog == 0 {
            // Without a backlog nobody has to be woken, and the clock is not read.
            self.sampled_at.set(0);
            return;
        }
        let now = crate::platform::clock::real_now();
        let before = self.sampled_at.replace(now);
        if before != 0 {
            let mean = now.saturating_sub(before) / u64::from(SAMPLE);
            self.mean_poll.set((self.mean_poll.get() * 3 + mean) / 4);
        }
        self.share(backlog);
    }

    /// Publishes private tasks to thieves if one is there or worth waking.
    pub(super) fn share(&self, backlog: usize) {
        if self.mean_poll.get() < MOVE {
            return;
        }
        let idle = &self.core.idle;
        let searched_for = idle.searching() > 0;
        let worth_a_wake = !searched_for && idle.wants_wake() && self.delay_of(backlog) > self.wake_cost() * WORTH;
        if !(searched_for || worth_a_wake) {
            return;
        }
        if self.own(Local::publish) {
            self.slot().has_work.store(true, Ordering::Relaxed);
            if worth_a_wake {
                self.slot().counters.wakes.bump();
                self.core.wake_one();
            }
        }
    }

    fn delay_of(&self, backlog: usize) -> u64 {
        self.mean_poll.get().saturating_mul(backlog as u64)
    }

    fn wake_cost(&self) -> u64 {
        self.core.stats.wake_cost.get()
    }
}

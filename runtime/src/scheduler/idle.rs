//! Who sleeps, who searches, and whom to wake: the protocol that keeps promise P1 between workers.
//!
//! | word | means | written by |
//! |---|---|---|
//! | `sleepers`, a bit per slot | the worker sleeps, or is about to | the worker sets its bit; whoever wakes it clears it |
//! | `searching` | how many workers look for work that is not their own | the searchers; a waker, for the one it wakes |
//!
//! A worker on its way to sleep: stops searching, **announces** (sets its bit), then **checks** every place where work can
//! appear; if it finds any it takes its bit back. Somebody who is no worker **publishes** (pushes to the injector), then
//! **checks**: nobody searches and somebody sleeps? Then it claims one sleeper by clearing its bit, counts it as searching,
//! and wakes it. The two pairs of publish, check and announce, check are those of `primitive::dekker`.
//!
//! Races (model L5):
//! 1. Publish against going to sleep: either the publisher sees the bit, or the sleeper's check sees the work.
//! 2. Publish while somebody searches: the publisher wakes nobody and relies on the searcher. A searcher that ends its
//!    search with nothing stops searching *before* it announces and checks, so race 1 covers it. One that ends it with
//!    work checks, if it was the last, whether more is there, and then wakes another (tokio issue 1768 was a publisher that
//!    relied on a searcher who had just looked). A sleeper whose check finds a reason to stay begins to search again, because
//!    the publisher of that reason may have relied on the search it has just ended, and owes the hand-over like any other.
//! 3. Two wakers, one sleeper: the bit is cleared by a read-modify-write; one wins, the other looks for another sleeper.
//! 4. A sleeper that wakes by itself (time, an event) against a waker: taking the bit back is the same read-modify-write.
//!    Who loses it was claimed, and is counted as searching by the claimer.
//! 5. A claim counts the sleeper as searching only after it has cleared the bit. The other way round a publisher could rely
//!    on a searcher that a failed claim only pretended to have. So a sleeper that wakes by itself may end its search before
//!    its claimer has counted it: the count is below zero for that moment, and publishers take that for nobody searching
//!    (read as a huge number of searchers it would keep them from waking anybody).
//!
//! A worker that pushes to its own queue needs none of this: it is awake, and looks again at its next step. Whether it
//! should wake a peer is a question of speed, and is answered in `share.rs`. What it gives away there is published and
//! checked like anything else, so that a searcher it counted on is not one that has just given up.
//!
//! The watchdog and the end of the runtime wake by the same claim, never around it, so bits and sleepers always agree.

use weftwork_sync::primitive::atomic::{AtomicU64, AtomicUsize, Ordering};
use weftwork_sync::primitive::dekker::{announce_then_check, publish_then_check};

/// Who sleeps and who searches.
#[derive(Debug)]
pub struct Idle {
    sleepers: Box<[AtomicU64]>,
    searching: AtomicUsize,
    /// At most this many search at once.
    most_searchers: usize,
}

/// How a worker stopped searching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Searcher {
    /// It was the last: it has to see to what is left.
    Last,
    /// Others search on.
    OneOfSeveral,
}

impl Idle {
    /// For `slots` seats, of which `workers` are taken as a rule; at most half of those search.
    pub(crate) fn new(slots: usize, workers: usize) -> Self {
        Self {
            sleepers: (0..slots.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            searching: AtomicUsize::new(0),
            most_searchers: workers.div_ceil(2),
        }
    }

    /// Whether a publisher has to wake somebody. Callers outside of `publish` get a hint only.
    #[inline]
    pub(crate) fn wants_wake(&self) -> bool {
        self.searching_signed() <= 0 && self.anybody_sleeps()
    }

    /// Whether somebody sleeps; a hint outside of a check.
    #[inline]
    pub(crate) fn anybody_sleeps(&self) -> bool {
        self.sleepers.iter().any(|word| word.load(Ordering::Relaxed) != 0)
    }

    /// Whether this worker's bit is set; a hint outside of a check.
    pub(crate) fn sleeps(&self, worker: usize) -> bool {
        self.sleepers[worker / 64].load(Ordering::Relaxed) & bit(worker) != 0
    }

    /// Makes work visible to all, and says whether the caller has to wake somebody.
    pub(crate) fn publish(&self, publish: impl FnOnce()) -> bool {
        publish_then_check(publish, || self.wants_wake())
    }

    /// Makes something visible to one worker, and says whether that one sleeps and is now the caller's to wake.
    pub(crate) fn publish_to(&self, worker: usize, publish: impl FnOnce()) -> bool {
        publish_then_check(publish, || self.sleeps(worker)) && self.claim(worker)
    }

    /// Claims some sleeper, if there is one, and counts it as searching.
    pub(crate) fn claim_any(&self) -> Option<usize> {
        for (index, word) in self.sleepers.iter().enumerate() {
            loop {
                let sleeping = word.load(Ordering::Relaxed);
                if sleeping == 0 {
                    break;
                }
                let worker = index * 64 + sleeping.trailing_zeros() as usize;
                if self.claim(worker) {
                    return Some(worker);
                }
            }
        }
        None
    }

    /// Claims this sleeper and counts it as searching; `false` if it does not sleep or another claimed it.
    pub(crate) fn claim(&self, worker: usize) -> bool {
        let claimed = self.clear(worker);
        if claimed {
            // Race 5: after the bit.
            self.searching.fetch_add(1, Ordering::Relaxed);
        }
        claimed
    }

    /// Announces that the worker sleeps, then looks whether there is a reason not to.
    pub(crate) fn announce(&self, worker: usize, reason_to_stay: impl FnOnce() -> bool) -> bool {
        announce_then_check(
            || {
                // Ordering: Release: what the sleeper stored about where it sleeps is seen by whoever claims it.
                self.sleepers[worker / 64].fetch_or(bit(worker), Ordering::Release);
            },
            reason_to_stay,
        )
    }

    /// The worker is awake again; `false` if somebody claimed it, and so counted it as searching.
    pub(crate) fn retract(&self, worker: usize) -> bool {
        self.clear(worker)
    }

    fn clear(&self, worker: usize) -> bool {
        // Ordering: AcqRel: Acquire pairs with announce; races 3 and 4 are decided by the modification order alone.
        self.sleepers[worker / 64].fetch_and(!bit(worker), Ordering::AcqRel) & bit(worker) != 0
    }

    /// Begins a search, unless enough search already.
    pub(crate) fn begin_search(&self) -> bool {
        if self.searching() >= self.most_searchers {
            return false;
        }
        self.searching.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Ends a search that found nothing: the caller goes on to announce.
    pub(crate) fn end_search(&self) {
        // Ordering: Release, with announce's fence: race 2.
        self.searching.fetch_sub(1, Ordering::Release);
    }

    /// Ends a search that found work. The last searcher then checks with `more` whether there is work left for another.
    pub(crate) fn end_search_with_work(&self, more: impl FnOnce() -> bool) -> Searcher {
        let mut last = false;
        // Race 2: a publisher that relied on this searcher is answered by `more`, as by a sleeper's check.
        let more = announce_then_check(|| last = self.searching.fetch_sub(1, Ordering::AcqRel) == 1, more);
        if last && more { Searcher::Last } else { Searcher::OneOfSeveral }
    }

    /// How many search; a hint outside of a check.
    pub(crate) fn searching(&self) -> usize {
        self.searching_signed().max(0).cast_unsigned()
    }

    /// Race 5: below zero for a moment.
    fn searching_signed(&self) -> isize {
        self.searching.load(Ordering::Relaxed).cast_signed()
    }
}

fn bit(worker: usize) -> u64 {
    1 << (worker % 64)
}

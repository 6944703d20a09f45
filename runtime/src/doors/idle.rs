//! The protocol of sleepers and searchers by itself.

use crate::scheduler::idle::{Idle, Searcher};

/// Who sleeps and who searches.
pub struct Sleepers(Idle);

impl Sleepers {
    /// For that many seats.
    pub fn new(seats: usize) -> Self {
        Self(Idle::new(seats, seats))
    }

    /// Makes work visible; the sleeper that the caller has claimed for it and has to wake, if it has to wake any.
    pub fn publish(&self, publish: impl FnOnce()) -> Option<usize> {
        if self.0.publish(publish) { self.0.claim_any() } else { None }
    }

    /// Makes something visible to one worker; whether the caller has claimed it.
    pub fn publish_to(&self, worker: usize, publish: impl FnOnce()) -> bool {
        self.0.publish_to(worker, publish)
    }

    /// Claims a sleeper.
    pub fn claim_any(&self) -> Option<usize> {
        self.0.claim_any()
    }

    /// Announces a sleep; whether there is a reason to stay.
    pub fn announce(&self, worker: usize, reason_to_stay: impl FnOnce() -> bool) -> bool {
        self.0.announce(worker, reason_to_stay)
    }

    /// Is awake again; `false` if somebody claimed it.
    pub fn retract(&self, worker: usize) -> bool {
        self.0.retract(worker)
    }

    /// Begins a search.
    pub fn begin_search(&self) -> bool {
        self.0.begin_search()
    }

    /// Ends one that found nothing.
    pub fn end_search(&self) {
        self.0.end_search();
    }

    /// Ends one that found work; the sleeper that is now the caller's to wake.
    pub fn end_search_with_work(&self, more: impl FnOnce() -> bool) -> Option<usize> {
        (self.0.end_search_with_work(more) == Searcher::Last).then(|| self.0.claim_any()).flatten()
    }

    /// How many search.
    pub fn searching(&self) -> usize {
        self.0.searching()
    }
}

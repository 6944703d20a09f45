//! Letting tasks come to their end, for a while, and then stopping them.

use crate::time::timeout;
use core::time::Duration;

/// What became of tasks that were drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Those that ended by themselves within the grace.
    pub finished: usize,
    /// Those that were cancelled, and whose clean-up was awaited.
    pub cancelled: usize,
}

/// Tasks that are waited for together.
pub(super) trait Crowd {
    /// How many are left.
    fn left(&self) -> usize;

    /// Waits until none is.
    async fn all_gone(&mut self);

    /// Cancels those that are left, because their time is up.
    fn cancel_rest(&mut self);
}

/// Waits for all of them, and after `grace` cancels the rest and awaits their clean-up.
pub(super) async fn drain(crowd: &mut impl Crowd, grace: Duration) -> Drained {
    let before = crowd.left();
    if timeout(grace, crowd.all_gone()).await.is_ok() {
        return Drained { finished: before, cancelled: 0 };
    }
    let cancelled = crowd.left();
    crowd.cancel_rest();
    crowd.all_gone().await;
    Drained { finished: before - cancelled, cancelled }
}

//! Store-load pairs (Dekker): the only place where they exist.
//!
//! Two threads each write a word of their own and then read the other's. At least one of them must see the other's
//! write, or a wake-up is lost: the sleeper says "I sleep" and then looks for work; the publisher stores work and then
//! looks for sleepers. A release store and an acquire load do not give that; a sequentially consistent fence between the
//! store and the load, on *both* sides, does (C++20, 32.4 [atomics.order]: of two such fences one precedes the other in
//! the single total order S, and whoever comes second sees what was stored before the first).
//!
//! A read-modify-write of the *other* word in place of the fence is not enough under that model, and a SeqCst load is not
//! enough either (tokio issue 1768 was that); neither shape may be written anywhere else.
//!
//! | side | function | partner |
//! |---|---|---|
//! | whoever makes something available | [`publish_then_check`] | [`announce_then_check`] |
//! | whoever is about to wait for it | [`announce_then_check`] | [`publish_then_check`] |

use super::atomic::{Ordering, fence};

/// Makes work visible, then looks whether anybody has to be told.
///
/// If the partner's `announce` is not seen by `check`, the partner's own check sees what `publish` stored.
#[inline(always)]
#[cfg_attr(weftwork_count, track_caller)]
pub fn publish_then_check<R>(publish: impl FnOnce(), check: impl FnOnce() -> R) -> R {
    publish();
    // Ordering: pairs with the fence in announce_then_check.
    fence(Ordering::SeqCst);
    check()
}

/// Says that the caller is about to wait, then looks once more for a reason not to.
///
/// If the partner's `publish` is not seen by `check`, the partner's own check sees what `announce` stored.
#[inline(always)]
#[cfg_attr(weftwork_count, track_caller)]
pub fn announce_then_check<R>(announce: impl FnOnce(), check: impl FnOnce() -> R) -> R {
    announce();
    // Ordering: pairs with the fence in publish_then_check.
    fence(Ordering::SeqCst);
    check()
}

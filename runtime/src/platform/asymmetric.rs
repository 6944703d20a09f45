//! A store-load pair whose one side is nearly free.
//!
//! As `primitive::dekker`, but one side runs on every step of a worker and the other once in a while in the watchdog. The
//! frequent side pays a compiler fence, the rare side a barrier on all threads of the process (`membarrier`), which makes
//! the frequent side's stores visible and its later loads late, wherever it stands. Where the system has no such barrier,
//! and in models, both sides fence: the same code, the same proof, five nanoseconds more.

use super::system;
use std::sync::OnceLock;
use weftwork_sync::primitive::atomic::{Ordering, compiler_fence, fence};

static ASYMMETRIC: OnceLock<bool> = OnceLock::new();

/// Which of the two forms a pair uses; both its sides have to use the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pairing {
    asymmetric: bool,
}

impl Pairing {
    /// The best form this system has.
    pub(crate) fn best() -> Self {
        Self { asymmetric: *ASYMMETRIC.get_or_init(system::has_process_barrier) }
    }

    /// Whether the frequent side needs no fence.
    pub(crate) fn is_asymmetric(self) -> bool {
        self.asymmetric
    }

    /// The frequent side, after its store: looks. What it sees counts only where the pair [is
    /// asymmetric](Self::is_asymmetric); elsewhere it has to look again, [fenced](Self::fenced).
    #[inline(always)]
    pub(crate) fn often<R>(self, look: impl FnOnce() -> R) -> R {
        // Ordering: the processor's own order is forced from outside, by the barrier in `seldom`.
        compiler_fence(Ordering::SeqCst);
        look()
    }

    /// The frequent side where there is no barrier on the process.
    pub(crate) fn fenced<R>(self, look: impl FnOnce() -> R) -> R {
        if !self.asymmetric {
            // Ordering: pairs with the fence in `seldom`.
            fence(Ordering::SeqCst);
        }
        look()
    }

    /// The rare side: stores, then looks.
    pub(crate) fn seldom<R>(self, store: impl FnOnce(), look: impl FnOnce() -> R) -> R {
        store();
        // Ordering: pairs with the fence in `often`; with the process barrier it also orders this thread's own store
        // before its barrier.
        fence(Ordering::SeqCst);
        if self.asymmetric {
            system::process_barrier();
        }
        look()
    }
}

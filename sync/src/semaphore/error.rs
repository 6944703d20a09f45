//! Why no permit was given.

use core::fmt;

/// The semaphore is closed.
///
/// # Examples
/// ```
/// let semaphore = weftwork_sync::Semaphore::new(1);
/// semaphore.close();
/// assert!(weftwork_sync::block_on(semaphore.acquire()).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcquireError(pub(super) ());

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore is closed and gives out no more permits: stop asking, its owner is shutting down")
    }
}

impl std::error::Error for AcquireError {}

/// Why no permit was to be had at once.
///
/// # Examples
/// ```
/// use weftwork_sync::{Semaphore, TryAcquireError};
/// assert_eq!(Semaphore::new(0).try_acquire().err(), Some(TryAcquireError::NoPermits));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// There are too few permits, or others wait for them.
    NoPermits,
    /// The semaphore is closed.
    Closed,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "too few permits are free, or others wait for them: await acquire, or try again later",
            Self::Closed => "the semaphore is closed and gives out no more permits: stop asking",
        })
    }
}

impl std::error::Error for TryAcquireError {}

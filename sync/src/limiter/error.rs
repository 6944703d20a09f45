//! Why a limiter lent nothing.

use core::fmt;

/// The borrower has a token of the limiter already, or waits for one.
///
/// # Examples
/// ```
/// let limiter = weftwork_sync::Limiter::new(2);
/// let token = limiter.try_borrow_on_behalf_of(7);
/// assert_eq!(limiter.borrow_on_behalf_of(7).expect_err("it has one").key(), 7);
/// # drop(token);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlreadyBorrowed {
    pub(super) key: u64,
}

impl AlreadyBorrowed {
    /// Who it was.
    ///
    /// # Examples
    /// ```
    /// let limiter = weftwork_sync::Limiter::new(2);
    /// let waits = limiter.borrow_on_behalf_of(7);
    /// assert_eq!(limiter.borrow_on_behalf_of(7).expect_err("it waits for one").key(), 7);
    /// # drop(waits);
    /// ```
    pub fn key(&self) -> u64 {
        self.key
    }
}

impl fmt::Display for AlreadyBorrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key;
        write!(
            f,
            "the borrower {key} has a token already or waits for one: drop that first, or borrow under another key"
        )
    }
}

impl std::error::Error for AlreadyBorrowed {}

/// Why no token was to be had at once.
///
/// # Examples
/// ```
/// use weftwork_sync::{Limiter, TryBorrowError};
/// assert_eq!(Limiter::new(0).try_borrow_on_behalf_of(7).err(), Some(TryBorrowError::NoToken));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryBorrowError {
    /// As many are lent as there are.
    NoToken,
    /// The borrower has one already, or waits for one.
    AlreadyBorrowed,
}

impl fmt::Display for TryBorrowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "every token of the limiter is lent: await borrow, or try again later",
            Self::AlreadyBorrowed => "the borrower has a token already or waits for one: drop that first",
        })
    }
}

impl std::error::Error for TryBorrowError {}

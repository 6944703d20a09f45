//! At most so many at once, where that number may change while they are at it.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol |
//! | `token.rs` | the tokens, which give themselves back, and the futures that wait for them |
//! | `error.rs` | why nothing was lent |
//! | `mod.rs` | the limiter |

mod error;
mod state;
mod token;

pub use error::{AlreadyBorrowed, TryBorrowError};
pub use token::{Borrow, BorrowOwned, LimiterToken, OwnedLimiterToken};

use crate::weft_const_fn;
use core::fmt;
use state::State;

#[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
use std::sync::Arc;

/// A number of tokens that tasks borrow, whose total can be changed at any time; a borrower may be known by a key, and borrows
/// once then.
///
/// A [`Semaphore`](crate::Semaphore) counts permits, which can be added and forgotten one by one. A limiter knows its total: made
/// smaller than what is lent, it takes back nothing, and lends nothing until enough has come back.
///
/// # Fairness
/// Strictly first come, first served.
///
/// # Counterparts
/// trio's `CapacityLimiter`. Its borrowers are the tasks, so that a task that gives back what it never borrowed, or borrows twice,
/// is told. Here a token gives itself back and can be moved, so a borrower has a name only if
/// [you give it one](Self::borrow_on_behalf_of). tokio has none.
///
/// # Examples
/// ```
/// use weftwork_sync::{Limiter, block_on};
///
/// let connections = Limiter::new(1);
/// block_on(async {
///     let first = connections.borrow().await;
///     assert!(connections.try_borrow().is_none());
///     connections.set_total(2);
///     let second = connections.borrow().await;
///     assert_eq!((connections.borrowed(), connections.available()), (2, 0));
///     # drop((first, second));
/// });
/// ```
#[doc(alias = "CapacityLimiter")]
pub struct Limiter {
    state: State,
}

// It holds nothing of a user's, and a panic finds it as it was before or after an operation.
impl core::panic::UnwindSafe for Limiter {}
impl core::panic::RefUnwindSafe for Limiter {}

impl Limiter {
    weft_const_fn! {
        /// A limiter with `total` tokens; usable in a `static`. `usize::MAX` is no limit, 0 lends nothing until it is raised.
        ///
        /// # Examples
        /// ```
        /// static DOWNLOADS: weftwork_sync::Limiter = weftwork_sync::Limiter::new(4);
        /// assert_eq!(DOWNLOADS.total(), 4);
        /// ```
        pub fn new(total: usize) -> Self {
            Self { state: State::new(total) }
        }
    }

    /// Waits for a token.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue; a token that it had already goes to the next.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let limiter = weftwork_sync::Limiter::new(1);
    /// let token = limiter.borrow().await;
    /// assert_eq!(limiter.borrowed(), 1);
    /// # drop(token);
    /// # });
    /// ```
    #[doc(alias = "acquire")]
    pub fn borrow(&self) -> Borrow<'_> {
        Borrow::new(self, None)
    }

    /// As [`borrow`](Self::borrow), for a borrower that may have one token at a time: a client, a host, a job.
    ///
    /// The borrower is known from this call on, until its token, or the future that waits for it, is dropped.
    ///
    /// # Errors
    /// [`AlreadyBorrowed`] if `key` has a token or waits for one.
    ///
    /// # Cancel safety
    /// As [`borrow`](Self::borrow).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let limiter = weftwork_sync::Limiter::new(2);
    /// let token = limiter.borrow_on_behalf_of(7)?.await;
    /// assert!(limiter.borrow_on_behalf_of(7).is_err());
    /// drop(token);
    /// assert!(limiter.borrow_on_behalf_of(7).is_ok());
    /// # Ok::<(), weftwork_sync::AlreadyBorrowed>(())
    /// # }).expect("one at a time");
    /// ```
    #[doc(alias = "acquire_on_behalf_of")]
    pub fn borrow_on_behalf_of(&self, key: u64) -> Result<Borrow<'_>, AlreadyBorrowed> {
        if self.state.enter(key) { Ok(Borrow::new(self, Some(key))) } else { Err(AlreadyBorrowed { key }) }
    }

    /// Borrows a token if one is free.
    ///
    /// # Examples
    /// ```
    /// let limiter = weftwork_sync::Limiter::new(1);
    /// let token = limiter.try_borrow().expect("one is free");
    /// assert!(limiter.try_borrow().is_none());
    /// # drop(token);
    /// ```
    #[doc(alias("acquire_nowait", "try_acquire"))]
    pub fn try_borrow(&self) -> Option<LimiterToken<'_>> {
        self.state.try_take().then(|| LimiterToken::new(self, None))
    }

    /// As [`try_borrow`](Self::try_borrow), for a borrower that may have one token at a time.
    ///
    /// # Errors
    /// [`TryBorrowError::AlreadyBorrowed`] if `key` has a token or waits for one, [`TryBorrowError::NoToken`] if none is free.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Limiter, TryBorrowError};
    /// let limiter = Limiter::new(1);
    /// let token = limiter.try_borrow_on_behalf_of(7).expect("one is free");
    /// assert_eq!(limiter.try_borrow_on_behalf_of(8).err(), Some(TryBorrowError::NoToken));
    /// # drop(token);
    /// ```
    #[doc(alias = "acquire_on_behalf_of_nowait")]
    pub fn try_borrow_on_behalf_of(&self, key: u64) -> Result<LimiterToken<'_>, TryBorrowError> {
        if !self.state.enter(key) {
            return Err(TryBorrowError::AlreadyBorrowed);
        }
        if self.state.try_take() {
            return Ok(LimiterToken::new(self, Some(key)));
        }
        self.state.forget(Some(key));
        Err(TryBorrowError::NoToken)
    }

    /// As [`borrow`](Self::borrow), with a token that is not tied to a lifetime.
    ///
    /// # Cancel safety
    /// As [`borrow`](Self::borrow).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let limiter = std::sync::Arc::new(weftwork_sync::Limiter::new(1));
    /// let token = limiter.clone().borrow_owned().await;
    /// assert_eq!(limiter.available(), 0);
    /// # drop(token);
    /// # });
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
    pub fn borrow_owned(self: Arc<Self>) -> BorrowOwned {
        BorrowOwned::new(self)
    }

    /// As [`try_borrow`](Self::try_borrow), with a token that is not tied to a lifetime.
    ///
    /// # Examples
    /// ```
    /// let limiter = std::sync::Arc::new(weftwork_sync::Limiter::new(1));
    /// assert!(limiter.try_borrow_owned().is_some());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
    pub fn try_borrow_owned(self: Arc<Self>) -> Option<OwnedLimiterToken> {
        self.state.try_take().then(|| OwnedLimiterToken::new(self))
    }

    /// Waits for a token on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that holds the token may need that thread.
    ///
    /// # Examples
    /// ```
    /// let limiter = weftwork_sync::Limiter::new(1);
    /// let token = limiter.blocking_borrow();
    /// assert_eq!(limiter.borrowed(), 1);
    /// # drop(token);
    /// ```
    pub fn blocking_borrow(&self) -> LimiterToken<'_> {
        match self.try_borrow() {
            Some(token) => token,
            None => crate::block_on(self.borrow()),
        }
    }

    /// Changes the total. If it grows, those who wait longest are lent the new tokens; if it shrinks below what is lent, nothing
    /// is lent until enough has come back.
    ///
    /// # Examples
    /// ```
    /// let limiter = weftwork_sync::Limiter::new(2);
    /// let (one, two) = (limiter.try_borrow(), limiter.try_borrow());
    /// limiter.set_total(1);
    /// drop(one);
    /// assert!(limiter.try_borrow().is_none());
    /// drop(two);
    /// assert!(limiter.try_borrow().is_some());
    /// ```
    #[doc(alias = "total_tokens")]
    pub fn set_total(&self, total: usize) {
        self.state.set_total(total);
    }

    /// How many tokens there are, lent or not.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Limiter::new(3).total(), 3);
    /// ```
    pub fn total(&self) -> usize {
        self.state.observe().total
    }

    /// How many tokens are lent at this moment; more than the [total](Self::total) if that has shrunk.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Limiter::new(3).borrowed(), 0);
    /// ```
    #[doc(alias = "borrowed_tokens")]
    pub fn borrowed(&self) -> usize {
        self.state.observe().borrowed
    }

    /// How many tokens are free at this moment.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Limiter::new(3).available(), 3);
    /// ```
    #[doc(alias = "available_tokens")]
    pub fn available(&self) -> usize {
        let seen = self.state.observe();
        seen.total.saturating_sub(seen.borrowed)
    }

    /// How many wait for a token at this moment.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Limiter::new(3).waiting(), 0);
    /// ```
    pub fn waiting(&self) -> usize {
        self.state.observe().waiting
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.state.observe();
        f.debug_struct("Limiter")
            .field("total", &seen.total)
            .field("borrowed", &seen.borrowed)
            .field("waiting", &seen.waiting)
            .field("keys", &self.state.keys())
            .finish()
    }
}

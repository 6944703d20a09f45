//! The tokens of a limiter, which give themselves back when they are dropped, and the futures that wait for them.

use super::Limiter;
use crate::waiters::Waiter;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

#[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
use std::sync::Arc;

/// A token of a [`Limiter`]; dropping it gives it back.
///
/// # Examples
/// ```
/// let limiter = weftwork_sync::Limiter::new(1);
/// drop(limiter.try_borrow());
/// assert_eq!(limiter.borrowed(), 0);
/// ```
#[must_use = "the token is given back at once when this is dropped"]
pub struct LimiterToken<'a> {
    limiter: &'a Limiter,
    key: Option<u64>,
}

impl<'a> LimiterToken<'a> {
    /// The caller has just taken a token.
    pub(super) fn new(limiter: &'a Limiter, key: Option<u64>) -> Self {
        Self { limiter, key }
    }

    /// On whose behalf it was borrowed, if anybody's.
    ///
    /// # Examples
    /// ```
    /// let limiter = weftwork_sync::Limiter::new(1);
    /// assert_eq!(limiter.try_borrow_on_behalf_of(7).map(|token| token.key()), Ok(Some(7)));
    /// ```
    pub fn key(&self) -> Option<u64> {
        self.key
    }
}

impl Drop for LimiterToken<'_> {
    fn drop(&mut self) {
        self.limiter.state.give(self.key);
    }
}

impl fmt::Debug for LimiterToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimiterToken").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A token of a [`Limiter`] in an `Arc`, tied to no lifetime; dropping it gives it back.
///
/// # Examples
/// ```
/// let limiter = std::sync::Arc::new(weftwork_sync::Limiter::new(1));
/// let token = limiter.clone().try_borrow_owned().expect("one is free");
/// std::thread::spawn(move || drop(token)).join().expect("it only drops");
/// assert_eq!(limiter.borrowed(), 0);
/// ```
#[must_use = "the token is given back at once when this is dropped"]
#[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
pub struct OwnedLimiterToken {
    limiter: Arc<Limiter>,
}

impl OwnedLimiterToken {
    /// The caller has just taken a token.
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
    pub(super) fn new(limiter: Arc<Limiter>) -> Self {
        Self { limiter }
    }
}

impl Drop for OwnedLimiterToken {
    fn drop(&mut self) {
        self.limiter.state.give(None);
    }
}

impl fmt::Debug for OwnedLimiterToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedLimiterToken").finish_non_exhaustive()
    }
}

/// The future of [`Limiter::borrow`] and [`Limiter::borrow_on_behalf_of`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Borrow<'a> {
    /// `None` once the token has it.
    limiter: Option<&'a Limiter>,
    key: Option<u64>,
    waiter: Waiter,
}

impl<'a> Borrow<'a> {
    /// If there is a key, the limiter knows it.
    pub(super) fn new(limiter: &'a Limiter, key: Option<u64>) -> Self {
        Self { limiter: Some(limiter), key, waiter: Waiter::new() }
    }
}

impl<'a> Future for Borrow<'a> {
    type Output = LimiterToken<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LimiterToken<'a>> {
        // SAFETY: nothing is moved out of the pinned part, which is the waiter alone.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: the waiter is pinned with the future.
        let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
        if let Some(limiter) = this.limiter {
            ready!(limiter.state.poll_take(waiter, cx));
        }
        match this.limiter.take() {
            Some(limiter) => Poll::Ready(LimiterToken::new(limiter, this.key)),
            None => panic!("Borrow was polled after it gave out its token: await it once, or fuse it"),
        }
    }
}

impl Drop for Borrow<'_> {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiter {
            // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
            limiter.state.leave(self.key, unsafe { Pin::new_unchecked(&self.waiter) });
        }
    }
}

impl fmt::Debug for Borrow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Borrow").field("key", &self.key).field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// The future of [`Limiter::borrow_owned`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct BorrowOwned {
    /// `None` once the token has it.
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
    limiter: Option<Arc<Limiter>>,
    waiter: Waiter,
}

impl BorrowOwned {
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Limiter>; our own protocols do not use it")]
    pub(super) fn new(limiter: Arc<Limiter>) -> Self {
        Self { limiter: Some(limiter), waiter: Waiter::new() }
    }
}

impl Future for BorrowOwned {
    type Output = OwnedLimiterToken;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<OwnedLimiterToken> {
        // SAFETY: nothing is moved out of the pinned part, which is the waiter alone.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: the waiter is pinned with the future.
        let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
        // The Arc stays in place while the waiter may be linked, also if a waker's clone panics in here (tokio 3689).
        if let Some(limiter) = &this.limiter {
            ready!(limiter.state.poll_take(waiter, cx));
        }
        match this.limiter.take() {
            Some(limiter) => Poll::Ready(OwnedLimiterToken::new(limiter)),
            None => panic!("BorrowOwned was polled after it gave out its token: await it once, or fuse it"),
        }
    }
}

impl Drop for BorrowOwned {
    fn drop(&mut self) {
        if let Some(limiter) = &self.limiter {
            // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
            limiter.state.leave(None, unsafe { Pin::new_unchecked(&self.waiter) });
        }
    }
}

impl fmt::Debug for BorrowOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowOwned").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

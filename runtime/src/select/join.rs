//! The lists of `join!` and `try_join!`.
//!
//! A `join!` wants every value, so its futures need no regions: a cancellation from outside finds them as if they stood there
//! alone, and a shield in one of them keeps the others (rule 9). Each is dropped as soon as it has its value. `try_join!` gives up the others at the first error, so
//! there each is an [`Arm`].
//!
//! Which future is polled first goes round from poll to poll, so that none lives on the budget that the one before it has left.

use super::arm::{Arm, End, Losers, Pair, Panicked, Why, behind};
use core::future::Future;
use core::ops::Range;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

pin_project! {
    /// A future of `join!`, or its value, and those behind it.
    pub struct All<F, R>
    where
        F: Future,
    {
        #[pin]
        future: Option<F>,
        value: Option<F::Output>,
        #[pin]
        rest: R,
    }
}

impl<F: Future, R> All<F, R> {
    /// A future in front of others.
    pub fn new(future: F, rest: R) -> Self {
        Self { future: Some(future), value: None, rest }
    }
}

/// The futures of a `join!`.
pub trait Futures {
    /// Their values, one inside the tail of the other.
    type Values;
    /// How many there are.
    const LEN: usize;
    /// Polls those in `range` that have no value yet; whether all of them have one now.
    fn poll_some(self: Pin<&mut Self>, range: Range<usize>, cx: &mut Context<'_>) -> bool;
    /// All values, once each is there.
    fn take(self: Pin<&mut Self>) -> Option<Self::Values>;
}

impl<F: Future, R: Futures> Futures for All<F, R> {
    type Values = (F::Output, R::Values);
    const LEN: usize = 1 + R::LEN;

    fn poll_some(self: Pin<&mut Self>, range: Range<usize>, cx: &mut Context<'_>) -> bool {
        let mut this = self.project();
        let mut done = true;
        if range.contains(&0)
            && let Some(future) = this.future.as_mut().as_pin_mut()
        {
            match future.poll(cx) {
                Poll::Ready(value) => {
                    *this.value = Some(value);
                    this.future.set(None);
                }
                Poll::Pending => done = false,
            }
        }
        this.rest.poll_some(behind(&range), cx) & done
    }

    fn take(self: Pin<&mut Self>) -> Option<Self::Values> {
        let this = self.project();
        Some((this.value.take()?, this.rest.take()?))
    }
}

impl Futures for End {
    type Values = ();
    const LEN: usize = 0;

    fn poll_some(self: Pin<&mut Self>, _: Range<usize>, _: &mut Context<'_>) -> bool {
        true
    }

    fn take(self: Pin<&mut Self>) -> Option<()> {
        Some(())
    }
}

/// Where the next poll begins.
#[derive(Debug)]
struct Turn {
    first: usize,
    rotates: bool,
}

impl Turn {
    fn next(&mut self, len: usize) -> usize {
        let first = self.first;
        if self.rotates {
            self.first = (first + 1) % len.max(1);
        }
        first
    }
}

pin_project! {
    /// Waits for all values.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Join<L> {
        #[pin]
        list: L,
        turn: Turn,
    }
}

impl<L: Futures> Join<L> {
    /// If it is `fair`, which is polled first goes round.
    pub fn new(list: L, fair: bool) -> Self {
        Self { list, turn: Turn { first: 0, rotates: fair } }
    }
}

impl<L: Futures> Future for Join<L> {
    type Output = L::Values;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<L::Values> {
        let mut this = self.project();
        let first = this.turn.next(L::LEN);
        let behind = this.list.as_mut().poll_some(first..L::LEN, cx);
        let before = this.list.as_mut().poll_some(0..first, cx);
        if !(behind && before) {
            return Poll::Pending;
        }
        match this.list.take() {
            Some(values) => Poll::Ready(values),
            None => panic!("join! was polled after it had given its values"),
        }
    }
}

/// A future of `try_join!`, its value once it has one, and those behind it.
pub type TryAll<F, T, R> = Pair<F, Option<T>, R>;

impl<T, E, F: Future<Output = Result<T, E>>, R> TryAll<F, T, R> {
    /// A future in front of others.
    #[track_caller]
    pub fn new(future: F, rest: R) -> Self {
        Self { arm: Arm::new(Some(future)), kept: None, rest }
    }
}

/// The futures of a `try_join!`.
pub trait TryFutures<E>: Losers {
    /// Their values, one inside the tail of the other.
    type Values;
    /// How many there are.
    const LEN: usize;
    /// Polls those in `range` that have no value yet; whether all of them have one now.
    ///
    /// # Errors
    /// The first error.
    fn poll_some(self: Pin<&mut Self>, range: Range<usize>, cx: &mut Context<'_>) -> Result<bool, E>;
    /// All values, once each is there.
    fn take(self: Pin<&mut Self>) -> Option<Self::Values>;
}

impl<T, E, F: Future<Output = Result<T, E>>, R: TryFutures<E>> TryFutures<E> for TryAll<F, T, R> {
    type Values = (T, R::Values);
    const LEN: usize = 1 + R::LEN;

    fn poll_some(self: Pin<&mut Self>, range: Range<usize>, cx: &mut Context<'_>) -> Result<bool, E> {
        let this = self.project();
        let mut done = true;
        if range.contains(&0) {
            match this.arm.poll(cx) {
                Some(Poll::Ready(outcome)) => *this.kept = Some(outcome?),
                Some(Poll::Pending) => done = false,
                None => {}
            }
        }
        Ok(this.rest.poll_some(behind(&range), cx)? & done)
    }

    fn take(self: Pin<&mut Self>) -> Option<Self::Values> {
        let this = self.project();
        Some((this.kept.take()?, this.rest.take()?))
    }
}

impl<E> TryFutures<E> for End {
    type Values = ();
    const LEN: usize = 0;

    fn poll_some(self: Pin<&mut Self>, _: Range<usize>, _: &mut Context<'_>) -> Result<bool, E> {
        Ok(true)
    }

    fn take(self: Pin<&mut Self>) -> Option<()> {
        Some(())
    }
}

pin_project! {
    /// Waits for all values, or for the first error and the end of the others.
    #[must_use = "futures do nothing unless awaited"]
    pub struct TryJoin<L, E> {
        #[pin]
        list: L,
        turn: Turn,
        at: &'static Location<'static>,
        error: Option<E>,
        panicked: Panicked,
    }
}

impl<E, L: TryFutures<E>> TryJoin<L, E> {
    /// If it is `fair`, which is polled first goes round.
    #[track_caller]
    pub fn new(list: L, fair: bool) -> Self {
        let turn = Turn { first: 0, rotates: fair };
        Self { list, turn, at: Location::caller(), error: None, panicked: Panicked::default() }
    }
}

impl<E, L: TryFutures<E>> Future for TryJoin<L, E> {
    type Output = Result<L::Values, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.error.is_none() {
            let first = this.turn.next(L::LEN);
            let behind = this.list.as_mut().poll_some(first..L::LEN, cx);
            let polled = behind.and_then(|behind| Ok(this.list.as_mut().poll_some(0..first, cx)? && behind));
            match polled {
                Ok(false) => return Poll::Pending,
                Ok(true) => match this.list.take() {
                    Some(values) => return Poll::Ready(Ok(values)),
                    None => panic!("try_join! was polled after it had given its values"),
                },
                Err(error) => *this.error = Some(error),
            }
            let why = Why { text: "another future of its try_join! failed", at: this.at };
            this.list.as_mut().give_up(&why, this.panicked);
        }
        if !this.list.poll_gone(cx, this.panicked) {
            return Poll::Pending;
        }
        this.panicked.go_on();
        match this.error.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => unreachable!("looked at above"),
        }
    }
}

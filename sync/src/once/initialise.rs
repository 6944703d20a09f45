//! The futures that make a cell's value, one at a time.
//!
//! # Who runs
//! Whoever has the one permit of the cell's semaphore runs its initialiser. The permit is given back, and so handed to the
//! next in the queue, when the initialiser fails, panics or is dropped; when it has succeeded the semaphore is closed, which
//! lets all the others go. So handing over is what the semaphore does for any permit, and nothing is added to it here.
//!
//! 1. A permit means that there is no value: the semaphore is closed before the permit of the one that set it ends.
//! 2. A closed semaphore means that there is one: it is closed after the value was set.

use super::once_cell::OnceCell;
use crate::coop;
use crate::semaphore::{Acquire, Permit};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// What both futures do; they differ in what their initialiser gives.
struct Initialise<'a, T, F, Fut> {
    cell: &'a OnceCell<T>,
    init: Option<F>,
    turn: Acquire<'a>,
    /// Whether it has asked for its turn.
    asked: bool,
    /// Before the permit: the next initialiser begins when this one is gone.
    running: Option<Fut>,
    permit: Option<Permit<'a>>,
}

impl<'a, T, F: FnOnce() -> Fut, Fut: Future> Initialise<'a, T, F, Fut> {
    fn new(cell: &'a OnceCell<T>, init: F) -> Self {
        Self { cell, init: Some(init), turn: cell.turn.acquire(), asked: false, running: None, permit: None }
    }

    fn poll<E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        result: impl FnOnce(Fut::Output) -> Result<T, E>,
    ) -> Poll<Result<&'a T, E>> {
        // SAFETY: `turn` and `running` are pinned with this: they are polled in place, and dropped in place.
        let this = unsafe { self.get_unchecked_mut() };
        if this.running.is_none() {
            if !this.asked && this.cell.is_set() {
                let unit = ready!(coop::proceed_for(cx, false, || coop::Wait::new("a value that is made once")));
                unit.made_progress();
                return Poll::Ready(Ok(there(this.cell)));
            }
            this.asked = true;
            // SAFETY: as above.
            let Ok(permit) = ready!(unsafe { Pin::new_unchecked(&mut this.turn) }.poll(cx)) else {
                this.cell.turns_are_over();
                return Poll::Ready(Ok(there(this.cell)));
            };
            let Some(init) = this.init.take() else {
                panic!("an initialiser was polled after it had failed: make another one by get_or_try_init")
            };
            this.running = Some(init());
            this.permit = Some(permit);
        }
        // The permit lies outside of the future while the initialiser is polled: a panic in it hands the turn on.
        let (Some(running), Some(permit)) = (&mut this.running, this.permit.take()) else {
            panic!("an initialiser was polled after it had panicked: make another one by get_or_init")
        };
        // SAFETY: as above.
        let Poll::Ready(made) = unsafe { Pin::new_unchecked(running) }.poll(cx) else {
            this.permit = Some(permit);
            return Poll::Pending;
        };
        let outcome = match result(made) {
            Ok(value) => {
                let set = this.cell.fill(value);
                debug_assert!(set.is_ok(), "somebody else set the value meanwhile");
                permit.forget();
                Ok(there(this.cell))
            }
            Err(error) => {
                // Gone before the next begins.
                this.running = None;
                drop(permit);
                Err(error)
            }
        };
        this.running = None;
        Poll::Ready(outcome)
    }
}

/// The value of a cell whose turns are over.
fn there<T>(cell: &OnceCell<T>) -> &T {
    match cell.get() {
        Some(value) => value,
        None => unreachable!("the semaphore is closed once the value is there"),
    }
}

impl<T, F, Fut> fmt::Debug for Initialise<'_, T, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (&self.running, &self.permit) {
            (Some(_), Some(_)) => "runs",
            (Some(_), None) => "panicked",
            (None, _) if !self.asked => "idle",
            (None, _) => "waits",
        };
        f.write_str(state)
    }
}

/// The future of [`OnceCell::get_or_init`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct GetOrInit<'a, T, F, Fut> {
    inner: Initialise<'a, T, F, Fut>,
}

impl<'a, T, F: FnOnce() -> Fut, Fut: Future<Output = T>> GetOrInit<'a, T, F, Fut> {
    pub(super) fn new(cell: &'a OnceCell<T>, init: F) -> Self {
        Self { inner: Initialise::new(cell, init) }
    }
}

impl<'a, T, F: FnOnce() -> Fut, Fut: Future<Output = T>> Future for GetOrInit<'a, T, F, Fut> {
    type Output = &'a T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'a T> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let inner = unsafe { self.map_unchecked_mut(|this| &mut this.inner) };
        inner.poll(cx, Ok::<T, core::convert::Infallible>).map(|Ok(value)| value)
    }
}

impl<T, F, Fut> fmt::Debug for GetOrInit<'_, T, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetOrInit").field("state", &self.inner).finish_non_exhaustive()
    }
}

/// The future of [`OnceCell::get_or_try_init`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct GetOrTryInit<'a, T, F, Fut> {
    inner: Initialise<'a, T, F, Fut>,
}

impl<'a, T, E, F: FnOnce() -> Fut, Fut: Future<Output = Result<T, E>>> GetOrTryInit<'a, T, F, Fut> {
    pub(super) fn new(cell: &'a OnceCell<T>, init: F) -> Self {
        Self { inner: Initialise::new(cell, init) }
    }
}

impl<'a, T, E, F: FnOnce() -> Fut, Fut: Future<Output = Result<T, E>>> Future for GetOrTryInit<'a, T, F, Fut> {
    type Output = Result<&'a T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let inner = unsafe { self.map_unchecked_mut(|this| &mut this.inner) };
        inner.poll(cx, |made| made)
    }
}

impl<T, F, Fut> fmt::Debug for GetOrTryInit<'_, T, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetOrTryInit").field("state", &self.inner).finish_non_exhaustive()
    }
}

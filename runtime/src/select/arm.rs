//! One of several futures of which only some will be wanted to their end.
//!
//! Each lies in a region of its own, so that it can be cancelled while the others go on. It is *given up* when another one has
//! decided: a future with nothing live inside, which is what most are, is dropped on the spot; one with a landing pad, a shield or a group
//! inside is cancelled and *heard out*, polled on until it has unwound. A value that it comes to meanwhile is dropped.
//! A task whose handle lay inside is cancelled too and waited for, as in any region that unwinds.

use crate::scope::limit::Unlimited;
use crate::scope::region::{Kind, Region};
use crate::task::cell::drop_payload;
use crate::task::{CancelCause, Panic};
use core::future::Future;
use core::ops::Range;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use weftwork_sync::primitive::{Panic as Payload, contain};

pin_project! {
    /// A future, until it is over.
    pub struct Arm<F> {
        #[pin]
        region: Option<Region<F>>,
    }
}

impl<F: Future> Arm<F> {
    #[track_caller]
    pub(super) fn new(future: Option<F>) -> Self {
        let at = Location::caller();
        Self { region: future.map(|future| Region::new(Kind::Arm, at, future)) }
    }

    /// `None` if it is over.
    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<Poll<F::Output>> {
        let mut this = self.project();
        let polled = this.region.as_mut().as_pin_mut()?.poll(&mut Unlimited, cx);
        Some(match polled {
            Poll::Ready(Ok(value)) => {
                this.region.set(None);
                Poll::Ready(value)
            }
            // It ends without a value only when it was given up.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        })
    }
}

/// Futures that are given up together.
pub trait Losers {
    /// Cancels each that is not over.
    fn give_up(self: Pin<&mut Self>, why: &Why, panicked: &mut Panicked);
    /// Hears them out; `true` once all are over.
    fn poll_gone(self: Pin<&mut Self>, cx: &mut Context<'_>, panicked: &mut Panicked) -> bool;
}

/// Why futures are given up.
#[derive(Debug)]
pub struct Why {
    pub(super) text: &'static str,
    pub(super) at: &'static Location<'static>,
}

impl Why {
    fn cause(&self) -> CancelCause {
        CancelCause::explicit().saying(self.text).from(crate::context::current_task(), self.at)
    }
}

/// The first panic of those that were given up: it goes on when all are over.
#[derive(Debug, Default)]
pub struct Panicked(Option<Panic>);

impl Panicked {
    fn keep(&mut self, payload: Payload) {
        match self.0 {
            None => self.0 = Some(Panic(payload)),
            Some(_) => drop_payload(payload),
        }
    }

    /// Goes on panicking, if one of them did.
    pub(super) fn go_on(&mut self) {
        if let Some(panic) = self.0.take() {
            panic.resume();
        }
    }
}

impl<F: Future> Losers for Arm<F> {
    fn give_up(self: Pin<&mut Self>, why: &Why, panicked: &mut Panicked) {
        let mut this = self.project();
        let Some(region) = this.region.as_mut().as_pin_mut() else { return };
        match region.give_up(|| why.cause()) {
            Ok(true) => {}
            Ok(false) => this.region.set(None),
            Err(payload) => panicked.keep(payload),
        }
    }

    fn poll_gone(self: Pin<&mut Self>, cx: &mut Context<'_>, panicked: &mut Panicked) -> bool {
        let mut this = self.project();
        let Some(region) = this.region.as_mut().as_pin_mut() else { return true };
        // With its value, if it has one: that is foreign too.
        match contain(|| region.poll(&mut Unlimited, cx).is_pending()) {
            Ok(true) => return false,
            Ok(false) => {}
            Err(payload) => panicked.keep(payload),
        }
        if let Err(payload) = contain(|| this.region.set(None)) {
            panicked.keep(payload);
        }
        true
    }
}

pin_project! {
    /// An arm, what the macro keeps beside each, and the arms behind it.
    pub struct Pair<F, K, R> {
        #[pin]
        pub(super) arm: Arm<F>,
        pub(super) kept: K,
        #[pin]
        pub(super) rest: R,
    }
}

impl<F: Future, K, R: Losers> Losers for Pair<F, K, R> {
    fn give_up(self: Pin<&mut Self>, why: &Why, panicked: &mut Panicked) {
        let this = self.project();
        this.arm.give_up(why, panicked);
        this.rest.give_up(why, panicked);
    }

    fn poll_gone(self: Pin<&mut Self>, cx: &mut Context<'_>, panicked: &mut Panicked) -> bool {
        let this = self.project();
        // Each of them has to be polled.
        this.arm.poll_gone(cx, panicked) & this.rest.poll_gone(cx, panicked)
    }
}

/// What lies behind the first of a list.
pub(super) fn behind(range: &Range<usize>) -> Range<usize> {
    range.start.saturating_sub(1)..range.end.saturating_sub(1)
}

/// The end of a list.
#[derive(Debug, Default)]
pub struct End;

impl Losers for End {
    fn give_up(self: Pin<&mut Self>, _why: &Why, _panicked: &mut Panicked) {}

    fn poll_gone(self: Pin<&mut Self>, _cx: &mut Context<'_>, _panicked: &mut Panicked) -> bool {
        true
    }
}

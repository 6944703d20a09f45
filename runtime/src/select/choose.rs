//! The list of `select!`: the first arm whose value its pattern takes wins, and the others are given up.
//!
//! Whether a pattern takes a value only the code that the macro writes can tell. So the macro asks for the [`first`](Select::first) value, and
//! for another one if it does not fit, and then waits until [the others are gone](Select::others_gone), with the value in its hands:
//! their clean-up comes before the code of the arm. The value is not lost when what surrounds it is cancelled meanwhile: that waits for those who clean
//! up, and the poll in which they are over goes on to the arm's code.

use super::arm::{Arm, End, Losers, Pair, Panicked, Why, behind};
use crate::context;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::ops::Range;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

/// An arm, and those behind it.
pub type Choice<F, R> = Pair<F, (), R>;

impl<F: Future, R> Choice<F, R> {
    /// Without a future if its condition does not hold.
    #[track_caller]
    pub fn new(future: Option<F>, rest: R) -> Self {
        Self { arm: Arm::new(future), kept: (), rest }
    }
}

/// Which arm is ready, counted along the list, and its value.
#[derive(Debug)]
pub enum Won<T, R> {
    /// The first.
    Here(T),
    /// One behind it.
    Further(R),
}

/// The arms of a `select!`.
pub trait Arms: Losers {
    /// What the one that is ready has.
    type Won;
    /// How many there are.
    const LEN: usize;
    /// Polls those in `range`, until one is ready. Sets `waits` if one may be later.
    fn poll_some(
        self: Pin<&mut Self>,
        range: Range<usize>,
        cx: &mut Context<'_>,
        waits: &mut bool,
    ) -> Option<Self::Won>;
}

impl<F: Future, R: Arms> Arms for Choice<F, R> {
    type Won = Won<F::Output, R::Won>;
    const LEN: usize = 1 + R::LEN;

    fn poll_some(
        self: Pin<&mut Self>,
        range: Range<usize>,
        cx: &mut Context<'_>,
        waits: &mut bool,
    ) -> Option<Self::Won> {
        let this = self.project();
        if range.contains(&0) {
            match this.arm.poll(cx) {
                Some(Poll::Ready(value)) => return Some(Won::Here(value)),
                Some(Poll::Pending) => *waits = true,
                None => {}
            }
        }
        let rest = behind(&range);
        if rest.is_empty() { None } else { this.rest.poll_some(rest, cx, waits).map(Won::Further) }
    }
}

impl Arms for End {
    type Won = Infallible;
    const LEN: usize = 0;

    fn poll_some(self: Pin<&mut Self>, _: Range<usize>, _: &mut Context<'_>, _: &mut bool) -> Option<Infallible> {
        None
    }
}

pin_project! {
    /// The arms, and what is known of them together.
    pub struct Select<A> {
        #[pin]
        arms: A,
        fair: bool,
        at: &'static Location<'static>,
        given_up: bool,
        panicked: Panicked,
    }
}

impl<A: Arms> Select<A> {
    /// If it is `fair`, each poll begins with an arm by chance.
    #[track_caller]
    pub fn new(arms: A, fair: bool) -> Self {
        Self { arms, fair, at: Location::caller(), given_up: false, panicked: Panicked::default() }
    }

    /// The first value; `None` if no arm is left. An arm that has given its value is left out from then on.
    pub fn first(self: Pin<&mut Self>) -> First<'_, A> {
        First { select: self }
    }

    /// Gives up all arms that are left, and waits until they are over.
    pub fn others_gone(self: Pin<&mut Self>) -> OthersGone<'_, A> {
        OthersGone { select: self }
    }
}

/// See [`Select::first`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct First<'a, A> {
    select: Pin<&'a mut Select<A>>,
}

impl<A: Arms> Future for First<'_, A> {
    type Output = Option<A::Won>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.select.as_mut().project();
        let first = if *this.fair && A::LEN > 1 { context::random() as usize % A::LEN } else { 0 };
        let mut waits = false;
        let mut won = this.arms.as_mut().poll_some(first..A::LEN, cx, &mut waits);
        if won.is_none() && first > 0 {
            won = this.arms.poll_some(0..first, cx, &mut waits);
        }
        if won.is_none() && waits { Poll::Pending } else { Poll::Ready(won) }
    }
}

/// See [`Select::others_gone`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct OthersGone<'a, A> {
    select: Pin<&'a mut Select<A>>,
}

impl<A: Arms> Future for OthersGone<'_, A> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.select.as_mut().project();
        if !core::mem::replace(this.given_up, true) {
            let why = Why { text: "another arm of its select! was ready", at: this.at };
            this.arms.as_mut().give_up(&why, this.panicked);
        }
        if !this.arms.poll_gone(cx, this.panicked) {
            return Poll::Pending;
        }
        this.panicked.go_on();
        Poll::Ready(())
    }
}

impl<A> fmt::Debug for Select<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").field("at", &format_args!("{}", self.at)).finish_non_exhaustive()
    }
}

//! The rule by which every region polls.
//!
//! 1. The future is polled first, told by the cancel bit whether it is cancelled here; a value always wins.
//! 2. Pending and not cancelled: pending.
//! 3. Pending, cancelled, and a live region inside: pending, until those have had their say. They hear of it by their wakers.
//! 4. Pending, cancelled, nobody inside: the future is dropped in place, tasks that it waited for are cancelled and awaited, and then
//!    the region tells whoever awaits it, unless what surrounds it is cancelled too (the outer one wins) and it is none
//!    that catches: then it stays pending, and is dropped by the region around it in the same poll.
//!
//! A live region that was woken and is not polled is *abandoned* (a future that is kept beside the one that is polled): after
//! three polls in a row without any live region being polled, and a second, it no longer holds up the rest. One that knows of the
//! cancellation and has not been woken since waits for something of its own: after a second it is woken, to see whether it is polled.
//! Not before: who polls only what is woken would be kept busy by that.

use super::frame::{self, NEVER};
use super::leaving::Leaving;
use super::limit::{self, Limit};
use super::node::{Heard, Node};
use super::soft::{self, Grace};
use crate::task::local::place;
use crate::task::{CancelCause, Panic};
use crate::time::{Instant, Sleep, sleep, sleep_until};
use core::cell::Cell;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use pin_project_lite::pin_project;
use weftwork_sync::coop;
use weftwork_sync::primitive::{Panic as Payload, Shared};

/// Polls in a row without a live region, before those are suspected of being abandoned.
const PATIENCE: u8 = 3;
/// How long they may then stay unpolled.
const GRACE: Duration = Duration::from_secs(1);

/// What a cancellation means for a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It ends with its own cancellation, and passes on those from outside.
    Scope,
    /// As a scope, and what surrounds it waits for its end.
    Group,
    /// It has none of its own, and catches those from outside.
    Pad,
    /// It ends with its own, and does not see those from outside.
    Shield,
    /// It ends when it is given up, and lets what is inside see those from outside.
    Arm,
}

pin_project! {
    /// A future inside of a region.
    pub(crate) struct Region<F> {
        #[pin]
        future: Option<F>,
        seat: Seat,
    }
}

/// What a region is, beside its future.
pub(crate) struct Seat {
    kind: Kind,
    at: &'static Location<'static>,
    /// A cell, because what runs inside may find the region and make it its node while it polls.
    pub(super) rare: Cell<Option<Box<Rare>>>,
}

// SAFETY: through a shared reference `rare` is touched by the frame alone, on the thread that polls the region, which has it to
// itself; others read what does not change.
unsafe impl Sync for Seat {}

/// What a region needs once others have to find it, or once it unwinds.
pub(crate) struct Rare {
    pub(super) node: Shared<Node>,
    /// The region around, while this one is live in it.
    above: Option<Shared<Node>>,
    /// The waker that the node has, to tell whether it is another; the node keeps it, so its address is not used again.
    waker: (usize, usize),
    /// As far as the region has followed the deadline of its node.
    sleep: Option<Box<Sleep>>,
    vigil: Vigil,
    /// Dropped, and told by what.
    ended: Option<CancelCause>,
    leaving: Leaving,
    /// What a destructor panicked with.
    panicked: Option<Panic>,
}

impl Rare {
    pub(crate) fn new(node: Shared<Node>) -> Self {
        Self {
            node,
            above: None,
            waker: (0, 0),
            sleep: None,
            vigil: Vigil::default(),
            ended: None,
            leaving: Leaving::default(),
            panicked: None,
        }
    }

    /// Sees to it that a cancellation leads to a poll.
    pub(crate) fn attend(&mut self, waker: &core::task::Waker) {
        let address = (waker.data().addr(), core::ptr::from_ref(waker.vtable()).addr());
        if address != self.waker || self.node.was_called() {
            self.node.leave_waker(waker);
            self.waker = address;
        }
    }

    /// Whether the deadline of the node has come; the caller is woken then otherwise.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.node.deadline();
        if deadline == NEVER {
            self.sleep = None;
            return false;
        }
        let deadline = Instant::from_nanos(deadline);
        let sleep = self.sleep.get_or_insert_with(|| Box::new(sleep_until(deadline)));
        if sleep.deadline() != Some(deadline) {
            sleep.reset(deadline);
        }
        limit::wait(sleep, cx)
    }

    /// Is to be waited for by the region around, or no longer.
    pub(crate) fn live(&mut self, live: bool) {
        if !live {
            return self.leave();
        }
        let around = frame::node();
        match (&self.above, &around) {
            (Some(above), Some(around)) if Shared::ptr_eq(above, around) => around.see(&self.node),
            _ => {
                self.leave();
                if let Some(around) = &around {
                    around.enter(&self.node);
                }
                self.above = around;
            }
        }
    }

    fn leave(&mut self) {
        if let Some(above) = self.above.take() {
            above.leave(&self.node);
        }
    }
}

impl Drop for Rare {
    fn drop(&mut self) {
        self.leave();
        self.node.close();
    }
}

/// Watches whether live regions are still polled.
#[derive(Default)]
pub(crate) struct Vigil {
    /// Polls in a row without a live region.
    passes: u8,
    /// Polls that began cancelled.
    told: u32,
    until: Option<Box<Sleep>>,
    grace: Grace,
}

impl Vigil {
    /// Whether a cancelled region whose future is pending may drop it now. `told` if the poll that has just ended began cancelled.
    pub(super) fn may_end(&mut self, node: &Node, told: bool, cx: &mut Context<'_>) -> bool {
        self.told = self.told.wrapping_add(u32::from(told));
        match node.hears(self.told, told) {
            Heard::Nobody => return true,
            Heard::Somebody => {
                (self.passes, self.until) = (0, None);
                // It may be polled no more; without a runtime there is nothing to wait by.
                let _ = self.wait(cx);
                return false;
            }
            Heard::Quiet => {
                if let Poll::Ready(Ok(())) = self.wait(cx) {
                    (self.passes, self.until) = (0, None);
                    node.wake_those_inside();
                    cx.waker().wake_by_ref();
                }
                return false;
            }
            Heard::NotYet => {}
        }
        if !told || self.passes < PATIENCE {
            self.passes += u8::from(told);
            cx.waker().wake_by_ref();
            return false;
        }
        let waited = self.wait(cx);
        if let Poll::Ready(Ok(())) = waited {
            let abandoned = node.shields_inside();
            abandoned.into_iter().for_each(|at| soft::report(at, "was not polled any more"));
        }
        // Without a runtime, or at its end, there is nothing to wait by.
        waited.is_ready()
    }

    /// A cancelled region is held up: not for longer than the grace of a soft cancellation.
    pub(super) fn follow_grace(&mut self, node: &Node, cx: &mut Context<'_>) {
        self.grace.follow(node, cx);
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let until = self.until.get_or_insert_with(|| Box::new(sleep(GRACE)));
        coop::unconstrained(|| until.try_poll(cx))
    }

    /// The region is not cancelled, though it may have been where it was before.
    fn rest(&mut self) {
        if self.told != 0 {
            *self = Self::default();
        }
    }
}

/// A region was cancelled, and its future is gone.
pub(crate) struct Unwound(pub(crate) CancelCause);

impl<F> Region<F> {
    pub(crate) fn new(kind: Kind, at: &'static Location<'static>, future: F) -> Self {
        Self { future: Some(future), seat: Seat::new(kind, at) }
    }

    /// A region that others can already find.
    pub(crate) fn with_node(kind: Kind, at: &'static Location<'static>, node: Shared<Node>, future: F) -> Self {
        Self { future: Some(future), seat: Seat::with_node(kind, at, node) }
    }

    pub(crate) fn place(&self) -> &'static Location<'static> {
        self.seat.at
    }
}

impl<F> Region<F> {
    /// Cancels a region whose value nobody wants any more. `false` if its future is gone with that; otherwise it is polled until it is
    /// ready, with a value or without.
    ///
    /// # Errors
    /// What a destructor or a waker panicked with; the answer is then still owed by the next poll.
    pub(crate) fn give_up(self: Pin<&mut Self>, why: impl FnOnce() -> CancelCause) -> Result<bool, Payload> {
        let mut this = self.project();
        if let Some(rare) = this.seat.rare.get_mut() {
            return if rare.node.set_cause(why()) { rare.node.tell().map(|()| true) } else { Ok(true) };
        }
        // Nothing inside is live, or it would have a node: it need not be asked.
        let mut leaving = Leaving::default();
        let dropped = place::carried(|| coop::unconstrained(|| leaving.collect(true, || this.future.set(None))));
        if leaving.is_empty() && dropped.is_ok() {
            return Ok(false);
        }
        let mut rare = Box::new(Rare::new(Node::new()));
        (rare.ended, rare.leaving) = (Some(why()), leaving);
        this.seat.rare.set(Some(rare));
        dropped.map(|()| true)
    }
}

impl<F: Future> Region<F> {
    /// Polls the future by the rule above.
    #[inline]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        limit: &mut impl Limit,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Unwound>> {
        let mut this = self.project();
        let seat = this.seat;
        let Some(future) = this.future.as_mut().as_pin_mut() else { return seat.poll_ended(cx) };
        let mut cancelled = limit.is_over();
        if let Some(node) = seat.begin(cx) {
            cancelled |= node.is_cancelled();
        }
        let (polled, exit) = frame::within(seat, cancelled, limit.timed(), cx.waker(), || future.poll(cx));
        if let Poll::Ready(value) = polled {
            // Before its value is out: whoever goes on finds its destructors done.
            this.future.set(None);
            seat.forget();
            return Poll::Ready(Ok(value));
        }
        if exit.fixed != NEVER {
            limit.fix(exit.fixed);
        }
        let outside = coop::is_cancelled() && seat.heeds_outside();
        if !seat.is_over(outside, limit, cx) {
            if let Some(rare) = seat.rare.get_mut() {
                rare.vigil.rest();
            }
            seat.stays(cx);
            return Poll::Pending;
        }
        if let Some(rare) = seat.rare.get_mut()
            && !rare.vigil.may_end(&rare.node, exit.told, cx)
        {
            rare.vigil.follow_grace(&rare.node, cx);
            seat.stays(cx);
            return Poll::Pending;
        }
        seat.unwind(|| this.future.set(None));
        seat.poll_ended(cx)
    }
}

impl Seat {
    fn new(kind: Kind, at: &'static Location<'static>) -> Self {
        Self { kind, at, rare: Cell::new(None) }
    }

    /// One that others can already find.
    pub(crate) fn with_node(kind: Kind, at: &'static Location<'static>, node: Shared<Node>) -> Self {
        Self { kind, at, rare: Cell::new(Some(Box::new(Rare::new(node)))) }
    }

    pub(crate) fn at(&self) -> &'static Location<'static> {
        self.at
    }

    /// A poll begins.
    #[inline(always)]
    pub(crate) fn begin(&mut self, cx: &Context<'_>) -> Option<&Node> {
        let rare = self.rare.get_mut().as_mut()?;
        rare.attend(cx.waker());
        rare.node.begin_pass();
        Some(&rare.node)
    }

    #[inline(always)]
    pub(super) fn is_shield(&self) -> bool {
        self.kind == Kind::Shield
    }

    /// Whether a cancellation from outside ends it.
    #[inline(always)]
    fn heeds_outside(&self) -> bool {
        match self.kind {
            Kind::Shield => frame::is_pierced(),
            Kind::Arm => false,
            Kind::Scope | Kind::Group | Kind::Pad => true,
        }
    }

    pub(super) fn new_node(&self) -> Shared<Node> {
        if self.is_shield() { Node::of_shield(self.at) } else { Node::new() }
    }

    #[inline(always)]
    pub(super) fn is_scope(&self) -> bool {
        matches!(self.kind, Kind::Scope | Kind::Group)
    }

    /// Whether the region is cancelled, by itself or from outside.
    fn is_over(&mut self, outside: bool, limit: &mut impl Limit, cx: &mut Context<'_>) -> bool {
        if outside || self.rare.get_mut().as_ref().is_some_and(|rare| rare.node.is_cancelled()) {
            return true;
        }
        let mut over = limit.poll(cx);
        if let Some(rare) = self.rare.get_mut() {
            over |= rare.is_over(cx);
            if over && rare.node.set_cause(frame::deadline_passed(self.at)) {
                // Those inside hear of it when they hold up the end.
                rare.node.ring();
            }
        }
        over
    }

    /// Cancels a group whose scope was given a deadline that has come; the caller is woken then otherwise.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>) {
        if let Some(rare) = self.rare.get_mut()
            && !rare.node.is_cancelled()
            && rare.is_over(cx)
            && rare.node.set_cause(frame::deadline_passed(self.at))
        {
            // Its body and its children hear of it from the group.
            rare.node.ring();
        }
    }

    /// The region has ended: nobody finds it any more.
    pub(crate) fn forget(&mut self) {
        self.rare.set(None);
    }

    /// A group that is cancelled goes on, held up by its children; whether their shields hold no longer.
    pub(crate) fn is_pierced(&mut self, cx: &mut Context<'_>) -> bool {
        let own = self.rare.get_mut().as_mut().is_some_and(|rare| {
            rare.vigil.follow_grace(&rare.node, cx);
            rare.node.is_pierced()
        });
        own || (coop::is_cancelled() && frame::is_pierced())
    }

    /// The region goes on.
    pub(crate) fn stays(&mut self, cx: &Context<'_>) {
        let always = !matches!(self.kind, Kind::Scope | Kind::Arm);
        match self.rare.get_mut() {
            Some(rare) => rare.live(always || rare.node.waits_for_any()),
            None if always => {
                let node = self.new_node();
                let rare = self.rare.get_mut().insert(Box::new(Rare::new(node)));
                // The waker first: whoever finds the node calls it.
                rare.attend(cx.waker());
                rare.live(true);
            }
            None => {}
        }
    }

    #[cold]
    fn unwind(&mut self, drop_future: impl FnOnce()) {
        let outside = coop::is_cancelled() && self.heeds_outside();
        let node = self.new_node();
        let rare = self.rare.get_mut();
        let own = rare.as_ref().and_then(|rare| rare.node.cause());
        let rare = rare.get_or_insert_with(|| Box::new(Rare::new(node)));
        rare.ended =
            Some(own.unwrap_or_else(|| if outside { frame::cause() } else { frame::deadline_passed(self.at) }));
        if outside && self.kind == Kind::Shield {
            soft::report(self.at, "had not ended with the grace of a soft cancellation");
        }
        let dropped = place::carried(|| coop::unconstrained(|| rare.leaving.collect(true, drop_future)));
        rare.panicked = dropped.err().map(Panic);
    }

    /// The future is gone; what it waited for may not be.
    #[cold]
    fn poll_ended<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Unwound>> {
        let Some(rare) = self.rare.get_mut() else {
            panic!("a region was polled after it had given its value; keep the value instead of awaiting it again")
        };
        if rare.leaving.poll(cx).is_pending() {
            rare.attend(cx.waker());
            rare.vigil.follow_grace(&rare.node, cx);
            if rare.node.is_pierced() || (coop::is_cancelled() && frame::is_pierced()) {
                rare.leaving.pierce();
            }
            rare.live(true);
            return Poll::Pending;
        }
        rare.leave();
        if let Some(panic) = rare.panicked.take() {
            panic.resume();
        }
        let outside = coop::is_cancelled();
        let passes_on = match self.kind {
            Kind::Pad | Kind::Shield | Kind::Arm => false,
            Kind::Scope | Kind::Group => outside || frame::has_passed(crate::context::now()),
        };
        if passes_on {
            // The region around, which is cancelled, drops this one.
            return Poll::Pending;
        }
        rare.node.catch();
        let cause = rare.ended.clone();
        let cause = ready!(cause.map_or(Poll::Pending, Poll::Ready));
        if self.kind != Kind::Shield {
            // A shield that was pierced may be polled until what surrounds it drops it.
            self.forget();
        }
        Poll::Ready(Err(Unwound(cause)))
    }
}

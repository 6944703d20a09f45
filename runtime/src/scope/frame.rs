//! Which regions the calling thread is inside of at the moment.
//!
//! Each region puts a frame onto the thread's stack while it polls its future. By these a region finds the one around it, a
//! cancellation reaches the rest of the poll that asked for it, and a scope or a deadline is found from inside. Frames belong to
//! the task being polled; another task polled within that poll (a runtime driven inside of `block_in_place`) does not see them.
//!
//! The cancel bit of `weftwork_sync::coop` says what is visible at the innermost place: cancelled here, or outside and not behind
//! a shield. A frame keeps what is visible outside of it, and puts that back when it is left.

use super::limit::Timed;
use super::node::Node;
use super::region::{Rare, Seat};
use super::root::Root;
use crate::platform::clock::nanoseconds;
use crate::task::local::place;
use crate::task::{CancelCause, CancelKind, Header};
use core::cell::Cell;
use core::panic::Location;
use core::ptr;
use core::task::Waker;
use weftwork_sync::primitive::Shared;
use weftwork_sync::{coop, weft_thread_local};

weft_thread_local! {
    static INNERMOST: Cell<*const Frame> = Cell::new(ptr::null());
}

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

/// A region that the calling thread is inside of: what entering writes, and for the rest where the region has it.
pub(crate) struct Frame {
    /// What was innermost before, of whatever task.
    before: *const Frame,
    task: *const (),
    /// The region, which lends these for the time of its poll.
    seat: *const Seat,
    waker: *const Waker,
    /// Null without one.
    limit: *const Timed,
    /// The deadline of a limit that had not begun, once it was asked for: it counts from then on.
    fixed: Cell<u64>,
    outside: Cell<bool>,
    /// The region itself is cancelled.
    own: Cell<bool>,
}

/// What a region finds when it is left.
pub(crate) struct Exit {
    /// The limit counts from now on, and this is its deadline; [`NEVER`] if nobody asked.
    pub(crate) fixed: u64,
    /// Whether the poll began cancelled.
    pub(crate) told: bool,
}

/// Leaves the frame, also when the poll panics.
struct Leave<'a> {
    frame: &'a Frame,
    /// As in the frame, but by value: read from there it would be waited for, by this store and by the next region's load.
    before: *const Frame,
    /// The poll began cancelled.
    told: bool,
}

impl Drop for Leave<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        INNERMOST.with(|innermost| innermost.set(self.before));
        let outside = self.frame.outside.get();
        // The bit was changed on entry, or by a cancellation of this region or of what surrounds it meanwhile.
        if outside != self.told || self.frame.own.get() {
            coop::set_cancel_bit(outside);
        }
    }
}

/// Runs `f` outside of every region: what a blocked thread waits for is no part of the poll that it blocks.
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    struct Back(*const Frame);
    impl Drop for Back {
        fn drop(&mut self) {
            INNERMOST.with(|innermost| innermost.set(self.0));
        }
    }
    let _back = Back(INNERMOST.with(|innermost| innermost.replace(ptr::null())));
    place::carried(|| super::leaving::apart(f))
}

/// Runs `poll` inside of a region, which is cancelled itself or not.
#[inline(always)]
pub(crate) fn within<R>(
    seat: &Seat,
    cancelled: bool,
    limit: Option<&Timed>,
    waker: &Waker,
    poll: impl FnOnce() -> R,
) -> (R, Exit) {
    let outside = coop::is_cancelled();
    let before = INNERMOST.with(Cell::get);
    let frame = Frame {
        before,
        task: coop::task(),
        seat,
        waker,
        limit: limit.map_or(ptr::null(), ptr::from_ref),
        fixed: Cell::new(NEVER),
        outside: Cell::new(outside),
        own: Cell::new(cancelled),
    };
    INNERMOST.with(|innermost| innermost.set(&frame));
    let told = cancelled || (outside && (!seat.is_shield() || is_pierced()));
    if told != outside {
        coop::set_cancel_bit(told);
    }
    let leave = Leave { frame: &frame, before, told };
    let out = poll();
    drop(leave);
    (out, Exit { fixed: frame.fixed.get(), told })
}

impl Frame {
    /// The region around this one in the same task.
    fn outer(&self) -> Option<&Self> {
        // SAFETY: the thread is inside of every frame that it has entered and not left, and they lie on its stack.
        unsafe { self.before.as_ref() }.filter(|frame| frame.task == self.task)
    }

    fn seat(&self) -> &Seat {
        // SAFETY: `within` borrows it for as long as the frame lives, and shared: the poll in between has the future alone.
        unsafe { &*self.seat }
    }

    fn limit(&self) -> Option<&Timed> {
        // SAFETY: as for the seat.
        unsafe { self.limit.as_ref() }
    }

    fn is_shield(&self) -> bool {
        self.seat().is_shield()
    }

    /// Cancellations from outside are not seen inside of it.
    fn hides(&self) -> bool {
        self.is_shield() && !pierced(self.outer())
    }

    /// It can be cancelled by itself: no pad, and no shield without a bound.
    fn is_scope(&self) -> bool {
        self.seat().is_scope() || self.limit().is_some()
    }

    fn at(&self) -> &'static Location<'static> {
        self.seat().at()
    }

    fn with_node<R>(&self, f: impl FnOnce(Option<&Shared<Node>>) -> R) -> R {
        let rare = self.seat().rare.take();
        let out = f(rare.as_deref().map(|rare| &rare.node));
        self.seat().rare.set(rare);
        out
    }

    /// The region's node, made now if it had none.
    fn node(&self) -> Shared<Node> {
        let rare = self.seat().rare.take().unwrap_or_else(|| {
            // SAFETY: as for the seat.
            let waker = unsafe { &*self.waker };
            let mut rare = Box::new(Rare::new(self.seat().new_node()));
            if self.own.get() {
                // Nobody can wait for that yet.
                rare.node.set_cause(deadline_passed(self.at()));
            }
            rare.attend(waker);
            rare
        });
        let node = rare.node.clone();
        self.seat().rare.set(Some(rare));
        node
    }

    /// Nanoseconds on the runtime's clock; [`NEVER`] without one, and for a limit that has not begun.
    fn deadline(&self) -> u64 {
        let own = self.limit().map_or(NEVER, Timed::deadline).min(self.fixed.get());
        own.min(self.with_node(|node| node.map_or(NEVER, |node| node.deadline())))
    }

    /// As [`deadline`](Self::deadline); a limit that has not begun counts from now on.
    fn fix_deadline(&self) -> u64 {
        if self.fixed.get() == NEVER
            && let Some(after) = self.limit().and_then(Timed::not_begun)
        {
            self.fixed.set(crate::context::now().saturating_add(nanoseconds(after)));
        }
        self.deadline()
    }

    fn cause(&self) -> CancelCause {
        self.with_node(|node| node.and_then(|node| node.cause())).unwrap_or_else(|| deadline_passed(self.at()))
    }

    /// As [`mark`], for this frame and those around it; whether the cancellation is visible inside of this one.
    fn hear(&self, target: &Target<'_>) -> bool {
        let from_outside = match self.outer() {
            Some(outer) => outer.hear(target),
            None => matches!(target, Target::Task(task) if ptr::eq(*task, self.task)),
        };
        if from_outside {
            self.outside.set(true);
        }
        if let Target::Region(region) = target
            && self.with_node(|node| node.is_some_and(|node| ptr::eq(&**node, *region)))
        {
            self.own.set(true);
            return true;
        }
        from_outside && !self.hides()
    }
}

/// Whether shields right inside of a region hold no longer, because the grace of a soft cancellation around is over.
#[cold]
fn pierced(mut frame: Option<&Frame>) -> bool {
    while let Some(at) = frame {
        if at.with_node(|node| node.is_some_and(|node| node.is_pierced())) {
            return true;
        }
        frame = at.outer();
    }
    task().and_then(Header::root_if_any).is_some_and(Root::is_pierced)
}

/// Whether they do at the place that the calling thread is at.
#[cold]
pub(crate) fn is_pierced() -> bool {
    with_innermost(|frame| pierced(Some(frame))).unwrap_or_else(|| pierced(None))
}

/// The cause of a region that only its deadline can have cancelled.
pub(crate) fn deadline_passed(at: &'static Location<'static>) -> CancelCause {
    CancelCause::new(CancelKind::Deadline).from(None, at)
}

/// Calls `f` with the innermost region that the calling thread is inside of; `None` outside of all.
fn with_innermost<R>(f: impl FnOnce(&Frame) -> R) -> Option<R> {
    // SAFETY: as for the frame around one.
    let frame = unsafe { INNERMOST.with(Cell::get).as_ref() }.filter(|frame| frame.task == coop::task());
    frame.map(f)
}

/// The header of the task that the calling thread is inside of.
pub(crate) fn task() -> Option<&'static Header> {
    // SAFETY: null, or the header of the task being polled, by within_task's contract; it lives for as long as the poll, and no
    // caller keeps it for longer.
    unsafe { coop::task().cast::<Header>().as_ref() }
}

/// What was cancelled.
pub(crate) enum Target<'a> {
    Region(&'a Node),
    Task(*const ()),
}

/// Something was cancelled, perhaps by the poll that runs now: if so, what it awaits next finds itself cancelled.
pub(crate) fn mark(target: Target<'_>) {
    let visible = with_innermost(|frame| frame.hear(&target))
        .unwrap_or_else(|| matches!(target, Target::Task(task) if !task.is_null() && ptr::eq(task, coop::task())));
    if visible {
        coop::cancel_this_poll();
    }
}

/// The node of the innermost region, made now if it had none; the task's own outside of all. `None` outside of tasks.
pub(crate) fn node() -> Option<Shared<Node>> {
    with_innermost(Frame::node).or_else(|| task().map(|task| task.root().node()))
}

/// The node of the innermost region that can be cancelled by itself, made so that whoever gets it can do that.
pub(crate) fn scope() -> Option<Shared<Node>> {
    let found = with_innermost(|innermost| {
        let mut frame = Some(innermost);
        while let Some(at) = frame {
            if at.is_scope() {
                return Some(at.node());
            }
            frame = at.outer();
        }
        None
    });
    found.flatten().or_else(|| {
        let task = task()?;
        let node = task.root().node();
        if node.was_called() {
            node.leave_waker(&crate::task::waker::borrowed(task.into()));
        }
        Some(node)
    })
}

/// Why the place that the calling thread is at is cancelled. It is.
pub(crate) fn cause() -> CancelCause {
    let found = with_innermost(|innermost| {
        let mut frame = Some(innermost);
        while let Some(at) = frame {
            if at.own.get() {
                return Some(at.cause());
            }
            if at.hides() {
                break;
            }
            frame = at.outer();
        }
        None
    });
    found
        .flatten()
        .or_else(|| task().and_then(Header::cause))
        .unwrap_or_else(|| CancelCause::explicit().saying("the executor set the cancel bit"))
}

/// The earliest deadline that is visible, in nanoseconds on the runtime's clock; [`NEVER`] without one. A deadline that counts
/// from the first wait counts from now on.
pub(crate) fn deadline() -> u64 {
    let inside = with_innermost(|innermost| {
        let (mut earliest, mut frame) = (NEVER, Some(innermost));
        while let Some(at) = frame {
            earliest = earliest.min(at.fix_deadline());
            if at.hides() {
                return (earliest, false);
            }
            frame = at.outer();
        }
        (earliest, true)
    });
    let (earliest, sees_all) = inside.unwrap_or((NEVER, true));
    let inherited = task().filter(|_| sees_all).and_then(Header::root_if_any).map_or(NEVER, Root::deadline);
    earliest.min(inherited)
}

/// Whether a deadline that is visible has passed, though its timer may not have fired yet.
pub(crate) fn has_passed(now: u64) -> bool {
    with_innermost(|innermost| {
        let mut frame = Some(innermost);
        while let Some(at) = frame {
            if at.deadline() <= now {
                return true;
            }
            frame = if at.hides() { None } else { at.outer() };
        }
        false
    })
    .unwrap_or(false)
}

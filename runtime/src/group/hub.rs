//! What a group, its children and its handles share.
//!
//! | word | written by | means |
//! |---|---|---|
//! | `tasks` | spawning and ending children, under the lock | the children that have not completed: whom a cancellation reaches |
//! | `live` | one more under the lock, one less after a child has completed | children that may still tell something |
//! | `cancelled` | the first to cancel the children, under the lock | why; children spawned from now on are born cancelled |
//! | `closed` | the group as it ends, under the lock; draining | no child is taken any more |
//! | `waker` | whoever waits for the children, under the lock; taken by the last | whom to poll |
//!
//! A child leaves `tasks` before it completes, because from then on its handle may free it; it leaves `live` after it has completed,
//! so that whoever finds nobody live finds every outcome in its place.
//!
//! Races (the numbers go on in the model):
//! 1. Spawning against cancelling: both take the lock. Spawned first: cancel finds the child, which is alive because it is in
//!    `tasks`, and takes a reference. Cancelled first: the child finds `cancelled`, and is never polled.
//! 2. The last child against whoever waits: the waiter looks at `live` under the lock and leaves its waker there; the last child
//!    counts itself out and then takes the lock. Either the waiter sees nobody live, or the child finds the waker.
//! 3. Spawning against ending: the group closes under the lock, seeing nobody live, and a spawn that comes later finds it closed. A child
//!    may spawn siblings, because it is live itself.

use super::drain::Crowd;
use super::error::Failure;
use crate::scope::frame::NEVER;
use crate::scope::leaving::Children;
use crate::scope::node::Node;
use crate::task::cell::{self, Farewell, Header, Name};
use crate::task::{CancelCause, CancelKind};
use core::cell::Cell;
use core::pin::pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use slab::Slab;
use weftwork_sync::Notify;
use weftwork_sync::primitive::atomic::{AtomicU64, AtomicUsize, Ordering};
use weftwork_sync::primitive::{Mutex, Shared};

pub(crate) struct Hub<E> {
    /// The region of the body.
    pub(super) node: Shared<Node>,
    live: AtomicUsize,
    /// The earliest deadline around the group, when it was polled last.
    deadline: AtomicU64,
    /// Children so far, by which failures are put into the order of spawning.
    spawned: AtomicU64,
    /// Rung when nobody is live any more.
    bell: Notify,
    members: Mutex<Members<E>>,
}

struct Members<E> {
    tasks: Slab<Member>,
    cancelled: Option<CancelCause>,
    closed: bool,
    waker: Option<Waker>,
    failures: Vec<Failure<E>>,
}

/// A child that has not completed, and so is alive.
#[derive(Clone, Copy)]
struct Member(NonNull<Header>);

// SAFETY: the header of a task, of which what is touched here is shared between threads anyway.
unsafe impl Send for Member {}

/// What a child has beside its future: its place in its group, and a name.
pub(crate) struct Membership<E> {
    /// Taken as the child ends.
    hub: Cell<Option<Shared<Hub<E>>>>,
    key: Cell<usize>,
    name: Option<Box<str>>,
}

/// A child has completed.
pub(crate) struct Gone<E>(Option<Shared<Hub<E>>>);

impl<E> Hub<E> {
    pub(super) fn new() -> Shared<Self> {
        Shared::new(Self {
            node: Node::new(false),
            live: AtomicUsize::new(0),
            deadline: AtomicU64::new(NEVER),
            spawned: AtomicU64::new(0),
            bell: Notify::new(),
            members: Mutex::new(Members {
                tasks: Slab::new(),
                cancelled: None,
                closed: false,
                waker: None,
                failures: Vec::new(),
            }),
        })
    }

    /// Children that have not completed.
    pub(super) fn live(&self) -> usize {
        // Ordering: Acquire pairs with the Release of each child's end: what they came to is in its place.
        self.live.load(Ordering::Acquire)
    }

    pub(super) fn set_deadline(&self, deadline: u64) {
        self.deadline.store(deadline, Ordering::Relaxed);
    }

    /// Whether no child is taken any more.
    pub(super) fn is_closed(&self) -> bool {
        self.members.lock().closed
    }

    /// Takes no more children.
    pub(super) fn close(&self) {
        self.members.lock().closed = true;
    }

    /// The number of the next child, in the order of spawning.
    pub(super) fn number(&self) -> u64 {
        self.spawned.fetch_add(1, Ordering::Relaxed)
    }

    /// Cancels body and children; `false` if that was done before, or the group has ended.
    pub(super) fn cancel(&self, cause: CancelCause) -> bool {
        if self.node.is_closed() {
            return false;
        }
        let first = self.node.cancel(cause.clone());
        self.cancel_children(cause) | first
    }

    /// Cancels the children there are, and those to come.
    pub(super) fn cancel_children(&self, cause: CancelCause) -> bool {
        let children: Vec<Member> = {
            let mut members = self.members.lock();
            if members.cancelled.is_some() {
                return false;
            }
            members.cancelled = Some(cause.clone());
            let hold = |(_, member): (usize, &Member)| {
                // SAFETY: in the table, and so alive.
                unsafe { member.0.as_ref() }.state.reference();
                *member
            };
            members.tasks.iter().map(hold).collect()
        };
        for child in children {
            // SAFETY: the reference taken above, which is given up here.
            unsafe {
                cell::cancel_for(child.0, cause.clone());
                cell::release(child.0);
            }
        }
        true
    }

    /// Whether the children were cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.members.lock().cancelled.is_some()
    }

    /// Something failed: it is kept, and the rest is cancelled.
    pub(super) fn fail(&self, failure: Failure<E>) {
        let cause = CancelCause::new(CancelKind::Sibling(failure.task)).from(Some(failure.task), failure.at);
        self.members.lock().failures.push(failure);
        self.cancel(cause);
    }

    /// Closes the group if nobody is live, and gives what failed, in spawn order; otherwise the caller is woken then.
    pub(super) fn poll_over(&self, cx: &mut Context<'_>) -> Poll<Vec<Failure<E>>> {
        // Cloned and dropped outside of the lock.
        let waker = cx.waker().clone();
        let mut members = self.members.lock();
        if self.live() > 0 {
            // Race 2.
            let before = members.waker.replace(waker);
            drop(members);
            drop(before);
            return Poll::Pending;
        }
        // Race 3.
        members.closed = true;
        let mut failures = core::mem::take(&mut members.failures);
        drop(members);
        failures.sort_by_key(|failure| failure.number);
        Poll::Ready(failures)
    }

    /// Calls `f` for each child that has not completed.
    pub(super) fn for_each(&self, mut f: impl FnMut(NonNull<Header>)) {
        for (_, member) in &self.members.lock().tasks {
            // In the table, and so alive.
            f(member.0);
        }
    }

    fn enter(&self, task: NonNull<Header>, membership: &Membership<E>) -> Option<CancelCause> {
        let mut members = self.members.lock();
        if members.closed {
            drop(members);
            drop(membership.hub.take());
            return Some(CancelCause::new(CancelKind::GroupClosed));
        }
        membership.key.set(members.tasks.insert(Member(task)));
        // Ordering: Relaxed: counted under the lock; nobody depends on more.
        self.live.fetch_add(1, Ordering::Relaxed);
        let cause = members.cancelled.clone();
        drop(members);
        let deadline = self.deadline.load(Ordering::Relaxed);
        if deadline != NEVER {
            // SAFETY: the task is new, and the caller's.
            unsafe { task.as_ref() }.root().inherit(deadline);
        }
        cause
    }

    fn leave(&self, key: usize) {
        self.members.lock().tasks.remove(key);
    }

    /// A child has completed.
    fn gone(&self) {
        // Ordering: Release publishes the child's end to `live`; AcqRel, so that the last one passes on that of all.
        if self.live.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        // Race 2.
        let waker = self.members.lock().waker.take();
        self.bell.notify_waiters();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<E> Crowd for &Hub<E> {
    fn left(&self) -> usize {
        self.live()
    }

    async fn all_gone(&mut self) {
        loop {
            let mut rung = pin!(self.bell.notified());
            rung.as_mut().enable();
            if self.live() == 0 {
                return;
            }
            rung.await;
        }
    }

    fn cancel_rest(&mut self) {
        self.cancel_children(CancelCause::new(CancelKind::Deadline));
    }
}

impl<E> Membership<E> {
    pub(super) fn new(hub: Shared<Hub<E>>, name: Option<Box<str>>) -> Self {
        Self { hub: Cell::new(Some(hub)), key: Cell::new(0), name }
    }
}

impl<E: Send + 'static> Name for Membership<E> {
    type Farewell = Gone<E>;

    const IS_CHILD: bool = true;

    fn text(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn attach(&self, task: NonNull<Header>) -> Option<CancelCause> {
        let hub = self.hub.take()?;
        let cause = hub.enter(task, self);
        // Put back, unless the group is closed.
        if cause.as_ref().is_none_or(|cause| cause.kind != CancelKind::GroupClosed) {
            self.hub.set(Some(hub));
        }
        cause
    }

    fn farewell(&self) -> Gone<E> {
        let hub = self.hub.take();
        if let Some(hub) = &hub {
            hub.leave(self.key.get());
        }
        Gone(hub)
    }
}

impl<E> Farewell for Gone<E> {
    fn say(self) {
        if let Some(hub) = self.0 {
            hub.gone();
        }
    }
}

/// The children of a group that was dropped.
pub(super) struct Rest<E>(pub(super) Shared<Hub<E>>);

impl<E: Send + 'static> Children for Rest<E> {
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_over(cx).map(drop)
    }
}

//! What a group, its children and its handles share. Who belongs to it, and when all have ended, is the [`Roster`]'s.
//!
//! | word | written by | means |
//! |---|---|---|
//! | `cancelled` | the first to cancel the children, under the lock | why; children spawned from now on are born cancelled |
//! | `failures` | children and the body, under the lock | what the group is to report |
//! | `waker` | whoever waits for the children, under the lock; taken by the last | whom to poll |
//! | `keeps` | whoever begins to wait, under the lock; taken by the last | the group itself |
//!
//! Children and their places point to the group and do not count as holding it. It is there as long as they are: whoever owns the
//! group waits for them, or [abandons](Owner) them, and both keep it until the last has told that it has ended.

use super::drain::Crowd;
use super::error::{Failure, What};
use super::roster::{Entered, Links, Place, Roster, Waiting};
use crate::context;
use crate::observe::unhandled::UnhandledKind;
use crate::scope::frame::NEVER;
use crate::scope::leaving::{self, Children, Departing};
use crate::scope::node::Node;
use crate::task::cell::{self, Farewell, Header, Name};
use crate::task::{CancelCause, CancelKind, Panic, TaskId};
use core::cell::Cell;
use core::panic::Location;
use core::pin::pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use std::collections::HashMap;
use weftwork_sync::Notify;
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_sync::primitive::{Mutex, Shared, contain};

pub(crate) struct Hub<E> {
    /// The region of the body.
    pub(super) node: Shared<Node>,
    roster: Roster,
    /// The earliest deadline around the group, when it was polled last.
    deadline: AtomicU64,
    /// Rung when everybody has ended.
    bell: Notify,
    members: Mutex<Members<E>>,
}

// SAFETY: the places that the roster leads to lie in tasks, and are touched under the lock; errors are only ever moved out.
unsafe impl<E: Send> Send for Hub<E> {}
// SAFETY: as above.
unsafe impl<E: Send> Sync for Hub<E> {}

struct Members<E> {
    links: Links,
    cancelled: Option<CancelCause>,
    waker: Option<Waker>,
    keeps: Option<Shared<Hub<E>>>,
    failures: Vec<Failure<E>>,
}

/// A child that is to be told something, with a reference of its own.
struct Told(NonNull<Header>);

/// What a child has beside its future: its place in its group.
pub(crate) struct Membership<E> {
    place: Place,
    /// Not there for a child that came too late.
    hub: Cell<Option<NonNull<Hub<E>>>>,
}

/// A child has completed.
pub(crate) struct Gone<E>(Option<NonNull<Hub<E>>>);

impl<E> Hub<E> {
    pub(super) fn new() -> Shared<Self> {
        Shared::new(Self {
            node: Node::new(),
            roster: Roster::new(),
            deadline: AtomicU64::new(NEVER),
            bell: Notify::new(),
            members: Mutex::new(Members {
                links: Links::default(),
                cancelled: None,
                waker: None,
                keeps: None,
                failures: Vec::new(),
            }),
        })
    }

    /// Children that have not completed; each is looked at.
    pub(crate) fn live(&self) -> usize {
        self.roster.live(&self.members.lock().links).count()
    }

    /// Whether there are any.
    pub(super) fn has_live(&self) -> bool {
        self.roster.live(&self.members.lock().links).next().is_some()
    }

    pub(super) fn set_deadline(&self, deadline: u64) {
        self.deadline.store(deadline, Ordering::Relaxed);
    }

    /// Whether no child is taken any more.
    pub(super) fn is_closed(&self) -> bool {
        self.roster.is_closed()
    }

    /// Takes no more children.
    pub(crate) fn close(&self) {
        self.roster.close();
    }

    /// Cancels body and children; `false` if that was done before, or the group has ended.
    pub(super) fn cancel(&self, cause: CancelCause) -> bool {
        if self.node.is_closed() {
            return false;
        }
        // A waker of the body's may panic; the children are cancelled all the same.
        let first = contain(|| self.node.cancel(cause.clone()));
        let theirs = self.cancel_children(cause);
        match first {
            Ok(first) => theirs | first,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// Cancels the children there are, and those to come.
    pub(crate) fn cancel_children(&self, cause: CancelCause) -> bool {
        let children: Vec<Told> = {
            let mut members = self.members.lock();
            if members.cancelled.is_some() {
                return false;
            }
            members.cancelled = Some(cause.clone());
            self.roster.cancel(&members.links);
            self.hold_all(&members)
        };
        tell_all(children, |child| {
            // SAFETY: the reference that is held keeps it alive.
            unsafe { cell::cancel_for(child, cause.clone()) };
        });
        true
    }

    /// Shields of the children, which were cancelled, hold for that many nanoseconds only.
    #[cold]
    pub(super) fn soften_children(&self, grace: u64) {
        let children = self.hold_all(&self.members.lock());
        // SAFETY: the reference that is held keeps it alive.
        tell_all(children, |child| unsafe { child.as_ref() }.root().soften(grace));
    }

    /// The children that have not completed, each with a reference of the caller's. The lock is the caller's.
    fn hold_all(&self, members: &Members<E>) -> Vec<Told> {
        let held = |task: &Header| {
            task.state.reference();
            Told(task.into())
        };
        self.roster.live(&members.links).map(held).collect()
    }

    /// The scope of the group may have been cancelled by itself: that is for the children too.
    pub(super) fn pass_on(&self) {
        if self.node.is_cancelled()
            && !self.is_cancelled()
            && let Some(cause) = self.node.cause()
        {
            self.cancel_children(cause);
        }
    }

    /// Whether the children were cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.members.lock().cancelled.is_some()
    }

    /// Something failed: it is kept, and the rest is cancelled.
    pub(super) fn fail(&self, failure: Failure<E>) {
        let cause = CancelCause::new(CancelKind::Sibling(failure.task)).from(Some(failure.task), failure.at);
        let (task, at) = (failure.task, failure.at);
        self.members.lock().failures.push(failure);
        // Wakers are foreign code, and the task ends now, whatever they do.
        contained(Some((task, at)), || {
            self.cancel(cause);
        });
    }

    /// Calls `f` for each child that has not completed.
    pub(super) fn for_each(&self, f: impl FnMut(&Header)) {
        self.roster.live(&self.members.lock().links).for_each(f);
    }

    /// Begins to wait for the children, if nobody did; whether all have ended. The lock is the caller's.
    fn wait(this: &Shared<Self>, members: &mut Members<E>) -> bool {
        match this.roster.wait(&mut members.links) {
            Waiting::Over => true,
            Waiting::Goes => false,
            Waiting::Begun => {
                members.keeps = Some(this.clone());
                false
            }
        }
    }

    /// Closes the group if all children have ended, and gives what failed, in spawn order; otherwise the caller is woken then.
    pub(crate) fn poll_over(this: &Shared<Self>, cx: &mut Context<'_>) -> Poll<Vec<Failure<E>>> {
        // Cloned and dropped outside of the lock.
        let waker = cx.waker().clone();
        let mut members = this.members.lock();
        if !this.roster.close_if_over(&members.links) && !Self::wait(this, &mut members) {
            let before = members.waker.replace(waker);
            drop(members);
            drop(before);
            return Poll::Pending;
        }
        let mut failures = core::mem::take(&mut members.failures);
        if failures.len() > 1 {
            let tasks = this.roster.tasks(&members.links).enumerate();
            let age: HashMap<TaskId, usize> = tasks.map(|(age, task)| (task.spec.id, age)).collect();
            // The oldest first; the body, which is no child, last.
            failures.sort_by_key(|failure| core::cmp::Reverse(age.get(&failure.task).map_or(0, |age| age + 1)));
        }
        let swept = this.roster.clear(&mut members.links);
        drop(members);
        swept.release();
        Poll::Ready(failures)
    }

    #[inline]
    fn enter(&self, task: NonNull<Header>, place: &Place) -> Entry {
        // SAFETY: the task is new; that the hub outlives it is what Owner is for.
        let cancelled = match unsafe { self.roster.enter(place, task) } {
            Entered::Member { cancelled } => cancelled,
            Entered::Closed { last } => {
                if last {
                    self.all_gone();
                }
                return Entry::TooLate;
            }
        };
        let deadline = self.deadline.load(Ordering::Relaxed);
        if deadline != NEVER {
            // SAFETY: the task is new, and the caller's.
            unsafe { task.as_ref() }.root().inherit(deadline);
        }
        Entry::Member(if cancelled { self.members.lock().cancelled.clone() } else { None })
    }

    /// Gives up the places of children that have ended, if nobody else is at it.
    #[cold]
    pub(crate) fn sweep(&self) {
        let swept = {
            let Some(mut members) = self.members.try_lock() else { return };
            // The place of one that failed says when it was spawned.
            self.roster.sweep(&mut members.links, Header::has_failed)
        };
        swept.release();
    }

    /// The last of those that were counted has ended.
    #[cold]
    fn all_gone(&self) {
        let (waker, kept) = {
            let mut members = self.members.lock();
            (members.waker.take(), members.keeps.take())
        };
        // Foreign code, on the way out of a task: each by itself.
        contained(None, || self.bell.notify_waiters());
        contained(None, || waker.map_or((), Waker::wake));
        contained(None, || drop(kept));
    }
}

/// Calls `f` for each, and gives up its reference. What one panics with goes on when all have been told.
fn tell_all(children: Vec<Told>, f: impl Fn(NonNull<Header>)) {
    let mut first = None;
    for child in children {
        if let Err(payload) = contain(|| f(child.0)) {
            match first {
                None => first = Some(payload),
                Some(_) => cell::drop_payload(payload),
            }
        }
        // SAFETY: the reference that `hold_all` took, given up once.
        unsafe { cell::release(child.0) };
    }
    if let Some(payload) = first {
        std::panic::resume_unwind(payload);
    }
}

/// Calls wakers where nobody could go on with a panic of theirs: it is reported.
fn contained(whose: Option<(TaskId, &'static Location<'static>)>, f: impl FnOnce()) {
    if let Err(payload) = contain(f) {
        super::task_group::report(UnhandledKind::WakerPanicked, whose, payload);
    }
}

/// How a child entered.
enum Entry {
    /// And why it is born cancelled, if it is.
    Member(Option<CancelCause>),
    TooLate,
}

impl<E> Drop for Hub<E> {
    fn drop(&mut self) {
        let mut members = self.members.lock();
        if self.roster.live(&members.links).next().is_some() {
            // They point here. What keeps a group is there so that this never happens.
            std::process::abort();
        }
        let swept = self.roster.clear(&mut members.links);
        drop(members);
        swept.release();
    }
}

impl<E> Crowd for &Shared<Hub<E>> {
    fn left(&self) -> usize {
        self.live()
    }

    async fn all_gone(&mut self) {
        loop {
            let mut rung = pin!(self.bell.notified());
            rung.as_mut().enable();
            if Hub::wait(self, &mut self.members.lock()) {
                return;
            }
            rung.await;
        }
    }

    fn cancel_rest(&mut self) {
        self.cancel_children(CancelCause::new(CancelKind::Deadline));
    }
}

/// Who is answerable for the children of a group: they are waited for, or, once this is dropped, cancelled, and then waited for by
/// whoever can.
pub(crate) struct Owner<E: Send + 'static> {
    pub(crate) hub: Shared<Hub<E>>,
    at: &'static Location<'static>,
}

impl<E: Send + 'static> Owner<E> {
    pub(crate) fn new(at: &'static Location<'static>) -> Self {
        Self { hub: Hub::new(), at }
    }
}

impl<E: Send + 'static> Drop for Owner<E> {
    fn drop(&mut self) {
        let hub = &self.hub;
        hub.close();
        // Before anybody is cancelled, which calls wakers: from now on the group is kept.
        if Hub::wait(hub, &mut hub.members.lock()) {
            return;
        }
        // Outside of every task nobody can wait; the group stays until the last child has ended all the same.
        let _ = leaving::leave_behind(Departing::Children(Box::new(Rest(hub.clone()))));
        let cause = CancelCause::new(CancelKind::HandleDropped).saying("its group was dropped");
        let task = context::current_task();
        contained(task.map(|task| (task, self.at)), || {
            hub.cancel_children(cause.from(task, self.at));
        });
    }
}

impl<E> Membership<E> {
    pub(crate) fn new(hub: &Hub<E>) -> Self {
        Self { place: Place::new(), hub: Cell::new(Some(NonNull::from(hub))) }
    }
}

impl<E: Send + 'static> Name for Membership<E> {
    type Farewell = Gone<E>;

    const ENDS_WITH_ITS_VALUE: bool = true;

    const IS_CHILD: bool = true;

    fn text(&self) -> Option<&str> {
        None
    }

    #[inline]
    fn attach(&self, task: NonNull<Header>) -> Option<CancelCause> {
        let hub = self.hub.get()?;
        // SAFETY: the spawner holds the group.
        match unsafe { hub.as_ref() }.enter(task, &self.place) {
            Entry::Member(cause) => cause,
            Entry::TooLate => {
                self.hub.set(None);
                Some(CancelCause::new(CancelKind::GroupClosed))
            }
        }
    }

    /// It is the group's: the others end, and then it goes on.
    fn panicked(&self, task: &Header, panic: Panic) -> Result<(), Panic> {
        let Some(hub) = self.hub.get() else { return Err(panic) };
        // SAFETY: the child has not completed, so the group is there.
        unsafe { hub.as_ref() }.fail(Failure {
            task: task.spec.id,
            at: task.spec.location,
            what: What::Panic(panic.0),
        });
        Ok(())
    }

    #[inline]
    fn farewell(&self) -> Gone<E> {
        let hub = self.hub.get();
        // SAFETY: the child has not completed, so the group is there.
        if let Some(hub) = hub.map(|hub| unsafe { hub.as_ref() })
            && hub.roster.ends()
        {
            hub.sweep();
        }
        Gone(hub)
    }
}

impl<E> Farewell for Gone<E> {
    #[inline]
    fn say(self, counted: bool) {
        if let Some(hub) = self.0
            && counted
        {
            // SAFETY: somebody waits for the child, and keeps the group until it is counted out, and told.
            let hub = unsafe { hub.as_ref() };
            if hub.roster.count_out() {
                hub.all_gone();
            }
        }
    }
}

/// The children of a group that was dropped.
pub(super) struct Rest<E>(pub(super) Shared<Hub<E>>);

impl<E: Send + 'static> Children for Rest<E> {
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Errors are the user's, and this runs at the end of a task.
        Hub::poll_over(&self.0, cx).map(|failures| {
            if let Err(payload) = contain(|| drop(failures)) {
                cell::drop_payload(payload);
            }
        })
    }

    fn soften(&self, grace: u64) {
        self.0.soften_children(grace);
    }
}

#[cfg(all(test, not(weftwork_loom), not(weftwork_count)))]
mod tests {
    use crate::runtime::Builder;
    use crate::task::yield_now;

    #[test]
    fn places_of_children_that_have_ended_are_given_up_while_the_group_goes_on() {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut owner = None;
            let group = crate::group::group(async |group| {
                let hub = group.hub.clone();
                let places = || hub.roster.tasks(&hub.members.lock().links).count();
                for _ in 0..10 {
                    let crowd: Vec<_> = (0..500).map(|_| group.spawn(yield_now())).collect();
                    assert!(places() >= 500);
                    for child in crowd {
                        child.await.unwrap();
                    }
                }
                for _ in 0..1000 {
                    group.spawn(async {}).await.unwrap();
                }
                assert!(places() < 100, "{}", places());
                owner = Some(hub);
            });
            group.await.unwrap();
            let hub = owner.unwrap();
            assert_eq!(hub.roster.tasks(&hub.members.lock().links).count(), 0);
        });
    }
}

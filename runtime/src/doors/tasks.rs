//! Task cells without workers: their scheduler is a queue behind a lock, and whoever likes polls.

use crate::observe::unhandled::Unhandled;
use crate::task::cell::{self, Header, Name, Schedule, Turn};
use crate::task::state::Claim;
use crate::task::{CancelCause, CancelKind, JoinHandle, Runnable, Spec, TaskId};
use core::future::Future;
use core::panic::Location;
use core::ptr::NonNull;
use std::collections::VecDeque;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared};

/// A set of tasks and the queue of those that are ready.
pub struct Tasks(Shared<Inner>);

struct Inner {
    ready: Mutex<VecDeque<Runnable>>,
    released: Counter,
    unhandled: Counter,
    /// Whether tasks leave their list before they complete, as on the worker that owns them, or after it.
    leaves: bool,
}

/// What each task holds of its set. The set outlives its tasks: it is not counted, as in production.
struct Queue(NonNull<Inner>);

impl Schedule for Queue {
    fn schedule(&self, task: Runnable, _turn: Turn) {
        // SAFETY: Tasks outlives its tasks.
        unsafe { self.0.as_ref() }.ready.lock().push_back(task);
    }

    unsafe fn leave(&self, _task: NonNull<Header>) -> bool {
        // SAFETY: as above.
        let inner = unsafe { self.0.as_ref() };
        if inner.leaves {
            inner.released.add(1);
        }
        inner.leaves
    }

    unsafe fn release(&self, task: NonNull<Header>) {
        // SAFETY: as above.
        unsafe { self.0.as_ref() }.released.add(1);
        // SAFETY: the list's reference; this scheduler's list is no list.
        unsafe { cell::release(task) };
    }

    fn unhandled(&self, _what: &Unhandled<'_>) {
        // SAFETY: as above.
        unsafe { self.0.as_ref() }.unhandled.add(1);
    }
}

/// A task that is ready: the right to poll it.
pub struct Ready(pub(super) Runnable);

impl Ready {
    /// Polls it once, or drops its future if it was cancelled.
    pub fn run(self) {
        self.0.run();
    }

    /// Which task it is.
    pub fn id(&self) -> TaskId {
        self.0.header().spec.id
    }
}

/// A task as the list that owns it sees it, with a reference of its own.
pub struct Listed(NonNull<Header>);

// SAFETY: a counted reference to a cell, whose future the models keep Send.
unsafe impl Send for Listed {}

impl Listed {
    /// What shutdown does with a task of a list: claims it if it is idle, and marks it otherwise; `true` if it had to
    /// leave it to somebody else.
    pub fn finish(self) -> bool {
        // SAFETY: the reference that this holds.
        let header = unsafe { self.0.as_ref() };
        header.set_cause(CancelCause::new(CancelKind::Shutdown));
        let held = match header.state.claim_idle() {
            Claim::Claimed => {
                // SAFETY: claimed.
                unsafe { cell::cancel_claimed(self.0) };
                false
            }
            Claim::Complete => false,
            Claim::Held => true,
        };
        // SAFETY: taken in `listed`, released once.
        unsafe { cell::release(self.0) };
        held
    }
}

impl Clone for Tasks {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// No tasks; those to come will leave their list as they complete, as on the worker that owns them.
    pub fn new() -> Self {
        Self::with(true)
    }

    /// As [`new`](Self::new), but tasks are handed back to their list after they completed, as from a foreign worker.
    pub fn handed_back() -> Self {
        Self::with(false)
    }

    fn with(leaves: bool) -> Self {
        Self(Shared::new(Inner {
            ready: Mutex::new(VecDeque::new()),
            released: Counter::new(0),
            unhandled: Counter::new(0),
            leaves,
        }))
    }

    fn allocate<F: Future + 'static, N: Name>(&self, future: F, name: N) -> NonNull<Header> {
        let spec = Spec::new(Location::caller(), 0, false);
        // SAFETY: the models' futures may go anywhere and borrow nothing.
        unsafe { cell::allocate(future, Queue(NonNull::from(&*self.0)), spec, name) }
    }

    /// A new task that is ready, in nobody's queue.
    pub fn ready<F: Future + 'static>(&self, future: F) -> (Ready, JoinHandle<F::Output>) {
        self.ready_named(future, ())
    }

    fn ready_named<F: Future + 'static, N: Name>(&self, future: F, name: N) -> (Ready, JoinHandle<F::Output>) {
        let task = self.allocate(future, name);
        // SAFETY: a new task: this is its one Runnable, and its handle with the handle's reference.
        unsafe { (Ready(Runnable::from_ptr(task)), JoinHandle::from_ptr(task)) }
    }

    /// A new task in the queue.
    pub fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        let (ready, handle) = self.ready(future);
        self.0.ready.lock().push_back(ready.0);
        handle
    }

    pub(super) fn spawn_named<F: Future + 'static, N: Name>(&self, future: F, name: N) -> JoinHandle<F::Output> {
        let (ready, handle) = self.ready_named(future, name);
        self.0.ready.lock().push_back(ready.0);
        handle
    }

    /// As [`spawn`](Self::spawn), with what its list would hold.
    pub fn listed<F: Future + 'static>(&self, future: F) -> (Listed, JoinHandle<F::Output>) {
        let (ready, handle) = self.ready(future);
        let listed = Listed(ready.0.as_ptr());
        ready.0.header().state.reference();
        self.0.ready.lock().push_back(ready.0);
        (listed, handle)
    }

    /// The task that has been ready for longest.
    pub fn next(&self) -> Option<Ready> {
        self.0.ready.lock().pop_front().map(Ready)
    }

    /// Polls the task that has been ready for longest; `false` if none is.
    pub fn run_one(&self) -> bool {
        let task = self.next();
        let found = task.is_some();
        if let Some(task) = task {
            task.run();
        }
        found
    }

    /// Polls until nothing is ready.
    pub fn run_all(&self) {
        while self.run_one() {}
    }

    /// How many tasks were released by their list.
    pub fn released(&self) -> u64 {
        self.0.released.get()
    }

    /// How many bad ends were reported.
    pub fn unhandled(&self) -> u64 {
        self.0.unhandled.get()
    }
}

// SAFETY: a set is a lock, counters and tasks that may go anywhere.
unsafe impl Send for Tasks {}
// SAFETY: as above.
unsafe impl Sync for Tasks {}

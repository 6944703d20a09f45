//! `JoinHandle`: a task's outcome, and the way to cancel it.

use super::TaskId;
use super::cell::{self, Header};
use super::error::{CancelCause, CancelKind, JoinError};
use super::state::DroppedJoin;
use super::watched::Watched;
use crate::scope::leaving;
use crate::scope::root::Root;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use std::borrow::Cow;
use weftwork_sync::coop;

/// Owns the outcome of a spawned task: await it to get the value, drop it to let the task go its own way.
///
/// Awaiting gives `Err` when the task was cancelled or panicked. Dropping the handle detaches: the runtime owns the task
/// and runs it to its end; a panic that nobody reads is then reported by the runtime.
///
/// # Cancel safety
/// Awaiting `&mut handle` may be given up at any time; the outcome stays with the handle.
///
/// # Panics
/// Polling the handle again after it gave its outcome panics.
///
/// asyncio's counterpart is `asyncio.Task`, tokio's is `tokio::task::JoinHandle`.
///
/// ```
/// weftwork::run(async {
///     let handle = weftwork::spawn(async { 6 * 7 });
///     assert_eq!(handle.await.unwrap(), 42);
/// });
/// ```
#[doc(alias = "Task")]
#[must_use = "dropping a handle detaches its task; await it, or call detach() to say so"]
pub struct JoinHandle<T> {
    task: NonNull<Header>,
    outcome: PhantomData<fn() -> T>,
}

// SAFETY: the handle moves the outcome to the thread that awaits it, so T has to be Send; of the task it touches only
// what the state word orders.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives access to atomics and to facts that do not change, never to the outcome.
unsafe impl<T: Send> Sync for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// `task` is a new task with output `T`, and the caller gives up the handle's reference.
    pub(crate) unsafe fn from_ptr(task: NonNull<Header>) -> Self {
        Self { task, outcome: PhantomData }
    }

    fn header(&self) -> &Header {
        // SAFETY: the handle's reference keeps the task alive.
        unsafe { self.task.as_ref() }
    }

    /// Asks the task to stop; `false` if it had finished or been cancelled before.
    ///
    /// The future is dropped at the await where it waits, on a worker; the handle then gives `JoinError::Cancelled`. A
    /// task that has not run yet never runs. A value that is ready at that moment wins over the cancellation.
    ///
    /// asyncio's counterpart is `Task.cancel()`, tokio's is `JoinHandle::abort`.
    ///
    /// ```
    /// weftwork::run(async {
    ///     let handle = weftwork::spawn(std::future::pending::<()>());
    ///     assert!(handle.cancel());
    ///     assert!(!handle.cancel());
    ///     assert!(handle.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    #[doc(alias = "abort")]
    #[track_caller]
    pub fn cancel(&self) -> bool {
        self.cancel_for(CancelCause::explicit())
    }

    /// As [`cancel`](Self::cancel), with a reason that the error will tell.
    #[track_caller]
    pub fn cancel_with(&self, why: impl Into<Cow<'static, str>>) -> bool {
        self.cancel_for(CancelCause::explicit().saying(why))
    }

    pub(crate) fn cancel_for(&self, cause: CancelCause) -> bool {
        // SAFETY: the handle's reference.
        unsafe { cell::cancel_for(self.task, cause) }
    }

    /// Shields of the task, which was cancelled, hold for that many nanoseconds only.
    pub(crate) fn soften(&self, grace: u64) {
        self.header().root().soften(grace);
    }

    /// Cancels the task because nobody will have its value.
    pub(crate) fn cancel_because_dropped(&self) {
        self.cancel_for(CancelCause::new(CancelKind::HandleDropped));
    }

    /// As [`without_outcome`](Self::without_outcome), giving this one up.
    pub(crate) fn into_joined(self) -> JoinHandle<()> {
        let handle = self.without_outcome();
        mem::forget(self);
        handle
    }

    /// The same handle, for somebody who only wants to know when the task has ended.
    ///
    /// Whoever calls it gives this one up without dropping it.
    pub(crate) fn without_outcome(&self) -> JoinHandle<()> {
        JoinHandle { task: self.task, outcome: PhantomData }
    }

    /// Whether the task has finished, in whatever way; awaiting it is then immediate.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.header().state.is_complete()
    }

    /// Why the task was asked to stop, if it was.
    pub fn cancel_cause(&self) -> Option<CancelCause> {
        let header = self.header();
        if header.state.is_cancelled() && !header.has_failed() { header.cause() } else { None }
    }

    /// The task's identifier.
    pub fn id(&self) -> TaskId {
        self.header().spec.id
    }

    /// The task's name, if it was given one.
    #[doc(alias = "get_name")]
    pub fn name(&self) -> Option<&str> {
        // SAFETY: the handle keeps the task alive.
        unsafe { cell::name(self.task) }
    }

    /// Lets the task go its own way: as dropping the handle, in words.
    pub fn detach(self) {
        let mut this = mem::ManuallyDrop::new(self);
        // SAFETY: in place of the drop, which would offer the task to a region that unwinds around.
        unsafe {
            let dropped = this.header().state.drop_join(false);
            this.let_go(dropped);
        }
    }

    /// The outcome, if the task has finished; never waits.
    ///
    /// # Panics
    /// If the outcome was taken before.
    #[doc(alias = "result")]
    pub fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        // SAFETY: this is the handle, the task is complete, and T is its type.
        self.header().state.is_complete().then(|| unsafe { self.take() })
    }

    /// Gives up the handle's reference, and what is its own by then.
    ///
    /// # Safety
    /// Called once; the handle is not used afterwards.
    unsafe fn let_go(&mut self, dropped: DroppedJoin) {
        // SAFETY: drop_join says what has become this thread's own, and whether the reference is still there to be released.
        unsafe {
            match dropped {
                DroppedJoin::Released | DroppedJoin::Waited => {}
                DroppedJoin::Alone => cell::free_alone(self.task),
                DroppedJoin::Kept { has_outcome, has_waker } => {
                    let waker = if has_waker { cell::set_join_waker(self.task, None) } else { None };
                    if has_outcome {
                        cell::discard(self.task);
                    }
                    cell::release(self.task);
                    // Foreign code, and so the last thing done here.
                    drop(waker);
                }
            }
        }
    }

    /// Turns the handle into one that cancels the task when it is dropped.
    pub fn cancel_on_drop(self) -> CancelOnDrop<T> {
        CancelOnDrop(self)
    }

    /// # Safety
    /// The task is complete.
    unsafe fn take(&mut self) -> Result<T, JoinError> {
        let mut outcome = MaybeUninit::<Result<T, JoinError>>::uninit();
        // SAFETY: this is the handle; `outcome` is written before it is read, and T is the task's type by from_ptr.
        unsafe {
            cell::take(self.task, NonNull::from(&mut outcome).cast());
            outcome.assume_init()
        }
    }

    /// Puts the caller's waker into the slot; `false` if the task completed meanwhile.
    fn register(&mut self, cx: &mut Context<'_>) -> bool {
        let state = &self.header().state;
        if state.has_join_waker() {
            // SAFETY: this is the handle.
            if unsafe { cell::join_waker_is(self.task, cx.waker()) } {
                return !state.is_complete();
            }
            if state.thaw_join_waker().is_err() {
                return false;
            }
        }
        // Cloned before the slot is touched: foreign code may panic.
        let waker = cx.waker().clone();
        // SAFETY: not frozen, so the slot is the handle's.
        let before = unsafe { cell::set_join_waker(self.task, Some(waker)) };
        let frozen = self.header().state.freeze_join_waker().is_ok();
        drop(before);
        frozen
    }
}

impl<T> JoinHandle<T> {
    /// Ready when the task has ended, whatever it came to, which stays unread.
    pub(crate) fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.header().state.is_complete() && self.register(cx) { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // To wait for a task does nothing to it, so that may begin where everything is cancelled, to be there when the region
        // unwinds: then the task is cancelled with it.
        let begun = coop::is_cancelled() || self.header().state.has_join_waker();
        let unit =
            core::task::ready!(coop::proceed_for(cx, begun, || coop::Wait::new("task").number(self.id().as_u64())));
        if !self.header().state.is_complete() && self.register(cx) {
            return Poll::Pending;
        }
        unit.made_progress();
        // SAFETY: the task is complete: it was seen to be, or the slot was refused because it is.
        Poll::Ready(unsafe { self.take() })
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let mut dropped = self.header().state.drop_join(true);
        if dropped == DroppedJoin::Waited {
            if leaving::offer(self) {
                return;
            }
            dropped = self.header().state.drop_join(false);
        }
        // SAFETY: dropped once.
        unsafe { self.let_go(dropped) };
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header();
        write!(f, "<Task {}", header.spec.id)?;
        if let Some(name) = self.name() {
            write!(f, " {name:?}")?;
        }
        let state = if header.state.is_complete() {
            "finished"
        } else if header.state.is_cancelled() {
            "cancelling"
        } else if crate::context::current_task() == Some(header.spec.id) {
            "running"
        } else {
            "pending"
        };
        write!(f, " {state}")?;
        let watched = header.root_if_any().and_then(Root::watched);
        if let Some(wait) = watched.and_then(Watched::wait).filter(|_| !header.state.is_complete()) {
            write!(f, " waits for {wait}")?;
        }
        write!(f, " spawned at {}>", header.spec.location)
    }
}

/// A [`JoinHandle`] that cancels its task when it is dropped.
///
/// Made by [`JoinHandle::cancel_on_drop`]. tokio-util's counterpart is `AbortOnDropHandle`.
///
/// ```
/// weftwork::run(async {
///     let handle = weftwork::spawn(std::future::pending::<()>());
///     drop(handle.cancel_on_drop());
/// });
/// ```
#[doc(alias = "AbortOnDropHandle")]
#[must_use = "dropping it cancels the task"]
pub struct CancelOnDrop<T>(JoinHandle<T>);

impl<T> CancelOnDrop<T> {
    /// Gives the plain handle back: dropping that detaches.
    pub fn into_inner(self) -> JoinHandle<T> {
        let this = mem::ManuallyDrop::new(self);
        // SAFETY: moved out once; this wrapper's drop does not run.
        unsafe { core::ptr::read(&raw const this.0) }
    }
}

impl<T> CancelOnDrop<T> {
    /// As of the handle.
    pub(crate) fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_finished(cx)
    }
}

impl<T> core::ops::Deref for CancelOnDrop<T> {
    type Target = JoinHandle<T>;
    fn deref(&self) -> &JoinHandle<T> {
        &self.0
    }
}

impl<T> Future for CancelOnDrop<T> {
    type Output = Result<T, JoinError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        self.0.cancel_for(CancelCause::new(CancelKind::HandleDropped));
    }
}

impl<T> fmt::Debug for CancelOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.0).finish()
    }
}

//! Starting a child that says when it is ready: `TaskGroup::start`.
//!
//! Until the child has said so, it is the starter's affair: an error or a panic is put aside here, and comes out of `start`, where
//! later ones go to the group. Whoever started it waits for both, what the child has to say and its end, and looks for what it said first: it may have
//! ended right after that.

use super::error::StartError;
use crate::scope::contained::Contained;
use crate::scope::frame;
use crate::task::{CancelCause, CancelKind, CancelOnDrop, JoinError, JoinHandle, Panic, cell};
use core::fmt;
use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use weftwork_sync::oneshot;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::{Mutex, Shared};

/// What a child that is being started says when it is ready; see [`TaskGroup::start`](super::TaskGroup::start).
///
/// Dropped, it says nothing: the child is waited for to its end, and then was not started.
pub struct Started<S> {
    sender: oneshot::Sender<S>,
    said: Shared<AtomicBool>,
}

impl<S> Started<S> {
    /// The child is ready: `start` returns `value`. Once, as this is used up; if whoever started the child is gone, the value is dropped.
    #[doc(alias = "started")]
    pub fn set(self, value: S) {
        // Ordering: Release pairs with Setup::has_started: what this task has said counts, also if another said it.
        self.said.store(true, Ordering::Release);
        // Whoever waits for it may be gone.
        let _ = self.sender.send(value);
    }
}

impl<S> fmt::Debug for Started<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}

/// Why a child did not start before it could say that it has.
enum Early<E> {
    Failed(E),
    Panicked(Panic),
}

/// What the child and its starter share.
struct Setup<E> {
    said: Shared<AtomicBool>,
    early: Mutex<Option<Early<E>>>,
}

impl<E> Setup<E> {
    fn has_started(&self) -> bool {
        // Ordering: Acquire pairs with Started::set.
        self.said.load(Ordering::Acquire)
    }

    /// The child ends without a value, and nobody but the starter hears of it.
    async fn end<T>(&self, early: Early<E>) -> T {
        *self.early.lock() = Some(early);
        if let Some(task) = frame::task() {
            let cause = CancelCause::explicit().saying("it had not started");
            // SAFETY: the poll keeps the task alive.
            unsafe { cell::cancel_for(task.into(), cause) };
        }
        pending().await
    }
}

/// Both ends of a start.
pub(super) struct Starting<S, E> {
    setup: Shared<Setup<E>>,
    receiver: oneshot::Receiver<S>,
}

/// What a child says when it is ready, and who waits for that.
pub(super) fn prepare<S, E>() -> (Started<S>, Starting<S, E>) {
    let (sender, receiver) = oneshot::channel();
    let said = Shared::new(AtomicBool::new(false));
    let setup = Shared::new(Setup { said: said.clone(), early: Mutex::new(None) });
    (Started { sender, said }, Starting { setup, receiver })
}

impl<S, E> Starting<S, E> {
    /// The future that runs the child.
    pub(super) fn run<T, F>(&self, child: F) -> impl Future<Output = Result<T, E>> + use<S, E, T, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        let (setup, child) = (self.setup.clone(), Contained::new(child));
        async move {
            match child.await {
                Ok(Err(error)) if !setup.has_started() => setup.end(Early::Failed(error)).await,
                Ok(outcome) => outcome,
                Err(payload) if !setup.has_started() => setup.end(Early::Panicked(Panic(payload))).await,
                Err(payload) => std::panic::resume_unwind(payload),
            }
        }
    }

    /// Waits until the child has started, or has ended without.
    pub(super) async fn wait<T>(self, child: JoinHandle<T>) -> Result<(S, JoinHandle<T>), StartError<E>> {
        let Self { setup, mut receiver } = self;
        let mut child: CancelOnDrop<T> = child.cancel_on_drop();
        let said = poll_fn(|cx| {
            if let Poll::Ready(Ok(value)) = Pin::new(&mut receiver).poll(cx) {
                return Poll::Ready(Some(value));
            }
            core::task::ready!(child.poll_finished(cx));
            // It may have said it since.
            Poll::Ready(receiver.try_recv().ok())
        });
        if let Some(value) = said.await {
            return Ok((value, child.into_inner()));
        }
        let ended = child.into_inner().try_take();
        let early = setup.early.lock().take();
        Err(match (early, ended) {
            (Some(Early::Failed(error)), _) => StartError::Failed(error),
            (Some(Early::Panicked(panic)), _) => StartError::Panicked(panic),
            (None, Some(Err(JoinError::Panicked(panic)))) => StartError::Panicked(panic),
            (None, Some(Err(JoinError::Cancelled(cause)))) if cause.kind == CancelKind::GroupClosed => {
                StartError::Closed
            }
            (None, Some(Err(JoinError::Cancelled(cause)))) => StartError::Cancelled(cause),
            (None, _) => StartError::NotStarted,
        })
    }
}

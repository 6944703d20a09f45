//! The future of a child that may fail: its error is told to its group.

use super::error::{Failure, What};
use super::hub::Hub;
use crate::scope::frame;
use crate::task::{CancelCause, cell};
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use weftwork_sync::primitive::contain;

pin_project! {
    pub(crate) struct Child<F, E> {
        #[pin]
        future: Option<F>,
        hub: HubOfCell<E>,
    }
}

/// The hub of the group, which is there until the child has completed.
struct HubOfCell<E>(NonNull<Hub<E>>);

// SAFETY: a reference to what is Sync.
unsafe impl<E: Send> Send for HubOfCell<E> {}

impl<E> HubOfCell<E> {
    fn get(&self) -> &Hub<E> {
        // SAFETY: by Child::new.
        unsafe { self.0.as_ref() }
    }
}

impl<F, E> Child<F, E> {
    /// # Safety
    /// What this is in is polled only as a child of that group.
    pub(super) unsafe fn new(future: F, hub: NonNull<Hub<E>>) -> Self {
        Self { future: Some(future), hub: HubOfCell(hub) }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Future for Child<F, E> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // It has failed, and is about to end.
            return Poll::Pending;
        };
        match future.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(value)) => Poll::Ready(value),
            Poll::Ready(Err(error)) => {
                failed(this.future, error, this.hub.get());
                Poll::Pending
            }
        }
    }
}

/// The child ends as failed: its group has the error, its handle says so.
#[cold]
fn failed<F, E>(mut future: Pin<&mut Option<F>>, error: E, hub: &Hub<E>) {
    let Some(task) = frame::task() else { unreachable!("polled as a task") };
    // What it held is free before anybody hears of it.
    let what = match contain(|| future.set(None)) {
        Ok(()) => What::Error(error),
        Err(payload) => What::Panic(payload),
    };
    task.root().fail();
    // The way out of a task without a value.
    let cause = CancelCause::explicit().saying("it failed");
    // SAFETY: the poll keeps the task alive.
    unsafe { cell::cancel_for(task.into(), cause) };
    hub.fail(Failure { task: task.spec.id, at: task.spec.location, what });
}

//! The future of a child: what it comes to is told to its group, if that is a failure.

use super::error::{Failure, What};
use super::hub::Hub;
use crate::scope::frame;
use crate::task::{CancelCause, TaskId, cell};
use core::convert::Infallible;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use weftwork_sync::primitive::contain;

/// What a child's output means.
pub(crate) trait Judge<O>: 'static {
    type Value;
    type Error;
    fn judge(output: O) -> Result<Self::Value, Self::Error>;
}

/// Every output is a value.
pub(crate) struct Any;

impl<O> Judge<O> for Any {
    type Value = O;
    type Error = Infallible;
    #[inline(always)]
    fn judge(output: O) -> Result<O, Infallible> {
        Ok(output)
    }
}

/// An output is a Result, whose error ends the group.
pub(crate) struct Fallible;

impl<T, E> Judge<Result<T, E>> for Fallible {
    type Value = T;
    type Error = E;
    #[inline(always)]
    fn judge(output: Result<T, E>) -> Result<T, E> {
        output
    }
}

pin_project! {
    pub(crate) struct Child<F, J, E> {
        #[pin]
        future: Option<F>,
        hub: HubOfCell<E>,
        number: u64,
        at: &'static Location<'static>,
        judge: PhantomData<fn() -> J>,
    }
}

/// The hub that the cell's membership holds, which outlives the future beside it.
struct HubOfCell<E>(NonNull<Hub<E>>);

// SAFETY: a reference to what is Sync.
unsafe impl<E: Send> Send for HubOfCell<E> {}

impl<E> HubOfCell<E> {
    fn get(&self) -> &Hub<E> {
        // SAFETY: by Child::new.
        unsafe { self.0.as_ref() }
    }
}

impl<F, J, E> Child<F, J, E> {
    /// # Safety
    /// What this is in is dropped before a reference to the hub is given up.
    pub(super) unsafe fn new(future: F, hub: NonNull<Hub<E>>, number: u64, at: &'static Location<'static>) -> Self {
        Self { future: Some(future), hub: HubOfCell(hub), number, at, judge: PhantomData }
    }
}

impl<F: Future, J: Judge<F::Output, Error = E>, E> Future for Child<F, J, E> {
    type Output = J::Value;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<J::Value> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // It has failed, and is about to end.
            return Poll::Pending;
        };
        let what = match contain(|| future.poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => match J::judge(output) {
                Ok(value) => return Poll::Ready(value),
                Err(error) => What::Error(error),
            },
            Err(payload) => What::Panic(payload),
        };
        failed(this.future, what, this.hub.get(), *this.number, this.at);
        Poll::Pending
    }
}

/// The child ends as failed: its group has the error, its handle says so.
#[cold]
fn failed<F, E>(
    mut future: Pin<&mut Option<F>>,
    what: What<E>,
    hub: &Hub<E>,
    number: u64,
    at: &'static Location<'static>,
) {
    // What it held is free before anybody hears of it.
    let dropped = contain(|| future.set(None));
    let what = match dropped {
        Ok(()) => what,
        Err(payload) => What::Panic(payload),
    };
    let task = frame::task();
    if let Some(task) = task {
        task.root().fail();
        // The way out of a task without a value.
        let cause = CancelCause::explicit().saying("it failed");
        // SAFETY: the poll keeps the task alive.
        unsafe { cell::cancel_for(task.into(), cause) };
    }
    let task = task.map_or_else(TaskId::next, |task| task.spec.id);
    hub.fail(Failure { number, task, at, what });
}

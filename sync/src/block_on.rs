//! Running one future on a plain thread: what the `blocking_` methods stand on.
//!
//! The waker is a reference count around a [`Parker`], written out as a vtable because the standard library's safe way to
//! make one needs its own `Arc`. Each call has a parker of its own: a nested call on the same thread that shared one would
//! take the token that the outer call is owed.

use crate::coop;
use crate::primitive::{Deadline, ParkResult, Parker, Shared};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// Runs a future to its end and blocks the calling thread meanwhile.
///
/// For threads that run no tasks. Inside a task it blocks the worker, and what the future waits for may need that worker.
/// The poll budget does not apply inside.
///
/// # Counterparts
/// `futures::executor::block_on`; a runtime's own `block_on` also drives its timers and sockets, this one does not.
///
/// # Examples
/// ```
/// assert_eq!(weftwork_sync::block_on(async { 1 + 1 }), 2);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let parker = Shared::new(Parker::new());
    block_on_with(future, &parker, || parker.park())
}

/// What a blocked thread is woken by.
#[doc(hidden)]
pub trait Unpark: Send + Sync + 'static {
    /// Ends the thread's wait, or its next one.
    fn unpark(&self);
}

impl Unpark for Parker {
    fn unpark(&self) {
        Self::unpark(self);
    }
}

/// [`block_on`] with a wait of the caller's own: `park` returns once `bed` has been told.
#[doc(hidden)]
pub fn block_on_with<F: Future, B: Unpark>(future: F, bed: &Shared<B>, park: impl Fn()) -> F::Output {
    let mut future = pin!(future);
    let waker = waker(bed.clone());
    let mut cx = Context::from_waker(&waker);
    coop::unconstrained(|| {
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            park();
        }
    })
}

/// [`block_on`] for at most so long; `None` if the future was not ready then. It is polled once at least.
pub(crate) fn block_on_for<F: Future>(mut future: Pin<&mut F>, timeout: core::time::Duration) -> Option<F::Output> {
    let deadline = Deadline::after(timeout);
    let parker = Shared::new(Parker::new());
    let waker = waker(parker.clone());
    let mut cx = Context::from_waker(&waker);
    coop::unconstrained(|| {
        let mut last = false;
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            if last {
                return None;
            }
            // It is looked at once more after the time ran out: what came meanwhile is taken.
            last = parker.park_for(deadline.left()) == ParkResult::TimedOut;
        }
    })
}

struct WakerOf<B>(PhantomData<B>);

impl<B: Unpark> WakerOf<B> {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(clone::<B>, wake::<B>, wake_by_ref::<B>, drop_owner::<B>);
}

/// A waker that tells `bed`.
pub(crate) fn waker<B: Unpark>(bed: Shared<B>) -> Waker {
    // SAFETY: the vtable keeps RawWaker's contract: one owner per waker, and Shared and the bed are thread-safe.
    unsafe { Waker::from_raw(RawWaker::new(Shared::into_raw(bed).cast(), &WakerOf::<B>::VTABLE)) }
}

/// # Safety
/// `data` is a waker's: it owns one count of a live `Shared<B>`.
unsafe fn borrow<B: Unpark>(data: *const ()) -> ManuallyDrop<Shared<B>> {
    // SAFETY: by contract; the count stays with the waker because this owner is never dropped.
    ManuallyDrop::new(unsafe { Shared::from_raw(data.cast()) })
}

/// # Safety
/// As [`borrow`].
unsafe fn clone<B: Unpark>(data: *const ()) -> RawWaker {
    // SAFETY: by contract.
    let owner = unsafe { borrow::<B>(data) };
    RawWaker::new(Shared::into_raw(Shared::clone(&owner)).cast(), &WakerOf::<B>::VTABLE)
}

/// # Safety
/// As [`borrow`]; the waker's count is consumed.
unsafe fn wake<B: Unpark>(data: *const ()) {
    // SAFETY: by contract.
    let owner = unsafe { Shared::<B>::from_raw(data.cast()) };
    owner.unpark();
}

/// # Safety
/// As [`borrow`].
unsafe fn wake_by_ref<B: Unpark>(data: *const ()) {
    // SAFETY: by contract.
    unsafe { borrow::<B>(data) }.unpark();
}

/// # Safety
/// As [`borrow`]; the waker's count is consumed.
unsafe fn drop_owner<B: Unpark>(data: *const ()) {
    // SAFETY: by contract.
    drop(unsafe { Shared::<B>::from_raw(data.cast()) });
}

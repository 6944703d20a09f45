//! Running one future on a plain thread: what the `blocking_` methods stand on.
//!
//! The waker is a reference count around a [`Parker`], written out as a vtable because the standard library's safe way to
//! make one needs its own `Arc`. Each call has a parker of its own: a nested call on the same thread that shared one would
//! take the token that the outer call is owed.

use crate::coop;
use crate::primitive::{Parker, Shared};
use core::mem::ManuallyDrop;
use core::pin::pin;
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
    let mut future = pin!(future);
    let parker = Shared::new(Parker::new());
    let waker = waker(parker.clone());
    let mut cx = Context::from_waker(&waker);
    coop::unconstrained(|| {
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            parker.park();
        }
    })
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_owner);

fn waker(parker: Shared<Parker>) -> Waker {
    // SAFETY: the vtable below keeps RawWaker's contract: one owner per waker, and Shared and Parker are thread-safe.
    unsafe { Waker::from_raw(RawWaker::new(Shared::into_raw(parker).cast(), &VTABLE)) }
}

/// # Safety
/// `data` is a waker's: it owns one count of a live `Shared<Parker>`.
unsafe fn borrow(data: *const ()) -> ManuallyDrop<Shared<Parker>> {
    // SAFETY: by contract; the count stays with the waker because this owner is never dropped.
    ManuallyDrop::new(unsafe { Shared::from_raw(data.cast()) })
}

/// # Safety
/// As [`borrow`].
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: by contract.
    let owner = unsafe { borrow(data) };
    RawWaker::new(Shared::into_raw(Shared::clone(&owner)).cast(), &VTABLE)
}

/// # Safety
/// As [`borrow`]; the waker's count is consumed.
unsafe fn wake(data: *const ()) {
    // SAFETY: by contract.
    let owner = unsafe { Shared::<Parker>::from_raw(data.cast()) };
    owner.unpark();
}

/// # Safety
/// As [`borrow`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: by contract.
    unsafe { borrow(data) }.unpark();
}

/// # Safety
/// As [`borrow`]; the waker's count is consumed.
unsafe fn drop_owner(data: *const ()) {
    // SAFETY: by contract.
    drop(unsafe { Shared::<Parker>::from_raw(data.cast()) });
}

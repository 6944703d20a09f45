//! The waker of a task: a counted reference to its header.
//!
//! A task that is woken by the thread inside of its poll (it yields, it ran out of budget, it sent to itself) is told by a
//! note on that thread: who is inside looks at it when the poll ends, and no shared word is written.

use super::Runnable;
use super::cell::{self, Header, Turn, schedule_runnable};
use super::state::{LastWake, Wake};
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use core::task::{RawWaker, RawWakerVTable, Waker};
use weftwork_sync::coop;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker that borrows the reference of whoever polls: it costs no count.
pub(crate) struct BorrowedWaker(ManuallyDrop<Waker>);

impl Deref for BorrowedWaker {
    type Target = Waker;
    fn deref(&self) -> &Waker {
        &self.0
    }
}

/// The waker of a task that is being polled; the poll keeps the task alive.
pub(crate) fn borrowed(task: NonNull<Header>) -> BorrowedWaker {
    // SAFETY: the vtable's functions take headers, and this waker is never dropped.
    BorrowedWaker(ManuallyDrop::new(unsafe { Waker::from_raw(raw(task)) }))
}

/// The task behind a waker, if it is one of ours.
pub(crate) fn task_of(waker: &Waker) -> Option<&Header> {
    // SAFETY: with our vtable the data is a header that the waker keeps alive.
    (*waker.vtable() == VTABLE).then(|| unsafe { &*waker.data().cast::<Header>() })
}

/// Has the processor fetch what a wake-up and the poll after it will touch, if this is a waker of ours.
#[inline]
pub(crate) fn fetch(waker: &Waker) {
    if *waker.vtable() == VTABLE {
        let cell = waker.data().cast::<u8>();
        // The header and the future of a small task.
        for line in 0..3 {
            crate::platform::prefetch(cell.wrapping_add(64 * line));
        }
    }
}

fn raw(task: NonNull<Header>) -> RawWaker {
    RawWaker::new(task.as_ptr().cast_const().cast(), &VTABLE)
}

unsafe fn header(data: *const ()) -> NonNull<Header> {
    // SAFETY: made by `raw` from a NonNull.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker being cloned keeps the task alive.
    unsafe {
        let task = header(data);
        task.as_ref().state.reference();
        raw(task)
    }
}

unsafe fn wake(data: *const ()) {
    // SAFETY: this waker's reference is given up.
    unsafe { wake_with(data, Turn::Next) };
}

/// Calls a waker because a task has ended: a task of ours goes behind what is ready.
pub(super) fn wake_behind(waker: Waker) {
    if task_of(&waker).is_none() {
        return waker.wake();
    }
    let waker = ManuallyDrop::new(waker);
    // SAFETY: one of ours, whose reference is given up here instead of by the waker's own drop.
    unsafe { wake_with(waker.data(), Turn::Behind) };
}

/// # Safety
/// `data` is that of a waker, whose reference is given up.
#[inline(always)]
unsafe fn wake_with(data: *const (), turn: Turn) {
    // SAFETY: the waker keeps the task alive until its reference is given up; Schedule makes this thread the holder of the
    // Runnable, and Free makes it the last who can reach the task.
    unsafe {
        let task = header(data);
        if coop::wake_from_inside(data) {
            return cell::release(task);
        }
        match task.as_ref().state.wake() {
            LastWake::Schedule => schedule_runnable(Runnable::from_ptr(task), turn),
            LastWake::Nothing => {}
            LastWake::Free => cell::free_alone(task),
        }
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker keeps the task alive; Schedule makes this thread the holder of the Runnable.
    unsafe {
        let task = header(data);
        if !coop::wake_from_inside(data) && task.as_ref().state.wake_by_ref() == Wake::Schedule {
            schedule_runnable(Runnable::from_ptr(task), Turn::Next);
        }
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: this waker's reference is given up.
    unsafe { cell::release(header(data)) };
}

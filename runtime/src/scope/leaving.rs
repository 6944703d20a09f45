//! Tasks that a dropped future waited for.
//!
//! A handle that was polled, is unfinished, and lies inside the future that a cancelled region drops, cancels its task: whoever was
//! to have the value is gone. The region is not done before that task is, so that nothing runs on behind the back of whoever
//! cancelled. While a region drops its future, handles that are dropped meanwhile leave their task here.

use crate::task::JoinHandle;
use core::cell::{Cell, RefCell};
use core::ptr;
use core::task::{Context, Poll};
use weftwork_sync::primitive::{Panic, contain};
use weftwork_sync::weft_thread_local;

weft_thread_local! {
    static COLLECTS: Cell<*const RefCell<Vec<JoinHandle<()>>>> = Cell::new(ptr::null());
}

/// Tasks whose end is waited for, though not for what they come to.
#[derive(Default)]
pub(crate) struct Leaving(Vec<JoinHandle<()>>);

/// Collects no longer, also if a destructor panicked.
struct Restore(*const RefCell<Vec<JoinHandle<()>>>);

impl Drop for Restore {
    fn drop(&mut self) {
        COLLECTS.with(|collects| collects.set(self.0));
    }
}

impl Leaving {
    /// Runs `unwind`, which drops a future, and takes over the tasks that it waited for.
    ///
    /// # Errors
    /// What a destructor panicked with; the rest was dropped all the same.
    pub(crate) fn collect(&mut self, unwind: impl FnOnce()) -> Result<(), Panic> {
        let handles = RefCell::new(Vec::new());
        let done = {
            let _restore = Restore(COLLECTS.with(|collects| collects.replace(&handles)));
            contain(unwind)
        };
        self.0.extend(handles.into_inner());
        done
    }

    /// Ready when all have ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.retain_mut(|handle| handle.poll_finished(cx).is_pending());
        if self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A handle that was polled and is unfinished is dropped: where a region unwinds, its task is cancelled and waited for.
pub(crate) fn offer<T>(handle: &mut JoinHandle<T>) -> bool {
    // Gone only in the destructors of other thread-locals.
    let collects = COLLECTS.with(Cell::get);
    // SAFETY: set while the frame of `collect` that owns it is there.
    let Some(collects) = (unsafe { collects.as_ref() }) else { return false };
    let handle = handle.without_outcome();
    handle.cancel_because_dropped();
    collects.borrow_mut().push(handle);
    true
}

//! A job as a queue sees it: one pointer and what can be done with it, whatever type its result has.
//!
//! The queue cannot hold a `Box<dyn ..>` around the shared cell without a second allocation per job, and a shared owner of
//! ours cannot be unsized, so the type is erased by hand, here and nowhere else.

use crate::cell::{JobCell, Progress};
use crate::error::OffloadError;
use crate::options::Description;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use weftwork_sync::primitive::Shared;

/// A job that waits to be run: what an executor of blocking work is given.
///
/// Run it once, on a thread that may block. Dropping it instead tells its handle
/// [`ShutDown`](crate::OffloadError::ShutDown).
pub struct Job {
    cell: *const (),
    methods: &'static Methods,
}

struct Methods {
    description: unsafe fn(*const ()) -> *const Description,
    progress: unsafe fn(*const ()) -> Progress,
    run: unsafe fn(*const ()),
    withdraw: unsafe fn(*const (), OffloadError) -> bool,
    release: unsafe fn(*const ()),
}

struct MethodsOf<T>(PhantomData<T>);

impl<T: Send + 'static> MethodsOf<T> {
    const TABLE: Methods = Methods {
        // SAFETY: for all five: `Job` passes the pointer it was made from (`Job::new`), while it owns its share.
        description: |cell| unsafe { (*cell.cast::<JobCell<T>>()).description() },
        // SAFETY: as above.
        progress: |cell| unsafe { (*cell.cast::<JobCell<T>>()).progress() },
        // SAFETY: as above.
        run: |cell| unsafe { (*cell.cast::<JobCell<T>>()).run() },
        // SAFETY: as above.
        withdraw: |cell, reason| unsafe { (*cell.cast::<JobCell<T>>()).withdraw(reason) },
        // SAFETY: as above; called once, by Job's drop, so the share is given back once.
        release: |cell| unsafe { drop(Shared::from_raw(cell.cast::<JobCell<T>>())) },
    };
}

// SAFETY: a Job is a share of a JobCell<T> with T: Send, whose fields are behind a lock or atomic (so it is Send and Sync).
unsafe impl Send for Job {}
// SAFETY: as above.
unsafe impl Sync for Job {}

impl Job {
    pub(crate) fn new<T: Send + 'static>(cell: Shared<JobCell<T>>) -> Self {
        Self { cell: Shared::into_raw(cell).cast(), methods: &MethodsOf::<T>::TABLE }
    }

    /// Runs the job in the calling thread. Panics of the closure go to its handle; nothing happens if it was cancelled
    /// before.
    pub fn run(self) {
        // SAFETY: the share is owned until the end of this call.
        unsafe { (self.methods.run)(self.cell) }
        let finished = ManuallyDrop::new(self);
        // SAFETY: the share is given back once: drop does not run.
        unsafe { (finished.methods.release)(finished.cell) }
    }

    /// Gives the job's handle `reason` instead of a result.
    pub(crate) fn refuse(self, reason: OffloadError) {
        // SAFETY: the share is owned.
        unsafe { (self.methods.withdraw)(self.cell, reason) };
    }

    /// Whether it was cancelled, so that running it would do nothing.
    pub(crate) fn is_void(&self) -> bool {
        // SAFETY: the share is owned.
        unsafe { (self.methods.progress)(self.cell) != Progress::Pending }
    }

    pub(crate) fn description(&self) -> &Description {
        // SAFETY: the share is owned for as long as `self` is borrowed, and the description lies in the cell.
        unsafe { &*(self.methods.description)(self.cell) }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // SAFETY: the share is owned, and given back here once.
        unsafe {
            (self.methods.withdraw)(self.cell, OffloadError::ShutDown);
            (self.methods.release)(self.cell);
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.description().name()).finish_non_exhaustive()
    }
}

//! One value that goes from one task to another which looks for it now and then, without a lock.

use weftwork::model::UnsafeCell;
use weftwork::model::atomic::{AtomicBool, Ordering};

/// A place for one value.
#[derive(Debug)]
pub struct Handover<T> {
    there: AtomicBool,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written before the flag is set and taken after it was seen, each by one task; the flag's orderings hand it over.
unsafe impl<T: Send> Sync for Handover<T> {}

impl<T> Handover<T> {
    /// An empty place.
    pub fn new() -> Self {
        Self { there: AtomicBool::new(false), value: UnsafeCell::new(None) }
    }

    /// Puts the value there.
    ///
    /// # Safety
    /// It is called once.
    pub unsafe fn put(&self, value: T) {
        // SAFETY: nobody takes before the flag is set, and nobody else puts.
        self.value.with_mut(|place| unsafe { *place = Some(value) });
        self.there.store(true, Ordering::Release);
    }

    /// Takes the value, if it is there.
    ///
    /// # Safety
    /// One task at a time calls it.
    pub unsafe fn take(&self) -> Option<T> {
        if !self.there.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the flag was set after the value was written, and nobody else takes.
        self.value.with_mut(|place| unsafe { (*place).take() })
    }
}

impl<T> Default for Handover<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A [`Handover`] whose orderings were never thought about: the flag may be seen before the value.
#[derive(Debug)]
pub struct LooseHandover<T> {
    there: AtomicBool,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: it is not, and the model says so.
unsafe impl<T: Send> Sync for LooseHandover<T> {}

impl<T> LooseHandover<T> {
    /// An empty place.
    pub fn new() -> Self {
        Self { there: AtomicBool::new(false), value: UnsafeCell::new(None) }
    }

    /// Puts the value there.
    ///
    /// # Safety
    /// It is called once.
    pub unsafe fn put(&self, value: T) {
        // SAFETY: as in Handover.
        self.value.with_mut(|place| unsafe { *place = Some(value) });
        self.there.store(true, Ordering::Relaxed);
    }

    /// Takes the value, if it is there.
    ///
    /// # Safety
    /// One task at a time calls it.
    pub unsafe fn take(&self) -> Option<T> {
        if !self.there.load(Ordering::Relaxed) {
            return None;
        }
        // SAFETY: it is not: seeing the flag does not mean seeing the value.
        self.value.with_mut(|place| unsafe { (*place).take() })
    }
}

impl<T> Default for LooseHandover<T> {
    fn default() -> Self {
        Self::new()
    }
}

//! The owner's section and its takers by themselves.

use crate::scheduler::biased::Biased;

/// A value biased towards its owner.
pub struct Section<T>(Biased<T>);

impl<T> Section<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Biased::new(value))
    }

    /// The owner's section.
    ///
    /// # Safety
    /// The caller is the one owner, and in no section.
    pub unsafe fn own<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: as the caller promises.
        unsafe { self.0.own(section) }
    }

    /// A taker's section; `None` if the owner is inside its own.
    pub fn try_take<R>(&self, section: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.try_take(section)
    }

    /// A taker's section, waited for.
    pub fn take<R>(&self, section: impl FnMut(&mut T) -> R) -> R {
        self.0.take(section)
    }
}

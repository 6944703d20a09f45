//! The list of the runtimes of a process, of values instead.

use crate::observe::roll::Roll;
use core::ptr::NonNull;
use weftwork_sync::primitive::Shared;

/// Values that live, without owning them.
pub struct Living<T>(Roll<T>);

impl<T> Default for Living<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Living<T> {
    /// None.
    pub fn new() -> Self {
        Self(Roll::new())
    }

    /// A value begins.
    pub fn register(&self, value: &Shared<T>) {
        self.0.register(value);
    }

    /// The value at this address, if it still lives.
    pub fn find(&self, at: NonNull<T>) -> Option<Shared<T>> {
        self.0.find(at)
    }
}

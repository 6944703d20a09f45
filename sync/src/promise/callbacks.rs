//! What is to be called once it is known what becomes of a promised value.
//!
//! # Race
//! Adding against the end: the setter decides about the value first, and then takes the list away under its lock. Who adds
//! under the lock before that is called by the setter; who comes after it finds no list, and with that lock has acquired the
//! decision, so it calls for itself.

use super::{Abandoned, Pledge};
use crate::primitive::{Mutex, contain, thread};

pub(super) type Callback<T> = Box<dyn FnOnce(Result<&T, Abandoned>) + Send>;

pub(super) struct Callbacks<T> {
    /// `None` once it is decided.
    waiting: Mutex<Option<Vec<Callback<T>>>>,
}

impl<T> Callbacks<T> {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::new(Some(Vec::new())) }
    }

    /// Keeps a callback for the end. It comes back if that has been.
    pub(super) fn add(&self, callback: Callback<T>) -> Option<Callback<T>> {
        let mut waiting = self.waiting.lock();
        let Some(list) = waiting.as_mut() else {
            drop(waiting);
            return Some(callback);
        };
        list.push(callback);
        None
    }
}

/// Calls what is to be called when it is dropped, so also if a waker has panicked before.
pub(super) struct AtTheEnd<'a, T>(pub(super) &'a Pledge<T>);

impl<T> Drop for AtTheEnd<'_, T> {
    fn drop(&mut self) {
        let callbacks = self.0.callbacks.waiting.lock().take();
        let mut first = None;
        for callback in callbacks.into_iter().flatten() {
            if let Err(panic) = contain(|| callback(self.0.outcome())) {
                first.get_or_insert(panic);
            }
        }
        // A second panic while the first unwinds would end the process.
        if let Some(panic) = first.filter(|_| !thread::panicking()) {
            std::panic::resume_unwind(panic);
        }
    }
}

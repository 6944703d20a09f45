//! The world of drawn schedules: the same API on shuttle's types, whose scheduler draws who goes on at each operation.
//!
//! It takes every ordering for sequential consistency and watches no cell, which is why it can run whole programs a million
//! times: what hangs on orderings and on who touches which cell is the loom world's to find.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use core::fmt;
use std::sync::PoisonError;
use std::time::Duration;

/// Shuttle's atomics. A fence is a point at which others may go on, and nothing else.
pub mod atomic {
    pub use shuttle::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
    };
}

/// Hints are points at which others go first.
pub mod hint {
    /// Lets others go on: who spins waits for one of them.
    pub fn spin_loop() {
        shuttle::thread::yield_now();
    }
}

/// Threads of the schedule.
pub mod thread {
    pub use shuttle::thread::{JoinHandle, ThreadId, yield_now};
    use std::io;

    /// Whether the calling thread is unwinding.
    pub fn panicking() -> bool {
        std::thread::panicking()
    }

    /// The id of the calling thread.
    pub fn current_id() -> ThreadId {
        shuttle::thread::current().id()
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// Never here; the signature is production's.
    pub fn spawn<T: Send + 'static>(name: String, f: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
        shuttle::thread::Builder::new().name(name).spawn(f)
    }

    /// As [`spawn`]: how deep a stack goes is said for all of them.
    ///
    /// # Errors
    /// Never here.
    pub fn spawn_deep<T: Send + 'static>(
        name: String,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        spawn(name, f)
    }
}

/// A cell that is read and written through closures; nobody watches.
#[repr(transparent)]
pub struct UnsafeCell<T: ?Sized>(core::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// A read.
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// A write.
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsafeCell { .. }")
    }
}

/// Shuttle's lock without the poisoning.
#[derive(Debug)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

/// The right to use what a [`Mutex`] guards, given back on drop.
pub type MutexGuard<'a, T> = shuttle::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    /// A new, unlocked lock.
    pub fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    /// Unwraps the guarded value.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock if nobody holds it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Shuttle's lock for readers and writers, without the poisoning.
#[derive(Debug)]
pub struct RwLock<T>(shuttle::sync::RwLock<T>);

/// The right to read what an [`RwLock`] guards, given back on drop.
pub type RwLockReadGuard<'a, T> = shuttle::sync::RwLockReadGuard<'a, T>;
/// The right to change what an [`RwLock`] guards, given back on drop.
pub type RwLockWriteGuard<'a, T> = shuttle::sync::RwLockWriteGuard<'a, T>;

impl<T> RwLock<T> {
    /// A new, unlocked lock.
    pub fn new(value: T) -> Self {
        Self(shuttle::sync::RwLock::new(value))
    }

    /// Waits until nobody writes.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody reads or writes.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shuttle's condition variable.
#[derive(Debug)]
pub struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    /// A new condition variable.
    pub fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    /// Unlocks, waits to be notified, locks again.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// A schedule has no clock: the wait ends by being notified, and never by time.
    pub fn wait_timeout<'a, T>(&self, guard: MutexGuard<'a, T>, _timeout: Duration) -> (MutexGuard<'a, T>, bool) {
        (self.wait(guard), false)
    }

    /// Wakes one waiter.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all waiters.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

/// What users model their own code with: shuttle's types under the names that the standard library has for them.
pub mod open {
    pub use shuttle::sync::{Condvar, Mutex, MutexGuard, atomic};
    pub use shuttle::thread::{JoinHandle, spawn, yield_now};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __weft_shuttle_thread_local {
    ($(#[$attr:meta])* $vis:vis static $name:ident : $ty:ty = $init:expr;) => {
        $crate::primitive::__shuttle::thread_local! { $(#[$attr])* $vis static $name: $ty = $init; }
    };
}
#[doc(hidden)]
pub use __weft_shuttle_thread_local as __thread_local_inner;

#[doc(hidden)]
#[macro_export]
macro_rules! __weft_shuttle_const_fn {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($args:tt)*) -> $ret:ty $body:block) => {
        $(#[$attr])* $vis fn $name($($args)*) -> $ret $body
    };
}
#[doc(hidden)]
pub use __weft_shuttle_const_fn as __const_fn_inner;

//! The model-checking world: the same API on loom's types, which explore every interleaving within a bound.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use core::fmt;
use std::time::Duration;

/// Loom's atomics and its modelled fence.
pub mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

    /// Nothing to a model: what a compiler fence relies on is stated as a real fence by its caller.
    pub fn compiler_fence(_: Ordering) {}
}

/// Hints become scheduling points.
pub mod hint {
    pub use loom::hint::spin_loop;
}

/// Modelled threads. Loom allows five at once, the model's own among them.
pub mod thread {
    pub use loom::thread::{JoinHandle, ThreadId, yield_now};
    use std::io;

    /// Whether the calling thread is unwinding.
    pub fn panicking() -> bool {
        std::thread::panicking()
    }

    /// The id of the calling modelled thread.
    pub fn current_id() -> ThreadId {
        loom::thread::current().id()
    }

    /// Starts a modelled thread; the name is dropped.
    ///
    /// # Errors
    /// Never here; the signature is production's.
    pub fn spawn<T: 'static>(_name: String, f: impl FnOnce() -> T + 'static) -> io::Result<JoinHandle<T>> {
        Ok(loom::thread::spawn(f))
    }

    /// Words of a large stack: loom's own 32 KiB are soon used up by futures that were not optimised.
    const STACK: usize = (1 << 18) / size_of::<usize>();

    /// As [`spawn`], for code that is not ours, which may go deep.
    ///
    /// # Errors
    /// Never here.
    pub fn spawn_deep<T: Send + 'static>(
        name: String,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        loom::thread::Builder::new().name(name).stack_size(STACK).spawn(f)
    }
}

/// Loom's cell: an access that is not ordered after a conflicting one fails the model.
pub struct UnsafeCell<T: ?Sized>(loom::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// A watched read.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.0.with(f)
    }

    /// A watched write.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsafeCell { .. }")
    }
}

/// Loom's lock without the poisoning.
#[derive(Debug)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

/// The right to use what a [`Mutex`] guards, given back on drop.
pub type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    /// A new, unlocked lock.
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    /// Unwraps the guarded value.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap()
    }

    /// Waits for the lock.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }

    /// Takes the lock if nobody holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Loom's lock for readers and writers, without the poisoning.
#[derive(Debug)]
pub struct RwLock<T>(loom::sync::RwLock<T>);

/// The right to read what an [`RwLock`] guards, given back on drop.
pub type RwLockReadGuard<'a, T> = loom::sync::RwLockReadGuard<'a, T>;
/// The right to change what an [`RwLock`] guards, given back on drop.
pub type RwLockWriteGuard<'a, T> = loom::sync::RwLockWriteGuard<'a, T>;

impl<T> RwLock<T> {
    /// A new, unlocked lock.
    pub fn new(value: T) -> Self {
        Self(loom::sync::RwLock::new(value))
    }

    /// Waits until nobody writes.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap()
    }

    /// Waits until nobody reads or writes.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap()
    }
}

/// Loom's condition variable.
#[derive(Debug)]
pub struct Condvar(loom::sync::Condvar);

impl Condvar {
    /// A new condition variable.
    pub fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    /// Unlocks, waits to be notified, locks again.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap()
    }

    /// A model has no clock: the wait ends by being notified, and never by time.
    #[track_caller]
    pub fn wait_timeout<'a, T>(&self, guard: MutexGuard<'a, T>, _timeout: Duration) -> (MutexGuard<'a, T>, bool) {
        (self.0.wait(guard).unwrap(), false)
    }

    /// Wakes one waiter.
    #[track_caller]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

/// What users model their own code with: loom's types under the names that the standard library has for them.
pub mod open {
    pub use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
    pub use loom::thread::{JoinHandle, spawn, yield_now};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __weft_loom_thread_local {
    ($(#[$attr:meta])* $vis:vis static $name:ident : $ty:ty = $init:expr;) => {
        $crate::primitive::__loom::thread_local! { $(#[$attr])* $vis static $name: $ty = $init; }
    };
}
#[doc(hidden)]
pub use __weft_loom_thread_local as __thread_local_inner;

#[doc(hidden)]
#[macro_export]
macro_rules! __weft_loom_const_fn {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($args:tt)*) -> $ret:ty $body:block) => {
        $(#[$attr])* $vis fn $name($($args)*) -> $ret $body
    };
}
#[doc(hidden)]
pub use __weft_loom_const_fn as __const_fn_inner;

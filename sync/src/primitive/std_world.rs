//! The production world: `core` atomics, `parking_lot` locks, OS threads.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use core::fmt;
use std::time::Duration;

/// The atomic types and fences of `core::sync::atomic`, as types of their own: the lint that bans the originals looks
/// through a re-export, and a world that counts or records accesses needs the same shape.
pub mod atomic {
    pub use core::sync::atomic::{Ordering, compiler_fence, fence};

    macro_rules! atomic {
        ($($name:ident $inner:ty, $value:ty, [$($param:ident)?];)*) => {$(
            #[doc = concat!("As `core::sync::atomic::", stringify!($name), "`.")]
            #[derive(Debug)]
            #[repr(transparent)]
            pub struct $name$(<$param>)?($inner);

            impl$(<$param>)? $name$(<$param>)? {
                /// A new atomic.
                #[inline(always)]
                pub const fn new(value: $value) -> Self {
                    Self(<$inner>::new(value))
                }
                /// Reads.
                #[inline(always)]
                pub fn load(&self, order: Ordering) -> $value {
                    self.0.load(order)
                }
                /// Writes.
                #[inline(always)]
                pub fn store(&self, value: $value, order: Ordering) {
                    self.0.store(value, order);
                }
                /// Writes and returns what was there.
                #[inline(always)]
                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    self.0.swap(value, order)
                }
                /// Writes `new` if `current` is there; returns what was.
                ///
                /// # Errors
                /// What was there instead of `current`.
                #[inline(always)]
                pub fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    self.0.compare_exchange(current, new, success, failure)
                }
                /// As `compare_exchange`, but may fail for no reason.
                ///
                /// # Errors
                /// What was there.
                #[inline(always)]
                pub fn compare_exchange_weak(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    self.0.compare_exchange_weak(current, new, success, failure)
                }
            }
        )*};
    }

    macro_rules! integer {
        ($($name:ident $value:ty: $($method:ident)*;)*) => {$(
            impl $name {
                $(
                    /// Changes the value and returns what was there before.
                    #[inline(always)]
                    pub fn $method(&self, value: $value, order: Ordering) -> $value {
                        self.0.$method(value, order)
                    }
                )*
            }
        )*};
    }

    atomic! {
        AtomicBool core::sync::atomic::AtomicBool, bool, [];
        AtomicU8 core::sync::atomic::AtomicU8, u8, [];
        AtomicU32 core::sync::atomic::AtomicU32, u32, [];
        AtomicU64 core::sync::atomic::AtomicU64, u64, [];
        AtomicUsize core::sync::atomic::AtomicUsize, usize, [];
        AtomicPtr core::sync::atomic::AtomicPtr<T>, *mut T, [T];
    }
    integer! {
        AtomicBool bool: fetch_and fetch_or fetch_xor;
        AtomicU32 u32: fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_max fetch_min;
        AtomicU64 u64: fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_max fetch_min;
        AtomicUsize usize: fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_max fetch_min;
    }
}

/// Hints to the processor.
pub mod hint {
    pub use core::hint::spin_loop;
}

/// Starting and naming threads.
pub mod thread {
    use std::io;
    pub use std::thread::{JoinHandle, ThreadId, panicking, yield_now};

    /// The id of the calling thread.
    pub fn current_id() -> ThreadId {
        std::thread::current().id()
    }

    /// Starts a named thread.
    ///
    /// # Errors
    /// Whatever the operating system says when it refuses a thread (`EAGAIN` where a limit is reached), and `InvalidInput`
    /// for a name with a zero byte in it.
    pub fn spawn<T: Send + 'static>(name: String, f: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
        crate::primitive::fault::pass(crate::primitive::fault::Point::ThreadStart)?;
        if name.contains('\0') {
            let why = format!("a thread cannot be called {name:?}: there is a zero byte in it");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        std::thread::Builder::new().name(name).spawn(f)
    }
}

/// A cell that is read and written through closures, so that a model checker can watch each access.
///
/// As with `core::cell::UnsafeCell`, the caller answers for exclusive access.
#[repr(transparent)]
pub struct UnsafeCell<T: ?Sized>(core::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Hands out a pointer for reading. Dereferencing it is sound only while nobody writes.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Hands out a pointer for writing. Dereferencing it is sound only while nobody else reads or writes.
    #[inline(always)]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsafeCell { .. }")
    }
}

/// A lock without poisoning.
#[derive(Default)]
pub struct Mutex<T: ?Sized>(parking_lot::Mutex<T>);

/// The right to use what a [`Mutex`] guards, given back on drop.
pub type MutexGuard<'a, T> = parking_lot::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    /// A new, unlocked lock.
    pub const fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    /// Unwraps the guarded value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock()
    }

    /// Takes the lock if nobody holds it.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A lock that several read under at a time, without poisoning. Who reads does not wait behind one who waits to write, so one
/// thread may read twice at a time.
#[derive(Debug, Default)]
pub struct RwLock<T>(parking_lot::RwLock<T>);

/// The right to read what an [`RwLock`] guards, given back on drop.
pub type RwLockReadGuard<'a, T> = parking_lot::RwLockReadGuard<'a, T>;
/// The right to change what an [`RwLock`] guards, given back on drop.
pub type RwLockWriteGuard<'a, T> = parking_lot::RwLockWriteGuard<'a, T>;

impl<T> RwLock<T> {
    /// A new, unlocked lock.
    pub const fn new(value: T) -> Self {
        Self(parking_lot::RwLock::new(value))
    }

    /// Waits until nobody writes.
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read_recursive()
    }

    /// Waits until nobody reads or writes.
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write()
    }
}

/// A condition variable for [`Mutex`].
#[derive(Debug, Default)]
pub struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// A new condition variable.
    pub const fn new() -> Self {
        Self(parking_lot::Condvar::new())
    }

    /// Unlocks, waits to be notified, locks again.
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(&mut guard);
        guard
    }

    /// As [`wait`](Self::wait), at most for `timeout`; the flag says whether the time ran out.
    pub fn wait_timeout<'a, T>(&self, mut guard: MutexGuard<'a, T>, timeout: Duration) -> (MutexGuard<'a, T>, bool) {
        let out = match std::time::Instant::now().checked_add(timeout) {
            Some(at) => self.0.wait_until(&mut guard, at).timed_out(),
            None => {
                // Further away than the clock can say: for ever.
                self.0.wait(&mut guard);
                false
            }
        };
        (guard, out)
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

/// What users model their own code with, outside of a model: the standard library's own.
pub mod open {
    pub use std::sync::{Condvar, Mutex, MutexGuard, atomic};
    pub use std::thread::{JoinHandle, spawn, yield_now};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __weft_std_thread_local {
    ($(#[$attr:meta])* $vis:vis static $name:ident : $ty:ty = $init:expr;) => {
        std::thread_local! { $(#[$attr])* $vis static $name: $ty = const { $init }; }
    };
}
#[doc(hidden)]
pub use __weft_std_thread_local as __thread_local_inner;

#[doc(hidden)]
#[macro_export]
macro_rules! __weft_std_const_fn {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($args:tt)*) -> $ret:ty $body:block) => {
        $(#[$attr])* $vis const fn $name($($args)*) -> $ret $body
    };
}
#[doc(hidden)]
pub use __weft_std_const_fn as __const_fn_inner;

//! The counting world: production's types, each of whose accesses is written down in `tally.rs`.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use super::tally::{self, Kind, LINE, note, note_at, note_cell};
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::panic::Location;
use std::time::Duration;

#[path = "std_world.rs"]
#[allow(dead_code, unused_imports, reason = "its atomics, cells and locks are replaced below")]
mod plain;

pub use plain::{__const_fn_inner, __thread_local_inner, hint, open, thread};

/// Production's atomics and fences, counted.
pub mod atomic {
    use super::{Kind, note, tally};
    pub use core::sync::atomic::{Ordering, compiler_fence};

    /// A counted fence.
    #[track_caller]
    pub fn fence(order: Ordering) {
        tally::note_fence();
        core::sync::atomic::fence(order);
    }

    macro_rules! atomic {
        ($($name:ident $inner:ty, $value:ty, [$($param:ident)?];)*) => {$(
            #[doc = concat!("As `core::sync::atomic::", stringify!($name), "`, counted.")]
            #[derive(Debug)]
            #[repr(transparent)]
            pub struct $name$(<$param>)?($inner);

            impl$(<$param>)? $name$(<$param>)? {
                /// A new atomic.
                pub const fn new(value: $value) -> Self {
                    Self(<$inner>::new(value))
                }
                /// Reads.
                #[track_caller]
                pub fn load(&self, order: Ordering) -> $value {
                    note(Kind::Load, self);
                    self.0.load(order)
                }
                /// Writes; in sequential consistency that takes what a fence takes.
                #[track_caller]
                pub fn store(&self, value: $value, order: Ordering) {
                    note(Kind::Store, self);
                    if order == Ordering::SeqCst {
                        tally::note_fence();
                    }
                    self.0.store(value, order);
                }
                /// Writes and returns what was there.
                #[track_caller]
                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    note(Kind::ReadModifyWrite, self);
                    self.0.swap(value, order)
                }
                /// Writes `new` if `current` is there; returns what was.
                ///
                /// # Errors
                /// What was there instead of `current`.
                #[track_caller]
                pub fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    note(Kind::ReadModifyWrite, self);
                    self.0.compare_exchange(current, new, success, failure)
                }
                /// As `compare_exchange`, but may fail for no reason.
                ///
                /// # Errors
                /// What was there.
                #[track_caller]
                pub fn compare_exchange_weak(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    note(Kind::ReadModifyWrite, self);
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
                    #[track_caller]
                    pub fn $method(&self, value: $value, order: Ordering) -> $value {
                        note(Kind::ReadModifyWrite, self);
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

/// Production's cell; what is handed out for writing is counted as written.
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
    /// Hands out a pointer for reading.
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Hands out a pointer for writing.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        note_cell(self, size_of_val(self));
        f(self.0.get())
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsafeCell { .. }")
    }
}

/// Production's lock, counted.
#[derive(Default)]
pub struct Mutex<T: ?Sized>(parking_lot::Mutex<T>);

/// The right to use what a [`Mutex`] guards, given back on drop.
pub struct MutexGuard<'a, T: ?Sized> {
    guard: parking_lot::MutexGuard<'a, T>,
    /// Behind the guard, whose drop unlocks.
    _unlocked: Unlocked,
}

/// Counts the unlocking, for whoever locked.
#[derive(Debug)]
struct Unlocked {
    line: usize,
    by: &'static Location<'static>,
}

impl Drop for Unlocked {
    fn drop(&mut self) {
        note_at(Kind::ReadModifyWrite, self.line, self.by);
    }
}

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
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.note(Kind::ReadModifyWrite);
        self.guard(self.0.lock())
    }

    /// Takes the lock if nobody holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let guard = self.0.try_lock();
        self.note(if guard.is_some() { Kind::ReadModifyWrite } else { Kind::Load });
        guard.map(|guard| self.guard(guard))
    }

    #[track_caller]
    fn guard<'a>(&self, guard: parking_lot::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard { guard, _unlocked: Unlocked { line: self.word().addr() / LINE, by: Location::caller() } }
    }

    #[track_caller]
    fn note(&self, kind: Kind) {
        note(kind, self.word());
    }

    /// Where the lock's word is, which need not be where the lock is.
    fn word(&self) -> *const parking_lot::RawMutex {
        // SAFETY: only its address is used.
        unsafe { self.0.raw() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guard.fmt(f)
    }
}

/// Production's lock for readers and writers, counted: taking and giving back are one read-modify-write each.
#[derive(Debug, Default)]
pub struct RwLock<T>(parking_lot::RwLock<T>);

/// The right to read what an [`RwLock`] guards, given back on drop.
#[derive(Debug)]
pub struct RwLockReadGuard<'a, T> {
    guard: parking_lot::RwLockReadGuard<'a, T>,
    /// Behind the guard, whose drop unlocks.
    _unlocked: Unlocked,
}

/// The right to change what an [`RwLock`] guards, given back on drop.
#[derive(Debug)]
pub struct RwLockWriteGuard<'a, T> {
    guard: parking_lot::RwLockWriteGuard<'a, T>,
    /// Behind the guard, whose drop unlocks.
    _unlocked: Unlocked,
}

impl<T> RwLock<T> {
    /// A new, unlocked lock.
    pub const fn new(value: T) -> Self {
        Self(parking_lot::RwLock::new(value))
    }

    /// Waits until nobody writes.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        let unlocked = self.locked();
        RwLockReadGuard { guard: self.0.read_recursive(), _unlocked: unlocked }
    }

    /// Waits until nobody reads or writes.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        let unlocked = self.locked();
        RwLockWriteGuard { guard: self.0.write(), _unlocked: unlocked }
    }

    /// Counts the locking, and gives what will count the unlocking.
    #[track_caller]
    fn locked(&self) -> Unlocked {
        // SAFETY: only its address is used.
        let word: *const parking_lot::RawRwLock = unsafe { self.0.raw() };
        note(Kind::ReadModifyWrite, word);
        Unlocked { line: word.addr() / LINE, by: Location::caller() }
    }
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// Production's condition variable. Sleeping is what no steady state does, so nothing of it is counted.
#[derive(Debug, Default)]
pub struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// A new condition variable.
    pub const fn new() -> Self {
        Self(parking_lot::Condvar::new())
    }

    /// Unlocks, waits to be notified, locks again.
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(&mut guard.guard);
        guard
    }

    /// As [`wait`](Self::wait), at most for `timeout`; the flag says whether the time ran out.
    pub fn wait_timeout<'a, T>(&self, mut guard: MutexGuard<'a, T>, timeout: Duration) -> (MutexGuard<'a, T>, bool) {
        let out = match std::time::Instant::now().checked_add(timeout) {
            Some(at) => self.0.wait_until(&mut guard.guard, at).timed_out(),
            None => {
                // Further away than the clock can say: for ever.
                self.0.wait(&mut guard.guard);
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

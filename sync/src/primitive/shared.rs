//! The reference count that stands in for `Arc`.
//!
//! `Arc` publishes the last drop by a fence, which ThreadSanitizer does not understand and which hides from models. Here
//! the last owner pairs an acquire load with everybody's release decrement, on the same word.
//!
//! The weak count holds the memory, the strong count holds the value; all strong owners together hold one weak count.

use super::atomic::{AtomicUsize, Ordering};
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::ptr::NonNull;

/// Counts above this are a leak gone wild (2^63 forgotten clones): the process ends rather than wrap into a use after free.
const LIMIT: usize = usize::MAX >> 1;

struct Inner<T> {
    strong: AtomicUsize,
    weak: AtomicUsize,
    value: MaybeUninit<T>,
}

/// A shared owner of a value, as `Arc` is.
pub struct Shared<T> {
    inner: NonNull<Inner<T>>,
    owns: PhantomData<Inner<T>>,
}

/// An owner of the memory only: upgrade it to reach the value while that lives.
pub struct WeakShared<T> {
    inner: NonNull<Inner<T>>,
}

// SAFETY: as for Arc: owners on several threads share &T and the last one drops T wherever it is.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}
// SAFETY: as above; upgrading makes an owner.
unsafe impl<T: Send + Sync> Send for WeakShared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for WeakShared<T> {}

impl<T> Shared<T> {
    /// Moves a value to the heap.
    pub fn new(value: T) -> Self {
        let inner =
            Box::new(Inner { strong: AtomicUsize::new(1), weak: AtomicUsize::new(1), value: MaybeUninit::new(value) });
        Self { inner: NonNull::from(Box::leak(inner)), owns: PhantomData }
    }

    /// Builds a value that holds a weak reference to itself.
    pub fn new_cyclic(build: impl FnOnce(&WeakShared<T>) -> T) -> Self {
        let memory = Box::new(Inner::<T> {
            strong: AtomicUsize::new(0),
            weak: AtomicUsize::new(1),
            value: MaybeUninit::uninit(),
        });
        let inner = NonNull::from(Box::leak(memory));
        // The one weak count that all strong owners share is lent to `build` meanwhile; if it panics, dropping this
        // frees the memory.
        let weak = WeakShared { inner };
        let value = build(&weak);
        // SAFETY: strong is 0, so nobody reads the value before it is written here.
        unsafe { (&raw mut (*inner.as_ptr()).value).write(MaybeUninit::new(value)) };
        // Ordering: Release publishes the value to whoever upgrades a weak reference.
        weak.counts().0.store(1, Ordering::Release);
        core::mem::forget(weak);
        Self { inner, owns: PhantomData }
    }

    /// Another owner of the memory.
    pub fn downgrade(this: &Self) -> WeakShared<T> {
        // Ordering: Relaxed, the caller already owns; the count is only a count.
        let old = this.inner().weak.fetch_add(1, Ordering::Relaxed);
        assert_count(old);
        WeakShared { inner: this.inner }
    }

    /// Whether both are owners of the same value.
    pub fn ptr_eq(a: &Self, b: &Self) -> bool {
        a.inner == b.inner
    }

    /// How many owners there are; meaningful only where nobody else makes or drops one.
    pub fn strong_count(this: &Self) -> usize {
        this.inner().strong.load(Ordering::Relaxed)
    }

    /// A pointer to the value from which [`from_raw`](Self::from_raw) can make an owner again, once for each count that the
    /// caller then gives up or raises.
    pub fn as_ptr(this: &Self) -> NonNull<T> {
        // SAFETY: the memory is alive; only an address inside of it is made, from the pointer to all of it.
        unsafe { NonNull::new_unchecked((&raw mut (*this.inner.as_ptr()).value).cast()) }
    }

    /// The owner as a raw pointer to the value; give it back with [`from_raw`](Self::from_raw).
    pub fn into_raw(this: Self) -> *const T {
        let this = ManuallyDrop::new(this);
        // SAFETY: the memory is alive; only an address is made.
        unsafe { (&raw const (*this.inner.as_ptr()).value).cast() }
    }

    /// # Safety
    /// `ptr` came from [`into_raw`](Self::into_raw), and each such pointer is given back at most once; or it came from
    /// [`as_ptr`](Self::as_ptr), the value lives, and the owner made from it is balanced by another count.
    pub unsafe fn from_raw(ptr: *const T) -> Self {
        let offset = core::mem::offset_of!(Inner<T>, value);
        // SAFETY: by contract the pointer lies `offset` bytes into an Inner.
        let inner = unsafe { ptr.byte_sub(offset) }.cast::<Inner<T>>().cast_mut();
        // SAFETY: a pointer into an allocation is not null.
        Self { inner: unsafe { NonNull::new_unchecked(inner) }, owns: PhantomData }
    }

    fn inner(&self) -> &Inner<T> {
        // SAFETY: a strong owner keeps the memory alive.
        unsafe { self.inner.as_ref() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: while a strong owner exists the value is initialised and not dropped.
        unsafe { self.inner().value.assume_init_ref() }
    }
}

impl<T> Clone for Shared<T> {
    #[inline]
    #[cfg_attr(weftwork_count, track_caller)]
    fn clone(&self) -> Self {
        // Ordering: Relaxed, the caller already owns; the count is only a count.
        let old = self.inner().strong.fetch_add(1, Ordering::Relaxed);
        assert_count(old);
        Self { inner: self.inner, owns: PhantomData }
    }
}

impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        // Ordering: Release: what this owner did with the value happens before the last owner drops it.
        if self.inner().strong.fetch_sub(1, Ordering::Release) == 1 {
            // Ordering: Acquire pairs with the Release of every other owner's decrement.
            self.inner().strong.load(Ordering::Acquire);
            // The weak count of the strong owners is given back even if the value's drop panics.
            let _memory = WeakShared { inner: self.inner };
            // SAFETY: the strong count reached 0 and can never rise again, so nobody else can reach the value.
            unsafe { (*self.inner.as_ptr()).value.assume_init_drop() };
        }
    }
}

impl<T> WeakShared<T> {
    /// Whether the value is gone, learned without owning it for a moment: an owner may turn out to be the last one, and then
    /// the value ends with it.
    pub fn is_gone(&self) -> bool {
        // Ordering: Relaxed: once 0 it stays 0, and nothing else is concluded from it.
        self.counts().0.load(Ordering::Relaxed) == 0
    }

    /// The address of the value, of which [`Shared::as_ptr`] gives the same. It is no other value's while this is there, and
    /// is for comparing: the value may be gone.
    pub fn as_ptr(&self) -> NonNull<T> {
        // SAFETY: a weak owner keeps the memory alive; only an address inside of it is made.
        unsafe { NonNull::new_unchecked((&raw mut (*self.inner.as_ptr()).value).cast()) }
    }

    /// An owner of the value, if it still lives.
    pub fn upgrade(&self) -> Option<Shared<T>> {
        let strong = self.counts().0;
        let mut now = strong.load(Ordering::Relaxed);
        loop {
            if now == 0 {
                return None;
            }
            assert_count(now);
            // Ordering: Acquire pairs with new_cyclic's Release store of the first count.
            match strong.compare_exchange_weak(now, now + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(Shared { inner: self.inner, owns: PhantomData }),
                Err(seen) => now = seen,
            }
        }
    }

    fn counts(&self) -> (&AtomicUsize, &AtomicUsize) {
        let ptr = self.inner.as_ptr();
        // SAFETY: a weak owner keeps the memory alive; the value beside the counts is not touched, it may be gone.
        unsafe { (&(*ptr).strong, &(*ptr).weak) }
    }
}

impl<T> Clone for WeakShared<T> {
    fn clone(&self) -> Self {
        // Ordering: Relaxed, the caller already owns the memory.
        assert_count(self.counts().1.fetch_add(1, Ordering::Relaxed));
        Self { inner: self.inner }
    }
}

impl<T> Drop for WeakShared<T> {
    fn drop(&mut self) {
        let weak = self.counts().1;
        // Ordering: Release and Acquire as in Shared::drop, for the memory instead of the value.
        if weak.fetch_sub(1, Ordering::Release) == 1 {
            weak.load(Ordering::Acquire);
            // SAFETY: nobody owns the memory any more. The value was dropped before (or never written): MaybeUninit.
            drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
        }
    }
}

#[inline(always)]
fn assert_count(old: usize) {
    if old > LIMIT {
        std::process::abort();
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> fmt::Debug for WeakShared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}

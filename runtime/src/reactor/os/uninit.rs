//! Bytes for functions that take memory nobody has written to yet.

use core::mem::MaybeUninit;

/// The same memory, for a function that writes to it what it received.
///
/// # Safety
/// Nothing but initialised bytes is written through it.
pub(crate) unsafe fn as_uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let (start, len) = (buf.as_mut_ptr().cast(), buf.len());
    // SAFETY: the layout is the same, the borrow goes on, and by the caller's promise the bytes stay initialised.
    unsafe { core::slice::from_raw_parts_mut(start, len) }
}

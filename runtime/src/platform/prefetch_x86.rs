//! Hints to the processor, by the instruction that x86-64 has for them.

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Has the processor fetch the line of `address`, which need not be valid, while the caller goes on.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    // SAFETY: SSE is part of x86-64, and the instruction reads nothing in the eyes of the program: a bad address is ignored.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

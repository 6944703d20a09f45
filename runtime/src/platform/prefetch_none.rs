//! No hints: where stable Rust has none, and in models.

/// Nothing.
#[inline(always)]
pub(crate) fn prefetch(_address: *const u8) {}

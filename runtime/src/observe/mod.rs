//! What can be seen of a runtime.
//!
//! | file | holds |
//! |---|---|
//! | `metrics.rs` | what it counts |
//! | `unhandled.rs` | what ended badly and nobody will read |

pub(crate) mod metrics;
pub(crate) mod unhandled;

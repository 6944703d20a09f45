//! Values that come once and are read by many.
//!
//! | file | holds |
//! |---|---|
//! | `cell.rs` | the protocol: the place, its states, who waits |
//! | `set_once.rs` | a value that somebody sets |
//! | `once_cell.rs` | a value that the first who asks makes |
//! | `initialise.rs` | the futures that make it, one at a time |
//!
//! The promise (`promise/`) stands on the same cell.

pub(crate) mod cell;
mod initialise;
mod once_cell;
mod set_once;

pub use initialise::{GetOrInit, GetOrTryInit};
pub use once_cell::{OnceCell, OnceCellWait, SetError};
pub use set_once::{SetOnce, SetOnceWait};

//! Cancellation that code can catch: scopes, regions, and what may run although its surroundings are cancelled.
//!
//! A *region* is a future that polls another one and decides what a cancellation means for it: a scope ends with it, a landing
//! pad hands it to the code around, a shield hides it. Regions lie in each other as their futures do; the outermost one is the
//! task. A cancelled region that finds its future pending drops it, innermost first, and that is all the unwinding there is: no
//! error type has to carry it, and any future can be cancelled.
//!
//! | file | holds |
//! |---|---|
//! | `node.rs` | the protocol: what others reach of a region, to cancel it and to wake what lies inside |
//! | `frame.rs` | which regions the calling thread is inside of at the moment |
//! | `region.rs` | the rule by which every region polls |
//! | `root.rs` | the region that is the task |
//! | `leaving.rs` | tasks that a dropped future waited for: they are cancelled, and waited for in its stead |
//! | `limit.rs` | deadlines of regions |
//! | `cancel_scope.rs` | `CancelScope`, `current_scope`, `effective_deadline` |
//! | `cancellable.rs` | the landing pad, and `Cancelled` |
//! | `shield.rs` | `shield` and `cleanup` |
//! | `soft.rs` | soft cancellation: shields that hold for a while only |
//! | `after.rs` | `on_cancel`, `finally`, `with_resource` |
//! | `contained.rs` | a future whose panic is a value |
//! | `checkpoint.rs` | `checkpoint` and `is_cancelled` |

mod after;
mod cancel_scope;
mod cancellable;
mod checkpoint;
pub(crate) mod contained;
pub(crate) mod frame;
pub(crate) mod leaving;
pub(crate) mod limit;
pub(crate) mod node;
pub(crate) mod region;
pub(crate) mod root;
mod shield;
mod soft;

pub use after::{finally, on_cancel, with_resource};
pub use cancel_scope::{CancelScope, ScopeCancelled, ScopeRun, WhenCancelled, current_scope, effective_deadline};
pub use cancellable::{Cancellable, Cancelled, Propagate, cancellable};
pub use checkpoint::{Checkpoint, checkpoint, is_cancelled};
pub use shield::{Cleanup, Shield, cleanup, shield};

//! One spawned future: its memory, its state, its waker, its handle.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: one word, its transitions, its races |
//! | `cell.rs` | the one allocation of a task, and who may touch what of it |
//! | `run.rs` | what is done with its future: a poll, its end, its outcome |
//! | `runnable.rs` | the right to poll a task, which is what queues hold |
//! | `waker.rs` | the task's waker |
//! | `join.rs` | `JoinHandle`: a task's outcome, and the way to cancel it |
//! | `error.rs` | how a task that gave no value ended |
//! | `id.rs` | task identifiers |
//! | `info.rs` | what is told of a task |
//! | `owned.rs` | the list that owns tasks until they are complete |
//! | `recycle.rs` | freed cells kept for the next spawn |
//! | `spawn.rs` | `spawn` and the spawn builder |
//! | `watched.rs` | what is noted of a task in debug mode |
//! | `birth.rs` | what is done for a new task, where there is anything to do |
//! | `local/` | task locals, which a task hands on to those it spawns |
//! | `yield_now.rs` | letting others run |

pub(crate) mod birth;
pub(crate) mod cell;
pub(crate) mod error;
mod id;
mod info;
mod join;
pub(crate) mod local;
pub(crate) mod owned;
pub(crate) mod recycle;
mod run;
pub(crate) mod runnable;
mod spawn;
pub(crate) mod state;
pub(crate) mod waker;
pub(crate) mod watched;
mod yield_now;

pub use error::{CancelCause, CancelKind, JoinError, Panic};
pub use id::TaskId;
pub use info::{TaskInfo, TaskState, current};
pub use join::{CancelOnDrop, JoinHandle};
pub use local::{AccessError, LocalKey, LocalScope, Locals};
pub(crate) use runnable::Runnable;
pub(crate) use spawn::spawn_on;
pub use spawn::{Builder, SpawnError, spawn, spawn_eager, spawn_local, spawn_try};
pub use weftwork_sync::coop::Wait;
pub use yield_now::{YieldNow, yield_now};

pub(crate) use cell::{Header, Spec};

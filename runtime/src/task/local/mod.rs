//! Task locals: values that a task hands on to the tasks it spawns.
//!
//! | file | holds |
//! |---|---|
//! | `values.rs` | the values, in a list that nobody changes once it can be seen by two |
//! | `place.rs` | where the values of a task, a scope or a thread stand, and which place the calling thread is at |
//! | `key.rs` | `task_local!` and `LocalKey`: one variable |
//! | `locals.rs` | `Locals`: all variables together, shared where that is asked for |
//! | `scope.rs` | the future that runs with values of its own |
//!
//! A task without locals pays nothing for them: it has no place, and its spawner finds that out by one look at a flag of the
//! process (`birth.rs`). A place is found through the task that the thread is inside of, so a poll has nothing to set and nothing
//! to put back; only scopes, plain threads and destructors that run beside a poll leave a note on their thread.

mod key;
mod locals;
pub(crate) mod place;
mod scope;
pub(crate) mod values;

pub use key::{AccessError, LocalKey};
pub use locals::Locals;
pub use scope::LocalScope;

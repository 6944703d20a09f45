//! Structured concurrency: tasks that end before the group does that they belong to.
//!
//! | file | holds |
//! |---|---|
//! | `hub.rs` | the protocol: what the children, the group and its handles share |
//! | `run.rs` | `group` and `try_group`, and what they come to |
//! | `task_group.rs` | `TaskGroup` and `TryTaskGroup`: spawning and cancelling |
//! | `child.rs` | the future of a child |
//! | `error.rs` | how a group failed |

mod child;
mod error;
mod hub;
mod run;
mod task_group;

pub use error::{ChildError, Closed, Drained, GroupError};
pub use run::{Group, TryGroup, group, try_group};
pub use task_group::{TaskGroup, TaskInfo, TryTaskGroup};

//! Structured concurrency: tasks that end before the group does that they belong to.
//!
//! | file | holds |
//! |---|---|
//! | `hub.rs` | what the children, the group and its handles share |
//! | `roster.rs` | the protocol: who belongs to a group, and when the last has ended |
//! | `run.rs` | `group` and `try_group`, and what they come to |
//! | `task_group.rs` | `TaskGroup` and `TryTaskGroup`: spawning and cancelling |
//! | `start.rs` | `TaskGroup::start`: a child that says when it is ready |
//! | `join_set.rs` | `JoinSet`: outcomes as they come |
//! | `drain.rs` | letting tasks end, for a while, and then stopping them |
//! | `gather.rs` | `gather`, `try_gather`, `gather_outcomes` |
//! | `race.rs` | `wait`, `as_completed`, `race`, `race_ok`, `staggered_race` |
//! | `child.rs` | the future of a child |
//! | `error.rs` | how a group failed |

mod child;
mod drain;
mod error;
mod gather;
pub(crate) mod hub;
mod join_set;
mod race;
mod roster;
mod run;
mod start;
mod task_group;

pub use drain::Drained;
pub use error::{ChildError, Closed, GroupError, StartError};
pub use gather::{Gather, GatherOutcomes, Outcome, Outcomes, TryGather, gather, gather_outcomes, try_gather};
pub use join_set::{JoinNext, JoinNextWithId, JoinSet};
pub use race::{AsCompleted, Race, RaceOk, ReturnWhen, as_completed, race, race_ok, staggered_race, wait};
pub use run::{Group, TryGroup, group, try_group};
pub use start::Started;
pub use task_group::{TaskGroup, TryTaskGroup};

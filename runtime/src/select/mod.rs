//! Several futures in one task: what `select!`, `join!` and `try_join!` expand to.
//!
//! They stay in the task that has them, so they may borrow, may be of any types, and each lies in place: nothing is allocated for
//! them. What the macros write is a list of futures, one inside the tail of the other, so that there may be any number; all else
//! is here, in functions.
//!
//! | file | holds |
//! |---|---|
//! | `macros.rs` | the macros, which only put lists together and take them apart |
//! | `arm.rs` | one future of which nobody may want the value any more: how it is given up, and heard out |
//! | `choose.rs` | the list of `select!` |
//! | `join.rs` | the lists of `join!` and `try_join!` |

mod arm;
mod choose;
mod join;
mod macros;

pub use arm::End;
pub use choose::{Choice, First, OthersGone, Select, Won};
pub use join::{All, Join, TryAll, TryJoin};

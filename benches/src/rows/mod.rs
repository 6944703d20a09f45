//! Rows of figures: the same work on weftwork and on its peers. `bench` makes the table of them, `show-rows` and
//! `show-workers` use a few.
//!
//! | file | holds |
//! |---|---|
//! | `peer/` | what the work needs of a runtime, so that it is written once |
//! | `peers/` | each runtime at its documented best settings |
//! | `libraries/` | the primitives of each library |
//! | `work/` | the work |
//! | `row.rs` | a row, and measuring it in this process |
//! | `targets.rs` | the rows of which something is asked |
//! | `primitives.rs` | those of locks and channels, of which something is asked too |
//! | `wider.rs` | those of which nothing is |
//! | `process.rs` | measuring one in a process of its own |
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "programs, not the runtime")]

mod libraries;
mod peer;
mod peers;
mod primitives;
mod process;
mod row;
mod targets;
mod who;
mod wider;
mod work;

pub use primitives::PRIMITIVES;
pub use process::{Wanted, asked_for, figure};
pub use row::{Asked, Row, Table};
pub use targets::TARGETS;
pub use who::Who;
pub use wider::{NOT_YET, WIDER};

/// All rows, in the order of the tables.
pub fn all() -> impl Iterator<Item = &'static Row> {
    TARGETS.iter().chain(PRIMITIVES).chain(WIDER)
}

/// The row of that name.
pub fn named(name: &str) -> Option<&'static Row> {
    all().find(|row| row.name == name)
}

/// How many workers a peer gets that can be told: `BENCH_WORKERS`, or 2.
pub fn workers() -> usize {
    std::env::var("BENCH_WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

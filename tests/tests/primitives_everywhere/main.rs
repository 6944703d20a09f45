#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! The primitives of weftwork-sync need an executor that wakes tasks, and nothing else of it: each scenario is written once and runs
//! on both flavours of weftwork, on tokio, on smol, and on plain threads with futures' `block_on` and with our own.

mod cells;
mod channels;
mod executors;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod locks;
mod queues;

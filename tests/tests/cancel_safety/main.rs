#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Every async method of every primitive, cancelled at each await in turn: while it waits, and when it was served and has not
//! looked yet. Each case has what is waited for, what happens meanwhile, and what must hold wherever the two were dropped.

mod cells;
mod channels;
mod everywhere;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod locks;
mod queues;

//! Small random histories of each primitive, recorded on real threads, against its sequential model.
//!
//! Futures are polled a few times and dropped if they are not ready: such an operation must have done nothing. 200 histories of
//! each, or as many as `WEFTWORK_HISTORIES` says, from `WEFTWORK_SEED` on.
//!
//! | file | holds |
//! |---|---|
//! | `histories.rs` | recording, and the search for an order that explains a history |
//! | the others | the models of one primitive each |
#![cfg(not(weftwork_loom))]

mod broadcast;
mod channel;
mod event;
mod histories;
mod mutex;
mod notify;
mod queue;
#[path = "../random/mod.rs"]
mod random;
mod rwlock;
mod semaphore;
mod watch;

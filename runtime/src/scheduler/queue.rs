//! The queues of tasks: a worker's private one (`fifo.rs`), what it shares with thieves, and what comes from outside.
//!
//! In production the two that several threads reach are crossbeam's deque and injector. Those cannot be compiled under loom, so there the same five
//! methods stand on small queues of loom's atomics that synchronise no more than crossbeam's do: a lock would hide the
//! races that the models look for.
//!
//! The shared queue is kept at [`SHARED_CAPACITY`] or fewer: up to there crossbeam's buffer never grows, and growing is
//! what makes it allocate, pin epochs and flush garbage (10 ns an operation instead of 6.5).

#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
#[path = "queue/deque.rs"]
mod world;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[path = "queue/ring.rs"]
mod world;

#[path = "queue/fifo.rs"]
mod fifo;

pub(crate) use fifo::Fifo;
pub(crate) use world::{Injector, Owner, SHARED_CAPACITY, Thief, shared};

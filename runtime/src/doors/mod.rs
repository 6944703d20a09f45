//! Doors for the models of `loom-tests`: they open what ships, and add no protocol of their own.
//!
//! Compiled under `weftwork_loom` and `weftwork_shuttle` only, where nothing of it is part of the API.
//!
//! | file | opens |
//! |---|---|
//! | `tasks.rs` | task cells, state word and handles, with a scheduler that is a plain queue |
//! | `queues.rs` | the shared queue's two ends, and the injector |
//! | `engine.rs` | a whole `Core` without reactor, thread by thread: workers, stealing, rescue, shutdown |
//! | `spares.rs` | the seats of spares, with the thread starts and the clock in the model's hands |
//! | `idle.rs` | the protocol of sleepers and searchers by itself |
//! | `body.rs` | one execution of a body as users have them |
//! | `biased.rs` | the owner's section and its takers by themselves |
//! | `timers.rs` | a wheel with its lock |
//! | `probe.rs` | nothing: a waker that counts |
//! | `roll.rs` | the list of the runtimes of a process, of values instead |
//! | `crew.rs` | a group without a body |
//! | `depot.rs` | where full magazines of freed cells are left |
//! | `reactor` | a registration, its directions and waiters |

#![allow(missing_debug_implementations, reason = "doors of models, which nobody prints")]

mod biased;
mod body;
mod crew;
mod depot;
mod engine;
mod idle;
mod probe;
mod queues;
mod roll;
mod spares;
mod tasks;
mod timers;

pub use crate::reactor::model as reactor;
pub use biased::Section;
pub use body::run_body;
pub use crew::{Crew, Crewing};
pub use depot::Depot;
pub use engine::{Engine, Seat};
pub use idle::Sleepers;
pub use probe::Probe;
pub use queues::{CAPACITY, Here, Inbox, There, pair};
pub use roll::Living;
pub use spares::{Hire, Rest};
pub use tasks::{Listed, Ready, Tasks};
pub use timers::{Armed, Wheel};

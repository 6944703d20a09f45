//! The parts of the example programs, so that tests drive them without a process.
//!
//! | file | holds |
//! |---|---|
//! | `server.rs` | a TCP server: a cap on connections, a graceful end. Begin here |
//! | `connection.rs` | one client, seen from the task that serves it: deadlines, and why it ends |
//! | `latch.rs` | telling every connection at once that something has begun |
//! | `interrupt.rs` | Ctrl-C, once and twice |
//! | `charfinder.rs` | the dialogue of `charfinder` |
//! | `web/` | its page for a browser |
//! | `lines.rs` | lines out of pieces of bytes, with a bound |
//! | `index.rs`, `names.rs` | the names of all characters, by word |
//! | `echo.rs` | the dialogue of `echo` |
//! | `shout.rs` | a server built on a group: the shortest of them |
//! | `fan_out.rs` | one question to many servers, and a deadline |
//! | `factor.rs` | a search on many threads that stops when one has found it |
//! | `load/` | the load generator, from its schedule to its table |
//! | `options.rs`, `arguments.rs` | the command line |
//! | `log.rs` | lines for whoever runs the server |
//!
//! The programs themselves, in `bin/`, put these together.
#![allow(
    clippy::disallowed_types,
    reason = "programs use what users of weftwork use; the facade is for its own protocols"
)]

pub mod arguments;
pub mod charfinder;
pub mod connection;
pub mod echo;
pub mod factor;
pub mod fan_out;
pub mod index;
pub mod interrupt;
pub mod latch;
pub mod lines;
pub mod load;
pub mod log;
pub mod names;
pub mod options;
pub mod server;
pub mod shout;
pub mod web;

/// Compiles the blocks of the guide's page, and runs the last one.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/your-first-server.md")]
pub mod your_first_server {}

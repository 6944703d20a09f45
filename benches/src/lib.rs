//! Benchmarks and demonstrations; each is a program under src/bin/, and here is what several of them use.

pub mod charfinder;
pub mod rows;
pub mod server_process;

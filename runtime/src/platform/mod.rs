//! The runtime's door to the operating system: time, barriers, processors.
//!
//! | file | holds |
//! |---|---|
//! | `clock.rs` | what time it is, for real or as a test says |
//! | `asymmetric.rs` | a store-load pair whose one side is nearly free |
//! | `processors_linux.rs`, `processors_none.rs` | where a thread runs and may run |
//! | `linux.rs`, `other.rs`, `modelled.rs` | what only Linux has, and what stands for it elsewhere and in models |
//! | `prefetch_x86.rs`, `prefetch_none.rs` | having the processor fetch what will be touched soon |
//!
//! Panics are stopped by `weftwork_sync::primitive::contain`, threads start through `primitive::thread`, descriptors are
//! opened by the reactor: those doors are not repeated here.

pub(crate) mod asymmetric;
pub(crate) mod clock;

#[cfg(all(target_os = "linux", not(any(weftwork_loom, weftwork_shuttle))))]
#[path = "linux.rs"]
mod system;
#[cfg(all(not(target_os = "linux"), not(any(weftwork_loom, weftwork_shuttle))))]
#[path = "other.rs"]
mod system;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[path = "modelled.rs"]
mod system;

#[cfg(all(target_os = "linux", not(any(weftwork_loom, weftwork_shuttle))))]
#[path = "processors_linux.rs"]
mod processors;
#[cfg(not(all(target_os = "linux", not(any(weftwork_loom, weftwork_shuttle)))))]
#[path = "processors_none.rs"]
mod processors;

#[cfg(all(target_arch = "x86_64", not(any(weftwork_loom, weftwork_shuttle))))]
#[path = "prefetch_x86.rs"]
mod prefetch;
#[cfg(not(all(target_arch = "x86_64", not(any(weftwork_loom, weftwork_shuttle)))))]
#[path = "prefetch_none.rs"]
mod prefetch;

pub(crate) use prefetch::prefetch;
pub(crate) use processors::{Processors, SystemThread, allow, forbid, processor, this_thread};
pub(crate) use system::{process_id, sharpen_timers};

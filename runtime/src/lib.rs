//! weftwork: an async runtime that brings asyncio's task model to a multi-threaded work-stealing scheduler.
//!
//! ```
//! use weftwork::time::Duration;
//!
//! weftwork::run(async {
//!     let slow = weftwork::spawn(async {
//!         weftwork::sleep(Duration::from_millis(5)).await;
//!         "slow"
//!     });
//!     let quick = weftwork::spawn(async { "quick" });
//!     println!("{} and {}", quick.await.unwrap(), slow.await.unwrap());
//! });
//! ```
//!
//! - [`run`], [`Runtime`] and [`runtime::Builder`] start a runtime; [`Handle`] refers to one from anywhere.
//! - [`spawn`] starts a task and gives a [`JoinHandle`]: await it, cancel it, or drop it to let the task go its own way.
//! - [`time`] sleeps, ticks and gives up waiting; `net` has sockets; [`sync`] has channels and locks.
//! - [`to_thread`] and [`run_in_executor`] keep code that blocks away from the workers.
//!
//! # Features
//!
//! | feature | what it brings |
//! |---|---|
//! | `macros`, `net`, `signal` | on by default: the attributes, sockets, signals |
//! | `hyper` | the runtime's side of hyper 1 |
//! | `tokio-io` | tokio's I/O traits on our streams |
//! | `tracing` | what a runtime has to say as events, and a span for each task; the guide's page "logs" lists them |
//! | `testing` | virtual time, drawn orders, tasks that are left over found, `settle`, and workers that go step by step |
//!
//! What the runtime promises is in docs/promises.md, how it works in docs/guide/how-it-works.md.
#![warn(missing_debug_implementations)]

mod context;
pub mod group;
pub mod model;
mod observe;
mod offload;
mod platform;
#[cfg_attr(not(feature = "net"), allow(dead_code, unused_imports, reason = "sockets use the rest of it"))]
mod reactor;
pub mod runtime;
mod scheduler;
pub mod scope;
#[doc(hidden)]
pub mod select;
pub mod task;
pub mod time;

#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "net")]
pub mod io;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "signal")]
pub mod signal;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tokio-io")]
mod tokio_io;

#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[doc(hidden)]
pub mod doors;

pub use group::{
    JoinSet, TaskGroup, TryTaskGroup, as_completed, gather, gather_outcomes, group, race, race_ok, staggered_race,
    try_gather, try_group,
};
#[doc(inline)]
pub use model::model;
pub use offload::{Offload, block_in_place, run_in_executor, to_thread};
pub use runtime::{Handle, Runtime, run};
pub use scope::is_cancelled;
pub use task::{JoinError, JoinHandle, spawn, spawn_local};
pub use time::{sleep, timeout};
pub use weftwork_blocking::{BlockingExecutor, BlockingHandle, OffloadError, ThreadPool, check_cancelled};
#[cfg(feature = "macros")]
pub use weftwork_macros::{main, test};

/// Pools of threads for blocking work.
pub mod blocking {
    pub use weftwork_blocking::*;
}

/// Locks, channels and notifications; they run on any executor.
pub mod sync {
    pub use weftwork_sync::*;
}

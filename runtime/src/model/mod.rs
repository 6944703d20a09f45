//! Searching your own concurrent code for the schedule that breaks it.
//!
//! A test says what a few tasks do; [`model`](fn@model) runs it in every order that matters (with loom), or in as many drawn orders as you
//! like (with shuttle), and fails with the one that breaks an assertion, waits for ever, or races for a cell. Tasks, groups, scopes,
//! channels, locks, `to_thread` and time are the same as in the program, by the same names; the time is virtual and jumps when nothing
//! can run.
//!
//! ```
//! use weftwork::model::atomic::{AtomicU32, Ordering};
//! use std::sync::Arc;
//!
//! weftwork::model(|| async {
//!     let count = Arc::new(AtomicU32::new(0));
//!     let adds = || {
//!         let count = count.clone();
//!         weftwork::spawn(async move { count.fetch_add(1, Ordering::Relaxed) })
//!     };
//!     let (one, other) = (adds(), adds());
//!     one.await.unwrap();
//!     other.await.unwrap();
//!     assert_eq!(count.load(Ordering::Relaxed), 2);
//! });
//! ```
//!
//! | built with | what a model does |
//! |---|---|
//! | nothing special | runs the body a few dozen times, the first time first in first out, then in drawn orders: a test like any other |
//! | `RUSTFLAGS="--cfg weftwork_loom"` | visits every order within a bound, with what the memory model allows |
//! | `RUSTFLAGS="--cfg weftwork_shuttle"` | draws schedules, for bodies that are too large to visit every order |
//!
//! What two tasks share without a primitive of this library has to be seen by the search: use [`atomic`], [`UnsafeCell`], [`Mutex`] and
//! [`Condvar`] of this module, which are the standard library's own outside of models, and [`thread::spawn`] for plain threads. `Arc`
//! stays std's.
//!
//! The guide's page "model-checking" says how to read a failure, what each search finds, and what it cannot.
//!
//! | file | holds |
//! |---|---|
//! | `builder.rs` | how far to search |
//! | `outcome.rs` | what came of it |
//! | `search_loom.rs`, `search_shuttle.rs`, `search_plain.rs` | the three ways |
//! | `thread.rs`, `thread_plain.rs` | plain threads that a model counts |
//! | `watch.rs` | how long a search takes |

mod builder;
mod outcome;
#[cfg(weftwork_loom)]
#[path = "search_loom.rs"]
mod search;
#[cfg(weftwork_shuttle)]
#[path = "search_shuttle.rs"]
mod search;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
#[path = "search_plain.rs"]
mod search;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
pub mod thread;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
#[path = "thread_plain.rs"]
pub mod thread;
mod watch;

pub use builder::Builder;
pub use outcome::{Failure, Report};
pub use weftwork_sync::primitive::UnsafeCell;
#[allow(
    clippy::disallowed_types,
    reason = "outside of models they are the standard library's, for code that is not ours"
)]
#[doc(no_inline)]
pub use weftwork_sync::primitive::open::{Condvar, Mutex, MutexGuard, atomic};

use core::future::Future;

/// Searches the orders in which the tasks of `body` can run for one that fails; see the [module](mod@crate::model).
///
/// The body is called once for each execution. What it shares with its tasks it makes inside, so that each execution begins anew.
///
/// # Panics
/// With what was found: an assertion of the body or of a task that failed, tasks that wait for ever, a race for a cell, and the steps
/// that led there.
///
/// Neither asyncio nor tokio has a counterpart; tokio's own code is tested by `loom::model`.
///
/// ```
/// use weftwork::sync::oneshot;
///
/// weftwork::model(|| async {
///     let (tell, told) = oneshot::channel();
///     weftwork::spawn(async move { tell.send(7) }).detach();
///     assert_eq!(told.await, Ok(7));
/// });
/// ```
#[track_caller]
pub fn model<F, B>(body: B)
where
    F: Future<Output = ()> + 'static,
    B: Fn() -> F + Send + Sync + 'static,
{
    if let Err(failure) = Builder::new().check(body) {
        panic!("{failure}");
    }
}

/// As [`model`](fn@model), and says what was found: for tests of tests.
///
/// # Errors
/// Some order fails.
///
/// ```
/// let report = weftwork::model::check(|| async {
///     weftwork::spawn(async {}).await.unwrap();
/// });
/// assert!(report.unwrap().executions() > 0);
/// ```
#[track_caller]
pub fn check<F, B>(body: B) -> Result<Report, Failure>
where
    F: Future<Output = ()> + 'static,
    B: Fn() -> F + Send + Sync + 'static,
{
    Builder::new().check(body)
}

/// Panics in a way that a model takes for planned: the task ends with it, as outside of models, and the search goes on.
///
/// Any other panic inside of a model is a finding, whoever would catch it.
pub fn planned_panic() -> ! {
    weftwork_sync::primitive::planted()
}

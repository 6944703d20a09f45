//! Plain threads, which outside of models are the standard library's.
#![allow(clippy::disallowed_methods, reason = "they are the user's")]

use crate::context;
#[doc(no_inline)]
pub use weftwork_sync::primitive::open::{JoinHandle, yield_now};

/// Starts a thread. Loom has room for five in all: one begins the execution, two are the workers, and one is for closures of `to_thread`,
/// if there are any.
///
/// The runtime is not entered there; take a [`Handle`](crate::Handle) along.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // Virtual time does not see the thread.
    let hold = context::current().and_then(|core| core.config.clock.hold());
    weftwork_sync::primitive::open::spawn(move || {
        let out = f();
        drop(hold);
        out
    })
}

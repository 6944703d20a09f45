//! Plain threads of a model: the search sees them, and time stands still while they run.

use crate::context;
use crate::scheduler::coarse::Running;
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
    let running = context::current().and_then(|core| Running::of(&core).map(|running| (running, core)));
    let started = weftwork_sync::primitive::thread::spawn_deep("model-thread".into(), move || {
        let out = f();
        if let Some((running, core)) = running {
            running.end(&core);
        }
        out
    });
    match started {
        Ok(thread) => thread,
        Err(error) => panic!("a model's thread always starts: {error}"),
    }
}

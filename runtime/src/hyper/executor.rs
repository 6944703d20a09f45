//! hyper's background work as tasks.

use ::hyper::rt;
use core::future::Future;

/// Spawns what hyper wants done beside a connection: the streams of an HTTP/2 connection, for one.
///
/// The task is detached: nobody awaits it, and a panic in it is reported as that of any detached task.
///
/// # Panics
/// hyper calls it inside of the connection's future; polling that outside of a runtime panics, as [`spawn`](crate::spawn).
///
/// tokio's counterpart is `hyper_util::rt::TokioExecutor`.
///
/// ```
/// use hyper::rt::Executor as _;
/// use weftwork::hyper::Executor;
///
/// weftwork::run(async {
///     let (answer, answered) = weftwork::sync::oneshot::channel();
///     Executor::new().execute(async move { answer.send(42) });
///     assert_eq!(answered.await.unwrap(), 42);
/// });
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Executor;

impl Executor {
    /// Spawns on the runtime of whoever calls it.
    pub fn new() -> Self {
        Self
    }
}

impl<F> rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[track_caller]
    fn execute(&self, future: F) {
        crate::spawn(future).detach();
    }
}

/// As [`Executor`], for services whose futures are not `Send`, on a current-thread runtime.
///
/// # Panics
/// As [`spawn_local`](crate::spawn_local): outside of a runtime, and on one where tasks move between threads.
///
/// ```
/// use hyper::rt::Executor as _;
/// use std::rc::Rc;
/// use weftwork::hyper::LocalExecutor;
/// use weftwork::runtime::Builder;
///
/// Builder::new_current_thread()
///     .run(async {
///         let (answer, answered) = weftwork::sync::oneshot::channel();
///         let not_send = Rc::new(42);
///         LocalExecutor::new().execute(async move { answer.send(*not_send) });
///         assert_eq!(answered.await.unwrap(), 42);
///     })
///     .unwrap();
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct LocalExecutor;

impl LocalExecutor {
    /// Spawns on the thread of whoever calls it.
    pub fn new() -> Self {
        Self
    }
}

impl<F> rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    #[track_caller]
    fn execute(&self, future: F) {
        crate::spawn_local(future).detach();
    }
}

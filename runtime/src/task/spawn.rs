//! Starting tasks.

use super::cell::{Header, Name, Spec, drop_payload};
use super::{CancelCause, JoinHandle, Locals};
use crate::context;
use crate::runtime::fork;
use crate::scheduler::{Core, NOWHERE};
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr::NonNull;
use weftwork_sync::primitive::{Shared, contain, thread};

/// Starts a task that runs on its own from now on, on any worker.
///
/// The runtime owns the task: dropping the handle does not stop it.
///
/// # Panics
/// If there is no current runtime; [`Builder::spawn`] says so instead.
///
/// asyncio's counterpart is `asyncio.create_task`, tokio's is `tokio::spawn`.
///
/// ```
/// weftwork::run(async {
///     let handles: Vec<_> = (0..3).map(|i| weftwork::spawn(async move { i * i })).collect();
///     let mut squares = Vec::new();
///     for handle in handles {
///         squares.push(handle.await.unwrap());
///     }
///     assert_eq!(squares, [0, 1, 4]);
/// });
/// ```
#[doc(alias("create_task", "ensure_future"))]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let location = Location::caller();
    match context::with_current(|core| spawn_on(core, future, location, ())) {
        Some(handle) => handle,
        None => panic!("{}", SpawnError(Why::NoRuntime)),
    }
}

/// Starts a task with something beside its future: a name, or its place in a group.
#[inline]
pub(crate) fn spawn_on<F>(
    core: &Shared<Core>,
    future: F,
    location: &'static Location<'static>,
    name: impl Name,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fork::assert_parent(core);
    let spec = Spec::new(location, NOWHERE, false);
    // SAFETY: the future is Send and 'static.
    let task = unsafe { Core::spawn(core, future, spec, name) };
    // SAFETY: a new task with that output.
    unsafe { JoinHandle::from_ptr(task) }
}

/// Starts a task and polls it for the first time at once, before this returns; a task that has its value then was never queued.
///
/// The first poll is one of the new task's: it has a budget of its own and its spawner's [task locals](crate::task_local), a
/// cancellation of the spawner does not concern it, its panic is its own. What is cancelled is not polled, as ever. On a thread
/// that is no worker of the runtime, and in the sixteenth task spawned so inside of each other, it is as [`spawn`].
///
/// # Panics
/// If there is no current runtime.
///
/// asyncio's counterpart is `eager_task_factory`; tokio has none.
///
/// ```
/// weftwork::run(async {
///     let mut cached = weftwork::task::spawn_eager(async { 42 });
///     assert_eq!(cached.try_take().unwrap().unwrap(), 42);
/// });
/// ```
#[doc(alias("eager_task_factory", "eager_start"))]
#[track_caller]
pub fn spawn_eager<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Builder::new().spawn_eager(future) {
        Ok(handle) => handle,
        Err(error) => panic!("{error}"),
    }
}

/// Starts a task whose error is reported if nobody reads it: by [`Builder::on_unhandled`](crate::runtime::Builder::on_unhandled), once, when
/// the task has ended and its handle is gone. Otherwise as [`spawn`].
///
/// # Panics
/// If there is no current runtime.
///
/// asyncio's counterpart is the report "Task exception was never retrieved".
///
/// ```
/// weftwork::run(async {
///     let task = weftwork::task::spawn_try(async { "7".parse::<u32>() });
///     assert_eq!(task.await.unwrap(), Ok(7));
/// });
/// ```
#[track_caller]
pub fn spawn_try<F, T, E>(future: F) -> JoinHandle<Result<T, E>>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: fmt::Debug + Send + 'static,
{
    let location = Location::caller();
    match context::with_current(|core| spawn_on(core, future, location, Tried::<T, E>(PhantomData))) {
        Some(handle) => handle,
        None => panic!("{}", SpawnError(Why::NoRuntime)),
    }
}

/// A task whose error somebody is to read.
struct Tried<T, E>(PhantomData<fn() -> Result<T, E>>);

impl<T: 'static, E: fmt::Debug + 'static> Name for Tried<T, E> {
    type Farewell = ();

    fn text(&self) -> Option<&str> {
        None
    }

    unsafe fn unread(&self, output: *const ()) -> Option<String> {
        // SAFETY: `spawn_try` makes this for tasks with that output.
        let output = unsafe { &*output.cast::<Result<T, E>>() };
        let error = output.as_ref().err()?;
        Some(contain(|| format!("{error:?}")).unwrap_or_else(|payload| {
            drop_payload(payload);
            "it panicked when it was to be written".into()
        }))
    }

    fn farewell(&self) {}
}

/// Starts a task whose future need not be `Send`, on the current-thread runtime that runs the caller.
///
/// It is polled and dropped on this thread only, and from then on the runtime can be driven by this thread alone.
///
/// # Panics
/// Outside of a current-thread runtime; [`Builder::spawn_local`] says so instead.
///
/// tokio's counterpart is `tokio::task::spawn_local`.
///
/// ```
/// use weftwork::runtime::Builder;
/// use std::rc::Rc;
/// Builder::new_current_thread()
///     .run(async {
///         let here = Rc::new(5);
///         assert_eq!(weftwork::spawn_local(async move { *here }).await.unwrap(), 5);
///     })
///     .unwrap();
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match Builder::new().spawn_local(future) {
        Ok(handle) => handle,
        Err(error) => panic!("{error}"),
    }
}

/// Starts tasks with more said about them than [`spawn`] says.
///
/// tokio's counterpart is `tokio::task::Builder`; asyncio's is the `name` argument of `create_task`.
///
/// ```
/// weftwork::run(async {
///     let handle = weftwork::task::Builder::new().name("answer").spawn(async { 42 }).unwrap();
///     assert_eq!(handle.name(), Some("answer"));
///     assert_eq!(handle.await.unwrap(), 42);
/// });
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<Box<str>>,
    locals: Option<Locals>,
}

/// What a task is given that was started by a [`Builder`].
pub(crate) struct Given {
    name: Option<Box<str>>,
    locals: Cell<Option<Locals>>,
}

impl Name for Given {
    type Farewell = ();

    fn text(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn attach(&self, task: NonNull<Header>) -> Option<CancelCause> {
        if let Some(locals) = self.locals.take() {
            // SAFETY: the task is new, and known to its spawner alone.
            unsafe { task.as_ref().root().place() }.replace(locals.held());
        }
        None
    }

    fn farewell(&self) {}
}

impl Builder {
    /// A task without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task, for reports and dumps; names need not be unique.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().into_boxed_str());
        self
    }

    /// The task shares these values of its [task locals](crate::task_local) with whoever else has them, instead of beginning with a
    /// copy of its spawner's.
    ///
    /// asyncio's counterpart is `create_task(context=)`.
    #[doc(alias = "context")]
    pub fn locals(mut self, locals: &Locals) -> Self {
        self.locals = Some(locals.clone());
        self
    }

    fn given(self) -> Given {
        Given { name: self.name, locals: Cell::new(self.locals) }
    }

    /// As [`spawn`].
    ///
    /// # Errors
    /// There is no current runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> Result<JoinHandle<F::Output>, SpawnError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let location = Location::caller();
        let spawned = context::with_current(|core| spawn_on(core, future, location, self.given()));
        spawned.ok_or(SpawnError(Why::NoRuntime))
    }

    /// As [`spawn_eager`].
    ///
    /// # Errors
    /// There is no current runtime.
    #[track_caller]
    pub fn spawn_eager<F>(self, future: F) -> Result<JoinHandle<F::Output>, SpawnError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let location = Location::caller();
        let Some(core) = context::current() else { return Err(SpawnError(Why::NoRuntime)) };
        fork::assert_parent(&core);
        let spec = Spec::new(location, NOWHERE, false);
        // SAFETY: the future is Send and 'static; a new task with that output.
        Ok(unsafe { JoinHandle::from_ptr(Core::spawn_eager(&core, future, spec, self.given())) })
    }

    /// As [`spawn_local`].
    ///
    /// # Errors
    /// The caller does not run on a current-thread runtime.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> Result<JoinHandle<F::Output>, SpawnError>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let location = Location::caller();
        let Some(core) = context::with_worker(|worker| worker.core.clone()) else {
            return Err(SpawnError(if context::current().is_some() { Why::NotHere } else { Why::NoRuntime }));
        };
        if core.config.multi {
            return Err(SpawnError(Why::MultiThread));
        }
        fork::assert_parent(&core);
        *core.home.lock() = Some(thread::current_id());
        let spec = Spec::new(location, NOWHERE, true);
        // SAFETY: pinned, on the one worker of a current-thread runtime, whose seat is from now on bound to this thread.
        let task = unsafe { Core::spawn(&core, future, spec, self.given()) };
        // SAFETY: a new task with that output.
        Ok(unsafe { JoinHandle::from_ptr(task) })
    }
}

/// Why a task could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnError(Why);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    NoRuntime,
    NotHere,
    MultiThread,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Why::NoRuntime => context::NO_RUNTIME,
            Why::NotHere => "spawn_local works inside the runtime only: call it from a task or the main future",
            Why::MultiThread => {
                "spawn_local needs a current-thread runtime (Builder::new_current_thread): here a task may move between \
                 threads; use spawn with a future that is Send"
            }
        })
    }
}

impl std::error::Error for SpawnError {}

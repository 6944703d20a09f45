//! The handles of a group: spawning into it, cancelling it, looking at it.

use super::child::Child;
use super::drain::{Drained, drain};
use super::error::{Closed, StartError};
use super::hub::{Hub, Membership};
use super::start::{self, Started};
use crate::context;
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::scope::CancelScope;
use crate::scope::contained::Contained;
use crate::task::cell::drop_payload;
use crate::task::{CancelCause, JoinHandle, TaskId, TaskInfo, spawn_on};
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;
use weftwork_sync::primitive::{Panic as Payload, Shared};

/// A group of tasks that may return anything: see [`group`](super::group). It may be cloned and handed to children.
pub struct TaskGroup {
    pub(super) hub: Shared<Hub<Infallible>>,
}

/// A group of tasks that return a `Result`, of which the first error ends the rest: see [`try_group`](super::try_group).
pub struct TryTaskGroup<E> {
    hub: Shared<Hub<E>>,
}

/// What both have alike.
macro_rules! face {
    ($group:ty, $error:ty $(, $generic:ident)?) => {
        impl$(<$generic: Send + 'static>)? $group {
            pub(super) fn of(hub: Shared<Hub<$error>>) -> Self {
                Self { hub }
            }

            /// Cancels body and children; `false` if that was done before, or the group has ended.
            ///
            /// The group then ends with `Cancelled`, unless the body has returned. asyncio's counterpart is `TaskGroup.cancel`.
            #[track_caller]
            pub fn cancel(&self) -> bool {
                self.hub.cancel(CancelCause::explicit())
            }

            /// How many children have not ended: each is looked at.
            #[allow(clippy::len_without_is_empty, reason = "is_empty follows")]
            pub fn len(&self) -> usize {
                self.hub.live()
            }

            /// Whether no child is left.
            pub fn is_empty(&self) -> bool {
                !self.hub.has_live()
            }

            /// The children that have not ended.
            pub fn handles(&self) -> Vec<TaskInfo> {
                let mut all = Vec::new();
                // SAFETY: alive for as long as this is called.
                self.hub.for_each(|task| all.push(unsafe { TaskInfo::of(task.into()) }));
                all.sort_by_key(|task| task.id.as_u64());
                all
            }

            /// The scope of the group's body.
            pub fn scope(&self) -> CancelScope {
                CancelScope::of(self.hub.node.clone())
            }

            /// Takes no more children, waits for those there are, and after `grace` cancels the rest and awaits their clean-up.
            ///
            /// From the body; a child that drains its own group waits for itself until the grace is over.
            pub async fn drain(&self, grace: Duration) -> Drained {
                self.hub.close();
                drain(&mut &self.hub, grace).await
            }
        }

        impl$(<$generic>)? Clone for $group {
            fn clone(&self) -> Self {
                Self { hub: self.hub.clone() }
            }
        }

        impl$(<$generic>)? fmt::Debug for $group {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($group)).field("children", &self.hub.live()).finish_non_exhaustive()
            }
        }
    };
}

face!(TaskGroup, Infallible);
face!(TryTaskGroup<E>, E, E);

impl TaskGroup {
    /// Starts a child.
    ///
    /// Dropping the handle detaches from the child's value, not from the child: the group waits for it. A child of a group
    /// that is cancelled never runs, nor does one of a group that has ended, and the handle says so.
    ///
    /// # Panics
    /// If there is no current runtime.
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_at(future, Location::caller())
    }

    pub(super) fn spawn_at<F>(&self, future: F, at: &'static Location<'static>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_in(&self.hub, future, at)
    }

    /// As [`spawn`](Self::spawn).
    ///
    /// # Errors
    /// The group has ended; the future is dropped unpolled.
    #[track_caller]
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, Closed>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.hub.is_closed() { Err(Closed(())) } else { Ok(self.spawn(future)) }
    }

    /// Starts a child that says when it is ready, and waits for that: for servers that listen before anybody connects.
    ///
    /// `child` is given a [`Started`], and [`set`](Started::set) on it ends the wait, with a value. Until then the child concerns
    /// the caller alone: a panic comes out here, and the group lives on.
    ///
    /// # Errors
    /// The child panicked, ended or was cancelled before it was ready; or the group had ended, and `child` was not even called.
    ///
    /// # Cancel safety
    /// Dropped before the child is ready, it cancels the child; cancelled, it waits for its clean-up.
    ///
    /// trio's counterpart is `nursery.start`; asyncio and tokio have none.
    ///
    /// ```
    /// use weftwork::group::Started;
    /// weftwork::run(async {
    ///     let sum = weftwork::group(async |group| {
    ///         let server = async |started: Started<u16>| {
    ///             started.set(8080);
    ///             1
    ///         };
    ///         let (port, server) = group.start(server).await.unwrap();
    ///         port + server.await.unwrap()
    ///     });
    ///     assert_eq!(sum.await, Ok(8081));
    /// });
    /// ```
    #[track_caller]
    pub fn start<S, F>(
        &self,
        child: impl FnOnce(Started<S>) -> F,
    ) -> impl Future<Output = Result<(S, JoinHandle<F::Output>), StartError<Infallible>>>
    where
        S: Send + 'static,
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let at = Location::caller();
        let spawn = (!self.hub.is_closed()).then(|| {
            let (started, starting) = start::prepare();
            let child = child(started);
            let run = starting.run(async move { Ok::<_, Infallible>(child.await) });
            let run = async move { run.await.unwrap_or_else(|never| match never {}) };
            (starting, self.spawn_at(run, at))
        });
        async move {
            match spawn {
                Some((starting, handle)) => starting.wait(handle).await,
                None => Err(StartError::Closed),
            }
        }
    }

    /// Starts a child whose panic concerns nobody: it goes to the runtime's `on_unhandled`, and the others live on.
    #[track_caller]
    pub fn spawn_isolated<F>(&self, future: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let at = Location::caller();
        spawn_in(&self.hub, isolated(future, at), at)
    }
}

impl<E: Send + 'static> TryTaskGroup<E> {
    /// Starts a child, whose error cancels the others and ends the group. Otherwise as [`TaskGroup::spawn`].
    ///
    /// The handle of a child that failed says [`JoinError::Failed`](crate::JoinError::Failed): the group has the error.
    ///
    /// # Panics
    /// If there is no current runtime.
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn spawn<T, F>(&self, future: F) -> JoinHandle<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_at(future, Location::caller())
    }

    pub(super) fn spawn_at<T, F>(&self, future: F, at: &'static Location<'static>) -> JoinHandle<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: spawned into that group.
        let child = unsafe { Child::new(future, NonNull::from(&*self.hub)) };
        spawn_in(&self.hub, child, at)
    }

    /// As [`spawn`](Self::spawn).
    ///
    /// # Errors
    /// The group has ended; the future is dropped unpolled.
    #[track_caller]
    pub fn try_spawn<T, F>(&self, future: F) -> Result<JoinHandle<T>, Closed>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        if self.hub.is_closed() { Err(Closed(())) } else { Ok(self.spawn(future)) }
    }

    /// Starts a child that says when it is ready, and waits for that. As [`TaskGroup::start`], and the child's error too comes out here
    /// until then, and does not cancel the group; later ones do.
    ///
    /// # Errors
    /// The child failed, panicked, ended or was cancelled before it was ready; or the group had ended, and `child` was not even called.
    ///
    /// ```
    /// use weftwork::group::{StartError, Started};
    /// weftwork::run(async {
    ///     let ended = weftwork::try_group(async |group| {
    ///         let child = async |_started: Started<()>| Err::<(), _>("no port is free");
    ///         assert!(matches!(group.start(child).await, Err(StartError::Failed("no port is free"))));
    ///         Ok(())
    ///     });
    ///     assert_eq!(ended.await, Ok(()));
    /// });
    /// ```
    #[track_caller]
    pub fn start<S, T, F>(
        &self,
        child: impl FnOnce(Started<S>) -> F,
    ) -> impl Future<Output = Result<(S, JoinHandle<T>), StartError<E>>>
    where
        S: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        let at = Location::caller();
        let spawn = (!self.hub.is_closed()).then(|| {
            let (started, starting) = start::prepare();
            let run = starting.run(child(started));
            (starting, self.spawn_at(run, at))
        });
        async move {
            match spawn {
                Some((starting, handle)) => starting.wait(handle).await,
                None => Err(StartError::Closed),
            }
        }
    }

    /// Starts a child whose error or panic concerns nobody: it goes to the runtime's `on_unhandled`, and the others live on, so that one bad
    /// connection never ends a server. The value is `None` then.
    #[track_caller]
    pub fn spawn_isolated<T, F>(&self, future: F) -> JoinHandle<Option<T>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: fmt::Debug,
    {
        let at = Location::caller();
        let isolated = isolated(future, at);
        let told = async move {
            let error = match isolated.await? {
                Ok(value) => return Some(value),
                Err(error) => format!("{error:?}"),
            };
            tell(UnhandledKind::TaskFailed, context::current_task().map(|task| (task, at)), Some(&error));
            None
        };
        spawn_in(&self.hub, told, at)
    }
}

fn spawn_in<F, E>(hub: &Shared<Hub<E>>, future: F, at: &'static Location<'static>) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    E: Send + 'static,
{
    match context::with_current(|core| spawn_on(core, future, at, Membership::new(hub))) {
        Some(handle) => handle,
        None => panic!("{}", context::NO_RUNTIME),
    }
}

/// A future whose panic is told about, and is not passed on.
async fn isolated<F: Future>(future: F, at: &'static Location<'static>) -> Option<F::Output> {
    match Contained::new(future).await {
        Ok(output) => Some(output),
        Err(payload) => {
            let task = context::current_task();
            let text = crate::task::error::payload_text(&payload).map(str::to_owned);
            tell(UnhandledKind::TaskPanicked, task.map(|task| (task, at)), text.as_deref());
            drop_payload(payload);
            None
        }
    }
}

fn tell(kind: UnhandledKind, whose: Option<(TaskId, &'static Location<'static>)>, message: Option<&str>) {
    let (task, spawned_at) = whose.unzip();
    let what = Unhandled { kind, message, task, name: None, spawned_at };
    if context::with_current(|core| core.report(&what)).is_none() {
        what.report(None);
    }
}

/// A panic that cannot go on because another one does.
pub(super) fn report(kind: UnhandledKind, whose: Option<(TaskId, &'static Location<'static>)>, payload: Payload) {
    let text = crate::task::error::payload_text(&payload).map(str::to_owned);
    tell(kind, whose, text.as_deref());
    drop_payload(payload);
}

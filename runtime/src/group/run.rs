//! Running a group: the body, then its children to their end, then what came of it all.

use super::error::{ChildError, Failure, GroupError, What};
use super::hub::{Hub, Owner};
use super::task_group::{TaskGroup, TryTaskGroup};
use crate::context;
use crate::observe::unhandled::UnhandledKind;
use crate::scope::frame;
use crate::scope::limit::Unlimited;
use crate::scope::region::{Kind, Region, Seat, Unwound};
use crate::task::{CancelCause, TaskId};
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use weftwork_sync::coop;
use weftwork_sync::primitive::contain;

/// Runs `body` with a group for its tasks, and ends when all of them have ended.
///
/// Cancelling the group, or what surrounds it, cancels body and children, whose clean-up is awaited. A child that panics
/// cancels the others, and its panic goes on here after all have ended.
///
/// # Errors
/// The group was cancelled before its body had a value.
///
/// # Cancel safety
/// Dropped while children run, which only code that knows nothing of groups does, it cancels them, and the task that hosted it
/// does not end before they have.
///
/// asyncio's counterpart is `asyncio.TaskGroup`, trio's is a nursery; for children that return a `Result` see [`try_group`].
///
/// ```
/// weftwork::run(async {
///     let sum = weftwork::group(async |group| {
///         let numbers: Vec<_> = (0..4).map(|n| group.spawn(async move { n * n })).collect();
///         let mut sum = 0;
///         for number in numbers {
///             sum += number.await.unwrap();
///         }
///         sum
///     });
///     assert_eq!(sum.await, Ok(14));
/// });
/// ```
#[doc(alias("TaskGroup", "nursery"))]
#[track_caller]
pub fn group<F: Future>(body: impl FnOnce(TaskGroup) -> F) -> Group<F> {
    let owner = Owner::new(Location::caller());
    let body = body(TaskGroup::of(owner.hub.clone()));
    Group { engine: Engine::new(body, owner, Location::caller()) }
}

/// Runs `body` with a group for tasks that may fail: the first error cancels the rest, and all errors are returned when all have
/// ended. Otherwise as [`group`].
///
/// # Errors
/// What children and body returned, in the order of spawning; or that the group was cancelled.
///
/// ```
/// weftwork::run(async {
///     let error = weftwork::try_group(async |group| {
///         group.spawn(async { Err::<(), _>("no such file") }).detach();
///         group.spawn(std::future::pending::<Result<(), _>>()).detach();
///         Ok(())
///     })
///     .await
///     .unwrap_err();
///     assert_eq!(error.single(), Ok("no such file"));
/// });
/// ```
#[doc(alias("TaskGroup", "nursery"))]
#[track_caller]
pub fn try_group<R, E: Send + 'static, F: Future<Output = Result<R, E>>>(
    body: impl FnOnce(TryTaskGroup<E>) -> F,
) -> TryGroup<F, E> {
    let owner = Owner::new(Location::caller());
    let body = body(TryTaskGroup::of(owner.hub.clone()));
    TryGroup { engine: Engine::new(body, owner, Location::caller()) }
}

pin_project! {
    /// The future of [`group`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Group<F: Future> {
        #[pin]
        engine: Engine<F, Infallible, F::Output>,
    }
}

impl<F: Future> Future for Group<F> {
    type Output = Result<F::Output, CancelCause>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().engine.poll(cx, |output, _| Some(output)).map(|ended| match ended {
            Ok(value) => Ok(value),
            Err(GroupError::Cancelled(cause)) => Err(cause),
            Err(GroupError::Failed(errors)) => match errors.first() {
                Some(child) => match child.error {},
                None => unreachable!("a failure has an error"),
            },
        })
    }
}

impl<F: Future> fmt::Debug for Group<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.show("Group", f)
    }
}

pin_project! {
    /// The future of [`try_group`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct TryGroup<F: Future, E>
    where
        E: Send,
        E: 'static,
    {
        #[pin]
        engine: Engine<F, E, F::Output>,
    }
}

impl<R, E: Send + 'static, F: Future<Output = Result<R, E>>> Future for TryGroup<F, E> {
    type Output = Result<R, GroupError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let judge = |output: Result<R, E>, fail: &mut dyn FnMut(What<E>)| match output {
            Ok(value) => Some(Ok(value)),
            Err(error) => {
                fail(What::Error(error));
                None
            }
        };
        self.project().engine.poll(cx, judge).map(|ended| match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => unreachable!("an error was told to the group"),
            Err(error) => Err(error),
        })
    }
}

impl<F: Future, E: Send + 'static> fmt::Debug for TryGroup<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.show("TryGroup", f)
    }
}

pin_project! {
    struct Engine<F, E, V>
    where
        E: Send,
        E: 'static,
    {
        // Dropped first: the children are cancelled before what the body holds goes.
        owner: Owner<E>,
        #[pin]
        body: Region<F>,
        seat: Seat,
        stage: Stage<V>,
    }
}

enum Stage<V> {
    Body,
    /// The body has ended: with a value, or cancelled, or failed.
    Children(Option<V>),
    /// Everything has ended, and so has what is around: that is about to drop this.
    PassesOn,
    Over,
}

impl<F: Future, E: Send + 'static, V> Engine<F, E, V> {
    fn new(body: F, owner: Owner<E>, at: &'static Location<'static>) -> Self {
        let seat = Seat::with_node(Kind::Group, at, owner.hub.node.clone());
        Self { owner, body: Region::new(Kind::Pad, at, body), seat, stage: Stage::Body }
    }

    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        judge: impl FnOnce(F::Output, &mut dyn FnMut(What<E>)) -> Option<V>,
    ) -> Poll<Result<V, GroupError<E>>> {
        let this = self.project();
        let (hub, seat) = (&this.owner.hub, this.seat);
        if let Stage::PassesOn | Stage::Over = this.stage {
            assert!(matches!(this.stage, Stage::PassesOn), "a group was polled after it had ended");
            return Poll::Pending;
        }
        seat.begin(cx);
        hub.set_deadline(frame::deadline().min(hub.node.deadline()));
        if coop::is_cancelled() && !hub.is_cancelled() {
            hub.cancel_children(frame::cause());
        }
        hub.pass_on();
        if let Stage::Body = this.stage {
            let cancelled = hub.node.is_cancelled();
            let waker = cx.waker();
            let body = || contain(|| this.body.poll(&mut Unlimited, cx));
            let (polled, exit) = frame::within(seat, cancelled, None, waker, body);
            let mut fail = |what| {
                let task = context::current_task().unwrap_or_else(TaskId::next);
                hub.fail(Failure { task, at: seat.at(), what });
            };
            let value = match polled {
                Ok(Poll::Pending) => {
                    seat.expire(cx);
                    if !exit.told && hub.node.is_cancelled() {
                        // Cancelled by the poll that has just ended, or meanwhile: the body has to hear of it.
                        cx.waker().wake_by_ref();
                    }
                    if hub.is_cancelled() && seat.is_pierced(cx) {
                        hub.soften_children(0);
                    }
                    seat.stays(cx);
                    return Poll::Pending;
                }
                Ok(Poll::Ready(Ok(output))) => judge(output, &mut fail),
                Ok(Poll::Ready(Err(Unwound(_)))) => None,
                Err(payload) => {
                    fail(What::Panic(payload));
                    None
                }
            };
            *this.stage = Stage::Children(value);
        }
        seat.expire(cx);
        hub.pass_on();
        let failures = match Hub::poll_over(hub, cx) {
            Poll::Ready(failures) => failures,
            Poll::Pending => {
                if hub.is_cancelled() && seat.is_pierced(cx) {
                    hub.soften_children(0);
                }
                seat.stays(cx);
                return Poll::Pending;
            }
        };
        seat.forget();
        let Stage::Children(value) = core::mem::replace(this.stage, Stage::Over) else {
            unreachable!("looked at above")
        };
        if !failures.is_empty() {
            return Poll::Ready(Err(GroupError::Failed(errors(failures))));
        }
        match value {
            Some(value) => Poll::Ready(Ok(value)),
            None if coop::is_cancelled() || frame::has_passed(context::now()) => {
                *this.stage = Stage::PassesOn;
                Poll::Pending
            }
            None => {
                hub.node.catch();
                let cause = hub.node.cause().unwrap_or_else(|| CancelCause::explicit());
                Poll::Ready(Err(GroupError::Cancelled(cause)))
            }
        }
    }
}

impl<F, E: Send + 'static, V> Engine<F, E, V> {
    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("at", &format_args!("{}", self.seat.at()))
            .field("children", &self.owner.hub.live())
            .finish_non_exhaustive()
    }
}

/// The errors; a panic among them goes on here, and beats them all.
fn errors<E>(failures: Vec<Failure<E>>) -> Vec<ChildError<E>> {
    let mut errors = Vec::with_capacity(failures.len());
    let mut panic = None;
    for Failure { task, at, what, .. } in failures {
        match what {
            What::Error(error) => errors.push(ChildError { error, task, at }),
            What::Panic(payload) if panic.is_none() => panic = Some(payload),
            // One can go on; the others are told about.
            What::Panic(payload) => super::task_group::report(UnhandledKind::TaskPanicked, Some((task, at)), payload),
        }
    }
    match panic {
        Some(payload) => std::panic::resume_unwind(payload),
        None => errors,
    }
}

//! Blocking work beside the workers: `to_thread`, `run_in_executor`, `block_in_place`.

use crate::context;
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::platform::clock::Hold;
use crate::scheduler::{Core, coarse, watchdog};
use crate::scope::frame;
use crate::scope::node::Node;
use crate::scope::region::Rare;
use crate::task::cell::drop_payload;
use crate::task::local::place;
use crate::task::local::values::Values;
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};
use std::borrow::Cow;
use weftwork_blocking::{
    BlockingExecutor, BlockingHandle, JobInfo, JobOptions, OffloadError, PanicPayload, SpawnError,
};
use weftwork_sync::primitive::{Shared, contain};
use weftwork_sync::weft_thread_local;

/// Runs `f`, which may block, on a thread of the runtime's pool.
///
/// It begins when the future is first polled. Inside, `is_cancelled()` and `check_cancelled()` say whether the caller is
/// gone, `Handle::current()` is the caller's runtime, and [task locals](crate::task_local) are as the caller's were when it began.
///
/// # Cancel safety
/// Dropping the future abandons the wait: a closure that has not begun never runs, one that has runs on and its result is
/// dropped on the pool.
///
/// # Panics
/// Polling it outside of a runtime panics.
///
/// asyncio's counterpart is `asyncio.to_thread`, tokio's is `tokio::task::spawn_blocking`.
///
/// ```
/// weftwork::run(async {
///     let sum = weftwork::to_thread(|| (1..=1_000_u64).sum::<u64>()).await.unwrap();
///     assert_eq!(sum, 500_500);
/// });
/// ```
#[doc(alias = "spawn_blocking")]
pub fn to_thread<F, T>(f: F) -> Offload<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let name: Cow<'static, str> = core::any::type_name::<F>().into();
    let start = move |options: JobOptions| {
        let Some(core) = context::current() else { panic!("{}", context::NO_RUNTIME) };
        crate::runtime::fork::assert_parent(&core);
        let theirs = core.clone();
        let values = place::copy();
        coarse::submit(&core, options, move || Unread::of(Some(theirs), CountedAs::Job, values, f))
    };
    let new = NotBegun { start: Some(Box::new(start) as Start<T>), name, polled: false };
    Offload { state: State::New(new), join_on_cancel: None, waits: None }
}

/// Runs `f` on a pool of the caller's choice, for instance one that is kept small for work that needs the processor.
///
/// It is submitted at once. Inside it is as in [`to_thread`]. asyncio's counterpart is `loop.run_in_executor`; tokio has none.
///
/// ```
/// let pool = weftwork::ThreadPool::new(2);
/// weftwork::run(async {
///     assert_eq!(weftwork::run_in_executor(&pool, || 6 * 7).await.unwrap(), 42);
/// });
/// ```
pub fn run_in_executor<E, F, T>(executor: &E, f: F) -> Offload<T>
where
    E: BlockingExecutor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let name: Cow<'static, str> = core::any::type_name::<F>().into();
    let core = context::current();
    let options = JobOptions::new().name(name.clone());
    let hold = core.as_ref().and_then(|core| core.config.clock.hold());
    let values = place::copy();
    let counted = if hold.is_some() { CountedAs::Hold } else { CountedAs::Nothing };
    let call = move || Unread::of(core, counted, values, f);
    let handle = match hold {
        None => weftwork_blocking::run_on_with(executor, options, call),
        Some(hold) => weftwork_blocking::run_on_with(&Held(executor, Cell::new(Some(hold))), options, call),
    };
    Offload { state: State::Running(handle.abandon_on_drop()), join_on_cancel: None, waits: None }
}

/// Runs `f`, which may block, right here; the worker's other tasks go to other threads meanwhile.
///
/// Everything that the worker holds is handed over before `f` begins, and a spare worker takes its place if all others are
/// busy. On a current-thread runtime, and outside of a runtime, `f` is simply called.
///
/// Prefer [`to_thread`] where the closure can be `'static`: it can be cancelled before it begins.
///
/// tokio's counterpart is `tokio::task::block_in_place`; asyncio has none.
///
/// ```
/// weftwork::run(async {
///     let text = String::from("borrowed");
///     assert_eq!(weftwork::block_in_place(|| text.len()), 8);
/// });
/// ```
pub fn block_in_place<F, T>(f: F) -> T
where
    F: FnOnce() -> T,
{
    watchdog::in_place(f)
}

/// An executor whose next job keeps the time from moving until it has ended and its caller was woken.
struct Held<'a, E: ?Sized>(&'a E, Cell<Option<Hold>>);

impl<E: BlockingExecutor + ?Sized> BlockingExecutor for Held<'_, E> {
    fn execute(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        let hold = self.1.take();
        self.0.execute(Box::new(move || {
            job();
            drop(hold);
        }))
    }
}

/// What keeps the time from moving during a call, where time moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountedAs {
    /// A job of its runtime's pool.
    Job,
    /// A hold on the clock of its runtime, which others may have too.
    Hold,
    Nothing,
}

weft_thread_local! {
    /// The runtime of the call that the thread is inside of, whose frame keeps it, and what that counts as there.
    static CALL: Cell<(*const Core, CountedAs)> = Cell::new((ptr::null(), CountedAs::Nothing));
}

/// Whether the calling thread is inside of a call that keeps the time of this runtime from moving.
pub(crate) fn is_counted_by(core: &Core) -> bool {
    let (theirs, counted) = CALL.with(Cell::get);
    match counted {
        CountedAs::Job => ptr::eq(theirs, core),
        // SAFETY: not null where something is counted, and set while the frame is there that keeps it.
        CountedAs::Hold => unsafe { &*theirs }.config.clock.is_that_of(&core.config.clock),
        CountedAs::Nothing => false,
    }
}

/// Makes a call that counts as `counted` in its runtime.
fn within_call<R>(core: Option<&Shared<Core>>, counted: CountedAs, call: impl FnOnce() -> R) -> R {
    struct Restore((*const Core, CountedAs));
    impl Drop for Restore {
        fn drop(&mut self) {
            CALL.with(|inside| inside.set(self.0));
        }
    }
    let (core, counted) = core.map_or((ptr::null(), CountedAs::Nothing), |core| (&raw const **core, counted));
    // An executor may call in its caller's thread, inside of another.
    let _restore = Restore(CALL.with(|inside| inside.replace((core, counted))));
    call()
}

/// What a call came to, until its caller reads it. If nobody does, a panic is told: the call's own, or that of its value's
/// destructor.
struct Unread<T> {
    outcome: Option<Result<T, PanicPayload>>,
    core: Option<Shared<Core>>,
    job: Option<JobInfo>,
}

impl<T> Unread<T> {
    fn of(core: Option<Shared<Core>>, counted: CountedAs, values: Values, call: impl FnOnce() -> T) -> Self {
        let entered = core.clone().map(context::enter);
        let call = || within_call(core.as_ref(), counted, || place::with_values(values, call));
        let outcome = contain(call).map_err(PanicPayload::new);
        drop(entered);
        Self { outcome: Some(outcome), core, job: weftwork_blocking::current_job() }
    }

    fn read(mut self) -> Result<T, OffloadError> {
        match self.outcome.take() {
            Some(outcome) => outcome.map_err(OffloadError::Panicked),
            None => unreachable!("an outcome is read by value, so once"),
        }
    }
}

impl<T> Drop for Unread<T> {
    fn drop(&mut self) {
        let (kind, panic) = match self.outcome.take() {
            None => return,
            Some(Err(panic)) => (UnhandledKind::BlockingPanicked, panic),
            Some(Ok(value)) => match contain(|| drop(value)) {
                Ok(()) => return,
                Err(payload) => (UnhandledKind::BlockingResultDropPanicked, PanicPayload::new(payload)),
            },
        };
        let what =
            Unhandled { name: self.job.as_ref().map(JobInfo::name), ..Unhandled::elsewhere(kind, panic.message()) };
        match &self.core {
            Some(core) => core.report(&what),
            None => what.report(None),
        }
        drop_payload(panic.into_payload());
    }
}

type Start<T> = Box<dyn FnOnce(JobOptions) -> BlockingHandle<Unread<T>> + Send>;

enum State<T> {
    New(NotBegun<T>),
    Running(BlockingHandle<Unread<T>>),
}

/// A call that begins when it is first polled.
struct NotBegun<T> {
    start: Option<Start<T>>,
    name: Cow<'static, str>,
    /// Where everything is cancelled it does not begin.
    polled: bool,
}

impl<T> Drop for NotBegun<T> {
    fn drop(&mut self) {
        if self.start.is_some() && !self.polled {
            let what = Unhandled {
                name: Some(&self.name),
                ..Unhandled::elsewhere(UnhandledKind::DroppedUnpolled, Some("await it, or spawn it"))
            };
            context::with_current(|core| core.config.debug.then(|| core.report(&what)));
        }
    }
}

/// The future of [`to_thread`] and [`run_in_executor`].
#[must_use = "futures do nothing unless awaited"]
pub struct Offload<T> {
    state: State<T>,
    /// Where that was asked for.
    join_on_cancel: Option<&'static Location<'static>>,
    /// What keeps a cancelled region around from ending, where it joins.
    waits: Option<Box<Rare>>,
}

impl<T> Unpin for Offload<T> {}

impl<T> Offload<T> {
    /// Names the call, for reports of what shutdown had to leave. Only before the first poll.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        if let State::New(new) = &mut self.state {
            new.name = name.into();
        }
        self
    }

    /// A closure that has begun is waited for even where the caller is cancelled, as in [`shield`](crate::scope::shield()); dropped by
    /// others, it runs to its end without being told that nobody waits.
    #[track_caller]
    pub fn join_on_cancel(mut self) -> Self {
        self.join_on_cancel = Some(Location::caller());
        self
    }
}

impl<T> Future for Offload<T> {
    type Output = Result<T, OffloadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let join = self.join_on_cancel;
        if let State::New(new) = &mut self.state {
            new.polled = true;
            if weftwork_sync::coop::is_cancelled() {
                return Poll::Pending;
            }
            let start = new.start.take().expect("to_thread was polled again after it had panicked");
            let handle = start(JobOptions::new().name(core::mem::take(&mut new.name)));
            self.state = State::Running(if join.is_some() { handle } else { handle.abandon_on_drop() });
        }
        let this = &mut *self;
        let State::Running(handle) = &mut this.state else { unreachable!("it was started above") };
        let polled = Pin::new(handle).poll(cx);
        if polled.is_ready() {
            this.waits = None;
        } else if weftwork_sync::coop::is_cancelled() && frame::is_pierced() {
            // The grace of a soft cancellation is over.
            this.waits = None;
        } else if let Some(at) = join {
            let waits = this.waits.get_or_insert_with(|| Box::new(Rare::new(Node::of_shield(at))));
            waits.attend(cx.waker());
            waits.live(true);
        }
        polled.map(|outcome| outcome.and_then(Unread::read))
    }
}

impl<T> fmt::Debug for Offload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::New(new) => write!(f, "Offload {{ {}, not begun }}", new.name),
            State::Running(handle) => write!(f, "Offload {{ {handle:?} }}"),
        }
    }
}

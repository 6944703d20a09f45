//! The workers: who runs a task that is ready, and when.
//!
//! ```text
//!   wake, spawn --on a worker--> its LIFO slot, then its private queue --published in batches--> its shared queue
//!        |                                                                                           | stolen
//!        +--elsewhere--> injector ---------------------> any worker <--------------------------------+
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | `Core`: what all workers of one runtime share, and the ways into it |
//! | `slot.rs` | the seat of one worker |
//! | `worker.rs` | the step: choose a task, run it, look around |
//! | `adopt.rs` | new tasks: who owns them and runs them first |
//! | `look.rs` | what a worker does about what lies elsewhere |
//! | `share.rs` | when it gives tasks to its peers |
//! | `sleep.rs` | going to sleep and waking up |
//! | `deferred.rs` | reads that were put off, and when they are tried after all |
//! | `gather.rs` | whether it sleeps past a timer to fire several at once |
//! | `place.rs` | which processor a woken worker runs on |
//! | `idle.rs` | the protocol of sleepers, searchers and wakers |
//! | `biased.rs` | how a blocked worker is robbed of what is its own |
//! | `jumps.rs` | virtual time, moved on when nothing can run |
//! | `queue.rs` | the queues that several threads reach |
//! | `spares.rs` | workers that stand in for blocked ones |
//! | `watchdog.rs` | bounded delay: finds blocked workers, rescues, starts spares, reports |
//! | `wind_down.rs` | the end of a run: tasks are cancelled, and clean up |
//! | `shutdown.rs` | the end of a runtime |
//! | `coarse.rs`, `coarse_none.rs` | what stands in for all of this where users' own code is modelled, and nothing elsewhere |
//! | `bare.rs` | a core as models build it |

mod adopt;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
pub(crate) mod bare;
pub(crate) mod biased;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
pub(crate) mod coarse;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
#[path = "coarse_none.rs"]
pub(crate) mod coarse;
pub(crate) mod deferred;
mod gather;
pub(crate) mod idle;
pub(crate) mod jumps;
pub(crate) mod look;
mod place;
pub(crate) mod queue;
mod share;
pub(crate) mod shutdown;
pub(crate) mod sleep;
pub(crate) mod slot;
pub(crate) mod spares;
pub(crate) mod watchdog;
pub(crate) mod wind_down;
pub(crate) mod worker;

use crate::context;
use crate::observe::events;
use crate::observe::unhandled::{Hook, Unhandled, UnhandledKind};
use crate::platform::clock::Clock;
use crate::reactor::Reactor;
use crate::runtime::OnCtrlC;
use crate::task::birth::{self, TaskHook};
use crate::task::cell::{self, Header, Name, Schedule, Turn};
use crate::task::owned::OwnedList;
use crate::task::{CancelCause, CancelKind, Runnable, Spec, TaskInfo, TaskState};
use crate::time::timers::Timers;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::Waker;
use core::time::Duration;
use crossbeam_utils::CachePadded;
use idle::Idle;
use queue::Injector;
use slot::{Bed, Slot};
use weftwork_blocking::ThreadPool;
use weftwork_sync::Notify;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared, contain, thread::ThreadId};
use worker::Worker;

/// The owner of tasks that were spawned by no worker.
pub(crate) const OUTSIDE: u32 = u32::MAX;
/// The owner of a task that came too late for any list.
pub(crate) const NOWHERE: u32 = u32::MAX - 1;

/// Completed tasks that may wait for an owner before whoever adds one drains them in its place.
const UNDRAINED: usize = 512;

/// Tells a runtime what it is; everything that does not change while it runs.
pub(crate) struct Config {
    /// Workers, without the spares that sit behind them.
    pub(crate) workers: usize,
    /// Whether tasks may move between workers; otherwise there is one worker and it is first in, first out.
    pub(crate) multi: bool,
    pub(crate) watchdog: watchdog::Limits,
    pub(crate) thread_name: Box<str>,
    pub(crate) on_unhandled: Option<Box<Hook>>,
    /// Tasks are watched.
    pub(crate) debug: bool,
    pub(crate) on_spawn: Option<Box<TaskHook>>,
    pub(crate) on_complete: Option<Box<TaskHook>>,
    pub(crate) on_thread_start: Option<Box<dyn Fn() + Send + Sync>>,
    pub(crate) on_thread_stop: Option<Box<dyn Fn() + Send + Sync>>,
    pub(crate) clock: Clock,
    pub(crate) on_ctrl_c: OnCtrlC,
    /// What tasks have for their clean-up when a run ends.
    pub(crate) grace: Duration,
    /// The order of a current-thread runtime's ready tasks is drawn from this; first in, first out without.
    pub(crate) seed: Option<u64>,
}

/// What all workers of one runtime share.
pub struct Core {
    pub(crate) slots: Box<[CachePadded<Slot>]>,
    pub(crate) config: Config,
    pub(crate) coarse: coarse::Coarse,
    pub(crate) injector: Injector,
    pub(crate) idle: Idle,
    pub(crate) outside: Mutex<Outside>,
    pub(crate) outside_timers: Timers,
    pub(crate) keeper: Keeper,
    pub(crate) reactor: Option<Shared<Reactor>>,
    pub(crate) stopping: AtomicBool,
    pub(crate) watchdog: watchdog::Watchdog,
    pub(crate) spares: spares::Spares,
    pub(crate) exits: Shared<shutdown::Exits>,
    pub(crate) pool: ThreadPool,
    /// The thread that alone may poll tasks whose futures are not `Send`.
    pub(crate) home: Mutex<Option<ThreadId>>,
    pub(crate) stats: Stats,
    pub(crate) process: u32,
    /// Whether a thread drives the current-thread runtime.
    pub(crate) driven: AtomicBool,
    pub(crate) wind_down: wind_down::WindDown,
    /// Where the time moves by itself.
    pub(crate) jumps: Option<jumps::Jumps>,
    /// Rung to end a `run_forever`.
    pub(crate) forever: Notify,
}

/// Tasks that were spawned by no worker.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) owned: OwnedList,
    pub(crate) gate: Gate,
}

/// Who may enter a list of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// Children of groups as they are, everybody else cancelled: see `wind_down.rs`.
    ChildrenOnly,
    /// Nobody: the runtime shuts down.
    Closed,
}

/// The role of the one worker that waits in the reactor and for the timers of threads that are no workers.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// Held by whoever is inside a turn of the reactor.
    pub(crate) seat: Mutex<()>,
    /// The slot of the worker that sleeps in the seat, plus one.
    pub(crate) slot: AtomicUsize,
    /// Until when it sleeps.
    pub(crate) deadline: AtomicU64,
    /// How many workers sleep past timers that they have entrusted to it.
    pub(crate) entrusted: Counter,
}

/// What is counted per runtime, off every hot path.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) remote_schedules: Counter,
    pub(crate) remote_wakes: Counter,
    pub(crate) rescues: Counter,
    pub(crate) rescued: Counter,
    /// Not zero while the watchdog holds tasks that lie in no queue; only `settle` wants to know.
    pub(crate) in_rescue: Counter,
    pub(crate) spares_started: Counter,
    pub(crate) slow_polls: Counter,
    pub(crate) watchdog_ticks: Counter,
    /// Nanoseconds from waking a worker to its running again, as seen lately.
    pub(crate) wake_cost: Counter,
}

/// A borrowed reference to the core, which every task holds.
///
/// It is not counted, so that spawning writes no line that all workers write. Why it never dangles: the core is freed only
/// when every task is complete (`shutdown.rs` waits for that, or leaks the core and says so), and an incomplete task is the
/// only thing that looks through it. Whoever schedules a task from outside of the workers holds a counted reference
/// meanwhile, because once the task is in a queue it may complete at any moment.
#[derive(Clone, Copy)]
pub(crate) struct CoreRef(NonNull<Core>);

// SAFETY: a reference to the core, which is Sync.
unsafe impl Send for CoreRef {}
// SAFETY: as above.
unsafe impl Sync for CoreRef {}

impl CoreRef {
    pub(crate) fn new(core: &Shared<Core>) -> Self {
        Self(Shared::as_ptr(core))
    }

    fn is(self, core: &Shared<Core>) -> bool {
        self.0 == Shared::as_ptr(core)
    }

    /// # Safety
    /// The core is alive: a task that refers to it is incomplete.
    unsafe fn to_shared(self) -> Shared<Core> {
        // SAFETY: the core always lives inside a Shared; the count is raised before this borrowed owner is given up.
        let borrowed = ManuallyDrop::new(unsafe { Shared::from_raw(self.0.as_ptr()) });
        (*borrowed).clone()
    }
}

impl Schedule for CoreRef {
    #[inline]
    fn schedule(&self, task: Runnable, turn: Turn) {
        let mut task = Some(task);
        context::with_worker(|worker| {
            if self.is(&worker.core)
                && let Some(task) = task.take()
            {
                match turn {
                    Turn::Next => worker.push(task),
                    Turn::Behind => worker.push_back(task),
                }
            }
        });
        if let Some(task) = task.and_then(|task| coarse::take_from_inside(self.0, task)) {
            // SAFETY: the task is incomplete.
            let core = unsafe { self.to_shared() };
            core.inject(task);
        }
    }

    #[inline]
    unsafe fn leave(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the task is incomplete.
        let owner = unsafe { task.as_ref() }.spec.owner();
        let left = context::with_worker(|worker| {
            let mine = worker.index == owner as usize && self.is(&worker.core);
            if mine {
                // SAFETY: this thread sits at the slot whose list owns the task.
                worker.own(|local| unsafe { local.owned.remove(task) });
            }
            mine
        });
        left == Some(true)
    }

    unsafe fn release(&self, task: NonNull<Header>) {
        // SAFETY: called once per task by the thread that completed it, which is a worker (and holds the core) or the
        // thread that shuts down (and holds it too).
        unsafe {
            let core = self.0.as_ref();
            let owner = task.as_ref().spec.owner();
            match owner {
                NOWHERE => {}
                OUTSIDE => core.outside.lock().owned.remove(task),
                owner => {
                    let slot = &core.slots[owner as usize];
                    if slot.finished.push(task).is_multiple_of(UNDRAINED) {
                        // The owner sleeps or is stuck; drained in its place, outside of the section.
                        drop(slot.local.try_take(|local| slot.finished.drain(&mut local.owned)));
                    }
                    return;
                }
            }
            cell::release(task);
        }
    }

    fn watched_ends(&self, task: NonNull<Header>) {
        // SAFETY: the task is incomplete, so it and the core are alive.
        let core = unsafe { self.0.as_ref() };
        if let Some(hook) = &core.config.on_complete {
            // SAFETY: as above.
            let mut info = unsafe { TaskInfo::of(task) };
            info.state = TaskState::Finished;
            birth::tell(core, &**hook, info);
        }
    }

    fn ends(&self) -> bool {
        // SAFETY: asked by whoever is inside the task, which is incomplete.
        unsafe { self.0.as_ref() }.is_stopping()
    }

    fn ended(&self, is_child: bool) {
        // SAFETY: as in release, the calling thread holds the core.
        unsafe { self.0.as_ref() }.wind_down.ended(is_child);
    }

    fn unhandled(&self, what: &Unhandled<'_>) {
        // A handle may be dropped after the runtime is gone, so the core is reached only through a thread that holds it.
        context::report(what, self.0);
    }
}

impl Core {
    /// Takes a task from a thread that is no worker of this runtime.
    pub(crate) fn inject(&self, task: Runnable) {
        let Some(task) = self.coarse.take(task) else { return };
        self.stats.remote_schedules.add(1);
        if task.header().spec.pinned && self.config.multi {
            return self.mail(task);
        }
        if self.idle.publish(|| self.injector.push(task)) {
            self.wake_one();
        }
    }

    /// Brings a pinned task to its worker.
    fn mail(&self, task: Runnable) {
        let owner = task.header().spec.owner() as usize;
        let slot = &self.slots[owner];
        let sleeps = self.idle.publish_to(owner, || {
            slot.inbox.lock().push(task);
            // Ordering: Relaxed: the worker acquires the tasks by the inbox's lock; the flag is ordered by the pair.
            slot.has_mail.store(true, Ordering::Relaxed);
        });
        if sleeps {
            self.wake(owner);
        }
    }

    /// Wakes one sleeper, if there is one.
    pub(crate) fn wake_one(&self) -> bool {
        let Some(worker) = self.idle.claim_any() else { return false };
        self.wake(worker);
        true
    }

    /// Wakes a worker that the caller has claimed.
    pub(crate) fn wake(&self, worker: usize) {
        self.stats.remote_wakes.add(1);
        let slot = &self.slots[worker];
        slot.claimed_at.set(crate::platform::clock::real_now());
        match (slot.bed(), &self.reactor) {
            (Bed::Reactor, Some(reactor)) => reactor.notify(),
            _ => {
                slot.parker.unpark();
            }
        }
    }

    /// A timer of the threads that are no workers is now the earliest: tells the keeper if it sleeps longer than that.
    pub(crate) fn outside_timer_armed(&self, deadline: u64) {
        let keeper = &self.keeper;
        let late = weftwork_sync::primitive::dekker::publish_then_check(
            || {}, // published by arm, under the lock of the timers
            || match keeper.slot.load(Ordering::Relaxed) {
                0 => None,
                slot => (keeper.deadline.load(Ordering::Relaxed) > deadline).then_some(slot - 1),
            },
        );
        if let Some(slot) = late.filter(|slot| self.idle.claim(*slot)) {
            self.wake(slot);
        }
    }

    /// Allocates a task, makes it owned and ready.
    ///
    /// # Safety
    /// As [`cell::allocate`]: a future that may not leave its thread must be `pinned`, and the caller a worker of this
    /// core.
    #[inline]
    pub(crate) unsafe fn spawn<F: Future>(
        this: &Shared<Self>,
        future: F,
        spec: Spec,
        name: impl Name,
    ) -> NonNull<Header> {
        // SAFETY: as the caller promises.
        unsafe { Self::spawn_with(this, future, spec, name, Worker::adopt) }
    }

    /// As [`spawn`](Self::spawn), and a worker of this core polls it at once, inside of the poll that spawns it.
    ///
    /// # Safety
    /// As `spawn`.
    pub(crate) unsafe fn spawn_eager<F: Future>(
        this: &Shared<Self>,
        future: F,
        spec: Spec,
        name: impl Name,
    ) -> NonNull<Header> {
        // SAFETY: as the caller promises.
        unsafe { Self::spawn_with(this, future, spec, name, Worker::adopt_and_poll) }
    }

    /// Allocates a task, which `adopt` makes owned if the calling thread is a worker of this core.
    ///
    /// # Safety
    /// As `spawn`.
    #[inline(always)]
    unsafe fn spawn_with<F: Future>(
        this: &Shared<Self>,
        future: F,
        spec: Spec,
        name: impl Name,
        adopt: impl FnOnce(&Worker, NonNull<Header>),
    ) -> NonNull<Header> {
        let scheduler = CoreRef::new(this);
        let seat = context::with_worker(|worker| scheduler.is(&worker.core).then_some(worker.index)).flatten();
        let spec = spec.owned_by(seat.map_or(OUTSIDE, |index| index as u32));
        let future = events::in_task(future, &spec, name.text());
        // SAFETY: as the caller promises.
        let task = unsafe { cell::allocate(future, scheduler, spec, name) };
        if birth::is_attended() {
            birth::attend(this, task);
        }
        if seat.is_some() {
            context::with_worker(|worker| adopt(worker, task));
        } else {
            this.adopt(task);
        }
        task
    }

    /// Owns and schedules a task that no worker spawned.
    fn adopt(&self, task: NonNull<Header>) {
        let mut outside = self.outside.lock();
        // SAFETY: the task is new, and the caller's.
        let header = unsafe { task.as_ref() };
        if outside.gate == Gate::ChildrenOnly && !header.is_child() && !header.state.is_cancelled() {
            drop(outside);
            Self::bear_cancelled(task);
            return self.adopt(task);
        }
        if outside.gate == Gate::Closed {
            drop(outside);
            return Self::refuse(task);
        }
        // SAFETY: the task is new: in no list, and one of its references is the list's.
        unsafe { outside.owned.insert(task) };
        drop(outside);
        // SAFETY: a new task is scheduled, and this is its Runnable.
        self.inject(unsafe { Runnable::from_ptr(task) });
    }

    /// A task that no list would take: it never runs and its handle says why.
    pub(crate) fn refuse(task: NonNull<Header>) {
        // SAFETY: the task is new, and the caller's. Its group may look at it already.
        let header = unsafe { task.as_ref() };
        header.spec.disown(NOWHERE);
        header.set_cause(CancelCause::new(CancelKind::Shutdown));
        let _ = header.state.cancel();
        // SAFETY: a new task is scheduled, and this is its Runnable.
        unsafe { Runnable::from_ptr(task) }.run();
    }

    /// Calls wakers on a thread that is no worker; a panic in one keeps no other from being called.
    fn wake_contained(&self, wakers: Vec<Waker>) {
        for waker in wakers {
            if let Err(payload) = contain(|| waker.wake()) {
                self.report_panic(UnhandledKind::WakerPanicked, payload);
            }
        }
    }

    /// Reports a panic that belongs to no task.
    pub(crate) fn report_panic(&self, kind: UnhandledKind, payload: weftwork_sync::primitive::Panic) {
        self.report(&Unhandled::elsewhere(kind, crate::task::error::payload_text(&payload)));
        cell::drop_payload(payload);
    }

    /// Has every worker look at everything; those that sleep are woken.
    pub(crate) fn nudge_all(&self) {
        for (index, slot) in self.slots.iter().enumerate() {
            // Ordering: Release, for what a worker has to know that finds it: see `wind_down.rs`.
            if self.idle.publish_to(index, || slot.nudged.store(true, Ordering::Release)) {
                self.wake(index);
            }
        }
    }

    pub(crate) fn report(&self, what: &Unhandled<'_>) {
        what.report(self.config.on_unhandled.as_deref());
    }

    pub(crate) fn is_stopping(&self) -> bool {
        // Ordering: Acquire pairs with shutdown's store; where a sleeper must not miss it, it is inside a pair.
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether a worker could find something to do outside of its own queues.
    pub(crate) fn has_visible_work(&self) -> bool {
        !self.injector.is_empty() || self.slots.iter().any(|slot| slot.can_be_robbed())
    }
}

// No panic leaves the core in a state that another call could be surprised by: foreign code runs outside of its locks and
// sections, and what it does is contained.
impl core::panic::RefUnwindSafe for Core {}
impl core::panic::UnwindSafe for Core {}

impl core::fmt::Debug for Core {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Core")
            .field("workers", &self.config.workers)
            .field("multi", &self.config.multi)
            .finish_non_exhaustive()
    }
}

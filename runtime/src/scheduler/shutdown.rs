//! The end of a runtime, and the life of its threads.
//!
//! Whoever ends a runtime (the coordinator) sets `stopping`, wakes everybody, waits a moment for the threads to leave, and
//! then finishes every task that no thread is inside of, also while one is still inside another: that one may be waiting
//! for a task which only this ends (tokio issue 3228).
//! 1. every list is closed, in the same section in which its tasks are collected, so a spawn either came before and is
//!    found, or is refused and its future dropped by its spawner (model L12);
//! 2. every `Runnable` in any queue is run as cancelled, which drops the future;
//! 3. every task that is idle is claimed and its future dropped.
//!
//! Dropping futures wakes other tasks and may try to spawn, so this goes round until every task is complete. What is left
//! at the deadline are tasks that a thread is inside of: they are marked as cancelled, reported by name, and the core is
//! leaked for them, because they refer to it without counting.
//!
//! A task pinned to a thread is finished only on that thread; found elsewhere it is left and named.

use super::slot::Local;
use super::worker::{STRIDE, Worker};
use super::{Core, Gate};
use crate::context;
use crate::observe::events;
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::platform::clock::{nanoseconds, real_now};
use crate::task::cell::{self, Header};
use crate::task::state::Claim;
use crate::task::{CancelCause, CancelKind, Runnable, TaskId, TaskInfo};
use core::fmt;
use core::ptr::NonNull;
use core::time::Duration;
use weftwork_sync::primitive::atomic::Ordering;
use weftwork_sync::primitive::{Condvar, Mutex, Parker, Shared, contain, thread};

/// Counts the threads of a runtime.
#[derive(Debug, Default)]
pub(crate) struct Exits {
    threads: Mutex<usize>,
    bell: Condvar,
}

impl Exits {
    pub(crate) fn enter(&self) {
        *self.threads.lock() += 1;
    }

    pub(crate) fn leave(&self) {
        let mut threads = self.threads.lock();
        *threads -= 1;
        let last = *threads == 0;
        drop(threads);
        if last {
            self.bell.notify_all();
        }
    }

    /// Waits until no thread is left; `false` if `until` came first.
    fn wait(&self, until: u64) -> bool {
        let mut threads = self.threads.lock();
        while *threads > 0 {
            if until == u64::MAX {
                threads = self.bell.wait(threads);
                continue;
            }
            let now = real_now();
            if now >= until {
                return false;
            }
            (threads, _) = self.bell.wait_timeout(threads, Duration::from_nanos(until - now));
        }
        true
    }
}

/// Shutdown reached its deadline with threads still inside tasks or blocking calls, or with tasks that had not cleaned up.
///
/// Threads cannot be stopped from outside; the process may exit all the same.
#[derive(Debug)]
#[non_exhaustive]
pub struct ShutdownError {
    /// The tasks whose polls have not returned.
    pub tasks: Vec<TaskInfo>,
    /// Names of the blocking calls that have not returned.
    pub blocking: Vec<String>,
    /// The tasks that had not ended when the grace was over, and were dropped where they waited.
    pub cut_off: Vec<TaskInfo>,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tasks, calls) = (self.tasks.len(), self.blocking.len());
        if tasks + calls > 0 {
            write!(f, "shutdown left {tasks} task(s) and {calls} blocking call(s) behind:")?;
        }
        for task in &self.tasks {
            write!(f, " {task};")?;
        }
        for name in &self.blocking {
            write!(f, " blocking call {name};")?;
        }
        if self.cut_off.is_empty() {
            return Ok(());
        }
        if tasks + calls > 0 {
            f.write_str(" ")?;
        }
        write!(f, "shutdown cut off {} task(s) that had not cleaned up when the grace was over:", self.cut_off.len())?;
        self.cut_off.iter().try_for_each(|task| write!(f, " {task};"))
    }
}

impl std::error::Error for ShutdownError {}

/// Starts the thread of a worker.
///
/// # Errors
/// The system refused the thread.
pub(crate) fn start_worker(core: &Shared<Core>, slot: usize) -> std::io::Result<()> {
    let theirs = core.clone();
    core.exits.enter();
    let started = thread::spawn(format!("{}-{slot}", core.config.thread_name), move || {
        // Dropped in this order, backwards: the seat, this thread's share of the runtime, and then it is gone.
        let _left = Left(theirs.exits.clone());
        let theirs = theirs;
        let _seat = SeatGone { core: &theirs, slot };
        crate::platform::sharpen_timers();
        hook(&theirs, theirs.config.on_thread_start.as_deref());
        let worker = Worker::sit(theirs.clone(), slot);
        loop {
            theirs.watchdog.stir(&theirs, slot);
            context::sit(&worker, || worker.work());
            if theirs.is_stopping() || !theirs.spares.rest(&theirs, slot) {
                break;
            }
        }
        drop(worker);
        hook(&theirs, theirs.config.on_thread_stop.as_deref());
    });
    if started.is_err() {
        core.exits.leave();
    }
    started.map(drop)
}

/// Says that a thread is gone, however it went, and that it holds nothing of the runtime any more.
pub(super) struct Left(pub(super) Shared<Exits>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Says that a worker's seat is empty.
struct SeatGone<'a> {
    core: &'a Core,
    slot: usize,
}

impl Drop for SeatGone<'_> {
    fn drop(&mut self) {
        self.core.spares.gone(self.core, self.slot);
    }
}

/// Runs a hook of the user's; a panic in it is reported and ends there.
fn hook(core: &Core, hook: Option<&(dyn Fn() + Send + Sync)>) {
    let Some(hook) = hook else { return };
    if let Err(payload) = contain(hook) {
        core.report_panic(UnhandledKind::HookPanicked, payload);
    }
}

impl Worker {
    /// Steps until the runtime stops or the worker is dismissed, and leaves.
    fn work(&self) {
        let core = &self.core;
        let stays = || !core.is_stopping() && !core.spares.wants_to_leave(core, self.index);
        while stays() {
            // No panic of a task gets here; one of our own must not take the worker with it.
            let stepped = contain(|| self.steps(STRIDE, &stays));
            if let Err(payload) = stepped {
                core.report_panic(UnhandledKind::WorkerPanicked, payload);
            }
        }
        self.leave();
    }

    /// The worker gives up its seat; what others may run goes to them.
    pub(crate) fn leave(&self) {
        if self.searching.replace(false) {
            // With the fence of a search that found something: whoever relied on it slept before, and is seen below.
            let _ = self.core.idle.end_search_with_work(|| true);
        }
        // What is let go of may be foreign code that wakes tasks, so only then nothing more can come here.
        self.tidy();
        self.own(|local| local.current = None);
        self.hand_over();
        // Somebody may have relied on this worker: a publisher on its search, the reactor and the timers on its being the
        // keeper. Everybody looks at all of that. Told by a nudge, which the last check before sleeping sees: a worker that
        // found the keeper's seat taken a moment ago is on its way to bed, and not yet to be claimed.
        self.core.nudge_all();
        self.core.wind_down.ring();
    }
}

impl Core {
    /// Tells every thread to stop.
    pub(crate) fn stop(&self) {
        if self.idle.publish(|| self.stopping.store(true, Ordering::Release)) || self.idle.anybody_sleeps() {
            while self.wake_one() {}
        }
        self.watchdog.wake();
        self.spares.send_home();
        if let Some(reactor) = &self.reactor {
            reactor.notify();
        }
    }

    /// Ends the runtime, waiting at most for `timeout` (`None` is for ever).
    ///
    /// # Errors
    /// Names what a thread is still inside of.
    pub(crate) fn shutdown(this: &Shared<Self>, timeout: Option<Duration>) -> Result<(), ShutdownError> {
        let until = timeout.map_or(u64::MAX, |timeout| real_now().saturating_add(nanoseconds(timeout)));
        events::shutdown(events::Shutdown::Begins { timeout });
        this.stop();
        let _entered = context::enter(this.clone());
        let patience =
            if until == u64::MAX { until } else { until.min(real_now().saturating_add(nanoseconds(PATIENCE))) };
        let all = this.exits.wait(patience);
        events::shutdown(events::Shutdown::WorkersLeft { all });
        if let Some(Err(payload)) = this.reactor.as_ref().map(|reactor| reactor.shutdown()) {
            this.report_panic(UnhandledKind::WakerPanicked, payload);
        }
        // Before the tasks, so that a thread which waits for time inside of one comes out of it.
        let timers = this.slots.iter().map(|slot| &slot.timers).chain([&this.outside_timers]);
        for timers in timers {
            this.wake_contained(timers.close());
        }
        let tasks = this.finish_tasks(until);
        let cut_off = this.name_those_cut_off(&tasks);
        events::shutdown(events::Shutdown::TasksFinished { left: tasks.len() });
        // Whoever was still inside of one has come out, or there is no more time.
        this.exits.wait(until);
        for slot in &this.slots {
            // What was finished here was handed back to owners that will not come for it.
            drop(slot.drain_finished());
        }
        let left = timeout.map(|_| Duration::from_nanos(until.saturating_sub(real_now())));
        let blocking = this
            .pool
            .shutdown(left)
            .err()
            .map_or_else(Vec::new, |still| still.jobs().iter().map(|job| job.name().to_owned()).collect());
        this.tell_what_is_open();
        events::shutdown(events::Shutdown::Over { tasks_left: tasks.len(), calls_left: blocking.len() });
        if !tasks.is_empty() {
            // They refer to the core without counting.
            core::mem::forget(this.clone());
        }
        if tasks.is_empty() && blocking.is_empty() && cut_off.is_empty() {
            Ok(())
        } else {
            Err(ShutdownError { tasks, blocking, cut_off })
        }
    }

    /// In debug mode: sockets and the like that outlive their runtime, and are of no use any more.
    fn tell_what_is_open(&self) {
        let open = self.reactor.as_ref().filter(|_| self.config.debug).map_or(0, |reactor| reactor.registered());
        if open > 0 {
            let message = format!("{open} sockets, or other descriptors, outlive their runtime");
            self.report(&Unhandled::elsewhere(UnhandledKind::NotClosed, Some(&message)));
        }
    }

    /// Reports those that had not ended when the grace was over; those that are `left` are reported as that.
    fn name_those_cut_off(&self, left: &[TaskInfo]) -> Vec<TaskInfo> {
        let mut cut_off = self.wind_down.take_cut_off();
        cut_off.retain(|task| left.iter().all(|left| left.id != task.id));
        for task in &cut_off {
            self.report(&Unhandled::of_task(UnhandledKind::CutOff, task, None));
        }
        cut_off
    }

    /// Finishes every task that no thread is inside of; answers with those that are left at `until`.
    pub(crate) fn finish_tasks(&self, until: u64) -> Vec<TaskInfo> {
        loop {
            let held = self.finish_round();
            if held.is_empty() {
                return Vec::new();
            }
            // Tasks of another thread stay where they are however long this one waits.
            let elsewhere = held.iter().all(|task| task.why == Why::Elsewhere);
            let stuck = held.iter().all(|task| task.why != Why::InFlight);
            let late = real_now() >= until && (stuck || real_now() >= until.saturating_add(nanoseconds(IN_FLIGHT)));
            if elsewhere || late {
                for task in &held {
                    self.report(&Unhandled::of_task(UnhandledKind::LeftBehind, &task.left, Some(task.why.text())));
                }
                return held.into_iter().map(|task| task.left).collect();
            }
            if stuck {
                // Somebody is inside a poll: looked at again soon.
                let _ = Parker::new().park_for(Some(LOOK_AGAIN));
            }
            thread::yield_now();
        }
    }

    /// One round: closes every list, runs every `Runnable` as cancelled, claims every idle task.
    fn finish_round(&self) -> Vec<Held> {
        let here = thread::current_id();
        let foreign_home = self.home.lock().is_some_and(|home| home != here);
        let mut owned: Vec<NonNull<Header>> = Vec::new();
        let mut queued: Vec<Runnable> = Vec::new();
        let mut inside: Vec<TaskId> = Vec::new();
        let mut collect = |task: NonNull<Header>| {
            // SAFETY: in a list and so alive; the reference taken here keeps it so after the section.
            unsafe { task.as_ref().state.reference() };
            owned.push(task);
        };
        {
            let mut outside = self.outside.lock();
            outside.gate = Gate::Closed;
            outside.owned.for_each(&mut collect);
        }
        for slot in &self.slots {
            let completed = slot.local.take(|local: &mut Local| {
                local.gate = Gate::Closed;
                queued.extend(local.take_all());
                queued.extend(local.pinned.drain(..));
                inside.extend(local.current.map(|(id, _)| id));
                let completed = slot.finished.drain(&mut local.owned);
                local.owned.for_each(&mut collect);
                completed
            });
            drop(completed);
            queued.append(&mut slot.inbox.lock());
        }
        queued.extend(core::iter::from_fn(|| self.injector.pop()));
        let mut kept = Vec::new();
        for task in queued {
            task.header().set_cause(CancelCause::new(CancelKind::Shutdown));
            let _ = task.header().state.cancel();
            if foreign_home && task.header().spec.pinned {
                kept.push(task.into_ptr());
            } else {
                task.run();
            }
        }
        let mut held = Vec::new();
        for task in owned {
            // SAFETY: a reference was taken above.
            let header = unsafe { task.as_ref() };
            header.set_cause(CancelCause::new(CancelKind::Shutdown));
            let elsewhere = foreign_home && header.spec.pinned;
            let claim = if elsewhere && !header.state.is_complete() { Claim::Held } else { header.state.claim_idle() };
            match claim {
                // SAFETY: claimed.
                Claim::Claimed => unsafe { cell::cancel_claimed(task) },
                Claim::Complete => {}
                Claim::Held => held.push(Held {
                    why: match (elsewhere, inside.contains(&header.spec.id)) {
                        (true, _) => Why::Elsewhere,
                        (false, true) => Why::Inside,
                        (false, false) => Why::InFlight,
                    },
                    // SAFETY: the reference taken above keeps it alive.
                    left: unsafe { TaskInfo::of(task) },
                }),
            }
            // SAFETY: taken above, released once.
            unsafe { cell::release(task) };
        }
        held
    }

    /// Whether a task is left that may be polled and dropped by one thread only.
    pub(crate) fn has_local_tasks(&self) -> bool {
        let local = |task: NonNull<Header>| {
            // SAFETY: in a list that this section holds still, and so alive.
            let header = unsafe { task.as_ref() };
            header.spec.pinned && !header.state.is_complete()
        };
        self.slots.iter().any(|slot| {
            slot.local.take(|slot| {
                let mut found = false;
                slot.owned.for_each(|task| found |= local(task));
                found
            })
        })
    }

    /// Tasks that are not complete; a walk through every list.
    pub(crate) fn live_tasks(&self) -> usize {
        let outside = self.outside.lock().owned.len();
        let inside = |slot: &super::slot::Slot| {
            slot.local.take(|local| {
                let mut live = 0;
                // SAFETY: in a list that this section holds still, and so alive.
                local.owned.for_each(|task| live += usize::from(unsafe { !task.as_ref().state.is_complete() }));
                live
            })
        };
        outside + self.slots.iter().map(|slot| inside(slot)).sum::<usize>()
    }
}

/// How long polls may take to return by themselves before the tasks beside them are finished.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long a waker that has taken a task but not yet queued it is waited for beyond the deadline.
const IN_FLIGHT: Duration = Duration::from_millis(100);
/// How often a stuck task is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

struct Held {
    why: Why,
    left: TaskInfo,
}

/// Why a task cannot be finished now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// A thread is inside its poll.
    Inside,
    /// A waker has taken it and not yet queued it.
    InFlight,
    /// It may be dropped by another thread only.
    Elsewhere,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::Inside => "a thread is still inside its poll",
            Self::InFlight => "a thread that wakes it has not come back",
            Self::Elsewhere => "it is local to another thread: end the runtime there",
        }
    }
}

//! The end of a run, before that of the runtime: tasks are cancelled and clean up, while everything still works.
//!
//! [`shutdown`](super::shutdown) drops what is left where it waits, and no task runs any more. A *wind-down* comes before it where
//! somebody has the time: at the end of `run`, and in `Runtime::shutdown`. Workers, timers, sockets and the pool are all there; only
//! the tasks are told to end, and have a grace, by the runtime's clock, to do so.
//!
//! The stages, moved on by the one who winds down:
//!
//! | stage | who is cancelled | who is waited for |
//! |---|---|---|
//! | `RUNNING` | nobody | |
//! | `LET_GO` | every task that belongs to no group or set; plain spawns are born cancelled | the same |
//! | `EVERYBODY` | what is left: children whose group nobody of the runtime's runs | all |
//!
//! Children of a group are left to their group at first: it cancels them, unless it stands inside of a shield, which a clean-up may well
//! do. What such a group spawns meanwhile runs, for it inherits the group's scope and not the runtime's (rules 38 and 44).
//!
//! A *look* walks through all lists, has what it finds there cancelled, and counts what is incomplete. Whoever winds down looks again
//! when the bell rings, until it counts nothing or the grace is over; what is left then is shutdown's. The bell is rung
//! - by the last of those that were counted: each task that was cancelled counts `left` down *after* it is complete;
//! - by each worker in the step after its present poll: the look nudges all of them if it is the first of its stage, or has cancelled
//!   somebody.
//!
//! Only the look decides; the count merely says when one is worth it. So what counts twice costs a look, and what is not counted is
//! what has to be argued about.
//!
//! Races:
//! 1. Spawning against the first look: both need the list. Spawned first: the look finds the task. Looked first: the spawn finds the
//!    list's gate, and its task is cancelled before it is queued. Children pass the gate.
//! 2. Completing against a look: `left` is raised out of reach before the walk, and lowered to what was counted after it, so a task that
//!    was counted and completed meanwhile is taken off all the same; one that completed before it was counted may be taken off too, and
//!    rings early. Raising it is a read-modify-write: what was counted down before is forgotten, and those tasks are seen as complete.
//! 3. Completing without knowing: a poll that was under way as the task was cancelled may end the task without a look at its root, or at
//!    the stage. Its worker finds the nudge in its next step, or looks around as it leaves, and rings: the task is complete by then. The
//!    nudge also hands every later poll the stage, by Release and Acquire.
//! 4. A bell that rings before anybody waits is kept ([`Notify`]).
//! 5. A blocked poll is in nobody's way: the others end, and it is counted until the grace is over.
//! 6. A panic in a clean-up is the task's own, and so is what its destructors do; the waker of a region that panics while it is told is
//!    contained here, and the walk goes on.
//! 7. The grace ends against the last task's completion: the last look decides, and what completes after it was late.

use super::{Core, Gate};
use crate::task::cell::{self, Header};
use crate::task::{CancelCause, TaskId, TaskInfo};
use core::ptr::NonNull;
use weftwork_sync::Notify;
use weftwork_sync::primitive::atomic::{AtomicU8, AtomicUsize, Ordering};
use weftwork_sync::primitive::{Mutex, contain};

/// How far the tasks are told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    Running,
    LetGo,
    Everybody,
}

/// `left` while a look is under way: nobody counts as many down.
const LOOKING: usize = 1 << (usize::BITS - 1);

/// What a wind-down and the tasks that end meanwhile share.
#[derive(Debug)]
pub(crate) struct WindDown {
    stage: AtomicU8,
    /// Completions until it is worth looking again.
    left: AtomicUsize,
    bell: Notify,
    /// What had not ended when the grace was over; shutdown names it.
    cut_off: Mutex<Vec<TaskInfo>>,
}

impl WindDown {
    pub(crate) fn new() -> Self {
        Self {
            stage: AtomicU8::new(Stage::Running as u8),
            left: AtomicUsize::new(LOOKING),
            bell: Notify::new(),
            cut_off: Mutex::new(Vec::new()),
        }
    }

    /// A task that was cancelled, or waited for what it left behind, is complete.
    pub(super) fn ended(&self, is_child: bool) {
        // Ordering: Relaxed: race 3.
        let stage = self.stage.load(Ordering::Relaxed);
        if stage == Stage::Running as u8 || is_child && stage == Stage::LetGo as u8 {
            return;
        }
        // Ordering: AcqRel, so that who rings passes on the completions of all; the bell's lock hands them to the look.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.bell.notify_one();
        }
    }

    /// A worker is between two polls and was told to look around, or leaves.
    pub(super) fn ring(&self) {
        if self.stage.load(Ordering::Relaxed) != Stage::Running as u8 {
            self.bell.notify_one();
        }
    }

    /// Waits for a reason to look again.
    pub(crate) fn rung(&self) -> weftwork_sync::Notified<'_> {
        self.bell.notified()
    }

    pub(super) fn take_cut_off(&self) -> Vec<TaskInfo> {
        core::mem::take(&mut *self.cut_off.lock())
    }
}

/// An incomplete task that a look found, and a reference to it.
struct Found(NonNull<Header>);

impl Found {
    fn header(&self) -> &Header {
        // SAFETY: the reference keeps it alive.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        // SAFETY: taken by the walk, given up once.
        unsafe { cell::release(self.0) };
    }
}

impl Core {
    /// Looks: cancels whom the stage says for `cause`, and counts who is waited for. `own` is the task that winds down, if it is one.
    pub(crate) fn look_who_is_left(&self, stage: Stage, own: Option<TaskId>, cause: &CancelCause) -> usize {
        let wind_down = &self.wind_down;
        // Ordering: Acquire pairs with those who counted down: the walk sees them complete, since what they counted is lost.
        wind_down.left.swap(LOOKING, Ordering::AcqRel);
        // Ordering: Relaxed: handed to the workers by the nudge (race 3), which follows for that alone where nobody is to be told.
        let mut told = wind_down.stage.swap(stage as u8, Ordering::Relaxed) != stage as u8;
        let found = self.walk(stage, own);
        for task in &found {
            // A waker is foreign code.
            // SAFETY: the reference of `found`.
            let cancelled = contain(|| unsafe { cell::cancel_for(task.0, cause.clone()) });
            told |= match cancelled {
                Ok(first) => first,
                Err(payload) => {
                    cell::drop_payload(payload);
                    true
                }
            };
        }
        let counted = found.iter().filter(|task| !task.header().state.is_complete()).count();
        // Ordering: AcqRel as in `ended`: it may be the last to count down.
        let before = wind_down.left.fetch_sub(LOOKING - counted, Ordering::AcqRel);
        if told {
            self.nudge_all();
        }
        if LOOKING - before >= counted && counted > 0 {
            // Race 2: they have ended meanwhile.
            wind_down.bell.notify_one();
        }
        counted
    }

    /// The grace is over: who is left is named by shutdown.
    pub(crate) fn grace_is_over(&self, own: Option<TaskId>) {
        let found = self.walk(Stage::Everybody, own);
        let incomplete = found.iter().filter(|task| !task.header().state.is_complete());
        // SAFETY: the reference of `found`.
        let cut_off = incomplete.map(|task| unsafe { TaskInfo::of(task.0) }).collect();
        *self.wind_down.cut_off.lock() = cut_off;
    }

    /// Every task of the stage, oldest first as far as one list says, and the gates of all lists pulled to.
    fn walk(&self, stage: Stage, own: Option<TaskId>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut collect = |task: NonNull<Header>| {
            // SAFETY: in a list that this section holds still, and so alive.
            let header = unsafe { task.as_ref() };
            let is_child = stage == Stage::LetGo && header.is_child();
            if Some(header.spec.id) != own && !is_child && !header.state.is_complete() {
                header.state.reference();
                found.push(Found(task));
            }
        };
        {
            let mut outside = self.outside.lock();
            outside.gate.pull_to();
            outside.owned.for_each(&mut collect);
        }
        for slot in &self.slots {
            slot.local.take(|local| {
                local.gate.pull_to();
                local.owned.for_each(&mut collect);
            });
        }
        // Lists begin with what came last.
        found.reverse();
        found
    }

    /// A plain spawn while the tasks are told to end: it is born cancelled.
    #[cold]
    pub(super) fn bear_cancelled(task: NonNull<Header>) {
        // SAFETY: a new task, which its spawner holds.
        let header = unsafe { task.as_ref() };
        header.set_cause(CancelCause::new(crate::task::CancelKind::Shutdown));
        let _ = header.state.cancel();
    }
}

impl Gate {
    fn pull_to(&mut self) {
        if *self == Self::Open {
            *self = Self::ChildrenOnly;
        }
    }
}

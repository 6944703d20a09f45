//! Reads that were put off by a guess (`reactor/habit.rs`), and when they are tried after all.
//!
//! A task that puts its read off waits for an event like any other, but nobody knows yet whether its socket is empty. If
//! something is left there, no event will tell of it. So the worker that polled the task notes the read, and ends the
//! deferral if no event did: it wakes the task, which then tries. That happens
//! 1. before the worker goes to sleep, after a look at the reactor brought nothing and nothing was stolen: a worker with
//!    deferred reads never sleeps;
//! 2. after three times as many steps as there were tasks ready when the read was put off, and a [`ROUND`] of them: whoever
//!    could have answered has run by then, and the answer been read from the reactor; so what was left waits a few times as long
//!    as the queue ahead of it, and no longer;
//! 3. when the watchdog asks the worker to look around, if its polls are so long that few were made since it asked last;
//! 4. when the watchdog robs the worker, because it is stuck, and when the worker gives up its seat or its place: whatever
//!    others may run goes to them, and this with it.
//!
//! The list is part of what is the owner's ([`Biased`](super::biased::Biased)), so 4 needs no protocol of its own. It holds no
//! waker: a token and which event had been seen. What came of it meanwhile, an event, a new owner of the slot, is seen when
//! the registration is looked up, and such a note finds nobody.

use super::Core;
use super::slot::Local;
use super::worker::{ROUND, Worker};
use crate::context;
use crate::reactor::{Deferred, Reactor};
use core::task::{Context, Waker};
use std::collections::VecDeque;
use weftwork_sync::primitive::Shared;

/// Steps that a note waits for each task that was ready.
const PATIENCE: usize = 3;
/// Notes that a worker keeps; while it has as many, reads are tried at once.
const MOST: usize = 16_384;

/// The notes of one worker, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Notes(VecDeque<Note>);

#[derive(Debug)]
struct Note {
    read: Deferred,
    /// The step at which the read is tried.
    due: u32,
}

impl Notes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything, for whoever takes over.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Deferred> + use<> {
        core::mem::take(&mut self.0).into_iter().map(|note| note.read)
    }
}

/// Puts a read off with `defer`, if the caller is inside of a task of `reactor`'s runtime and on one of its workers; `true` if
/// that was done, and then the task is woken sooner or later.
pub(crate) fn put_off(reactor: &Shared<Reactor>, cx: &Context<'_>, defer: impl FnOnce() -> Option<Deferred>) -> bool {
    // Whoever polls with a waker of its own may block this thread until that is called.
    let in_task = crate::task::waker::task_of(cx.waker()).is_some();
    let noted = context::with_worker(|worker| in_task && worker.turns(reactor) && worker.note(defer));
    noted == Some(true)
}

impl Worker {
    fn turns(&self, reactor: &Shared<Reactor>) -> bool {
        self.core.reactor.as_ref().is_some_and(|mine| Shared::ptr_eq(mine, reactor))
    }

    fn note(&self, defer: impl FnOnce() -> Option<Deferred>) -> bool {
        // Outside of the section: it clones a waker of ours.
        let Some(ready) = self.own(|local| (local.deferred.0.len() < MOST).then(|| local.ready())) else {
            return false;
        };
        let Some(read) = defer() else { return false };
        let wait = (ready * PATIENCE) as u32 + ROUND;
        let due = self.steps.get().wrapping_add(wait);
        self.own(|local| local.deferred.0.push_back(Note { read, due }));
        true
    }

    /// Looks at the reactor before anything is given up; `true` if there is something to run now.
    pub(super) fn look_for_deferred(&self) -> bool {
        if self.own(|local| local.deferred.is_empty()) {
            return false;
        }
        if let Some(reactor) = &self.core.reactor {
            self.turn_without_waiting(reactor);
        }
        self.has_own_work()
    }

    /// Has the reads tried whose time has come.
    pub(super) fn try_due(&self) {
        let now = self.steps.get();
        self.try_deferred(|local| {
            let is_due = |note: &&Note| now.wrapping_sub(note.due).cast_signed() >= 0;
            let count = local.deferred.0.iter().take_while(is_due).count();
            local.deferred.0.drain(..count).map(|note| note.read).collect()
        });
    }

    /// Has all of them tried; `true` if there is something to run now.
    pub(crate) fn try_all(&self) -> bool {
        self.try_deferred(|local| local.deferred.take_all().collect());
        self.has_own_work()
    }

    fn try_deferred(&self, which: impl FnOnce(&mut Local) -> Vec<Deferred>) {
        let reads = self.own(|local| if local.deferred.is_empty() { Vec::new() } else { which(local) });
        if reads.is_empty() {
            return;
        }
        let mut ready = self.ready.take();
        if let Some(reactor) = &self.core.reactor {
            reactor.end_deferrals(reads, &mut ready);
        }
        self.wake_all(&mut ready);
        self.ready.set(ready);
    }
}

impl Core {
    /// Has reads tried that a worker had put off who does not come to it; returns whom to wake.
    pub(super) fn end_deferrals(&self, reads: Vec<Deferred>) -> Vec<Waker> {
        let mut ready = Vec::new();
        if let Some(reactor) = self.reactor.as_ref().filter(|_| !reads.is_empty()) {
            reactor.end_deferrals(reads, &mut ready);
        }
        ready
    }
}

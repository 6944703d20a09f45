//! New tasks: how a worker comes to own one, and who runs it first.
//!
//! A task is entered into the list of the worker whose thread spawned it, unless the lists' gate says that tasks are being told to
//! end (`wind_down.rs`) or are refused (`shutdown.rs`). Then it is queued; or, spawned eagerly, polled on the spot.

use super::worker::Worker;
use super::{Core, Gate};
use crate::scope::leaving;
use crate::task::Runnable;
use crate::task::cell::Header;
use core::cell::Cell;
use core::ptr::NonNull;

/// Tasks that are polled inside of the poll that spawned them, in each other, at most.
const EAGER: u32 = 16;

impl Worker {
    /// Owns and schedules a task spawned here.
    #[inline]
    pub(crate) fn adopt(&self, task: NonNull<Header>) {
        self.slot().counters.spawns.bump();
        let (multi, mut gate) = (self.multi, Gate::Open);
        let backlog = self.own(|local| {
            if local.gate != Gate::Open {
                gate = local.gate;
                return 0;
            }
            // SAFETY: the task is new: in no list, one of its references is the list's, and this is its Runnable.
            let task = unsafe {
                local.owned.insert(task);
                Runnable::from_ptr(task)
            };
            if multi && task.header().spec.pinned {
                local.pinned.push_back(task);
            } else if multi {
                return local.push(task);
            } else {
                local.private.push_back(task);
            }
            0
        });
        if gate != Gate::Open {
            return self.adopt_late(task, gate);
        }
        if multi {
            self.pushed(backlog);
        }
    }

    /// The tasks are being told to end, or the runtime is.
    #[cold]
    fn adopt_late(&self, task: NonNull<Header>, gate: Gate) {
        if gate == Gate::Closed {
            return Core::refuse(task);
        }
        // SAFETY: the task is new, and the caller's.
        if !unsafe { task.as_ref() }.is_child() {
            Core::bear_cancelled(task);
        }
        let entered = self.own(|local| {
            let enters = local.gate != Gate::Closed;
            if enters {
                // SAFETY: the task is new: in no list, and one of its references is the list's.
                unsafe { local.owned.insert(task) };
            }
            enters
        });
        if !entered {
            return Core::refuse(task);
        }
        // SAFETY: a new task is scheduled, and this is its Runnable.
        self.push(unsafe { Runnable::from_ptr(task) });
    }

    /// Owns a task spawned here and polls it, inside of the poll that spawned it. One deep inside of others is scheduled as usual, so that
    /// tasks that spawn each other cannot use up the stack.
    pub(crate) fn adopt_and_poll(&self, task: NonNull<Header>) {
        struct Up<'a>(&'a Cell<u32>);
        impl Drop for Up<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        if self.eager.get() == EAGER {
            return self.adopt(task);
        }
        self.eager.set(self.eager.get() + 1);
        let _up = Up(&self.eager);
        // SAFETY: the task is new and so alive.
        let spec = unsafe { &task.as_ref().spec };
        let current = (spec.id, spec.location);
        let mut outer = None;
        let owned = self.own(|local| {
            if local.gate != Gate::Open {
                return false;
            }
            // SAFETY: the task is new: in no list, and one of its references is the list's.
            unsafe { local.owned.insert(task) };
            outer = local.current.replace(current);
            true
        });
        if !owned {
            return self.adopt(task);
        }
        self.slot().counters.spawns.bump();
        self.slot().counters.polls.bump();
        // SAFETY: a new task is scheduled, and this is its Runnable.
        let first = unsafe { Runnable::from_ptr(task) };
        // It may be spawned by a destructor, and what it waits for is no part of what unwinds there.
        leaving::apart(|| first.run());
        self.own(|local| local.current = outer);
    }
}

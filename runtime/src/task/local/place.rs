//! Where values of task locals stand, and which place the calling thread is at.
//!
//! A place belongs to a task (it lies in the task's root), to a scope's future, or to the frame of a call on a plain thread. It is
//! touched by the one thread that is inside of its owner, so it has no lock; only a place that is [joint](Held::Joint) looks into
//! what others see too.
//!
//! The place that counts is the one noted last on the thread, if that was noted inside of the same task; otherwise the task's own. So a
//! task that is polled within the poll of another one, by `spawn_eager` or in a runtime driven inside of `block_in_place`, never
//! sees what is not its own.
//!
//! Values are lent to code that may set them anew meanwhile. A place counts who reads; a list that is replaced while somebody does is
//! kept until nobody does.

use super::locals::Joint;
use super::values::{Name, Value, Values};
use crate::scope::frame;
use crate::scope::root::Root;
use crate::task::birth;
use core::cell::Cell;
use core::ptr::{self, NonNull};
use weftwork_sync::primitive::{Shared, UnsafeCell};
use weftwork_sync::{coop, weft_thread_local};

weft_thread_local! {
    static NOTED: Cell<*const Note> = Cell::new(ptr::null());
}

struct Note {
    place: *const Place,
    /// The task that the thread was inside of when this was noted; null outside of all.
    task: *const (),
}

/// What counts at a place.
pub(crate) enum Held {
    /// Its own list.
    Own(Values),
    /// A list that other places look into too.
    Joint(Shared<Joint>),
}

/// See the head of this file.
pub(crate) struct Place {
    held: UnsafeCell<Held>,
    readers: Cell<u32>,
    /// Lists that were replaced while somebody read.
    replaced: UnsafeCell<Vec<Values>>,
}

// SAFETY: values are Send and Sync; a place moves with its owner while no thread is inside of that.
unsafe impl Send for Place {}

/// Reads no longer, also when the reader panics.
struct Reading<'a>(&'a Place);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let readers = self.0.readers.get() - 1;
        self.0.readers.set(readers);
        if readers == 0 {
            // SAFETY: one thread is inside, and calls no foreign code in here.
            drop(self.0.replaced.with_mut(|replaced| unsafe { core::mem::take(&mut *replaced) }));
        }
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::holding(Held::Own(Values::default()))
    }

    pub(crate) fn holding(held: Held) -> Self {
        Self { held: UnsafeCell::new(held), readers: Cell::new(0), replaced: UnsafeCell::new(Vec::new()) }
    }

    /// Calls `f` with the value of a variable, which `f` may set anew.
    pub(super) fn read<T: 'static, R>(&self, name: Name, f: impl FnOnce(Option<&T>) -> R) -> R {
        let joint = match self.held(|held| match held {
            Held::Own(values) => Err(values.find(name).map(NonNull::from)),
            Held::Joint(joint) => Ok(joint.clone()),
        }) {
            Ok(joint) => joint,
            Err(found) => {
                self.readers.set(self.readers.get() + 1);
                let _reading = Reading(self);
                // SAFETY: while somebody reads the list it is not dropped.
                return f(found.map(|found: NonNull<T>| unsafe { found.as_ref() }));
            }
        };
        let values = joint.values();
        f(values.find(name))
    }

    /// Whether it is as it was made.
    pub(crate) fn has_nothing(&self) -> bool {
        self.held(|held| matches!(held, Held::Own(values) if values.len() == 0))
    }

    /// All values at this moment.
    pub(crate) fn copy(&self) -> Values {
        self.held(|held| match held {
            Held::Own(values) => values.clone(),
            Held::Joint(joint) => joint.values(),
        })
    }

    /// Sets a variable, or with `None` takes its value away.
    pub(super) fn set(&self, name: Name, value: Option<Value>) {
        let joint = self.held(|held| if let Held::Joint(joint) = held { Some(joint.clone()) } else { None });
        match joint {
            Some(joint) => joint.set(name, value),
            None => self.replace(Held::Own(self.copy().changed(name, value))),
        }
    }

    /// Puts something else there; what was there is dropped when nobody reads it any more.
    pub(crate) fn replace(&self, with: Held) {
        // SAFETY: one thread is inside, and nothing is lent out but values in lists, which are kept below.
        let before = self.held.with_mut(|held| core::mem::replace(unsafe { &mut *held }, with));
        if let Held::Own(values) = before
            && self.readers.get() > 0
        {
            // SAFETY: as above.
            self.replaced.with_mut(|replaced| unsafe { (*replaced).push(values) });
        }
    }

    /// Whether nothing was ever put there.
    fn is_unused(&self) -> bool {
        self.held(|held| matches!(held, Held::Own(values) if values.len() == 0))
    }

    fn held<R>(&self, f: impl FnOnce(&Held) -> R) -> R {
        // SAFETY: one thread is inside, and `f` calls no foreign code that could come back here.
        self.held.with(|held| f(unsafe { &*held }))
    }
}

/// Calls `f` with the place that counts on the calling thread, if there is one.
pub(super) fn with_current<R>(f: impl FnOnce(Option<&Place>) -> R) -> R {
    // SAFETY: a note, and the place it names, are there for as long as the frame of `within` that left it.
    if let Some(note) = unsafe { NOTED.with(Cell::get).as_ref() }
        && ptr::eq(note.task, coop::task())
    {
        // SAFETY: as above.
        return f(Some(unsafe { &*note.place }));
    }
    let root = frame::task().and_then(crate::task::Header::root_if_any);
    // SAFETY: the thread is inside of the task.
    f(root.map(|root| unsafe { root.place() }))
}

/// The same, and a task that has no place is given one; `None` outside of tasks, scopes and calls that have one.
pub(super) fn with_own<R>(f: impl FnOnce(Option<&Place>) -> R) -> R {
    let nowhere = with_current(|place| place.is_none());
    if nowhere && let Some(task) = frame::task() {
        task.root();
    }
    with_current(f)
}

/// Runs `f` at `place`, on this thread and as part of the same task.
pub(crate) fn within<R>(place: &Place, f: impl FnOnce() -> R) -> R {
    note(place, coop::task(), f)
}

fn note<R>(place: &Place, task: *const (), f: impl FnOnce() -> R) -> R {
    struct Back(*const Note);
    impl Drop for Back {
        fn drop(&mut self) {
            NOTED.with(|noted| noted.set(self.0));
        }
    }
    let note = Note { place, task };
    let _back = Back(NOTED.with(|noted| noted.replace(&note)));
    f()
}

/// Runs `f`, in which the thread is not seen to be inside of the task (it drops a part of it, or blocks on a future), with the same
/// values all the same.
pub(crate) fn carried<R>(f: impl FnOnce() -> R) -> R {
    if !birth::is_attended() {
        return f();
    }
    with_current(|place| match place {
        Some(place) => note(place, ptr::null(), f),
        None => f(),
    })
}

/// Runs `f`, which drops the future of the task with this root.
pub(crate) fn dropping<R>(root: &Root, f: impl FnOnce() -> R) -> R {
    if !birth::is_attended() {
        return f();
    }
    // SAFETY: who drops a task's future is inside of the task.
    within(unsafe { root.place() }, f)
}

/// All values at the place that counts.
pub(crate) fn copy() -> Values {
    if birth::is_attended() {
        with_current(|place| place.map(Place::copy)).unwrap_or_default()
    } else {
        Values::default()
    }
}

/// Runs `f` with these values, on a thread that is no part of a task.
pub(crate) fn with_values<R>(values: Values, f: impl FnOnce() -> R) -> R {
    if values.len() == 0 { f() } else { within(&Place::holding(Held::Own(values)), f) }
}

/// A task is new, and the calling thread, which spawns it, the only one that knows of it: it begins with the spawner's values.
pub(crate) fn inherit(task: &crate::task::Header) {
    let values = copy();
    if values.len() == 0 {
        return;
    }
    // SAFETY: as above.
    let place = unsafe { task.root().place() };
    // Unless it was told to share those of somebody else.
    if place.is_unused() {
        place.replace(Held::Own(values));
    }
}

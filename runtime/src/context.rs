//! What the calling thread is to a runtime: one of its workers, a thread that has entered it, or neither.
//!
//! A worker's place is a plain pointer that is set while it sits at its slot; a handle that was entered is counted. Both are
//! looked up on the spot and never kept across an await, because a task moves between threads.

use crate::observe::live;
use crate::observe::unhandled::Unhandled;
use crate::reactor::Reactor;
use crate::runtime::fork;
use crate::scheduler::worker::Worker;
use crate::scheduler::{Core, coarse};
use crate::task::TaskId;
use crate::time::timers::Timers;
use core::cell::{Cell, RefCell};
use core::ptr::{self, NonNull};
use std::io;
use weftwork_sync::primitive::Shared;
use weftwork_sync::weft_thread_local;

weft_thread_local! {
    /// The worker that this thread is.
    static WORKER: Cell<*const Worker> = Cell::new(ptr::null());
    /// Where the thread's own random numbers are, while it is no worker.
    static CHANCE: Cell<u32> = Cell::new(0x9E37_79B9);
    /// Every worker that this thread is in some frame, the innermost last: inside `block_in_place` it is none for now.
    static SEATS: RefCell<Vec<*const Worker>> = RefCell::new(Vec::new());
    /// The runtimes that this thread has entered, the newest last.
    static ENTERED: RefCell<Vec<Option<Shared<Core>>>> = RefCell::new(Vec::new());
    /// How many of them were there when the worker sat down.
    static BELOW: Cell<usize> = Cell::new(0);
    /// The worker that this thread is, while nothing was entered above it: then its runtime is the current one, and that is
    /// known by one load. Found anew by whoever changes one of the others.
    static UPPERMOST: Cell<*const Worker> = Cell::new(ptr::null());
}

/// Lets go of empty places at the end. Those from before the worker sat down stay: what is entered from now on has to come
/// to lie above them.
fn trim(entered: &mut Vec<Option<Shared<Core>>>) {
    let below = BELOW.with(Cell::get);
    while entered.len() > below && entered.last().is_some_and(Option::is_none) {
        entered.pop();
    }
}

/// Finds out again whether a worker is what was sat down in or entered last.
fn look_again() {
    let worker = WORKER.with(Cell::get);
    // Gone only in the destructors of other thread-locals.
    let entered = ENTERED.try_with(|entered| entered.borrow().len()).unwrap_or(usize::MAX);
    let uppermost = entered <= BELOW.with(Cell::get);
    UPPERMOST.with(|place| place.set(if uppermost { worker } else { ptr::null() }));
}

/// The message of every panic for want of a runtime.
pub(crate) const NO_RUNTIME: &str =
    "no weftwork runtime on this thread: call this inside weftwork::run or a task, or enter a Handle first";

/// Calls `f` with the worker that the calling thread is, if it is one.
#[inline]
pub(crate) fn with_worker<R>(f: impl FnOnce(&Worker) -> R) -> Option<R> {
    let worker = WORKER.with(Cell::get);
    // SAFETY: null, or set by `sit` on this thread for as long as the worker is borrowed there.
    unsafe { worker.as_ref() }.map(f)
}

/// Runs `f` with the calling thread as `worker`.
pub(crate) fn sit<R>(worker: &Worker, f: impl FnOnce() -> R) -> R {
    struct Stand(*const Worker, usize);
    impl Drop for Stand {
        fn drop(&mut self) {
            WORKER.with(|place| place.set(self.0));
            BELOW.with(|below| below.set(self.1));
            ENTERED.with(|entered| trim(&mut entered.borrow_mut()));
            SEATS.with(|seats| seats.borrow_mut().pop());
            look_again();
        }
    }
    SEATS.with(|seats| seats.borrow_mut().push(worker));
    let entered = ENTERED.with(|entered| entered.borrow().len());
    let _stand = Stand(WORKER.with(|place| place.replace(worker)), BELOW.with(|below| below.replace(entered)));
    look_again();
    f()
}

/// Whether the calling thread is a worker of this runtime in any of its frames, and so must not wait for it to end.
pub(crate) fn sits_in(core: &Shared<Core>) -> bool {
    // Gone only in the destructors of other thread-locals, when no frame of a worker is left.
    let sits = SEATS.try_with(|seats| {
        // SAFETY: as in with_worker.
        seats.borrow().iter().any(|seat| Shared::ptr_eq(unsafe { &(**seat).core }, core))
    });
    sits.unwrap_or(false)
}

/// The slot at which the calling thread sits in any of its frames.
pub(crate) fn seat_in(core: &Core) -> Option<usize> {
    let seat = SEATS.try_with(|seats| {
        // SAFETY: as in with_worker.
        let mut workers = seats.borrow().iter().map(|seat| unsafe { &**seat }).collect::<Vec<_>>().into_iter().rev();
        workers.find(|worker| ptr::eq(&*worker.core, core)).map(|worker| worker.index)
    });
    seat.unwrap_or(None)
}

/// Runs `f` with the calling thread as no worker, but inside the same runtime: it may block, and block on futures.
pub(crate) fn stand_up<R>(f: impl FnOnce() -> R) -> R {
    struct SitDown(*const Worker);
    impl Drop for SitDown {
        fn drop(&mut self) {
            WORKER.with(|place| place.set(self.0));
            look_again();
        }
    }
    let _entered = current().map(enter);
    let _sit_down = SitDown(WORKER.with(|place| place.replace(ptr::null())));
    look_again();
    f()
}

/// Leaves the runtime that was entered when dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    place: usize,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // Guards may be dropped in any order: each empties its own place, and empty places at the end go.
        let left = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let core = entered[self.place].take();
            trim(&mut entered);
            core
        });
        look_again();
        drop(left);
    }
}

/// Makes a runtime the calling thread's current one.
pub(crate) fn enter(core: Shared<Core>) -> Entered {
    let place = ENTERED.with(|entered| {
        let mut entered = entered.borrow_mut();
        entered.push(Some(core));
        entered.len() - 1
    });
    look_again();
    Entered { place }
}

/// Calls `f` with the current runtime, if there is one: whatever was entered or sat down in last.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Shared<Core>) -> R) -> Option<R> {
    // SAFETY: as in with_worker.
    if let Some(worker) = unsafe { UPPERMOST.with(Cell::get).as_ref() } {
        return Some(f(&worker.core));
    }
    with_entered(f)
}

#[inline(never)]
fn with_entered<R>(f: impl FnOnce(&Shared<Core>) -> R) -> Option<R> {
    let worker = WORKER.with(Cell::get);
    // What was entered before the worker sat down does not count while it sits.
    let below = if worker.is_null() { 0 } else { BELOW.with(Cell::get) };
    // Gone only in the destructors of other thread-locals.
    let entered = ENTERED.try_with(|entered| {
        let entered = entered.borrow();
        if entered.len() > below { entered[below..].iter().rev().find_map(Clone::clone) } else { None }
    });
    if let Ok(Some(core)) = entered {
        return Some(f(&core));
    }
    // SAFETY: as in with_worker.
    match unsafe { worker.as_ref() } {
        Some(worker) => Some(f(&worker.core)),
        None => coarse::with_core(f),
    }
}

/// The current runtime.
pub(crate) fn current() -> Option<Shared<Core>> {
    with_current(Shared::clone)
}

/// The task that the calling thread is polling.
pub(crate) fn current_task() -> Option<TaskId> {
    with_worker(Worker::current).flatten().or_else(coarse::current_task)
}

/// A number by chance, for choices that shall not always fall alike; the worker's own generator, so that a run of one worker can be
/// repeated.
pub(crate) fn random() -> u32 {
    with_worker(Worker::random).unwrap_or_else(|| {
        // A thread outside: any sequence does.
        CHANCE.with(|chance| {
            chance.set(xorshift(chance.get()));
            chance.get()
        })
    })
}

/// One step of xorshift32.
pub(crate) fn xorshift(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    x
}

/// Whether the calling thread is inside a runtime, so that blocking it would block a worker.
pub(crate) fn is_worker() -> bool {
    with_worker(|_| ()).is_some() || coarse::is_worker()
}

/// The reactor of the current runtime.
///
/// # Errors
/// There is no current runtime, it has no reactor, or the process forked after it was built.
#[cfg_attr(not(feature = "net"), allow(dead_code, reason = "sockets ask for it"))]
pub(crate) fn reactor() -> io::Result<Shared<Reactor>> {
    let found = with_current(|core| if fork::is_child(core) { Err(fork::FORKED) } else { Ok(core.reactor.clone()) });
    found.unwrap_or(Err(NO_RUNTIME)).and_then(|reactor| reactor.ok_or(NO_RUNTIME)).map_err(io::Error::other)
}

/// Calls `f` with the timers that the calling thread arms, and the core to tell if it is no worker.
///
/// # Panics
/// If the process forked after the runtime was built.
#[inline(always)]
pub(crate) fn with_timers<R>(f: impl FnOnce(&Timers, Option<&Shared<Core>>) -> R) -> Option<R> {
    let held;
    // SAFETY: as in with_worker.
    let (timers, outside) = match unsafe { UPPERMOST.with(Cell::get).as_ref() } {
        // A spare leaves its seat again, so its wheel would be left behind: it arms with those that are no workers.
        Some(worker) if !worker.is_spare() => {
            fork::assert_parent(&worker.core);
            (&worker.slot().timers, None)
        }
        _ => {
            held = coarse::hold_current()?;
            let elsewhere: &Shared<Core> = &held;
            fork::assert_parent(elsewhere);
            // It may have entered its own runtime once more.
            // SAFETY: as in with_worker.
            match unsafe { WORKER.with(Cell::get).as_ref() } {
                Some(worker) if Shared::ptr_eq(&worker.core, elsewhere) && !worker.is_spare() => {
                    (&worker.slot().timers, None)
                }
                _ => (&elsewhere.outside_timers, Some(elsewhere)),
            }
        }
    };
    Some(f(timers, outside))
}

/// Whether the calling thread is a worker whose runtime ends: the task that it polls is about to be cancelled.
pub(crate) fn is_ending() -> bool {
    with_worker(|worker| worker.core.is_stopping()).unwrap_or(false)
}

/// Nanoseconds by the current runtime's clock, or by the real one.
pub(crate) fn now() -> u64 {
    with_current(|core| core.config.clock.now()).unwrap_or_else(crate::platform::clock::real_now)
}

/// Reports through the hook of the core at this address, if it still lives; else to stderr.
pub(crate) fn report(what: &Unhandled<'_>, to: NonNull<Core>) {
    let mine = with_current(|core| (Shared::as_ptr(core) == to).then(|| core.clone())).flatten();
    match mine.or_else(|| live::find(to)) {
        Some(core) => core.report(what),
        None => what.report(None),
    }
}

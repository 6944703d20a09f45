//! Virtual time that jumps: when nothing can run, it is moved to where the next timer is due.
//!
//! Who jumps is the last worker that goes to bed, or a thread that waits in `block_on` and is the last to lie down. The books
//! say who lies, and they are changed and judged under one lock, so that what was found about workers and waiting threads
//! holds until the time has been moved: whoever gets up has to enter that first.
//!
//! | word | means | written by |
//! |---|---|---|
//! | `in_bed`, per slot | the worker announced its sleep and found no reason to stay | the worker, before it sleeps and as the first thing after |
//! | `waiting` | the threads that are inside `block_on` of this runtime | each of them |
//! | `Waiting::state` | it polls, lies down, or has been woken | the thread: polls, lies; who wakes it: woken |
//!
//! Time moves only if every worker is in bed and unclaimed, no thread in `block_on` polls or was woken, no job of the pool is queued
//! or runs (but for those that wait in a `block_on` themselves), nobody holds the clock, the watchdog has nothing in its hands,
//! nothing lies in a queue, and the reactor was asked and had nothing.
//!
//! Races:
//! 1. Two workers go to bed at once: both enter the books under the lock, after they announced; the second finds the first there.
//! 2. A worker in the books was claimed and is about to be woken: its bit among the sleepers is cleared before, and is looked at
//!    under the lock too. Whoever claims it is a thread that is up, and so one of those that the other conditions are about.
//! 3. A worker wakes by itself, for an event or because its time ran out: it takes itself out of the books before it does anything.
//! 4. A timer is fired: by a worker that is up until what it woke is in a queue, or has been woken itself.
//! 5. A job ends: the pool counts it until whoever waits for it has been woken. The pool is read before the queues, by its
//!    lock, so the job is counted or its effect is seen.
//! 6. A second look after the time was moved and before anybody fired: what is due is still in its wheel, so the next timer is
//!    not later than now. Time stays, and whoever sleeps is told again.
//! 7. Something that held the time up goes and tells nobody (a job whose caller is gone, a hold, a spare that leaves): whoever
//!    found it looks again after [`RETRY`].
//! 8. An event that the system has and the reactor has not: where descriptors are registered only the keeper jumps, after a turn
//!    without waiting that found nothing. Others call it.
//! 9. The watchdog finds a worker overdue that ends its poll and goes to bed meanwhile: the nudge that it leaves then is of no
//!    account, and does not count. What nudges for a reason claims the worker as well.
//!
//! A thread that is neither a worker nor waits in `block_on` is not seen. It has to hold the clock for as long as it is going to
//! wake somebody.

use super::Core;
use super::worker::Worker;
use crate::context;
use crate::offload;
use crate::time::timers::{NEVER, Timers};
use core::task::Waker;
use core::time::Duration;
use weftwork_sync::primitive::atomic::{AtomicU8, Ordering};
use weftwork_sync::primitive::{Mutex, Parker, Shared};
use weftwork_sync::{Unpark, block_on_with};

/// How long what holds the time up may go unnoticed once it is gone.
const RETRY: Duration = Duration::from_micros(500);

/// What a runtime knows whose time jumps.
pub(crate) struct Jumps {
    books: Mutex<Books>,
}

struct Books {
    in_bed: Box<[bool]>,
    waiting: Vec<Shared<Waiting>>,
    /// Those who want to know that nothing will ever happen any more, and whether they have been told.
    mourners: Vec<Waker>,
    over: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Found {
    /// Somebody is up, and will look when it lies down.
    Busy,
    /// Something else holds the time up.
    HeldUp,
    /// The reactor has to be asked first, by the keeper.
    AskReactor,
    /// The time was moved, and everybody told.
    Jumped,
    /// Nobody would ever have woken anybody, and those who wanted to know have been.
    Stuck,
}

/// A thread inside of `block_on`.
pub(crate) struct Waiting {
    state: AtomicU8,
    parker: Parker,
    /// It is inside a job that this runtime counts: of its own pool, or one that holds its clock.
    in_job: bool,
    /// It sits at this slot, inside `block_in_place`.
    seat: Option<usize>,
}

const POLLS: u8 = 0;
const LIES: u8 = 1;
const WOKEN: u8 = 2;

impl Waiting {
    fn lies(&self) -> bool {
        // Ordering: Acquire pairs with park.
        self.state.load(Ordering::Acquire) == LIES
    }

    /// Waits until it is told; `lies` is called once it counts as lying.
    fn park(&self, lies: impl FnOnce()) {
        // Ordering: AcqRel: what was polled before is seen by whoever sees it lie, what was told by this thread.
        if self.state.compare_exchange(POLLS, LIES, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            lies();
            while self.lies() {
                self.parker.park();
            }
        }
        // Ordering: AcqRel: whoever told this thread once more in between is answered by the poll that follows.
        self.state.swap(POLLS, Ordering::AcqRel);
    }
}

impl Unpark for Waiting {
    fn unpark(&self) {
        // Ordering: Release pairs with the thread's look: it sees what it was woken for.
        self.state.store(WOKEN, Ordering::Release);
        self.parker.unpark();
    }
}

impl Jumps {
    /// For a runtime with so many slots.
    pub(crate) fn new(slots: usize) -> Self {
        let books = Books {
            in_bed: (0..slots).map(|_| false).collect(),
            waiting: Vec::new(),
            mourners: Vec::new(),
            over: false,
        };
        Self { books: Mutex::new(books) }
    }

    /// Looks whether time may move, and moves it. `me` lies down with this; `asked`: the reactor had nothing.
    fn look(&self, core: &Core, me: Option<usize>, asked: bool) -> Found {
        let mut books = self.books.lock();
        if let Some(me) = me {
            books.in_bed[me] = true;
        }
        if core.is_stopping() || !books.workers_lie(core) {
            return Found::Busy;
        }
        // Race 5.
        if books.held_up(core) {
            return Found::HeldUp;
        }
        if core.has_visible_work() {
            return Found::Busy;
        }
        let wheels = core.slots.iter().map(|slot| &slot.timers).chain([&core.outside_timers]);
        let next = wheels.map(Timers::earliest).min().unwrap_or(NEVER);
        let listens = core.reactor.as_ref().is_some_and(|reactor| reactor.registered() > 0);
        if next == NEVER {
            if listens {
                // Something may come from outside, and wakes the keeper.
                return Found::Busy;
            }
            let mourners = core::mem::take(&mut books.mourners);
            books.over = !mourners.is_empty();
            drop(books);
            if mourners.is_empty() {
                return Found::Busy;
            }
            core.wake_contained(mourners);
            return Found::Stuck;
        }
        if listens && !asked {
            return Found::AskReactor;
        }
        let now = core.config.clock.now();
        core.config.clock.move_on(next.saturating_sub(now));
        // Race 6: outside of the lock.
        drop(books);
        core.nudge_all();
        Found::Jumped
    }

    /// The worker is up again.
    pub(super) fn rise(&self, slot: usize) {
        self.books.lock().in_bed[slot] = false;
    }

    /// Whether nothing could happen any more but that this was asked; otherwise `waker` is called when it is so.
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests want to know"))]
    pub(crate) fn mourns(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut books = self.books.lock();
        if core::mem::take(&mut books.over) {
            return true;
        }
        if !books.mourners.iter().any(|known| known.will_wake(&waker)) {
            books.mourners.push(waker);
        }
        false
    }
}

impl Books {
    /// Whether every worker that there is lies, and nobody has called one.
    fn workers_lie(&self, core: &Core) -> bool {
        core.slots.iter().enumerate().all(|(index, slot)| {
            if slot.yielded_place.load(Ordering::Relaxed) {
                return self.waiting.iter().any(|thread| thread.seat == Some(index) && thread.lies());
            }
            // What was left at the seat of a spare that is not there waits for nobody. A nudge is no reason to be up: the watchdog
            // leaves one without a call where it takes the worker for overdue, and nobody would look again (race 9).
            let lies = || {
                let called = !core.idle.sleeps(index) || slot.has_mail.load(Ordering::Relaxed);
                self.in_bed[index] && !called
            };
            !core.spares.is_at_work(core, index) || lies()
        })
    }

    /// Whether something other than a worker may wake somebody.
    fn held_up(&self, core: &Core) -> bool {
        let pool = core.pool.metrics();
        let jobs = pool.running() + pool.queued() + core.config.clock.holds();
        let lying_jobs = self.waiting.iter().filter(|thread| thread.in_job && thread.lies()).count();
        jobs > lying_jobs
            || self.waiting.iter().any(|thread| !thread.in_job && !thread.lies())
            || core.stats.in_rescue.get() != 0
            || (0..core.slots.len()).any(|slot| core.spares.wants_to_leave(core, slot))
    }
}

impl Worker {
    /// The last thing before it sleeps: how long it may, when it would sleep for `timeout`. What the reactor has is put into
    /// `ready`.
    #[cold]
    pub(super) fn lie_down(
        &self,
        jumps: &Jumps,
        timeout: Option<Duration>,
        keeper: bool,
        ready: &mut Vec<Waker>,
    ) -> Option<Duration> {
        let core = &*self.core;
        let retry = Some(timeout.unwrap_or(RETRY).min(RETRY));
        let mut asked = false;
        loop {
            match jumps.look(core, Some(self.index), asked) {
                Found::Busy => return timeout,
                Found::HeldUp => return retry,
                // Who was told may be a task of this worker.
                Found::Jumped | Found::Stuck => return Some(Duration::ZERO),
                Found::AskReactor if keeper => {
                    if let Some(reactor) = &core.reactor
                        && (super::sleep::turn(reactor, Some(Duration::ZERO), ready).is_err() || !ready.is_empty())
                    {
                        return Some(Duration::ZERO);
                    }
                    asked = true;
                }
                Found::AskReactor => {
                    core.call_keeper();
                    return retry;
                }
            }
        }
    }
}

impl Core {
    /// Has the keeper look, if one sleeps.
    fn call_keeper(&self) {
        let slot = self.keeper.slot.load(Ordering::Relaxed);
        if slot > 0 && self.idle.claim(slot - 1) {
            self.wake(slot - 1);
        }
    }

    /// Runs a future to its end on a thread that is no worker.
    pub(crate) fn wait_for<F: Future>(&self, future: F) -> F::Output {
        match &self.jumps {
            None => super::coarse::wait_for(self, future),
            Some(jumps) => self.wait_in(jumps, future),
        }
    }

    #[cold]
    fn wait_in<F: Future>(&self, jumps: &Jumps, future: F) -> F::Output {
        struct Leave<'a>(&'a Jumps, Shared<Waiting>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.books.lock().waiting.retain(|thread| !Shared::ptr_eq(thread, &self.1));
            }
        }
        let me = Shared::new(Waiting {
            state: AtomicU8::new(POLLS),
            parker: Parker::new(),
            in_job: offload::is_counted_by(self),
            seat: context::seat_in(self),
        });
        jumps.books.lock().waiting.push(me.clone());
        let _leave = Leave(jumps, me.clone());
        block_on_with(future, &me, || {
            me.park(|| {
                if jumps.look(self, None, false) == Found::AskReactor {
                    self.call_keeper();
                }
            });
        })
    }
}

impl core::fmt::Debug for Jumps {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Jumps").finish_non_exhaustive()
    }
}

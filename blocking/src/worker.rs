//! A thread of the pool, from its start hook to its stop hook; and starting one.
//!
//! It owns nothing but its seat: every decision is the roster's. What runs here of others' (hooks, jobs, their results'
//! destructors, wakers) is contained, so a thread ends for one reason only: the roster told it to leave.

use crate::books::SeatId;
use crate::cell::bury;
use crate::error::{OffloadError, SpawnError};
use crate::job::Job;
use crate::roster::{Move, Refused, Roster, Step};
use core::cell::Cell;
use core::ptr;
use std::io;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{ParkResult, Patience, Shared, contain, thread};
use weftwork_sync::weft_thread_local;

/// What runs on a pool's threads when they start and stop.
pub(crate) type Hook = Box<dyn Fn() + Send + Sync>;
/// How the n-th thread is called.
pub(crate) type Naming = Box<dyn Fn(u64) -> String + Send + Sync>;
/// A way to start a thread that is not the facade's.
pub(crate) type Starter = Box<dyn Fn(String, Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// What a pool's handles and its threads share.
pub(crate) struct Core {
    pub(crate) roster: Roster,
    pub(crate) on_start: Option<Hook>,
    pub(crate) on_stop: Option<Hook>,
    pub(crate) naming: Naming,
    pub(crate) starter: Option<Starter>,
    pub(crate) started: Counter,
}

weft_thread_local! {
    /// The pool and the seat of the calling thread, if it is a pool's.
    static SEAT: Cell<(*const Core, SeatId)> = Cell::new((ptr::null(), 0));
}

impl Core {
    /// The seat of the calling thread, if it is one of this pool's.
    pub(crate) fn own_seat(this: &Shared<Self>) -> Option<SeatId> {
        let (core, seat) = SEAT.with(Cell::get);
        // Only compared, never followed.
        ptr::eq(core, &raw const **this).then_some(seat)
    }

    /// Queues a job and does what follows from that. If it will not run, its handle knows why.
    pub(crate) fn submit(this: &Shared<Self>, job: Job) -> Result<(), SpawnError> {
        let id = job.description().id();
        match this.roster.submit(job) {
            Ok(next) => match Self::make(this, next, Some(id)) {
                None => Ok(()),
                Some(error) => Err(SpawnError::NoThread(error)),
            },
            Err((job, Refused::ShutDown)) => {
                job.refuse(OffloadError::ShutDown);
                Err(SpawnError::ShutDown)
            }
            Err((job, Refused::QueueFull)) => {
                job.refuse(OffloadError::QueueFull);
                Err(SpawnError::QueueFull)
            }
        }
    }

    /// Does what the roster decided. Gives the error of a refused start if nobody will run the job `mine` for that reason.
    fn make(this: &Shared<Self>, mut next: Move, mine: Option<u64>) -> Option<io::Error> {
        loop {
            match next {
                Move::Stay => return None,
                Move::Wake(parker) => {
                    parker.unpark();
                    return None;
                }
                Move::Start(seat) => {
                    let Err(error) = Self::start(this, seat) else { return None };
                    let stranded;
                    (next, stranded) = this.roster.start_failed(seat);
                    let mut mine_is_stranded = false;
                    for job in stranded {
                        mine_is_stranded |= Some(job.description().id()) == mine;
                        job.refuse(OffloadError::NoThread(copy(&error)));
                    }
                    if mine_is_stranded {
                        return Some(error);
                    }
                }
            }
        }
    }

    #[cold]
    fn start(this: &Shared<Self>, seat: SeatId) -> io::Result<()> {
        let name = contain(|| (this.naming)(this.started.add(1))).unwrap_or_else(|panic| {
            bury(panic);
            String::from("weft-blocking")
        });
        let core = this.clone();
        let body = move || work(&core, seat);
        match &this.starter {
            None => thread::spawn(name, body).map(drop),
            Some(starter) => contain(|| starter(name, Box::new(body))).unwrap_or_else(|panic| {
                bury(panic);
                Err(io::Error::other("the pool's spawn handler panicked"))
            }),
        }
    }

    /// Accepts nothing more and tells the threads; waits for nobody.
    pub(crate) fn close(this: &Shared<Self>) {
        let (dropped, moves) = this.roster.close();
        for next in moves {
            // If a thread for what must run cannot be started, that job's handle says so.
            drop(Self::make(this, next, None));
        }
        for job in dropped {
            job.refuse(OffloadError::ShutDown);
        }
    }
}

fn work(core: &Shared<Core>, seat: SeatId) {
    SEAT.with(|own| own.set((&raw const **core, seat)));
    run_hook(core.on_start.as_ref());
    let parker = core.roster.parker(seat);
    let mut patience = Patience::default();
    let mut step = core.roster.look(seat, false);
    loop {
        step = match step {
            Step::Run(job, next) => {
                // A failure to start another thread is no matter for this one: it is alive, so no job is stranded.
                drop(Core::make(core, next, None));
                job.run();
                core.roster.finished(seat)
            }
            Step::Park(at_most) => {
                let ended = if patience.wait(|| parker.has_token()) {
                    parker.park_for(Some(at_most))
                } else {
                    let asleep = patience.sleep();
                    let ended = parker.park_for(Some(at_most));
                    patience.woke(&asleep, ended == ParkResult::Unparked);
                    ended
                };
                core.roster.look(seat, ended == ParkResult::TimedOut)
            }
            Step::Leave => break,
        };
    }
    run_hook(core.on_stop.as_ref());
    // The thread may not be ours alone: whoever started it may have it work for another pool.
    SEAT.with(|own| own.set((ptr::null(), 0)));
    core.roster.left(seat);
}

fn run_hook(hook: Option<&Hook>) {
    if let Some(hook) = hook {
        bury(contain(hook));
    }
}

/// The same error once more, as far as that can be said.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

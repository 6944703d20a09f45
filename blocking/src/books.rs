//! A pool's books: what is remembered of its threads and its queue, the invariant that holds between any two changes, and
//! what is read out of them. The changes themselves, and why they are right, are in `roster.rs`.

use crate::job::Job;
use crate::options::ShutdownPolicy;
use crate::running::JobInfo;
use std::collections::VecDeque;
use std::time::Duration;
use weftwork_sync::primitive::{Parker, Shared};

/// What a pool was built with.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Threads at most.
    pub(crate) cap: usize,
    /// Jobs that run at once whatever their age.
    pub(crate) eager: usize,
    /// The period by which age is told.
    pub(crate) period: Duration,
    /// Jobs that may begin by age in a period; twice as many in the next while that is not enough.
    pub(crate) step: usize,
    /// How long a thread stays idle.
    pub(crate) keep_alive: Duration,
    /// Jobs queued at most.
    pub(crate) capacity: usize,
}

/// A thread's place in the books.
pub(crate) type SeatId = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Post {
    Vacant,
    Coming,
    Running,
    Idle,
    Watching,
    Leaving,
}

pub(crate) struct Seat {
    pub(crate) parker: Shared<Parker>,
    pub(crate) post: Post,
    /// Somebody said that this thread's time has run out.
    pub(crate) expired: bool,
    pub(crate) inside: Option<Inside>,
}

pub(crate) struct Inside {
    pub(crate) job: JobInfo,
    pub(crate) policy: ShutdownPolicy,
    /// The sample during which it began.
    pub(crate) since: u64,
    /// It has been inside for a whole period.
    pub(crate) blocked: bool,
}

/// Everything that the roster knows, behind its one lock.
pub(crate) struct Books {
    pub(crate) queue: VecDeque<Job>,
    /// The number of the oldest queued job; the next one submitted gets `head + queue.len()`.
    pub(crate) head: u64,
    /// Jobs with lower numbers are older than a period.
    pub(crate) old_below: u64,
    /// The number that the next job had when the last period began.
    pub(crate) mark: u64,
    /// Periods begun.
    pub(crate) samples: u64,
    /// Jobs that may still begin by age in this period, and how many might when it began.
    pub(crate) permits: usize,
    pub(crate) burst: usize,

    pub(crate) seats: Vec<Seat>,
    pub(crate) vacant: Vec<SeatId>,
    pub(crate) idle: Vec<SeatId>,
    pub(crate) watching: Option<SeatId>,
    /// Threads that are neither vacant nor leaving.
    pub(crate) threads: usize,
    pub(crate) coming: usize,
    pub(crate) running: usize,
    /// Those of the running that are blocked.
    pub(crate) blocked: usize,
    pub(crate) leaving: usize,

    /// Starts refused in a row, and occasions still to be passed over before the next attempt.
    pub(crate) refusals: u32,
    pub(crate) pass_over: u32,

    pub(crate) closed: bool,
    pub(crate) closers: Vec<Shared<Parker>>,
    pub(crate) completed: u64,
    pub(crate) started: u64,
}

/// What the books say at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) threads: usize,
    pub(crate) idle: usize,
    pub(crate) queued: usize,
    pub(crate) running: usize,
    pub(crate) completed: u64,
    pub(crate) started: u64,
}

impl Books {
    pub(crate) fn new(step: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            head: 0,
            old_below: 0,
            mark: 0,
            samples: 0,
            permits: step,
            burst: step,
            seats: Vec::new(),
            vacant: Vec::new(),
            idle: Vec::new(),
            watching: None,
            threads: 0,
            coming: 0,
            running: 0,
            blocked: 0,
            leaving: 0,
            refusals: 0,
            pass_over: 0,
            closed: false,
            closers: Vec::new(),
            completed: 0,
            started: 0,
        }
    }

    pub(crate) fn vacate(&mut self, seat: SeatId) {
        self.seats[seat].post = Post::Vacant;
        self.seats[seat].expired = false;
        self.vacant.push(seat);
    }

    /// Takes cancelled jobs out of the queue. Those behind them count as younger than they are, never as older.
    pub(crate) fn sweep(&mut self, voids: &mut Vec<Job>) {
        let (kept, void): (VecDeque<Job>, VecDeque<Job>) = self.queue.drain(..).partition(|job| !job.is_void());
        self.queue = kept;
        self.head += void.len() as u64;
        voids.extend(void);
    }

    pub(crate) fn expire(&mut self, seat: SeatId) -> Shared<Parker> {
        self.seats[seat].expired = true;
        self.seats[seat].parker.clone()
    }

    pub(crate) fn closers_to_tell(&mut self) -> Vec<Shared<Parker>> {
        core::mem::take(&mut self.closers)
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            threads: self.threads + self.leaving,
            idle: self.idle.len(),
            queued: self.queue.len(),
            running: self.running,
            completed: self.completed,
            started: self.started,
        }
    }

    /// The jobs that a shutdown has to wait for, or `None` once every thread has left but those inside jobs that were
    /// abandoned (and `own`, which asks).
    pub(crate) fn to_be_waited_for(&self, own: Option<SeatId>) -> Option<Vec<JobInfo>> {
        let mut excused = 0;
        let mut names = Vec::new();
        for (id, seat) in self.seats.iter().enumerate() {
            match &seat.inside {
                Some(inside) if own == Some(id) || inside.policy == ShutdownPolicy::Abandon => excused += 1,
                Some(inside) => names.push(inside.job.clone()),
                None => {}
            }
        }
        if self.threads + self.leaving == excused && self.queue.is_empty() {
            return None;
        }
        names.extend(self.queue.iter().map(|job| job.description().info()));
        Some(names)
    }

    /// The invariant at the head of `roster.rs`.
    pub(crate) fn check(&self, limits: &Limits) {
        debug_assert!(
            self.queue.is_empty()
                || self.coming > 0
                || self.watching.is_some()
                || (self.idle.is_empty() && (self.threads == limits.cap || self.refusals > 0)),
            "a queued job is in nobody's care"
        );
        debug_assert!(self.blocked <= self.running && self.threads <= limits.cap, "threads are miscounted");
        debug_assert_eq!(
            self.threads,
            self.coming + self.running + self.idle.len() + usize::from(self.watching.is_some()),
            "a thread is counted twice or not at all"
        );
    }
}

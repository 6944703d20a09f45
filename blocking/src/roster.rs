//! Who is here, who is needed: the one protocol that decides "wake a thread, start a thread, or leave it".
//!
//! Everything it knows lies behind one lock: the queue, the threads by what they do, and the marks by which age is told.
//! Each operation changes the books completely, ends with `decide`, and returns what is left to do outside the
//! lock: a [`Move`] (unpark a thread, start a thread) or a [`Step`] (run a job, park, leave). A thread is never counted
//! as something it is not: it is claimed by the very change that takes it off the idle stack.
//!
//! ```text
//!                       decide: claim
//!          +------------- Idle <-------------------+
//!          |               | time ran out          | nothing to do
//!          v               v                       |
//!  Vacant -> Coming      Leaving -> Vacant      (choose) <---- Running
//!  decide:     |           ^                    ^  |  |  finished
//!  start       +-----------|----- look ---------+  |  +------> Running (takes the next one)
//!                          +-- shut down, queue ---+  |
//!                              empty                  +------> Watching --- a period passed, or claimed ---> (choose)
//!                                                     queue not empty, but nothing may begin yet
//! ```
//!
//! A thread is *coming* from the moment it is claimed or its start is decided until it looks at the queue. It carries no
//! particular job: whoever looks first takes the oldest, so a thread that just finished may take the job for which
//! another one was woken, and goes on hot.
//!
//! **The invariant**, true whenever the lock is free and checked in debug builds: if a job is queued, then
//! (a) a thread is coming, or (b) one is watching, or (c) no thread is idle and none may be started (all `cap` run, or the
//! system refuses). In (a) and (b) that thread will decide again; in (c) every thread runs a job and will look at the
//! queue when it ends. So a job is never forgotten, and waits for a blocked thread in (c) alone.
//!
//! **Growth.** Up to `eager` jobs run at once without further questions. Beyond that a job begins on another thread when
//! it is older than a period, `step` of them in one period and twice as many in the next while that does not do; and a
//! thread that was inside the same job for a whole period counts as blocked, not as running, so that others may take its
//! place at once. So n empty jobs are run by a few
//! hot threads and n blocked ones get a thread each. Age needs no clock: a thread *watches*, that is parks for a period,
//! and what was queued, or running, before and still is afterwards is old.
//!
//! Races (numbers are cited below and in the models):
//! 1. submit against a thread going idle: both under the lock. Either the thread finds the job, or the submission finds
//!    the thread on the stack. (tokio 8056 read the idle count without that.)
//! 2. submit against idle exit: a thread leaves only from the stack, under the lock; if it was claimed meanwhile, its time
//!    having run out is ignored.
//! 3. submit against submit: only one finds nobody coming; the thread that comes decides again before it runs what it
//!    took, so the second job gets the next thread.
//! 4. shutdown against submit: both under the lock. Afterwards nothing enters the queue, and a thread leaves only if it is
//!    empty, so what must run does. Shutdown claims the idle threads as a submission does: a thread that was claimed
//!    already is not idle and not claimed again (tokio 7910 counted a thread idle twice when shutdown woke it, 7918 and
//!    7922 took one off the count twice that a submission had woken before).
//! 5. a failed start against everything: it was coming, so others relied on it. It is taken back and decided again under
//!    the lock; a thread that went idle meanwhile is claimed. If nobody is alive, the queued jobs are handed back, all of
//!    them; only threads that look at this queue count as alive (tokio 8406). After a failure the next starts are attempted only at the 1st, 2nd, 4th .. occasion, never in a loop (blocking
//!    79).
//! 6. a late token: a thread that was claimed may find its job taken and idle again before the unpark arrives. It then
//!    wakes once for nothing, finds itself idle, and parks again.

use crate::books::{Books, Figures, Inside, Limits, Post, Seat, SeatId};
use crate::job::Job;
use crate::options::ShutdownPolicy;
use crate::running::JobInfo;
use std::collections::VecDeque;
use std::time::Duration;
use weftwork_sync::primitive::{Mutex, Parker, Shared};

/// After this many refused starts in a row only every `1 << MAX_BACKOFF`-th occasion is tried.
const MAX_BACKOFF: u32 = 10;

/// What whoever called has to do once the lock is released, before anything else.
#[must_use = "a thread that is counted as coming has to be told"]
pub(crate) enum Move {
    Stay,
    Wake(Shared<Parker>),
    Start(SeatId),
}

/// What a thread does next.
#[must_use]
pub(crate) enum Step {
    /// Make the move, then run the job, then say `finished`.
    Run(Job, Move),
    /// Park at most that long, then `look` again.
    Park(Duration),
    /// Run the stop hook, then say `left`.
    Leave,
}

/// Why a job was not accepted.
pub(crate) enum Refused {
    ShutDown,
    QueueFull,
}

pub(crate) struct Roster {
    limits: Limits,
    books: Mutex<Books>,
}

impl Roster {
    pub(crate) fn new(limits: Limits) -> Self {
        let books = Mutex::new(Books::new(limits.step));
        Self { limits, books }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Queues a job.
    pub(crate) fn submit(&self, job: Job) -> Result<Move, (Job, Refused)> {
        let mut voids = Vec::new();
        let mut books = self.books.lock();
        if books.closed {
            // Race 4.
            return Err((job, Refused::ShutDown));
        }
        if books.queue.len() >= self.limits.capacity {
            books.sweep(&mut voids);
            if books.queue.len() >= self.limits.capacity {
                return Err((job, Refused::QueueFull));
            }
        }
        books.queue.push_back(job);
        let next = books.decide(&self.limits, true);
        drop(books);
        Ok(next)
    }

    /// The parker of a seat, for the thread that sits on it.
    pub(crate) fn parker(&self, seat: SeatId) -> Shared<Parker> {
        self.books.lock().seats[seat].parker.clone()
    }

    /// A thread comes, or its park ended; `timed_out` says how.
    pub(crate) fn look(&self, seat: SeatId, timed_out: bool) -> Step {
        let mut books = self.books.lock();
        let timed_out = timed_out | core::mem::take(&mut books.seats[seat].expired);
        match books.seats[seat].post {
            Post::Coming => {
                // Race 2: whether its time ran out as well does not matter, it was claimed.
                books.coming -= 1;
                books.refusals = 0;
                books.pass_over = 0;
            }
            // Race 6.
            Post::Idle if !timed_out => return Step::Park(self.limits.keep_alive),
            Post::Watching if !timed_out => return Step::Park(self.limits.period),
            Post::Idle => {
                // While it was idle, a queued job was in the care of another (the invariant's a or b), and still is.
                books.idle.retain(|&idle| idle != seat);
                return books.leave(seat);
            }
            Post::Watching => {
                books.watching = None;
                books.a_period_passed(&self.limits);
            }
            post @ (Post::Vacant | Post::Running | Post::Leaving) => {
                unreachable!("a thread looked at the queue while {post:?}")
            }
        }
        books.choose(seat, &self.limits)
    }

    /// The job that the thread ran has ended.
    pub(crate) fn finished(&self, seat: SeatId) -> Step {
        let mut books = self.books.lock();
        books.completed += 1;
        books.running -= 1;
        if let Some(inside) = books.seats[seat].inside.take() {
            books.blocked -= usize::from(inside.blocked);
        }
        if books.queue.is_empty() {
            return books.choose(seat, &self.limits);
        }
        // It ran before, so it may run on: as many run as did.
        books.take(seat, &self.limits)
    }

    /// The system refused to start the thread that `decide` had counted. Gives back the jobs that nobody will ever run.
    pub(crate) fn start_failed(&self, seat: SeatId) -> (Move, Vec<Job>) {
        let mut books = self.books.lock();
        // Race 5.
        books.coming -= 1;
        books.threads -= 1;
        books.refusals = (books.refusals + 1).min(MAX_BACKOFF);
        books.pass_over = (1 << books.refusals) - 1;
        books.vacate(seat);
        let mut stranded = Vec::new();
        let next = if books.threads == 0 {
            books.head += books.queue.len() as u64;
            stranded.extend(books.queue.drain(..));
            Move::Stay
        } else {
            books.decide(&self.limits, false)
        };
        let closers = books.closers_to_tell();
        drop(books);
        tell(closers);
        (next, stranded)
    }

    /// The thread's stop hook has run; nothing of ours runs on it any more.
    pub(crate) fn left(&self, seat: SeatId) {
        let mut books = self.books.lock();
        books.leaving -= 1;
        books.vacate(seat);
        let closers = books.closers_to_tell();
        drop(books);
        tell(closers);
    }

    /// Accepts nothing more. Gives back the jobs that will not run; all threads that wait are to be woken.
    pub(crate) fn close(&self) -> (Vec<Job>, Vec<Move>) {
        let mut books = self.books.lock();
        books.closed = true;
        let queued = books.queue.len();
        let (keep, dropped): (VecDeque<Job>, VecDeque<Job>) =
            books.queue.drain(..).partition(|job| job.description().policy() == ShutdownPolicy::MustRun);
        books.queue = keep;
        books.head += (queued - books.queue.len()) as u64;
        let mut moves = Vec::new();
        while let Some(seat) = books.idle.pop() {
            moves.push(books.claim(seat));
        }
        if let Some(seat) = books.watching.take() {
            moves.push(books.claim(seat));
        }
        moves.push(books.decide(&self.limits, true));
        (dropped.into(), moves)
    }

    /// Every idle thread leaves as if its time had run out.
    pub(crate) fn expire_idle(&self) {
        let mut books = self.books.lock();
        let idle = core::mem::take(&mut books.idle);
        let parkers: Vec<_> = idle.iter().map(|&seat| books.expire(seat)).collect();
        books.idle = idle;
        drop(books);
        tell(parkers);
    }

    /// The thread that watches, if any, goes on as if its period had passed.
    pub(crate) fn expire_period(&self) -> bool {
        let mut books = self.books.lock();
        let parker = books.watching.map(|seat| books.expire(seat));
        drop(books);
        let watched = parker.is_some();
        tell(parker.into_iter().collect());
        watched
    }

    pub(crate) fn figures(&self) -> Figures {
        self.books.lock().figures()
    }

    /// After `close`: the jobs that have to be waited for, or `None` once every thread has left but those inside jobs
    /// that were abandoned (and `own`, which asks). Otherwise `parker` is unparked when that may have changed.
    pub(crate) fn remaining(&self, own: Option<SeatId>, parker: &Shared<Parker>) -> Option<Vec<JobInfo>> {
        let mut books = self.books.lock();
        let names = books.to_be_waited_for(own)?;
        if !books.closers.iter().any(|known| Shared::ptr_eq(known, parker)) {
            books.closers.push(parker.clone());
        }
        Some(names)
    }
}

impl Books {
    /// What a thread without a job does. It stands in no list and no count but `threads`.
    fn choose(&mut self, seat: SeatId, limits: &Limits) -> Step {
        if self.queue.is_empty() {
            return if self.closed { self.leave(seat) } else { self.be_idle(seat, limits) };
        }
        if self.may_begin(limits) {
            if !self.has_room(limits) {
                self.permits -= 1;
            }
            return self.take(seat, limits);
        }
        if self.watching.is_none() {
            self.watching = Some(seat);
            self.seats[seat].post = Post::Watching;
            self.sample();
            return Step::Park(limits.period);
        }
        self.be_idle(seat, limits)
    }

    fn be_idle(&mut self, seat: SeatId, limits: &Limits) -> Step {
        self.seats[seat].post = Post::Idle;
        self.idle.push(seat);
        self.check(limits);
        Step::Park(limits.keep_alive)
    }

    fn leave(&mut self, seat: SeatId) -> Step {
        self.seats[seat].post = Post::Leaving;
        self.threads -= 1;
        self.leaving += 1;
        Step::Leave
    }

    /// Takes the oldest job, and sees to it that the next one is cared for before this one is run: it may block.
    fn take(&mut self, seat: SeatId, limits: &Limits) -> Step {
        let Some(job) = self.queue.pop_front() else { return self.choose(seat, limits) };
        self.head += 1;
        self.running += 1;
        self.seats[seat].post = Post::Running;
        let description = job.description();
        let inside =
            Inside { job: description.info(), policy: description.policy(), since: self.samples, blocked: false };
        self.seats[seat].inside = Some(inside);
        let next = self.decide(limits, true);
        Step::Run(job, next)
    }

    /// The decision. Afterwards the invariant holds, provided that the caller makes the move.
    fn decide(&mut self, limits: &Limits, may_start: bool) -> Move {
        if self.queue.is_empty() || self.coming > 0 {
            return Move::Stay;
        }
        let begin = self.may_begin(limits);
        if !begin && self.watching.is_some() {
            return Move::Stay;
        }
        // The hottest idle thread; else the one that watches; else a new one. If the oldest job may not begin yet, that
        // thread will find so, and watch.
        let next = if let Some(seat) = self.idle.pop() {
            self.claim(seat)
        } else if let Some(seat) = self.watching.take() {
            self.claim(seat)
        } else if may_start && self.threads < limits.cap && self.attempt_is_due() {
            self.seat_a_new_thread()
        } else {
            Move::Stay
        };
        self.check(limits);
        next
    }

    fn claim(&mut self, seat: SeatId) -> Move {
        self.coming += 1;
        self.seats[seat].post = Post::Coming;
        Move::Wake(self.seats[seat].parker.clone())
    }

    fn seat_a_new_thread(&mut self) -> Move {
        self.threads += 1;
        self.coming += 1;
        self.started += 1;
        let seat = self.vacant.pop().unwrap_or_else(|| {
            let parker = Shared::new(Parker::new());
            self.seats.push(Seat { parker, post: Post::Vacant, expired: false, inside: None });
            self.seats.len() - 1
        });
        self.seats[seat].post = Post::Coming;
        Move::Start(seat)
    }

    /// Race 5: without a thread alive there is always an attempt, else they thin out.
    fn attempt_is_due(&mut self) -> bool {
        if self.threads == 0 || self.pass_over == 0 {
            return true;
        }
        self.pass_over -= 1;
        false
    }

    fn has_room(&self, limits: &Limits) -> bool {
        self.closed || self.running - self.blocked < limits.eager
    }

    /// Whether a thread that comes may take the oldest job now.
    fn may_begin(&self, limits: &Limits) -> bool {
        self.has_room(limits) || (self.head < self.old_below && self.permits > 0)
    }

    fn sample(&mut self) {
        self.samples += 1;
        self.mark = self.head + self.queue.len() as u64;
    }

    fn a_period_passed(&mut self, limits: &Limits) {
        self.old_below = self.mark;
        self.burst = if self.permits > 0 { limits.step } else { (2 * self.burst).min(limits.cap.max(limits.step)) };
        self.permits = self.burst;
        let samples = self.samples;
        let mut blocked = 0;
        for inside in self.seats.iter_mut().filter_map(|seat| seat.inside.as_mut()) {
            inside.blocked |= inside.since < samples;
            blocked += usize::from(inside.blocked);
        }
        self.blocked = blocked;
        self.sample();
    }
}

fn tell(parkers: Vec<Shared<Parker>>) {
    for parker in parkers {
        parker.unpark();
    }
}

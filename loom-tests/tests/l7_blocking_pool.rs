//! L7, the blocking pool: each job runs or is cancelled exactly once, its handle resolves, and nobody hangs.
//!
//! The models drive the whole shipped pool: roster, job cell, threads. A model has no clock, so time runs out where a
//! model says so: `expire_idle` is an idle thread's keep-alive ending, `expire_period` the growth period. A lost wake-up or
//! a forgotten job is a deadlock, which loom reports; a job that runs twice or a miscounted thread trips an assertion.
//! Race numbers are those at the head of `blocking/src/roster.rs` and `blocking/src/cell.rs`.
#![cfg(weftwork_loom)]

use std::io;
use std::time::Duration;
use weftwork_blocking::{Growth, JobOptions, OffloadError, ShutdownPolicy, ThreadPool};
use weftwork_loom_tests::Bound::{Preemptions, Unbounded};
use weftwork_loom_tests::check;
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};
use weftwork_sync::primitive::{Shared, thread};

/// How often each of three jobs ran.
#[derive(Clone)]
struct Runs(Shared<[AtomicUsize; 3]>);

impl Runs {
    fn new() -> Self {
        Self(Shared::new([AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)]))
    }

    /// A job that says that it ran and returns its number.
    fn job(&self, n: usize) -> impl FnOnce() -> usize + Send + use<> {
        let runs = self.0.clone();
        move || {
            runs[n].fetch_add(1, Ordering::Relaxed);
            n
        }
    }

    fn of(&self, n: usize) -> usize {
        self.0[n].load(Ordering::Relaxed)
    }
}

/// A pool whose growth by age happens only where a model says so.
fn pool(cap: usize, eager: usize) -> ThreadPool {
    let mut growth = Growth::default();
    growth.eager = eager;
    growth.step = 1;
    growth.period = Duration::MAX;
    ThreadPool::builder().max_threads(cap).growth(growth).build()
}

fn on_another_thread<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

#[test]
fn a_job_is_run_and_its_handle_resolves() {
    check("blocking/one_job", Preemptions(3), Unbounded, || {
        let runs = Runs::new();
        let pool = pool(1, 1);
        assert_eq!(pool.submit(runs.job(0)).wait().unwrap(), 0);
        drop(pool);
        assert_eq!(runs.of(0), 1);
    });
}

fn submit_against_idle_exit(name: &'static str, cap: usize) {
    // Race 2: the thread's time runs out while the second job is submitted.
    check(name, Preemptions(2), Preemptions(3), move || {
        let runs = Runs::new();
        let pool = pool(cap, cap);
        assert_eq!(pool.submit(runs.job(0)).wait().unwrap(), 0);
        let theirs = pool.clone();
        let clock = on_another_thread(move || theirs.expire_idle());
        assert_eq!(pool.submit(runs.job(1)).wait().unwrap(), 1);
        clock.join().unwrap();
        assert_eq!((runs.of(0), runs.of(1)), (1, 1));
    });
}

#[test]
fn a_job_submitted_while_the_only_thread_leaves_is_run() {
    submit_against_idle_exit("blocking/submit_vs_idle_exit_cap1", 1);
}

#[test]
fn a_job_submitted_while_one_of_two_leaves_is_run() {
    submit_against_idle_exit("blocking/submit_vs_idle_exit_cap2", 2);
}

fn submit_against_submit(name: &'static str, cap: usize) {
    // Races 1 and 3.
    check(name, Preemptions(2), Preemptions(3), move || {
        let runs = Runs::new();
        let pool = pool(cap, cap);
        let (theirs, their_runs) = (pool.clone(), runs.clone());
        let other = on_another_thread(move || theirs.submit(their_runs.job(1)).wait().unwrap());
        assert_eq!(pool.submit(runs.job(0)).wait().unwrap(), 0);
        assert_eq!(other.join().unwrap(), 1);
        assert!(pool.metrics().threads_started() <= cap as u64);
        assert_eq!((runs.of(0), runs.of(1)), (1, 1));
    });
}

#[test]
fn two_submissions_to_one_thread_both_run() {
    submit_against_submit("blocking/submit_vs_submit_cap1", 1);
}

#[test]
fn two_submissions_to_two_threads_both_run() {
    submit_against_submit("blocking/submit_vs_submit_cap2", 2);
}

#[test]
fn a_job_may_wait_for_one_submitted_after_it() {
    // Race 3: the first blocks until the second has run, so the second must get a thread of its own.
    check("blocking/second_job_frees_first_cap2", Preemptions(2), Preemptions(3), || {
        let pool = pool(2, 2);
        let door = Shared::new(weftwork_sync::primitive::Parker::new());
        let inside = door.clone();
        let first = pool.submit(move || inside.park());
        let second = pool.submit(move || door.unpark());
        first.wait().unwrap();
        second.wait().unwrap();
    });
}

#[test]
fn an_idle_thread_is_claimed_by_one_of_two_jobs() {
    // Races 1 and 3: with one thread idle, the second job must not count on the thread that the first one claimed.
    check("blocking/two_jobs_one_idle_cap2", Preemptions(2), Preemptions(3), || {
        let pool = pool(2, 2);
        pool.submit(|| ()).wait().unwrap();
        let door = Shared::new(weftwork_sync::primitive::Parker::new());
        let inside = door.clone();
        let first = pool.submit(move || inside.park());
        let second = pool.submit(move || door.unpark());
        first.wait().unwrap();
        second.wait().unwrap();
    });
}

#[test]
fn a_job_behind_a_blocked_thread_gets_a_thread_when_a_period_has_passed() {
    // One job at once; the second waits for its age, with a thread watching the clock.
    check("blocking/growth_by_age_cap2", Preemptions(2), Preemptions(3), || {
        let pool = pool(2, 1);
        let door = Shared::new(weftwork_sync::primitive::Parker::new());
        let inside = door.clone();
        let first = pool.submit(move || inside.park());
        let second = pool.submit(move || door.unpark());
        while !second.is_finished() && !pool.expire_period() {
            thread::yield_now();
        }
        first.wait().unwrap();
        second.wait().unwrap();
    });
}

/// A pool whose thread starts fail from the `first_failure`-th on (counted from 0), `failures` times.
fn refusing_pool(cap: usize, first_failure: usize, failures: usize) -> ThreadPool {
    let starts = AtomicUsize::new(0);
    let mut growth = Growth::default();
    growth.eager = cap;
    ThreadPool::builder()
        .max_threads(cap)
        .growth(growth)
        .spawn_handler(move |name, body| {
            let nth = starts.fetch_add(1, Ordering::Relaxed);
            if (first_failure..first_failure + failures).contains(&nth) {
                return Err(io::Error::from_raw_os_error(11));
            }
            thread::spawn(name, body).map(drop)
        })
        .build()
}

fn ran_or_was_refused(outcome: Result<usize, OffloadError>, runs: usize) -> bool {
    match outcome {
        Ok(_) => assert_eq!(runs, 1),
        Err(OffloadError::NoThread(_)) => assert_eq!(runs, 0),
        Err(other) => unreachable!("{other}"),
    }
    runs == 1
}

fn submit_against_failed_start(name: &'static str, cap: usize, first_failure: usize) {
    // Race 5: the other submission may have relied on the thread whose start is refused.
    check(name, Preemptions(2), Preemptions(3), move || {
        let runs = Runs::new();
        let pool = refusing_pool(cap, first_failure, 1);
        let (theirs, their_runs) = (pool.clone(), runs.clone());
        let other = on_another_thread(move || theirs.submit(their_runs.job(1)).wait());
        let mine = pool.submit(runs.job(0)).wait();
        let theirs = other.join().unwrap();
        let ran = [ran_or_was_refused(mine, runs.of(0)), ran_or_was_refused(theirs, runs.of(1))];
        if first_failure > 0 {
            assert_eq!(ran, [true, true], "a thread was alive, so nobody is refused");
        }
    });
}

#[test]
fn a_refused_first_start_leaves_no_job_behind() {
    submit_against_failed_start("blocking/spawn_fail_first_cap1", 1, 0);
}

#[test]
fn a_refused_first_start_of_two_leaves_no_job_behind() {
    submit_against_failed_start("blocking/spawn_fail_first_cap2", 2, 0);
}

#[test]
fn a_refused_second_start_fails_nobody() {
    submit_against_failed_start("blocking/spawn_fail_second_cap2", 2, 1);
}

#[test]
fn jobs_wait_for_the_live_thread_when_a_start_is_refused() {
    // Race 5 with the live thread going idle in between.
    check("blocking/spawn_fail_while_one_lives_cap2", Preemptions(2), Preemptions(3), || {
        let runs = Runs::new();
        let pool = refusing_pool(2, 1, usize::MAX / 2);
        let first = pool.submit(runs.job(0));
        let second = pool.submit(runs.job(1));
        assert_eq!((first.wait().unwrap(), second.wait().unwrap()), (0, 1));
    });
}

#[test]
fn a_job_that_relied_on_a_refused_start_gets_the_thread_that_went_idle() {
    // Race 5: while the start for the second job is on its way to be refused, the live thread runs that job too and goes
    // idle; the third job was submitted in the belief that somebody comes.
    check("blocking/spawn_fail_after_idle_cap2", Preemptions(2), Preemptions(3), || {
        let runs = Runs::new();
        let pool = refusing_pool(2, 1, usize::MAX / 2);
        let first = pool.submit(runs.job(0));
        let (theirs, their_runs) = (pool.clone(), runs.clone());
        let other = on_another_thread(move || theirs.submit(their_runs.job(1)).wait().unwrap());
        assert_eq!(first.wait().unwrap(), 0);
        assert_eq!(pool.submit(runs.job(2)).wait().unwrap(), 2);
        assert_eq!(other.join().unwrap(), 1);
        assert_eq!((runs.of(0), runs.of(1), runs.of(2)), (1, 1, 1));
    });
}

fn shutdown_against_submit(name: &'static str, cap: usize, policy: ShutdownPolicy) {
    // Race 4.
    check(name, Preemptions(2), Preemptions(3), move || {
        let runs = Runs::new();
        let pool = pool(cap, cap);
        let (theirs, their_job) = (pool.clone(), runs.job(0));
        let other =
            on_another_thread(move || theirs.submit_with(JobOptions::new().shutdown_policy(policy), their_job).wait());
        pool.shutdown(None).unwrap();
        // No thread is left, so what the pool accepted has ended.
        let ran_before = runs.of(0);
        match other.join().unwrap() {
            Ok(_) => assert_eq!(runs.of(0), 1),
            Err(OffloadError::ShutDown) => assert_eq!(runs.of(0), 0),
            Err(other) => unreachable!("{other}"),
        }
        if policy != ShutdownPolicy::Abandon {
            assert_eq!(ran_before, runs.of(0), "a job ran after its pool was shut down");
        }
        assert_eq!(pool.metrics().running(), 0);
    });
}

#[test]
fn a_job_submitted_during_shutdown_runs_or_is_refused() {
    shutdown_against_submit("blocking/shutdown_vs_submit_cap1", 1, ShutdownPolicy::Wait);
}

#[test]
fn a_job_submitted_during_shutdown_runs_or_is_refused_on_two_threads() {
    shutdown_against_submit("blocking/shutdown_vs_submit_cap2", 2, ShutdownPolicy::Wait);
}

#[test]
fn a_job_that_must_run_does_once_it_is_accepted() {
    shutdown_against_submit("blocking/shutdown_vs_must_run_cap1", 1, ShutdownPolicy::MustRun);
}

#[test]
fn a_queued_job_that_must_run_outlives_the_last_handle() {
    check("blocking/must_run_outlives_pool_cap1", Preemptions(2), Preemptions(3), || {
        let runs = Runs::new();
        let pool = pool(1, 1);
        let dropped = pool.submit_with(JobOptions::new(), runs.job(0));
        let must = pool.submit_with(JobOptions::new().shutdown_policy(ShutdownPolicy::MustRun), runs.job(1));
        drop(pool);
        assert_eq!(must.wait().unwrap(), 1);
        match dropped.wait() {
            Ok(_) => assert_eq!(runs.of(0), 1),
            Err(OffloadError::ShutDown) => assert_eq!(runs.of(0), 0),
            Err(other) => unreachable!("{other}"),
        }
        assert_eq!(runs.of(1), 1);
    });
}

#[test]
fn shutdown_while_a_thread_leaves_ends() {
    check("blocking/shutdown_vs_idle_exit_cap1", Preemptions(2), Preemptions(3), || {
        let runs = Runs::new();
        let pool = pool(1, 1);
        pool.submit(runs.job(0)).wait().unwrap();
        let theirs = pool.clone();
        let clock = on_another_thread(move || theirs.expire_idle());
        pool.shutdown(None).unwrap();
        assert_eq!(pool.metrics().threads(), 0);
        clock.join().unwrap();
    });
}

#[test]
fn a_job_runs_or_is_cancelled_never_both() {
    // Race 1 of the cell.
    check("blocking/cancel_vs_start_cap1", Preemptions(3), Unbounded, || {
        let runs = Runs::new();
        let pool = pool(1, 1);
        let handle = pool.submit(runs.job(0));
        let cancelled = handle.cancel();
        match handle.wait() {
            Ok(_) => assert!(!cancelled && runs.of(0) == 1),
            Err(OffloadError::Cancelled) => assert!(cancelled && runs.of(0) == 0),
            Err(other) => unreachable!("{other}"),
        }
    });
}

#[test]
fn a_cancelled_job_does_not_hold_up_the_next() {
    check("blocking/cancel_then_next_cap2", Preemptions(2), Preemptions(3), || {
        let runs = Runs::new();
        let pool = pool(2, 2);
        let first = pool.submit(runs.job(0));
        let second = pool.submit(runs.job(1));
        let cancelled = first.cancel();
        assert_eq!(second.wait().unwrap(), 1);
        assert_eq!(first.wait().is_err(), cancelled);
        assert_eq!((runs.of(0), runs.of(1)), (usize::from(!cancelled), 1));
    });
}

#[test]
fn an_unread_result_is_dropped_once() {
    // Race 3 of the cell.
    struct Counted(Shared<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    check("blocking/unread_result_cap1", Preemptions(3), Unbounded, || {
        let drops = Shared::new(AtomicUsize::new(0));
        let pool = pool(1, 1);
        let value = Counted(drops.clone());
        drop(pool.submit(move || value).abandon_on_drop());
        pool.shutdown(None).unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

//! The pool from outside: what becomes of jobs, handles, threads and panics. No test needs a clock: jobs are held and
//! released through channels, idle time runs out by `expire_idle`, a growth period passes by `expire_period`.

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;
use weftwork_blocking::{
    BlockingExecutor, BlockingHandle, Growth, JobOptions, OffloadError, ShutdownPolicy, SpawnError, ThreadPool,
    check_cancelled, current_job, is_cancelled, run_on,
};

/// A job that says when it runs and ends when it is let go.
struct Held {
    handle: BlockingHandle<&'static str>,
    runs: Receiver<()>,
    release: Sender<()>,
}

fn hold(pool: &ThreadPool, options: JobOptions) -> Held {
    let (started, runs) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let handle = pool.submit_with(options, move || {
        started.send(()).unwrap();
        released.recv().unwrap();
        "held"
    });
    Held { handle, runs, release }
}

fn held(pool: &ThreadPool) -> Held {
    let held = hold(pool, JobOptions::new());
    held.runs.recv().unwrap();
    held
}

/// Ends when the condition holds, and hangs if it never does.
fn eventually(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

/// Grows by age only, and only when a test says that a period has passed.
fn manual_growth(eager: usize) -> Growth {
    let mut growth = Growth::default();
    growth.eager = eager;
    growth.step = 1;
    growth.period = Duration::MAX;
    growth
}

/// Drops a word into a channel when it is dropped, with the name of the thread that did it.
struct Witness(Sender<Option<String>>);
impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().name().map(str::to_owned));
    }
}

#[test]
fn asyncio_classic_3_10_one_thread_runs_ten_jobs_in_order() {
    let pool = ThreadPool::new(1);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let mut jobs = vec![pool.submit(move || {
        started.send(()).unwrap();
        released.recv().unwrap();
        0
    })];
    jobs.extend((1..10).map(|n| pool.submit(move || n)));
    has_started.recv().unwrap();
    assert!(format!("{:?}", jobs[0]).ends_with("state=running>"));
    for job in &jobs[1..] {
        assert!(format!("{job:?}").ends_with("state=pending>"), "{job:?}");
    }
    release.send(()).unwrap();
    let results: Vec<i32> = jobs.into_iter().map(|job| job.wait().unwrap()).collect();
    assert_eq!(results, (0..10).collect::<Vec<_>>());
    assert_eq!(pool.metrics().threads_started(), 1);
}

#[test]
fn a_handle_is_a_future_on_any_executor() {
    let pool = ThreadPool::new(2);
    let held = held(&pool);
    let Held { mut handle, release, .. } = held;
    assert!((&mut handle).now_or_never().is_none());
    release.send(()).unwrap();
    assert_eq!(block_on(&mut handle).unwrap(), "held");
    assert!(handle.is_finished());
    assert!(format!("{handle:?}").ends_with("state=finished>"));
}

#[test]
fn a_handle_may_be_polled_first_and_waited_for_afterwards() {
    let pool = ThreadPool::new(1);
    let Held { mut handle, release, .. } = held(&pool);
    assert!((&mut handle).now_or_never().is_none());
    let mut handle = handle.wait_timeout(Duration::ZERO).unwrap_err();
    assert!((&mut handle).now_or_never().is_none());
    release.send(()).unwrap();
    assert_eq!(handle.wait().unwrap(), "held");
}

#[test]
fn many_jobs_in_flight_all_end() {
    let pool = ThreadPool::new(4);
    let sum: usize =
        block_on(join_all((0..5_000).map(|n| pool.submit(move || n)))).into_iter().map(Result::unwrap).sum();
    assert_eq!(sum, 4_999 * 5_000 / 2);
    eventually(|| pool.metrics().completed() == 5_000);
    assert_eq!((pool.metrics().queued(), pool.metrics().running()), (0, 0));
}

#[test]
fn a_cancelled_job_never_runs_and_drops_its_closure_at_once() {
    let pool = ThreadPool::new(1);
    let first = held(&pool);
    let (dropped, was_dropped) = mpsc::channel();
    let witness = Witness(dropped);
    let second: BlockingHandle<()> = pool.submit(move || {
        let _witness = witness;
        unreachable!("it was cancelled");
    });
    assert!(second.cancel());
    assert!(was_dropped.try_recv().is_ok(), "the closure is dropped by cancel, not when its turn would have come");
    assert!(!second.cancel(), "a job is cancelled once");
    assert!(second.is_finished());
    assert!(matches!(block_on(second), Err(OffloadError::Cancelled)));
    first.release.send(()).unwrap();
    assert_eq!(first.handle.wait().unwrap(), "held");
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
}

#[test]
fn a_running_job_is_only_asked_to_stop() {
    let pool = ThreadPool::new(1);
    let (started, has_started) = mpsc::channel();
    let job = pool.submit(move || {
        assert!(!is_cancelled());
        started.send(()).unwrap();
        while check_cancelled().is_ok() {
            thread::yield_now();
        }
        "left early"
    });
    has_started.recv().unwrap();
    assert!(!job.cancel());
    assert_eq!(job.wait().unwrap(), "left early");
    assert!(!is_cancelled(), "outside a job nobody is cancelled");
}

#[test]
fn a_dropped_handle_lets_the_job_run_and_drops_the_result_on_the_pool() {
    let pool = ThreadPool::builder().thread_name("here").build();
    let (dropped, was_dropped) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    drop(pool.submit(move || {
        released.recv().unwrap();
        assert!(!is_cancelled());
        Witness(dropped)
    }));
    release.send(()).unwrap();
    assert_eq!(was_dropped.recv().unwrap().as_deref(), Some("here-0"));
}

#[test]
fn an_abandoned_job_that_has_not_begun_never_does() {
    let pool = ThreadPool::new(1);
    let first = held(&pool);
    let (dropped, was_dropped) = mpsc::channel();
    let witness = Witness(dropped);
    let second = pool.submit(move || drop(witness)).abandon_on_drop();
    drop(second);
    assert!(was_dropped.try_recv().is_ok());
    first.release.send(()).unwrap();
    first.handle.wait().unwrap();
}

#[test]
fn an_abandoned_job_that_runs_learns_of_it_and_its_result_is_dropped_on_the_pool() {
    let pool = ThreadPool::builder().thread_name("here").build();
    let (started, has_started) = mpsc::channel();
    let (dropped, was_dropped) = mpsc::channel();
    let job = pool
        .submit(move || {
            started.send(()).unwrap();
            while !is_cancelled() {
                thread::yield_now();
            }
            Witness(dropped)
        })
        .abandon_on_drop();
    has_started.recv().unwrap();
    drop(job);
    assert_eq!(was_dropped.recv().unwrap().as_deref(), Some("here-0"));
}

#[test]
fn glommio_37_panic_keeps_the_thread() {
    let pool = ThreadPool::new(1);
    for _ in 0..3 {
        match pool.submit(|| panic!("on purpose")).wait() {
            Err(OffloadError::Panicked(panic)) => assert_eq!(panic.message(), Some("on purpose")),
            other => unreachable!("{other:?}"),
        }
    }
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
    assert_eq!(pool.metrics().threads_started(), 1);
}

/// Panics when it is dropped, but for a drop that is already part of a panic.
struct PanicsOnDrop;
impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        assert!(thread::panicking(), "on purpose, in a destructor");
    }
}

#[test]
fn a_panic_in_the_drop_of_an_unread_result_stays_in_its_job() {
    let pool = ThreadPool::new(1);
    let (release, released) = mpsc::channel::<()>();
    drop(pool.submit(move || {
        released.recv().unwrap();
        PanicsOnDrop
    }));
    release.send(()).unwrap();
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
    assert_eq!(pool.metrics().threads_started(), 1);
    // The same where the result is there before the handle goes.
    let ready = pool.submit(|| PanicsOnDrop);
    eventually(|| ready.is_finished());
    drop(ready);
}

#[test]
fn a_panic_in_the_drop_of_a_cancelled_closure_goes_to_the_handle() {
    let pool = ThreadPool::new(1);
    let first = held(&pool);
    let bomb = PanicsOnDrop;
    let second = pool.submit(move || drop(bomb));
    assert!(second.cancel());
    assert!(matches!(second.wait(), Err(OffloadError::Panicked(_))));
    first.release.send(()).unwrap();
    first.handle.wait().unwrap();
}

#[test]
fn a_panic_in_a_hook_stays_in_the_hook() {
    let pool = ThreadPool::builder()
        .on_thread_start(|| panic!("on purpose, starting"))
        .on_thread_stop(|| panic!("on purpose, stopping"))
        .build();
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
    pool.shutdown(None).unwrap();
    assert_eq!(pool.metrics().threads(), 0);
}

#[test]
fn a_panic_in_a_waker_keeps_the_thread() {
    #[allow(clippy::disallowed_types, reason = "the standard library's Wake needs its Arc")]
    use std::sync::Arc;
    struct Panics;
    impl std::task::Wake for Panics {
        #[allow(clippy::disallowed_types, reason = "the standard library's Wake needs its Arc")]
        fn wake(self: Arc<Self>) {
            panic!("on purpose, in a waker");
        }
    }
    #[allow(clippy::disallowed_types, reason = "the standard library's Wake needs its Arc")]
    let waker = Arc::new(Panics).into();
    let pool = ThreadPool::new(1);
    let Held { mut handle, release, .. } = held(&pool);
    assert!(handle.poll_unpin(&mut std::task::Context::from_waker(&waker)).is_pending());
    release.send(()).unwrap();
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
    assert_eq!(handle.wait().unwrap(), "held");
    assert_eq!(pool.metrics().threads_started(), 1);
}

#[test]
fn tokio_1982_a_job_may_submit_and_await_jobs_of_its_own_pool() {
    let pool = ThreadPool::new(3);
    let inner = pool.clone();
    let outer = pool.submit(move || {
        let innermost = inner.clone();
        inner.submit(move || innermost.submit(|| 7).wait().unwrap()).wait().unwrap()
    });
    assert_eq!(outer.wait().unwrap(), 7);
}

#[test]
fn tokio_8056_every_job_of_a_fresh_pool_gets_a_thread() {
    // Submissions race with threads that start, go idle and leave at once.
    for cap in [1, 2, 3] {
        for _ in 0..50 {
            let pool = ThreadPool::builder().max_threads(cap).keep_alive(Duration::ZERO).build();
            let others: Vec<_> = (0..3)
                .map(|n| {
                    let pool = pool.clone();
                    thread::Builder::new()
                        .spawn(move || (0..20).map(|_| pool.submit(move || n).wait().unwrap()).sum::<i32>())
                        .unwrap()
                })
                .collect();
            let sum: i32 = others.into_iter().map(|other| other.join().unwrap()).sum();
            assert_eq!(sum, 60);
        }
    }
}

#[test]
fn tokio_7910_shutdown_counts_no_idle_thread_twice() {
    let pool = ThreadPool::new(2);
    let jobs = [held(&pool), held(&pool)];
    for job in jobs {
        job.release.send(()).unwrap();
        job.handle.wait().unwrap();
    }
    eventually(|| pool.metrics().idle() == 2);
    pool.shutdown(None).unwrap();
    let after = pool.metrics();
    assert_eq!((after.idle(), after.threads(), after.completed()), (0, 0, 2));
}

#[test]
fn tokio_7918_a_thread_claimed_by_a_submission_is_not_idle_for_the_next() {
    // Two submissions in a row with one thread idle: the second must not count on the thread that the first one claimed.
    let pool = ThreadPool::builder().max_threads(2).growth(manual_growth(2)).build();
    pool.submit(|| ()).wait().unwrap();
    eventually(|| pool.metrics().idle() == 1);
    let first = hold(&pool, JobOptions::new());
    let second = hold(&pool, JobOptions::new());
    first.runs.recv().unwrap();
    second.runs.recv().unwrap();
    assert_eq!((pool.metrics().idle(), pool.metrics().running()), (0, 2));
    for job in [first, second] {
        job.release.send(()).unwrap();
        job.handle.wait().unwrap();
    }
}

#[test]
fn tokio_7922_shutdown_right_after_a_submission_ends() {
    for _ in 0..200 {
        let pool = ThreadPool::new(1);
        pool.submit(|| ()).wait().unwrap();
        let late = pool.submit(|| 1);
        pool.shutdown(None).unwrap();
        assert!(matches!(late.wait(), Ok(1) | Err(OffloadError::ShutDown)));
        assert_eq!((pool.metrics().idle(), pool.metrics().threads()), (0, 0));
    }
}

#[test]
fn blocking_1_7_0_idle_threads_leave() {
    let (left, leaves) = mpsc::channel();
    let pool = ThreadPool::builder()
        .max_threads(20)
        .growth(manual_growth(20))
        .on_thread_stop(move || left.send(()).unwrap())
        .build();
    let burst: Vec<_> = (0..20).map(|_| hold(&pool, JobOptions::new())).collect();
    for job in &burst {
        job.runs.recv().unwrap();
    }
    assert_eq!(pool.metrics().threads(), 20);
    for job in burst {
        job.release.send(()).unwrap();
        job.handle.wait().unwrap();
    }
    eventually(|| pool.metrics().idle() == 20);
    pool.expire_idle();
    for _ in 0..20 {
        leaves.recv().unwrap();
    }
    eventually(|| pool.metrics().threads() == 0);
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1, "the pool starts threads again");
    assert_eq!(pool.metrics().threads_started(), 21);
}

#[test]
fn with_no_keep_alive_threads_leave_by_themselves() {
    let pool = ThreadPool::builder().keep_alive(Duration::ZERO).build();
    for n in 0..3 {
        assert_eq!(pool.submit(move || n).wait().unwrap(), n);
        eventually(|| pool.metrics().threads() == 0);
    }
}

#[test]
fn the_thread_that_was_busy_last_is_used_first() {
    let pool = ThreadPool::builder().max_threads(2).growth(manual_growth(2)).build();
    let (a, b) = (held(&pool), held(&pool));
    a.release.send(()).unwrap();
    a.handle.wait().unwrap();
    eventually(|| pool.metrics().idle() == 1);
    b.release.send(()).unwrap();
    b.handle.wait().unwrap();
    let mut names = Vec::new();
    for _ in 0..3 {
        eventually(|| pool.metrics().idle() == 2);
        names.push(pool.submit(|| thread::current().name().map(str::to_owned)).wait().unwrap().unwrap());
    }
    assert_eq!(names, ["weft-blocking-1"; 3]);
}

#[test]
fn a_job_behind_blocked_threads_gets_a_thread_after_a_period() {
    let pool = ThreadPool::builder().max_threads(4).growth(manual_growth(1)).build();
    let first = held(&pool);
    let second = hold(&pool, JobOptions::new());
    let third = hold(&pool, JobOptions::new());
    assert_eq!(pool.metrics().running(), 1, "the others are young");
    for waiting in [&second, &third] {
        // One period for both if the watch began after both were submitted, else one each.
        eventually(|| {
            pool.expire_period();
            waiting.runs.try_recv().is_ok()
        });
    }
    for job in [first, second, third] {
        job.release.send(()).unwrap();
        job.handle.wait().unwrap();
    }
}

#[test]
fn threads_that_blocked_for_a_period_no_longer_hold_up_young_jobs() {
    let pool = ThreadPool::builder().max_threads(4).growth(manual_growth(1)).build();
    let first = held(&pool);
    let second = pool.submit(|| 2);
    eventually(|| pool.expire_period());
    assert_eq!(second.wait().unwrap(), 2);
    // No period passes any more, yet these run: the first job is known to block.
    for n in 0..5 {
        assert_eq!(pool.submit(move || n).wait().unwrap(), n);
    }
    first.release.send(()).unwrap();
    first.handle.wait().unwrap();
}

#[test]
fn shutdown_names_the_jobs_still_inside() {
    let pool = ThreadPool::new(2);
    let job = hold(&pool, JobOptions::new().name("resize photo"));
    job.runs.recv().unwrap();
    let queued = pool.submit(|| ());
    let late = pool.shutdown(Some(Duration::ZERO)).unwrap_err();
    assert!(late.jobs().iter().any(|job| job.name() == "resize photo"));
    assert!(late.to_string().contains("resize photo"), "{late}");
    assert!(matches!(queued.wait(), Ok(()) | Err(OffloadError::ShutDown)));
    assert!(matches!(pool.submit(|| ()).wait(), Err(OffloadError::ShutDown)));
    job.release.send(()).unwrap();
    pool.shutdown(None).unwrap();
    assert_eq!(job.handle.wait().unwrap(), "held");
    assert_eq!(pool.metrics().threads(), 0);
}

#[test]
fn shutdown_drops_what_has_not_begun_and_runs_what_must() {
    let pool = ThreadPool::new(1);
    let first = held(&pool);
    let may = pool.submit_with(JobOptions::new(), || 1);
    let must = pool.submit_with(JobOptions::new().shutdown_policy(ShutdownPolicy::MustRun), || 2);
    assert!(pool.shutdown(Some(Duration::ZERO)).is_err());
    assert!(matches!(may.wait(), Err(OffloadError::ShutDown)));
    assert!(!must.is_finished());
    first.release.send(()).unwrap();
    pool.shutdown(None).unwrap();
    assert_eq!(must.wait().unwrap(), 2);
}

#[test]
fn shutdown_does_not_wait_for_abandoned_jobs() {
    let pool = ThreadPool::new(1);
    let reads_a_terminal = hold(&pool, JobOptions::new().shutdown_policy(ShutdownPolicy::Abandon));
    reads_a_terminal.runs.recv().unwrap();
    pool.shutdown(None).unwrap();
    reads_a_terminal.release.send(()).unwrap();
    assert_eq!(reads_a_terminal.handle.wait().unwrap(), "held", "it runs on and its handle still resolves");
}

#[test]
fn a_job_may_shut_down_its_own_pool() {
    let pool = ThreadPool::new(2);
    let own = pool.clone();
    assert!(pool.submit(move || own.shutdown(None).is_ok()).wait().unwrap());
}

#[test]
fn dropping_the_last_handle_lets_running_jobs_end() {
    let (left, leaves) = mpsc::channel();
    let pool = ThreadPool::builder().on_thread_stop(move || left.send(()).unwrap()).build();
    let job = held(&pool);
    drop(pool.clone());
    assert!(leaves.try_recv().is_err(), "a clone is not the last handle");
    drop(pool);
    job.release.send(()).unwrap();
    assert_eq!(job.handle.wait().unwrap(), "held");
    leaves.recv().unwrap();
}

#[test]
fn a_full_queue_is_a_typed_error_and_cancelled_jobs_make_room() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(2).build();
    let first = held(&pool);
    let second = pool.submit(|| 2);
    let third = pool.submit(|| 3);
    assert!(matches!(pool.submit(|| 4).wait(), Err(OffloadError::QueueFull)));
    assert!(matches!(pool.execute(Box::new(|| ())), Err(SpawnError::QueueFull)));
    assert!(second.cancel());
    let fourth = pool.submit(|| 4);
    first.release.send(()).unwrap();
    assert_eq!((third.wait().unwrap(), fourth.wait().unwrap()), (3, 4));
}

#[test]
fn a_job_knows_its_name() {
    let pool = ThreadPool::new(1);
    assert_eq!(pool.submit_with(JobOptions::new().name("a"), || current_job().unwrap().to_string()).info().name(), "a");
    let unnamed = pool.submit(|| current_job().unwrap().name().to_owned()).wait().unwrap();
    assert!(unnamed.contains("a_job_knows_its_name"), "{unnamed}");
}

#[test]
fn a_foreign_executor_that_refuses_or_forgets_a_job_resolves_its_handle() {
    struct Refuses;
    impl BlockingExecutor for Refuses {
        fn execute(&self, _: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
            Err(SpawnError::QueueFull)
        }
    }
    struct Forgets;
    impl BlockingExecutor for Forgets {
        fn execute(&self, _: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
            Ok(())
        }
    }
    struct Inline;
    impl BlockingExecutor for Inline {
        fn execute(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
            job();
            Ok(())
        }
    }
    assert!(matches!(run_on(&Refuses, || ()).wait(), Err(OffloadError::QueueFull)));
    assert!(matches!(run_on(&Forgets, || ()).wait(), Err(OffloadError::ShutDown)));
    let dynamic: &dyn BlockingExecutor = &Inline;
    let nested = run_on(dynamic, || {
        (run_on(&Inline, || current_job().unwrap().id()).wait().unwrap(), current_job().unwrap().id())
    });
    let (inner, outer) = nested.wait().unwrap();
    assert_ne!(inner, outer, "the outer job is the current one again after the inner has run in the same thread");
}

#[test]
fn errors_and_handles_are_what_callers_need_them_to_be() {
    fn fits<E: std::error::Error + Send + Sync + 'static>() {}
    fits::<OffloadError>();
    fits::<SpawnError>();
    fn sends<H: Send + Sync + Unpin>() {}
    sends::<BlockingHandle<std::marker::PhantomPinned>>();
    sends::<ThreadPool>();
    let error = OffloadError::NoThread(std::io::Error::from_raw_os_error(11));
    assert!(std::error::Error::source(&error).is_some());
}

//! Thread starts that fail: by the caller's spawn handler, and by the fault point in the facade (which is the process's,
//! so one test alone uses it).

use std::io;
use std::sync::mpsc;
use weftwork_blocking::{BlockingExecutor, Growth, OffloadError, SpawnError, ThreadPool};
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::fault::{self, Point};
use weftwork_sync::primitive::unmodelled::Counter;

/// A pool whose spawn handler lets the first `allowed` starts through and counts the attempts.
fn limited(allowed: u64) -> (ThreadPool, Shared<Counter>) {
    let attempts = Shared::new(Counter::new(0));
    let counted = attempts.clone();
    let mut growth = Growth::default();
    growth.eager = 8;
    let pool = ThreadPool::builder()
        .max_threads(8)
        .growth(growth)
        .spawn_handler(move |name, body| {
            if counted.add(1) >= allowed {
                return Err(io::Error::from_raw_os_error(11));
            }
            std::thread::Builder::new().name(name).spawn(body).map(drop)
        })
        .build();
    (pool, attempts)
}

#[test]
fn a_refused_start_is_an_error_if_no_thread_is_alive() {
    fault::arm(Point::ThreadStart, 1, 1);
    let pool = ThreadPool::new(4);
    match pool.submit(|| ()).wait() {
        Err(OffloadError::NoThread(error)) => assert_eq!(error.raw_os_error(), Some(11)),
        other => unreachable!("{other:?}"),
    }
    fault::disarm(Point::ThreadStart);
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1, "the pool is as good as new when the system has threads again");
}

#[test]
fn blocking_79_spawn_failure_does_not_livelock() {
    // One thread is let through, no other: hundreds of jobs wait for that one, and the system is asked a few times only.
    let (pool, attempts) = limited(1);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let first = pool.submit(move || {
        started.send(()).unwrap();
        released.recv().unwrap();
    });
    has_started.recv().unwrap();
    let others: Vec<_> = (0..500).map(|n| pool.submit(move || n)).collect();
    assert!(attempts.get() < 20, "{} attempts", attempts.get());
    release.send(()).unwrap();
    first.wait().unwrap();
    for (n, other) in others.into_iter().enumerate() {
        assert_eq!(other.wait().unwrap(), n);
    }
    assert!(attempts.get() < 30, "{} attempts", attempts.get());
    assert_eq!(pool.metrics().threads(), 1);
}

#[test]
fn tokio_8406_only_threads_that_look_at_the_queue_count_as_alive() {
    let (pool, attempts) = limited(1);
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
    while pool.metrics().idle() == 0 {
        std::thread::yield_now();
    }
    pool.expire_idle();
    while pool.metrics().threads() > 0 {
        std::thread::yield_now();
    }
    for _ in 0..5 {
        assert!(matches!(pool.submit(|| 1).wait(), Err(OffloadError::NoThread(_))));
        assert!(matches!(pool.execute(Box::new(|| ())), Err(SpawnError::NoThread(_))));
    }
    assert_eq!(attempts.get(), 11, "with nobody alive each submission asks the system once");
    assert_eq!((pool.metrics().threads(), pool.metrics().queued()), (0, 0));
}

#[test]
fn a_spawn_handler_that_panics_is_a_refusal() {
    let panics = ThreadPool::builder().spawn_handler(|_, _| panic!("on purpose")).build();
    assert!(matches!(panics.submit(|| ()).wait(), Err(OffloadError::NoThread(_))));
}

#[test]
fn a_thread_that_cannot_be_called_what_it_should_is_an_error_and_the_pool_goes_on() {
    let name = |n: u64| if n == 0 { "a\0b".to_owned() } else { format!("good-{n}") };
    let pool = ThreadPool::builder().max_threads(2).thread_name_fn(name).build();
    match pool.submit(|| ()).wait() {
        Err(OffloadError::NoThread(error)) => assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}"),
        other => unreachable!("{other:?}"),
    }
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
}

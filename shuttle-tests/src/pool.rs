//! S4: the blocking pool: threads that start, rest and leave, jobs that are given up, and its end.

use crate::impatience::{spawn, wait_at_most};
use weftwork_blocking::ThreadPool;
use weftwork_sync::block_on;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::unmodelled::Counter;

/// Jobs from two threads on a pool of two; each runs once, and the end of the pool is the end of its threads.
pub(crate) fn grows_and_ends() {
    let pool = ThreadPool::builder().max_threads(2).build();
    let ran = Shared::new(Counter::new(0));
    let submits: Vec<_> = (0..2)
        .map(|_| {
            let (pool, ran) = (pool.clone(), ran.clone());
            spawn(move || {
                for _ in 0..2 {
                    let ran = ran.clone();
                    let job = pool.submit(move || ran.add(1));
                    block_on(job).expect("the pool is there");
                }
            })
        })
        .collect();
    for thread in submits {
        thread.join().unwrap();
    }
    assert_eq!(ran.get(), 4);
    assert!(pool.shutdown(None).is_ok());
}

/// Jobs whose callers give up, against the end of the pool: each runs at most once, and is dropped once.
pub(crate) fn jobs_given_up() {
    struct Alive(Shared<Counter>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.add(1);
        }
    }
    let pool = ThreadPool::builder().max_threads(1).build();
    let dropped = Shared::new(Counter::new(0));
    let submits: Vec<_> = (0..2)
        .map(|n| {
            let (pool, alive) = (pool.clone(), Alive(dropped.clone()));
            spawn(move || {
                let job = pool.submit(move || drop(alive));
                drop(wait_at_most(n + 1, job.abandon_on_drop()));
            })
        })
        .collect();
    let ended = pool.shutdown(None).is_ok();
    for thread in submits {
        thread.join().unwrap();
    }
    assert!(ended);
    drop(pool);
    assert_eq!(dropped.get(), 2);
}

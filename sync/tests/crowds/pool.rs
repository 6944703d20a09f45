//! Tasks on a few threads, run in an order that is drawn; all wakers are called by tasks, so when nothing is ready and nothing
//! runs, whoever has not ended waits for a wake-up that was lost.

use crate::random::Random;
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

const THREADS: u64 = 2;

const IDLE: u8 = 0;
const READY: u8 = 1;
const RUNNING: u8 = 2;
const WOKEN_WHILE_RUNNING: u8 = 3;

#[derive(Default)]
struct Ready {
    queue: VecDeque<Arc<Job>>,
    running: usize,
    alive: usize,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

#[derive(Default)]
struct Pool {
    ready: Mutex<Ready>,
    changed: Condvar,
}

struct Job {
    pool: Arc<Pool>,
    state: AtomicU8,
    future: Mutex<BoxFuture<'static, ()>>,
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        let next = |state| match state {
            IDLE => Some(READY),
            RUNNING => Some(WOKEN_WHILE_RUNNING),
            _ => None,
        };
        if self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) == Ok(IDLE) {
            self.pool.ready.lock().unwrap().queue.push_back(self.clone());
            self.pool.changed.notify_one();
        }
    }
}

/// How many tasks wait for ever; 0: all have ended.
pub(crate) fn run(tasks: Vec<BoxFuture<'static, ()>>, seed: u64) -> usize {
    let pool = Arc::new(Pool::default());
    let job = |future| Arc::new(Job { pool: pool.clone(), state: AtomicU8::new(READY), future: Mutex::new(future) });
    *pool.ready.lock().unwrap() =
        Ready { alive: tasks.len(), queue: tasks.into_iter().map(job).collect(), ..Ready::default() };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let pool = &pool;
            scope.spawn(move || work(pool, Random::new(seed * THREADS + thread)));
        }
    });
    let mut ready = pool.ready.lock().unwrap();
    if let Some(panic) = ready.panic.take() {
        drop(ready);
        resume_unwind(panic);
    }
    ready.alive
}

fn work(pool: &Pool, mut random: Random) {
    let mut ready = pool.ready.lock().unwrap();
    loop {
        // One of the first few, so that the order is drawn and nobody is left out.
        let at = random.below(ready.queue.len().clamp(1, 8));
        let Some(job) = ready.queue.remove(at) else {
            if ready.running == 0 || ready.panic.is_some() {
                pool.changed.notify_all();
                return;
            }
            ready = pool.changed.wait(ready).unwrap();
            continue;
        };
        ready.running += 1;
        drop(ready);
        job.state.store(RUNNING, Ordering::SeqCst);
        let waker = Waker::from(job.clone());
        let polled = catch_unwind(AssertUnwindSafe(|| {
            job.future.lock().unwrap().as_mut().poll(&mut Context::from_waker(&waker))
        }));
        ready = pool.ready.lock().unwrap();
        ready.running -= 1;
        match polled {
            Ok(Poll::Pending) => {
                if job.state.compare_exchange(RUNNING, IDLE, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                    job.state.store(READY, Ordering::SeqCst);
                    ready.queue.push_back(job);
                }
            }
            Ok(Poll::Ready(())) => ready.alive -= 1,
            Err(panic) => ready.panic = Some(panic),
        }
    }
}

//! What tokio measures of its schedulers (its benches rt_multi_threaded, rt_current_thread, spawn, remote_spawn), written
//! anew: the runtime is seen from the thread that blocks on it. On two workers where tokio takes four.

use super::per_operation;
use crate::rows::peer::{Oneshot, Outside};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// What a busy task computes before it yields or ends.
const BUSY: Duration = Duration::from_micros(10);

fn compute() {
    let start = Instant::now();
    while start.elapsed() < BUSY {
        std::hint::spin_loop();
    }
}

/// Counts down to a signal on a std channel, which the blocking thread waits for.
#[derive(Clone)]
struct Countdown {
    left: Arc<AtomicU64>,
    done: SyncSender<()>,
}

impl Countdown {
    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.send(()).expect("the thread waits");
        }
    }
}

/// Spawns so many empty tasks; gives how many are left, and the signal of the last one.
fn spawn_counted<P: Outside>(runtime: P::Runtime, tasks: u64) -> (Arc<AtomicU64>, Receiver<()>) {
    let (done, all_done) = sync_channel(1);
    let countdown = Countdown { left: Arc::new(AtomicU64::new(tasks)), done };
    for _ in 0..tasks {
        let countdown = countdown.clone();
        P::detach(P::spawn_on(runtime, async move { countdown.one_less() }));
    }
    (countdown.left, all_done)
}

/// Spawns so many empty tasks from outside, and awaits all.
fn spawn_remote<P: Outside>(runtime: P::Runtime, tasks: u64) -> f64 {
    let start = Instant::now();
    let handles: Vec<_> = (0..tasks).map(|_| P::spawn_on(runtime, async {})).collect();
    P::block_on(runtime, async {
        for handle in handles {
            P::join(handle).await;
        }
    });
    per_operation(start, tasks)
}

/// Spawns 10 000 empty tasks from inside `block_on`, and blocks until the last one signals.
pub(crate) fn mt_spawn_many_local<P: Outside>(runtime: P::Runtime) -> f64 {
    let start = Instant::now();
    P::block_on(runtime, async {
        let (_left, all_done) = spawn_counted::<P>(runtime, 10_000);
        all_done.recv().expect("the last one signals");
    });
    per_operation(start, 10_000)
}

pub(crate) fn mt_spawn_many_remote_idle<P: Outside>(runtime: P::Runtime) -> f64 {
    spawn_remote::<P>(runtime, 10_000)
}

/// The same while eight tasks compute for 10 us and yield.
pub(crate) fn mt_spawn_many_remote_busy1<P: Outside>(runtime: P::Runtime) -> f64 {
    let go_on = Arc::new(AtomicBool::new(true));
    let busy: Vec<_> = (0..8)
        .map(|_| {
            let go_on = Arc::clone(&go_on);
            P::spawn_on(runtime, async move {
                while go_on.load(Ordering::Relaxed) {
                    compute();
                    P::yield_now().await;
                }
            })
        })
        .collect();
    let ns = spawn_remote::<P>(runtime, 10_000);
    go_on.store(false, Ordering::Relaxed);
    P::block_on(runtime, async {
        for task in busy {
            P::join(task).await;
        }
    });
    ns
}

/// The same while four tasks compute for 10 us, spawn their successor and end; 1 000 tasks.
pub(crate) fn mt_spawn_many_remote_busy2<P: Outside>(runtime: P::Runtime) -> f64 {
    fn successor<P: Outside>(go_on: Arc<AtomicBool>) {
        P::detach(P::spawn(async move {
            compute();
            if go_on.load(Ordering::Relaxed) {
                successor::<P>(go_on);
            }
        }));
    }
    let go_on = Arc::new(AtomicBool::new(true));
    for _ in 0..4 {
        let go_on = Arc::clone(&go_on);
        P::detach(P::spawn_on(runtime, async move { successor::<P>(go_on) }));
    }
    let ns = spawn_remote::<P>(runtime, 1_000);
    go_on.store(false, Ordering::Relaxed);
    ns
}

/// 1 000 pairs, one round trip each over two oneshots.
pub(crate) fn mt_ping_pong<P: Outside + Oneshot>(runtime: P::Runtime) -> f64 {
    const PAIRS: u64 = 1_000;
    let (done, all_done) = sync_channel(1);
    let countdown = Countdown { left: Arc::new(AtomicU64::new(PAIRS)), done };
    let start = Instant::now();
    P::block_on(runtime, async {
        P::detach(P::spawn_on(runtime, async move {
            for _ in 0..PAIRS {
                let countdown = countdown.clone();
                P::detach(P::spawn(async move {
                    let ((ping, pinged), (pong, ponged)) = (P::oneshot(), P::oneshot());
                    P::detach(P::spawn(async move {
                        let value = P::take(pinged).await;
                        P::give(pong, value);
                    }));
                    P::give(ping, 1);
                    P::take(ponged).await;
                    countdown.one_less();
                }));
            }
        }));
        all_done.recv().expect("the last one signals");
    });
    per_operation(start, PAIRS)
}

/// Each of 1 000 tasks spawns the next.
pub(crate) fn mt_chained_spawn<P: Outside>(runtime: P::Runtime) -> f64 {
    const DEPTH: u64 = 1_000;
    fn link<P: Outside>(left: u64, done: SyncSender<()>) {
        P::detach(P::spawn(async move {
            if left == 0 {
                done.send(()).expect("the thread waits");
            } else {
                link::<P>(left - 1, done);
            }
        }));
    }
    let (done, all_done) = sync_channel(1);
    let start = Instant::now();
    P::block_on(runtime, async {
        P::detach(P::spawn_on(runtime, async move { link::<P>(DEPTH, done) }));
        all_done.recv().expect("the last one signals");
    });
    per_operation(start, DEPTH)
}

/// Spawns 1 000 empty tasks from inside `block_on`, which lets them run; 20 times.
pub(crate) fn ct_spawn_many_local<P: Outside>(runtime: P::Runtime) -> f64 {
    let start = Instant::now();
    for _ in 0..20 {
        P::block_on(runtime, async {
            let (left, _all_done) = spawn_counted::<P>(runtime, 1_000);
            while left.load(Ordering::Acquire) != 0 {
                P::yield_now().await;
            }
        });
    }
    per_operation(start, 20_000)
}

pub(crate) fn ct_spawn_many_remote_idle<P: Outside>(runtime: P::Runtime) -> f64 {
    (0..20).map(|_| spawn_remote::<P>(runtime, 1_000)).sum::<f64>() / 20.0
}

/// So many tasks that yield once, spawned and awaited by the blocking thread, 2 000 times.
fn spawn_and_join<P: Outside>(runtime: P::Runtime, tasks: u64) -> f64 {
    const TIMES: u64 = 2_000;
    let start = Instant::now();
    for _ in 0..TIMES {
        P::block_on(runtime, async {
            let handles: Vec<_> = (0..tasks).map(|_| P::spawn_on(runtime, P::yield_now())).collect();
            for handle in handles {
                P::join(handle).await;
            }
        });
    }
    per_operation(start, TIMES * tasks)
}

pub(crate) fn spawn_1<P: Outside>(runtime: P::Runtime) -> f64 {
    spawn_and_join::<P>(runtime, 1)
}

pub(crate) fn spawn_10<P: Outside>(runtime: P::Runtime) -> f64 {
    spawn_and_join::<P>(runtime, 10)
}

/// 12 800 empty tasks from so many threads that start at once; the time until all are spawned.
fn remote_spawn<P: Outside>(runtime: P::Runtime, threads: u64) -> f64 {
    const TASKS: u64 = 12_800;
    let start_line = Arc::new(Barrier::new(usize::try_from(threads + 1).expect("there are few")));
    let spawners: Vec<_> = (0..threads)
        .map(|_| {
            let start_line = Arc::clone(&start_line);
            std::thread::spawn(move || {
                let mut handles = Vec::with_capacity(12_800);
                start_line.wait();
                for _ in 0..TASKS / threads {
                    handles.push(P::spawn_on(runtime, async {}));
                }
                (Instant::now(), handles)
            })
        })
        .collect();
    let start = Instant::now();
    start_line.wait();
    let mut last = start;
    for spawner in spawners {
        let (ended, handles) = spawner.join().expect("it spawns and ends");
        last = last.max(ended);
        P::block_on(runtime, async {
            for handle in handles {
                P::join(handle).await;
            }
        });
    }
    #[expect(clippy::cast_precision_loss, reason = "the constant is small")]
    let tasks = TASKS as f64;
    (last - start).as_secs_f64() * 1e9 / tasks
}

pub(crate) fn remote_spawn_1<P: Outside>(runtime: P::Runtime) -> f64 {
    remote_spawn::<P>(runtime, 1)
}

pub(crate) fn remote_spawn_8<P: Outside>(runtime: P::Runtime) -> f64 {
    remote_spawn::<P>(runtime, 8)
}

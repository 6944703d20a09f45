//! 64 tasks at each primitive, which give up at random: no wake-up is lost, and nobody is starved.
//!
//! Each crowd goes on until every task has had its turns; one that does not come to its turns while the others have a great many
//! is starved. With `WEFTWORK_CROWD_SECONDS` each goes on for so long instead, and prints how even it was. Seeds begin at
//! `WEFTWORK_SEED`.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

mod pool;
#[path = "../random/mod.rs"]
mod random;

use futures::future::BoxFuture;
use random::{Random, first_seed};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};
use weftwork_sync::{
    Barrier, Condvar, Event, LifoQueue, Limiter, Mutex, Notify, PriorityQueue, Queue, RwLock, Semaphore, broadcast,
    channel, watch,
};

const CROWD: usize = 64;
/// Turns of each task.
const TURNS: u64 = 40;
/// So many turns of all the tasks for each that one is owed: who has not had it then is starved.
const STARVED: u64 = 200;

/// Polls a future at most so many times, with others in between, and then drops it.
async fn give_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            // Whoever does not give up waits to be woken.
            if left != usize::MAX {
                left -= 1;
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }
    })
    .await
}

/// Lets others run once.
async fn yield_now() {
    give_up_after(1, poll_fn(|_| Poll::<()>::Pending)).await;
}

/// What the crowd has had so far.
struct Turns {
    each: Vec<AtomicU64>,
    all: AtomicU64,
    /// The most turns that others had while one waited.
    longest: AtomicU64,
    over: AtomicBool,
    until: Option<Instant>,
}

impl Turns {
    fn had(&self, me: usize, since: u64) {
        let all = self.all.fetch_add(1, Ordering::SeqCst) + 1;
        self.each[me].fetch_add(1, Ordering::SeqCst);
        self.longest.fetch_max(all - since, Ordering::SeqCst);
        if all.is_multiple_of(64) {
            let least = self.each.iter().map(|turns| turns.load(Ordering::SeqCst)).min().unwrap_or(0);
            let owed = (least + 1) * CROWD as u64;
            assert!(all < owed * STARVED, "one had {least} turns while all together had {all}");
            let over = self.until.map_or(least >= TURNS, |until| Instant::now() > until);
            self.over.fetch_or(over, Ordering::SeqCst);
        }
    }

    fn are_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// A crowd at one primitive: `turn` waits for it and uses it, giving up after so many polls, and says whether it had its turn; `end`
/// sends everybody home.
fn crowd<S, T, E>(name: &str, shared: S, turn: T, end: E)
where
    S: Clone + Send + Sync + 'static,
    T: for<'a> Fn(&'a S, usize, usize) -> BoxFuture<'a, bool> + Clone + Send + 'static,
    E: Fn(&S) + Clone + Send + 'static,
{
    let seconds = std::env::var("WEFTWORK_CROWD_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("WEFTWORK_CROWD_SECONDS is a number"));
    let turns = Arc::new(Turns {
        each: (0..CROWD).map(|_| AtomicU64::new(0)).collect(),
        all: AtomicU64::new(0),
        longest: AtomicU64::new(0),
        over: AtomicBool::new(false),
        until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
    });
    let seed = first_seed();
    let task = |me: usize| -> BoxFuture<'static, ()> {
        let (shared, turn, end, turns) = (shared.clone(), turn.clone(), end.clone(), turns.clone());
        let mut random = Random::new(seed * CROWD as u64 + me as u64);
        Box::pin(async move {
            while !turns.are_over() {
                let patience = if random.below(3) == 0 { random.below(5) } else { usize::MAX };
                let since = turns.all.load(Ordering::SeqCst);
                if turn(&shared, me, patience).await {
                    turns.had(me, since);
                }
                if random.below(4) == 0 {
                    yield_now().await;
                }
            }
            end(&shared);
        })
    };
    let stranded = pool::run((0..CROWD).map(task).collect(), seed);
    let each = || turns.each.iter().map(|turns| turns.load(Ordering::SeqCst));
    let (least, most) = (each().min().unwrap_or(0), each().max().unwrap_or(0));
    let (all, longest) = (turns.all.load(Ordering::SeqCst), turns.longest.load(Ordering::SeqCst));
    println!("crowd {name}: seed {seed}, {all} turns, {least} to {most} each, at most {longest} of others in one wait");
    assert_eq!(stranded, 0, "{name}, seed {seed}: so many wait for a wake-up that was lost");
}

#[test]
fn at_a_mutex() {
    crowd(
        "mutex",
        Arc::new(Mutex::new(0)),
        |mutex, _, patience| {
            Box::pin(async move {
                let Some(mut guard) = give_up_after(patience, mutex.lock()).await else { return false };
                *guard += 1;
                yield_now().await;
                true
            })
        },
        |_| {},
    );
}

#[test]
fn at_a_semaphore() {
    crowd(
        "semaphore",
        Arc::new(Semaphore::new(3)),
        |semaphore, me, patience| {
            Box::pin(async move {
                let Some(permits) = give_up_after(patience, semaphore.acquire_many(1 + me % 3)).await else {
                    return false;
                };
                yield_now().await;
                permits.is_ok()
            })
        },
        |_| {},
    );
}

#[test]
fn at_a_reader_writer_lock() {
    crowd(
        "rwlock",
        Arc::new(RwLock::new(0)),
        |lock, me, patience| {
            Box::pin(async move {
                if me % 4 > 0 {
                    let read = give_up_after(patience, lock.read()).await;
                    yield_now().await;
                    return read.is_some();
                }
                let Some(mut guard) = give_up_after(patience, lock.write()).await else { return false };
                *guard += 1;
                yield_now().await;
                true
            })
        },
        |_| {},
    );
}

#[test]
fn at_a_limiter_whose_total_changes() {
    crowd(
        "limiter",
        Arc::new(Limiter::new(3)),
        |limiter, me, patience| {
            Box::pin(async move {
                let Some(token) = give_up_after(patience, limiter.borrow()).await else { return false };
                if me < 4 {
                    limiter.set_total(1 + me);
                }
                yield_now().await;
                drop(token);
                true
            })
        },
        |_| {},
    );
}

#[test]
fn at_a_condition_that_goes_round() {
    // One may go on at a time, and tells another.
    crowd(
        "condvar",
        Arc::new((Mutex::new(true), Condvar::new())),
        |shared, _, patience| {
            Box::pin(async move {
                let (free, changed) = &**shared;
                let waits = async { changed.wait_while(free.lock().await, |free| !*free).await };
                let Some(mut guard) = give_up_after(patience, waits).await else { return false };
                *guard = false;
                drop(guard);
                yield_now().await;
                *free.lock().await = true;
                changed.notify_one();
                true
            })
        },
        |_| {},
    );
}

#[test]
fn at_a_notification_that_goes_round() {
    let notify = Arc::new(Notify::new());
    notify.notify_one();
    crowd(
        "notify",
        notify,
        |notify, _, patience| {
            Box::pin(async move {
                let notified = give_up_after(patience, notify.notified()).await;
                if notified.is_some() {
                    yield_now().await;
                    notify.notify_one();
                }
                notified.is_some()
            })
        },
        |_| {},
    );
}

#[test]
fn at_a_channel() {
    crowd(
        "channel",
        channel::bounded(4),
        |(sender, receiver), me, patience| {
            Box::pin(async move {
                if me % 2 == 0 {
                    give_up_after(patience, sender.send(me)).await.is_some()
                } else {
                    give_up_after(patience, receiver.recv()).await.is_some()
                }
            })
        },
        |(sender, _)| {
            sender.close();
        },
    );
}

#[test]
fn at_a_channel_without_a_buffer() {
    crowd(
        "rendezvous",
        channel::rendezvous(),
        |(sender, receiver), me, patience| {
            Box::pin(async move {
                if me % 2 == 0 {
                    give_up_after(patience, sender.send(me)).await.is_some()
                } else {
                    give_up_after(patience, receiver.recv()).await.is_some()
                }
            })
        },
        |(sender, _)| {
            sender.close();
        },
    );
}

#[test]
fn at_a_channel_without_a_bound() {
    crowd(
        "unbounded channel",
        channel::unbounded(),
        |(sender, receiver), me, patience| {
            Box::pin(async move {
                if me % 2 == 0 {
                    yield_now().await;
                    return sender.send(me).is_ok();
                }
                give_up_after(patience, receiver.recv()).await.is_some()
            })
        },
        |(sender, _)| {
            sender.close();
        },
    );
}

#[test]
fn at_an_event_that_is_set_and_cleared() {
    crowd(
        "event",
        Arc::new(Event::new()),
        |event, me, patience| {
            Box::pin(async move {
                if me == 0 {
                    event.set();
                    event.clear();
                    yield_now().await;
                    return true;
                }
                give_up_after(patience, event.wait()).await.is_some()
            })
        },
        |event| {
            event.set();
        },
    );
}

#[test]
fn at_a_barrier() {
    crowd(
        "barrier",
        Arc::new(Barrier::new(8)),
        |barrier, _, patience| {
            Box::pin(async move { give_up_after(patience, barrier.wait()).await.is_some_and(|came| came.is_ok()) })
        },
        |barrier| barrier.abort(),
    );
}

/// A sender, and a receiver of each task's own, under a lock for which nobody else asks.
type Told<S, R> = Arc<(std::sync::Mutex<Option<S>>, Vec<Mutex<R>>)>;

#[test]
fn at_a_broadcast() {
    let (sender, receiver) = broadcast::channel::<usize>(16);
    let receivers = (0..CROWD).map(|_| Mutex::new(receiver.resubscribe())).collect();
    let told: Told<_, _> = Arc::new((std::sync::Mutex::new(Some(sender)), receivers));
    crowd(
        "broadcast",
        told,
        |told, me, patience| {
            Box::pin(async move {
                if me == 0 {
                    yield_now().await;
                    return told.0.lock().unwrap().as_ref().is_some_and(|sender| sender.send(me).is_ok());
                }
                let mut receiver = told.1[me].lock().await;
                give_up_after(patience, receiver.recv()).await.is_some()
            })
        },
        |told| {
            let sender = told.0.lock().unwrap().take();
            drop(sender);
        },
    );
}

#[test]
fn at_a_watch() {
    let (sender, receiver) = watch::channel(0usize);
    let receivers = (0..CROWD).map(|_| Mutex::new(receiver.clone())).collect();
    let told: Told<_, _> = Arc::new((std::sync::Mutex::new(Some(sender)), receivers));
    crowd(
        "watch",
        told,
        |told, me, patience| {
            Box::pin(async move {
                if me == 0 {
                    yield_now().await;
                    return told.0.lock().unwrap().as_ref().is_some_and(|sender| sender.send(me).is_ok());
                }
                let mut receiver = told.1[me].lock().await;
                give_up_after(patience, receiver.changed()).await.is_some()
            })
        },
        |told| {
            let sender = told.0.lock().unwrap().take();
            drop(sender);
        },
    );
}

macro_rules! at_a_queue {
    ($name:literal, $queue:expr) => {
        crowd(
            $name,
            Arc::new($queue),
            |queue, me, patience| {
                Box::pin(async move {
                    if me % 2 == 0 {
                        return give_up_after(patience, queue.put(me)).await.is_some();
                    }
                    let got = give_up_after(patience, queue.get()).await;
                    yield_now().await;
                    got.is_some()
                })
            },
            |queue| queue.shutdown(true),
        )
    };
}

#[test]
fn at_a_queue() {
    at_a_queue!("queue", Queue::bounded(4));
}

#[test]
fn at_a_lifo_queue() {
    at_a_queue!("lifo queue", LifoQueue::bounded(4));
}

#[test]
fn at_a_priority_queue() {
    at_a_queue!("priority queue", PriorityQueue::bounded(4));
}

#[test]
fn at_joins_of_a_queue_that_is_worked_off_again_and_again() {
    crowd(
        "queue join",
        Arc::new(Queue::unbounded()),
        |queue, me, patience| {
            Box::pin(async move {
                // Two put, so that the work is all done now and then.
                if me < 2 {
                    if queue.put(me).await.is_ok() {
                        yield_now().await;
                        drop(queue.try_get());
                    }
                    true
                } else {
                    give_up_after(patience, queue.join()).await.is_some()
                }
            })
        },
        |_| {},
    );
}

#[test]
fn a_wake_up_that_is_lost_is_found() {
    let lost: BoxFuture<'static, ()> = Box::pin(poll_fn(|_| Poll::Pending));
    let ends: BoxFuture<'static, ()> = Box::pin(yield_now());
    assert_eq!(pool::run(vec![lost, ends], 1), 1);
}

//! Bugs that others had in their primitives and that concern all of ours alike: wakers that come back into the primitive that calls,
//! clones or drops them (tokio 4129, 5471, 5475, 5578), wakers that panic (tokio 3689), waiting awake (async-lock 42). Those that
//! concern one primitive are with its tests.
//!
//! No lock is held where a waker is used: one that were taken twice by one thread would block it, and its test would not end.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

#[path = "../by_hand/mod.rs"]
mod by_hand;
mod wakers;

use by_hand::Task;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use wakers::{calls, panics_when_cloned};
use weftwork_sync::{
    Barrier, Condvar, Event, LifoQueue, Limiter, Mutex, Notify, OwnedLimiterToken, OwnedMutexGuard,
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, PriorityQueue, Queue, RwLock, RwLockUpgradableReadGuard, Semaphore,
    WaitGroup, broadcast, channel, oneshot, watch,
};

/// What tasks wait at. `look` uses it without waiting and leaves it as it is, `release` ends the wait of one.
struct Case<S: 'static, L, R> {
    shared: &'static S,
    look: L,
    release: R,
}

impl<S: Debug + Sync, L: Fn(&S) + Send + Sync + Copy + 'static, R: Fn(&S)> Case<S, L, R> {
    fn new(shared: S, look: L, release: R) -> Self {
        Self { shared: Box::leak(Box::new(shared)), look, release }
    }

    fn check<F: Future>(&self, wait: impl Fn(&'static S) -> F) {
        self.tokio_4129_5471_5475_5578_a_waker_may_come_back(&wait);
        self.tokio_3689_a_waker_may_panic(&wait);
        self.async_lock_42_nobody_waits_awake(&wait);
    }

    /// When it is cloned, replaced, called and dropped.
    fn tokio_4129_5471_5475_5578_a_waker_may_come_back<F: Future>(&self, wait: impl Fn(&'static S) -> F) {
        let (shared, look) = (self.shared, self.look);
        let comes_back = || {
            calls(move || {
                look(shared);
                assert!(!format!("{shared:?}").is_empty());
            })
        };
        {
            let mut waiting = pin!(wait(shared));
            for waker in [comes_back(), comes_back()] {
                assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
        }
        let mut waiting = pin!(wait(shared));
        let waker = comes_back();
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        (self.release)(shared);
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    }

    /// When it is cloned: whoever waits later is served.
    fn tokio_3689_a_waker_may_panic<F: Future>(&self, wait: impl Fn(&'static S) -> F) {
        for waits_already in [false, true] {
            let mut waiting = Task::new(wait(self.shared));
            assert!(!waits_already || waiting.poll().is_pending());
            let polled = catch_unwind(AssertUnwindSafe(|| {
                waiting.future().poll(&mut Context::from_waker(&panics_when_cloned())).is_ready()
            }));
            assert!(polled.is_err(), "a future that waits keeps a waker");
        }
        let mut waiting = Task::new(wait(self.shared));
        assert!(waiting.poll().is_pending());
        (self.release)(self.shared);
        assert!(waiting.wakes() == 1 && waiting.poll().is_ready());
    }

    fn async_lock_42_nobody_waits_awake<F: Future>(&self, wait: impl Fn(&'static S) -> F) {
        let mut waiting = Task::new(wait(self.shared));
        for _ in 0..3 {
            assert!(waiting.poll().is_pending());
        }
        (self.look)(self.shared);
        assert_eq!(waiting.wakes(), 0);
        (self.release)(self.shared);
        assert!(waiting.wakes() == 1 && waiting.poll().is_ready());
    }
}

/// A lock that is held between the waits.
#[derive(Debug)]
struct Held(Arc<Mutex<()>>, std::sync::Mutex<Option<OwnedMutexGuard<()>>>);

impl Held {
    fn hold(&self) {
        *self.1.lock().unwrap() = self.0.clone().try_lock_owned().ok();
    }
}

#[test]
fn of_a_mutex() {
    let held = || Held(Arc::new(Mutex::new(())), std::sync::Mutex::new(None));
    let release = |held: &Held| {
        let guard = held.1.lock().unwrap().take();
        drop(guard);
    };
    let look = |held: &Held| drop(held.0.try_lock());
    let wait = |held: &'static Held| {
        // Held again, if the last wait has ended.
        if held.0.try_lock().is_some() {
            held.hold();
        }
        held
    };
    let case = Case::new(held(), look, release);
    case.check(|held| wait(held).0.lock());
    let case = Case::new(held(), look, release);
    case.check(|held| wait(held).0.clone().lock_owned());
}

/// Somebody who reads or writes between the waits, or waits for a condition.
#[derive(Debug)]
struct Inside<L, G>(L, std::sync::Mutex<Option<G>>);

impl<L, G> Inside<L, G> {
    fn of(lock: L, enter: impl Fn(&L) -> Option<G>) -> Self {
        let inside = enter(&lock);
        Self(lock, std::sync::Mutex::new(inside))
    }

    /// Enters again, if the last wait has ended.
    fn again(&self, enter: impl Fn(&L) -> Option<G>) {
        let mut inside = self.1.lock().unwrap();
        if inside.is_none() {
            *inside = enter(&self.0);
        }
    }

    fn leave(&self) {
        let inside = self.1.lock().unwrap().take();
        drop(inside);
    }
}

#[test]
fn of_a_reader_writer_lock() {
    type Written = Inside<Arc<RwLock<()>>, OwnedRwLockWriteGuard<()>>;
    let enter = |lock: &Arc<RwLock<()>>| lock.clone().try_write_owned().ok();
    let look = |lock: &Written| drop((lock.0.try_read(), lock.0.try_upgradable_read(), lock.0.try_write()));
    let case = || Case::new(Inside::of(Arc::new(RwLock::new(())), enter), look, Written::leave);
    let lock = |written: &'static Written| {
        written.again(enter);
        &written.0
    };
    case().check(|written| lock(written).read());
    case().check(|written| lock(written).write());
    case().check(|written| lock(written).upgradable_read());
    case().check(|written| lock(written).clone().read_owned());
    case().check(|written| lock(written).clone().write_owned());
    case().check(|written| lock(written).clone().upgradable_read_owned());

    type Read = Inside<Arc<RwLock<()>>, OwnedRwLockReadGuard<()>>;
    let enter = |lock: &Arc<RwLock<()>>| lock.clone().try_read_owned().ok();
    let look = |lock: &Read| drop((lock.0.try_read(), lock.0.try_write()));
    Case::new(Inside::of(Arc::new(RwLock::new(())), enter), look, Read::leave).check(|read: &'static Read| {
        read.again(enter);
        RwLockUpgradableReadGuard::upgrade(read.0.try_upgradable_read().expect("only read"))
    });
}

#[test]
fn of_a_condition() {
    let shared = (Mutex::new(()), Condvar::new());
    let look = |shared: &(Mutex<()>, Condvar)| drop(shared.0.try_lock());
    let release = |shared: &(Mutex<()>, Condvar)| shared.1.notify_one();
    let case = Case::new(shared, look, release);
    case.check(|shared| shared.1.wait(shared.0.try_lock().expect("nobody has it")));
}

#[test]
fn of_a_limiter() {
    type Borrowed = Inside<Arc<Limiter>, OwnedLimiterToken>;
    let enter = |limiter: &Arc<Limiter>| limiter.clone().try_borrow_owned();
    let look = |borrowed: &Borrowed| drop(borrowed.0.try_borrow());
    let case = || Case::new(Inside::of(Arc::new(Limiter::new(1)), enter), look, Borrowed::leave);
    let limiter = |borrowed: &'static Borrowed| {
        borrowed.again(enter);
        &borrowed.0
    };
    case().check(|borrowed| limiter(borrowed).borrow());
    case().check(|borrowed| limiter(borrowed).clone().borrow_owned());
}

#[test]
fn of_a_semaphore() {
    let look = |semaphore: &Arc<Semaphore>| drop(semaphore.try_acquire());
    let release = |semaphore: &Arc<Semaphore>| semaphore.add_permits(1);
    // What was acquired is not given back.
    let wait = |semaphore: &'static Arc<Semaphore>| async { semaphore.acquire().await.unwrap().forget() };
    Case::new(Arc::new(Semaphore::new(0)), look, release).check(wait);
    let wait = |semaphore: &'static Arc<Semaphore>| async { semaphore.clone().acquire_owned().await.unwrap().forget() };
    Case::new(Arc::new(Semaphore::new(0)), look, release).check(wait);
}

#[test]
fn of_a_notification() {
    Case::new(Notify::new(), |_| {}, |notify: &Notify| notify.notify_one()).check(Notify::notified);
    Case::new(Notify::new(), |_| {}, |notify: &Notify| notify.notify_waiters()).check(Notify::notified);
}

#[test]
fn of_a_channel() {
    type Ends = (channel::Sender<u8>, channel::Receiver<u8>);
    let look = |ends: &Ends| assert!(ends.1.try_recv().is_err() || ends.0.try_send(1).is_ok());
    let release = |ends: &Ends| assert!(ends.0.try_send(1).is_ok());
    Case::new(channel::bounded(1), look, release).check(|ends: &'static Ends| ends.1.recv());

    let ends: Ends = channel::bounded(1);
    assert!(ends.0.try_send(1).is_ok());
    let look = |ends: &Ends| assert!(ends.0.try_send(1).is_err() || ends.1.try_recv().is_ok());
    let release = |ends: &Ends| assert!(ends.1.try_recv().is_ok());
    Case::new(ends, look, release).check(|ends: &'static Ends| ends.0.send(1));
}

#[test]
fn of_other_channels() {
    type Meets = (channel::Sender<u8, channel::Rendezvous>, channel::Receiver<u8, channel::Rendezvous>);
    let look = |ends: &Meets| assert!(!ends.0.is_closed());
    let release = |ends: &Meets| assert!(ends.0.try_send(1).is_ok());
    Case::new(channel::rendezvous(), look, release).check(|ends: &'static Meets| ends.1.recv());
    let release = |ends: &Meets| assert!(ends.1.try_recv().is_ok());
    Case::new(channel::rendezvous(), look, release).check(|ends: &'static Meets| ends.0.send(1));

    type Any = (channel::Sender<u8, channel::Unbounded>, channel::Receiver<u8, channel::Unbounded>);
    let look = |ends: &Any| assert!(ends.1.try_recv().is_err() || ends.0.send(1).is_ok());
    let release = |ends: &Any| assert!(ends.0.send(1).is_ok());
    Case::new(channel::unbounded(), look, release).check(|ends: &'static Any| ends.1.recv());

    type Ends = (channel::Sender<u8>, channel::Receiver<u8>);
    let ends: Ends = channel::bounded(1);
    assert!(ends.0.try_send(1).is_ok());
    let look = |ends: &Ends| assert!(ends.0.try_send(1).is_err() || ends.1.try_recv().is_ok());
    let release = |ends: &Ends| assert!(ends.1.try_recv().is_ok());
    // What was reserved is used, so that the channel is full again.
    let wait = |ends: &'static Ends| async { ends.0.reserve().await.expect("open").send(1) };
    Case::new(ends, look, release).check(wait);
    let release = |ends: &Ends| assert!(ends.0.try_send(1).is_ok());
    let wait = |ends: &'static Ends| async { ends.1.recv_many(&mut Vec::new(), 4).await };
    Case::new(channel::bounded(1), |ends: &Ends| assert!(!ends.0.is_closed()), release).check(wait);
}

#[test]
fn of_events_and_barriers() {
    let release = |event: &Event| assert!(event.set() && event.clear());
    Case::new(Event::new(), |event: &Event| drop(format!("{event:?}")), release).check(Event::wait);
    let release = |barrier: &Barrier| assert!(barrier.blocking_wait().is_ok());
    Case::new(Barrier::new(2), |barrier: &Barrier| assert!(!barrier.is_broken()), release).check(Barrier::wait);

    let worker = |group: &WaitGroup| Some(group.worker());
    type Group = Inside<WaitGroup, weftwork_sync::WaitGroupWorker>;
    let look = |group: &Group| assert!(group.0.workers() < 2);
    Case::new(Inside::of(WaitGroup::new(), worker), look, Group::leave).check(|group: &'static Group| {
        group.again(worker);
        group.0.wait()
    });
}

#[test]
fn of_watch_and_broadcast() {
    let look = |sender: &watch::Sender<u8>| assert_eq!(*sender.borrow(), 0);
    let release = |sender: &watch::Sender<u8>| assert!(sender.send(0).is_ok());
    Case::new(watch::Sender::new(0), look, release).check(|sender| {
        let mut receiver = sender.subscribe();
        async move { receiver.changed().await }
    });
    let look = |sender: &broadcast::Sender<u8>| assert_eq!(sender.sender_count(), 1);
    let release = |sender: &broadcast::Sender<u8>| assert!(sender.send(0).is_ok());
    Case::new(broadcast::Sender::new(1), look, release).check(|sender| {
        let mut receiver = sender.subscribe();
        async move { receiver.recv().await }
    });
}

#[test]
fn of_a_oneshot() {
    type Other<T> = std::sync::Mutex<Option<T>>;
    let release = |sender: &Other<oneshot::Sender<u8>>| {
        let sender = sender.lock().unwrap().take().expect("somebody waits");
        assert!(sender.send(1).is_ok());
    };
    Case::new(Other::new(None), |_| {}, release).check(|other| {
        let (sender, receiver) = oneshot::channel();
        *other.lock().unwrap() = Some(sender);
        receiver
    });
    let release = |receiver: &Other<oneshot::Receiver<u8>>| {
        let receiver = receiver.lock().unwrap().take();
        drop(receiver);
    };
    Case::new(Other::new(None), |_| {}, release).check(|other| {
        let (mut sender, receiver) = oneshot::channel();
        *other.lock().unwrap() = Some(receiver);
        async move { sender.closed().await }
    });
}

macro_rules! of_a_queue {
    ($queue:ident) => {
        let look = |queue: &$queue<u8>| assert!(queue.try_get().is_err() || queue.try_put(1).is_ok());
        let release = |queue: &$queue<u8>| assert!(queue.try_put(1).is_ok());
        Case::new($queue::unbounded(), look, release).check(|queue: &'static $queue<u8>| queue.get());

        let queue = $queue::bounded(1);
        assert!(queue.try_put(1).is_ok());
        let look = |queue: &$queue<u8>| assert!(queue.try_put(1).is_err() || queue.try_get().is_ok());
        let release = |queue: &$queue<u8>| assert!(queue.try_get().is_ok());
        Case::new(queue, look, release).check(|queue: &'static $queue<u8>| queue.put(1));

        let look = |queue: &$queue<u8>| assert!(queue.unfinished() < 2);
        Case::new($queue::unbounded(), look, release).check(|queue: &'static $queue<u8>| {
            if queue.is_empty() {
                assert!(queue.try_put(1).is_ok());
            }
            queue.join()
        });
    };
}

#[test]
fn of_a_queue() {
    of_a_queue!(Queue);
    of_a_queue!(LifoQueue);
    of_a_queue!(PriorityQueue);
}

#[test]
fn tokio_5923_waiters_that_come_back_while_all_are_notified_are_not_notified_again() {
    let notify: &'static Notify = Box::leak(Box::new(Notify::new()));
    let mut tasks: Vec<_> = (0..100).map(|_| Box::pin(notify.notified())).collect();
    let again = calls(move || {
        let mut again = Box::pin(notify.notified());
        assert!(again.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        // It stays in the list.
        std::mem::forget(again);
    });
    for task in &mut tasks {
        assert!(task.as_mut().poll(&mut Context::from_waker(&again)).is_pending());
    }
    notify.notify_waiters();
    assert!(format!("{notify:?}").contains("waiters: "));
}

#[test]
fn tokio_4225_a_value_sent_beside_a_close_is_received_or_comes_back() {
    use weftwork_sync::primitive::thread;
    for round in 0..300u32 {
        let (sender, mut receiver) = oneshot::channel();
        let sends = thread::spawn("sends".into(), move || sender.send(round).is_ok()).unwrap();
        receiver.close();
        let received = receiver.try_recv().is_ok();
        let sent = sends.join().unwrap();
        assert!(sent || !received, "what was refused is not received");
        assert_eq!(sent, received || receiver.try_recv().is_ok(), "what was taken is received");
    }
}

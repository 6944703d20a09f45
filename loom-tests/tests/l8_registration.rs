//! Readiness and its waiters (L8): an event against waiting, clearing, withdrawing, deregistering and shutting down.
//!
//! The races have the numbers of runtime/src/reactor/direction.rs, registry.rs and turn.rs.
#![cfg(weftwork_loom)]

use core::task::{Poll, Waker};
use weftwork::doors::reactor::{
    Direction, Event, First, Found, Notified, Place, Ready, Registry, ScheduledIo, Signs, Way,
};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Parker, Shared, UnsafeCell, thread};

const ALL: Bound = Bound::Unbounded;
const TWO: Bound = Bound::Preemptions(2);

/// Counts its wakes and its wakers. Neither orders anything, so the model does not have to watch them.
#[derive(Clone)]
struct Task(#[allow(clippy::disallowed_types, reason = "std's Wake asks for it")] std::sync::Arc<Wakes>);

struct Wakes(Counter);

impl std::task::Wake for Wakes {
    #[allow(clippy::disallowed_types, reason = "std's Wake asks for it")]
    fn wake(self: std::sync::Arc<Self>) {
        self.0.add(1);
    }
}

impl Task {
    #[allow(clippy::disallowed_types, reason = "std's Wake asks for it")]
    fn new() -> Self {
        Self(std::sync::Arc::new(Wakes(Counter::new(0))))
    }

    fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }

    fn wakes(&self) -> u64 {
        self.0.0.get()
    }

    #[allow(clippy::disallowed_types, reason = "std's Wake asks for it")]
    fn assert_no_waker_is_left(&self, owners: usize) {
        assert_eq!(std::sync::Arc::strong_count(&self.0), owners, "a waker is left");
    }
}

/// A direction, and something that is written before the event that tells of it.
struct Told {
    direction: Direction,
    data: UnsafeCell<u32>,
}

// SAFETY: readiness orders the write before the read; loom checks that it does.
unsafe impl Sync for Told {}
// SAFETY: as above.
unsafe impl Send for Told {}

impl Told {
    fn new() -> Shared<Self> {
        Shared::new(Self { direction: Direction::new(First::Wait), data: UnsafeCell::new(0) })
    }

    fn tell(&self) {
        // SAFETY: readers look only once they know the direction ready.
        self.data.with_mut(|d| unsafe { *d = 7 });
        raise(&self.direction);
    }

    fn read(&self) -> u32 {
        // SAFETY: the direction was seen ready.
        self.data.with(|d| unsafe { *d })
    }
}

fn raise(direction: &Direction) {
    let mut wakers = Vec::new();
    direction.event(Signs::READY, &mut wakers);
    wakers.into_iter().for_each(Waker::wake);
}

fn poll(direction: &Direction, task: &Task) -> Poll<Ready> {
    direction.poll(&task.waker(), &mut Place::Anonymous)
}

fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

#[test]
fn an_event_is_seen_or_wakes() {
    // Race 1.
    check("registration/event_against_wait", ALL, ALL, || {
        let told = Told::new();
        let task = Task::new();
        let teller = told.clone();
        let other = spawn(move || teller.tell());
        if poll(&told.direction, &task).is_ready() {
            assert_eq!(told.read(), 7);
            other.join().unwrap();
        } else {
            other.join().unwrap();
            assert_eq!(task.wakes(), 1);
            assert!(poll(&told.direction, &task).is_ready());
        }
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn an_event_that_passes_a_comparison_is_not_lost() {
    // Races 1 and 2: the same task polls again, and another task looks whose waker lies in the cell.
    for same in [true, false] {
        let name = if same { "registration/event_against_same" } else { "registration/event_against_comparison" };
        check(name, ALL, ALL, move || {
            let told = Told::new();
            let first = Task::new();
            let second = if same { first.clone() } else { Task::new() };
            assert!(poll(&told.direction, &first).is_pending());
            let teller = told.clone();
            let other = spawn(move || teller.tell());
            let polled = poll(&told.direction, &second);
            other.join().unwrap();
            assert!(first.wakes() >= 1, "the first waiter was forgotten");
            assert!(polled.is_ready() || second.wakes() >= 1, "the second waiter was forgotten");
            first.assert_no_waker_is_left(if same { 2 } else { 1 });
        });
    }
}

#[test]
fn two_waiters_that_come_at_once_are_both_told() {
    // Races 1 and 3: one of them gets the cell, the other the list.
    check("registration/two_waiters", TWO, Bound::Preemptions(3), || {
        let told = Told::new();
        let tasks = [Task::new(), Task::new()];
        let waits = tasks.clone().map(|task| {
            let told = told.clone();
            spawn(move || poll(&told.direction, &task).is_ready())
        });
        told.tell();
        // Both have to be done first: one may wake the other (race 2).
        let ready = waits.map(|wait| wait.join().unwrap());
        for (ready, task) in ready.into_iter().zip(&tasks) {
            assert!(ready || task.wakes() >= 1, "a waiter was forgotten");
        }
        // A waiter without an identity that found the direction ready after it was listed stays there until the next event
        // or the end of the registration.
        told.direction.evict(&mut Vec::new());
        for task in tasks {
            task.assert_no_waker_is_left(1);
        }
    });
}

#[test]
fn a_waiter_on_the_list_is_told() {
    // Race 3: the cell is taken, so the wait goes to the list.
    check("registration/event_against_list", ALL, ALL, || {
        let told = Told::new();
        let (resident, task) = (Task::new(), Task::new());
        assert!(poll(&told.direction, &resident).is_pending());
        let teller = told.clone();
        let other = spawn(move || teller.tell());
        let mut place = Place::Unlisted;
        let polled = told.direction.poll(&task.waker(), &mut place);
        if polled.is_ready() {
            assert_eq!(told.read(), 7);
        }
        other.join().unwrap();
        assert!(polled.is_ready() || task.wakes() == 1, "the listed waiter was forgotten");
        told.direction.leave(&mut place);
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn a_waiter_that_withdraws_takes_nobody_with_it() {
    check("registration/withdraw_against_event", ALL, ALL, || {
        let told = Told::new();
        let (resident, leaver, stayer) = (Task::new(), Task::new(), Task::new());
        let (mut leaves, mut stays) = (Place::Unlisted, Place::Unlisted);
        assert!(poll(&told.direction, &resident).is_pending());
        assert!(told.direction.poll(&leaver.waker(), &mut leaves).is_pending());
        assert!(told.direction.poll(&stayer.waker(), &mut stays).is_pending());
        let teller = told.clone();
        let other = spawn(move || teller.tell());
        told.direction.leave(&mut leaves);
        other.join().unwrap();
        assert_eq!((resident.wakes(), stayer.wakes()), (1, 1));
        told.direction.leave(&mut stays);
        leaver.assert_no_waker_is_left(1);
        stayer.assert_no_waker_is_left(1);
    });
}

#[test]
fn clearing_does_not_wipe_out_a_new_event() {
    // Race 4. What the system holds is `bytes`; the reader believes only what it found there.
    check("registration/clear_against_event", ALL, ALL, || {
        let direction = Shared::new(Direction::new(First::Try));
        let bytes = Shared::new(AtomicU64::new(0));
        let task = Task::new();
        let (writes, raises) = (bytes.clone(), direction.clone());
        let writer = spawn(move || {
            writes.fetch_add(1, Ordering::AcqRel);
            raise(&raises);
        });
        // The first round finds nothing unless the writer was quicker; whoever is pending must have been woken.
        let mut read = 0;
        while let Poll::Ready(seen) = poll(&direction, &task) {
            match bytes.swap(0, Ordering::AcqRel) {
                0 => direction.clear(seen, Found::Empty),
                n => {
                    read += n;
                    direction.clear(seen, Found::Short);
                }
            }
        }
        writer.join().unwrap();
        let left = bytes.load(Ordering::Acquire);
        assert_eq!(read + left, 1);
        assert!(left == 0 || task.wakes() >= 1, "a byte is left and nobody was told");
        assert!(left == 0 || direction.now().is_some(), "a byte is left and readiness is lost");
    });
}

#[test]
fn two_readers_of_one_direction_leave_nothing_unread() {
    // Races 4 and 5.
    check("registration/two_readers", TWO, TWO, || {
        let direction = Shared::new(Direction::new(First::Try));
        let bytes = Shared::new(AtomicU64::new(0));
        let tasks = [Task::new(), Task::new()];
        let readers = tasks.clone().map(|task| {
            let (direction, bytes) = (direction.clone(), bytes.clone());
            spawn(move || {
                while let Poll::Ready(seen) = poll(&direction, &task) {
                    if bytes.swap(0, Ordering::AcqRel) == 0 {
                        direction.clear(seen, Found::Empty);
                    }
                }
            })
        });
        bytes.fetch_add(1, Ordering::AcqRel);
        raise(&direction);
        readers.into_iter().for_each(|r| r.join().unwrap());
        let left = bytes.load(Ordering::Acquire);
        assert!(left == 0 || direction.now().is_some(), "a byte is left and readiness is lost");
        assert!(left == 0 || tasks.iter().any(|t| t.wakes() >= 1), "a byte is left and nobody was told");
    });
}

#[test]
fn a_read_that_is_put_off_while_an_event_comes_is_told_of_it() {
    // Race 8.
    check("registration/defer_against_event", ALL, ALL, || {
        let told = Told::new();
        raise(&told.direction);
        let task = Task::new();
        let seen = told.direction.now().unwrap();
        let (reads, waits) = (told.clone(), task.clone());
        let reader = spawn(move || {
            let deferred = reads.direction.defer(seen, &waits.waker());
            if !deferred {
                assert!(reads.direction.now().is_some_and(|now| now != seen), "the read was refused for no reason");
                assert_eq!(reads.read(), 7);
            }
            deferred
        });
        told.tell();
        let deferred = reader.join().unwrap();
        assert_eq!(task.wakes(), u64::from(deferred), "the event has ended it");
        assert!(!told.direction.end_deferral(seen, &mut Vec::new()));
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn the_end_of_a_deferral_and_an_event_wake_once() {
    // Race 9, the first half.
    check("registration/end_of_deferral_against_event", ALL, ALL, || {
        let direction = Shared::new(Direction::new(First::Try));
        let task = Task::new();
        let seen = direction.now().unwrap();
        assert!(direction.defer(seen, &task.waker()));
        let raises = direction.clone();
        let other = spawn(move || raise(&raises));
        let mut wakers = Vec::new();
        let ended = direction.end_deferral(seen, &mut wakers);
        assert_eq!(wakers.len(), usize::from(ended));
        wakers.into_iter().for_each(Waker::wake);
        other.join().unwrap();
        assert_eq!(task.wakes(), 1);
        assert!(direction.now().is_some_and(|now| now != seen), "the event was lost");
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn a_deferral_may_be_ended_by_another_thread() {
    // Race 9: whoever ends it finds the whole waker or nothing.
    check("registration/end_of_deferral_elsewhere", ALL, ALL, || {
        let direction = Shared::new(Direction::new(First::Try));
        let task = Task::new();
        let seen = direction.now().unwrap();
        let ends = direction.clone();
        let other = spawn(move || {
            let mut wakers = Vec::new();
            let ended = ends.end_deferral(seen, &mut wakers);
            wakers.into_iter().for_each(Waker::wake);
            ended
        });
        assert!(direction.defer(seen, &task.waker()));
        let early = other.join().unwrap();
        assert_eq!(task.wakes(), u64::from(early));
        assert_eq!(direction.end_deferral(seen, &mut Vec::new()), !early, "it ends once");
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn what_was_left_behind_a_deferral_is_read_by_somebody() {
    // Race 9, the second half: the bytes were there when the read was put off, and another reader comes.
    check("registration/end_of_deferral_against_reader", TWO, Bound::Preemptions(3), || {
        let direction = Shared::new(Direction::new(First::Try));
        let bytes = Shared::new(AtomicU64::new(1));
        let (task, other_task) = (Task::new(), Task::new());
        let seen = direction.now().unwrap();
        assert!(direction.defer(seen, &task.waker()));
        let (reads, takes, waits) = (direction.clone(), bytes.clone(), other_task.clone());
        let reader = spawn(move || {
            while let Poll::Ready(seen) = poll(&reads, &waits) {
                if takes.swap(0, Ordering::AcqRel) == 0 {
                    reads.clear(seen, Found::Empty);
                }
            }
        });
        let (raises, writes) = (direction.clone(), bytes.clone());
        let writer = spawn(move || {
            writes.fetch_add(1, Ordering::AcqRel);
            raise(&raises);
        });
        let mut wakers = Vec::new();
        direction.end_deferral(seen, &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        reader.join().unwrap();
        writer.join().unwrap();
        assert!(task.wakes() >= 1, "the deferral was forgotten");
        let left = bytes.load(Ordering::Acquire);
        assert!(left == 0 || direction.now().is_some(), "a byte is left and readiness is lost");
        direction.evict(&mut Vec::new());
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn a_turn_and_a_shutdown_tell_a_waiter_once() {
    // Race 6.
    check("registration/event_against_shutdown", ALL, ALL, || {
        let direction = Shared::new(Direction::new(First::Wait));
        let task = Task::new();
        assert!(poll(&direction, &task).is_pending());
        let raises = direction.clone();
        let other = spawn(move || raise(&raises));
        let mut wakers = Vec::new();
        direction.shut_down(&mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        other.join().unwrap();
        assert_eq!(task.wakes(), 1);
        assert!(direction.now().is_some_and(|now| now.shut));
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn an_event_never_reaches_the_next_owner_of_a_slot() {
    // Race 1 of the registry: an event that was handed out, against deregistering and registering anew.
    check("registration/stale_event", ALL, ALL, || {
        let registry = Shared::new(Registry::new());
        let first = Shared::new(ScheduledIo::new(First::Wait));
        let token = registry.insert(first.clone()).unwrap();
        let task = Task::new();
        assert!(poll(first.direction(Way::In), &task).is_pending());

        let delivers = registry.clone();
        let turn = spawn(move || {
            let mut wakers = Vec::new();
            let event = Event { token, read: Signs::READY, write: Signs::READY };
            delivers.deliver([event].into_iter(), |_, _| {}, &mut wakers);
            wakers.into_iter().for_each(Waker::wake);
        });
        drop(registry.retire(token));
        first.forget_waiters();
        let next = Shared::new(ScheduledIo::new(First::Wait));
        let next_token = registry.insert(next.clone()).unwrap();
        assert_ne!(token, next_token);
        turn.join().unwrap();

        assert!(next.direction(Way::In).now().is_none(), "a stale event reached the next owner");
        assert!(next.direction(Way::Out).now().is_none(), "a stale event reached the next owner");
        assert_eq!(registry.registered(), 1);
        drop(first);
        task.assert_no_waker_is_left(1);
    });
}

#[test]
fn a_registration_that_races_with_shutdown_is_refused_or_told() {
    // Race 2 of the registry.
    check("registration/shutdown_against_insert", ALL, ALL, || {
        let registry = Shared::new(Registry::new());
        let task = Task::new();
        let (registers, waits) = (registry.clone(), task.clone());
        let other = spawn(move || {
            let io = Shared::new(ScheduledIo::new(First::Wait));
            match registers.insert(io.clone()) {
                Err(_) => true,
                Ok(_) => poll(io.direction(Way::In), &waits).is_ready(),
            }
        });
        let mut wakers = Vec::new();
        registry.shut_down(&mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        assert!(other.join().unwrap() || task.wakes() == 1, "a waiter outlived the reactor");
    });
}

#[test]
fn a_notification_ends_the_wait_and_publishes() {
    // Races 1 to 4 of the turn. The system's notifier is a parker here: ringing it ends the wait that goes on or the next.
    struct Notice {
        word: Notified,
        system: Parker,
        data: UnsafeCell<u32>,
    }
    // SAFETY: the notification orders the write before the read; loom checks that it does.
    unsafe impl Sync for Notice {}
    // SAFETY: as above.
    unsafe impl Send for Notice {}

    check("notify/ends_the_wait", ALL, ALL, || {
        let notice = Shared::new(Notice { word: Notified::new(), system: Parker::new(), data: UnsafeCell::new(0) });
        let theirs = notice.clone();
        let other = spawn(move || {
            // SAFETY: the turn reads after the notification.
            theirs.data.with_mut(|d| unsafe { *d = 7 });
            if theirs.word.set() {
                theirs.system.unpark();
            }
        });
        if notice.word.wait() {
            notice.system.park();
        }
        notice.word.take();
        // SAFETY: the notification was taken.
        assert_eq!(notice.data.with(|d| unsafe { *d }), 7);
        other.join().unwrap();
    });
}

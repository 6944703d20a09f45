//! Values that come once (part of L9): one is set and all see it, an initialiser that goes hands over, a promise is kept or
//! abandoned and each callback is called once, a shared future's wake-up reaches somebody who polls it.
#![cfg(weftwork_loom)]

use core::future::{pending, ready};
use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Mutex, Shared, thread};
use weftwork_sync::{Event, OnceCell, SetOnce, block_on, promise, shared};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn poll_once<F: Future>(future: F) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_value_that_is_set_is_seen_by_who_waits() {
    check("once/set", Bound::Unbounded, Bound::Unbounded, || {
        let place = Shared::new(SetOnce::new());
        let theirs = place.clone();
        let other = spawn(move || theirs.set(Box::new(7)));
        assert_eq!(**block_on(place.wait()), 7);
        assert!(other.join().unwrap().is_ok());
    });
}

#[test]
fn who_finds_the_value_sees_all_of_it() {
    // Both pass the gate, which orders nothing: without it loom does not try a setting that is over before the first look.
    use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
    check("once/found_set", Bound::Unbounded, Bound::Unbounded, || {
        let place = Shared::new((SetOnce::new(), AtomicU32::new(0)));
        let theirs = place.clone();
        let other = spawn(move || {
            assert!(theirs.0.set(Box::new(7)).is_ok());
            theirs.1.fetch_add(1, Ordering::Relaxed);
        });
        place.1.fetch_add(1, Ordering::Relaxed);
        if let Some(value) = place.0.get() {
            assert_eq!(**value, 7);
        }
        other.join().unwrap();
    });
}

#[test]
fn one_of_two_sets_and_the_other_finds_the_value() {
    check("once/two_set", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let place = Shared::new(SetOnce::new());
        let set = |value: u32| {
            let place = place.clone();
            spawn(move || match place.set(Box::new(value)) {
                Ok(()) => true,
                Err(_) => {
                    assert!(place.get().is_some());
                    false
                }
            })
        };
        let others = [set(1), set(2)];
        let seen = **block_on(place.wait());
        let [first, second] = others.map(|other| other.join().unwrap());
        assert!(first != second && seen == if first { 1 } else { 2 });
    });
}

#[test]
fn a_waiter_dropped_in_any_state_leaves_the_others_alone() {
    check("once/dropped_waiter", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let place = Shared::new(SetOnce::new());
        let (first, second) = (place.clone(), place.clone());
        let gives_up = spawn(move || poll_once(first.wait()));
        let sets = spawn(move || second.set(1));
        assert_eq!(block_on(place.wait()), &1);
        gives_up.join().unwrap();
        assert!(sets.join().unwrap().is_ok());
    });
}

#[test]
fn one_initialiser_makes_the_value_for_two() {
    check("once/two_initialise", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let cell = Shared::new(OnceCell::new());
        let theirs = cell.clone();
        let other = spawn(move || *block_on(theirs.get_or_init(|| ready(1))));
        let mine = *block_on(cell.get_or_init(|| ready(2)));
        assert_eq!(mine, other.join().unwrap());
    });
}

#[test]
fn an_initialiser_dropped_in_any_state_hands_over() {
    check("once/dropped_initialiser", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let cell = Shared::new(OnceCell::new());
        let theirs = cell.clone();
        let gives_up = spawn(move || poll_once(theirs.get_or_init(pending::<u32>)));
        assert_eq!(block_on(cell.get_or_init(|| ready(2))), &2);
        // It gave up, or it came late and found the value.
        gives_up.join().unwrap();
    });
}

#[test]
fn setting_against_an_initialiser_that_gives_up() {
    check("once/set_against_initialiser", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let cell = Shared::new(OnceCell::new());
        let (first, second) = (cell.clone(), cell.clone());
        let gives_up = spawn(move || poll_once(first.get_or_init(pending::<u32>)));
        let sets = spawn(move || second.set(1).is_ok());
        let mine = *block_on(cell.get_or_init(|| ready(2)));
        gives_up.join().unwrap();
        assert!(!sets.join().unwrap() || mine == 1);
    });
}

#[test]
fn a_promise_is_kept_or_abandoned() {
    for (name, kept) in [("promise/kept", true), ("promise/abandoned", false)] {
        check(name, Bound::Preemptions(2), Bound::Unbounded, move || {
            let (setter, promised) = promise();
            let other = spawn(move || if kept { setter.set(Box::new(7)) } else { drop(setter) });
            assert_eq!(block_on(promised).is_ok(), kept);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_callback_is_called_once_whenever_it_comes() {
    check("promise/callback", Bound::Unbounded, Bound::Unbounded, || {
        let (setter, promised) = promise();
        let called = Shared::new(Mutex::new(0));
        let theirs = called.clone();
        let other = spawn(move || setter.set(Box::new(7)));
        promised.on_done(move |value| *theirs.lock() += **value.unwrap());
        other.join().unwrap();
        assert_eq!(*called.lock(), 7);
    });
}

#[test]
fn the_last_promise_wakes_the_setter() {
    check("promise/closed", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (setter, promised) = promise::<u32>();
        let others = [promised.clone(), promised].map(|promised| spawn(move || drop(promised)));
        block_on(setter.closed());
        assert!(setter.is_closed());
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_shared_future_is_woken_for_two() {
    check("shared/two", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let event = Shared::new(Event::new());
        let theirs = event.clone();
        let future = shared(async move {
            theirs.wait().await;
            Box::new(7)
        });
        let another = future.clone();
        let other = spawn(move || {
            // Begins to wait, or not, and comes back to it.
            let mut another = Box::pin(another);
            let _ = another.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            event.set();
            block_on(another)
        });
        assert_eq!(*block_on(future), 7);
        assert_eq!(*other.join().unwrap(), 7);
    });
}

#[test]
fn a_shared_future_whose_poller_is_dropped_in_any_state_goes_on() {
    check("shared/dropped_poller", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let event = Shared::new(Event::new());
        let theirs = event.clone();
        let future = shared(async move { theirs.wait().await });
        let another = future.clone();
        let other = spawn(move || {
            poll_once(another);
            event.set();
        });
        block_on(future);
        other.join().unwrap();
    });
}

#[test]
fn news_while_somebody_is_inside_are_not_lost() {
    // The future looks at the event before the other sets it, and is dropped by its poller before that comes out.
    check("shared/news_inside", Bound::Preemptions(0), Bound::Preemptions(1), || {
        let event = Shared::new(Event::new());
        let theirs = event.clone();
        let future = shared(async move { theirs.wait().await });
        let another = future.clone();
        let mut first = Box::pin(future.clone());
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let others = [
            spawn(move || {
                poll_once(another);
            }),
            spawn(move || {
                event.set();
            }),
        ];
        drop(first);
        block_on(future);
        for other in others {
            other.join().unwrap();
        }
    });
}

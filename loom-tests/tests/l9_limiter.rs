//! The limiter (part of L9): tokens are conserved, nobody sleeps beside one, whoever is dropped in whichever state and however
//! the total changes meanwhile.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, thread};
use weftwork_sync::{Limiter, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

#[test]
fn a_borrower_dropped_in_any_state_leaves_its_token_to_the_next() {
    check("limiter/dropped_borrower", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let limiter = Shared::new(Limiter::new(1));
        let held = limiter.try_borrow().unwrap();
        let (first, second) = (limiter.clone(), limiter.clone());
        let gives_up = spawn(move || {
            let mut borrow = pin!(first.borrow_on_behalf_of(7).unwrap());
            let _ = borrow.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        let stays = spawn(move || drop(block_on(second.borrow())));
        drop(held);
        gives_up.join().unwrap();
        stays.join().unwrap();
        assert_eq!((limiter.borrowed(), limiter.waiting()), (0, 0));
        assert!(limiter.try_borrow_on_behalf_of(7).is_ok());
    });
}

#[test]
fn a_raised_total_reaches_who_waits_and_a_lowered_one_holds() {
    check("limiter/total_changes", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let limiter = Shared::new(Limiter::new(0));
        let others = [limiter.clone(), limiter.clone()].map(|theirs| spawn(move || drop(block_on(theirs.borrow()))));
        limiter.set_total(2);
        limiter.set_total(1);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!((limiter.borrowed(), limiter.available()), (0, 1));
    });
}

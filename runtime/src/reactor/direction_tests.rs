//! A direction by itself. Its races are in loom-tests/tests/l8_registration.rs.

use super::*;
use crate::reactor::testing::Count;
use crate::reactor::waiters::ANONYMOUS;
use core::task::{RawWaker, RawWakerVTable};
use weftwork_sync::primitive::planted;

fn raise(direction: &Direction, signs: Signs) {
    let mut wakers = Vec::new();
    direction.event(signs, &mut wakers);
    wakers.into_iter().for_each(Waker::wake);
}

fn poll(direction: &Direction, count: &Count) -> Poll<Ready> {
    direction.poll(&count.waker(), &mut Place::Anonymous)
}

#[test]
fn readiness_stays_until_it_is_cleared() {
    let direction = Direction::new(First::Try);
    let seen = direction.now().unwrap();
    assert_eq!(direction.now(), Some(seen));
    direction.clear(seen, Found::Empty);
    assert_eq!(direction.now(), None);
}

#[test]
fn a_deferral_waits_for_an_event_although_the_direction_is_ready() {
    let direction = Direction::new(First::Try);
    let count = Count::new();
    let seen = direction.now().unwrap();
    assert!(direction.defer(seen, &count.waker()));
    assert_eq!((count.wakes(), direction.now()), (0, Some(seen)));
    raise(&direction, Signs::READY);
    assert_eq!((count.wakes(), count.wakers()), (1, 0));
    assert!(!direction.end_deferral(seen, &mut Vec::new()));
}

#[test]
fn a_deferral_ends_once_and_leaves_the_direction_ready() {
    let direction = Direction::new(First::Try);
    let count = Count::new();
    let seen = direction.now().unwrap();
    assert!(direction.defer(seen, &count.waker()));
    assert!(!direction.defer(seen, &count.waker()), "the cell is taken");
    let mut wakers = Vec::new();
    assert!(direction.end_deferral(seen, &mut wakers));
    assert!(!direction.end_deferral(seen, &mut wakers));
    assert_eq!((wakers.len(), direction.now()), (1, Some(seen)));
}

#[test]
fn a_deferral_that_another_reader_proved_right_is_a_wait_like_any_other() {
    let direction = Direction::new(First::Try);
    let count = Count::new();
    let seen = direction.now().unwrap();
    assert!(direction.defer(seen, &count.waker()));
    direction.clear(seen, Found::Empty);
    assert!(!direction.end_deferral(seen, &mut Vec::new()));
    raise(&direction, Signs::READY);
    assert_eq!(count.wakes(), 1);
}

#[test]
fn nothing_is_put_off_past_a_newer_event_an_end_or_an_error() {
    let news = [
        Signs::READY,
        Signs { ready: true, closed: true, error: false },
        Signs { ready: true, closed: false, error: true },
    ];
    for signs in news {
        let direction = Direction::new(First::Try);
        let before = direction.now().unwrap();
        raise(&direction, signs);
        assert!(!direction.defer(before, &Count::new().waker()));
        let after = direction.now().unwrap();
        assert_eq!(direction.defer(after, &Count::new().waker()), signs == Signs::READY);
    }
}

#[test]
fn tokio_6133_a_late_clearing_does_not_wipe_out_a_newer_event() {
    let direction = Direction::new(First::Try);
    let seen = direction.now().unwrap();
    // As many events as would make a sequence of 8 or 16 bits come round.
    for events in [1, 255, 65_280] {
        (0..events).for_each(|_| raise(&direction, Signs::READY));
        direction.clear(seen, Found::Empty);
        assert!(direction.now().is_some());
    }
    direction.clear(direction.now().unwrap(), Found::Empty);
    assert!(direction.now().is_none());
}

#[test]
fn an_end_outlives_short_reads_and_claims_but_not_the_kernels_word() {
    let direction = Direction::new(First::Wait);
    raise(&direction, Signs { ready: true, closed: true, error: false });
    let seen = direction.now().unwrap();
    assert!(seen.closed);
    direction.clear(seen, Found::Short);
    direction.clear(seen, Found::Claimed);
    assert!(direction.now().is_some_and(|now| now.closed));
    direction.clear(seen, Found::Empty);
    assert!(direction.now().is_none());
}

#[test]
fn an_error_keeps_a_short_read_from_clearing() {
    let direction = Direction::new(First::Wait);
    raise(&direction, Signs { ready: false, closed: false, error: true });
    let seen = direction.now().unwrap();
    direction.clear(seen, Found::Short);
    assert!(direction.now().is_some());
    direction.clear(seen, Found::Claimed);
    assert!(direction.now().is_none());
}

#[test]
fn polling_again_keeps_one_waker() {
    let direction = Direction::new(First::Wait);
    let (resident, listed) = (Count::new(), Count::new());
    for _ in 0..100 {
        assert!(poll(&direction, &resident).is_pending() && poll(&direction, &listed).is_pending());
    }
    assert_eq!((resident.wakers(), listed.wakers()), (1, 1));
    raise(&direction, Signs::READY);
    assert_eq!((resident.wakes(), listed.wakes()), (1, 1));
    assert_eq!((resident.wakers(), listed.wakers()), (0, 0));
}

#[test]
fn flume_182_waiters_without_identity_are_bounded_and_none_is_forgotten() {
    let direction = Direction::new(First::Wait);
    let tasks: Vec<_> = (0..ANONYMOUS + 5).map(|_| Count::new()).collect();
    for task in &tasks {
        assert!(poll(&direction, task).is_pending());
    }
    // One in the cell; the oldest of the list gave way, and were told so.
    let told = tasks.iter().filter(|t| t.wakes() == 1).count();
    assert_eq!(told, 4);
    assert_eq!(tasks.iter().map(Count::wakers).sum::<usize>(), ANONYMOUS + 1);
    raise(&direction, Signs::READY);
    assert!(tasks.iter().all(|t| t.wakes() == 1));
}

#[test]
fn a_waiter_with_an_identity_replaces_its_waker_and_takes_it_along() {
    let direction = Direction::new(First::Wait);
    let (resident, before, after) = (Count::new(), Count::new(), Count::new());
    assert!(poll(&direction, &resident).is_pending());
    let mut place = Place::Unlisted;
    assert!(direction.poll(&before.waker(), &mut place).is_pending());
    assert!(direction.poll(&after.waker(), &mut place).is_pending());
    assert_eq!((before.wakers(), after.wakers()), (0, 1));
    direction.leave(&mut place);
    assert_eq!(after.wakers(), 0);
    raise(&direction, Signs::READY);
    assert_eq!((before.wakes(), after.wakes(), resident.wakes()), (0, 0, 1));
}

#[test]
fn tokio_3689_a_waker_that_panics_when_cloned_leaves_nothing_behind() {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(|_| planted(), |_| {}, |_| {}, |_| {});
    // SAFETY: nothing is owned; cloning panics, which the contract of a waker allows.
    let hostile = unsafe { Waker::from_raw(RawWaker::new(core::ptr::null(), &VTABLE)) };
    let direction = Direction::new(First::Wait);
    let polls = || direction.poll(&hostile, &mut Place::Anonymous).is_ready();
    // Into the cell, and then onto the list.
    assert!(contain(polls).is_err());
    let count = Count::new();
    assert!(poll(&direction, &count).is_pending());
    assert!(contain(polls).is_err());
    raise(&direction, Signs::READY);
    assert_eq!(count.wakes(), 1);
    assert!(poll(&direction, &count).is_ready());
}

//! The parker (part of L5): a token given is a token taken, and what was written before it is seen after it.
#![cfg(weftwork_loom)]

use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Parker, Shared, UnsafeCell, thread};

struct Both {
    parker: Parker,
    data: UnsafeCell<u32>,
}
// SAFETY: the parker orders the write before the read; loom checks that it does.
unsafe impl Sync for Both {}
// SAFETY: as above.
unsafe impl Send for Both {}

#[test]
fn an_unpark_ends_the_park_and_publishes() {
    check("parker/unpark_ends_park", Bound::Unbounded, Bound::Unbounded, || {
        let both = Shared::new(Both { parker: Parker::new(), data: UnsafeCell::new(0) });
        let theirs = both.clone();
        let other = thread::spawn(String::new(), move || {
            // SAFETY: the reader waits for the token that is given below.
            theirs.data.with_mut(|p| unsafe { *p = 7 });
            theirs.parker.unpark();
        })
        .unwrap();
        both.parker.park();
        // SAFETY: the token was given after the write.
        assert_eq!(both.data.with(|p| unsafe { *p }), 7);
        other.join().unwrap();
    });
}

#[test]
fn a_second_unpark_publishes_too() {
    // As tokio 7622: giving a token that is there already must still publish what was written before it.
    check("parker/second_unpark_publishes", Bound::Unbounded, Bound::Unbounded, || {
        let both = Shared::new(Both { parker: Parker::new(), data: UnsafeCell::new(0) });
        both.parker.unpark();
        let theirs = both.clone();
        let other = thread::spawn(String::new(), move || {
            // SAFETY: the reader takes a token given after this write, or does not read.
            theirs.data.with_mut(|p| unsafe { *p = 7 });
            theirs.parker.unpark()
        })
        .unwrap();
        both.parker.park();
        let slept_or_left = other.join().unwrap();
        let _ = slept_or_left;
        // SAFETY: the writer was joined.
        assert_eq!(both.data.with(|p| unsafe { *p }), 7);
    });
}

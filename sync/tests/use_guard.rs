//! The detector of concurrent use.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

use std::sync::Arc;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Semaphore, UseGuard};

#[test]
fn the_second_user_is_told_what_the_first_does_and_where_it_began() {
    let guard = UseGuard::new("reading from the socket");
    let inside = guard.enter().unwrap();
    let first = line!() - 1;
    let error = guard.enter().unwrap_err();
    assert_eq!((error.first().line(), error.first().file()), (first, file!()));
    let said = error.to_string();
    assert!(said.contains("reading from the socket") && said.contains(&format!("{}:{first}:", file!())), "{said}");
    assert!(format!("{guard:?}").contains(&format!("{}:{first}:", file!())));
    drop(inside);
    assert_eq!(format!("{guard:?}"), r#"UseGuard { action: "reading from the socket", user: None }"#);
    assert!(guard.enter().is_ok());
}

#[test]
fn a_user_that_panics_has_left() {
    let guard = UseGuard::new("writing");
    let used = std::panic::catch_unwind(|| {
        let _inside = guard.enter();
        panic!("planted");
    });
    assert!(used.is_err() && !guard.is_in_use());
}

#[test]
fn of_many_threads_one_at_a_time_is_inside() {
    let shared = Arc::new((UseGuard::new("counting"), Semaphore::new(1)));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let shared = shared.clone();
            let work = move || {
                for _ in 0..2_000 {
                    if let Ok(_inside) = shared.0.enter() {
                        let _alone = shared.1.try_acquire().expect("one is inside");
                    }
                }
            };
            thread::spawn("enters".into(), work).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(!shared.0.is_in_use());
}

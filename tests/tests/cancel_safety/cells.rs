//! Events, barriers, and cells that are set once.

use crate::everywhere::{cancelled_everywhere, later};
use futures::future::join;
use weftwork::sync::{Barrier, Event, OnceCell, SetOnce, WaitGroup, promise};
use weftwork::task::yield_now;

#[test]
fn event_wait() {
    let event = Event::new();
    cancelled_everywhere(
        || {
            join(
                event.wait(),
                later(|| {
                    event.set();
                    event.clear();
                }),
            )
        },
        |_| assert!(!event.is_set()),
    );
}

#[test]
fn barrier_wait() {
    let barrier = Barrier::new(2);
    cancelled_everywhere(
        || {
            join(barrier.wait(), async {
                yield_now().await;
                barrier.wait().await
            })
        },
        |_| assert!(barrier.waiting() == 0 && !barrier.is_broken(), "whoever was cancelled has not come"),
    );
}

#[test]
fn once_cell_get_or_init_and_wait() {
    // Cancelled while it makes the value, it leaves that to the next.
    cancelled_everywhere(
        || {
            let cell = OnceCell::new();
            join(
                async move {
                    let value = cell.get_or_init(async || {
                        yield_now().await;
                        7
                    });
                    assert_eq!(*value.await, 7);
                },
                later(|| {}),
            )
        },
        |_| {},
    );
    let cell = std::sync::Mutex::new(std::sync::Arc::new(OnceCell::new()));
    cancelled_everywhere(
        || {
            let fresh = std::sync::Arc::new(OnceCell::new());
            *cell.lock().unwrap() = fresh.clone();
            let set = fresh.clone();
            join(async move { assert_eq!(*fresh.wait().await, 7) }, later(move || assert!(set.set(7).is_ok())))
        },
        |_| assert!(cell.lock().unwrap().get().is_none_or(|value| *value == 7)),
    );
}

#[test]
fn set_once_wait() {
    cancelled_everywhere(
        || {
            let cell = std::sync::Arc::new(SetOnce::new());
            let set = cell.clone();
            join(async move { assert_eq!(*cell.wait().await, 7) }, later(move || assert!(set.set(7).is_ok())))
        },
        |_| {},
    );
}

#[test]
fn wait_group_wait() {
    let group = WaitGroup::new();
    cancelled_everywhere(
        || {
            let worker = group.worker();
            join(group.wait(), later(move || drop(worker)))
        },
        |_| assert_eq!(group.workers(), 0),
    );
}

#[test]
fn promise_wait() {
    cancelled_everywhere(
        || {
            let (setter, promise) = promise();
            join(async move { promise.wait().await.copied() }, later(move || setter.set(7)))
        },
        |got| assert!(got.is_none_or(|got| got == Ok(7))),
    );
}

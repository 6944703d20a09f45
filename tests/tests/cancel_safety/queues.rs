//! Queues.

use crate::everywhere::{cancelled_everywhere, later};
use futures::future::join;
use std::cell::Cell;
use std::sync::Arc;
use weftwork::sync::{LifoQueue, PriorityQueue, Queue};

/// The methods of one of the queues, with items that are counted.
macro_rules! queue {
    ($put:ident, $get:ident, $join:ident, $queue:ident) => {
        #[test]
        fn $put() {
            let (queue, token) = ($queue::bounded(1), Arc::new(()));
            cancelled_everywhere(
                || {
                    assert!(queue.try_put(token.clone()).is_ok());
                    join(queue.put(token.clone()), later(|| assert!(queue.try_get().is_ok())))
                },
                |put| {
                    let left = queue.len();
                    assert!(put.is_none() || left == 1);
                    assert_eq!((Arc::strong_count(&token), queue.unfinished()), (1 + left, left));
                    while queue.try_get().is_ok() {}
                },
            );
        }

        #[test]
        fn $get() {
            let (queue, put) = ($queue::unbounded(), Cell::new(0));
            cancelled_everywhere(
                || {
                    put.set(0);
                    join(
                        queue.get(),
                        later(|| {
                            put.set(1);
                            assert!(queue.try_put(7).is_ok());
                        }),
                    )
                },
                |got| {
                    let left = queue.len();
                    assert_eq!(left + usize::from(got.is_some()), put.get(), "whoever was cancelled has left it there");
                    assert_eq!(queue.unfinished(), put.get());
                    drop(got);
                    while queue.try_get().is_ok() {}
                    assert_eq!(queue.unfinished(), 0);
                },
            );
        }

        #[test]
        fn $join() {
            let queue = $queue::unbounded();
            cancelled_everywhere(
                || {
                    assert!(queue.try_put(7).is_ok());
                    join(queue.join(), later(|| assert!(queue.try_get().is_ok())))
                },
                |joined| {
                    assert!(joined.is_none() || queue.unfinished() == 0);
                    while queue.try_get().is_ok() {}
                },
            );
        }
    };
}
queue!(queue_put, queue_get, queue_join, Queue);
queue!(lifo_queue_put, lifo_queue_get, lifo_queue_join, LifoQueue);
queue!(priority_queue_put, priority_queue_get, priority_queue_join, PriorityQueue);

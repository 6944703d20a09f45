//! Queues that know when the work on their items is done: asyncio's `Queue`, `PriorityQueue` and `LifoQueue`.
//!
//! A queue is one object that tasks share by reference or in an `Arc`, and any of them may put and get. It counts the items that
//! were put: what [`get`](Queue::get) gives is an [`Item`], and when that is dropped the work on it is done. [`join`](Queue::join)
//! waits until all is done, [`shutdown`](Queue::shutdown) ends the queue.
//!
//! Where nobody asks whether the work is done, a [`channel`](crate::channel) is cheaper: it has two ends, takes no lock, and
//! closes by itself when one of the ends is gone.
//!
//! # Which comes first
//! [`Queue`] gives the items in the order in which they were put, [`LifoQueue`] the last one first, [`PriorityQueue`] the smallest
//! first, and of equal ones the one that was put first. For the largest first put [`core::cmp::Reverse`].
//!
//! # Waiting
//! Whoever waits is told in the order in which it began to wait, but the item, or the room, is not set aside for it: another may
//! come first, and then it keeps its turn. That it comes too late happens at most 4 times; then something is kept for it. So a
//! future that is dropped, or kept and never polled again, holds nothing back from the others, except one that was
//! already late 4 times and is kept: it holds up one item.
//!
//! # What it costs
//! A lock, held for a few instructions (in a `PriorityQueue` for the comparisons too), and an atomic operation each for putting an
//! item and being done with it. Waiting allocates nothing; the items' storage grows as needed and is kept.
//!
//! # Counterparts
//! asyncio's `Queue`, `PriorityQueue`, `LifoQueue`; tokio has none (an `mpsc` channel and a `TaskTracker` come near).
//!
//! # Examples
//! ```
//! use weftwork_sync::{Queue, block_on};
//!
//! let queue = Queue::<u32>::bounded(2);
//! std::thread::scope(|scope| {
//!     for _ in 0..3 {
//!         scope.spawn(|| {
//!             while let Ok(page) = queue.blocking_get() {
//!                 let _work = *page * 2;
//!                 // Done here, where `page` is dropped.
//!             }
//!         });
//!     }
//!     block_on(async {
//!         for page in 0..10 {
//!             queue.put(page).await.expect("nobody shut it down");
//!         }
//!         queue.join().await;
//!         queue.shutdown(false);
//!     });
//! });
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: items, those who wait on either side, the end |
//! | `unfinished.rs` | the count of items that are not done, and who waits for none |
//! | `order.rs` | which item comes next |
//! | `item.rs` | an item that was got |
//! | `futures.rs` | the futures |
//! | `error.rs` | why nothing was put or got |
//! | `mod.rs` | the three queues |

mod error;
mod futures;
mod item;
mod order;
mod state;
mod unfinished;

pub use error::{GetError, PutError, TaskDoneError, TryGetError, TryPutError};
pub use futures::{Get, Join, Put};
pub use item::Item;
pub use order::{Fifo, Lifo, Order, Smallest};

use crate::weft_const_fn;
use core::fmt;
use state::{Core, ShutDown, UNBOUNDED};

/// One of the three queues: the same methods, each with its own name in the examples.
macro_rules! queue {
    ($(#[$doc:meta])* $name:ident, $text:literal, $order:ident, [$($bound:ident)?]) => {
        $(#[$doc])*
        pub struct $name<T> {
            core: Core<$order<T>>,
        }

        impl<T> $name<T> {
            weft_const_fn! {
                /// A queue for at most `max` items; usable in a `static`.
                ///
                /// # Panics
                /// If `max` is 0, which asyncio takes for no bound: say [`unbounded`](Self::unbounded).
                ///
                /// # Examples
                /// ```
                #[doc = concat!("let queue = weftwork_sync::", $text, "::bounded(1);")]
                /// assert!(queue.try_put(1).is_ok() && queue.try_put(2).is_err());
                /// ```
                pub fn bounded(max: usize) -> Self {
                    assert!(max > 0, "a queue for no items takes none: use unbounded() for a queue without a bound");
                    Self { core: Core::new($order::new(), max) }
                }
            }

            weft_const_fn! {
                /// A queue without a bound; usable in a `static`. Whoever puts never waits, so memory is the bound: prefer
                /// [`bounded`](Self::bounded) where producers can be faster than consumers.
                ///
                /// # Examples
                /// ```
                #[doc = concat!("static WORK: weftwork_sync::", $text, "<u32> = weftwork_sync::", $text, "::unbounded();")]
                /// assert!(WORK.try_put(1).is_ok());
                /// ```
                pub fn unbounded() -> Self {
                    Self { core: Core::new($order::new(), UNBOUNDED) }
                }
            }
        }

        impl<T $(: $bound)?> $name<T> {
            /// Puts an item; waits while the queue is full.
            ///
            /// # Errors
            /// [`PutError`] with the item, if the queue is or gets shut down.
            ///
            /// # Cancel safety
            /// If the future is dropped before it completes, the item was not put and is dropped with it;
            /// [`Put::take_back`] saves it. What it had been told goes to the next.
            ///
            /// # Counterparts
            /// asyncio's `Queue.put`.
            ///
            /// # Examples
            /// ```
            /// # weftwork_sync::block_on(async {
            #[doc = concat!("let queue = weftwork_sync::", $text, "::bounded(1);")]
            /// queue.put("a").await.expect("nobody shut it down");
            /// assert!(queue.is_full());
            /// # });
            /// ```
            pub fn put(&self, item: T) -> Put<'_, $order<T>> {
                Put::new(&self.core, item)
            }

            /// Puts an item if there is room.
            ///
            /// # Errors
            /// [`TryPutError`] with the item.
            ///
            /// # Counterparts
            /// asyncio's `Queue.put_nowait`.
            ///
            /// # Examples
            /// ```
            /// use weftwork_sync::queue::TryPutError;
            #[doc = concat!("let queue = weftwork_sync::", $text, "::bounded(1);")]
            /// assert_eq!(queue.try_put(1), Ok(()));
            /// assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
            /// ```
            #[doc(alias = "put_nowait")]
            pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
                let mut item = Some(item);
                let put = self.core.try_once(|state| self.core.put(state, false, &mut item));
                match (put, item) {
                    (Some(Err(ShutDown)), Some(item)) => Err(TryPutError::ShutDown(item)),
                    (None, Some(item)) => Err(TryPutError::Full(item)),
                    _ => Ok(()),
                }
            }

            /// Puts an item from a thread that runs no tasks; blocks while the queue is full.
            ///
            /// Do not call it from a task: it blocks the thread, and the task that gets may need that thread.
            ///
            /// # Errors
            /// As [`put`](Self::put).
            ///
            /// # Examples
            /// ```
            #[doc = concat!("let queue = weftwork_sync::", $text, "::bounded(1);")]
            /// assert!(queue.blocking_put(1).is_ok());
            /// ```
            pub fn blocking_put(&self, item: T) -> Result<(), PutError<T>> {
                crate::block_on(self.put(item))
            }

            /// Gets the item that comes next; waits while the queue is empty. The work on it is done when the [`Item`] is dropped.
            ///
            /// # Errors
            /// [`GetError`] if the queue is shut down and no items are left.
            ///
            /// # Cancel safety
            /// Dropping the future loses nothing: an item is taken only when it completes. What it had been told goes to the next.
            ///
            /// # Counterparts
            /// asyncio's `Queue.get`.
            ///
            /// # Examples
            /// ```
            /// # weftwork_sync::block_on(async {
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// queue.put("a").await.expect("nobody shut it down");
            /// queue.shutdown(false);
            /// assert_eq!(*queue.get().await.expect("one is left"), "a");
            /// assert!(queue.get().await.is_err());
            /// # });
            /// ```
            pub fn get(&self) -> Get<'_, $order<T>> {
                Get::new(&self.core)
            }

            /// Gets the item that comes next if there is one.
            ///
            /// # Errors
            /// [`TryGetError`].
            ///
            /// # Counterparts
            /// asyncio's `Queue.get_nowait`.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// assert!(queue.try_get().is_err());
            /// assert!(queue.try_put(1).is_ok());
            /// assert_eq!(queue.try_get().map(|item| *item), Ok(1));
            /// ```
            #[doc(alias = "get_nowait")]
            pub fn try_get(&self) -> Result<Item<'_, T>, TryGetError> {
                match self.core.try_once(|state| self.core.get(state, false)) {
                    Some(Ok(item)) => Ok(Item::new(item, &self.core.unfinished)),
                    Some(Err(ShutDown)) => Err(TryGetError::ShutDown),
                    None => Err(TryGetError::Empty),
                }
            }

            /// Gets the item that comes next on a thread that runs no tasks; blocks while the queue is empty.
            ///
            /// Do not call it from a task: it blocks the thread, and the task that puts may need that thread.
            ///
            /// # Errors
            /// As [`get`](Self::get).
            ///
            /// # Examples
            /// ```
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// assert!(queue.try_put(1).is_ok());
            /// assert_eq!(queue.blocking_get().map(|item| *item), Ok(1));
            /// ```
            pub fn blocking_get(&self) -> Result<Item<'_, T>, GetError> {
                crate::block_on(self.get())
            }

            /// Ends the queue, for good: nothing more can be put, and whoever waits with an item gets it back. What is in the queue
            /// can still be got, and when it is empty getting fails. With `immediate` what is in it is thrown away and counts as
            /// done; work on items that were got already still has to be done before a `join` returns.
            ///
            /// A second call may be `immediate` where the first was not.
            ///
            /// # Counterparts
            /// asyncio's `Queue.shutdown` (3.13).
            ///
            /// # Examples
            /// ```
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// assert!(queue.try_put(1).is_ok());
            /// queue.shutdown(false);
            /// assert!(queue.try_put(2).is_err() && queue.len() == 1);
            /// queue.shutdown(true);
            /// assert_eq!((queue.len(), queue.unfinished()), (0, 0));
            /// ```
            #[doc(alias = "close")]
            pub fn shutdown(&self, immediate: bool) {
                self.core.shut_down(immediate);
            }

            /// Whether it was shut down.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("assert!(!weftwork_sync::", $text, "::<u8>::unbounded().is_shut_down());")]
            /// ```
            pub fn is_shut_down(&self) -> bool {
                self.core.see().shut_down
            }

            /// How many items are in the queue.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// assert!(queue.try_put(1).is_ok());
            /// assert_eq!(queue.len(), 1);
            /// ```
            #[doc(alias = "qsize")]
            pub fn len(&self) -> usize {
                self.core.see().len
            }

            /// Whether no item is in the queue.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("assert!(weftwork_sync::", $text, "::<u8>::unbounded().is_empty());")]
            /// ```
            #[doc(alias = "empty")]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether as many items are in the queue as it was made for.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("assert!(!weftwork_sync::", $text, "::<u8>::bounded(1).is_full());")]
            /// ```
            #[doc(alias = "full")]
            pub fn is_full(&self) -> bool {
                let seen = self.core.see();
                seen.len >= seen.max
            }

            /// How many items it was made for; `None` if there is no bound.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("assert_eq!(weftwork_sync::", $text, "::<u8>::bounded(3).max(), Some(3));")]
            /// ```
            #[doc(alias("maxsize", "capacity"))]
            pub fn max(&self) -> Option<usize> {
                Some(self.core.see().max).filter(|max| *max != UNBOUNDED)
            }
        }

        impl<T> $name<T> {
            /// Waits until the work on every item that was put is done: each [`Item`] dropped, or [`task_done`](Self::task_done) called
            /// for it. Returns at once if nothing was put. It also returns if new items come right after the last one was done.
            ///
            /// # Cancel safety
            /// Dropping the future loses nothing.
            ///
            /// # Counterparts
            /// asyncio's `Queue.join`.
            ///
            /// # Examples
            /// ```
            /// # weftwork_sync::block_on(async {
            #[doc = concat!("let queue = weftwork_sync::", $text, "::<u32>::unbounded();")]
            /// queue.join().await;
            /// # });
            /// ```
            pub fn join(&self) -> Join<'_> {
                Join::new(&self.core.unfinished)
            }

            /// As [`join`](Self::join), on a thread that runs no tasks.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("weftwork_sync::", $text, "::<u32>::unbounded().blocking_join();")]
            /// ```
            pub fn blocking_join(&self) {
                crate::block_on(self.join());
            }

            /// Says that the work on an item is done, for one that was taken by [`Item::forget`]. Others say so when they are dropped.
            ///
            /// # Errors
            /// [`TaskDoneError`] if the work on every item that was put is done already.
            ///
            /// # Counterparts
            /// asyncio's `Queue.task_done`, which raises `ValueError`.
            ///
            /// # Examples
            /// ```
            /// use weftwork_sync::queue::Item;
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// assert!(queue.try_put(1).is_ok());
            /// let number = queue.try_get().map(Item::forget);
            /// assert_eq!((number, queue.unfinished()), (Ok(1), 1));
            /// assert!(queue.task_done().is_ok() && queue.task_done().is_err());
            /// ```
            pub fn task_done(&self) -> Result<(), TaskDoneError> {
                if self.core.unfinished.done() { Ok(()) } else { Err(TaskDoneError(())) }
            }

            /// How many items were put and are not done yet: those in the queue, and those that somebody works on.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("let queue = weftwork_sync::", $text, "::unbounded();")]
            /// assert!(queue.try_put(1).is_ok());
            /// assert_eq!(queue.unfinished(), 1);
            /// ```
            pub fn unfinished(&self) -> usize {
                self.core.unfinished.count()
            }
        }

        impl<T $(: $bound)?> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let seen = self.core.see();
                let mut out = f.debug_struct($text);
                out.field("len", &seen.len);
                if seen.max != UNBOUNDED {
                    out.field("max", &seen.max);
                }
                out.field("unfinished", &self.core.unfinished.count())
                    .field("waiting_getters", &seen.getters)
                    .field("waiting_putters", &seen.putters)
                    .field("shut_down", &seen.shut_down)
                    .finish()
            }
        }
    };
}

queue! {
    /// A queue that gives its items in the order in which they were put; see [the module](self).
    ///
    /// # Counterparts
    /// asyncio's `Queue`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let queue = weftwork_sync::Queue::unbounded();
    /// for number in [1, 2, 3] {
    ///     queue.put(number).await.expect("nobody shut it down");
    /// }
    /// assert_eq!(*queue.get().await.expect("three are there"), 1);
    /// # });
    /// ```
    #[doc(alias("asyncio.Queue"))]
    Queue, "Queue", Fifo, []
}

queue! {
    /// A queue that gives the smallest of its items first, and of equal ones the one that was put first; see [the module](self).
    ///
    /// Put [`Reverse(item)`](core::cmp::Reverse) for the largest first, and `(priority, item)` where an item has none of its own. Items are
    /// compared while the queue is locked: a comparison must not use the same queue. If one panics, the call that compared
    /// panics, and the queue is as it was before.
    ///
    /// # Counterparts
    /// asyncio's `PriorityQueue`, which compares the items themselves where priorities are equal.
    ///
    /// # Examples
    /// ```
    /// use std::cmp::Reverse;
    /// # weftwork_sync::block_on(async {
    /// let queue = weftwork_sync::PriorityQueue::unbounded();
    /// for number in [2, 3, 1] {
    ///     queue.put(Reverse(number)).await.expect("nobody shut it down");
    /// }
    /// assert_eq!(*queue.get().await.expect("three are there"), Reverse(3));
    /// # });
    /// ```
    #[doc(alias("asyncio.PriorityQueue"))]
    PriorityQueue, "PriorityQueue", Smallest, [Ord]
}

queue! {
    /// A queue that gives the item first that was put last; see [the module](self).
    ///
    /// # Counterparts
    /// asyncio's `LifoQueue`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let queue = weftwork_sync::LifoQueue::unbounded();
    /// for number in [1, 2, 3] {
    ///     queue.put(number).await.expect("nobody shut it down");
    /// }
    /// assert_eq!(*queue.get().await.expect("three are there"), 3);
    /// # });
    /// ```
    #[doc(alias("asyncio.LifoQueue"))]
    LifoQueue, "LifoQueue", Lifo, []
}

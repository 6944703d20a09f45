//! The three queues: cases by hand, and threads. Random sequences against a reference are in `queue_reference.rs`.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use std::cell::Cell;
use std::cmp::{Ordering, Reverse};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::queue::{GetError, Item, TryGetError, TryPutError};
use weftwork_sync::{LifoQueue, PriorityQueue, Queue, coop};

/// What a future of `get` has come to, the work on the item done.
fn got<T>(polled: Poll<Result<Item<'_, T>, GetError>>) -> Poll<Option<T>> {
    polled.map(|got| got.ok().map(Item::into_inner))
}

#[test]
fn each_queue_has_its_order() {
    let (fifo, lifo, smallest) = (Queue::unbounded(), LifoQueue::unbounded(), PriorityQueue::unbounded());
    for number in [2, 3, 1] {
        assert!(fifo.try_put(number).is_ok() && lifo.try_put(number).is_ok() && smallest.try_put(number).is_ok());
    }
    assert!([2, 3, 1].into_iter().all(|number| fifo.try_get().is_ok_and(|item| *item == number)));
    assert!([1, 3, 2].into_iter().all(|number| lifo.try_get().is_ok_and(|item| *item == number)));
    assert!([1, 2, 3].into_iter().all(|number| smallest.try_get().is_ok_and(|item| *item == number)));
}

#[test]
fn the_largest_comes_first_where_items_are_reversed() {
    let queue = PriorityQueue::bounded(3);
    assert!([1, 3, 2].into_iter().all(|number| queue.try_put(Reverse(number)).is_ok()));
    assert_eq!(queue.try_get().map(|item| item.0), Ok(3));
}

/// Compared by the first alone; panics where the second is `'!'`.
#[derive(Debug)]
struct Ranked(u32, char);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        assert!(self.1 != '!' && other.1 != '!', "planted");
        self.0.cmp(&other.0)
    }
}
impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Ranked {}

#[test]
fn equal_items_come_in_the_order_in_which_they_were_put() {
    let queue = PriorityQueue::unbounded();
    for (at, letter) in ('a'..='z').enumerate() {
        assert!(queue.try_put(Ranked(u32::from(at % 3 != 0), letter)).is_ok());
    }
    let out: String = std::iter::from_fn(|| queue.try_get().ok().map(|item| item.1)).collect();
    assert_eq!(out, "adgjmpsvybcefhiklnoqrtuwxz");
}

#[test]
fn a_comparison_that_panics_changes_nothing_and_wakes_the_next() {
    let queue = PriorityQueue::unbounded();
    assert!(queue.try_put(Ranked(1, 'a')).is_ok() && queue.try_put(Ranked(2, 'b')).is_ok());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.try_put(Ranked(0, '!')))).is_err());
    assert_eq!((queue.len(), queue.unfinished()), (2, 2));
    assert_eq!(queue.try_get().map(|item| item.1), Ok('a'));
    assert_eq!(queue.try_get().map(|item| item.1), Ok('b'));

    // The one that panics was put into the empty queue, where nothing is compared.
    let (mut first, mut second) = (Task::new(queue.get()), Task::new(queue.get()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert!(queue.try_put(Ranked(0, '!')).is_ok());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.try_put(Ranked(1, 'c')))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.try_put(Ranked(2, 'd')))).is_err());
    assert_eq!((first.wakes(), second.wakes(), queue.len()), (1, 0, 1));
    drop(first);
    assert_eq!(second.wakes(), 1, "who was told and never came has passed it on");
    assert_eq!(got(second.poll()).map(|item| item.map(|item| item.1)), Poll::Ready(Some('!')));
}

#[test]
fn a_getter_that_waits_is_woken_by_a_put_and_a_putter_by_a_get() {
    let queue = Queue::bounded(1);
    let mut getting = Task::new(queue.get());
    assert!(getting.poll().is_pending());
    assert!(queue.try_put(1).is_ok());
    assert_eq!((getting.wakes(), got(getting.poll())), (1, Poll::Ready(Some(1))));
    assert!(queue.try_put(2).is_ok());
    let mut putting = Task::new(queue.put(3));
    assert!(putting.poll().is_pending());
    assert_eq!(queue.try_get().map(|item| *item), Ok(2));
    assert_eq!((putting.wakes(), putting.poll()), (1, Poll::Ready(Ok(()))));
    assert_eq!(queue.try_get().map(|item| *item), Ok(3));
}

#[test]
fn getters_are_told_in_the_order_in_which_they_came() {
    let queue = Queue::unbounded();
    let mut tasks: Vec<_> = (0..3).map(|_| Task::new(queue.get())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    for (number, task) in tasks.iter_mut().enumerate() {
        assert_eq!(task.wakes(), 0);
        assert!(queue.try_put(number).is_ok());
        assert_eq!(got(task.poll()), Poll::Ready(Some(number)));
    }
}

#[test]
fn a_getter_kept_and_never_polled_holds_nobody_back() {
    let queue = Queue::unbounded();
    let (mut kept, mut other) = (Task::new(queue.get()), Task::new(queue.get()));
    assert!(kept.poll().is_pending() && other.poll().is_pending());
    assert!(queue.try_put(1).is_ok() && queue.try_put(2).is_ok());
    assert_eq!(got(other.poll()), Poll::Ready(Some(1)));
    assert_eq!(queue.try_get().map(|item| *item), Ok(2));
    assert!(kept.poll().is_pending());
}

#[test]
fn a_getter_comes_too_late_at_most_4_times_and_then_an_item_is_kept_for_it() {
    let queue = Queue::unbounded();
    let (mut first, mut second) = (Task::new(queue.get()), Task::new(queue.get()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    for number in 0..4 {
        assert!(queue.try_put(number).is_ok());
        assert_eq!(queue.try_get().map(|item| *item), Ok(number));
        assert!(first.poll().is_pending());
    }
    assert!(queue.try_put(4).is_ok());
    assert_eq!(queue.try_get().err(), Some(TryGetError::Empty), "it is kept");
    assert!(queue.try_put(5).is_ok());
    assert_eq!(got(second.poll()), Poll::Ready(Some(4)), "some item is kept, whichever comes next");
    assert_eq!(got(first.poll()), Poll::Ready(Some(5)));
    assert_eq!(queue.try_get().err(), Some(TryGetError::Empty));
}

#[test]
fn what_is_kept_for_a_getter_that_is_dropped_goes_to_the_next() {
    let queue = Queue::unbounded();
    let (mut first, mut second) = (Task::new(queue.get()), Task::new(queue.get()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    for number in 0..4 {
        assert!(queue.try_put(number).is_ok() && queue.try_get().is_ok() && first.poll().is_pending());
    }
    assert!(queue.try_put(4).is_ok());
    drop(first);
    assert_eq!((second.wakes(), got(second.poll())), (1, Poll::Ready(Some(4))));
}

#[test]
fn room_is_kept_for_a_putter_that_came_too_late_4_times() {
    let queue = Queue::bounded(1);
    assert!(queue.try_put(0).is_ok());
    let mut putting = Task::new(queue.put(100));
    assert!(putting.poll().is_pending());
    for number in 1..5 {
        assert!(queue.try_get().is_ok() && queue.try_put(number).is_ok() && putting.poll().is_pending());
    }
    assert_eq!(queue.try_get().map(|item| *item), Ok(4));
    assert_eq!(queue.try_put(5), Err(TryPutError::Full(5)));
    assert_eq!(putting.poll(), Poll::Ready(Ok(())));
    assert_eq!(queue.try_get().map(|item| *item), Ok(100));
    assert_eq!(queue.try_put(5), Ok(()));
}

#[test]
fn a_putter_that_gives_up_puts_nothing_and_gets_its_item_back() {
    let queue = Queue::bounded(1);
    assert!(queue.try_put(0).is_ok());
    let (mut first, mut second) = (Task::new(queue.put(1)), Task::new(queue.put(2)));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert!(queue.try_get().is_ok());
    assert_eq!((first.wakes(), first.future().take_back()), (1, Some(1)));
    assert_eq!((second.wakes(), second.poll()), (1, Poll::Ready(Ok(()))));
    assert_eq!((queue.try_get().map(|item| *item), queue.len()), (Ok(2), 0));
}

#[test]
fn a_join_waits_for_the_work_and_not_only_for_an_empty_queue() {
    let queue = Queue::unbounded();
    assert!(queue.try_put(1).is_ok() && queue.try_put(2).is_ok());
    let mut joining = Task::new(queue.join());
    assert!(joining.poll().is_pending());
    let (first, second) = (queue.try_get().unwrap(), queue.try_get().unwrap());
    assert!(queue.is_empty() && joining.poll().is_pending());
    drop(first);
    assert_eq!((joining.wakes(), queue.unfinished()), (0, 1));
    drop(second);
    assert_eq!((joining.wakes(), joining.poll()), (1, Poll::Ready(())));
    assert!(Task::new(queue.join()).poll().is_ready());
}

#[test]
fn a_join_that_was_told_returns_also_if_new_items_came() {
    let queue = Queue::unbounded();
    assert!(queue.try_put(1).is_ok());
    let (mut told, mut dropped) = (Task::new(queue.join()), Task::new(queue.join()));
    assert!(told.poll().is_pending() && dropped.poll().is_pending());
    drop(dropped);
    drop(queue.try_get());
    assert!(queue.try_put(2).is_ok());
    let mut later = Task::new(queue.join());
    assert!(later.poll().is_pending());
    assert!(told.poll().is_ready() && later.poll().is_pending());
    drop(later);
    drop(queue.try_get());
    assert_eq!(queue.unfinished(), 0);
}

#[test]
fn a_worker_that_panics_is_done_with_its_item() {
    let queue = Queue::unbounded();
    assert!(queue.try_put(1).is_ok());
    let worked = catch_unwind(AssertUnwindSafe(|| {
        let _item = queue.try_get().unwrap();
        panic!("planted");
    }));
    assert!(worked.is_err());
    assert!(Task::new(queue.join()).poll().is_ready());
}

#[test]
fn the_work_is_done_after_the_item_was_dropped_and_also_if_that_panics() {
    struct Tells<'a>(&'a Queue<u8>, &'a Cell<usize>);
    impl Drop for Tells<'_> {
        fn drop(&mut self) {
            self.1.set(self.0.unfinished());
            panic!("planted");
        }
    }
    let (counted, seen) = (Queue::<u8>::unbounded(), Cell::new(9));
    assert!(counted.try_put(0).is_ok());
    let queue = Queue::unbounded();
    assert!(queue.try_put(Tells(&counted, &seen)).is_ok());
    let item = queue.try_get();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(item))).is_err());
    assert_eq!((seen.get(), queue.unfinished()), (1, 0));
}

#[test]
fn task_done_is_for_items_that_were_forgotten_and_says_when_it_is_one_too_many() {
    let queue = Queue::unbounded();
    assert!(queue.task_done().is_err());
    assert!(queue.try_put(7).is_ok());
    assert_eq!(queue.try_get().map(Item::forget), Ok(7));
    assert!(Task::new(queue.join()).poll().is_pending());
    assert!(queue.task_done().is_ok() && queue.task_done().is_err());
    assert!(Task::new(queue.join()).poll().is_ready());
}

#[test]
fn a_graceful_shutdown_lets_what_is_there_be_got_and_gives_putters_their_items_back() {
    let queue = Queue::bounded(1);
    assert!(queue.try_put(1).is_ok());
    let mut putting = Task::new(queue.put(2));
    assert!(putting.poll().is_pending());
    queue.shutdown(false);
    assert_eq!(putting.wakes(), 1);
    assert!(matches!(putting.poll(), Poll::Ready(Err(refused)) if refused.into_inner() == 2));
    assert_eq!(queue.try_put(3), Err(TryPutError::ShutDown(3)), "also where it is full");
    let item = queue.try_get().unwrap();
    assert_eq!(queue.try_get().err(), Some(TryGetError::ShutDown));
    let mut joining = Task::new(queue.join());
    assert!(joining.poll().is_pending());
    drop(item);
    assert!(joining.poll().is_ready());
}

#[test]
fn an_immediate_shutdown_drains_and_a_join_waits_for_what_is_worked_on() {
    let token = Arc::new(());
    let queue = Queue::unbounded();
    assert!((0..3).all(|_| queue.try_put(token.clone()).is_ok()));
    let item = queue.try_get().unwrap();
    let mut joining = Task::new(queue.join());
    assert!(joining.poll().is_pending());
    queue.shutdown(true);
    assert_eq!((queue.len(), queue.unfinished(), Arc::strong_count(&token)), (0, 1, 2));
    assert!(joining.poll().is_pending());
    drop(item);
    assert_eq!((joining.wakes(), joining.poll()), (1, Poll::Ready(())));
}

#[test]
fn a_shutdown_wakes_every_getter_and_the_second_one_may_be_immediate() {
    let queue = Queue::<u8>::unbounded();
    let mut tasks: Vec<_> = (0..20).map(|_| Task::new(queue.get())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    queue.shutdown(false);
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && got(task.poll()) == Poll::Ready(None)));
    queue.shutdown(true);
    assert!(queue.is_shut_down());
}

#[test]
fn after_a_shutdown_nothing_is_kept_for_anybody() {
    let queue = Queue::unbounded();
    let mut late = Task::new(queue.get());
    assert!(late.poll().is_pending());
    for number in 0..4 {
        assert!(queue.try_put(number).is_ok() && queue.try_get().is_ok() && late.poll().is_pending());
    }
    assert!(queue.try_put(4).is_ok() && queue.try_get().is_err());
    queue.shutdown(false);
    assert_eq!(queue.try_get().map(|item| *item), Ok(4));
    assert_eq!(got(late.poll()), Poll::Ready(None));
}

#[test]
fn a_spent_budget_refuses_and_a_cancelled_region_begins_nothing() {
    let queue = Queue::unbounded();
    assert!(queue.try_put(1).is_ok());
    let (mut refused, mut cancelled) = (Task::new(queue.get()), Task::new(queue.put(2)));
    coop::within(0, false, || assert!(refused.poll().is_pending()));
    assert_eq!((refused.wakes(), queue.len()), (1, 1));
    coop::within(8, true, || assert!(cancelled.poll().is_pending() && Task::new(queue.join()).poll().is_pending()));
    assert_eq!((cancelled.wakes(), queue.len()), (0, 1));
}

#[test]
fn a_task_that_changes_its_waker_is_woken_by_the_new_one() {
    let queue = Queue::unbounded();
    let mut getting = Task::new(queue.get());
    assert!(getting.poll().is_pending() && getting.poll_as_another().is_pending() && getting.poll().is_pending());
    assert_eq!(getting.wakers_held(), 1);
    assert!(queue.try_put(1).is_ok());
    assert_eq!((getting.wakes(), getting.wakers_held()), (1, 0));
}

#[test]
#[should_panic(expected = "use unbounded()")]
fn a_queue_for_no_items_names_the_fix() {
    let _ = Queue::<u8>::bounded(0);
}

#[test]
fn debug_says_who_waits() {
    let queue = Queue::bounded(2);
    assert!(queue.try_put(1).is_ok());
    let expected = "Queue { len: 1, max: 2, unfinished: 1, waiting_getters: 0, waiting_putters: 0, shut_down: false }";
    assert_eq!(format!("{queue:?}"), expected);
}

#[test]
fn many_threads_lose_and_double_nothing_and_a_join_sees_all_the_work() {
    for max in [1, 3, 64] {
        let queue = Arc::new(Queue::bounded(max));
        let sum = Arc::new(weftwork_sync::Mutex::new(0));
        let getters: Vec<_> = (0..3)
            .map(|_| {
                let (queue, sum) = (queue.clone(), sum.clone());
                let work = move || {
                    while let Ok(item) = queue.blocking_get() {
                        *sum.blocking_lock() += *item;
                    }
                };
                thread::spawn("gets".into(), work).unwrap()
            })
            .collect();
        let putters: Vec<_> = (0..3u64)
            .map(|n| {
                let queue = queue.clone();
                let work = move || (0..2_000u64).for_each(|i| queue.blocking_put(n * 2_000 + i).unwrap());
                thread::spawn("puts".into(), work).unwrap()
            })
            .collect();
        for putter in putters {
            putter.join().unwrap();
        }
        queue.blocking_join();
        assert_eq!(*sum.blocking_lock(), (0..6_000).sum::<u64>(), "at most {max}");
        queue.shutdown(false);
        for getter in getters {
            getter.join().unwrap();
        }
    }
}

//! The queue (part of L9): no item and no room is slept beside, each item is got once, a join returns when all the work is done and not
//! before, and a shutdown reaches everybody, in whichever state a future is dropped.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};
use weftwork_sync::queue::Item;
use weftwork_sync::{Queue, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// Polls once, with a waker that does nothing.
fn look<F: Future + ?Sized>(future: core::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_put_wakes_a_getter() {
    check("queue/put_wakes_get", Bound::Unbounded, Bound::Unbounded, || {
        let queue = Shared::new(Queue::unbounded());
        let theirs = queue.clone();
        let other = spawn(move || theirs.try_put(7).unwrap());
        assert_eq!(*block_on(queue.get()).unwrap(), 7);
        other.join().unwrap();
        assert_eq!(queue.unfinished(), 0);
    });
}

#[test]
fn a_get_wakes_a_putter() {
    check("queue/get_wakes_put", Bound::Unbounded, Bound::Unbounded, || {
        let queue = Shared::new(Queue::bounded(1));
        queue.try_put(1).unwrap();
        let theirs = queue.clone();
        let other = spawn(move || theirs.try_get().map(Item::into_inner).unwrap());
        block_on(queue.put(2)).unwrap();
        assert_eq!((other.join().unwrap(), *queue.try_get().unwrap()), (1, 2));
    });
}

#[test]
fn a_getter_dropped_in_any_state_passes_the_item_on() {
    check("queue/dropped_get", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::unbounded());
        let (first, second) = (queue.clone(), queue.clone());
        let gives_up = spawn(move || {
            let mut getting = pin!(first.get());
            match look(getting.as_mut()) {
                // It came after the put, and puts the item back.
                Poll::Ready(item) => first.try_put(Item::into_inner(item.unwrap())).unwrap(),
                Poll::Pending => {}
            }
        });
        let stays = spawn(move || block_on(second.get()).map(Item::into_inner).unwrap());
        queue.try_put(7).unwrap();
        gives_up.join().unwrap();
        assert_eq!(stays.join().unwrap(), 7);
        assert!(queue.is_empty());
    });
}

#[test]
fn a_putter_dropped_in_any_state_passes_the_room_on() {
    check("queue/dropped_put", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::bounded(1));
        queue.try_put(1).unwrap();
        let (first, second) = (queue.clone(), queue.clone());
        let gives_up = spawn(move || {
            let mut putting = pin!(first.put(2));
            if look(putting.as_mut()).is_ready() {
                // It came after the get, and makes room again.
                assert!(first.try_get().is_ok());
            }
        });
        let stays = spawn(move || block_on(second.put(3)).unwrap());
        assert!(queue.try_get().is_ok());
        gives_up.join().unwrap();
        stays.join().unwrap();
        assert_eq!((queue.len(), *queue.try_get().unwrap()), (1, 3));
    });
}

#[test]
fn two_items_reach_two_getters_past_one_that_barges() {
    check("queue/barging", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::unbounded());
        let (first, second) = (queue.clone(), queue.clone());
        let others = [
            spawn(move || block_on(first.get()).map(Item::into_inner).unwrap()),
            spawn(move || block_on(second.get()).map(Item::into_inner).unwrap()),
        ];
        queue.try_put(1).unwrap();
        if let Ok(item) = queue.try_get() {
            let number = Item::into_inner(item);
            queue.try_put(number).unwrap();
        }
        queue.try_put(2).unwrap();
        let sum: u32 = others.map(|other| other.join().unwrap()).into_iter().sum();
        assert_eq!((sum, queue.len()), (3, 0));
    });
}

#[test]
fn what_is_kept_for_one_that_was_late_is_got_by_it_or_passed_on() {
    check("queue/kept", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::unbounded());
        let mut late = Box::pin(queue.get());
        assert!(look(late.as_mut()).is_pending());
        for number in 0..4 {
            queue.try_put(number).unwrap();
            assert!(queue.try_get().is_ok() && look(late.as_mut()).is_pending());
        }
        let (puts, gets) = (queue.clone(), queue.clone());
        let others = [
            spawn(move || puts.try_put(7).map(|()| 0).unwrap()),
            spawn(move || block_on(gets.get()).map(Item::into_inner).unwrap()),
        ];
        let got = match look(late.as_mut()) {
            Poll::Ready(item) => Item::into_inner(item.unwrap()),
            Poll::Pending => 0,
        };
        drop(late);
        if got == 7 {
            queue.try_put(8).unwrap();
        }
        let [put, other] = others.map(|other| other.join().unwrap());
        assert_eq!((put, other), (0, if got == 7 { 8 } else { 7 }));
        assert!(queue.is_empty());
    });
}

struct Worked {
    queue: Queue<usize>,
    data: [UnsafeCell<u32>; 2],
}
// SAFETY: each cell is written by who works on its item and read after a join; loom checks that it holds.
unsafe impl Sync for Worked {}
// SAFETY: as above.
unsafe impl Send for Worked {}

impl Worked {
    fn new() -> Shared<Self> {
        Shared::new(Self { queue: Queue::unbounded(), data: [UnsafeCell::new(0), UnsafeCell::new(0)] })
    }

    fn work(&self) {
        let item = self.queue.try_get().unwrap();
        // SAFETY: who has the item alone writes, and who reads waits until it is done.
        self.data[*item].with_mut(|data| unsafe { *data = 7 });
        drop(item);
    }

    fn all_is_seen(&self, items: usize) {
        for cell in &self.data[..items] {
            // SAFETY: the work on the items is done.
            assert_eq!(cell.with(|data| unsafe { *data }), 7);
        }
    }
}

#[test]
fn a_join_sees_the_work() {
    check("queue/join", Bound::Unbounded, Bound::Unbounded, || {
        let shared = Worked::new();
        shared.queue.try_put(0).unwrap();
        let theirs = shared.clone();
        let other = spawn(move || theirs.work());
        // Both threads pass the queue's lock, without which loom would not search the order in which the work is done already.
        shared.queue.is_empty();
        block_on(shared.queue.join());
        shared.all_is_seen(1);
        other.join().unwrap();
    });
}

#[test]
fn a_join_that_need_not_wait_sees_the_work_beside_one_that_does() {
    check("queue/join_beside_a_waiter", Bound::Unbounded, Bound::Unbounded, || {
        let shared = Worked::new();
        shared.queue.try_put(0).unwrap();
        let mut waiting = Box::pin(shared.queue.join());
        assert!(look(waiting.as_mut()).is_pending());
        let theirs = shared.clone();
        let other = spawn(move || theirs.work());
        // As above.
        shared.queue.is_empty();
        if look(Box::pin(shared.queue.join()).as_mut()).is_ready() {
            shared.all_is_seen(1);
        }
        block_on(waiting);
        other.join().unwrap();
    });
}

#[test]
fn a_join_that_waits_sees_the_work_of_two() {
    check("queue/join_two", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let shared = Worked::new();
        shared.queue.try_put(0).unwrap();
        shared.queue.try_put(1).unwrap();
        let mut joining = Box::pin(shared.queue.join());
        assert!(look(joining.as_mut()).is_pending());
        let others = [shared.clone(), shared.clone()].map(|theirs| spawn(move || theirs.work()));
        block_on(joining);
        shared.all_is_seen(2);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_join_that_begins_after_a_new_item_waits_for_that_too() {
    check("queue/join_against_new_item", Bound::Unbounded, Bound::Unbounded, || {
        let queue = Shared::new(Queue::unbounded());
        queue.try_put(1).unwrap();
        let mut early = Box::pin(queue.join());
        assert!(look(early.as_mut()).is_pending());
        let theirs = queue.clone();
        let other = spawn(move || drop(theirs.try_get().unwrap()));
        queue.try_put(2).unwrap();
        let mut late = Box::pin(queue.join());
        assert!(look(late.as_mut()).is_pending(), "nobody is done with the second item");
        other.join().unwrap();
        assert!(look(late.as_mut()).is_pending(), "nobody is done with the second item");
        drop(queue.try_get().unwrap());
        assert!(look(late.as_mut()).is_ready() && look(early.as_mut()).is_ready());
    });
}

#[test]
fn a_join_that_is_dropped_leaves_the_other_to_be_woken() {
    check("queue/dropped_join", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::unbounded());
        queue.try_put(1).unwrap();
        let mut given_up = Box::pin(queue.join());
        assert!(look(given_up.as_mut()).is_pending());
        let (works, joins) = (queue.clone(), queue.clone());
        let others = [spawn(move || drop(works.try_get().unwrap())), spawn(move || block_on(joins.join()))];
        drop(given_up);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(queue.unfinished(), 0);
    });
}

#[test]
fn a_graceful_shutdown_loses_no_item_and_ends_both_getters() {
    check("queue/shutdown", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::unbounded());
        let (first, second) = (queue.clone(), queue.clone());
        let others = [
            spawn(move || block_on(first.get()).map_or(0, Item::into_inner)),
            spawn(move || block_on(second.get()).map_or(0, Item::into_inner)),
        ];
        queue.try_put(7).unwrap();
        queue.shutdown(false);
        let sum: u32 = others.map(|other| other.join().unwrap()).into_iter().sum();
        assert_eq!((sum, queue.unfinished()), (7, 0));
    });
}

#[test]
fn a_shutdown_gives_a_putter_its_item_back_or_keeps_it() {
    check("queue/shutdown_against_put", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::bounded(1));
        queue.try_put(1).unwrap();
        let (puts, gets) = (queue.clone(), queue.clone());
        let putter = spawn(move || block_on(puts.put(2)).is_ok());
        let getter = spawn(move || drop(gets.try_get()));
        queue.shutdown(false);
        let was_put = putter.join().unwrap();
        getter.join().unwrap();
        assert_eq!(queue.len(), usize::from(was_put));
    });
}

#[test]
fn an_immediate_shutdown_ends_a_join_once_the_work_is_done() {
    check("queue/shutdown_immediate", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let queue = Shared::new(Queue::unbounded());
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        let (works, joins) = (queue.clone(), queue.clone());
        let others = [spawn(move || drop(works.try_get())), spawn(move || block_on(joins.join()))];
        queue.shutdown(true);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!((queue.len(), queue.unfinished()), (0, 0));
    });
}

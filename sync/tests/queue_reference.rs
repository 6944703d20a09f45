//! The three queues: random sequences of operations, drops among them, against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::queue::{Get, GetError, Item, Join, Order, Put, PutError, TryGetError, TryPutError};
use weftwork_sync::{LifoQueue, PriorityQueue, Queue};

#[derive(Debug, Clone)]
enum Op {
    Put(u8),
    TryPut(u8),
    PollPut(usize),
    DropPut(usize),
    TakeBack(usize),
    Get,
    TryGet,
    PollGet(usize),
    DropGet(usize),
    DropItem(usize),
    ForgetItem(usize),
    TaskDone,
    Join,
    PollJoin(usize),
    DropJoin(usize),
    Shutdown(bool),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => any::<u8>().prop_map(Op::Put),
        5 => any::<u8>().prop_map(Op::TryPut),
        6 => (0..6usize).prop_map(Op::PollPut),
        2 => (0..6usize).prop_map(Op::DropPut),
        1 => (0..6usize).prop_map(Op::TakeBack),
        8 => Just(Op::Get),
        5 => Just(Op::TryGet),
        6 => (0..6usize).prop_map(Op::PollGet),
        3 => (0..6usize).prop_map(Op::DropGet),
        6 => (0..6usize).prop_map(Op::DropItem),
        2 => (0..6usize).prop_map(Op::ForgetItem),
        1 => Just(Op::TaskDone),
        2 => Just(Op::Join),
        2 => (0..4usize).prop_map(Op::PollJoin),
        1 => (0..4usize).prop_map(Op::DropJoin),
        1 => any::<bool>().prop_map(Op::Shutdown),
    ]
}

/// A small number, which of the puts it was, and a token whose count shows what was dropped. Compared by the number alone.
#[derive(Debug, Clone)]
struct Counted(u8, usize, #[allow(dead_code, reason = "its count tells")] Rc<()>);

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Counted {}
impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Counted {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

/// What the test asks of a queue, whichever of the three.
trait Ask {
    type Order: Order<Item = Counted>;
    fn bounded(max: usize) -> Self;
    fn put(&self, item: Counted) -> Put<'_, Self::Order>;
    fn try_put(&self, item: Counted) -> Result<(), TryPutError<Counted>>;
    fn get(&self) -> Get<'_, Self::Order>;
    fn try_get(&self) -> Result<Item<'_, Counted>, TryGetError>;
    fn join(&self) -> Join<'_>;
    fn task_done(&self) -> bool;
    fn shutdown(&self, immediate: bool);
    fn seen(&self) -> (usize, usize);
    /// Which of those in the queue comes next.
    fn next(items: &[(u8, usize)]) -> usize;
}

macro_rules! ask {
    ($queue:ident, $order:ident, $next:expr) => {
        impl Ask for $queue<Counted> {
            type Order = weftwork_sync::queue::$order<Counted>;
            fn bounded(max: usize) -> Self {
                $queue::bounded(max)
            }
            fn put(&self, item: Counted) -> Put<'_, Self::Order> {
                self.put(item)
            }
            fn try_put(&self, item: Counted) -> Result<(), TryPutError<Counted>> {
                self.try_put(item)
            }
            fn get(&self) -> Get<'_, Self::Order> {
                self.get()
            }
            fn try_get(&self) -> Result<Item<'_, Counted>, TryGetError> {
                self.try_get()
            }
            fn join(&self) -> Join<'_> {
                self.join()
            }
            fn task_done(&self) -> bool {
                self.task_done().is_ok()
            }
            fn shutdown(&self, immediate: bool) {
                self.shutdown(immediate);
            }
            fn seen(&self) -> (usize, usize) {
                (self.len(), self.unfinished())
            }
            fn next(items: &[(u8, usize)]) -> usize {
                $next(items)
            }
        }
    };
}
ask!(Queue, Fifo, |_: &[(u8, usize)]| 0);
ask!(LifoQueue, Lifo, |items: &[(u8, usize)]| items.len() - 1);
ask!(PriorityQueue, Smallest, |items: &[(u8, usize)]| (0..items.len()).min_by_key(|at| items[*at]).unwrap_or(0));

/// What a queue is, in the fewest words, and the futures that wait at the real one.
struct World<'a, Q: Ask> {
    items: Vec<(u8, usize)>,
    max: usize,
    shut_down: bool,
    unfinished: usize,
    putters: Vec<(Counted, Task<Put<'a, Q::Order>>)>,
    getters: Vec<Task<Get<'a, Q::Order>>>,
    joins: Vec<(bool, Task<Join<'a>>)>,
    held: Vec<Item<'a, Counted>>,
}

impl<'a, Q: Ask> World<'a, Q> {
    fn was_put(&mut self, item: (u8, usize)) {
        assert!(!self.shut_down && self.items.len() < self.max);
        self.items.push(item);
        self.unfinished += 1;
    }

    fn was_got(&mut self, item: Item<'a, Counted>) {
        assert_eq!(self.items.remove(Q::next(&self.items)), (item.0, item.1));
        self.held.push(item);
    }

    fn was_done(&mut self, items: usize) {
        self.unfinished = self.unfinished.saturating_sub(items);
        if self.unfinished == 0 {
            self.joins.iter_mut().for_each(|(told, _)| *told = true);
        }
    }

    fn polled_put(
        &mut self,
        item: Counted,
        task: Task<Put<'a, Q::Order>>,
        polled: Poll<Result<(), PutError<Counted>>>,
    ) {
        match polled {
            Poll::Ready(Ok(())) => self.was_put((item.0, item.1)),
            Poll::Ready(Err(_)) => assert!(self.shut_down),
            Poll::Pending => {
                assert!(!self.shut_down);
                self.putters.push((item, task));
            }
        }
    }

    fn polled_get(&mut self, task: Task<Get<'a, Q::Order>>, polled: Poll<Result<Item<'a, Counted>, GetError>>) {
        match polled {
            Poll::Ready(Ok(item)) => self.was_got(item),
            Poll::Ready(Err(_)) => assert!(self.shut_down && self.items.is_empty()),
            Poll::Pending => {
                assert!(!self.shut_down);
                self.getters.push(task);
            }
        }
    }

    /// Nobody sleeps beside an item or beside room: as many are woken as can go on.
    fn nobody_is_stranded(&self) {
        let woken = self.getters.iter().filter(|task| task.wakes() > 0).count();
        assert!(woken >= self.items.len().min(self.getters.len()), "a getter sleeps beside an item");
        assert!(!self.shut_down || woken == self.getters.len(), "a getter sleeps after the end");
        let woken = self.putters.iter().filter(|(_, task)| task.wakes() > 0).count();
        let room = self.max - self.items.len();
        assert!(self.shut_down || woken >= room.min(self.putters.len()), "a putter sleeps beside room");
        assert!(!self.shut_down || woken == self.putters.len(), "a putter sleeps after the end");
        for (told, task) in &self.joins {
            assert_eq!(*told, task.wakes() > 0, "a join is woken exactly if all was done");
        }
    }
}

fn behaves_as_the_reference<Q: Ask>(max: usize, ops: Vec<Op>) {
    let (queue, token) = (Q::bounded(max), Rc::new(()));
    let mut world = World::<Q> {
        items: vec![],
        max,
        shut_down: false,
        unfinished: 0,
        putters: vec![],
        getters: vec![],
        joins: vec![],
        held: vec![],
    };
    for (number, op) in ops.into_iter().enumerate() {
        match op {
            Op::Put(value) => {
                let item = Counted(value % 8, number, token.clone());
                let mut task = Task::new(queue.put(item.clone()));
                let polled = task.poll();
                world.polled_put(item, task, polled);
            }
            Op::TryPut(value) => match queue.try_put(Counted(value % 8, number, token.clone())) {
                Ok(()) => world.was_put((value % 8, number)),
                Err(TryPutError::ShutDown(_)) => assert!(world.shut_down),
                Err(_) => assert!(world.items.len() == max || !world.putters.is_empty(), "full, or kept for a putter"),
            },
            Op::PollPut(at) if at < world.putters.len() => {
                let (item, mut task) = world.putters.remove(at);
                let polled = task.poll_as_another();
                world.polled_put(item, task, polled);
            }
            Op::DropPut(at) if at < world.putters.len() => drop(world.putters.remove(at)),
            Op::TakeBack(at) if at < world.putters.len() => {
                let (item, mut task) = world.putters.remove(at);
                assert_eq!(task.future().take_back().map(|back| back.1), Some(item.1));
            }
            Op::Get => {
                let mut task = Task::new(queue.get());
                let polled = task.poll();
                world.polled_get(task, polled);
            }
            Op::TryGet => match queue.try_get() {
                Ok(item) => world.was_got(item),
                Err(TryGetError::ShutDown) => assert!(world.shut_down && world.items.is_empty()),
                Err(_) => assert!(!world.shut_down && (world.items.is_empty() || !world.getters.is_empty())),
            },
            Op::PollGet(at) if at < world.getters.len() => {
                let mut task = world.getters.remove(at);
                let polled = task.poll_as_another();
                world.polled_get(task, polled);
            }
            Op::DropGet(at) if at < world.getters.len() => drop(world.getters.remove(at)),
            Op::DropItem(at) if at < world.held.len() => {
                drop(world.held.remove(at));
                world.was_done(1);
            }
            Op::ForgetItem(at) if at < world.held.len() => drop(Item::forget(world.held.remove(at))),
            Op::TaskDone => {
                assert_eq!(queue.task_done(), world.unfinished > 0);
                world.was_done(1);
            }
            Op::Join => {
                let mut task = Task::new(queue.join());
                match task.poll() {
                    Poll::Ready(()) => assert_eq!(world.unfinished, 0),
                    Poll::Pending => world.joins.push((false, task)),
                }
            }
            Op::PollJoin(at) if at < world.joins.len() => {
                let (told, mut task) = world.joins.remove(at);
                match task.poll() {
                    Poll::Ready(()) => assert!(told),
                    Poll::Pending => world.joins.push((told, task)),
                }
            }
            Op::DropJoin(at) if at < world.joins.len() => drop(world.joins.remove(at)),
            Op::Shutdown(immediate) => {
                queue.shutdown(immediate);
                world.shut_down = true;
                if immediate {
                    let drained = world.items.drain(..).count();
                    if drained > 0 {
                        world.was_done(drained);
                    }
                }
            }
            _ => {}
        }
        world.nobody_is_stranded();
        assert_eq!(queue.seen(), (world.items.len(), world.unfinished));
        // A putter has its item in the future and a copy of it beside that.
        let alive = world.items.len() + world.held.len() + 2 * world.putters.len();
        assert_eq!(Rc::strong_count(&token), 1 + alive, "an item was dropped too early or not at all");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn first_in_first_out_behaves_as_the_reference(max in 1..4usize, ops in prop::collection::vec(op(), 1..80)) {
        behaves_as_the_reference::<Queue<Counted>>(max, ops);
    }

    #[test]
    fn last_in_first_out_behaves_as_the_reference(max in 1..4usize, ops in prop::collection::vec(op(), 1..80)) {
        behaves_as_the_reference::<LifoQueue<Counted>>(max, ops);
    }

    #[test]
    fn smallest_first_behaves_as_the_reference(max in 1..12usize, ops in prop::collection::vec(op(), 1..120)) {
        behaves_as_the_reference::<PriorityQueue<Counted>>(max, ops);
    }
}

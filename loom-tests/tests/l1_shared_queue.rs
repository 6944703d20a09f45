//! The shared queue (L1): the owner pushes and pops while thieves steal, the ring wraps, and each task comes out once.
#![cfg(weftwork_loom)]

use weftwork::doors::{CAPACITY, Here, Inbox, Ready, Tasks, pair};
use weftwork::task::TaskId;
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn task(tasks: &Tasks) -> Ready {
    let (ready, handle) = tasks.ready(async {});
    handle.detach();
    ready
}

/// Names what it takes, and lets it run, which frees it.
fn run(task: Option<Ready>) -> Option<TaskId> {
    let task = task?;
    let id = task.id();
    task.run();
    Some(id)
}

fn empty(mut queue: Here) -> Vec<TaskId> {
    core::iter::from_fn(|| run(queue.pop())).collect()
}

fn assert_all(mut taken: Vec<TaskId>, mut pushed: Vec<TaskId>) {
    taken.sort_unstable();
    pushed.sort_unstable();
    assert_eq!(taken, pushed, "each task comes out once");
}

#[test]
fn the_owner_against_a_thief() {
    check("queue/owner_against_thief", Bound::Preemptions(3), Bound::Unbounded, || {
        let tasks = Tasks::new();
        let (mut here, there) = pair();
        let other = spawn(move || {
            let (mut mine, _) = pair();
            let first = run(there.steal_into(&mut mine, 2));
            first.into_iter().chain(empty(mine)).collect::<Vec<_>>()
        });
        let (mut pushed, mut taken) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let task = task(&tasks);
            pushed.push(task.id());
            here.push(task);
        }
        taken.extend(run(here.pop()));
        taken.extend(other.join().unwrap());
        taken.extend(empty(here));
        assert_all(taken, pushed);
    });
}

#[test]
fn the_owner_against_two_thieves() {
    check("queue/two_thieves", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let tasks = Tasks::new();
        let (mut here, there) = pair();
        let there = Shared::new(there);
        let thieves = [there.clone(), there].map(|there| {
            spawn(move || {
                let (mut mine, _) = pair();
                let first = run(there.steal_into(&mut mine, 2));
                first.into_iter().chain(empty(mine)).collect::<Vec<_>>()
            })
        });
        let (mut pushed, mut taken) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let task = task(&tasks);
            pushed.push(task.id());
            here.push(task);
        }
        taken.extend(run(here.pop()));
        for thief in thieves {
            taken.extend(thief.join().unwrap());
        }
        taken.extend(empty(here));
        assert_all(taken, pushed);
    });
}

#[test]
fn the_ring_wraps_under_a_thief() {
    check("queue/wrap", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let tasks = Tasks::new();
        let (mut here, there) = pair();
        let (mut pushed, mut taken) = (Vec::new(), Vec::new());
        for _ in 0..CAPACITY {
            let task = task(&tasks);
            pushed.push(task.id());
            here.push(task);
        }
        let other = spawn(move || {
            let (mut mine, _) = pair();
            let first = run(there.steal_into(&mut mine, 1));
            first.into_iter().chain(empty(mine)).collect::<Vec<_>>()
        });
        for _ in 0..2 {
            taken.extend(run(here.pop()));
            let task = task(&tasks);
            pushed.push(task.id());
            here.push(task);
        }
        taken.extend(other.join().unwrap());
        taken.extend(empty(here));
        assert_all(taken, pushed);
    });
}

#[test]
fn two_push_from_outside_and_two_take() {
    // Not deeper: a taker waits for a pusher that has its place and has not filled it, and beyond two preemptions loom has two
    // takers yield to each other without end.
    check("queue/injector", Bound::Preemptions(2), Bound::Preemptions(2), || {
        let tasks = Tasks::new();
        let inbox = Shared::new(Inbox::new());
        let ready = [task(&tasks), task(&tasks), task(&tasks)];
        let pushed = ready.iter().map(Ready::id).collect();
        let [first, second, third] = ready;
        inbox.push(first);
        let (pushing, taking) = (inbox.clone(), inbox.clone());
        let pusher = spawn(move || pushing.push(second));
        let taker = spawn(move || {
            let (mut mine, _) = pair();
            let first = run(taking.steal_into(&mut mine, 2));
            first.into_iter().chain(empty(mine)).collect::<Vec<_>>()
        });
        inbox.push(third);
        let mut taken: Vec<_> = run(inbox.pop()).into_iter().collect();
        pusher.join().unwrap();
        taken.extend(taker.join().unwrap());
        taken.extend(core::iter::from_fn(|| run(inbox.pop())));
        assert_all(taken, pushed);
    });
}

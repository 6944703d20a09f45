//! Groups (L17): a child that is spawned is cancelled with the others or born so, the last one to end is seen or tells, and who is
//! spawned while a group ends is waited for or refused.
#![cfg(weftwork_loom)]

use core::future::{pending, poll_fn, ready};
use core::task::{Context, Poll};
use weftwork::JoinError;
use weftwork::doors::{Crew, Probe, Tasks};
use weftwork::task::CancelKind;
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::{Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn is_over(crew: &Crew, probe: &Probe) -> bool {
    crew.poll_over(&mut Context::from_waker(&probe.waker())).is_ready()
}

/// Waits for the group: if it is not over, its last child has called by the time that `ends` has come back.
fn outlast(crew: &Crew, probe: &Probe, ends: impl FnOnce()) {
    let over = is_over(crew, probe);
    ends();
    if !over {
        assert!(probe.wakes() > 0, "nobody told that all have ended");
        assert!(is_over(crew, probe));
    }
}

#[test]
fn whoever_is_spawned_while_a_group_is_cancelled_is_cancelled() {
    check("groups/spawn_against_cancel", Bound::Preemptions(3), Bound::Unbounded, || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        let first = crew.handle().spawn(&tasks, pending::<()>());
        let spawner = {
            let (crew, tasks) = (crew.handle(), tasks.clone());
            spawn(move || crew.spawn(&tasks, pending::<()>()))
        };
        assert!(crew.handle().cancel());
        let second = spawner.join().unwrap();
        tasks.run_all();
        assert!(is_over(&crew, &probe), "somebody was not cancelled");
        for mut child in [first, second] {
            assert!(matches!(child.try_take(), Some(Err(JoinError::Cancelled(_)))));
        }
    });
}

#[test]
fn the_last_child_is_seen_or_tells() {
    check("groups/two_ends_against_wait", Bound::Preemptions(3), Bound::Preemptions(5), || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        crew.handle().spawn(&tasks, ready(())).detach();
        crew.handle().spawn(&tasks, ready(())).detach();
        let runner = {
            let (one, tasks) = (tasks.next().unwrap(), tasks.clone());
            spawn(move || {
                one.run();
                drop(tasks);
            })
        };
        let other = {
            let tasks = tasks.clone();
            spawn(move || tasks.run_all())
        };
        outlast(&crew, &probe, || {
            runner.join().unwrap();
            other.join().unwrap();
        });
    });
}

#[test]
fn the_outcome_of_the_last_child_is_there_when_the_group_is_over() {
    check("groups/outcome", Bound::Unbounded, Bound::Unbounded, || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        let mut child = crew.handle().spawn(&tasks, ready(7));
        let runner = {
            let tasks = tasks.clone();
            spawn(move || tasks.run_all())
        };
        if is_over(&crew, &probe) || is_over(&crew, &probe) {
            assert_eq!(child.try_take().unwrap().unwrap(), 7);
        }
        runner.join().unwrap();
    });
}

#[test]
fn a_sibling_that_a_child_spawns_is_waited_for() {
    check("groups/sibling_against_wait", Bound::Preemptions(3), Bound::Preemptions(5), || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        let ran = Shared::new(AtomicBool::new(false));
        let child = {
            let (crew, tasks, ran) = (crew.handle(), tasks.clone(), ran.clone());
            poll_fn(move |_| {
                let ran = ran.clone();
                let sibling = async move { ran.store(true, Ordering::Release) };
                crew.spawn(&tasks, sibling).detach();
                Poll::Ready(())
            })
        };
        crew.handle().spawn(&tasks, child).detach();
        let runner = {
            let tasks = tasks.clone();
            spawn(move || tasks.run_all())
        };
        let over = is_over(&crew, &probe);
        assert!(!over || ran.load(Ordering::Acquire), "over before the sibling ran");
        runner.join().unwrap();
        assert!(ran.load(Ordering::Acquire), "refused by a group that had a child");
        assert!(over || (probe.wakes() > 0 && is_over(&crew, &probe)), "nobody told that all have ended");
    });
}

#[test]
fn a_spawn_from_outside_is_waited_for_or_refused() {
    check("groups/outsider_against_end", Bound::Preemptions(3), Bound::Preemptions(5), || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        crew.handle().spawn(&tasks, ready(())).detach();
        let first = tasks.next().unwrap();
        let outsider = {
            let (crew, tasks) = (crew.handle(), tasks.clone());
            spawn(move || crew.spawn(&tasks, ready(())))
        };
        let runner = spawn(move || first.run());
        let over = is_over(&crew, &probe);
        let mut child = outsider.join().unwrap();
        let refused = child.cancel_cause().is_some_and(|cause| cause.kind == CancelKind::GroupClosed);
        assert!(!over || refused || child.is_finished(), "over, and yet a child was taken");
        runner.join().unwrap();
        tasks.run_all();
        match child.try_take().unwrap() {
            Ok(()) => assert!(!refused),
            Err(error) => assert!(refused && error.is_cancelled()),
        }
        assert!(over || is_over(&crew, &probe));
        assert!(over || refused || probe.wakes() > 0, "nobody told that all have ended");
    });
}

#[test]
fn sweeping_loses_nobody_who_is_spawned_meanwhile() {
    check("groups/sweep_against_spawn", Bound::Preemptions(3), Bound::Unbounded, || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        for _ in 0..3 {
            crew.handle().spawn(&tasks, ready(())).detach();
        }
        tasks.run_all();
        let spawner = {
            let (crew, tasks) = (crew.handle(), tasks.clone());
            spawn(move || crew.spawn(&tasks, pending::<()>()).detach())
        };
        crew.handle().sweep();
        spawner.join().unwrap();
        assert_eq!(crew.handle().live(), 1);
        crew.handle().sweep();
        assert_eq!(crew.handle().live(), 1);
        assert!(!is_over(&crew, &probe));
        assert!(crew.handle().cancel());
        tasks.run_all();
        assert!(is_over(&crew, &probe));
    });
}

#[test]
fn a_group_that_is_dropped_is_there_until_its_last_child_has_ended() {
    check("groups/end_against_drop", Bound::Preemptions(3), Bound::Unbounded, || {
        let (crew, tasks) = (Crew::new(), Tasks::new());
        let mut child = crew.handle().spawn(&tasks, ready(()));
        let runner = {
            let tasks = tasks.clone();
            spawn(move || tasks.run_all())
        };
        drop(crew);
        runner.join().unwrap();
        tasks.run_all();
        assert!(child.try_take().is_some(), "the child has not ended");
    });
}

#[test]
fn draining_closes_a_group_to_those_who_come_later() {
    check("groups/outsider_against_close", Bound::Unbounded, Bound::Unbounded, || {
        let (crew, tasks, probe) = (Crew::new(), Tasks::new(), Probe::new());
        let outsider = {
            let (crew, tasks) = (crew.handle(), tasks.clone());
            spawn(move || crew.spawn(&tasks, ready(())))
        };
        crew.handle().close();
        let live = crew.handle().live();
        let child = outsider.join().unwrap();
        let refused = child.cancel_cause().is_some();
        assert_eq!(live, usize::from(!refused), "closed, and yet a child was taken");
        tasks.run_all();
        assert!(is_over(&crew, &probe));
    });
}

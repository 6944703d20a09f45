#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Ways into a runtime: handles, entering, driving, and what is said to those who come the wrong way.

mod fixtures;

use fixtures::{both_flavors, gate, two_workers};
use std::collections::HashSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use weftwork::runtime::{BuildError, Builder};
use weftwork::sync::oneshot;
use weftwork::task::{self, yield_now};
use weftwork::time::Duration;
use weftwork::{Handle, Runtime, run, spawn, spawn_local};

/// The text of the panic in which `f` ends.
fn panic_text<R>(f: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("it did not panic") };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("the panic has a text")
}

// The current runtime.

#[test]
fn there_is_no_current_runtime_outside_and_the_error_says_so() {
    let error = Handle::try_current().unwrap_err();
    assert!(error.to_string().contains("no weftwork runtime"), "{error}");
    let text = panic_text(Handle::current);
    assert!(text.contains("weftwork::run") && text.contains("enter a Handle"), "{text}");
}

#[test]
fn tasks_and_the_main_future_know_their_runtime() {
    both_flavors(|builder| {
        builder
            .run(async {
                assert!(Handle::try_current().is_ok());
                assert!(spawn(async { Handle::try_current().is_ok() }).await.unwrap());
            })
            .unwrap();
        assert!(Handle::try_current().is_err(), "run leaves nothing behind");
    });
}

#[test]
fn the_runtime_entered_last_is_the_current_one() {
    let outer = Builder::new_current_thread().build().unwrap();
    let inner = two_workers().build().unwrap();
    let is_multi = || format!("{:?}", Handle::current()).contains("multi_thread");
    let entered_outer = outer.enter();
    assert!(!is_multi());
    let entered_inner = inner.enter();
    assert!(is_multi());
    drop(entered_inner);
    assert!(!is_multi());
    drop(entered_outer);
    assert!(Handle::try_current().is_err());
}

#[test]
fn a_task_spawned_by_an_entered_thread_runs_there() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let task = {
            let _entered = runtime.enter();
            spawn(async { 4 })
        };
        assert_eq!(runtime.block_on(task).unwrap(), 4);
    });
}

#[test]
fn a_runtime_entered_by_a_task_is_the_current_one_until_the_guard_is_dropped() {
    let other = Builder::new_multi_thread().worker_threads(7).build().unwrap();
    let is_other = || format!("{:?}", Handle::current()).contains("workers: 7");
    both_flavors(|builder| {
        builder
            .run(async {
                assert!(!is_other());
                let entered = other.enter();
                assert!(is_other());
                drop(entered);
                assert!(!is_other());
            })
            .unwrap();
    });
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let (first, second) = (two_workers().build().unwrap(), Builder::new_current_thread().build().unwrap());
    let (outer, inner) = (first.enter(), second.enter());
    drop(outer);
    assert!(format!("{:?}", Handle::current()).contains("current_thread"));
    drop(inner);
    assert!(Handle::try_current().is_err());
}

#[test]
fn a_guard_from_before_the_run_may_be_dropped_inside_of_it() {
    let other = Builder::new_multi_thread().worker_threads(7).build().unwrap();
    let is_other = || format!("{:?}", Handle::current()).contains("workers: 7");
    let runtime = Builder::new_current_thread().build().unwrap();
    let before = other.enter();
    runtime.block_on(async {
        assert!(!is_other());
        drop(before);
        assert!(!is_other());
        let entered = other.enter();
        assert!(is_other(), "what was entered last is the current one");
        drop(entered);
        assert!(!is_other());
    });
    assert!(Handle::try_current().is_err());
}

#[test]
fn a_guard_from_inside_of_a_run_may_be_dropped_after_it() {
    let other = Builder::new_multi_thread().worker_threads(7).build().unwrap();
    let is_other = || format!("{:?}", Handle::current()).contains("workers: 7");
    let runtime = Builder::new_current_thread().build().unwrap();
    let inside = runtime.block_on(async { other.enter() });
    assert!(is_other());
    runtime.block_on(async { assert!(!is_other()) });
    drop(inside);
    assert!(Handle::try_current().is_err());
}

#[test]
fn a_handle_does_not_keep_a_runtime_from_ending() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handles: Vec<_> = (0..10).map(|_| runtime.handle().clone()).collect();
        drop(runtime);
        assert!(handles.iter().all(|handle| handle.spawn(async {}).is_finished()));
    });
}

#[test]
fn a_handle_says_what_it_refers_to() {
    let runtime = two_workers().build().unwrap();
    assert_eq!(format!("{:?}", runtime.handle()), "Handle { flavor: \"multi_thread\", workers: 2, stopping: false }");
    let runtime = Builder::new_current_thread().build().unwrap();
    assert_eq!(format!("{:?}", runtime.handle()), "Handle { flavor: \"current_thread\", workers: 1, stopping: false }");
}

// Driving.

#[test]
fn a_runtime_can_be_driven_again_and_again() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let mut task = runtime.spawn(async {
            yield_now().await;
            0
        });
        for turn in 1..100 {
            task = runtime
                .block_on(async move {
                    let before: usize = task.await.unwrap();
                    assert_eq!(before + 1, turn);
                    let (sender, receiver) = oneshot::channel();
                    let next = spawn(async move { receiver.await.unwrap() });
                    sender.send(turn).unwrap();
                    [next]
                })
                .into_iter()
                .next()
                .unwrap();
        }
    });
}

#[test]
fn a_current_thread_runtime_keeps_its_tasks_while_nobody_drives_it() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let turns = Arc::new(AtomicUsize::new(0));
    let theirs = turns.clone();
    let task = runtime.spawn(async move {
        loop {
            theirs.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
        }
    });
    assert_eq!(turns.load(Ordering::SeqCst), 0);
    runtime.block_on(yield_now());
    let before = turns.load(Ordering::SeqCst);
    assert!(before > 0);
    runtime.block_on(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    assert!(turns.load(Ordering::SeqCst) > before);
    task.cancel();
}

#[test]
fn the_main_future_may_borrow() {
    both_flavors(|builder| {
        let text = String::from("borrowed");
        let local = Rc::new(3);
        let length = builder.run(async {
            yield_now().await;
            text.len() + *local
        });
        assert_eq!(length.unwrap(), 11);
        assert_eq!(text, "borrowed");
    });
}

#[test]
fn plain_threads_wait_side_by_side() {
    let runtime = two_workers().build().unwrap();
    let threads: Vec<_> = (0..8_usize)
        .map(|thread| {
            let handle = runtime.handle().clone();
            thread::spawn(move || handle.block_on(async move { spawn(async move { thread }).await.unwrap() }))
        })
        .collect();
    let sum: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(sum, (0..8).sum());
}

#[test]
fn a_plain_thread_waits_for_a_runtime_that_another_drives() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    let (done, end) = oneshot::channel();
    let waiter = thread::spawn(move || {
        let value = handle.block_on(async { spawn(async { 6 }).await.unwrap() });
        done.send(value).unwrap();
    });
    assert_eq!(runtime.block_on(end), Ok(6));
    waiter.join().unwrap();
}

// The wrong way in.

#[test]
fn running_inside_of_a_runtime_panics_with_advice() {
    both_flavors(|builder| {
        builder
            .run(async {
                let runtime = Builder::new_current_thread().build().unwrap();
                for text in [
                    panic_text(|| run(async {})),
                    panic_text(|| two_workers().run(async {}).is_ok()),
                    panic_text(|| Handle::current().block_on(async {})),
                    panic_text(|| runtime.block_on(async {})),
                ] {
                    assert!(text.contains("inside of a runtime") && text.contains("to_thread"), "{text}");
                }
                let in_task = spawn(async { panic_text(|| run(async {})) });
                assert!(in_task.await.unwrap().contains("await the future"));
            })
            .unwrap();
    });
}

#[test]
fn spawning_without_a_runtime_panics_with_advice() {
    let text = panic_text(|| spawn(async {}));
    assert!(text.contains("no weftwork runtime"), "{text}");
    let text = panic_text(|| spawn_local(async {}));
    assert!(text.contains("no weftwork runtime"), "{text}");
    let error = task::Builder::new().name("nowhere").spawn(async {}).unwrap_err();
    assert!(error.to_string().contains("no weftwork runtime"), "{error}");
}

#[test]
fn a_local_task_on_several_threads_is_refused_with_advice() {
    two_workers()
        .run(async {
            let error = task::Builder::new().spawn_local(async {}).unwrap_err().to_string();
            assert!(error.contains("current"), "{error}");
            assert_eq!(panic_text(|| spawn_local(async {})), error);
        })
        .unwrap();
}

#[test]
fn a_local_task_from_outside_of_its_runtime_is_refused_with_advice() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let error = task::Builder::new().spawn_local(async {}).unwrap_err();
    assert!(!error.to_string().is_empty());
}

#[test]
fn two_threads_cannot_drive_a_current_thread_runtime_at_once() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (driving, driven) = gate();
    let (sender, receiver) = oneshot::channel();
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            runtime.block_on(async move {
                driving.open();
                receiver.await.unwrap()
            })
        });
        driven.wait();
        let text = panic_text(|| runtime.block_on(async {}));
        assert!(text.contains("another thread is driving") && text.contains("Handle::block_on"), "{text}");
        sender.send(8).unwrap();
        assert_eq!(first.join().unwrap(), 8);
    });
    assert_eq!(runtime.block_on(async { 9 }), 9, "the seat is free again");
}

#[test]
fn a_thread_cannot_drive_the_local_tasks_of_another() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let local = runtime.block_on(async { [spawn_local(async { Rc::new(2) })] });
    thread::scope(|scope| {
        let text = scope.spawn(|| panic_text(|| runtime.block_on(async {}))).join().unwrap();
        assert!(text.contains("local tasks of another thread"), "{text}");
    });
    let [local] = local;
    assert_eq!(*runtime.block_on(local).unwrap(), 2);
}

#[test]
fn a_runtime_without_local_tasks_may_be_driven_by_one_thread_after_another() {
    let runtime = Builder::new_current_thread().build().unwrap();
    for turn in 0..3 {
        thread::scope(|scope| {
            let value = scope.spawn(|| runtime.block_on(async { spawn(async move { turn }).await.unwrap() }));
            assert_eq!(value.join().unwrap(), turn);
        });
    }
}

// Building.

#[test]
fn a_runtime_without_workers_is_refused() {
    assert!(panic_text(|| Builder::new_multi_thread().worker_threads(0)).contains("at least one worker"));
}

#[test]
fn workers_are_named_and_hooked() {
    let names = Arc::new(Mutex::new(HashSet::new()));
    let stops = Arc::new(AtomicUsize::new(0));
    let (theirs, ends) = (names.clone(), stops.clone());
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .thread_name("hooked")
        .on_thread_start(move || {
            theirs.lock().unwrap().insert(thread::current().name().unwrap_or_default().to_owned());
        })
        .on_thread_stop(move || {
            ends.fetch_add(1, Ordering::SeqCst);
        })
        .build()
        .unwrap();
    runtime.shutdown_timeout(Duration::from_secs(3600)).unwrap();
    let names = names.lock().unwrap();
    assert!(["hooked-0", "hooked-1", "hooked-2"].iter().all(|name| names.contains(*name)), "{names:?}");
    assert!(stops.load(Ordering::SeqCst) >= 3);
}

#[test]
fn runtimes_can_be_built_and_used_side_by_side() {
    let runtimes: Vec<Runtime> = (0..5).map(|_| two_workers().build().unwrap()).collect();
    let tasks: Vec<_> =
        runtimes.iter().zip(0_u32..).map(|(runtime, value)| runtime.spawn(async move { value })).collect();
    // Each task is awaited on another runtime than its own.
    let mut sum = 0;
    for (runtime, task) in runtimes.iter().rev().zip(tasks) {
        sum += runtime.block_on(task).unwrap();
    }
    assert_eq!(sum, 10);
}

// The environment, which is a process's own: these tests run themselves again.

/// Runs one test of this file in a process with `variable` set.
fn in_a_process(test: &str, variable: &str, value: &str) -> Output {
    let program = env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]).env("WEFTWORK_TESTS_CHILD", "1").env(variable, value);
    command.output().unwrap()
}

fn is_child() -> bool {
    env::var_os("WEFTWORK_TESTS_CHILD").is_some()
}

#[test]
fn the_environment_says_how_many_workers_there_are() {
    const TEST: &str = "the_environment_says_how_many_workers_there_are";
    if is_child() {
        let runtime = Runtime::new().unwrap();
        println!("{:?}", runtime.handle());
        return;
    }
    let output = in_a_process(TEST, "WEFTWORK_WORKERS", " 3 ");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("workers: 3"), "{text}");
}

#[test]
fn an_impossible_environment_is_an_error_that_names_it() {
    const TEST: &str = "an_impossible_environment_is_an_error_that_names_it";
    if is_child() {
        let error = Runtime::new().unwrap_err();
        assert!(matches!(error, BuildError::Environment { .. }), "{error:?}");
        println!("{error}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidInput);
        return;
    }
    for (variable, value) in [
        ("WEFTWORK_WORKERS", "0"),
        ("WEFTWORK_WORKERS", "-1"),
        ("WEFTWORK_WORKERS", "many"),
        ("WEFTWORK_WORKERS", ""),
        ("WEFTWORK_WORKERS", "99999999999999999999"),
        ("WEFTWORK_REACTOR", "magic"),
    ] {
        let output = in_a_process(TEST, variable, value);
        let text = String::from_utf8_lossy(&output.stdout);
        let said = format!("{variable} is {value:?}, but has to be");
        assert!(output.status.success() && text.contains(&said), "{text}");
    }
}

#[test]
fn what_the_builder_says_goes_before_the_environment() {
    const TEST: &str = "what_the_builder_says_goes_before_the_environment";
    if is_child() {
        assert!(two_workers().build().is_ok());
        return;
    }
    assert!(in_a_process(TEST, "WEFTWORK_WORKERS", "none").status.success());
}

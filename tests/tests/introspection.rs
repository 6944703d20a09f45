#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What can be seen of the tasks of a runtime, from inside and from outside.

mod fixtures;

use fixtures::{Log, Reports, begin, both_flavors, gate, two_workers, waiting};
use std::future::pending;
use std::sync::Arc;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::sync::{Mutex, Notify, Semaphore, channel, oneshot};
use weftwork::task::{self, TaskInfo, TaskState, spawn_eager, spawn_try, yield_now};
use weftwork::testing::settle;
use weftwork::time::{Duration, Instant};
use weftwork::{Handle, JoinSet, group, sleep, spawn, to_thread};

fn named<F: Future<Output: Send> + Send + 'static>(name: &str, future: F) -> weftwork::JoinHandle<F::Output> {
    task::Builder::new().name(name).spawn(future).unwrap()
}

fn find(name: &str) -> TaskInfo {
    let tasks = Handle::current().tasks();
    tasks.into_iter().find(|task| task.name.as_deref() == Some(name)).unwrap()
}

#[test]
fn a_task_knows_who_it_is() {
    assert!(task::current().is_none());
    both_flavors(|builder| {
        builder
            .run(async {
                let me = task::current().unwrap();
                assert_eq!((me.name.as_deref(), me.state), (Some("main"), TaskState::Running));
                let (line, child) = (line!(), named("child", async { task::current().unwrap() }));
                let id = child.id();
                let child = child.await.unwrap();
                assert_eq!((child.id, child.name.as_deref(), child.polls), (id, Some("child"), 1));
                assert_eq!((child.busy, child.spawned_by, child.waits_for), (None, None, None), "no debug mode");
                assert!(child.spawned_at.file().ends_with("introspection.rs") && child.spawned_at.line() < line);
                assert!(to_thread(task::current).await.unwrap().is_none(), "a thread of the pool is no task");
            })
            .unwrap();
    });
}

#[test]
fn tasks_are_listed_until_they_have_ended() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (open, waits) = oneshot::channel::<()>();
                let first = named("first", async { waits.await.unwrap() });
                named("second", pending::<()>()).detach();
                settle().await;
                let names = |tasks: Vec<TaskInfo>| tasks.into_iter().filter_map(|task| task.name).collect::<Vec<_>>();
                let mut all = names(Handle::current().tasks());
                all.sort();
                assert_eq!(all, ["first", "main", "second"]);
                assert_eq!(find("first").state, TaskState::Waiting);
                assert_eq!(find("main").state, TaskState::Running);
                open.send(()).unwrap();
                // It may have ended by now.
                let waits = |task: &TaskInfo| task.state == TaskState::Waiting && task.name.as_deref() == Some("first");
                assert!(!Handle::current().tasks().iter().any(waits));
                first.await.unwrap();
                assert!(!names(Handle::current().tasks()).contains(&"first".into()));
            })
            .unwrap();
    });
}

#[test]
fn a_plain_thread_sees_the_task_that_blocks_a_worker() {
    let runtime = two_workers().build().unwrap();
    let (opener, blocked) = gate();
    let (inside, is_inside) = gate();
    let task = runtime.handle().spawn(async move {
        inside.open();
        blocked.wait();
    });
    is_inside.wait();
    let id = task.id();
    let seen = runtime.tasks().into_iter().find(|task| task.id == id).unwrap();
    assert_eq!(seen.state, TaskState::Running);
    opener.open();
    runtime.block_on(task).unwrap();
    assert!(runtime.tasks().is_empty());
}

#[test]
fn a_cancelled_task_is_listed_as_such_while_it_cleans_up() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (open, waits) = oneshot::channel::<()>();
                let task = named("cleans up", async {
                    let _ = weftwork::scope::cancellable(pending::<()>()).await;
                    weftwork::scope::shield(async { waits.await.unwrap() }).await;
                });
                settle().await;
                task.cancel();
                settle().await;
                assert_eq!(find("cleans up").state, TaskState::Cancelling);
                open.send(()).unwrap();
                assert!(task.await.is_ok());
            })
            .unwrap();
    });
}

#[test]
fn in_debug_mode_a_task_says_what_it_waits_for() {
    both_flavors(|builder| {
        builder
            .debug(true)
            .run(async {
                let (sender, messages) = channel::bounded::<u8>(1);
                let (value, receiver) = oneshot::channel::<u8>();
                let (lock, notify, permits) =
                    (Arc::new(Mutex::new(())), Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
                let held = lock.lock().await;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
                let peer = listener.accept().await.unwrap();
                let (opener, blocked) = gate();

                named("timer", sleep(Duration::from_secs(3600))).detach();
                let joined = named("message", async move { messages.recv().await });
                let joined_id = joined.id();
                named("value", receiver).detach();
                named("task", joined).detach();
                let theirs = lock.clone();
                named("lock", async move { drop(theirs.lock().await) }).detach();
                let theirs = notify.clone();
                named("notification", async move { theirs.notified().await }).detach();
                let theirs = permits.clone();
                named("permits", async move { drop(theirs.acquire().await) }).detach();
                named("accept", async move { drop(listener.accept().await) }).detach();
                named("read", async move { drop(stream.read(&mut [0; 8]).await) }).detach();
                named("call", to_thread(move || blocked.wait())).detach();
                named("set", async {
                    let mut set = JoinSet::new();
                    set.spawn(pending::<()>());
                    set.join_next().await
                })
                .detach();
                named("foreign", pending::<()>()).detach();
                let at_rest =
                    |task: &TaskInfo| task.name.as_deref() == Some("main") || task.state == TaskState::Waiting;
                while !Handle::current().tasks().iter().all(at_rest) {
                    yield_now().await;
                }
                let waits = |name: &str| find(name).waits_for.map(|wait| wait.to_string()).unwrap_or_default();
                assert_eq!(waits("timer"), "a timer");
                assert_eq!(waits("message"), "a message");
                assert_eq!(waits("value"), "a oneshot value");
                assert_eq!(waits("task"), format!("task {joined_id}"));
                assert_eq!(waits("lock"), "a lock");
                assert_eq!(waits("notification"), "a notification");
                assert_eq!(waits("permits"), "permits");
                assert_eq!(waits("accept"), "a connection");
                assert_eq!(waits("read"), "a socket");
                assert_eq!(waits("call"), "a blocking call");
                assert_eq!(waits("set"), "one of its tasks");
                assert_eq!(waits("foreign"), "");
                opener.open();
                drop((sender, value, held, peer));
            })
            .unwrap();
    });
}

#[test]
fn in_debug_mode_a_task_says_how_busy_it_was_and_who_spawned_it() {
    both_flavors(|builder| {
        builder
            .debug(true)
            .run(async {
                let main = task::current().unwrap();
                let child = spawn(async {
                    let begun = Instant::now();
                    while begun.elapsed() < Duration::from_millis(1) {
                        std::hint::spin_loop();
                    }
                    yield_now().await;
                    (task::current().unwrap(), spawn(async { task::current().unwrap() }).await.unwrap())
                });
                let (child, grandchild) = child.await.unwrap();
                assert_eq!(child.spawned_by, Some(main.id));
                assert_eq!(grandchild.spawned_by, Some(child.id));
                assert!(child.busy.unwrap() >= Duration::from_millis(1), "{child}");
                assert_eq!(child.polls, 2);
            })
            .unwrap();
    });
}

#[test]
fn in_debug_mode_too_leaves_that_are_not_ready_cost_no_budget() {
    for debug in [false, true] {
        both_flavors(|builder| {
            let run = builder.debug(debug).run(async {
                let polls = async {
                    let mut waits: Vec<_> = (0..200).map(|_| oneshot::channel::<()>()).collect();
                    for (_sender, receiver) in &mut waits {
                        begin(receiver).await;
                    }
                    assert!(weftwork_sync::coop::has_budget());
                };
                spawn(polls).await.unwrap();
            });
            run.unwrap();
        });
    }
}

#[test]
fn the_tree_has_each_task_below_the_one_that_spawned_it() {
    both_flavors(|builder| {
        let tree = builder.debug(true).run(async {
            let parent = named("parent", async {
                let ended = group(async |group| {
                    group.spawn(sleep(Duration::from_secs(3600))).detach();
                    group.spawn(pending::<()>()).detach();
                    named("orphan", async {
                        named("left", pending::<()>()).detach();
                    })
                    .detach();
                });
                ended.await.unwrap();
            });
            settle().await;
            let tree = Handle::current().dump_tree();
            assert_eq!(tree.tasks(), Handle::current().tasks());
            let text = tree.to_string();
            parent.cancel();
            text
        });
        let tree = tree.unwrap();
        let lines: Vec<&str> = tree.lines().collect();
        assert_eq!(lines.len(), 5, "{tree}");
        assert!(
            lines.iter().any(|line| line.starts_with("task ") && line.contains("\"main\" is running, spawned at ")),
            "{tree}"
        );
        assert!(lines.iter().any(|line| line.starts_with("└─ task ") && line.contains("\"parent\" waits, ")), "{tree}");
        let children: Vec<_> =
            lines.iter().filter(|line| line.starts_with("   ├─ ") || line.starts_with("   └─ ")).collect();
        assert_eq!(children.len(), 2, "{tree}");
        assert!(tree.contains("waits for a timer, spawned at "), "{tree}");
        assert!(
            lines.iter().any(|line| line.starts_with("task ") && line.contains("\"left\"")),
            "its spawner has ended: {tree}"
        );
        assert!(lines.iter().all(|line| line.contains(" polls took ")), "{tree}");
    });
}

#[test]
fn without_debug_mode_each_task_is_a_tree_of_its_own() {
    both_flavors(|builder| {
        builder
            .run(async {
                spawn(async { spawn(pending::<()>()).await }).detach();
                settle().await;
                let tree = Handle::current().dump_tree().to_string();
                assert_eq!(tree.lines().filter(|line| line.starts_with("task ")).count(), 3, "{tree}");
            })
            .unwrap();
    });
}

#[test]
fn hooks_are_told_of_each_task_as_it_begins_and_ends() {
    both_flavors(|builder| {
        let (begun, ended) = (Log::default(), Log::default());
        let (begins, ends) = (begun.clone(), ended.clone());
        let name = |task: &TaskInfo| task.name.clone().unwrap_or_else(|| "child".into());
        builder
            .on_task_spawn(move |task| begins.put(name(task)))
            .on_task_complete(move |task| {
                assert_eq!(task.state, TaskState::Finished);
                ends.put(name(task));
            })
            .run(async {
                named("returns", async {}).await.unwrap();
                assert!(named("panics", async { panic!("on purpose") }).await.is_err());
                let (cancelled, _drops) = waiting().await;
                cancelled.cancel();
                assert!(cancelled.await.is_err());
                group(async |group| drop(group.spawn(async {}).await)).await.unwrap();
            })
            .unwrap();
        assert_eq!(begun.all(), ["main", "returns", "panics", "child", "child", "wind-down"]);
        assert_eq!(ended.all(), ["returns", "panics", "child", "child", "main", "wind-down"]);
    });
}

#[test]
fn a_hook_that_panics_ends_nothing() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let sum = builder
            .on_unhandled(reports.hook())
            .on_task_spawn(|_| panic!("on purpose"))
            .on_task_complete(|_| panic!("on purpose"))
            .run(async { spawn(async { 1 }).await.unwrap() + 1 });
        assert_eq!(sum.unwrap(), 2);
        assert_eq!(reports.of(UnhandledKind::HookPanicked).len(), 6, "of the task, of main, and of the wind-down");
    });
}

#[test]
fn an_eager_task_is_polled_before_its_spawner_goes_on() {
    both_flavors(|builder| {
        builder
            .run(async {
                let log = Log::default();
                let theirs = log.clone();
                let task = spawn_eager(async move {
                    theirs.put(format!("begins {}", task::current().unwrap().polls));
                    yield_now().await;
                    theirs.put("goes on");
                    task::current().unwrap().id
                });
                log.put("spawned");
                assert!(!task.is_finished());
                let (id, me) = (task.id(), task::current().unwrap().name);
                assert_eq!(me.as_deref(), Some("main"), "the spawner is itself again");
                assert_eq!(task.await.unwrap(), id);
                assert_eq!(log.all(), ["begins 1", "spawned", "goes on"]);

                let mut ready = spawn_eager(async { 5 });
                assert_eq!(ready.try_take().unwrap().unwrap(), 5);
                let panics = spawn_eager(async { panic!("on purpose") });
                assert!(panics.is_finished());
                assert!(panics.await.unwrap_err().is_panic());
            })
            .unwrap();
    });
}

#[test]
fn eager_tasks_that_spawn_each_other_do_not_use_up_the_stack() {
    fn deep(left: u32) -> std::pin::Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async move { if left == 0 { 0 } else { spawn_eager(deep(left - 1)).await.unwrap() + 1 } })
    }
    both_flavors(|builder| assert_eq!(builder.run(deep(1_000)).unwrap(), 1_000));
}

#[test]
fn an_eager_task_on_a_cancelled_spawner_or_on_another_thread_is_as_any_other() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (sent, received) = oneshot::channel();
                let spawner = spawn(async move {
                    let _ = weftwork::scope::cancellable(pending::<()>()).await;
                    let eager = spawn_eager(async {
                        sleep(Duration::from_millis(1)).await;
                        3
                    });
                    sent.send(eager).unwrap();
                });
                settle().await;
                spawner.cancel();
                assert_eq!(received.await.unwrap().await.unwrap(), 3);
                let elsewhere = to_thread(|| spawn_eager(async { 4 })).await.unwrap();
                assert_eq!(elsewhere.await.unwrap(), 4);
            })
            .unwrap();
    });
    assert!(task::Builder::new().spawn_eager(async {}).is_err());
}

#[test]
fn what_an_eager_task_lets_go_of_is_no_part_of_what_unwinds_around_it() {
    struct SpawnsAsItGoes(Log);
    impl Drop for SpawnsAsItGoes {
        fn drop(&mut self) {
            let log = self.0.clone();
            let eager = spawn_eager(async move {
                let (go, goes) = oneshot::channel();
                let mut awaited = spawn(async move {
                    goes.await.unwrap();
                    log.put("went on");
                });
                begin(&mut awaited).await;
                drop(awaited);
                // Nobody is there to take it if the task was cancelled.
                let _ = go.send(());
            });
            eager.detach();
        }
    }
    both_flavors(|builder| {
        builder
            .run(async {
                let log = Log::default();
                let spawns = SpawnsAsItGoes(log.clone());
                let task = spawn(async move {
                    let _spawns = spawns;
                    pending::<()>().await;
                });
                settle().await;
                task.cancel();
                assert!(task.await.unwrap_err().is_cancelled());
                settle().await;
                assert_eq!(log.all(), ["went on"]);
            })
            .unwrap();
    });
}

#[test]
fn an_error_that_nobody_reads_is_reported_once() {
    both_flavors(|builder| {
        let reports = Reports::default();
        builder
            .on_unhandled(reports.hook())
            .run(async {
                let fails = || async { Err::<(), _>("on purpose") };
                spawn_try(fails()).detach();
                let kept = spawn_try(fails());
                settle().await;
                drop(kept);
                assert_eq!(reports.of(UnhandledKind::TaskFailed).len(), 2);

                assert!(spawn_try(fails()).await.unwrap().is_err());
                spawn_try(async { Ok::<_, ()>(()) }).detach();
                let cancelled = spawn_try(pending::<Result<(), ()>>());
                settle().await;
                cancelled.cancel();
                settle().await;
                drop(cancelled);
                spawn(fails()).detach();
                settle().await;
            })
            .unwrap();
        let failed = reports.of(UnhandledKind::TaskFailed);
        assert_eq!(failed.len(), 2, "none that was read, was no error, was cancelled, or is of no concern");
        assert_eq!(failed[0].message.as_deref(), Some("\"on purpose\""));
        assert_eq!(reports.all().len(), 2);
    });
}

#[test]
fn a_watched_task_can_be_cancelled_and_left_like_any_other() {
    both_flavors(|builder| {
        builder
            .debug(true)
            .run(async {
                let (task, drops) = waiting().await;
                assert!(task.cancel());
                assert!(task.await.unwrap_err().is_cancelled());
                assert_eq!(drops.count(), 1);
                let (task, _drops) = waiting().await;
                task.detach();
                let itself = spawn(async {
                    weftwork::scope::current_scope().cancel();
                    yield_now().await;
                    sleep(Duration::from_secs(3600)).await;
                });
                assert!(itself.await.unwrap_err().is_cancelled());
            })
            .unwrap();
    });
}

#[test]
fn debug_mode_may_be_asked_for_by_the_environment() {
    let program = std::env::current_exe().unwrap();
    let run = |value: &str| {
        let mut command = std::process::Command::new(&program);
        command.args(["--exact", "what_the_environment_asks_for_is_done", "--nocapture"]).env("WEFTWORK_DEBUG", value);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(run("1").contains("debug mode: Ok(true)"));
    assert!(run("0").contains("debug mode: Ok(false)"));
    assert!(run("perhaps").contains("WEFTWORK_DEBUG is"));
}

#[test]
fn what_the_environment_asks_for_is_done() {
    let busy = Builder::new_current_thread().run(async { task::current().unwrap().busy.is_some() });
    println!("debug mode: {:?}", busy.map_err(|error| error.to_string()));
}

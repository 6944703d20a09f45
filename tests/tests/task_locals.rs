#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "handles are passed between tasks on purpose")]
//! Task locals: what a task sees of what others set, and where.

mod fixtures;

use fixtures::{Drops, Log, Reports, both_flavors, on_virtual_time, two_workers};
use std::future::pending;
use std::thread;
use weftwork::runtime::UnhandledKind;
use weftwork::scope::cancellable;
use weftwork::task::{self, Locals, yield_now};
use weftwork::testing::settle;
use weftwork::time::{Duration, timeout};
use weftwork::{ThreadPool, group, run_in_executor, sleep, spawn, to_thread};

weftwork::task_local! {
    /// What most tests set.
    static NUMBER: u32;
    static WORD: &'static str = "none";
    pub(crate) static OWNED: String = String::from("default")
}

#[test]
fn rule_44_a_spawned_task_has_a_copy_of_its_spawners_values() {
    both_flavors(|builder| {
        builder
            .run(async {
                NUMBER.set(1);
                let child = spawn(async {
                    yield_now().await;
                    let inherited = NUMBER.get();
                    NUMBER.set(10);
                    let grandchild = spawn(async { NUMBER.get() }).await.unwrap();
                    (inherited, grandchild)
                });
                NUMBER.set(2);
                assert_eq!(child.await.unwrap(), (1, 10), "as it was when it was spawned, and then its own");
                assert_eq!(NUMBER.get(), 2, "what a child sets its spawner does not see");
            })
            .unwrap();
    });
}

#[test]
fn rule_38_a_child_of_a_group_has_the_values_of_who_spawned_it() {
    both_flavors(|builder| {
        builder
            .run(async {
                NUMBER.set(1);
                let seen = group(async |group| {
                    let siblings = group.clone();
                    let first = group.spawn(async move {
                        NUMBER.set(2);
                        siblings.spawn(async { NUMBER.get() }).await.unwrap()
                    });
                    let second = NUMBER.scope(3, async { group.spawn(async { NUMBER.get() }) }).await;
                    let third = group.spawn(async { NUMBER.get() });
                    (first.await.unwrap(), second.await.unwrap(), third.await.unwrap())
                });
                assert_eq!(seen.await.unwrap(), (2, 3, 1));
            })
            .unwrap();
    });
}

#[test]
fn a_task_without_values_has_the_default_or_none() {
    both_flavors(|builder| {
        builder
            .run(async {
                assert_eq!(WORD.get(), "none");
                assert_eq!(OWNED.with(String::len), 7);
                let error = NUMBER.try_get().unwrap_err();
                assert!(error.to_string().contains("NUMBER has no value here"), "{error}");
                NUMBER.unset();
                NUMBER.set(1);
                NUMBER.unset();
                assert_eq!(NUMBER.try_get(), Err(error));
                let child = spawn(async { NUMBER.get() });
                assert!(child.await.unwrap_err().is_panic());
            })
            .unwrap();
    });
}

#[test]
fn a_thread_that_is_no_task_has_no_values_but_in_a_scope() {
    assert_eq!(WORD.get(), "none");
    assert!(NUMBER.try_set(1).unwrap_err().to_string().contains("sync_scope"));
    let seen = NUMBER.sync_scope(1, || {
        NUMBER.set(2);
        (NUMBER.get(), thread::spawn(|| NUMBER.try_get().is_ok()).join().unwrap())
    });
    assert_eq!(seen, (2, false));
    assert!(NUMBER.try_get().is_err());
}

#[test]
fn what_is_set_in_a_scope_stays_in_it() {
    on_virtual_time(|_| async {
        NUMBER.set(1);
        WORD.set("outside");
        let inside = NUMBER.scope(2, async {
            let before = (NUMBER.get(), WORD.get());
            WORD.set("inside");
            sleep(Duration::from_millis(1)).await;
            NUMBER.set(3);
            let child = spawn(async { (NUMBER.get(), WORD.get()) }).await.unwrap();
            (before, child)
        });
        let beside = async {
            yield_now().await;
            (NUMBER.get(), WORD.get())
        };
        let (inside, beside) = futures::join!(inside, beside);
        assert_eq!(inside, ((2, "outside"), (3, "inside")));
        assert_eq!(beside, (1, "outside"), "the other arm of the same task is not in the scope");
        assert_eq!((NUMBER.get(), WORD.get()), (1, "outside"));
    });
}

#[test]
fn scopes_lie_in_each_other() {
    both_flavors(|builder| {
        let nested = NUMBER.scope(1, async {
            let inner = NUMBER.scope(2, async {
                yield_now().await;
                NUMBER.sync_scope(3, || NUMBER.get()) * 10 + NUMBER.get()
            });
            let inner = inner.await;
            inner * 10 + NUMBER.get()
        });
        assert_eq!(builder.run(nested).unwrap(), 321);
    });
}

#[test]
fn locals_that_are_shared_are_seen_by_all_who_share_them() {
    both_flavors(|builder| {
        builder
            .run(async {
                NUMBER.set(1);
                let shared = Locals::current();
                let apart = shared.copy();
                let add = || async { NUMBER.set(NUMBER.get() + 1) };
                for _ in 0..3 {
                    task::Builder::new().locals(&shared).spawn(add()).unwrap().await.unwrap();
                }
                shared.scope(add()).await;
                assert_eq!(shared.run(|| NUMBER.get()), 5);
                assert_eq!(apart.run(|| NUMBER.get()), 1);
                assert_eq!(NUMBER.get(), 1, "these are a copy of this task's");
                let child = task::Builder::new().locals(&shared).spawn(async {
                    let child = spawn(async { NUMBER.set(100) });
                    child.await.unwrap();
                    NUMBER.get()
                });
                assert_eq!(child.unwrap().await.unwrap(), 5, "a child of a task that shares has a copy again");
                let empty = task::Builder::new().locals(&Locals::new()).spawn(async { NUMBER.try_get().is_err() });
                assert!(empty.unwrap().await.unwrap());
                assert_eq!((shared.len(), Locals::new().is_empty()), (1, true));
            })
            .unwrap();
    });
}

#[test]
fn tasks_on_all_workers_share_locals_at_once() {
    two_workers()
        .run(async {
            let shared = Locals::new();
            let tasks: Vec<_> = (0..64)
                .map(|n| {
                    let task = async move {
                        for _ in 0..20 {
                            OWNED.set(n.to_string());
                            yield_now().await;
                            assert!(OWNED.with(|text| text.parse::<u32>()).unwrap() < 64);
                        }
                    };
                    task::Builder::new().locals(&shared).spawn(task).unwrap()
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
}

#[test]
fn blocking_calls_have_a_copy_of_their_callers_values() {
    both_flavors(|builder| {
        let pool = ThreadPool::new(1);
        builder
            .run(async {
                NUMBER.set(4);
                let call = || {
                    let seen = NUMBER.get();
                    NUMBER.set(5);
                    let spawned = weftwork::Handle::current().spawn(async { NUMBER.get() });
                    (seen, weftwork::Handle::current().block_on(async { (NUMBER.get(), spawned.await.unwrap()) }))
                };
                assert_eq!(to_thread(call).await.unwrap(), (4, (5, 5)));
                assert_eq!(run_in_executor(&pool, call).await.unwrap(), (4, (5, 5)));
                assert_eq!(NUMBER.get(), 4);
                NUMBER.unset();
                assert!(to_thread(|| NUMBER.try_get().is_err()).await.unwrap());
                assert!(run_in_executor(&pool, || NUMBER.try_get().is_err()).await.unwrap());
            })
            .unwrap();
    });
}

#[test]
fn a_value_may_be_set_while_it_is_read() {
    both_flavors(|builder| {
        let drops = Drops::default();
        weftwork::task_local! { static TOKEN: fixtures::DropToken; }
        let tokens = drops.clone();
        builder
            .run(spawn_and_wait(async move {
                TOKEN.set(tokens.token());
                TOKEN.with(|_| {
                    TOKEN.with(|_| TOKEN.set(tokens.token()));
                    TOKEN.unset();
                    assert_eq!(tokens.count(), 0, "they are being read");
                });
                assert_eq!(tokens.count(), 2);
                TOKEN.set(tokens.token());
            }))
            .unwrap();
        assert_eq!(drops.count(), 3);
    });
}

/// Not in the main future, which is gone only when its runtime is.
async fn spawn_and_wait(future: impl Future<Output = ()> + Send + 'static) {
    spawn(future).await.unwrap();
}

#[test]
fn values_go_with_the_task_and_not_with_its_handle() {
    weftwork::task_local! { static TOKEN: fixtures::DropToken; }
    both_flavors(|builder| {
        builder
            .run(async {
                let drops = Drops::default();
                let token = drops.token();
                let task = spawn(async move { TOKEN.set(token) });
                settle().await;
                assert!(task.is_finished());
                assert_eq!(drops.count(), 1);

                let token = drops.token();
                let scope = TOKEN.scope(token, pending::<()>());
                let parent = spawn(scope);
                settle().await;
                parent.cancel();
                assert!(parent.await.unwrap_err().is_cancelled());
                assert_eq!(drops.count(), 2);
            })
            .unwrap();
    });
}

#[test]
fn destructors_see_the_values_of_what_they_are_part_of() {
    struct OnDrop(Log);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.put(WORD.get());
        }
    }
    async fn holding(log: Log) {
        let _on_drop = OnDrop(log);
        pending::<()>().await;
    }
    both_flavors(|builder| {
        let all = async {
            let log = Log::default();
            let mine = log.clone();
            let cancelled = spawn(async move {
                WORD.set("task");
                holding(mine).await;
            });
            settle().await;
            cancelled.cancel();
            assert!(cancelled.await.is_err());

            let mine = log.clone();
            let timed_out = spawn(async move {
                WORD.set("timeout");
                let _ = timeout(Duration::from_millis(1), holding(mine)).await;
            });
            timed_out.await.unwrap();

            let mine = log.clone();
            let scoped = spawn(WORD.scope("scope", holding(mine)));
            settle().await;
            scoped.cancel();
            assert!(scoped.await.is_err());

            let mine = log.clone();
            let panicked = spawn(async move {
                WORD.set("panic");
                let _on_drop = OnDrop(mine);
                yield_now().await;
                panic!("on purpose");
            });
            assert!(panicked.await.unwrap_err().is_panic());

            let mine = log.clone();
            spawn(WORD.scope("end", async move { drop(OnDrop(mine)) })).await.unwrap();
            assert_eq!(log.all(), ["task", "timeout", "scope", "panic", "end"]);
        };
        builder.run(all).unwrap();
    });
}

#[test]
fn clean_up_behind_a_pad_has_the_values_of_its_task() {
    both_flavors(|builder| {
        builder
            .run(async {
                NUMBER.set(1);
                let task = spawn(async {
                    let _ = cancellable(pending::<()>()).await;
                    NUMBER.get()
                });
                settle().await;
                task.cancel();
                assert_eq!(task.await.unwrap(), 1);
            })
            .unwrap();
    });
}

#[test]
fn a_value_that_panics_when_it_is_dropped_is_told_about() {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    weftwork::task_local! { static LOUD: Loud; }
    both_flavors(|builder| {
        let reports = Reports::default();
        builder
            .on_unhandled(reports.hook())
            .run(async { assert_eq!(spawn(async { LOUD.set(Loud) }).await.ok(), Some(())) })
            .unwrap();
        assert_eq!(reports.of(UnhandledKind::OutputDropPanicked).len(), 1);
    });
}

#[test]
fn a_runtime_driven_inside_of_a_task_begins_with_its_values_and_its_tasks_have_their_own() {
    two_workers()
        .run(async {
            NUMBER.set(1);
            let inner = weftwork::block_in_place(|| {
                weftwork::runtime::Builder::new_current_thread().run(async {
                    let before = NUMBER.get();
                    let empty = task::Builder::new().locals(&Locals::new()).spawn(async { NUMBER.try_get().is_err() });
                    NUMBER.set(2);
                    (before, empty.unwrap().await.unwrap(), spawn(async { NUMBER.get() }).await.unwrap())
                })
            });
            assert_eq!(inner.unwrap(), (1, true, 2));
            assert_eq!(NUMBER.get(), 1);
        })
        .unwrap();
}

#[test]
fn dropped_unpolled_a_scope_drops_its_value_and_its_future() {
    weftwork::task_local! { static TOKEN: fixtures::DropToken; }
    let drops = Drops::default();
    let inside = drops.token();
    drop(TOKEN.scope(drops.token(), async move { drop(inside) }));
    assert_eq!(drops.count(), 2);
}

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Into a runtime from outside: calls from threads, functions that are called soon or later, and runtimes that are driven again and again.

mod fixtures;

use fixtures::{Drops, Log, Reports, both_flavors, gate, on_virtual_time, two_workers, with_clock};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use weftwork::runtime::{Builder, FromThreadError, UnhandledKind};
use weftwork::scope::finally;
use weftwork::sync::oneshot;
use weftwork::task::{CancelKind, yield_now};
use weftwork::testing::{ManualClock, settle};
use weftwork::time::{Duration, Instant, sleep};
use weftwork::{Handle, Runtime, spawn, to_thread};

const LONG: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Calls from a plain thread while the runtime runs.
fn from_a_thread<T: Send + 'static>(builder: Builder, call: impl FnOnce(Handle) -> T + Send + 'static) -> T {
    builder
        .run(async {
            let handle = Handle::current();
            let (tell, told) = oneshot::channel();
            let thread = thread::spawn(move || drop(tell.send(call(handle))));
            let value = told.await.unwrap();
            thread.join().unwrap();
            value
        })
        .unwrap()
}

#[test]
fn r20_a_thread_has_the_value_of_a_task() {
    both_flavors(|builder| {
        let value = from_a_thread(builder, |handle| {
            handle.block_on_from_thread(async {
                yield_now().await;
                spawn(async { 42 }).await.unwrap()
            })
        });
        assert_eq!(value.unwrap(), 42);
    });
}

#[test]
fn r20_a_thread_has_the_panic_of_a_task() {
    both_flavors(|builder| {
        let ended: Result<(), _> =
            from_a_thread(builder, |handle| handle.block_on_from_thread(async { panic!("in the task") }));
        assert_eq!(ended.unwrap_err().into_panic().unwrap().message(), Some("in the task"));
    });
}

#[test]
fn r20_when_its_time_is_over_the_task_is_cancelled_and_its_clean_up_awaited() {
    both_flavors(|builder| {
        let log = Log::default();
        let theirs = log.clone();
        let ended = from_a_thread(builder, move |handle| {
            let task = finally(pending::<()>(), LONG, async move || {
                yield_now().await;
                theirs.put("clean");
            });
            handle.block_on_from_thread_timeout(Duration::from_millis(5), task)
        });
        assert!(matches!(ended, Err(FromThreadError::Elapsed(_))), "{ended:?}");
        assert_eq!(log.all().len(), 1);
    });
}

#[test]
fn r20_in_time_it_has_the_value_or_the_panic() {
    both_flavors(|builder| {
        let (value, ended) = from_a_thread(builder, |handle| {
            let value = handle.block_on_from_thread_timeout(LONG, async { 5 });
            let ended: Result<(), _> = handle.block_on_from_thread_timeout(LONG, async { panic!("in the task") });
            (value, ended)
        });
        assert_eq!(value.unwrap(), 5);
        assert!(matches!(ended, Err(FromThreadError::Ended(error)) if error.is_panic()));
    });
}

#[test]
fn r20_a_task_that_is_cancelled_tells_the_thread() {
    both_flavors(|builder| {
        let ended = from_a_thread(builder, |handle| {
            handle.block_on_from_thread(async {
                weftwork::scope::current_scope().cancel_with("enough");
                pending::<()>().await;
            })
        });
        assert_eq!(ended.unwrap_err().cancel_cause().unwrap().message.as_deref(), Some("enough"));
    });
}

#[test]
fn r20_the_end_of_the_runtime_tells_the_thread() {
    let mut waiting = None;
    two_workers()
        .run(async {
            let handle = Handle::current();
            let (begin, begun) = oneshot::channel();
            waiting = Some(thread::spawn(move || {
                handle.block_on_from_thread(async move {
                    begin.send(()).unwrap();
                    pending::<()>().await;
                })
            }));
            begun.await.unwrap();
        })
        .unwrap();
    let error = waiting.unwrap().join().unwrap().unwrap_err();
    assert_eq!(error.cancel_cause().unwrap().kind, CancelKind::Shutdown);
}

#[test]
fn a_closure_of_to_thread_may_call_back() {
    both_flavors(|builder| {
        let value = builder.run(async {
            to_thread(|| Handle::current().block_on_from_thread(async { spawn(async { 6 }).await.unwrap() * 7 })).await
        });
        assert_eq!(value.unwrap().unwrap().unwrap(), 42);
    });
}

#[test]
fn a_call_back_of_a_closure_whose_caller_is_gone_is_cancelled_and_its_clean_up_awaited() {
    both_flavors(|builder| {
        builder
            .run(async {
                let log = Log::default();
                let theirs = log.clone();
                let (begin, begun) = oneshot::channel();
                let (end, ended) = oneshot::channel();
                let caller = spawn(to_thread(move || {
                    let work = async move {
                        begin.send(()).unwrap();
                        pending::<()>().await;
                    };
                    let clean = async move || {
                        yield_now().await;
                        theirs.put("clean");
                    };
                    let came = Handle::current().block_on_from_thread(finally(work, LONG, clean));
                    end.send(came).unwrap();
                }));
                begun.await.unwrap();
                caller.cancel();
                assert!(caller.await.unwrap_err().is_cancelled(), "it does not wait for the closure");
                let came = ended.await.unwrap().unwrap_err();
                assert_eq!(came.cancel_cause().unwrap().kind, CancelKind::HandleDropped);
                assert_eq!(log.all(), ["clean"]);
            })
            .unwrap();
    });
}

#[test]
fn a_call_back_of_a_closure_whose_caller_was_gone_before_is_cancelled_too() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (opener, gate) = gate();
                let (begin, begun) = oneshot::channel();
                let (end, ended) = oneshot::channel();
                let caller = spawn(to_thread(move || {
                    begin.send(()).unwrap();
                    gate.wait();
                    let timed = Handle::current().block_on_from_thread_timeout(LONG, pending::<()>());
                    end.send(timed).unwrap();
                }));
                begun.await.unwrap();
                caller.cancel();
                assert!(caller.await.unwrap_err().is_cancelled());
                opener.open();
                let timed = ended.await.unwrap();
                assert!(matches!(timed, Err(FromThreadError::Ended(error)) if error.is_cancelled()));
            })
            .unwrap();
    });
}

#[test]
fn on_a_worker_it_panics_with_advice() {
    both_flavors(|builder| {
        builder
            .run(async {
                let handle = Handle::current();
                for call in [
                    Box::new(|| drop(handle.block_on_from_thread(async {}))) as Box<dyn Fn()>,
                    Box::new(|| drop(handle.block_on_from_thread_timeout(LONG, async {}))),
                ] {
                    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
                    let text = panic.downcast_ref::<&str>().copied().unwrap();
                    assert!(text.contains("await the future"), "{text}");
                }
            })
            .unwrap();
    });
}

#[test]
fn calls_are_made_soon_in_their_order() {
    let log = Log::default();
    Builder::new_current_thread()
        .run(async {
            let handle = Handle::current();
            for name in ["first", "second", "third"] {
                let log = log.clone();
                handle.call_soon(move || log.put(name));
            }
            assert!(log.all().is_empty());
            yield_now().await;
        })
        .unwrap();
    assert_eq!(log.all(), ["first", "second", "third"]);
}

#[test]
fn calls_are_made_when_their_time_has_come() {
    on_virtual_time(|watch| async move {
        let handle = Handle::current();
        let (log, origin) = (Log::default(), Instant::now());
        let call = |name: &'static str| {
            let (log, watch) = (log.clone(), watch.clone());
            move || log.put(format!("{name} {}", watch.ms()))
        };
        let later = handle.call_later(2 * SECOND, call("later"));
        assert_eq!(later.when(), origin + 2 * SECOND);
        let at = handle.call_at(origin + SECOND, call("at"));
        assert!(!later.is_cancelled() && !at.is_cancelled());
        drop((later, at));
        sleep(3 * SECOND).await;
        assert_eq!(log.all(), ["at 1000", "later 2000"]);
    });
}

#[test]
fn a_call_that_was_taken_back_is_never_made() {
    with_clock(|clock: ManualClock| async move {
        let handle = Handle::current();
        let (log, drops) = (Log::default(), Drops::default());
        let call = || {
            let (log, token) = (log.clone(), drops.token());
            move || {
                let _token = token;
                log.put("called");
            }
        };
        let soon = handle.call_soon(call());
        let later = handle.call_later(SECOND, call());
        let due = handle.call_later(SECOND, call());
        assert!(soon.cancel() && later.cancel());
        assert!(!soon.cancel() && !later.cancel());
        settle().await;
        assert_eq!(drops.count(), 2, "what they held is dropped");
        clock.advance(SECOND);
        // Its timer may have fired by now: it was not called, and then it never is; or it was.
        let taken_back = due.cancel();
        settle().await;
        assert!(soon.is_cancelled() && later.is_cancelled());
        assert_eq!(due.is_cancelled(), taken_back);
        assert_eq!(log.all().len(), usize::from(!taken_back));
    });
}

#[test]
fn a_call_that_was_made_cannot_be_taken_back() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (tell, told) = oneshot::channel();
                let call = Handle::current().call_soon(move || tell.send(()).unwrap());
                told.await.unwrap();
                assert!(!call.cancel() && !call.is_cancelled());
            })
            .unwrap();
    });
}

#[test]
fn a_panic_in_a_call_is_reported_and_ends_nothing() {
    both_flavors(|builder| {
        let reports = Reports::default();
        builder
            .slow_poll(LONG)
            .on_unhandled(reports.hook())
            .run(async {
                Handle::current().call_soon(|| panic!("in the call"));
                settle().await;
            })
            .unwrap();
        let all = reports.all();
        assert_eq!((all.len(), all[0].kind), (1, UnhandledKind::TaskPanicked), "{all:?}");
        assert!(all[0].spawned_at.unwrap().0.ends_with("from_threads.rs"));
    });
}

#[test]
fn a_call_of_a_runtime_that_has_ended_is_cancelled() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        let waiting = handle.call_later(LONG, || unreachable!("an hour has not passed"));
        runtime.shutdown().unwrap();
        assert!(waiting.is_cancelled());
        assert!(handle.call_soon(|| unreachable!("nobody is there to call it")).is_cancelled());
    });
}

#[test]
fn a_call_that_was_found_cancelled_is_not_made_any_more() {
    let clock = ManualClock::new();
    let log = Log::default();
    let (called, seen, theirs) = (log.clone(), log.clone(), clock.clone());
    Builder::new_current_thread()
        .clock(&clock)
        .run(async move {
            let (give, got) = oneshot::channel::<weftwork::runtime::TimerHandle>();
            // At the end of the run both tasks are cancelled, this one first, and then polled a last time.
            let look = async move {
                let call = got.await.unwrap();
                let _ = weftwork::scope::cancellable(pending::<()>()).await;
                seen.put(format!("cancelled {}", call.is_cancelled()));
                theirs.advance(SECOND);
                call
            };
            let looks = spawn(async move {
                let call = look.await;
                weftwork::scope::shield(yield_now()).await;
                assert!(call.is_cancelled(), "the answer stays");
            });
            looks.detach();
            let call = Handle::current().call_later(SECOND, move || called.put("called"));
            give.send(call).unwrap();
            settle().await;
        })
        .unwrap();
    assert_eq!(log.all(), ["cancelled true"]);
}

#[test]
fn a_runtime_can_be_driven_again_and_again_and_keeps_its_state() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (send, receive) = weftwork::sync::channel::bounded(8);
        let theirs = seen.clone();
        let task = runtime.block_on(async {
            spawn(async move {
                while let Ok(n) = receive.recv().await {
                    theirs.lock().unwrap().push(n);
                }
            })
        });
        for n in 0..3 {
            runtime.block_on(send.send(n)).unwrap();
        }
        drop(send);
        runtime.block_on(task).unwrap();
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
        let panic = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { panic!("once") })));
        assert!(panic.is_err());
        assert_eq!(runtime.block_on(async { 5 }), 5, "it outlives a panic of the main future");
    });
}

#[test]
fn r10_driving_a_runtime_inside_of_one_panics_with_advice() {
    both_flavors(|builder| {
        let other = Arc::new(Runtime::new().unwrap());
        builder
            .run(async {
                let nested = [
                    Box::new(|| weftwork::run(async {})) as Box<dyn Fn()>,
                    Box::new(|| drop(Builder::new_current_thread().run(async {}))),
                    Box::new(|| other.block_on(async {})),
                    Box::new(|| other.run_forever()),
                ];
                for run in nested {
                    let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
                    let text = panic.downcast_ref::<&str>().copied().unwrap();
                    assert!(text.contains("inside of a runtime") && text.contains("await the future"), "{text}");
                }
            })
            .unwrap();
    });
}

#[test]
fn run_forever_runs_until_it_is_stopped() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        for round in 0..3 {
            let (handle, (tell, told)) = (runtime.handle().clone(), mpsc::channel());
            runtime
                .spawn(async move {
                    for _ in 0..round {
                        sleep(Duration::from_millis(1)).await;
                    }
                    tell.send(round).unwrap();
                    handle.stop();
                })
                .detach();
            runtime.run_forever();
            assert_eq!(told.recv(), Ok(round));
        }
    });
}

#[test]
fn a_stop_from_a_thread_ends_run_forever() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        let stopper = thread::spawn(move || handle.stop());
        runtime.run_forever();
        stopper.join().unwrap();
    });
}

#[test]
fn a_stop_before_run_forever_lets_it_run_what_is_ready() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let log = Log::default();
    for name in ["first", "second"] {
        let log = log.clone();
        runtime.handle().call_soon(move || log.put(name));
    }
    runtime.handle().stop();
    runtime.run_forever();
    assert_eq!(log.all(), ["first", "second"]);
}

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What ends badly: it stays where it happened, and what nobody reads is reported once, with its name and place.

mod fixtures;

use fixtures::{Drops, Report, Reports, gate};
use futures::future::join_all;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::task::{self, yield_now};
use weftwork::testing::{ManualClock, settle};
use weftwork::time::Duration;
use weftwork::{JoinHandle, sleep, spawn, to_thread};

// Writing a panic with its backtrace takes so long that the watchdog has things to report; they are not what is tested here.

fn both_flavors(test: impl Fn(Builder)) {
    fixtures::both_flavors(|builder| test(builder.watchdog(false)));
}

fn two_workers() -> Builder {
    fixtures::two_workers().watchdog(false)
}

/// Runs a test on both flavours with its reports collected, and gives them for each.
fn reported<F: Future<Output = ()>>(test: impl Fn() -> F) -> [Vec<Report>; 2] {
    let run = |builder: Builder| {
        let reports = Reports::default();
        builder.on_unhandled(reports.hook()).run(test()).unwrap();
        reports.all()
    };
    [run(Builder::new_current_thread().watchdog(false)), run(two_workers())]
}

/// Waits until a task has ended.
async fn finished<T>(task: &JoinHandle<T>) {
    while !task.is_finished() {
        yield_now().await;
    }
}

fn named<F: Future<Output: Send> + Send + 'static>(name: &str, future: F) -> JoinHandle<F::Output> {
    task::Builder::new().name(name).spawn(future).unwrap()
}

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

#[test]
fn the_panic_of_a_detached_task_is_reported_once_with_name_and_place() {
    let here = line!();
    for reports in reported(async || {
        task::Builder::new().name("clerk").spawn(async { panic!("lost the key") }).unwrap().detach();
        settle().await;
    }) {
        assert_eq!(reports.len(), 1, "{reports:?}");
        let report = &reports[0];
        assert_eq!(report.kind, UnhandledKind::TaskPanicked);
        assert_eq!(report.message.as_deref(), Some("lost the key"));
        assert_eq!(report.name.as_deref(), Some("clerk"));
        assert_eq!(report.spawned_at, Some((file!(), here + 2)));
        assert!(report.task.is_some());
        assert!(report.text.contains("\"clerk\"") && report.text.contains("lost the key"), "{}", report.text);
    }
}

#[test]
fn a_panic_whose_handle_is_dropped_unread_is_reported_once() {
    for reports in reported(async || {
        let task = named("unread", async { panic!("nobody looks") });
        finished(&task).await;
        drop(task);
    }) {
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].name.as_deref(), Some("unread"));
    }
}

#[test]
fn what_is_read_is_not_reported() {
    let reports = reported(async || {
        assert!(spawn(async { panic!("read") }).await.unwrap_err().is_panic());
        let mut taken = spawn(async { panic!("taken") });
        finished(&taken).await;
        assert!(taken.try_take().unwrap().is_err());
        drop(taken);
        // Values and cancellations that nobody reads are no failures.
        spawn(async { 5 }).detach();
        let cancelled = spawn(pending::<()>());
        cancelled.cancel();
        drop(cancelled);
        settle().await;
    });
    assert!(reports.iter().all(Vec::is_empty), "{reports:?}");
}

#[test]
fn every_one_of_many_panics_is_reported() {
    for reports in reported(async || {
        for task in 0..100 {
            spawn(async move { panic!("{task}") }).detach();
        }
        settle().await;
    }) {
        let text_of = |report: &Report| report.message.as_deref().and_then(|text| text.parse().ok());
        let mut messages: Vec<usize> =
            reports.iter().map(|report| text_of(report).unwrap_or_else(|| panic!("{report:?}"))).collect();
        messages.sort_unstable();
        assert_eq!(messages, (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn the_tasks_still_running_at_the_end_are_not_reported() {
    let reports = reported(async || {
        for _ in 0..10 {
            spawn(pending::<()>()).detach();
        }
        yield_now().await;
    });
    assert!(reports.iter().all(Vec::is_empty), "{reports:?}");
}

#[test]
fn workers_go_on_after_panics() {
    let runtime = fixtures::two_workers().build().unwrap();
    let panics: Vec<_> = (0..50).map(|_| runtime.spawn(async { panic!("again") })).collect();
    assert!(runtime.block_on(join_all(panics)).iter().all(Result::is_err));
    // Both workers are there: these two wait for each other.
    let barrier = Arc::new(Barrier::new(2));
    let meet = || {
        let barrier = barrier.clone();
        runtime.spawn(async move { barrier.wait().is_leader() })
    };
    let (one, other) = (meet(), meet());
    let leaders = runtime.block_on(async { [one.await.unwrap(), other.await.unwrap()] });
    assert_eq!(leaders.into_iter().filter(|leader| *leader).count(), 1);
}

#[test]
fn a_panic_that_is_not_text_keeps_its_payload() {
    both_flavors(|builder| {
        builder
            .run(async {
                let error = spawn(async { panic_any(7_u8) }).await.unwrap_err();
                assert!(error.to_string().contains("not text"), "{error}");
                let panic = error.into_panic().unwrap();
                assert_eq!(panic.message(), None);
                assert_eq!(panic.into_payload().downcast_ref::<u8>(), Some(&7));
            })
            .unwrap();
    });
}

#[test]
fn a_panic_can_be_gone_on_with() {
    both_flavors(|builder| {
        builder
            .run(async {
                let outer = spawn(async {
                    let inner = spawn(async { panic!("inner") }).await;
                    inner.unwrap_err().into_panic().unwrap().resume();
                });
                assert_eq!(outer.await.unwrap_err().into_panic().unwrap().message(), Some("inner"));
            })
            .unwrap();
    });
}

#[test]
fn the_panic_of_the_main_future_reaches_the_caller_and_everything_is_dropped() {
    both_flavors(|builder| {
        let drops = Drops::default();
        let token = drops.token();
        let run = AssertUnwindSafe(|| {
            builder.run(async move {
                spawn(async move {
                    let _token = token;
                    pending::<()>().await;
                })
                .detach();
                yield_now().await;
                panic!("main");
            })
        });
        let payload = catch_unwind(run).unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"main"));
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_runtime_can_be_used_after_its_main_future_panicked() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let panicking = AssertUnwindSafe(|| runtime.block_on(async { panic!("main") }));
        assert!(catch_unwind(panicking).is_err());
        assert_eq!(runtime.block_on(async { spawn(async { 2 }).await.unwrap() }), 2);
    });
}

// Destructors.

#[test]
fn a_panic_in_the_drop_of_an_unread_output_is_reported() {
    for reports in reported(async || {
        named("detached", async { Bomb("output of detached") }).detach();
        settle().await;
        let unread = named("unread", async { Bomb("output of unread") });
        finished(&unread).await;
        drop(unread);
    }) {
        let kinds: Vec<_> = reports.iter().map(|report| (report.kind, report.name.as_deref().unwrap())).collect();
        let dropped = UnhandledKind::OutputDropPanicked;
        assert_eq!(kinds, [(dropped, "detached"), (dropped, "unread")]);
        assert_eq!(reports[0].message.as_deref(), Some("output of detached"));
    }
}

#[test]
fn a_panic_in_the_drop_of_a_future_is_the_outcome_of_its_task() {
    for reports in reported(async || {
        struct Ready(#[allow(dead_code, reason = "held for its drop")] Bomb);
        impl Future for Ready {
            type Output = u8;
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
                Poll::Ready(1)
            }
        }
        let error = spawn(Ready(Bomb("future"))).await.unwrap_err();
        assert_eq!(error.into_panic().unwrap().message(), Some("future"));
        named("detached", Ready(Bomb("detached future"))).detach();
        settle().await;
    }) {
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].kind, UnhandledKind::TaskPanicked);
        assert_eq!(reports[0].message.as_deref(), Some("detached future"));
    }
}

#[test]
fn the_first_of_two_panics_is_reported_when_the_second_is_read() {
    for reports in reported(async || {
        struct Twice(#[allow(dead_code, reason = "held for its drop")] Bomb);
        impl Future for Twice {
            type Output = ();
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                panic!("poll")
            }
        }
        let error = named("twice", Twice(Bomb("drop"))).await.unwrap_err();
        assert_eq!(error.into_panic().unwrap().message(), Some("drop"));
    }) {
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!((reports[0].name.as_deref(), reports[0].message.as_deref()), (Some("twice"), Some("poll")));
    }
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_ends_nothing() {
    for reports in reported(async || {
        spawn(async { panic_any(Bomb("payload")) }).detach();
        settle().await;
        assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
    }) {
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!((reports[0].kind, reports[0].message.as_deref()), (UnhandledKind::TaskPanicked, None));
    }
}

#[test]
fn a_panic_in_a_drop_at_shutdown_ends_nothing_else() {
    both_flavors(|builder| {
        let (drops, reports) = (Drops::default(), Reports::default());
        builder
            .on_unhandled(reports.hook())
            .run(async {
                for task in 0..20 {
                    let token = drops.token();
                    spawn(async move {
                        let _token = token;
                        let _bomb = (task % 4 == 0).then(|| Bomb("at the end"));
                        pending::<()>().await;
                    })
                    .detach();
                }
                settle().await;
            })
            .unwrap();
        assert_eq!(drops.count(), 20);
        assert_eq!(reports.of(UnhandledKind::TaskPanicked).len(), 5);
    });
}

// Wakers.

/// A waker that panics.
struct Tripwire;

impl Wake for Tripwire {
    fn wake(self: Arc<Self>) {
        panic!("tripped");
    }
}

#[test]
fn a_panic_in_the_waker_of_whoever_joins_is_reported_with_the_task() {
    for reports in reported(async || {
        let (opener, closed) = weftwork::sync::oneshot::channel::<()>();
        let mut task = named("joined", async move { closed.await.is_ok() });
        let waker = Waker::from(Arc::new(Tripwire));
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
        opener.send(()).unwrap();
        finished(&task).await;
        assert!(task.await.unwrap(), "the outcome is there all the same");
        settle().await;
    }) {
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].kind, UnhandledKind::WakerPanicked);
        assert_eq!((reports[0].name.as_deref(), reports[0].message.as_deref()), (Some("joined"), Some("tripped")));
    }
}

#[test]
fn a_panic_in_the_waker_of_a_timer_is_reported_and_the_other_timers_fire() {
    both_flavors(|builder| {
        let (clock, reports) = (ManualClock::new(), Reports::default());
        builder
            .clock(&clock)
            .on_unhandled(reports.hook())
            .run(async {
                let waker = Waker::from(Arc::new(Tripwire));
                let mut trips: Vec<_> = (0..3).map(|_| Box::pin(sleep(Duration::from_secs(1)))).collect();
                for trip in &mut trips {
                    assert!(trip.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                }
                let sound = spawn(sleep(Duration::from_secs(1)));
                settle().await;
                clock.advance(Duration::from_secs(1));
                sound.await.unwrap();
                settle().await;
            })
            .unwrap();
        assert_eq!(reports.of(UnhandledKind::WakerPanicked).len(), 3);
    });
}

// Hooks.

#[test]
fn a_panic_in_a_thread_hook_is_reported_and_the_thread_works_on() {
    let reports = Reports::default();
    let stopped = Arc::new(AtomicUsize::new(0));
    let theirs = stopped.clone();
    let runtime = two_workers()
        .on_unhandled(reports.hook())
        .on_thread_start(|| panic!("at the start"))
        .on_thread_stop(move || {
            theirs.fetch_add(1, Ordering::SeqCst);
            panic!("at the stop")
        })
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(runtime.spawn(async { 3 })).unwrap(), 3);
    runtime.shutdown_timeout(Duration::from_secs(3600)).unwrap();
    let messages = reports.of(UnhandledKind::HookPanicked).into_iter().map(|report| report.message.unwrap());
    let (starts, stops): (Vec<_>, Vec<_>) = messages.partition(|message| message == "at the start");
    // A spare that stands in for a worker which the system keeps waiting has hooks as well.
    assert!(starts.len() >= 2 && starts.len() == stops.len(), "{starts:?} {stops:?}");
    assert_eq!(stops.len(), stopped.load(Ordering::SeqCst));
}

#[test]
fn a_hook_for_reports_that_panics_ends_nothing() {
    both_flavors(|builder| {
        let calls = Arc::new(AtomicUsize::new(0));
        let theirs = calls.clone();
        builder
            .on_unhandled(move |_| {
                theirs.fetch_add(1, Ordering::SeqCst);
                panic!("in the hook")
            })
            .run(async {
                for _ in 0..3 {
                    spawn(async { panic!("task") }).detach();
                }
                settle().await;
                assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
            })
            .unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_hook_may_use_the_runtime() {
    both_flavors(|builder| {
        let (sent, received) = gate();
        builder
            .on_unhandled(move |_| {
                let sent = sent.clone();
                spawn(async move { sent.open() }).detach();
            })
            .run(async {
                spawn(async { panic!("task") }).detach();
                settle().await;
                received.wait();
            })
            .unwrap();
    });
}

#[test]
fn a_panic_in_a_blocking_call_that_nobody_awaits_ends_nothing() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (begin, begun) = gate();
                let mut call = to_thread(move || {
                    begin.open();
                    panic!("unheard")
                });
                // It begins with the first poll, and may have ended before that returns.
                let _ = fixtures::poll_once(&mut call);
                begun.wait();
                drop::<weftwork::Offload<()>>(call);
                assert_eq!(to_thread(|| 1).await.unwrap(), 1);
            })
            .unwrap();
    });
}

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What the debug mode tells of what was forgotten: tasks and calls that never ran, resources that nobody closed.

mod fixtures;

use fixtures::{Reports, begin, both_flavors};
use std::convert::Infallible;
use std::future::pending;
use weftwork::net::TcpListener;
use weftwork::runtime::UnhandledKind;
use weftwork::scope::with_resource;
use weftwork::time::Duration;
use weftwork::{group, spawn, to_thread};

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_task_that_was_dropped_before_it_ever_ran_is_told_about() {
    for debug in [false, true] {
        both_flavors(|builder| {
            let reports = Reports::default();
            let ended = builder.debug(debug).on_unhandled(reports.hook()).run(async {
                group(async |group| {
                    group.cancel();
                    group.spawn(async {}).detach();
                })
                .await
            });
            ended.unwrap().unwrap();
            let told = reports.of(UnhandledKind::DroppedUnpolled);
            assert_eq!(told.len(), usize::from(debug));
            for report in told {
                assert!(report.text.contains("debug_reports.rs:") && report.text.contains("before it ever ran: "));
            }
        });
    }
}

#[test]
fn a_call_of_to_thread_that_nobody_awaited_is_told_about() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let run = builder.debug(true).on_unhandled(reports.hook()).run(async {
            drop(to_thread(|| unreachable!("nobody awaits it")).named("forgotten"));
            to_thread(|| ()).await.unwrap();
            // Where everything is cancelled it does not begin.
            spawn(async {
                weftwork::scope::current_scope().cancel();
                to_thread(|| unreachable!("it is cancelled")).await.unwrap();
            })
            .await
            .unwrap_err();
        });
        run.unwrap();
        let told = reports.of(UnhandledKind::DroppedUnpolled);
        let texts: Vec<_> = told.iter().map(|report| report.text.as_str()).collect();
        assert_eq!(
            texts,
            ["forgotten was dropped before it was ever awaited, and so never began: await it, or spawn it"]
        );
    });
}

#[test]
fn a_resource_that_was_not_closed_is_told_about() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let run = builder.debug(true).on_unhandled(reports.hook()).run(async {
            let open = || async { Ok::<_, Infallible>(5_u8) };
            let closed = with_resource(open(), LONG, async |n| *n, async |_| ());
            assert_eq!(closed.await, Ok(5));
            // Dropped by code that knows nothing of clean-up.
            let mut left = Box::pin(with_resource(open(), LONG, async |_| pending::<()>().await, async |_| ()));
            begin(&mut left).await;
            drop(left);
            // Closing takes longer than it may.
            let late = with_resource(open(), Duration::ZERO, async |n| *n, async |_| pending::<()>().await);
            assert_eq!(late.await, Ok(5));
        });
        run.unwrap();
        let told = reports.of(UnhandledKind::NotClosed);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|report| report.message.as_deref() == Some("u8") && report.task.is_some()), "{told:?}");
    });
}

#[test]
fn sockets_that_outlive_their_runtime_are_told_about() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let bind = async { TcpListener::bind("127.0.0.1:0").await.unwrap() };
        let kept = builder.debug(true).on_unhandled(reports.hook()).run(bind).unwrap();
        let told = reports.of(UnhandledKind::NotClosed);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].text.contains("1 sockets, or other descriptors, outlive their runtime"), "{told:?}");
        drop(kept);
    });
}

#[test]
fn in_debug_mode_a_handle_says_what_its_task_waits_for() {
    both_flavors(|builder| {
        let run = builder.debug(true).run(async {
            let task = spawn(weftwork::sleep(LONG));
            weftwork::testing::settle().await;
            assert!(format!("{task:?}").contains(" pending waits for a timer spawned at "), "{task:?}");
            task.cancel();
        });
        run.unwrap();
    });
}

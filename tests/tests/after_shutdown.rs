#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What outlives its runtime: sockets, timers, calls, channels and handles answer instead of hanging.

mod fixtures;

use fixtures::{both_flavors, gate, poll_once};
use futures::executor;
use futures::future::poll_fn;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::thread;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::sync::channel;
use weftwork::task::{CancelKind, yield_now};
use weftwork::time::{Duration, Instant, sleep};
use weftwork::{Handle, JoinHandle, OffloadError, spawn, to_thread};

/// Longer than any test: whoever waits that long hangs.
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn tokio_2924_sockets_of_an_ended_runtime_give_errors() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        let (listener, client, server) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            (listener, client, server)
        });
        // A plain thread waits on a socket while the runtime ends.
        let (ready, waiting) = gate();
        let reader = thread::spawn(move || {
            let mut buffer = [0];
            let mut read = server.read(&mut buffer);
            executor::block_on(poll_fn(|cx| {
                let polled = std::pin::Pin::new(&mut read).poll(cx);
                ready.open();
                polled
            }))
        });
        waiting.wait();
        let mut accept = listener.accept();
        assert!(poll_once(&mut accept).is_pending());
        drop(runtime);
        assert!(reader.join().unwrap().is_err());
        assert!(executor::block_on(accept).is_err());
        assert!(executor::block_on(listener.accept()).is_err(), "nor does it wait from now on");
        assert!(executor::block_on(client.read(&mut [0])).is_err());
        let _entered = handle.enter();
        assert!(executor::block_on(TcpListener::bind("127.0.0.1:0")).is_err());
    });
}

#[test]
fn a_sleep_of_an_ended_runtime_panics_with_advice() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        let mut armed = sleep(LONG);
        {
            let _entered = handle.enter();
            assert!(poll_once(&mut armed).is_pending());
        }
        drop(runtime);
        let text_of = |polled: thread::Result<()>| {
            let payload = polled.unwrap_err();
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap()
        };
        let text = text_of(catch_unwind(AssertUnwindSafe(|| executor::block_on(armed))));
        assert!(text.contains("has shut down"), "{text}");
        let text = text_of(catch_unwind(AssertUnwindSafe(|| handle.block_on(sleep(LONG)))));
        assert!(text.contains("has shut down"), "{text}");
        // What need not wait goes through.
        handle.block_on(weftwork::time::sleep_until(Instant::now()));
    });
}

#[test]
fn a_blocking_call_after_the_end_is_refused() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        drop(runtime);
        let error = handle.block_on(to_thread(|| ())).unwrap_err();
        assert!(matches!(error, OffloadError::ShutDown), "{error:?}");
    });
}

#[test]
fn channels_outlive_the_runtime() {
    both_flavors(|builder| {
        let (sender, receiver) = channel::bounded(4);
        builder
            .run(async move {
                sender.send(1).await.unwrap();
                spawn(async move {
                    let _sender = sender;
                    pending::<()>().await;
                })
                .detach();
            })
            .unwrap();
        assert_eq!(receiver.blocking_recv(), Ok(1));
        assert!(receiver.blocking_recv().is_err(), "the sender went with its task");
    });
}

#[test]
fn whoever_joins_a_task_of_an_ended_runtime_is_told() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let task = runtime.spawn(pending::<()>());
        let (ready, waiting) = gate();
        let joiner = thread::spawn(move || {
            let mut task = pin!(task);
            executor::block_on(poll_fn(|cx| {
                let polled = task.as_mut().poll(cx);
                ready.open();
                polled
            }))
        });
        waiting.wait();
        drop(runtime);
        let error = joiner.join().unwrap().unwrap_err();
        assert_eq!(error.cancel_cause().unwrap().kind, CancelKind::Shutdown);
    });
}

#[test]
fn handles_of_an_ended_runtime_answer() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        let finished: JoinHandle<u8> = runtime.spawn(async { 3 });
        runtime.block_on(async {
            while !finished.is_finished() {
                yield_now().await;
            }
        });
        drop(runtime);
        assert_eq!(handle.block_on(finished).unwrap(), 3);
        assert_eq!(handle.metrics().live_tasks, 0);
        let _entered = handle.enter();
        assert!(Handle::try_current().is_ok());
        assert!(format!("{handle:?}").contains("stopping: true"));
    });
}

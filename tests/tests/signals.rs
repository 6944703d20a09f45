#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Signals: who is told of which, what is refused, and what a flood of them disturbs. Each test has a signal of its own,
//! because they are the process's.
#![cfg(unix)]

mod fixtures;

use fixtures::{Reports, both_flavors, poll_once};
use futures::StreamExt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::{Builder, ReactorBackend, UnhandledKind};
use weftwork::signal::{SignalKind, on_signal, signal};
use weftwork::sync::channel;
use weftwork::time::{Duration, sleep};
use weftwork::{spawn, to_thread};

/// To this thread, so that the handler has run when the call returns.
fn raise(kind: SignalKind) {
    // SAFETY: a plain system call; whoever calls this has had a handler installed.
    assert_eq!(unsafe { libc::raise(kind.as_raw()) }, 0);
}

fn both_backends(test: impl Fn(Builder)) {
    for backend in [ReactorBackend::Default, ReactorBackend::Portable] {
        both_flavors(|builder| test(builder.reactor(backend)));
    }
}

#[test]
fn every_listener_of_a_kind_is_told_and_no_other() {
    both_backends(|builder| {
        builder
            .run(async {
                let mut first = signal(SignalKind::hangup()).unwrap();
                let mut second = signal(SignalKind::hangup()).unwrap();
                let mut other = signal(SignalKind::window_change()).unwrap();
                raise(SignalKind::hangup());
                first.recv().await.unwrap();
                second.next().await.unwrap().unwrap();
                let mut later = signal(SignalKind::hangup()).unwrap();
                assert!(poll_once(&mut other.recv()).is_pending());
                assert!(poll_once(&mut first.recv()).is_pending(), "it came once");
                assert!(poll_once(&mut later.recv()).is_pending(), "it came before this one listened");
                raise(SignalKind::hangup());
                later.recv().await.unwrap();
            })
            .unwrap();
    });
}

#[test]
fn what_came_while_nobody_asked_is_one() {
    both_flavors(|builder| {
        builder
            .run(async {
                let mut signals = signal(SignalKind::user_defined1()).unwrap();
                for _ in 0..5 {
                    raise(SignalKind::user_defined1());
                }
                drop(signals.recv());
                signals.recv().await.unwrap();
                assert!(poll_once(&mut signals.recv()).is_pending());
            })
            .unwrap();
    });
}

#[test]
fn a_closure_is_called_until_its_guard_is_dropped() {
    both_flavors(|builder| {
        let reports = Reports::default();
        builder
            .on_unhandled(reports.hook())
            .run(async {
                let (tell, told) = channel::bounded(1);
                let mut calls = 0;
                let guard = on_signal(SignalKind::user_defined2(), move || {
                    calls += 1;
                    tell.try_send(calls).unwrap();
                    assert_ne!(calls, 2, "in the closure");
                })
                .unwrap();
                for call in 1..=3 {
                    raise(SignalKind::user_defined2());
                    assert_eq!(told.recv().await, Ok(call));
                }
                drop(guard);
                assert!(told.recv().await.is_err(), "the closure is gone");
            })
            .unwrap();
        assert_eq!(reports.of(UnhandledKind::HookPanicked).len(), 1, "its panic is told, and it is called again");
    });
}

#[test]
fn signals_that_nobody_may_handle_are_refused() {
    both_flavors(|builder| {
        builder
            .run(async {
                for number in [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, 0, -1, 127, 4000] {
                    let error = signal(SignalKind::from_raw(number)).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{number}: {error}");
                }
            })
            .unwrap();
    });
}

#[test]
fn without_a_runtime_there_is_nothing_to_listen_with() {
    assert!(signal(SignalKind::alarm()).unwrap_err().to_string().contains("no weftwork runtime"));
}

#[test]
fn a_flood_of_signals_disturbs_nobody() {
    both_backends(|builder| {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let runtime = builder.build().unwrap();
        runtime.block_on(async {
            let mut signals = signal(SignalKind::io()).unwrap();
            let flood = {
                let (stop, sent) = (stop.clone(), sent.clone());
                thread::spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        // To the process: the system interrupts whichever of its threads it likes.
                        // SAFETY: a plain system call; the handler is installed.
                        assert_eq!(unsafe { libc::kill(libc::getpid(), libc::SIGIO) }, 0);
                        sent.fetch_add(1, Ordering::SeqCst);
                    }
                })
            };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut word = [0; 4];
                while stream.read_exact(&mut word).await.is_ok() {
                    stream.write_all(&word).await.unwrap();
                }
            });
            let client = TcpStream::connect(address).await.unwrap();
            let mut rounds = 0_u32;
            while rounds < 200 || sent.load(Ordering::SeqCst) < 10_000 {
                client.write_all(&rounds.to_le_bytes()).await.unwrap();
                let mut back = [0; 4];
                client.read_exact(&mut back).await.unwrap();
                assert_eq!(back, rounds.to_le_bytes());
                if rounds.is_multiple_of(50) {
                    sleep(Duration::from_micros(100)).await;
                    to_thread(|| ()).await.unwrap();
                    signals.recv().await.unwrap();
                }
                rounds += 1;
            }
            stop.store(true, Ordering::SeqCst);
            flood.join().unwrap();
            drop(client);
            server.await.unwrap();
            // The last one is told, however many came at once.
            while poll_once(&mut signals.recv()).is_ready() {}
            raise(SignalKind::io());
            signals.recv().await.unwrap();
        });
    });
}

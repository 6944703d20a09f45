#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What was taken is given back. One test, because it counts what belongs to the whole process.
#![cfg(target_os = "linux")]

mod fixtures;

use fixtures::{both_flavors, threads_named};
use futures::future::join_all;
use std::fs;
use std::future::pending;
use std::thread;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::testing::settle;
use weftwork::time::{Duration, Instant, sleep, timeout};
use weftwork::{Handle, spawn, to_thread};

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

/// What a runtime holds: tasks, timers, registrations; and the process's descriptors.
fn held() -> (usize, usize, usize, usize) {
    let metrics = Handle::current().metrics();
    (metrics.live_tasks, metrics.timers, metrics.registered, descriptors())
}

async fn connect_and_close(rounds: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    for round in 0..rounds {
        let (client, accepted) = futures::join!(TcpStream::connect(addr), listener.accept());
        let (client, (server, _)) = (client.unwrap(), accepted.unwrap());
        // Closed after a word, unread, unheard, or while somebody waits.
        match round % 4 {
            0 => {
                client.write_all(b"x").await.unwrap();
                server.read_exact(&mut [0]).await.unwrap();
            }
            1 => client.write_all(b"x").await.unwrap(),
            2 => {}
            _ => {
                let waits = spawn(async move { server.read(&mut [0]).await });
                weftwork::task::yield_now().await;
                waits.cancel();
                assert!(waits.await.unwrap_err().is_cancelled());
            }
        }
    }
}

async fn tasks_and_timers(rounds: usize) {
    for _ in 0..rounds {
        let tasks: Vec<_> = (0..100)
            .map(|task| {
                spawn(async move {
                    match task % 4 {
                        0 => sleep(Duration::from_micros(task)).await,
                        1 => assert!(timeout(Duration::from_secs(3600), async {}).await.is_ok()),
                        2 => assert!(timeout(Duration::from_micros(task), pending::<()>()).await.is_err()),
                        _ => pending().await,
                    }
                })
            })
            .collect();
        tasks.iter().skip(3).step_by(4).for_each(|task| assert!(task.cancel()));
        join_all(tasks).await;
    }
}

async fn cancelled_connects(rounds: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    for _ in 0..rounds {
        let connecting = spawn(TcpStream::connect(addr));
        let accepting = timeout(Duration::ZERO, listener.accept());
        let _ = accepting.await;
        connecting.cancel();
        let _ = connecting.await;
    }
}

#[test]
fn descriptors_registrations_timers_and_tasks_return_to_their_baseline() {
    let outside = descriptors();
    both_flavors(|builder| {
        builder
            .thread_name("basin")
            .run(async {
                // Once before, so that what is opened for good is open.
                connect_and_close(4).await;
                to_thread(|| ()).await.unwrap();
                settle().await;
                let before = held();
                connect_and_close(1000).await;
                tasks_and_timers(50).await;
                cancelled_connects(200).await;
                for _ in 0..100 {
                    to_thread(|| ()).await.unwrap();
                }
                settle().await;
                assert_eq!(held(), before);
            })
            .unwrap();
        assert_eq!(descriptors(), outside, "the runtime's own descriptors are closed with it");
    });
    for _ in 0..50 {
        both_flavors(|builder| {
            let runtime = builder.thread_name("basin").build().unwrap();
            runtime.block_on(async { spawn(sleep(Duration::from_micros(1))).await.unwrap() });
            runtime.spawn(pending::<()>()).detach();
        });
    }
    // A thread that has left its runtime takes a moment to leave the process, and holds the runtime until then.
    let patience = Instant::now() + Duration::from_secs(60);
    while threads_named("basin") > 0 || descriptors() > outside {
        let (threads, left) = (threads_named("basin"), descriptors());
        assert!(
            Instant::now() < patience,
            "{threads} threads are left, and {left} descriptors where {outside} were before"
        );
        thread::yield_now();
    }
}

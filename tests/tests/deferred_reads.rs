#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Reads of frames of a known length: where each was followed by nothing so often that the next try is put off, what is there
//! all the same is read, whatever the worker does meanwhile.
//!
//! Whether a try is put off here is up to how fast the peer is; nothing relies on it but what the tests are about. Where the
//! runtime forgets a read that it has put off, they hang.

mod fixtures;

use fixtures::{every_reactor, two_workers};
use std::io::Write;
use std::net;
use std::sync::mpsc;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::Builder;
use weftwork::{spawn, task};

const FRAME: usize = 64;
/// Enough for the runtime to expect nothing after a frame.
const ONE_BY_ONE: usize = 40;

/// A connection whose other end is this thread's.
async fn connected() -> (TcpStream, net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    peer.set_nodelay(true).unwrap();
    (listener.accept().await.unwrap().0, peer)
}

async fn read_frame(stream: &TcpStream) {
    stream.read_exact(&mut [0; FRAME]).await.unwrap();
}

fn send_frames(mut peer: &net::TcpStream, count: usize) {
    peer.write_all(&[1; 4 * FRAME][..count * FRAME]).unwrap();
}

/// Frames that come one by one, each after the reader has begun to wait for it.
async fn exchange_one_by_one(stream: &TcpStream, peer: &net::TcpStream) {
    for _ in 0..ONE_BY_ONE {
        let peer = peer.try_clone().unwrap();
        let sender = spawn(async move { send_frames(&peer, 1) });
        read_frame(stream).await;
        sender.await.unwrap();
    }
}

#[test]
fn frames_that_come_together_after_many_that_came_alone_are_all_read() {
    every_reactor(|builder| {
        builder.build().unwrap().block_on(async {
            let (stream, peer) = connected().await;
            let read = spawn(async move {
                for count in [2, 1, 4, 3] {
                    exchange_one_by_one(&stream, &peer).await;
                    send_frames(&peer, count);
                    for _ in 0..count {
                        read_frame(&stream).await;
                    }
                }
            });
            read.await.unwrap();
        });
    });
}

#[test]
fn an_end_behind_frames_that_came_together_is_read() {
    every_reactor(|builder| {
        builder.build().unwrap().block_on(async {
            let (stream, peer) = connected().await;
            let read = spawn(async move {
                exchange_one_by_one(&stream, &peer).await;
                send_frames(&peer, 2);
                drop(peer);
                let mut frames = 0;
                while stream.read_exact(&mut [0; FRAME]).await.is_ok() {
                    frames += 1;
                }
                frames
            });
            assert_eq!(read.await.unwrap(), 2);
        });
    });
}

#[test]
fn a_frame_that_was_left_is_read_while_the_worker_has_other_tasks() {
    for builder in [Builder::new_current_thread(), Builder::new_multi_thread().worker_threads(1)] {
        builder.build().unwrap().block_on(async {
            let (stream, peer) = connected().await;
            let read = spawn(async move {
                exchange_one_by_one(&stream, &peer).await;
                send_frames(&peer, 2);
                let others: Vec<_> = (0..3)
                    .map(|_| {
                        spawn(async {
                            loop {
                                task::yield_now().await;
                            }
                        })
                    })
                    .collect();
                read_frame(&stream).await;
                read_frame(&stream).await;
                for other in &others {
                    other.cancel();
                }
            });
            read.await.unwrap();
        });
    }
}

#[test]
fn a_frame_that_was_left_is_read_while_the_worker_is_blocked() {
    let runtime = two_workers().build().unwrap();
    let read = runtime.spawn(async {
        let (stream, peer) = connected().await;
        exchange_one_by_one(&stream, &peer).await;
        send_frames(&peer, 2);
        read_frame(&stream).await;
        // It runs next on this worker, and blocks it until the second frame was read.
        let (done, is_done) = mpsc::channel();
        let blocked = spawn(async move { is_done.recv().unwrap() });
        read_frame(&stream).await;
        done.send(()).unwrap();
        blocked.await.unwrap();
    });
    runtime.block_on(read).unwrap();
}

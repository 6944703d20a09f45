//! Streams and listeners on every backend, with a thread that turns the reactor.

use super::connect::Connect;
use super::{TcpListener, TcpStream};
use crate::reactor::testing::{Count, by_hand, driven, look, pair, turn};
use crate::reactor::{Reactor, os};
use ::futures::executor::block_on;
use ::futures::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use ::futures::{StreamExt as _, join};
use core::task::Poll;
use core::time::Duration;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::{self, Shutdown, SocketAddr};
use weftwork_sync::primitive::{Shared, thread};

fn listener(reactor: &Shared<Reactor>) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::on(reactor, net::TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Two streams of the reactor that are connected with each other.
async fn connected(reactor: &Shared<Reactor>) -> (TcpStream, TcpStream) {
    let (listener, address) = listener(reactor);
    let (accepted, opened) = join!(listener.accept(), Connect::on(reactor.clone(), vec![address]));
    let ((accepted, peer), opened) = (accepted.unwrap(), opened.unwrap());
    assert_eq!(peer, opened.local_addr().unwrap());
    opened.set_nodelay(true).unwrap();
    accepted.set_nodelay(true).unwrap();
    (accepted, opened)
}

/// A stream of the reactor, and a blocking one of the test.
fn half(reactor: &Shared<Reactor>) -> (TcpStream, net::TcpStream) {
    let (ours, theirs) = pair();
    (TcpStream::accepted(reactor, ours).unwrap(), theirs)
}

#[test]
fn what_one_stream_writes_the_other_reads() {
    driven(|reactor| {
        block_on(async {
            let (one, other) = connected(reactor).await;
            let echo = async {
                let mut buf = [0; 1024];
                loop {
                    match other.read(&mut buf).await.unwrap() {
                        0 => break other.shutdown(Shutdown::Write).unwrap(),
                        n => other.write_all(&buf[..n]).await.unwrap(),
                    }
                }
            };
            let client = async {
                for round in 0..100_u8 {
                    let sent = vec![round; 1 + usize::from(round) * 31];
                    one.write_all(&sent).await.unwrap();
                    let mut back = vec![0; sent.len()];
                    one.read_exact(&mut back).await.unwrap();
                    assert_eq!(back, sent);
                }
                one.shutdown(Shutdown::Write).unwrap();
                assert_eq!(one.read(&mut [0; 8]).await.unwrap(), 0);
            };
            join!(echo, client);
        });
    });
}

#[test]
fn more_than_the_socket_holds_goes_through_in_both_directions_at_once() {
    driven(|reactor| {
        block_on(async {
            let (one, other) = connected(reactor).await;
            let big = vec![5; 4 << 20];
            let transfer = async |from: &TcpStream, to: &TcpStream| {
                let mut got = vec![0; big.len()];
                let (sent, read) = join!(from.write_all(&big), to.read_exact(&mut got));
                sent.unwrap();
                read.unwrap();
                assert!(got == big);
            };
            join!(transfer(&one, &other), transfer(&other, &one));
        });
    });
}

#[test]
fn either_side_may_end_first_and_the_other_goes_on() {
    driven(|reactor| {
        block_on(async {
            for swap in [false, true] {
                let (mut one, mut other) = connected(reactor).await;
                if swap {
                    core::mem::swap(&mut one, &mut other);
                }
                one.write_all(b"question").await.unwrap();
                AsyncWriteExtClose::close(&mut one).await;
                let mut question = Vec::new();
                AsyncReadAll::read_all(&mut other, &mut question).await;
                assert_eq!(question, b"question");
                other.write_all(b"answer").await.unwrap();
                drop(other);
                let mut answer = Vec::new();
                AsyncReadAll::read_all(&mut one, &mut answer).await;
                assert_eq!(answer, b"answer");
            }
        });
    });
}

/// The extension traits by names of their own: the stream's own methods come first otherwise.
struct AsyncWriteExtClose;
struct AsyncReadAll;
impl AsyncWriteExtClose {
    async fn close(stream: &mut TcpStream) {
        stream.close().await.unwrap();
        // A second time there is nothing left to end.
        stream.close().await.unwrap();
    }
}
impl AsyncReadAll {
    async fn read_all(stream: &mut TcpStream, into: &mut Vec<u8>) {
        stream.read_to_end(into).await.unwrap();
    }
}

#[test]
fn a_reset_ends_a_read_that_waits() {
    driven(|reactor| {
        let (ours, theirs) = half(reactor);
        let resets = thread::spawn("resets".into(), move || {
            socket2::SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
            drop(theirs);
        });
        let error = block_on(ours.read(&mut [0; 8])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        resets.unwrap().join().unwrap();
    });
}

#[test]
fn data_and_an_end_in_one_edge_end_a_line_reader() {
    driven(|reactor| {
        for _ in 0..64 {
            let (ours, mut theirs) = half(reactor);
            let writes = thread::spawn("writes".into(), move || {
                std::io::Write::write_all(&mut theirs, b"one\ntwo").unwrap();
                drop(theirs);
            });
            let lines = block_on(async {
                let mut reader = BufReader::new(ours);
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    match reader.read_line(&mut line).await.unwrap() {
                        0 => break lines,
                        _ => lines.push(line),
                    }
                }
            });
            assert_eq!(lines, ["one\n", "two"]);
            writes.unwrap().join().unwrap();
        }
    });
}

#[test]
fn several_readers_of_one_stream_are_all_served() {
    driven(|reactor| {
        let (ours, mut theirs) = half(reactor);
        let ours = Shared::new(ours);
        let readers: Vec<_> = (0..6)
            .map(|_| {
                let ours = ours.clone();
                thread::spawn("reads".into(), move || {
                    let mut buf = [0; 1];
                    block_on(ours.read(&mut buf)).unwrap()
                })
                .unwrap()
            })
            .collect();
        std::io::Write::write_all(&mut theirs, b"onebyt").unwrap();
        assert_eq!(readers.into_iter().map(|r| r.join().unwrap()).sum::<usize>(), 6);
    });
}

#[test]
fn vectored_calls_use_every_buffer() {
    driven(|reactor| {
        block_on(async {
            let (one, other) = connected(reactor).await;
            let sent = (&one).write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cde")]).await.unwrap();
            assert_eq!(sent, 5);
            let (mut first, mut second) = ([0; 3], [0; 8]);
            other.readable().await.unwrap();
            let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            assert_eq!((&other).read_vectored(&mut bufs).await.unwrap(), 5);
            assert_eq!((&first, &second[..2]), (b"abc", &b"de"[..]));
            assert_eq!(one.try_write_vectored(&[IoSlice::new(b"x")]).unwrap(), 1);
        });
    });
}

#[test]
fn trying_says_would_block_and_readable_ends_it() {
    driven(|reactor| {
        let (ours, mut theirs) = half(reactor);
        let mut buf = [0; 8];
        assert_eq!(ours.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        std::io::Write::write_all(&mut theirs, b"now").unwrap();
        block_on(ours.readable()).unwrap();
        assert_eq!(block_on(ours.peek(&mut buf)).unwrap(), 3);
        assert_eq!(ours.try_read(&mut buf).unwrap(), 3);
        block_on(ours.writable()).unwrap();
        assert_eq!(ours.try_write(b"ok").unwrap(), 2);
    });
}

#[test]
fn a_read_that_is_dropped_leaves_no_waiter_and_takes_no_byte() {
    by_hand(|reactor| {
        let (ours, mut theirs) = half(reactor);
        let (resident, task) = (Count::new(), Count::new());
        let (mut one, mut two) = ([0; 8], [0; 8]);
        let mut stays = ours.read(&mut one);
        assert!(resident.poll(&mut stays).is_pending());
        let mut leaves = ours.read(&mut two);
        assert!(task.poll(&mut leaves).is_pending());
        assert_eq!(task.wakers(), 1);
        drop(leaves);
        assert_eq!(task.wakers(), 0);
        std::io::Write::write_all(&mut theirs, b"bytes").unwrap();
        turn(reactor);
        assert!(matches!(resident.poll(&mut stays), Poll::Ready(Ok(5))));
    });
}

#[test]
fn halves_work_in_two_tasks_and_find_back_together() {
    driven(|reactor| {
        block_on(async {
            let (one, other) = connected(reactor).await;
            let (mut read, mut write) = one.into_split();
            let (mut back, echo) = (Vec::new(), [9; 100_000]);
            let (other_read, mut other_write) = other.into_split();
            let mut other_read = BufReader::new(other_read);
            join!(
                async {
                    write.write_all(&echo).await.unwrap();
                    drop(write);
                },
                async {
                    ::futures::io::copy(&mut other_read, &mut other_write).await.unwrap();
                    // Dropping the write half ends its side.
                    drop(other_write);
                },
                async { read.read_to_end(&mut back).await.unwrap() },
            );
            assert!(back == echo);

            let (one, other) = connected(reactor).await;
            let address = one.local_addr().unwrap();
            let ((read, write), (strange, alone)) = (one.into_split(), other.into_split());
            let refused = read.reunite(alone).unwrap_err();
            let refused = write.reunite(strange).map_err(|e| (refused, e)).unwrap_err();
            let ((read, alone), (strange, write)) =
                ((refused.0.read, refused.0.write), (refused.1.read, refused.1.write));
            let one = read.reunite(write).unwrap();
            let mut other = strange.reunite(alone).unwrap();
            assert_eq!(one.local_addr().unwrap(), address);
            // Nobody's write side was ended by that.
            let (mut borrowed, mut writes) = TcpStream::split(&mut other);
            let mut buf = [0; 2];
            join!(async { one.write_all(b"hi").await.unwrap() }, async {
                borrowed.read_exact(&mut buf).await.unwrap();
            });
            writes.write_all(&buf).await.unwrap();
            one.read_exact(&mut buf).await.unwrap();
            assert_eq!(&buf, b"hi");
        });
    });
}

#[test]
fn a_connect_tries_every_address_and_names_all_that_failed() {
    driven(|reactor| {
        block_on(async {
            // Two ports that nobody listens on any more.
            let refusing = || net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let (one, two) = (refusing(), refusing());
            let error = Connect::on(reactor.clone(), vec![one]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            assert!(error.raw_os_error().is_some());
            let error = Connect::on(reactor.clone(), vec![one, two]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            let message = error.to_string();
            assert!(message.contains(&one.to_string()) && message.contains(&two.to_string()), "{message}");
            let error = Connect::on(reactor.clone(), vec![]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);

            let (listener, address) = listener(reactor);
            let (accepted, opened) = join!(listener.accept(), Connect::on(reactor.clone(), vec![one, address]));
            assert_eq!(opened.unwrap().peer_addr().unwrap(), address);
            assert_eq!(accepted.unwrap().0.local_addr().unwrap(), address);
        });
        assert_eq!(reactor.registered(), 0);
    });
}

#[test]
fn every_task_that_accepts_gets_its_connection() {
    driven(|reactor| {
        let (listener, address) = listener(reactor);
        let listener = Shared::new(listener);
        let accepts: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.clone();
                thread::spawn("accepts".into(), move || block_on(listener.accept()).unwrap().1).unwrap()
            })
            .collect();
        let clients: Vec<_> = (0..4).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        let mut peers: Vec<_> = accepts.into_iter().map(|a| a.join().unwrap()).collect();
        let mut expected: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
        peers.sort();
        expected.sort();
        assert_eq!(peers, expected);
    });
}

#[test]
fn connections_come_as_a_stream() {
    driven(|reactor| {
        let (listener, address) = listener(reactor);
        let clients: Vec<_> = (0..3).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        let accepted: Vec<_> = block_on(listener.incoming().take(3).map(Result::unwrap).collect());
        let peers: Vec<_> = accepted.iter().map(|s| s.peer_addr().unwrap()).collect();
        let expected: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
        assert_eq!(peers, expected);
    });
}

#[test]
fn a_listener_that_pauses_leaves_the_system_alone_and_then_goes_on() {
    by_hand(|reactor| {
        let (listener, address) = listener(reactor);
        let (one, other) = (Count::new(), Count::new());
        let (mut first, mut second) = (listener.accept(), listener.accept());
        assert!(one.poll(&mut first).is_pending());
        listener.acceptor().pause().hold();
        let clients = [net::TcpStream::connect(address).unwrap(), net::TcpStream::connect(address).unwrap()];
        turn(reactor);
        // A connection waits, and the system would say so for ever if it were asked.
        let mut turns = 0;
        while turns < 16 {
            turns += 1;
            assert!(one.poll(&mut first).is_pending() && other.poll(&mut second).is_pending());
            assert_eq!(look(reactor), 0);
        }
        let woken = (one.wakes(), other.wakes());
        listener.acceptor().pause().ring();
        assert_eq!((one.wakes(), other.wakes()), (woken.0 + 1, woken.1 + 1));
        assert!(one.poll(&mut first).is_ready() && other.poll(&mut second).is_ready());
        drop(clients);
    });
}

#[test]
fn shutdown_ends_reads_accepts_and_connects_that_wait() {
    by_hand(|reactor| {
        let (listener, _) = listener(reactor);
        let (ours, _theirs) = half(reactor);
        let (reads, accepts) = (Count::new(), Count::new());
        let mut buf = [0; 8];
        let mut read = ours.read(&mut buf);
        let mut accept = listener.accept();
        assert!(reads.poll(&mut read).is_pending() && accepts.poll(&mut accept).is_pending());
        reactor.shutdown().unwrap();
        assert_eq!((reads.wakes(), accepts.wakes()), (1, 1));
        assert!(matches!(reads.poll(&mut read), Poll::Ready(Err(_))));
        assert!(matches!(accepts.poll(&mut accept), Poll::Ready(Err(_))));
        assert!(block_on(ours.write(b"x")).is_err());
    });
}

#[test]
fn a_stream_goes_to_the_standard_library_and_keeps_its_options() {
    by_hand(|reactor| {
        let (ours, _theirs) = half(reactor);
        ours.set_nodelay(true).unwrap();
        ours.set_ttl(41).unwrap();
        ours.set_linger(Some(Duration::from_secs(3))).unwrap();
        assert_eq!((ours.nodelay().unwrap(), ours.ttl().unwrap()), (true, 41));
        assert_eq!(ours.linger().unwrap(), Some(Duration::from_secs(3)));
        ours.set_linger(None).unwrap();
        let number = os::raw(polling::AsSource::source(&ours));
        let std = ours.into_std().unwrap();
        assert_eq!(os::raw(polling::AsSource::source(&std)), number);
        assert_eq!(reactor.registered(), 0);
        assert!(std.nodelay().unwrap());
    });
}

#[test]
fn without_a_runtime_a_socket_is_refused_with_advice() {
    let (ours, _theirs) = pair();
    let error = TcpStream::from_std(ours).unwrap_err();
    assert!(error.to_string().contains("weftwork::run"), "{error}");
    assert!(block_on(TcpListener::bind("127.0.0.1:0")).is_err());
    assert!(block_on(super::lookup_host("localhost:80")).is_err());
    assert_eq!(block_on(super::lookup_host("127.0.0.1:80")).unwrap().len(), 1);
}

#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! UDP sockets: one datagram at a time, many at once, groups, and what the network reports.

mod fixtures;

use fixtures::{every_reactor, poll_once};
use futures::executor::block_on;
use futures::future::join_all;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use weftwork::net::UdpSocket;
use weftwork::net::udp::{Incoming, Outgoing};
use weftwork::spawn;

const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn two() -> (UdpSocket, UdpSocket) {
    (UdpSocket::bind(LOCAL).await.unwrap(), UdpSocket::bind(LOCAL).await.unwrap())
}

/// Two sockets that are each other's peers.
async fn peers() -> (UdpSocket, UdpSocket) {
    let (one, other) = two().await;
    one.connect(other.local_addr().unwrap()).await.unwrap();
    other.connect(one.local_addr().unwrap()).await.unwrap();
    (one, other)
}

fn here(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().unwrap()
}

#[test]
fn a_datagram_arrives_whole_with_its_sender() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = two().await;
            let mut buf = [0; 64];
            for target in [here(&other).to_string(), format!("localhost:{}", here(&other).port())] {
                assert_eq!(one.send_to(b"first", target).await.unwrap(), 5);
                assert_eq!(one.send_to(b"second", here(&other)).await.unwrap(), 6);
                assert_eq!(other.recv_from(&mut buf).await.unwrap(), (5, here(&one)));
                assert_eq!(&buf[..5], b"first");
                assert_eq!(other.recv_from(&mut buf).await.unwrap(), (6, here(&one)));
                assert_eq!(&buf[..6], b"second");
            }
        });
        run.unwrap();
    });
}

#[test]
fn a_socket_with_a_peer_hears_nobody_else() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            assert_eq!(one.peer_addr().unwrap(), here(&other));
            let stranger = UdpSocket::bind(LOCAL).await.unwrap();
            assert_eq!(stranger.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
            assert!(stranger.send(b"to whom?").await.is_err());
            stranger.send_to(b"not heard", here(&one)).await.unwrap();
            other.send(b"heard").await.unwrap();
            let mut buf = [0; 64];
            assert_eq!(one.recv(&mut buf).await.unwrap(), 5);
            assert_eq!(&buf[..5], b"heard");
            assert_eq!(one.try_recv(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        });
        run.unwrap();
    });
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            assert_eq!(one.send(b"").await.unwrap(), 0);
            assert_eq!(one.send(b"next").await.unwrap(), 4);
            let mut buf = [0; 64];
            assert_eq!(other.recv(&mut buf).await.unwrap(), 0);
            assert_eq!(other.recv_from(&mut buf).await.unwrap(), (4, here(&one)));
        });
        run.unwrap();
    });
}

#[test]
fn what_does_not_fit_is_lost_and_the_next_datagram_is_not() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            one.send(b"longer than the room").await.unwrap();
            one.send(b"next").await.unwrap();
            let mut buf = [0; 6];
            assert_eq!(other.recv(&mut buf).await.unwrap(), 6);
            assert_eq!(&buf, b"longer");
            assert_eq!(other.recv(&mut buf).await.unwrap(), 4);
            assert_eq!(&buf[..4], b"next");
            // And one that is too long to be sent is refused as a whole.
            assert!(one.send(&[0; 70_000]).await.is_err());
            one.send(b"fits").await.unwrap();
            assert_eq!(other.recv(&mut buf).await.unwrap(), 4);
        });
        run.unwrap();
    });
}

#[test]
fn peeking_leaves_the_datagram_there() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            one.send(b"look").await.unwrap();
            let mut buf = [0; 64];
            assert_eq!(other.peek(&mut buf).await.unwrap(), 4);
            assert_eq!(other.peek_from(&mut buf).await.unwrap(), (4, here(&one)));
            assert_eq!(other.try_peek(&mut buf).unwrap(), 4);
            assert_eq!(other.try_peek_from(&mut buf).unwrap(), (4, here(&one)));
            assert_eq!(other.try_recv_from(&mut buf).unwrap(), (4, here(&one)));
            assert_eq!(other.try_peek(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        });
        run.unwrap();
    });
}

#[test]
fn trying_says_would_block_and_readable_ends_it() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = two().await;
            let mut buf = [0; 64];
            assert_eq!(other.try_recv_from(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
            let mut readable = other.readable();
            assert!(poll_once(&mut readable).is_pending());
            one.writable().await.unwrap();
            assert_eq!(one.try_send_to(b"now", here(&other)).unwrap(), 3);
            readable.await.unwrap();
            assert_eq!(other.try_recv(&mut buf).unwrap(), 3);
        });
        run.unwrap();
    });
}

#[test]
fn hand_written_futures_send_and_receive() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let mut buf = [0; 64];
            let sent = std::future::poll_fn(|cx| one.poll_send(cx, b"one")).await.unwrap();
            assert_eq!(sent, std::future::poll_fn(|cx| other.poll_recv(cx, &mut buf)).await.unwrap());
            let (free, listener) = two().await;
            std::future::poll_fn(|cx| free.poll_send_to(cx, b"two", here(&listener))).await.unwrap();
            let received = std::future::poll_fn(|cx| listener.poll_recv_from(cx, &mut buf)).await.unwrap();
            assert_eq!(received, (3, here(&free)));
        });
        run.unwrap();
    });
}

#[test]
fn datagrams_that_come_together_are_all_received() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let mut buf = [0; 64];
            // The wait has begun, so one event may stand for all of them.
            let mut first = other.recv(&mut buf);
            assert!(poll_once(&mut first).is_pending());
            for n in 1..=20 {
                one.send(&[7; 64][..n]).await.unwrap();
            }
            assert_eq!(first.await.unwrap(), 1);
            for n in 2..=20 {
                assert_eq!(other.recv(&mut buf).await.unwrap(), n);
            }
        });
        run.unwrap();
    });
}

#[test]
fn a_receive_that_is_dropped_loses_no_datagram() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let mut buf = [0; 64];
            {
                let mut given_up = other.recv(&mut buf);
                assert!(poll_once(&mut given_up).is_pending());
                one.send(b"kept").await.unwrap();
            }
            assert_eq!(other.recv(&mut buf).await.unwrap(), 4);
        });
        run.unwrap();
    });
}

#[test]
fn every_task_that_waits_gets_a_datagram() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let other = Arc::new(other);
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let other = other.clone();
                    spawn(async move {
                        let mut buf = [0; 8];
                        other.recv(&mut buf).await.map(|_| buf[0]).unwrap()
                    })
                })
                .collect();
            for n in 0..8_u8 {
                one.send(&[n]).await.unwrap();
            }
            let got: BTreeSet<u8> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(got, (0..8).collect());
        });
        run.unwrap();
    });
}

#[test]
fn a_datagram_that_found_nobody_is_an_error_of_one_call() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let socket = UdpSocket::bind(LOCAL).await.unwrap();
            let nobody = std::net::UdpSocket::bind("127.77.0.2:0").unwrap().local_addr().unwrap();
            socket.connect(nobody).await.unwrap();
            let mut buf = [0; 64];
            for _ in 0..3 {
                let mut waits = socket.recv(&mut buf);
                assert!(poll_once(&mut waits).is_pending());
                socket.send(b"anybody there?").await.unwrap();
                assert_eq!(waits.await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
                assert_eq!(socket.try_recv(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
            }
            // It may also be told to whoever sends next.
            socket.send(b"anybody?").await.unwrap();
            assert_eq!(socket.send(b"anybody?").await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            // Somebody comes, and the socket works as if nothing had been.
            let somebody = UdpSocket::bind(nobody).await.unwrap();
            socket.send(b"you?").await.unwrap();
            let (len, peer) = somebody.recv_from(&mut buf).await.unwrap();
            somebody.send_to(&buf[..len], peer).await.unwrap();
            assert_eq!(socket.recv(&mut buf).await.unwrap(), 4);
            assert!(socket.take_error().unwrap().is_none());
        });
        run.unwrap();
    });
}

#[test]
fn a_batch_is_sent_and_received_in_order() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let payloads: Vec<Vec<u8>> = (0..70_u8).map(|n| vec![n; usize::from(n)]).collect();
            let datagrams: Vec<_> = payloads.iter().map(|p| Outgoing::new(p)).collect();
            let mut sent = 0;
            while sent < datagrams.len() {
                let n = one.send_batch(&datagrams[sent..]).await.unwrap();
                assert!((1..=32).contains(&n));
                sent += n;
            }
            let mut bufs = vec![[0; 100]; 40];
            let mut slots: Vec<_> = bufs.iter_mut().map(|buf| Incoming::new(buf)).collect();
            let mut received = Vec::new();
            while received.len() < payloads.len() {
                let n = other.recv_batch(&mut slots).await.unwrap();
                assert!((1..=32).contains(&n));
                for slot in &slots[..n] {
                    assert!(!slot.is_truncated());
                    assert_eq!(slot.peer(), Some(here(&one)));
                    received.push(slot.payload().to_vec());
                }
            }
            assert_eq!(received, payloads);
            assert_eq!(other.try_recv_batch(&mut slots).unwrap_err().kind(), ErrorKind::WouldBlock);
        });
        run.unwrap();
    });
}

#[test]
fn a_batch_says_what_was_cut_off_and_who_sent_what() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, two) = two().await;
            let receiver = UdpSocket::bind(LOCAL).await.unwrap();
            let to = here(&receiver);
            let (mut a, mut b, mut c, mut d) = ([0; 4], [0; 4], [0; 4], [0; 4]);
            let mut slots = [&mut a, &mut b, &mut c, &mut d].map(|buf| Incoming::new(buf));
            let mut waits = receiver.recv_batch(&mut slots);
            assert!(poll_once(&mut waits).is_pending());
            assert_eq!(one.try_send_batch(&[Outgoing::to(b"too long", to), Outgoing::to(b"", to)]).unwrap(), 2);
            assert_eq!(two.send_batch(&[Outgoing::to(b"four", to)]).await.unwrap(), 1);
            assert_eq!(waits.await.unwrap(), 3);
            let got: Vec<_> = slots.iter().map(|s| (s.payload(), s.is_truncated(), s.peer())).collect();
            let (one, two) = (Some(here(&one)), Some(here(&two)));
            let none: &[u8] = b"";
            assert_eq!(
                got,
                [(&b"too "[..], true, one), (none, false, one), (b"four", false, two), (none, false, None)]
            );
        });
        run.unwrap();
    });
}

#[test]
fn a_batch_of_nothing_is_done_at_once() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, _other) = peers().await;
            assert!(matches!(poll_once(&mut one.recv_batch(&mut [])), Poll::Ready(Ok(0))));
            assert!(matches!(poll_once(&mut one.send_batch(&[])), Poll::Ready(Ok(0))));
        });
        run.unwrap();
    });
}

#[test]
fn a_batch_stops_before_the_datagram_that_cannot_be_sent() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let too_long = vec![0; 70_000];
            let datagrams = [Outgoing::new(b"one"), Outgoing::new(&too_long), Outgoing::new(b"three")];
            assert_eq!(one.send_batch(&datagrams).await.unwrap(), 1);
            assert!(one.send_batch(&datagrams[1..]).await.is_err());
            assert_eq!(one.send_batch(&datagrams[2..]).await.unwrap(), 1);
            let mut buf = [0; 8];
            assert_eq!(other.recv(&mut buf).await.unwrap(), 3);
            assert_eq!(other.recv(&mut buf).await.unwrap(), 5);
        });
        run.unwrap();
    });
}

#[test]
fn members_of_a_group_hear_what_is_sent_to_it() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let group = Ipv4Addr::new(239, 77, 1, 9);
            let member = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
            member.join_multicast_v4(group, Ipv4Addr::LOCALHOST).unwrap();
            let sender = UdpSocket::bind(LOCAL).await.unwrap();
            sender.set_multicast_if_v4(Ipv4Addr::LOCALHOST).unwrap();
            sender.set_multicast_loop_v4(true).unwrap();
            sender.set_multicast_ttl_v4(1).unwrap();
            assert_eq!(sender.multicast_if_v4().unwrap(), Ipv4Addr::LOCALHOST);
            assert!(sender.multicast_loop_v4().unwrap());
            assert_eq!(sender.multicast_ttl_v4().unwrap(), 1);
            sender.send_to(b"all of you", (group, here(&member).port())).await.unwrap();
            let mut buf = [0; 64];
            assert_eq!(member.recv_from(&mut buf).await.unwrap(), (10, here(&sender)));
            member.leave_multicast_v4(group, Ipv4Addr::LOCALHOST).unwrap();
            assert!(member.leave_multicast_v4(group, Ipv4Addr::LOCALHOST).is_err());
            assert!(member.join_multicast_v4(Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED).is_err());
        });
        run.unwrap();
    });
}

#[test]
fn options_are_kept() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let socket = UdpSocket::bind(LOCAL).await.unwrap();
            assert!(!socket.broadcast().unwrap());
            let everybody = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
            assert_eq!(socket.send_to(b"", everybody).await.unwrap_err().kind(), ErrorKind::PermissionDenied);
            socket.set_broadcast(true).unwrap();
            assert!(socket.broadcast().unwrap());
            socket.set_ttl(17).unwrap();
            assert_eq!(socket.ttl().unwrap(), 17);
            socket.set_send_buffer_size(16 << 10).unwrap();
            socket.set_recv_buffer_size(16 << 10).unwrap();
            assert!(socket.send_buffer_size().unwrap() >= 16 << 10);
            assert!(socket.recv_buffer_size().unwrap() >= 16 << 10);
            if let Ok(v6) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await {
                v6.set_multicast_loop_v6(false).unwrap();
                v6.set_multicast_hops_v6(3).unwrap();
                assert!(!v6.multicast_loop_v6().unwrap());
                assert_eq!((v6.multicast_hops_v6().unwrap(), v6.multicast_if_v6().unwrap()), (3, 0));
                assert!(v6.set_multicast_if_v6(u32::MAX).is_err());
                assert!(v6.join_multicast_v6(&Ipv6Addr::LOCALHOST, 0).is_err());
            }
        });
        run.unwrap();
    });
}

#[test]
fn bind_and_connect_name_every_address_that_would_not_do() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = two().await;
            let error = UdpSocket::bind([here(&one), here(&other)]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            let message = error.to_string();
            assert!(
                message.contains(&here(&one).to_string()) && message.contains(&here(&other).to_string()),
                "{message}"
            );
            let free = UdpSocket::bind([here(&one), LOCAL]).await.unwrap();
            assert!(free.connect(SocketAddr::from((Ipv6Addr::LOCALHOST, 9))).await.is_err());
            free.connect([SocketAddr::from((Ipv6Addr::LOCALHOST, 9)), here(&one)]).await.unwrap();
            assert_eq!(free.peer_addr().unwrap(), here(&one));
        });
        run.unwrap();
    });
}

#[test]
fn a_socket_goes_to_the_standard_library_and_back() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = peers().await;
            let (at, peer) = (here(&one), here(&other));
            let std = one.into_std().unwrap();
            assert_eq!((std.local_addr().unwrap(), std.peer_addr().unwrap()), (at, peer));
            std.set_nonblocking(false).unwrap();
            let one = UdpSocket::from_std(std).unwrap();
            one.send(b"back").await.unwrap();
            assert_eq!(other.recv(&mut [0; 8]).await.unwrap(), 4);
            assert_eq!(one.try_recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        });
        run.unwrap();
    });
}

#[test]
fn a_task_that_never_runs_out_of_datagrams_lets_others_run() {
    every_reactor(|builder| {
        let run = builder.worker_threads(1).watchdog(false).run(async {
            let (one, other) = peers().await;
            for _ in 0..150 {
                one.send(b"x").await.unwrap();
            }
            let ran = Arc::new(AtomicBool::new(false));
            let runs = ran.clone();
            let task = spawn(async move { runs.store(true, Ordering::Relaxed) });
            let mut before = 0;
            for _ in 0..150 {
                other.recv(&mut [0; 8]).await.unwrap();
                before += usize::from(!ran.load(Ordering::Relaxed));
            }
            assert!(before < 150, "the budget was not spent");
            task.await.unwrap();
        });
        run.unwrap();
    });
}

#[test]
fn when_the_runtime_has_ended_waiting_is_an_error() {
    every_reactor(|builder| {
        let runtime = builder.build().unwrap();
        let (one, other) = runtime.block_on(peers());
        runtime.shutdown_timeout(Duration::from_secs(5)).unwrap();
        assert!(block_on(one.recv(&mut [0; 8])).unwrap_err().to_string().contains("shut down"));
        assert!(block_on(other.send(b"x")).is_err());
    });
}

#[test]
fn without_a_runtime_a_socket_is_refused_with_advice() {
    let error = block_on(UdpSocket::bind(LOCAL)).unwrap_err();
    assert!(error.to_string().contains("weftwork::run"), "{error}");
    let error = UdpSocket::from_std(std::net::UdpSocket::bind(LOCAL).unwrap()).unwrap_err();
    assert!(error.to_string().contains("weftwork::run"), "{error}");
}

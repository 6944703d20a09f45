#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! Sockets with options, and listeners on several addresses.

mod fixtures;

use fixtures::{every_reactor, poll_once};
use futures::{StreamExt as _, join};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weftwork::net::{TcpListener, TcpListeners, TcpSocket, TcpStream};
use weftwork::spawn;

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A port that nobody listens on any more.
fn refusing() -> SocketAddr {
    std::net::TcpListener::bind(LOCAL).unwrap().local_addr().unwrap()
}

fn speaks_v6() -> bool {
    std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

#[test]
fn options_are_kept_and_inherited_by_what_is_accepted() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.set_nodelay(true).unwrap();
            socket.set_linger(Some(Duration::from_secs(2))).unwrap();
            socket.set_recv_buffer_size(32 << 10).unwrap();
            socket.set_send_buffer_size(48 << 10).unwrap();
            assert!(!socket.keepalive().unwrap());
            socket.set_keepalive(true).unwrap();
            assert!(socket.reuseaddr().unwrap() && socket.nodelay().unwrap() && socket.keepalive().unwrap());
            assert!(socket.recv_buffer_size().unwrap() >= 32 << 10);
            assert!(socket.send_buffer_size().unwrap() >= 48 << 10);
            assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(2)));
            assert!(socket.take_error().unwrap().is_none());
            socket.bind(LOCAL).unwrap();
            let address = socket.local_addr().unwrap();
            let listener = socket.listen(16).unwrap();
            assert_eq!(listener.local_addr().unwrap(), address);

            let client = TcpSocket::new_v4().unwrap();
            client.set_nodelay(true).unwrap();
            client.bind(LOCAL).unwrap();
            let from = client.local_addr().unwrap();
            let (client, accepted) = join!(client.connect(address), listener.accept());
            let (client, (accepted, peer)) = (client.unwrap(), accepted.unwrap());
            assert_eq!((peer, client.peer_addr().unwrap()), (from, address));
            assert!(client.nodelay().unwrap() && accepted.nodelay().unwrap());
            assert_eq!(accepted.linger().unwrap(), Some(Duration::from_secs(2)));
        });
        run.unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn probes_ports_and_type_of_service_can_be_set() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_keepalive_time(Duration::from_secs(61)).unwrap();
            socket.set_keepalive_interval(Duration::from_secs(7)).unwrap();
            socket.set_keepalive_retries(3).unwrap();
            socket.set_tos(16).unwrap();
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.keepalive_time().unwrap(), Duration::from_secs(61));
            assert_eq!(socket.keepalive_interval().unwrap(), Duration::from_secs(7));
            assert_eq!((socket.keepalive_retries().unwrap(), socket.tos().unwrap()), (3, 16));
            assert_eq!(socket.set_keepalive_interval(Duration::ZERO).unwrap_err().kind(), ErrorKind::InvalidInput);

            // Two listeners on one port, each of which is found.
            let share = || {
                let socket = TcpSocket::new_v4().unwrap();
                socket.set_reuseport(true).unwrap();
                assert!(socket.reuseport().unwrap());
                socket
            };
            let (one, other) = (share(), share());
            one.bind(LOCAL).unwrap();
            let address = one.local_addr().unwrap();
            other.bind(address).unwrap();
            let both: TcpListeners = [one.listen(8).unwrap(), other.listen(8).unwrap()].into_iter().collect();
            let client = TcpStream::connect(address).await.unwrap();
            assert_eq!(both.accept().await.unwrap().1, client.local_addr().unwrap());
        });
        run.unwrap();
    });
}

#[test]
fn a_socket_that_cannot_be_bound_or_connected_says_why() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let taken = TcpListener::bind(LOCAL).await.unwrap();
            let address = taken.local_addr().unwrap();
            let socket = TcpSocket::new_v4().unwrap();
            assert_eq!(socket.bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
            let error = socket.connect(refusing()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            let v4 = TcpSocket::new_v4().unwrap();
            assert!(v4.connect((Ipv6Addr::LOCALHOST, 1).into()).await.is_err());
        });
        run.unwrap();
    });
}

#[test]
fn without_a_runtime_a_socket_takes_options_and_nothing_else() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_nodelay(true).unwrap();
    socket.bind(LOCAL).unwrap();
    assert!(socket.listen(1).unwrap_err().to_string().contains("weftwork::run"));
    let socket = TcpSocket::new_v4().unwrap();
    assert!(futures::executor::block_on(socket.connect(LOCAL)).is_err());
}

#[test]
fn a_socket_of_the_standard_library_can_be_taken_over() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let listener = TcpListener::bind(LOCAL).await.unwrap();
            let made = TcpSocket::new_v4().unwrap();
            let duplicate = std::os::fd::AsFd::as_fd(&made).try_clone_to_owned().unwrap();
            drop(made);
            let socket = TcpSocket::from_std(std::net::TcpStream::from(duplicate)).unwrap();
            let (client, accepted) = join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
            assert_eq!(client.unwrap().local_addr().unwrap(), accepted.unwrap().1);
        });
        run.unwrap();
    });
}

#[test]
fn bind_takes_the_first_address_that_can_be_bound_and_names_all_that_cannot() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let taken = [TcpListener::bind(LOCAL).await.unwrap(), TcpListener::bind(LOCAL).await.unwrap()];
            let [one, other] = taken.each_ref().map(|listener| listener.local_addr().unwrap());
            let bound = TcpListener::bind([one, other, LOCAL]).await.unwrap();
            assert!(![one, other].contains(&bound.local_addr().unwrap()));
            let error = TcpListener::bind([one, other]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            let message = error.to_string();
            assert!(message.contains(&one.to_string()) && message.contains(&other.to_string()), "{message}");
            let error = TcpListener::bind(one).await.unwrap_err();
            assert!(error.raw_os_error().is_some(), "one address gives the system's own error");
            assert_eq!(TcpListener::bind(vec![]).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        });
        run.unwrap();
    });
}

#[test]
fn bind_all_listens_on_every_address_of_a_name() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let server = TcpListener::bind_all("localhost:0").await.unwrap();
            let addresses = server.local_addrs().unwrap();
            assert!(!addresses.is_empty());
            for address in addresses {
                let client = TcpStream::connect(address).await.unwrap();
                let (_stream, peer) = server.accept().await.unwrap();
                assert_eq!(peer, client.local_addr().unwrap());
            }
        });
        run.unwrap();
    });
}

#[test]
fn both_families_can_have_one_port() {
    if !speaks_v6() {
        return;
    }
    every_reactor(|builder| {
        let run = builder.run(async {
            // The port of the first is free for the other family too, or another one is tried.
            let server = loop {
                let v4 = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
                let port = v4.local_addr().unwrap().port();
                drop(v4);
                let both = [(Ipv4Addr::UNSPECIFIED, port).into(), SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))];
                match TcpListener::bind_all(both).await {
                    Ok(server) => break server,
                    Err(e) => assert_eq!(e.kind(), ErrorKind::AddrInUse),
                }
            };
            let port = server.as_slice()[0].local_addr().unwrap().port();
            let v4 = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            assert_eq!(server.accept().await.unwrap().1, v4.local_addr().unwrap());
            let v6 = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
            assert_eq!(server.accept().await.unwrap().1, v6.local_addr().unwrap());
        });
        run.unwrap();
    });
}

#[test]
fn bind_all_binds_all_or_none() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let taken = TcpListener::bind(LOCAL).await.unwrap();
            let taken_address = taken.local_addr().unwrap();
            // An address that no other test takes a port of.
            let free = SocketAddr::from(([127, 77, 0, 1], 0));
            let free = std::net::TcpListener::bind(free).unwrap().local_addr().unwrap();
            let error = TcpListener::bind_all([free, taken_address]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&taken_address.to_string()), "{error}");
            // The other one was given up again.
            drop(TcpListener::bind(free).await.unwrap());
            // 192.0.2.0/24 is for documentation: no machine has it.
            let foreign = SocketAddr::from(([192, 0, 2, 1], 0));
            let server = TcpListener::bind_all([foreign, LOCAL]).await.unwrap();
            assert_eq!(server.as_slice().len(), 1);
            let error = TcpListener::bind_all([foreign]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
            let once = TcpListener::bind_all([free, free]).await.unwrap();
            assert_eq!(once.into_vec().len(), 1);
            assert_eq!(TcpListener::bind_all(vec![]).await.unwrap_err().kind(), ErrorKind::InvalidInput);
            let nobody = TcpListeners::from_iter([]);
            assert_eq!(nobody.accept().await.unwrap_err().kind(), ErrorKind::InvalidInput);
        });
        run.unwrap();
    });
}

#[test]
fn an_address_under_load_does_not_keep_the_others_waiting() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let server = TcpListener::bind_all([LOCAL, SocketAddr::from(([127, 0, 0, 2], 0))]).await.unwrap();
            let addresses = server.local_addrs().unwrap();
            let mut clients = Vec::new();
            for _ in 0..6 {
                clients.push(TcpStream::connect(addresses[0]).await.unwrap());
            }
            let alone = TcpStream::connect(addresses[1]).await.unwrap();
            let peers: Vec<_> =
                server.incoming().take(7).map(|stream| stream.unwrap().peer_addr().unwrap()).collect().await;
            let at = peers.iter().position(|peer| *peer == alone.local_addr().unwrap()).unwrap();
            assert!(at <= 1, "it was served as number {at}");
        });
        run.unwrap();
    });
}

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let server = TcpListener::bind_all([LOCAL, SocketAddr::from(([127, 0, 0, 2], 0))]).await.unwrap();
            let address = server.local_addrs().unwrap()[0];
            let mut accept = server.accept();
            assert!(poll_once(&mut accept).is_pending());
            let client = TcpStream::connect(address).await.unwrap();
            drop(accept);
            assert_eq!(server.accept().await.unwrap().1, client.local_addr().unwrap());
        });
        run.unwrap();
    });
}

#[test]
fn a_task_that_connects_again_and_again_lets_others_run() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let server = TcpListener::bind(LOCAL).await.unwrap();
            let address = server.local_addr().unwrap();
            let stop = Arc::new(AtomicBool::new(false));
            let theirs = stop.clone();
            let greedy = spawn(async move {
                let mut connects = 0;
                while !theirs.load(Ordering::Relaxed) {
                    TcpStream::connect(address).await.unwrap();
                    connects += 1;
                }
                connects
            });
            spawn(async move { stop.store(true, Ordering::Relaxed) }).await.unwrap();
            // So many units has a poll, and the next connect is under way when there is none left.
            let connects = greedy.await.unwrap();
            assert!(connects <= 129, "{connects} connects before another task ran");
        });
        run.unwrap();
    });
}

#![cfg(unix)]
#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! Datagrams over Unix sockets: none is lost, and a sender waits for room.

mod fixtures;

use fixtures::{Folder, every_reactor, poll_once};
use futures::executor::block_on;
use futures::join;
use std::fs;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::unix::net;
use std::time::Duration;
use weftwork::net::UnixDatagram;

#[test]
fn a_datagram_arrives_whole_with_its_sender() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let (here, there) = (folder.file("here"), folder.file("there"));
            let one = UnixDatagram::bind(&here).unwrap();
            let other = UnixDatagram::bind(&there).unwrap();
            assert_eq!(one.send_to(b"question", &there).await.unwrap(), 8);
            let mut buf = [0; 64];
            assert_eq!(other.peek(&mut buf).await.unwrap(), 8);
            let (n, peeked) = other.peek_from(&mut buf).await.unwrap();
            assert_eq!((n, peeked.as_pathname()), (8, Some(here.as_path())));
            let (n, sender) = other.recv_from(&mut buf).await.unwrap();
            assert_eq!((&buf[..n], sender.as_pathname()), (&b"question"[..], Some(here.as_path())));
            assert_eq!(other.send_to_addr(b"answer", &sender).await.unwrap(), 6);
            assert_eq!(one.recv(&mut buf).await.unwrap(), 6);

            let nameless = UnixDatagram::unbound().unwrap();
            assert_eq!(nameless.try_send_to(b"who?", &there).unwrap(), 4);
            assert!(other.peek_from(&mut buf).await.unwrap().1.is_unnamed());
            let (_, sender) = other.recv_from(&mut buf).await.unwrap();
            assert!(sender.is_unnamed());
            assert_eq!(other.send_to_addr(b"you!", &sender).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        });
        run.unwrap();
    });
}

#[test]
fn empty_ones_arrive_and_what_does_not_fit_is_lost() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixDatagram::pair().unwrap();
            let mut buf = [0; 6];
            assert_eq!(other.try_recv(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
            for datagram in [&b""[..], b"longer than the room", b"next"] {
                one.send(datagram).await.unwrap();
            }
            assert_eq!(other.recv(&mut buf).await.unwrap(), 0);
            assert_eq!(other.recv(&mut buf).await.unwrap(), 6);
            assert_eq!(&buf, b"longer");
            assert_eq!(other.try_recv(&mut buf).unwrap(), 4);
            assert!(one.try_send(&vec![0; 16 << 20]).is_err());
            assert_eq!(one.try_send(b"fits").unwrap(), 4);
        });
        run.unwrap();
    });
}

#[test]
fn a_sender_with_a_peer_waits_for_room_and_loses_nothing() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixDatagram::pair().unwrap();
            let sends = async {
                for n in 0..2_000_u32 {
                    one.send(&n.to_le_bytes()).await.unwrap();
                }
            };
            let receives = async {
                // The sender goes first, until it has to wait.
                weftwork::task::yield_now().await;
                for n in 0..2_000_u32 {
                    let mut buf = [0; 4];
                    other.recv(&mut buf).await.unwrap();
                    assert_eq!(u32::from_le_bytes(buf), n);
                }
            };
            join!(sends, receives);
        });
        run.unwrap();
    });
}

#[test]
fn a_sender_without_a_peer_waits_for_room_also_when_others_took_it() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            let receiver = UnixDatagram::bind(&path).unwrap();
            let fills = UnixDatagram::unbound().unwrap();
            let mut filled = 0;
            let full = loop {
                match fills.try_send_to(b"filling", &path) {
                    Ok(_) => filled += 1,
                    Err(e) => break e,
                }
            };
            assert_eq!(full.kind(), ErrorKind::WouldBlock);
            // Nothing of its own is in the queue, so the system will never tell this one of room.
            let waits = UnixDatagram::unbound().unwrap();
            let mut send = waits.send_to(b"waited", &path);
            assert!(poll_once(&mut send).is_pending());
            let mut buf = [0; 16];
            for _ in 0..filled {
                assert_eq!(receiver.recv(&mut buf).await.unwrap(), 7);
            }
            assert_eq!(send.await.unwrap(), 6);
            assert_eq!(receiver.recv(&mut buf).await.unwrap(), 6);
        });
        run.unwrap();
    });
}

#[test]
fn a_receiver_that_is_gone_is_an_error() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            let sender = UnixDatagram::unbound().unwrap();
            assert_eq!(sender.send_to(b"x", &path).await.unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(sender.connect(&path).unwrap_err().kind(), ErrorKind::NotFound);
            let receiver = UnixDatagram::bind(&path).unwrap();
            sender.connect(&path).unwrap();
            assert_eq!(sender.peer_addr().unwrap().as_pathname(), Some(path.as_path()));
            sender.send(b"x").await.unwrap();
            drop(receiver);
            assert_eq!(sender.send(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            // A new one at the same place is a new peer.
            let receiver = UnixDatagram::bind(&path).unwrap();
            sender.connect_addr(&receiver.local_addr().unwrap()).unwrap();
            sender.send(b"again").await.unwrap();
            assert_eq!(receiver.recv(&mut [0; 8]).await.unwrap(), 5);
            assert_eq!(sender.send_to(b"x", "with\0zero").await.unwrap_err().kind(), ErrorKind::InvalidInput);
        });
        run.unwrap();
    });
}

#[test]
fn a_shutdown_wakes_who_receives() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixDatagram::pair().unwrap();
            let mut buf = [0; 8];
            let mut recv = one.recv(&mut buf);
            assert!(poll_once(&mut recv).is_pending());
            one.shutdown(Shutdown::Both).unwrap();
            assert_eq!(recv.await.unwrap(), 0);
            assert!(one.recv_from(&mut buf).await.unwrap().1.is_unnamed());
            assert_eq!(one.peek(&mut buf).await.unwrap(), 0);
            assert_eq!(one.send(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            drop(other);

            // What came before is still received.
            let (one, other) = UnixDatagram::pair().unwrap();
            other.send(b"before").await.unwrap();
            one.shutdown(Shutdown::Read).unwrap();
            assert_eq!(one.recv(&mut buf).await.unwrap(), 6);
            assert_eq!(one.try_recv(&mut buf).unwrap(), 0);
        });
        run.unwrap();
    });
}

#[test]
fn a_socket_removes_its_file_and_replaces_only_the_dead() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            drop(UnixDatagram::bind(&path).unwrap());
            assert!(!path.exists());

            drop(net::UnixDatagram::bind(&path).unwrap());
            let error = UnixDatagram::bind(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains("bind_replacing"), "{error}");
            let mut alive = UnixDatagram::bind_replacing(&path).unwrap();
            let error = UnixDatagram::bind_replacing(&path).unwrap_err();
            assert!(error.to_string().contains("another one is bound to"), "{error}");
            assert_eq!(alive.try_recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);

            alive.set_remove_on_drop(false);
            drop(alive);
            assert!(path.exists());
            fs::remove_file(&path).unwrap();
            let std = UnixDatagram::bind(&path).unwrap().into_std().unwrap();
            drop(UnixDatagram::from_std(std).unwrap());
            assert!(path.exists(), "it removed a file that it had not made");
        });
        run.unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_are_no_files() {
    use std::os::linux::net::SocketAddrExt as _;
    every_reactor(|builder| {
        let run = builder.run(async {
            let name = format!("weftwork-datagram-{}", std::process::id());
            let address = net::SocketAddr::from_abstract_name(&name).unwrap();
            let receiver = UnixDatagram::bind_addr(&address).unwrap();
            let sender = UnixDatagram::bind(format!("\0{name}-sender")).unwrap();
            let mut buf = [0; 8];
            for send in [sender.send_to_addr(b"hello", &address), sender.send_to(b"hello", format!("\0{name}"))] {
                send.await.unwrap();
                let peeked = receiver.peek_from(&mut buf).await.unwrap().1;
                let (_, from) = receiver.recv_from(&mut buf).await.unwrap();
                let expected = format!("{name}-sender");
                assert_eq!(from.as_abstract_name(), Some(expected.as_bytes()));
                assert_eq!(peeked.as_abstract_name(), Some(expected.as_bytes()));
            }
        });
        run.unwrap();
    });
}

#[test]
fn when_the_runtime_has_ended_a_send_that_waits_is_an_error() {
    every_reactor(|builder| {
        let folder = Folder::new();
        let path = folder.file("socket");
        let runtime = builder.build().unwrap();
        let (receiver, sender) =
            runtime.block_on(async { (UnixDatagram::bind(&path).unwrap(), UnixDatagram::unbound().unwrap()) });
        let mut send = sender.send_to(b"waits", &path);
        runtime.block_on(async {
            while sender.try_send_to(b"filling", &path).is_ok() {}
            assert!(poll_once(&mut send).is_pending());
        });
        // Outside of a runtime there is no timer to wait with.
        assert!(block_on(sender.send_to(b"waits", &path)).unwrap_err().to_string().contains("weftwork::run"));
        runtime.shutdown_timeout(Duration::from_secs(5)).unwrap();
        assert!(block_on(send).unwrap_err().to_string().contains("shut down"));
        assert!(block_on(receiver.send(b"x")).is_err());
    });
}

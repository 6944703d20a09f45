#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! What becomes of a connection when its peer ends, resets, or does not come to accept it.

mod fixtures;

use fixtures::{every_reactor, poll_once};
use futures::future::join_all;
use futures::io::AsyncReadExt as _;
use futures::join;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::time::Duration;
use weftwork::net::{TcpListener, TcpSocket, TcpStream};
use weftwork::spawn;

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let (one, other) = join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

/// Closes a stream so that its peer gets a reset.
fn reset(stream: TcpStream) {
    stream.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

#[test]
fn a_side_that_has_ended_writing_goes_on_reading() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            for (ends, mut goes_on) in [(&one, &other), (&other, &one)] {
                // The first round ends one direction, the second the other.
                ends.write_all(b"last words").await.unwrap();
                ends.shutdown(Shutdown::Write).unwrap();
                let mut words = Vec::new();
                goes_on.read_to_end(&mut words).await.unwrap();
                assert_eq!(words, b"last words");
                // An end stays an end, for every way to read.
                assert_eq!(TcpStream::read(goes_on, &mut [0; 4]).await.unwrap(), 0);
                assert_eq!(goes_on.try_read(&mut [0; 4]).unwrap(), 0);
                assert_eq!(ends.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            }
        });
        run.unwrap();
    });
}

#[test]
fn a_side_that_has_ended_reading_goes_on_writing() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            one.shutdown(Shutdown::Read).unwrap();
            assert_eq!(one.read(&mut [0; 4]).await.unwrap(), 0);
            one.write_all(b"still here").await.unwrap();
            let mut words = [0; 10];
            other.read_exact(&mut words).await.unwrap();
            assert_eq!(&words, b"still here");
        });
        run.unwrap();
    });
}

#[test]
fn a_shutdown_wakes_who_reads_in_another_task() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, _other) = connected().await;
            let (mut read, write) = one.into_split();
            let reads = spawn(async move { read.read(&mut [0; 4]).await.unwrap() });
            weftwork::task::yield_now().await;
            write.as_ref().shutdown(Shutdown::Both).unwrap();
            assert_eq!(reads.await.unwrap(), 0);
        });
        run.unwrap();
    });
}

#[test]
fn a_reset_ends_a_read_that_waits() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            let mut buf = [0; 8];
            let mut read = one.read(&mut buf);
            assert!(poll_once(&mut read).is_pending());
            reset(other);
            assert_eq!(read.await.unwrap_err().kind(), ErrorKind::ConnectionReset);
            // The error is told once; then the connection is over.
            assert_eq!(one.read(&mut [0; 8]).await.unwrap(), 0);
            assert_eq!(one.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        });
        run.unwrap();
    });
}

#[test]
fn a_reset_ends_a_write_that_waits() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            let more_than_it_holds = vec![0; 64 << 20];
            let mut write = one.write_all(&more_than_it_holds);
            assert!(poll_once(&mut write).is_pending());
            reset(other);
            let kind = write.await.unwrap_err().kind();
            assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind:?}");
        });
        run.unwrap();
    });
}

#[test]
fn a_reset_concerns_one_connection_and_no_other() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let listener = TcpListener::bind(LOCAL).await.unwrap();
            let address = listener.local_addr().unwrap();
            let (gone, client) = join!(TcpStream::connect(address), TcpStream::connect(address));
            let (gone, client) = (gone.unwrap(), client.unwrap());
            // Reset while it waits to be accepted: the system hands it out all the same, or passes over it.
            let gone_address = gone.local_addr().unwrap();
            reset(gone);
            client.write_all(b"me").await.unwrap();
            let mut buf = [0; 2];
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                if peer == gone_address {
                    assert_eq!(stream.read(&mut buf).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
                    continue;
                }
                stream.read_exact(&mut buf).await.unwrap();
                break assert_eq!(&buf, b"me");
            }
        });
        run.unwrap();
    });
}

/// The system answers whoever comes beyond the queue when it comes again, which takes a second.
#[test]
fn who_comes_when_the_queue_is_full_waits_and_nobody_who_was_accepted_is_lost() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(LOCAL).unwrap();
            let address = socket.local_addr().unwrap();
            let listener = socket.listen(1).unwrap();
            let echo = |n: u8, stream: TcpStream| async move {
                stream.write_all(&[n]).await?;
                let mut echo = [0];
                stream.read_exact(&mut echo).await.map(|()| echo[0] == n)
            };
            // As many as the queue holds (the system adds one); whoever comes now is beyond it.
            let mut clients = vec![];
            for n in 0..2 {
                let stream = TcpStream::connect(address).await.unwrap();
                clients.push(spawn(echo(n, stream)));
            }
            for n in 2..6 {
                clients.push(spawn(async move { echo(n, TcpStream::connect(address).await?).await }));
            }
            let serves = spawn(async move {
                let served = (0..6).map(async |_| {
                    let (stream, _) = listener.accept().await.unwrap();
                    let mut byte = [0];
                    stream.read_exact(&mut byte).await.unwrap();
                    stream.write_all(&byte).await.unwrap();
                });
                join_all(served).await;
            });
            for answered in join_all(clients).await {
                assert!(answered.unwrap().unwrap());
            }
            serves.await.unwrap();
        });
        run.unwrap();
    });
}

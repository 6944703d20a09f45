#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! Our streams by tokio's I/O traits, without a tokio runtime.

mod fixtures;

use fixtures::both_flavors;
use futures::join;
use std::io::{ErrorKind, IoSlice};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional,
};
use weftwork::net::{TcpListener, TcpStream, UnixStream};

/// Both ends of a connection.
async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, stream)
}

/// Says all of it, ends its side, and reads all that comes. The traits by name: a stream has methods of its own.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, question: &[u8]) -> Vec<u8> {
    let (mut reads, mut writes) = tokio::io::split(&mut stream);
    let mut answer = Vec::new();
    let asks = async {
        writes.write_all(question).await.unwrap();
        writes.shutdown().await.unwrap();
    };
    let (_, read) = join!(asks, reads.read_to_end(&mut answer));
    read.unwrap();
    answer
}

#[test]
fn what_goes_in_comes_back_however_much_it_is() {
    both_flavors(|builder| {
        builder
            .run(async {
                for length in [0, 1, 4096, 1 << 20] {
                    let (theirs, ours) = connected().await;
                    let question: Vec<u8> = (0..=250).cycle().take(length).collect();
                    let echo = weftwork::spawn(async move {
                        // Borrowed: a reference implements the traits too.
                        tokio::io::copy(&mut BufReader::new(&theirs), &mut &theirs).await.unwrap();
                        AsyncWriteExt::shutdown(&mut &theirs).await.unwrap();
                    });
                    assert!(ask(ours, &question).await == question, "{length}");
                    echo.await.unwrap();
                }
            })
            .unwrap();
    });
}

#[test]
fn unix_streams_and_their_halves_have_the_traits() {
    both_flavors(|builder| {
        builder
            .run(async {
                let question: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
                let (theirs, ours) = UnixStream::pair().unwrap();
                let echo = weftwork::spawn(async move {
                    let (mut reads, mut writes) = theirs.into_split();
                    tokio::io::copy(&mut reads, &mut writes).await.unwrap();
                });
                assert!(ask(&ours, &question).await == question);
                echo.await.unwrap();
            })
            .unwrap();
    });
}

#[test]
fn halves_have_the_traits_and_a_write_half_that_is_dropped_ends_its_side() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (theirs, mut ours) = connected().await;
                let (reads, mut writes) = theirs.into_split();
                let greets = weftwork::spawn(async move {
                    let mut lines = BufReader::new(reads).lines();
                    while let Some(name) = lines.next_line().await.unwrap() {
                        AsyncWriteExt::write_all(&mut writes, format!("hello {name}\n").as_bytes()).await.unwrap();
                    }
                });
                let (mut reads, mut writes) = ours.split();
                AsyncWriteExt::write_all(&mut writes, b"ada\ngrace\nalan").await.unwrap();
                AsyncWriteExt::shutdown(&mut writes).await.unwrap();
                let mut answer = String::new();
                reads.read_to_string(&mut answer).await.unwrap();
                assert_eq!(answer, "hello ada\nhello grace\nhello alan\n");
                greets.await.unwrap();
            })
            .unwrap();
    });
}

#[test]
fn a_proxy_copies_both_ways_until_both_ends_are_over() {
    both_flavors(|builder| {
        builder
            .run(async {
                let ((mut front, client), (mut back, server)) = (connected().await, connected().await);
                let proxy = weftwork::spawn(async move { copy_bidirectional(&mut front, &mut back).await.unwrap() });
                let serves = weftwork::spawn(async move { ask(server, b"from the server").await });
                assert_eq!(ask(client, b"from the client").await, b"from the server");
                assert_eq!(serves.await.unwrap(), b"from the client");
                assert_eq!(proxy.await.unwrap(), (15, 15));
            })
            .unwrap();
    });
}

#[test]
fn several_buffers_go_out_in_one_call() {
    weftwork::run(async {
        let (mut theirs, ours) = connected().await;
        assert!(AsyncWrite::is_write_vectored(&theirs));
        let bufs = [IoSlice::new(b"one, "), IoSlice::new(b"two")];
        assert_eq!(AsyncWriteExt::write_vectored(&mut theirs, &bufs).await.unwrap(), 8);
        drop(theirs);
        assert_eq!(ask(ours, b"").await, b"one, two");
    });
}

#[test]
fn an_end_in_the_middle_is_an_error_where_more_was_asked_for() {
    weftwork::run(async {
        let (theirs, mut ours) = connected().await;
        theirs.write_all(b"half").await.unwrap();
        drop(theirs);
        let error = AsyncReadExt::read_exact(&mut ours, &mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! A stream in memory: what is written at one end is read at the other, and nobody who waits is forgotten.

mod fixtures;

use fixtures::both_flavors;
use futures::executor::block_on;
use futures::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use futures::join;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, client, server};
use std::convert::Infallible;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use weftwork::io::{DuplexStream, duplex};
use weftwork::spawn;

/// A task that is only counted: how often it was woken.
#[derive(Debug, Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn task() -> (Arc<Woken>, Waker) {
    let woken = Arc::new(Woken::default());
    (woken.clone(), Waker::from(woken))
}

fn read(stream: &mut DuplexStream, waker: &Waker, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    Pin::new(stream).poll_read(&mut Context::from_waker(waker), buf)
}

fn write(stream: &mut DuplexStream, waker: &Waker, buf: &[u8]) -> Poll<io::Result<usize>> {
    Pin::new(stream).poll_write(&mut Context::from_waker(waker), buf)
}

fn kind<T>(poll: Poll<io::Result<T>>) -> Option<ErrorKind> {
    match poll {
        Poll::Ready(Err(error)) => Some(error.kind()),
        _ => None,
    }
}

fn count(poll: Poll<io::Result<usize>>) -> usize {
    match poll {
        Poll::Ready(Ok(count)) => count,
        other => panic!("no count: {other:?}"),
    }
}

#[test]
fn what_is_written_at_one_end_is_read_at_the_other_whatever_the_capacity() {
    both_flavors(|builder| {
        builder
            .run(async {
                for (capacity, length) in [(1, 300), (7, 5000), (4096, 4096), (1 << 20, 300_000)] {
                    let (mut here, there) = duplex(capacity);
                    let echo = spawn(async move {
                        let (reads, mut writes) = there.split();
                        futures::io::copy(reads, &mut writes).await.unwrap();
                        writes.close().await.unwrap();
                    });
                    let sent: Vec<u8> = (0..=250).cycle().take(length).collect();
                    let mut received = Vec::new();
                    let (mut reads, mut writes) = (&mut here).split();
                    let sends = async {
                        writes.write_all(&sent).await.unwrap();
                        writes.close().await.unwrap();
                    };
                    let (_, read) = join!(sends, reads.read_to_end(&mut received));
                    read.unwrap();
                    assert!(sent == received, "capacity {capacity}");
                    echo.await.unwrap();
                }
            })
            .unwrap();
    });
}

#[test]
fn it_needs_no_runtime() {
    let (here, mut there) = duplex(2);
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        block_on(BufReader::new(here).read_line(&mut line)).unwrap();
        line
    });
    block_on(there.write_all(b"a line from another thread\n")).unwrap();
    assert_eq!(reader.join().unwrap(), "a line from another thread\n");
}

#[test]
fn a_writer_waits_while_it_is_full_and_is_woken_by_a_read() {
    let (mut here, mut there) = duplex(3);
    let (woken, waker) = task();
    assert_eq!(count(write(&mut here, &waker, b"abcd")), 3, "as much as there is room for");
    assert!(write(&mut here, &waker, b"d").is_pending());
    assert_eq!(count(read(&mut there, Waker::noop(), &mut [0; 2])), 2);
    assert_eq!(woken.times(), 1);
    assert_eq!(count(write(&mut here, &waker, b"defg")), 2);
    let mut rest = [0; 8];
    assert_eq!(count(read(&mut there, Waker::noop(), &mut rest)), 3);
    assert_eq!(&rest[..3], b"cde");
    assert_eq!(woken.times(), 1, "who does not wait is not woken");
}

#[test]
fn a_reader_waits_while_it_is_empty_and_is_woken_by_a_write() {
    let (mut here, mut there) = duplex(8);
    let (woken, waker) = task();
    let mut buf = [0; 8];
    assert!(read(&mut here, &waker, &mut buf).is_pending());
    assert!(read(&mut here, &waker, &mut buf).is_pending());
    assert_eq!(count(write(&mut there, Waker::noop(), b"news")), 4);
    assert_eq!(woken.times(), 1);
    assert_eq!(count(read(&mut here, &waker, &mut buf)), 4);
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_called() {
    let (mut here, mut there) = duplex(1);
    let (first, first_waker) = task();
    let (second, second_waker) = task();
    assert!(read(&mut here, &first_waker, &mut [0]).is_pending());
    assert!(read(&mut here, &second_waker, &mut [0]).is_pending());
    drop(first_waker);
    assert_eq!(Arc::strong_count(&first), 1, "a waker that was replaced is dropped at once");
    assert_eq!(count(write(&mut there, Waker::noop(), b"x")), 1);
    assert_eq!((first.times(), second.times()), (0, 1));
}

#[test]
fn the_two_directions_do_not_wait_for_each_other() {
    let (mut here, mut there) = duplex(1);
    assert_eq!(count(write(&mut here, Waker::noop(), b"x")), 1);
    assert!(write(&mut here, Waker::noop(), b"x").is_pending());
    assert_eq!(count(write(&mut there, Waker::noop(), b"y")), 1);
    let mut byte = [0];
    assert_eq!(count(read(&mut here, Waker::noop(), &mut byte)), 1);
    assert_eq!(&byte, b"y");
    assert!(write(&mut here, Waker::noop(), b"x").is_pending());
}

#[test]
fn closing_ends_ones_own_direction_only() {
    block_on(async {
        let (mut here, mut there) = duplex(16);
        here.write_all(b"last words").await.unwrap();
        here.close().await.unwrap();
        here.close().await.unwrap();
        assert_eq!(here.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        there.write_all(b"an answer").await.unwrap();
        let mut text = String::new();
        there.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "last words");
        assert_eq!(there.read(&mut [0; 4]).await.unwrap(), 0, "the end stays the end");
        drop(there);
        text.clear();
        here.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "an answer");
    });
}

#[test]
fn closing_wakes_a_reader_that_waits() {
    let (mut here, mut there) = duplex(1);
    let (woken, waker) = task();
    assert!(read(&mut here, &waker, &mut [0]).is_pending());
    assert!(Pin::new(&mut there).poll_close(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(woken.times(), 1);
    assert_eq!(count(read(&mut here, &waker, &mut [0])), 0);
}

#[test]
fn a_dropped_end_wakes_both_who_wait_at_the_other() {
    let (mut here, there) = duplex(1);
    let (reader, reader_waker) = task();
    let (writer, writer_waker) = task();
    assert!(read(&mut here, &reader_waker, &mut [0]).is_pending());
    assert_eq!(count(write(&mut here, &writer_waker, b"x")), 1);
    assert!(write(&mut here, &writer_waker, b"x").is_pending());
    drop(there);
    assert_eq!((reader.times(), writer.times()), (1, 1));
    assert_eq!(count(read(&mut here, &reader_waker, &mut [0])), 0);
    assert_eq!(kind(write(&mut here, &writer_waker, b"x")), Some(ErrorKind::BrokenPipe));
    assert_eq!(kind(write(&mut here, &writer_waker, b"")), Some(ErrorKind::BrokenPipe));
}

#[test]
fn what_a_dropped_end_wrote_is_still_read() {
    block_on(async {
        let (mut here, mut there) = duplex(16);
        there.write_all(b"farewell").await.unwrap();
        drop(there);
        let mut text = String::new();
        here.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "farewell");
    });
}

#[test]
fn a_dropped_end_takes_its_own_wakers_along() {
    let (mut here, _there) = duplex(1);
    let (woken, waker) = task();
    assert!(read(&mut here, &waker, &mut [0]).is_pending());
    assert_eq!(count(write(&mut here, &waker, b"x")), 1);
    assert!(write(&mut here, &waker, b"x").is_pending());
    drop((here, waker));
    assert_eq!(Arc::strong_count(&woken), 1);
    assert_eq!(woken.times(), 0);
}

#[test]
fn several_buffers_are_filled_and_emptied_in_one_call() {
    let (mut here, mut there) = duplex(8);
    let mut cx = Context::from_waker(Waker::noop());
    // Begins in the middle of the ring, so that what is queued lies in two pieces.
    assert_eq!(count(write(&mut here, Waker::noop(), b".....")), 5);
    assert_eq!(count(read(&mut there, Waker::noop(), &mut [0; 5])), 5);
    let out = [IoSlice::new(b"abc"), IoSlice::new(b""), IoSlice::new(b"defghij")];
    assert_eq!(count(Pin::new(&mut here).poll_write_vectored(&mut cx, &out)), 8);
    let (mut one, mut two) = ([0; 2], [0; 16]);
    let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut []), IoSliceMut::new(&mut two)];
    assert_eq!(count(Pin::new(&mut there).poll_read_vectored(&mut cx, &mut bufs)), 8);
    assert_eq!((&one, &two[..6]), (b"ab", &b"cdefgh"[..]));
}

#[test]
fn nothing_is_asked_for_and_nothing_waits() {
    let (mut here, mut there) = duplex(1);
    assert_eq!(count(read(&mut here, Waker::noop(), &mut [])), 0);
    assert_eq!(count(write(&mut here, Waker::noop(), b"x")), 1);
    assert_eq!(count(write(&mut here, Waker::noop(), b"")), 0);
    assert_eq!(count(read(&mut there, Waker::noop(), &mut [])), 0);
}

#[test]
fn a_waker_that_panics_is_no_matter_of_the_other_end() {
    struct Broken;
    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            panic!("planted: a waker");
        }
    }
    let broken = Waker::from(Arc::new(Broken));
    // By bytes that move, by a close and by a drop.
    let (mut here, mut there) = duplex(1);
    assert!(read(&mut there, &broken, &mut [0]).is_pending());
    assert_eq!(count(write(&mut here, Waker::noop(), b"x")), 1);
    assert_eq!(count(read(&mut there, Waker::noop(), &mut [0])), 1);
    assert!(read(&mut there, &broken, &mut [0]).is_pending());
    block_on(here.close()).unwrap();
    assert_eq!(count(write(&mut there, Waker::noop(), b"x")), 1);
    assert!(write(&mut there, &broken, b"y").is_pending());
    drop(here);
    assert!(write(&mut there, Waker::noop(), b"y").is_ready());
}

#[test]
#[should_panic(expected = "capacity 0")]
fn a_capacity_of_zero_panics() {
    let _ = duplex(0);
}

/// Fails by hanging: on one thread a pair that never has to wait would keep the third task out for ever.
#[test]
fn a_stream_that_is_always_ready_lets_others_run() {
    weftwork::runtime::Builder::new_current_thread()
        .run(async {
            let (mut here, mut there) = duplex(64);
            let busy = spawn(async move {
                loop {
                    here.write_all(b"x").await.unwrap();
                    there.read_exact(&mut [0]).await.unwrap();
                }
            });
            spawn(async {}).await.unwrap();
            busy.cancel();
            assert!(busy.await.unwrap_err().is_cancelled());
        })
        .unwrap();
}

#[test]
fn it_can_be_used_through_tokios_traits() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    block_on(async {
        let (mut here, mut there) = duplex(4);
        let sends = async {
            AsyncWriteExt::write_all(&mut here, b"through tokio's traits").await.unwrap();
            AsyncWriteExt::shutdown(&mut here).await.unwrap();
        };
        let mut text = String::new();
        let (_, read) = join!(sends, AsyncReadExt::read_to_string(&mut there, &mut text));
        read.unwrap();
        assert_eq!(text, "through tokio's traits");
    });
}

#[test]
fn hyper_speaks_http_over_it() {
    async fn greet(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
        Ok(Response::new(format!("you asked for {}", request.uri().path())))
    }
    both_flavors(|builder| {
        builder
            .run(async {
                let (near, far) = duplex(16);
                let served = spawn(async move {
                    server::conn::http1::Builder::new().serve_connection(far, service_fn(greet)).await
                });
                let (mut sender, connection) = client::conn::http1::handshake(near).await.unwrap();
                let connection = spawn(connection);
                let request = Request::get("/tea").header("host", "memory").body(Empty::<Bytes>::new()).unwrap();
                let body = sender.send_request(request).await.unwrap().into_body();
                assert_eq!(body.collect().await.unwrap().to_bytes(), "you asked for /tea");
                drop(sender);
                connection.await.unwrap().unwrap();
                served.await.unwrap().unwrap();
            })
            .unwrap();
    });
}

#[test]
fn its_debug_text_says_how_it_stands() {
    let (mut here, there) = duplex(8);
    assert_eq!(count(write(&mut here, Waker::noop(), b"abc")), 3);
    let text = format!("{there:?}");
    assert!(text.contains("queued: 3, capacity: 8"), "{text}");
}

#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! hyper's client and server on weftwork alone: streams, tasks, time.

mod fixtures;

use fixtures::{both_flavors, with_clock};
use futures::io::AsyncReadExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Executor as _, Read, ReadBuf, Timer as _, Write};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, client, server};
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use weftwork::hyper::{Executor, Io, LocalExecutor, Timer};
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::Builder;
use weftwork::sync::oneshot;
use weftwork::testing::settle;
use weftwork::time::{Duration, Instant};
use weftwork::{JoinHandle, spawn};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

/// Answers with the path and the body.
async fn echo(request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.expect("the client sends all of it").to_bytes();
    let text = format!("{path} {} bytes", body.len());
    Ok(Response::new(Full::from([text.as_bytes(), &body].concat())))
}

/// Serves one connection, and says how it ended.
async fn serve_one() -> (SocketAddr, JoinHandle<hyper::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        server::conn::http1::Builder::new()
            .timer(Timer::new())
            .header_read_timeout(Duration::from_secs(30))
            .serve_connection(stream, service_fn(echo))
            .await
    });
    (address, served)
}

fn request(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path).header("host", "test").body(Full::new(body.into())).unwrap()
}

#[test]
fn a_client_and_a_server_keep_a_connection_for_many_requests() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (address, served) = serve_one().await;
                let stream = TcpStream::connect(address).await.unwrap();
                let (mut sender, connection) = client::conn::http1::handshake(stream).await.unwrap();
                let connection = spawn(connection);
                for length in [0, 1, 1000, 1 << 20] {
                    let body = vec![7; length];
                    // A connection takes the next request once its task has seen the end of the last answer.
                    sender.ready().await.unwrap();
                    let response = sender.send_request(request("/path", body.clone())).await.unwrap();
                    assert_eq!(response.status(), StatusCode::OK);
                    let answer = response.into_body().collect().await.unwrap().to_bytes();
                    let head = format!("/path {length} bytes");
                    assert!(answer == [head.as_bytes(), &body].concat(), "{length}");
                }
                drop(sender);
                connection.await.unwrap().unwrap();
                served.await.unwrap().unwrap();
            })
            .unwrap();
    });
}

#[test]
fn any_stream_of_futures_io_serves_in_its_cover() {
    both_flavors(|builder| {
        builder
            .run(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let served = spawn(async move {
                    let (stream, _) = listener.accept().await.unwrap();
                    server::conn::http1::Builder::new().serve_connection(Io::new(stream), service_fn(echo)).await
                });
                // The client's goes through both covers.
                let stream = Io::new(Io::new(Io::new(TcpStream::connect(address).await.unwrap())));
                let (mut sender, connection) = client::conn::http1::handshake(stream).await.unwrap();
                let connection = spawn(connection);
                let response = sender.send_request(request("/covered", vec![1; 100_000])).await.unwrap();
                let answer = response.into_body().collect().await.unwrap().to_bytes();
                assert!(answer.starts_with(b"/covered 100000 bytes") && answer.len() == 100_021);
                drop(sender);
                connection.await.unwrap().unwrap();
                served.await.unwrap().unwrap();
            })
            .unwrap();
    });
}

#[test]
fn a_head_that_is_not_whole_in_time_ends_the_connection_and_not_a_moment_before() {
    with_clock(async |clock| {
        let (address, served) = serve_one().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: te").await.unwrap();
        until(|| fixtures::armed_timers() == 1).await;
        clock.advance(Duration::from_millis(29_999));
        settle().await;
        assert!(!served.is_finished());
        clock.advance(Duration::from_millis(1));
        let error = served.await.unwrap().unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
}

#[test]
fn a_connection_that_was_answered_and_is_silent_ends_in_time_too() {
    with_clock(async |clock| {
        let (address, served) = serve_one().await;
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = client::conn::http1::handshake(stream).await.unwrap();
        let connection = spawn(connection);
        clock.advance(Duration::from_secs(29));
        for _ in 0..3 {
            let response = sender.send_request(request("/", "")).await.unwrap();
            response.into_body().collect().await.unwrap();
            until(|| fixtures::armed_timers() == 1).await;
            clock.advance(Duration::from_secs(29));
            settle().await;
            assert!(!served.is_finished());
        }
        clock.advance(Duration::from_secs(1));
        assert!(served.await.unwrap().unwrap_err().is_timeout());
        connection.await.unwrap().unwrap();
        assert_eq!(fixtures::armed_timers(), 0);
    });
}

/// Lets everything else run until `is` holds.
async fn until(is: impl Fn() -> bool) {
    while !is() {
        settle().await;
    }
}

#[test]
fn a_graceful_shutdown_answers_the_request_that_is_open_and_then_ends() {
    both_flavors(|builder| {
        builder
            .run(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let (asks, asked) = oneshot::channel();
                let (allows, allowed) = oneshot::channel();
                let gates = std::sync::Mutex::new(Some((asks, allowed)));
                let served = spawn(async move {
                    let (stream, _) = listener.accept().await.unwrap();
                    let service = service_fn(move |_: Request<Incoming>| {
                        let (asks, allowed) = gates.lock().unwrap().take().expect("there is one request");
                        async move {
                            asks.send(()).unwrap();
                            allowed.await.unwrap();
                            Answer::Ok(Response::new(Full::from("finished")))
                        }
                    });
                    let mut connection = pin!(server::conn::http1::Builder::new().serve_connection(stream, service));
                    // Up to the request; then the server wants to end.
                    let mut asked = pin!(asked);
                    poll_fn(|cx| {
                        assert!(connection.as_mut().poll(cx).is_pending());
                        asked.as_mut().poll(cx)
                    })
                    .await
                    .unwrap();
                    connection.as_mut().graceful_shutdown();
                    poll_fn(|cx| {
                        assert!(connection.as_mut().poll(cx).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    allows.send(()).unwrap();
                    connection.await
                });
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
                let mut answer = String::new();
                // The end of the connection is told in the answer, and comes.
                stream.read_to_string(&mut answer).await.unwrap();
                let told = answer.to_ascii_lowercase();
                assert!(told.contains("connection: close") && told.ends_with("\r\n\r\nfinished"), "{answer}");
                served.await.unwrap().unwrap();
            })
            .unwrap();
    });
}

#[test]
fn a_graceful_shutdown_ends_a_silent_connection_at_once() {
    weftwork::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let mut connection = pin!(server::conn::http1::Builder::new().serve_connection(accepted, service_fn(echo)));
        connection.as_mut().graceful_shutdown();
        connection.await.unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
}

#[test]
fn a_read_fills_memory_that_was_never_written_and_no_more_than_there_is() {
    both_flavors(|builder| {
        builder
            .run(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
                let (mut accepted, _) = listener.accept().await.unwrap();
                stream.write_all(b"hello").await.unwrap();
                let mut room = [const { std::mem::MaybeUninit::uninit() }; 16];
                let mut buffer = ReadBuf::uninit(&mut room);
                poll_fn(|cx| Read::poll_read(Pin::new(&mut accepted), cx, buffer.unfilled())).await.unwrap();
                assert_eq!(buffer.filled(), b"hello");
                // By a reference too, behind what is there.
                stream.write_all(b", world, and much more").await.unwrap();
                let mut reference = &accepted;
                poll_fn(|cx| Read::poll_read(Pin::new(&mut reference), cx, buffer.unfilled())).await.unwrap();
                assert_eq!(buffer.filled(), b"hello, world, an");
                poll_fn(|cx| Write::poll_shutdown(Pin::new(&mut reference), cx)).await.unwrap();
                assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
            })
            .unwrap();
    });
}

#[test]
fn executors_spawn_and_let_go() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (sends, sent) = oneshot::channel();
                Executor::new().execute(async move { sends.send("a task").unwrap() });
                assert_eq!(sent.await.unwrap(), "a task");
            })
            .unwrap();
    });
    Builder::new_current_thread()
        .run(async {
            let (sends, sent) = oneshot::channel();
            let not_send = std::rc::Rc::new("a local task");
            LocalExecutor::new().execute(async move { sends.send(*not_send).unwrap() });
            assert_eq!(sent.await.unwrap(), "a local task");
        })
        .unwrap();
}

#[test]
fn sleeps_count_from_when_they_are_made_and_can_be_moved() {
    with_clock(async |clock| {
        let timer = Timer::new();
        let begun = timer.now();
        let relative = timer.sleep(Duration::from_secs(10));
        clock.advance(Duration::from_secs(4));
        assert_eq!(timer.now() - begun, Duration::from_secs(4));
        let mut moved = timer.sleep_until(begun + Duration::from_secs(5));
        timer.reset(&mut moved, begun + Duration::from_secs(20));
        let (relative, moved) = (spawn(relative), spawn(moved));
        settle().await;
        clock.advance(Duration::from_secs(6));
        relative.await.unwrap();
        settle().await;
        assert!(!moved.is_finished());
        clock.advance(Duration::from_secs(10));
        moved.await.unwrap();
        assert_eq!(Instant::now(), Instant::from(begun) + Duration::from_secs(20));
    });
}

//! HTTP/1, and connections that come and go.

use super::per_operation;
use crate::rows::peer::{Http, Sockets};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use std::convert::Infallible;
use std::time::Instant;

/// What every server answers.
pub(crate) async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("Hello, World!")))
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// hyper's answer: its status, the length, the date, and the body.
const ANSWER: usize = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nHello, World!".len()
    + b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n".len();

/// 64 clients that keep their connection ask 200 times each; both ends in the runtime, per request.
pub(crate) async fn http_hello<P: Http>() -> f64 {
    const CLIENTS: u64 = 64;
    const TIMES: u64 = 200;
    let (listener, address) = P::listen().await;
    let server = P::spawn(async move {
        let mut connections = Vec::new();
        for _ in 0..CLIENTS {
            let stream = P::accept(&listener).await;
            connections.push(P::spawn(P::serve(stream)));
        }
        for connection in connections {
            P::join(connection).await;
        }
    });
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        streams.push(P::connect(address).await);
    }
    let start = Instant::now();
    let clients: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            P::spawn(async move {
                let mut answer = [0; ANSWER];
                for _ in 0..TIMES {
                    P::write_all(&mut stream, REQUEST).await;
                    assert!(P::read_exact(&mut stream, &mut answer).await, "the server stays");
                    assert!(answer.starts_with(b"HTTP/1.1 200 OK") && answer.ends_with(b"Hello, World!"));
                }
            })
        })
        .collect();
    for client in clients {
        P::join(client).await;
    }
    let ns = per_operation(start, CLIENTS * TIMES);
    P::join(server).await;
    ns
}

/// 4 tasks that connect, exchange 64 bytes and close, 250 times each; per connection.
pub(crate) async fn accept_churn<P: Sockets>() -> f64 {
    const CLIENTS: u64 = 4;
    const TIMES: u64 = 250;
    let (listener, address) = P::listen().await;
    let start = Instant::now();
    let server = P::spawn(async move {
        let mut connections = Vec::new();
        for _ in 0..CLIENTS * TIMES {
            let mut stream = P::accept(&listener).await;
            connections.push(P::spawn(async move {
                let mut buffer = [0; 64];
                while P::read_exact(&mut stream, &mut buffer).await {
                    P::write_all(&mut stream, &buffer).await;
                }
            }));
        }
        for connection in connections {
            P::join(connection).await;
        }
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            P::spawn(async move {
                for _ in 0..TIMES {
                    let mut stream = P::connect(address).await;
                    let mut buffer = [7; 64];
                    P::write_all(&mut stream, &buffer).await;
                    assert!(P::read_exact(&mut stream, &mut buffer).await, "the server answers");
                }
            })
        })
        .collect();
    for client in clients {
        P::join(client).await;
    }
    P::join(server).await;
    per_operation(start, CLIENTS * TIMES)
}

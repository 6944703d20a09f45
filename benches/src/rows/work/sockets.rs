//! Sockets.

use super::per_operation;
use crate::rows::peer::Sockets;
use std::time::Instant;

/// `connections` clients, each `round_trips` times 64 bytes there and back; both ends in the runtime.
async fn echo<P: Sockets>(connections: u64, round_trips: u64) -> f64 {
    let (listener, address) = P::listen().await;
    let server = P::spawn(async move {
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let mut stream = P::accept(&listener).await;
            tasks.push(P::spawn(async move {
                let mut buffer = [0; 64];
                while P::read_exact(&mut stream, &mut buffer).await {
                    P::write_all(&mut stream, &buffer).await;
                }
            }));
        }
        for task in tasks {
            P::join(task).await;
        }
    });
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(P::connect(address).await);
    }
    let start = Instant::now();
    let clients: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            P::spawn(async move {
                let mut buffer = [7; 64];
                for _ in 0..round_trips {
                    P::write_all(&mut stream, &buffer).await;
                    assert!(P::read_exact(&mut stream, &mut buffer).await, "the server stays");
                }
            })
        })
        .collect();
    for client in clients {
        P::join(client).await;
    }
    let ns = per_operation(start, connections * round_trips);
    P::join(server).await;
    ns
}

/// One connection, 5 000 round trips.
pub(crate) async fn echo_1<P: Sockets>() -> f64 {
    echo::<P>(1, 5_000).await
}

/// 64 connections, 400 round trips each.
pub(crate) async fn echo_64<P: Sockets>() -> f64 {
    echo::<P>(64, 400).await
}

/// 1 000 connections, 30 round trips each.
pub(crate) async fn echo_1000<P: Sockets>() -> f64 {
    echo::<P>(1_000, 30).await
}

//! A server that answers each line in capitals: so many clients at once and no more, and an end that lets them finish.
//!
//! ```text
//!  serve_until
//!   ├─ accepts, as long as there is a place
//!   └─ group                             ends when its tasks have
//!       ├─ client, isolated              its panic is its own
//!       ├─ client                        holds a place until it ends
//!       └─ ...
//!
//!  stop:  no more clients  ->  drain(grace): idle ones leave, busy ones finish  ->  the rest is cancelled, and says goodbye
//! ```
//!
//! `server.rs` does the same for any service with what is below groups: latches, and permits to count tasks by.

use crate::latch::Latch;
use crate::log::Log;
use crate::server::Limits;
use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use weftwork::group::Drained;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::scope::on_cancel;
use weftwork::sync::{OwnedPermit, Semaphore};
use weftwork::{group, select, timeout};

/// The longest line that is answered, its end included.
pub const LINE_LIMIT_BYTES: u64 = 8 * 1024;

/// How long a client that is cut off may take to hear so.
const GOODBYE: Duration = Duration::from_millis(250);

/// Serves until `stop` is ready, then lets the clients finish; how many did, and how many were cut off.
///
/// # Errors
/// The listener broke; the clients were let finish all the same.
pub async fn serve_until(
    listener: TcpListener,
    limits: Limits,
    log: Log,
    stop: impl Future<Output = ()>,
) -> io::Result<Drained> {
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let closing = Arc::new(Latch::default());
    let mut stop = pin!(stop);
    let served = group(async |group| {
        let accepted = loop {
            let admitted = select! {
                // In this order: however many clients come, `stop` is looked at.
                biased;
                () = &mut stop => break Ok(()),
                admitted = admit(&listener, &places) => admitted,
            };
            let (place, stream, peer) = match admitted {
                Ok(admitted) => admitted,
                Err(error) => break Err(error),
            };
            let client = Client { stream, peer, place, closing: closing.clone(), patience: limits.idle_timeout };
            group.spawn_isolated(client.serve(log.clone())).detach();
        };
        // From here on whoever connects is refused by the system.
        drop(listener);
        closing.set();
        let drained = group.drain(limits.grace).await;
        accepted.map(|()| drained)
    });
    served.await.unwrap_or_else(|cause| Err(io::Error::other(cause.to_string())))
}

/// A client, once there is a place for it. Until then it waits where the system lets it: it is connected, and not accepted.
async fn admit(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(OwnedPermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((place, stream, peer))
}

struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    /// Given back when the task ends, in whatever way.
    place: OwnedPermit,
    closing: Arc<Latch>,
    patience: Option<Duration>,
}

impl Client {
    async fn serve(self, log: Log) {
        let peer = self.peer;
        log.line(format_args!("Connected from {peer}"));
        let dialogue = on_cancel(self.shout(), GOODBYE, async |_cause| {
            log.line(format_args!("Cut off {peer}"));
            // It may not even take this, and then the goodbye is over when its time is.
            let _ = self.stream.write_all(b"The server stops now.\r\n").await;
        });
        match dialogue.await {
            Ok(lines) => log.line(format_args!("Left: {peer}, after {lines} lines")),
            Err(error) => log.line(format_args!("Lost {peer}: {error}")),
        }
        drop(self.place);
    }

    /// Answers lines until the client leaves, or the server closes while the client is idle: between two lines.
    async fn shout(&self) -> io::Result<u64> {
        let mut input = BufReader::new(&self.stream);
        for answered in 0.. {
            let next = async { Ok(!input.fill_buf().await?.is_empty()) };
            let there_is_more = select! {
                // In this order: what has come is answered.
                biased;
                there_is_more = self.patiently(next) => there_is_more?,
                () = self.closing.reached() => {
                    self.patiently(self.stream.write_all(b"Goodbye.\r\n")).await?;
                    false
                }
            };
            if !there_is_more {
                return Ok(answered);
            }
            let line = self.patiently(read_line(&mut input)).await?;
            self.patiently(self.stream.write_all(line.to_uppercase().as_bytes())).await?;
        }
        unreachable!("nobody sends 2^64 lines")
    }

    async fn patiently<T>(&self, what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        match self.patience {
            Some(patience) => timeout(patience, what).await?,
            None => what.await,
        }
    }
}

/// A line with its end.
async fn read_line(input: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    // One byte more than may be, so that a line that is too long can be told from one that is not.
    let read = input.take(LINE_LIMIT_BYTES + 1).read_line(&mut line).await?;
    if read as u64 > LINE_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line that is too long"));
    }
    Ok(line)
}

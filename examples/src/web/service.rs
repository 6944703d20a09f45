//! One connection of a browser, from its first byte to its end.
//!
//! hyper reads requests and writes answers; what it may wait for, and until when, is said here. The server around it is the
//! one that serves the TCP clients: the cap on connections, the log, the graceful end are the same.

use super::pace::{Late, Pace};
use super::site::Site;
use super::wire::Wire;
use crate::connection::{Connection, End};
use crate::index::Index;
use crate::log::Log;
use crate::server::Service;
use futures::future::{Either, select};
use hyper::StatusCode;
use hyper::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;
use weftwork::hyper::{Io, Timer};

/// The longest head of a request, in bytes.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;
/// What hyper may hold of a connection, in bytes.
const BUFFER_BYTES: usize = 2 * HEAD_LIMIT_BYTES;

/// What the page bounds beside [`Limits`](crate::server::Limits).
#[derive(Debug, Clone, Copy)]
pub struct WebLimits {
    /// How long the head of a request may take, from its first byte.
    pub head_timeout: Duration,
    /// How long the rest of it and the search may take.
    pub request_timeout: Duration,
}

/// The page.
#[derive(Debug)]
pub struct Web {
    site: Site,
    limits: WebLimits,
}

impl Web {
    /// A page that answers from an index; see [`Charfinder::new`](crate::charfinder::Charfinder::new).
    pub fn new(index: &'static Index, limits: WebLimits, log: Log) -> Self {
        Self { site: Site::new(index, limits.request_timeout, log), limits }
    }

    /// Answers requests until one side wants no more; `refused` is set if that is ours because of a request.
    async fn speak(&self, client: &Connection, pace: &Pace, refused: &OnceLock<StatusCode>) -> hyper::Result<()> {
        let service = service_fn(|request| async {
            pace.asked();
            let answer = self.site.answer(request, client.peer()).await;
            pace.answered();
            if answer.headers().contains_key(CONNECTION) {
                // The only header of this name that the site gives is the one that ends the connection.
                let _ = refused.set(answer.status());
            }
            Ok::<_, Infallible>(answer)
        });
        let connection = http1::Builder::new()
            .timer(Timer::new())
            // The wire knows better: a connection that is kept alive may be silent for longer than a head may take.
            .header_read_timeout(None)
            // Who has asked and says no more still wants to hear.
            .half_close(true)
            .max_header_size(HEAD_LIMIT_BYTES)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(Io::new(Wire::new(client.stream(), pace)), service);
        let mut connection = pin!(connection);
        match select(connection.as_mut(), pin!(client.closing())).await {
            Either::Left((spoken, _)) => spoken,
            Either::Right(((), _)) => {
                // What was asked is answered, with a word that this is the last answer; a silent connection ends at once.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    }
}

impl Service for Web {
    const FULL: &'static str = "HTTP/1.1 503 Service Unavailable\r\n\
        content-type: text/plain; charset=utf-8\r\n\
        content-length: 40\r\n\
        retry-after: 5\r\n\
        connection: close\r\n\r\n\
        Too many connections. Try again later.\r\n";

    async fn serve(&self, client: &Connection) -> End {
        let (pace, refused) = (Pace::new(client.idle_timeout(), self.limits.head_timeout), OnceLock::new());
        let spoken = self.speak(client, &pace, &refused).await;
        let end = match (spoken, pace.late()) {
            (_, Some(Late::Idle)) => End::Idle,
            (_, Some(Late::Head)) => {
                client.send_parting("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                End::TooSlow
            }
            (Ok(()), None) => match refused.into_inner() {
                Some(status) => End::Refused(status.to_string()),
                None if client.is_closing() => End::Closing,
                None if pace.has_ended() => End::Left,
                None => End::Quit,
            },
            (Err(error), None) => end_of(error),
        };
        // Where the client may still be sending, an end that comes too soon would take the answer back.
        if !pace.has_ended() {
            client.linger().await;
        }
        end
    }
}

/// What an error of hyper's says about the client.
fn end_of(error: hyper::Error) -> End {
    if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        return End::Refused(error.to_string());
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_shutdown() {
        return End::Left;
    }
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(source) => io::Error::from(source.kind()).into(),
        None => End::Failed(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_says_how_long_it_is() {
        let (head, body) = Web::FULL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}

//! A client's stream as hyper gets it: each wait has the deadline of the connection's [`Pace`].

use super::pace::{Late, Pace};
use futures::io::{AsyncRead, AsyncWrite};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use weftwork::net::TcpStream;
use weftwork::time::{Instant, Sleep, sleep_until};

/// A stream with deadlines.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    stream: &'a TcpStream,
    pace: &'a Pace,
    read_limit: Limit,
    write_limit: Limit,
    /// Until when the write that waits has to get on.
    write_deadline: Option<Instant>,
}

impl<'a> Wire<'a> {
    pub(super) fn new(stream: &'a TcpStream, pace: &'a Pace) -> Self {
        Self { stream, pace, read_limit: Limit(None), write_limit: Limit(None), write_deadline: None }
    }

    fn poll_written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let pace = self.pace;
        let Some(deadline) = self.write_deadline.or_else(|| pace.write_deadline()) else { return Poll::Pending };
        self.write_deadline = Some(deadline);
        self.write_limit.poll(deadline, cx).map(|()| Err(too_late(pace, Late::Idle)))
    }
}

/// A timer that is armed anew only where its deadline has moved.
#[derive(Debug)]
struct Limit(Option<Sleep>);

impl Limit {
    fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| sleep_until(deadline));
        if sleep.deadline() != Some(deadline) {
            sleep.reset(deadline);
        }
        Pin::new(sleep).poll(cx)
    }
}

fn too_late(pace: &Pace, late: Late) -> io::Error {
    pace.expire(late);
    io::ErrorKind::TimedOut.into()
}

impl AsyncRead for Wire<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let (mut stream, pace) = (self.stream, self.pace);
        let read = Pin::new(&mut stream).poll_read(cx, buffer);
        if let Poll::Ready(read) = read {
            return Poll::Ready(read.inspect(|&bytes| pace.came(bytes)));
        }
        match pace.read_deadline() {
            Some((deadline, late)) => self.read_limit.poll(deadline, cx).map(|()| Err(too_late(pace, late))),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut stream = self.stream;
        let written = Pin::new(&mut stream).poll_write(cx, bytes);
        self.poll_written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut stream = self.stream;
        let written = Pin::new(&mut stream).poll_write_vectored(cx, pieces);
        self.poll_written(cx, written)
    }

    /// hyper asks for this once it has written all that it had.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pace.sent();
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = self.stream;
        Pin::new(&mut stream).poll_close(cx)
    }
}

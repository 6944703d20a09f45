//! A stream's `poll_*` half: one system call each, and the traits of `futures-io` on top.
//!
//! These have no identity of their own among the waiters. One task per direction is the common case and costs no lock;
//! up to 33 can wait in one direction without waking each other (see `reactor/waiters.rs`).

use super::operations::{async_read, async_write};
use super::stream::TcpStream;
use crate::reactor::registered::Left;
use crate::reactor::{Place, Way};
use core::task::{Context, Poll};
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::net;

/// A read, and whether it emptied the socket. No bytes into a buffer with room is the end, which stays readable.
pub(super) fn read(mut stream: &net::TcpStream, buf: &mut [u8]) -> io::Result<(usize, Left)> {
    let n = stream.read(buf)?;
    Ok((n, left(n, buf.len())))
}

pub(super) fn write(mut stream: &net::TcpStream, buf: &[u8]) -> io::Result<(usize, Left)> {
    Ok((stream.write(buf)?, Left::Perhaps))
}

fn left(n: usize, room: usize) -> Left {
    if 0 < n && n < room { Left::Nothing } else { Left::Perhaps }
}

impl TcpStream {
    pub(super) fn poll_read_any(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.io().poll_io(Way::In, &mut Place::Anonymous, false, cx, |s| read(s, buf))
    }

    pub(super) fn poll_read_vectored_any(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let room = bufs.iter().map(|b| b.len()).sum();
        self.io().poll_io(Way::In, &mut Place::Anonymous, false, cx, |mut s| {
            let n = s.read_vectored(bufs)?;
            Ok((n, left(n, room)))
        })
    }

    pub(super) fn poll_write_any(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io().poll_io(Way::Out, &mut Place::Anonymous, false, cx, |s| write(s, buf))
    }

    pub(super) fn poll_write_vectored_any(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io()
            .poll_io(Way::Out, &mut Place::Anonymous, false, cx, |mut s| Ok((s.write_vectored(bufs)?, Left::Perhaps)))
    }
}

async_read!(TcpStream, |stream| stream);
async_write!(TcpStream, |stream| stream);
async_read!(&TcpStream, |stream| stream);
async_write!(&TcpStream, |stream| stream);

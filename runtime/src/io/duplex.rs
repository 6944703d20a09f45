//! A stream in memory with two ends: what a test holds in place of a socket.
//!
//! The protocol is that of its two [`Pipe`]s, one per direction; here are only the ends and the traits.

use super::pipe::{Leaving, Pipe, Side};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_io::{AsyncRead, AsyncWrite};
use std::io::{self, IoSlice, IoSliceMut};
use weftwork_sync::primitive::Shared;

/// Makes a stream in memory, and gives its two ends: what is written at one is read at the other.
///
/// `capacity` is how many bytes are kept in each direction until they are read; a writer waits while there is no room. With
/// a capacity of 1 code meets every split of its input that a network could make.
///
/// It stands in for a socket in tests. No runtime is needed and no descriptor is used: it works on any executor, and under
/// a manual clock.
///
/// # Panics
/// If `capacity` is 0: nothing could ever be written.
///
/// # Counterparts
/// tokio: `io::duplex`; asyncio has none but `socket.socketpair`, which here is `UnixStream::pair`.
///
/// # Examples
/// ```
/// use futures::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
/// use futures::{AsyncRead, AsyncWrite};
///
/// /// What is tested: it knows streams, and not where they come from.
/// async fn greet(stream: impl AsyncRead + AsyncWrite) -> std::io::Result<()> {
///     let (reads, mut writes) = stream.split();
///     let mut name = String::new();
///     BufReader::new(reads).read_line(&mut name).await?;
///     writes.write_all(format!("hello {name}").as_bytes()).await?;
///     writes.close().await
/// }
///
/// # fn main() -> std::io::Result<()> {
/// weftwork::run(async {
///     let (mut client, server) = weftwork::io::duplex(64);
///     let greets = weftwork::spawn(greet(server));
///
///     client.write_all(b"ada\n").await?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer).await?;
///     assert_eq!(answer, "hello ada\n");
///     greets.await.unwrap()
/// })
/// # }
/// ```
#[doc(alias = "socketpair")]
#[must_use = "dropping an end ends the stream"]
#[track_caller]
pub fn duplex(capacity: usize) -> (DuplexStream, DuplexStream) {
    assert!(capacity > 0, "a duplex stream of capacity 0 would never take a byte: give it one at least");
    let there = Shared::new(Pipe::new(capacity));
    let back = Shared::new(Pipe::new(capacity));
    let one = DuplexStream { reads: back.clone(), writes: there.clone() };
    (one, DuplexStream { reads: there, writes: back })
}

/// One end of a stream in memory, made by [`duplex()`].
///
/// It has the traits of a socket: `AsyncRead` and `AsyncWrite` of `futures-io`, and under the features `tokio-io` and
/// `hyper` those of tokio and hyper.
///
/// - **Closing** it (`close`, tokio's `shutdown`) ends its own direction only: the other end reads what is left, then the
///   end of the stream, and may still write. Writing after that is `BrokenPipe`.
/// - **Dropping** it ends both: the other end still reads what was written before, and its writes are `BrokenPipe`.
/// - **Flushing** does nothing: what was written can be read at once.
///
/// # Errors
/// Reading never fails. Writing fails with `BrokenPipe`, as said above.
///
/// # Cancel safety
/// Nothing is lost: bytes move only in the poll that returns their number.
///
/// One task at a time can wait to read, and one to write: whoever polls last is the one that is woken. To use the
/// directions from two tasks, split it (`futures::AsyncReadExt::split`, `tokio::io::split`).
///
/// tokio: `io::DuplexStream`.
#[derive(Debug)]
pub struct DuplexStream {
    reads: Shared<Pipe>,
    writes: Shared<Pipe>,
}

impl DuplexStream {
    pub(super) fn poll_read_pieces(
        &self,
        cx: &mut Context<'_>,
        room: usize,
        take: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        self.reads.poll_read(cx, room, take).map(Ok)
    }
}

impl AsyncRead for DuplexStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let room = buf.len();
        let mut rest = buf;
        self.poll_read_pieces(cx, room, |piece| {
            let (to, behind) = core::mem::take(&mut rest).split_at_mut(piece.len());
            to.copy_from_slice(piece);
            rest = behind;
        })
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let room = bufs.iter().map(|buf| buf.len()).sum();
        let mut rest = bufs.iter_mut().map(|buf| &mut **buf);
        let mut to: &mut [u8] = &mut [];
        self.poll_read_pieces(cx, room, |mut piece| {
            while !piece.is_empty() {
                if to.is_empty() {
                    match rest.next() {
                        Some(next) => to = next,
                        None => return,
                    }
                }
                let count = to.len().min(piece.len());
                let (filled, behind) = core::mem::take(&mut to).split_at_mut(count);
                filled.copy_from_slice(&piece[..count]);
                to = behind;
                piece = &piece[count..];
            }
        })
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.poll_write(cx, || core::iter::once(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.poll_write(cx, || bufs.iter().map(|buf| &**buf))
    }

    /// Does nothing: what was written can be read at once.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends this end's direction; what was written can still be read.
    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writes.leave(Side::Writer).tell();
        Poll::Ready(Ok(()))
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        // Whoever is woken finds that both directions have ended.
        let leaving = [self.writes.leave(Side::Writer), self.reads.leave(Side::Reader)];
        leaving.into_iter().for_each(Leaving::tell);
    }
}

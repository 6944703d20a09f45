//! One client, as the task that serves it sees it.
//!
//! A server must not wait for ever for a client that has gone quiet or reads nothing, and must not hang up on one that it
//! is just answering. So each wait here has a deadline, and only the wait for something new ends when the server closes.

use crate::latch::Latch;
use futures::future::{Either, select};
use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use weftwork::net::TcpStream;
use weftwork::time::{Instant, timeout, timeout_at};

/// Why a connection ends.
#[derive(Debug)]
#[non_exhaustive]
pub enum End {
    /// The client ended its side.
    Left,
    /// The client asked to end it.
    Quit,
    /// The client sent nothing, or took nothing, for too long.
    Idle,
    /// The client began something and took too long to finish it.
    TooSlow,
    /// What the client sent cannot be understood, so that nothing after it could be.
    Refused(String),
    /// The server closes, and the client had no question open.
    Closing,
    /// The server closes, and its grace was over.
    CutOff,
    /// The connection broke.
    Failed(io::Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str("the client left"),
            Self::Quit => f.write_str("the client quit"),
            Self::Idle => f.write_str("idle for too long"),
            Self::TooSlow => f.write_str("too slow"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Closing => f.write_str("the server shuts down"),
            Self::CutOff => f.write_str("cut off, the grace is over"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // However a client leaves, it has left.
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => Self::Left,
            _ => Self::Failed(error),
        }
    }
}

/// How long, and for how much, a connection that has ended is still read.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// A client.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    idle_timeout: Option<Duration>,
    closing: Arc<Latch>,
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        idle_timeout: Option<Duration>,
        closing: Arc<Latch>,
    ) -> Self {
        Self { stream, peer, idle_timeout, closing }
    }

    /// Who it is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// When a wait that begins now has lasted too long; `None` if it may last for ever.
    pub fn deadline(&self) -> Option<Instant> {
        self.idle_timeout.map(|limit| Instant::now().saturating_add(limit))
    }

    /// Its socket, for who speaks a protocol over it that this knows nothing of.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// How long it may send nothing, or take nothing; `None` is for ever.
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// Waits until the server closes.
    pub(crate) async fn closing(&self) {
        self.closing.reached().await;
    }

    /// Whether the server closes.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_set()
    }

    /// Waits for bytes that belong to what the client has begun; 0 says that it ended its side.
    ///
    /// # Errors
    /// [`End::Idle`], or the connection broke.
    pub async fn read(&self, buffer: &mut [u8], deadline: Option<Instant>) -> Result<usize, End> {
        Ok(before(deadline, self.stream.read(buffer)).await??)
    }

    /// Waits for bytes that begin something new; otherwise as [`read`](Self::read). What has arrived is read, also when
    /// the server closes.
    ///
    /// # Errors
    /// [`End::Closing`], [`End::Idle`], or the connection broke.
    pub async fn read_new(&self, buffer: &mut [u8], deadline: Option<Instant>) -> Result<usize, End> {
        // `select` polls its first future first, so bytes that are there win.
        match before(deadline, select(self.stream.read(buffer), pin!(self.closing.reached()))).await? {
            Either::Left((read, _)) => Ok(read?),
            Either::Right(((), _)) => Err(End::Closing),
        }
    }

    /// Sends all of it. The client may take its time as long as it takes something.
    ///
    /// # Errors
    /// [`End::Idle`] if it takes nothing for too long, or the connection broke.
    pub async fn send(&self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            match before(self.deadline(), self.stream.write(bytes)).await?? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                sent => bytes = &bytes[sent..],
            }
        }
        Ok(())
    }

    /// Sends a last word if there is room for it, and does not wait.
    pub fn send_parting(&self, line: &str) {
        let _ = self.stream.try_write(line.as_bytes());
    }

    /// Ends our side and takes what still comes, for a moment: until the client ends its side as well, at most for a second
    /// and a few megabytes.
    pub(crate) async fn linger(&self) {
        // Errors say that the connection is gone already.
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut unread = [0; 4096];
        let mut left = LINGER_BYTES;
        let forgets = async {
            while let Ok(read @ 1..) = self.stream.read(&mut unread).await {
                left = left.saturating_sub(read);
                if left == 0 {
                    break;
                }
            }
        };
        // That the time is over is an end as good as any.
        let _ = timeout(LINGER, forgets).await;
    }

    /// Ends the connection so that the client gets everything that was sent, and then its end.
    pub fn close(self) {
        // Errors say that the connection is gone already.
        let _ = self.stream.shutdown(Shutdown::Write);
        // Closing a socket that has unread bytes resets the connection, and the client may lose our last line. What comes
        // later than this is the client's own affair; so is a flood.
        let mut unread = [0; 4096];
        for _ in 0..64 {
            if !matches!(self.stream.try_read(&mut unread), Ok(1..)) {
                break;
            }
        }
    }
}

async fn before<F: Future>(deadline: Option<Instant>, future: F) -> Result<F::Output, End> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await.map_err(|_| End::Idle),
        None => Ok(future.await),
    }
}

//! The same for Unix sockets.

use super::*;
use crate::net::UnixStream;
use crate::net::unix::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};

read!(UnixStream, |stream| stream);
read!(&UnixStream, |stream| stream);
read!(ReadHalf<'_>, |half| half.as_ref());
read!(OwnedReadHalf, |half| half.as_ref());
write!(UnixStream);
write!(&UnixStream);
write!(WriteHalf<'_>);
write!(OwnedWriteHalf);

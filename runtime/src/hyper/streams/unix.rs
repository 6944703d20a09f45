//! The same for Unix sockets.

use super::*;
use crate::net::UnixStream;

stream!(UnixStream, |stream| stream);
stream!(&UnixStream, |stream| stream);

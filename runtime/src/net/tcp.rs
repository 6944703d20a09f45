//! The halves of a stream.

pub use super::connect::Connect;
pub use super::listener::Bind;

use super::acceptor::accept_futures;
use super::byte_stream;
use super::halves::{Half, halves};
use super::listener::TcpListener;
use super::stream::TcpStream;
use super::stream_futures::stream_futures;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::net::{self, SocketAddr};

pub(super) type Socket = net::TcpStream;
type ListeningSocket = net::TcpListener;

stream_futures! { TcpStream }
halves! { TcpStream, SocketAddr }
accept_futures! { TcpListener, TcpStream, SocketAddr }

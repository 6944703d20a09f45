//! The halves of a stream and the futures of the methods. What they do is written in `halves.rs`, `stream_futures.rs` and
//! `acceptor.rs`; here they get their names.

pub use super::connect::{Connect, SocketConnect};
pub use super::listener::Bind;
pub use super::listeners::{AcceptAny, BindAll, IncomingAny};

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

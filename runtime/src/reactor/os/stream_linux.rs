//! Reading from and writing to a connection, on Linux: the system call and nothing around it.
//!
//! The C library makes each a place where the thread may be cancelled, at two read-modify-writes a call. No thread here is.

use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::net::TcpStream;

pub(crate) fn recv(socket: &TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buf, RecvFlags::empty())?.0)
}

pub(crate) fn send(socket: &TcpStream, buf: &[u8]) -> io::Result<usize> {
    // A peer that is gone is an error, not a signal.
    Ok(rustix::net::send(socket, buf, SendFlags::NOSIGNAL)?)
}

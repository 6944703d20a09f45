//! Reading from and writing to a connection, as the standard library does.

use std::io::{self, Read, Write};
use std::net::TcpStream;

pub(crate) fn recv(mut socket: &TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    socket.read(buf)
}

pub(crate) fn send(mut socket: &TcpStream, buf: &[u8]) -> io::Result<usize> {
    socket.write(buf)
}

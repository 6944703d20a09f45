//! A client on a plain thread, and a server's log to wait on.
//!
//! Nothing here sleeps: a test waits for what a socket or a log says, and a wait that lasts a minute is a failure.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod running;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Longer than anything takes on a loaded machine.
pub const HANG: Duration = Duration::from_secs(60);

pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, HANG).expect("the server listens");
        stream.set_read_timeout(Some(HANG)).expect("a socket option");
        stream.set_write_timeout(Some(HANG)).expect("a socket option");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream: BufReader::new(stream) }
    }

    /// Connects and takes the first prompt.
    pub fn greeted(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        assert_eq!(client.read_answer(), "");
        client
    }

    pub fn address(&self) -> SocketAddr {
        self.stream.get_ref().local_addr().expect("a connected socket")
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).expect("the server takes it");
    }

    pub fn end_writing(&mut self) {
        self.stream.get_mut().shutdown(Shutdown::Write).expect("a connected socket");
    }

    /// What comes before the next prompt.
    pub fn read_answer(&mut self) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"?> ") {
            let read = self.stream.read_until(b' ', &mut bytes).expect("the server answers in time");
            assert!(read > 0, "the connection ended without a prompt, after {:?}", String::from_utf8_lossy(&bytes));
        }
        bytes.truncate(bytes.len() - 3);
        String::from_utf8(bytes).expect("answers are UTF-8")
    }

    pub fn ask(&mut self, query: &str) -> String {
        self.send(format!("{query}\r\n"));
        self.read_answer()
    }

    pub fn read_exactly(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        self.stream.read_exact(&mut buffer).expect("the server answers in time");
        buffer
    }

    /// The head of an HTTP message, its empty line included.
    pub fn read_head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && head != "\r\n" {
            let read = self.stream.read_line(&mut head).expect("the server answers in time");
            assert!(read > 0, "the connection ended inside a head, after {head:?}");
        }
        head
    }

    /// Everything up to the end of the connection.
    pub fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).expect("the server ends the connection in time");
        String::from_utf8(bytes).expect("answers are UTF-8")
    }
}

/// The lines of a log, in order.
pub struct LogLines(pub Receiver<String>);

impl LogLines {
    /// Passes over lines up to one that begins so.
    pub fn wait_for(&self, beginning: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.0.recv_timeout(HANG) {
                Ok(line) if line.starts_with(beginning) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("no line {beginning:?}: {error}; there were {before:#?}"),
            }
        }
    }

    /// What is left, once nobody writes any more.
    pub fn rest(&self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(line) = self.0.recv_timeout(HANG) {
            lines.push(line);
        }
        lines
    }
}

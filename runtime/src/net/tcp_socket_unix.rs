//! Options of a TCP socket that Linux, Android, Apple's systems and most BSDs have.

use super::tcp_socket::TcpSocket;
use core::time::Duration;
use socket2::TcpKeepalive;
use std::io;

/// Linux, Android, Apple's systems, FreeBSD, NetBSD and DragonFly.
impl TcpSocket {
    /// Whether several sockets may have the same address at the same time (`SO_REUSEPORT`).
    ///
    /// # Errors
    /// The system's.
    pub fn reuseport(&self) -> io::Result<bool> {
        self.socket().reuse_port()
    }

    /// Lets several sockets of the same user have the same address at the same time, if all of them set it
    /// (`SO_REUSEPORT`). Linux distributes connections among them.
    ///
    /// # Errors
    /// The system's.
    pub fn set_reuseport(&self, reuse: bool) -> io::Result<()> {
        self.socket().set_reuse_port(reuse)
    }

    /// How long nothing must have been sent for a connection to be probed (`TCP_KEEPIDLE`).
    ///
    /// # Errors
    /// The system's.
    pub fn keepalive_time(&self) -> io::Result<Duration> {
        self.socket().tcp_keepalive_time()
    }

    /// The time between two probes (`TCP_KEEPINTVL`).
    ///
    /// # Errors
    /// The system's.
    pub fn keepalive_interval(&self) -> io::Result<Duration> {
        self.socket().tcp_keepalive_interval()
    }

    /// Sets the time between two probes in whole seconds, at least one (`TCP_KEEPINTVL`), and turns probing on.
    ///
    /// # Errors
    /// The system's: `InvalidInput` for less than a second or more than it can count.
    pub fn set_keepalive_interval(&self, interval: Duration) -> io::Result<()> {
        self.socket().set_tcp_keepalive(&TcpKeepalive::new().with_interval(interval))
    }

    /// How many probes must go unanswered for a connection to be given up (`TCP_KEEPCNT`).
    ///
    /// # Errors
    /// The system's.
    pub fn keepalive_retries(&self) -> io::Result<u32> {
        self.socket().tcp_keepalive_retries()
    }

    /// Sets how many probes must go unanswered for a connection to be given up (`TCP_KEEPCNT`), and turns probing on.
    ///
    /// # Errors
    /// The system's: `InvalidInput` for none or more than it can count.
    pub fn set_keepalive_retries(&self, probes: u32) -> io::Result<()> {
        self.socket().set_tcp_keepalive(&TcpKeepalive::new().with_retries(probes))
    }

    /// The type of service of an IPv4 socket's packets (`IP_TOS`).
    ///
    /// # Errors
    /// The system's.
    pub fn tos(&self) -> io::Result<u32> {
        self.socket().tos_v4()
    }

    /// Sets the type of service of an IPv4 socket's packets (`IP_TOS`).
    ///
    /// # Errors
    /// The system's.
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.socket().set_tos_v4(tos)
    }
}

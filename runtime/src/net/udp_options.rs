//! Options of a UDP socket: whom it may send to, how far, and which groups it hears.

use super::udp_socket::UdpSocket;
use socket2::SockRef;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

impl UdpSocket {
    fn options(&self) -> SockRef<'_> {
        SockRef::from(self.io().get_ref())
    }

    /// Whether it may send to broadcast addresses (`SO_BROADCAST`).
    ///
    /// # Errors
    /// The system's.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.io().get_ref().broadcast()
    }

    /// Lets it send to broadcast addresses (`SO_BROADCAST`).
    ///
    /// # Errors
    /// The system's.
    ///
    /// asyncio: `create_datagram_endpoint(allow_broadcast=True)`; tokio: `UdpSocket::set_broadcast`.
    #[doc(alias = "allow_broadcast")]
    pub fn set_broadcast(&self, allow: bool) -> io::Result<()> {
        self.io().get_ref().set_broadcast(allow)
    }

    /// The time to live of packets that it sends to single addresses, in hops.
    ///
    /// # Errors
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.io().get_ref().ttl()
    }

    /// Sets the time to live of packets that it sends to single addresses, in hops.
    ///
    /// # Errors
    /// The system's.
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.io().get_ref().set_ttl(hops)
    }

    /// Bytes that the system keeps for datagrams to be sent (`SO_SNDBUF`).
    ///
    /// # Errors
    /// The system's.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        self.options().send_buffer_size()
    }

    /// Sets how many bytes the system keeps for datagrams to be sent (`SO_SNDBUF`); it may give more (Linux: twice as
    /// much) or less.
    ///
    /// # Errors
    /// The system's.
    pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.options().set_send_buffer_size(bytes)
    }

    /// Bytes that the system keeps for datagrams that were received (`SO_RCVBUF`).
    ///
    /// # Errors
    /// The system's.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        self.options().recv_buffer_size()
    }

    /// Sets how many bytes the system keeps for datagrams that were received (`SO_RCVBUF`); it may give more (Linux: twice
    /// as much) or less. What comes when they are full is lost.
    ///
    /// # Errors
    /// The system's.
    pub fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.options().set_recv_buffer_size(bytes)
    }

    /// Joins an IPv4 group on the interface that has this address; the unspecified one lets the system choose.
    ///
    /// # Errors
    /// The system's: it is no group, or there is no such interface.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io().get_ref().join_multicast_v4(&group, &interface)
    }

    /// Leaves an IPv4 group that it [joined](Self::join_multicast_v4).
    ///
    /// # Errors
    /// The system's: it had not joined.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io().get_ref().leave_multicast_v4(&group, &interface)
    }

    /// Joins an IPv6 group on the interface with this index; 0 lets the system choose.
    ///
    /// # Errors
    /// The system's: it is no group, or there is no such interface.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io().get_ref().join_multicast_v6(group, interface)
    }

    /// Leaves an IPv6 group that it [joined](Self::join_multicast_v6).
    ///
    /// # Errors
    /// The system's: it had not joined.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io().get_ref().leave_multicast_v6(group, interface)
    }

    /// Whether this machine hears what the socket sends to IPv4 groups (`IP_MULTICAST_LOOP`).
    ///
    /// # Errors
    /// The system's.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.io().get_ref().multicast_loop_v4()
    }

    /// Sets whether this machine hears what the socket sends to IPv4 groups (`IP_MULTICAST_LOOP`). On Windows it is the
    /// receiver's option.
    ///
    /// # Errors
    /// The system's.
    pub fn set_multicast_loop_v4(&self, hear: bool) -> io::Result<()> {
        self.io().get_ref().set_multicast_loop_v4(hear)
    }

    /// Whether this machine hears what the socket sends to IPv6 groups (`IPV6_MULTICAST_LOOP`).
    ///
    /// # Errors
    /// The system's.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.io().get_ref().multicast_loop_v6()
    }

    /// Sets whether this machine hears what the socket sends to IPv6 groups (`IPV6_MULTICAST_LOOP`). On Windows it is the
    /// receiver's option.
    ///
    /// # Errors
    /// The system's.
    pub fn set_multicast_loop_v6(&self, hear: bool) -> io::Result<()> {
        self.io().get_ref().set_multicast_loop_v6(hear)
    }

    /// How far datagrams to IPv4 groups go, in hops (`IP_MULTICAST_TTL`).
    ///
    /// # Errors
    /// The system's.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.io().get_ref().multicast_ttl_v4()
    }

    /// Sets how far datagrams to IPv4 groups go, in hops (`IP_MULTICAST_TTL`); 1 keeps them on the local network.
    ///
    /// # Errors
    /// The system's.
    pub fn set_multicast_ttl_v4(&self, hops: u32) -> io::Result<()> {
        self.io().get_ref().set_multicast_ttl_v4(hops)
    }

    /// How far datagrams to IPv6 groups go, in hops (`IPV6_MULTICAST_HOPS`).
    ///
    /// # Errors
    /// The system's.
    pub fn multicast_hops_v6(&self) -> io::Result<u32> {
        self.options().multicast_hops_v6()
    }

    /// Sets how far datagrams to IPv6 groups go, in hops (`IPV6_MULTICAST_HOPS`); 1 keeps them on the local network.
    ///
    /// # Errors
    /// The system's.
    pub fn set_multicast_hops_v6(&self, hops: u32) -> io::Result<()> {
        self.options().set_multicast_hops_v6(hops)
    }

    /// The address of the interface through which it sends to IPv4 groups (`IP_MULTICAST_IF`); unspecified where the system
    /// chooses.
    ///
    /// # Errors
    /// The system's.
    pub fn multicast_if_v4(&self) -> io::Result<Ipv4Addr> {
        self.options().multicast_if_v4()
    }

    /// Sends to IPv4 groups through the interface that has this address (`IP_MULTICAST_IF`); the unspecified one lets the
    /// system choose.
    ///
    /// # Errors
    /// The system's: there is no such interface.
    pub fn set_multicast_if_v4(&self, interface: Ipv4Addr) -> io::Result<()> {
        self.options().set_multicast_if_v4(&interface)
    }

    /// The index of the interface through which it sends to IPv6 groups (`IPV6_MULTICAST_IF`); 0 where the system chooses.
    ///
    /// # Errors
    /// The system's.
    pub fn multicast_if_v6(&self) -> io::Result<u32> {
        self.options().multicast_if_v6()
    }

    /// Sends to IPv6 groups through the interface with this index (`IPV6_MULTICAST_IF`); 0 lets the system choose.
    ///
    /// # Errors
    /// The system's: there is no such interface.
    pub fn set_multicast_if_v6(&self, interface: u32) -> io::Result<()> {
        self.options().set_multicast_if_v6(interface)
    }
}

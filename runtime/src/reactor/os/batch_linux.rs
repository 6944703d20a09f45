//! Several datagrams with one system call: `recvmmsg` and `sendmmsg`.

use super::batch::{BATCH, Incoming, Outgoing};
use core::mem::{self, MaybeUninit};
use core::{array, ptr};
use socket2::{SockAddr, SockAddrStorage};
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Receives what is there, at least one datagram, into the first slots.
///
/// # Errors
/// The system's, if it befalls the first one. It keeps a later one's for the next call.
pub(crate) fn recv_batch(socket: &UdpSocket, slots: &mut [Incoming<'_>]) -> io::Result<usize> {
    let count = slots.len().min(BATCH);
    let mut names: [SockAddrStorage; BATCH] = array::from_fn(|_| SockAddrStorage::zeroed());
    let mut parts: [MaybeUninit<libc::iovec>; BATCH] = [MaybeUninit::uninit(); BATCH];
    let mut headers = [NO_MESSAGE; BATCH];
    for (((slot, name), part), header) in slots.iter_mut().zip(&mut names).zip(&mut parts).zip(&mut headers) {
        let room = slot.room();
        part.write(libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() });
        header.msg_hdr.msg_name = ptr::from_mut(name).cast();
        header.msg_hdr.msg_namelen = name.size_of();
        header.msg_hdr.msg_iov = part.as_mut_ptr();
        header.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: the first `count` headers point to a name and a part each, the parts to the slots' own buffers; all of them
    // outlive the call and are borrowed by nobody else meanwhile.
    let received =
        unsafe { libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, 0, ptr::null_mut()) };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for ((slot, name), header) in slots.iter_mut().zip(names).zip(headers).take(received) {
        // SAFETY: the system wrote an address of this length; a length of 0 leaves the zeros of no family.
        let peer = unsafe { SockAddr::new(name, header.msg_hdr.msg_namelen) };
        let truncated = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
        slot.fill(header.msg_len as usize, peer.as_socket(), truncated);
    }
    Ok(received)
}

/// Sends the first datagrams that there is room for, at least one.
///
/// # Errors
/// The system's, if it befalls the first one.
pub(crate) fn send_batch(socket: &UdpSocket, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
    let count = datagrams.len().min(BATCH);
    let mut names: [Option<SockAddr>; BATCH] = [const { None }; BATCH];
    let mut parts: [MaybeUninit<libc::iovec>; BATCH] = [MaybeUninit::uninit(); BATCH];
    let mut headers = [NO_MESSAGE; BATCH];
    for (((datagram, name), part), header) in datagrams.iter().zip(&mut names).zip(&mut parts).zip(&mut headers) {
        let payload = datagram.payload;
        // The system only reads what a message to be sent points to.
        part.write(libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() });
        if let Some(target) = datagram.target {
            let name = name.insert(target.into());
            header.msg_hdr.msg_name = name.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_namelen = name.len();
        }
        header.msg_hdr.msg_iov = part.as_mut_ptr();
        header.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: the first `count` headers point to a part each, and to a name or to none; all of them and the payloads
    // outlive the call, which only reads them and writes the headers' lengths.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// A header that points to nothing.
// SAFETY: it consists of numbers and pointers, for which zero is a value.
const NO_MESSAGE: libc::mmsghdr = unsafe { mem::zeroed() };

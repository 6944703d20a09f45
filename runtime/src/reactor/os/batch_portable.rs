//! Several datagrams where there is a system call for each.

use super::batch::{BATCH, Incoming, Outgoing};
use super::uninit::as_uninit;
use socket2::{MaybeUninitSlice, SockRef};
use std::io;
use std::net::UdpSocket;

/// Receives what is there, at least one datagram, into the first slots.
///
/// # Errors
/// The system's, if it befalls the first one.
pub(crate) fn recv_batch(socket: &UdpSocket, slots: &mut [Incoming<'_>]) -> io::Result<usize> {
    let socket = SockRef::from(socket);
    let receive = |slot: &mut Incoming<'_>| {
        // SAFETY: socket2 writes nothing but what was received, which is bytes.
        let mut room = [MaybeUninitSlice::new(unsafe { as_uninit(slot.room()) })];
        let (len, flags, peer) = socket.recv_from_vectored(&mut room)?;
        slot.fill(len, peer.as_socket(), flags.is_truncated());
        Ok(())
    };
    until_it_fails(slots.iter_mut().map(receive))
}

/// Sends the first datagrams that there is room for, at least one.
///
/// # Errors
/// The system's, if it befalls the first one.
pub(crate) fn send_batch(socket: &UdpSocket, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
    until_it_fails(datagrams.iter().map(|datagram| match datagram.target {
        Some(target) => socket.send_to(datagram.payload, target).map(drop),
        None => socket.send(datagram.payload).map(drop),
    }))
}

/// How many went well before one did not. A failure after that is not told: most are `WouldBlock`, which comes again, and
/// of what happened to datagrams sent earlier UDP promises no news.
fn until_it_fails(calls: impl Iterator<Item = io::Result<()>>) -> io::Result<usize> {
    let mut done = 0;
    for call in calls.take(BATCH) {
        match call {
            Ok(()) => done += 1,
            Err(e) if done == 0 => return Err(e),
            Err(_) => break,
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_each_does_what_one_call_for_all_does() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_nonblocking(true).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = receiver.local_addr().unwrap();
        sender.connect(to).unwrap();
        let mut bufs = [[0; 4]; 4];
        let mut slots: Vec<_> = bufs.iter_mut().map(|buf| Incoming::new(buf)).collect();
        assert_eq!(recv_batch(&receiver, &mut slots).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let datagrams = [Outgoing::new(b"one"), Outgoing::new(b""), Outgoing::new(b"three")];
        assert_eq!(send_batch(&sender, &datagrams).unwrap(), 3);
        assert_eq!(recv_batch(&receiver, &mut slots).unwrap(), 3);
        let received: Vec<_> = slots.iter().map(|s| (s.payload(), s.is_truncated(), s.peer())).collect();
        let peer = Some(sender.local_addr().unwrap());
        let none: &[u8] = b"";
        assert_eq!(
            received,
            [(&b"one"[..], false, peer), (none, false, peer), (b"thre", true, peer), (none, false, None)]
        );
    }
}

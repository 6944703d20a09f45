//! Descriptors of the user's own, on every backend.

use super::{AsyncFd, Interest, TryIoError};
use crate::reactor::testing::{Count, by_hand, driven, turn};
use ::futures::executor::block_on;
use ::futures::join;
use core::task::Poll;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours, theirs)
}

#[test]
fn readiness_is_not_claimed_before_the_system_says_so() {
    by_hand(|reactor| {
        let (ours, mut theirs) = pair();
        let fd = AsyncFd::on(reactor, ours, Interest::BOTH).unwrap();
        let task = Count::new();
        let mut readable = fd.readable();
        assert!(task.poll(&mut readable).is_pending());
        theirs.write_all(b"x").unwrap();
        while task.wakes() == 0 {
            turn(reactor);
        }
        let Poll::Ready(Ok(mut guard)) = task.poll(&mut readable) else { panic!("woken and not readable") };
        assert!(!guard.is_closed());
        // Readiness stays until it is used up.
        assert!(task.poll(&mut fd.readable()).is_ready());
        let mut buf = [0; 8];
        let read = |mut s: &UnixStream| s.read(&mut buf);
        assert_eq!(guard.try_io(read).unwrap().unwrap(), 1);
        assert_eq!(guard.try_io(|mut s| s.read(&mut [0; 8])).unwrap_err(), TryIoError);
        assert!(task.poll(&mut fd.readable()).is_pending());
    });
}

#[test]
fn an_operation_of_the_users_own_is_repeated_until_it_gets_on() {
    driven(|reactor| {
        let (ours, theirs) = pair();
        theirs.set_nonblocking(true).unwrap();
        let ours = AsyncFd::on(reactor, ours, Interest::BOTH).unwrap();
        let theirs = AsyncFd::on(reactor, theirs, Interest::BOTH).unwrap();
        let sent = vec![3; 1 << 20];
        let writes = async {
            let mut left = &sent[..];
            while !left.is_empty() {
                let n = ours.async_io(Interest::WRITABLE, |mut s| s.write(left)).await.unwrap();
                left = &left[n..];
            }
            ours.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        };
        let reads = async {
            let mut got = Vec::new();
            let mut buf = vec![0; 1 << 16];
            loop {
                match theirs.async_io(Interest::READABLE, |mut s| s.read(&mut buf)).await.unwrap() {
                    0 => break got,
                    n => got.extend_from_slice(&buf[..n]),
                }
            }
        };
        let ((), got) = block_on(async { join!(writes, reads) });
        assert!(got == sent);
    });
}

#[test]
fn an_operation_on_either_direction_runs_when_one_of_them_is_ready() {
    driven(|reactor| {
        let (ours, _theirs) = pair();
        let fd = AsyncFd::on(reactor, ours, Interest::BOTH).unwrap();
        let n = block_on(fd.async_io(Interest::BOTH, |mut s| s.write(b"out"))).unwrap();
        assert_eq!(n, 3);
    });
}

#[test]
fn a_direction_nobody_asked_for_is_an_error_and_not_a_wait_for_ever() {
    by_hand(|reactor| {
        let (ours, _theirs) = pair();
        let fd = AsyncFd::on(reactor, ours, Interest::READABLE).unwrap();
        let kinds = [
            block_on(fd.writable()).map(drop).unwrap_err().kind(),
            block_on(fd.async_io(Interest::BOTH, |_| Err::<(), _>(io::ErrorKind::WouldBlock.into())))
                .unwrap_err()
                .kind(),
        ];
        assert_eq!(kinds, [ErrorKind::InvalidInput; 2]);
    });
}

#[test]
fn a_descriptor_that_is_given_back_can_be_watched_again() {
    driven(|reactor| {
        let (mut ours, mut theirs) = pair();
        for _ in 0..3 {
            let fd = AsyncFd::on(reactor, ours, Interest::READABLE).unwrap();
            theirs.write_all(b"x").unwrap();
            let read = block_on(fd.async_io(Interest::READABLE, |mut s| s.read(&mut [0; 8])));
            assert_eq!(read.unwrap(), 1);
            ours = fd.into_inner();
        }
        assert_eq!(reactor.registered(), 0);
    });
}

#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! A descriptor that is closed behind the runtime's back, by its number, while it is registered.
//!
//! Whoever does that breaks the contract of I/O safety, and in debug builds std ends the process where the owner closes it
//! once more; so each test puts something at the number before its owner goes. What has to hold all the same: the next
//! call on it is an error, a wait for it can be given up, nothing spins, and nobody else notices. What cannot hold: the
//! system says nothing to a wait that goes on, and the registration of whoever registers the same number *before* the
//! first owner has gone ends with the first owner's, because the system knows both by nothing but their number.
#![cfg(target_os = "linux")]

mod fixtures;

use fixtures::{every_reactor, poll_once};
use futures::join;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use weftwork::Handle;
use weftwork::io::{AsyncFd, Interest};
use weftwork::net::{TcpListener, TcpStream};
use weftwork::time::timeout;

/// A wait that nothing ends is given up after this; nothing waits for it that could be late.
const GIVEN_UP: Duration = Duration::from_millis(50);
/// Turns of a reactor that has nothing to do but to let that time pass; one that spins takes thousands.
const TURNS_OF_A_WAIT: u64 = 50;

/// The descriptors of a process are one table: what a test closes must not become another's meanwhile.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn close(number: RawFd) {
    // SAFETY: that it is somebody's is the subject here; who that is puts something in its place before dropping it.
    assert_eq!(unsafe { libc::close(number) }, 0);
}

/// Makes a number name what `what` names; what it named is closed.
fn name_by(number: RawFd, what: impl AsFd) {
    // SAFETY: as in `close`.
    assert_eq!(unsafe { libc::dup2(what.as_fd().as_raw_fd(), number) }, number);
}

/// So that the owner of a number has something to close.
fn put_something_at(number: RawFd) {
    let something = File::open("/dev/null").unwrap();
    if something.as_raw_fd() == number {
        // The system gave it the number by itself.
        let _ = something.into_raw_fd();
    } else {
        name_by(number, something);
    }
}

/// A number, without the duty to close it.
#[derive(Debug)]
struct Number(RawFd);

impl AsFd for Number {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the callers look at what it names now, whatever that is; see `close`.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (one, other) = join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

async fn talk(one: &TcpStream, other: &TcpStream) {
    for (speaks, listens) in [(one, other), (other, one)] {
        let heard = async {
            let mut word = [0; 4];
            listens.read_exact(&mut word).await.unwrap();
            word
        };
        let (heard, said) = join!(heard, speaks.write_all(b"word"));
        said.unwrap();
        assert_eq!(&heard, b"word");
    }
}

#[track_caller]
fn assert_not_open<T: std::fmt::Debug>(result: io::Result<T>) {
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EBADF));
}

fn turns() -> u64 {
    Handle::current().metrics().reactor_turns
}

#[test]
fn the_next_call_on_a_closed_descriptor_is_an_error_and_others_go_on() {
    let _alone = alone();
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            let (near, far) = connected().await;
            let before = Handle::current().metrics().registered;
            other.write_all(b"unread").await.unwrap();
            one.readable().await.unwrap();
            close(one.as_raw_fd());
            assert_not_open(one.read(&mut [0; 4]).await);
            assert_not_open(one.try_read(&mut [0; 4]));
            assert_not_open(one.write(b"more").await);
            talk(&near, &far).await;
            put_something_at(one.as_raw_fd());
            drop(one);
            assert_eq!(Handle::current().metrics().registered, before - 1);
            talk(&near, &far).await;
        });
        run.unwrap();
    });
}

#[test]
fn a_wait_for_a_closed_descriptor_can_be_given_up_and_does_not_spin() {
    let _alone = alone();
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            let (near, far) = connected().await;
            {
                let mut buffer = [0; 4];
                let mut read = one.read(&mut buffer);
                assert!(poll_once(&mut read).is_pending());
                close(one.as_raw_fd());
                assert_not_open(one.write(b"more").await);
                // The peer is told what is true: the connection has ended.
                assert_eq!(other.read(&mut [0; 4]).await.unwrap(), 0);
                let before = turns();
                // The system says nothing to who waits already. Where it is asked again, it tells.
                if let Ok(read) = timeout(GIVEN_UP, read).await {
                    assert_not_open(read);
                }
                let taken = turns() - before;
                assert!(taken < TURNS_OF_A_WAIT, "{taken} turns");
            }
            put_something_at(one.as_raw_fd());
            drop(one);
            talk(&near, &far).await;
        });
        run.unwrap();
    });
}

#[test]
fn who_gets_the_number_next_is_left_alone() {
    let _alone = alone();
    every_reactor(|builder| {
        let run = builder.run(async {
            let (first, _first_peer) = UnixStream::pair().unwrap();
            let (second, mut second_peer) = UnixStream::pair().unwrap();
            second.set_nonblocking(true).unwrap();
            let number = first.as_raw_fd();
            first.set_nonblocking(true).unwrap();
            let watched = AsyncFd::new(Number(number)).unwrap();
            let mut waits = watched.readable();
            assert!(poll_once(&mut waits).is_pending());
            // From here on the number is the second socket's, of which the runtime knows nothing.
            name_by(number, &second);
            second_peer.write_all(b"word").unwrap();
            let before = turns();
            assert!(timeout(GIVEN_UP, waits).await.is_err(), "it is told of a stranger's data");
            let taken = turns() - before;
            assert!(taken < TURNS_OF_A_WAIT, "{taken} turns");
            drop(watched);
            // It was not closed, and it can be watched in its turn.
            let stranger = AsyncFd::new(first).unwrap();
            let mut word = [0; 4];
            let read = stranger.async_io(Interest::READABLE, |mut socket| socket.read(&mut word)).await;
            assert_eq!(read.unwrap(), 4);
            assert_eq!(&word, b"word");
        });
        run.unwrap();
    });
}

#[test]
fn events_of_a_socket_that_lives_on_under_another_number_reach_nobody_else() {
    let _alone = alone();
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = connected().await;
            let (near, far) = connected().await;
            // The system goes on to watch the socket as long as any number names it, and cannot be told to stop.
            let lives_on = one.as_fd().try_clone_to_owned().unwrap();
            close(one.as_raw_fd());
            other.write_all(b"word").await.unwrap();
            if let Ok(read) = timeout(GIVEN_UP, one.read(&mut [0; 4])).await {
                assert_not_open(read);
            }
            put_something_at(one.as_raw_fd());
            drop(one);
            // Registrations that may take the place of the one that has gone.
            let (here, there) = connected().await;
            let before = turns();
            other.write_all(b"more").await.unwrap();
            assert!(timeout(GIVEN_UP, here.read(&mut [0; 4])).await.is_err(), "it is told of another's data");
            let taken = turns() - before;
            assert!(taken < TURNS_OF_A_WAIT, "{taken} turns");
            talk(&here, &there).await;
            talk(&near, &far).await;
            drop(lives_on);
        });
        run.unwrap();
    });
}

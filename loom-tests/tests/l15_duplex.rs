//! A stream in memory (L15): no byte is lost or doubled, an end that waits is woken by bytes, by room and by the other's
//! leaving, and nobody's waker stays behind.
#![cfg(weftwork_loom)]

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use futures_io::{AsyncRead as _, AsyncWrite as _};
use std::io::ErrorKind;
use weftwork::io::{DuplexStream, duplex};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::primitive::thread;

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// Reads what is there, at most one byte; `None` at the end.
fn read(stream: &mut DuplexStream) -> Option<u8> {
    let mut byte = [0];
    let count = block_on(poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut byte))).unwrap();
    (count == 1).then_some(byte[0])
}

fn write(stream: &mut DuplexStream, byte: u8) -> Result<(), ErrorKind> {
    match block_on(poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, &[byte]))) {
        Ok(count) => {
            assert_eq!(count, 1);
            Ok(())
        }
        Err(error) => Err(error.kind()),
    }
}

fn close(stream: &mut DuplexStream) {
    let closed = Pin::new(stream).poll_close(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(closed, Poll::Ready(Ok(()))));
}

/// Leaves a waker that nobody listens to, if there is nothing to read.
fn look(stream: &mut DuplexStream) -> Option<u8> {
    let mut byte = [0];
    match Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut byte) {
        Poll::Ready(Ok(1)) => Some(byte[0]),
        Poll::Ready(_) => panic!("the writer is still there"),
        Poll::Pending => None,
    }
}

#[test]
fn bytes_arrive_in_order_and_then_the_end() {
    check("duplex/in_order", Bound::Preemptions(3), Bound::Preemptions(5), || {
        let (mut here, mut there) = duplex(1);
        let writer = spawn(move || {
            write(&mut there, 1).unwrap();
            write(&mut there, 2).unwrap();
        });
        assert_eq!([read(&mut here), read(&mut here), read(&mut here)], [Some(1), Some(2), None]);
        writer.join().unwrap();
    });
}

#[test]
fn closing_wakes_a_reader_and_leaves_the_way_back_open() {
    check("duplex/close_against_read", Bound::Unbounded, Bound::Unbounded, || {
        let (mut here, mut there) = duplex(1);
        let other = spawn(move || {
            close(&mut there);
            read(&mut there)
        });
        assert_eq!(read(&mut here), None);
        write(&mut here, 7).unwrap();
        assert_eq!(other.join().unwrap(), Some(7));
    });
}

#[test]
fn a_dropped_end_wakes_a_writer_that_waits_for_room() {
    check("duplex/drop_against_write", Bound::Unbounded, Bound::Unbounded, || {
        let (mut here, there) = duplex(1);
        let other = spawn(move || drop(there));
        let mut written = 0;
        let error = loop {
            match write(&mut here, 1) {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error, ErrorKind::BrokenPipe);
        assert!(written <= 1, "nobody made room");
        other.join().unwrap();
    });
}

#[test]
fn a_read_makes_room_for_a_writer_that_waits() {
    check("duplex/read_makes_room", Bound::Unbounded, Bound::Unbounded, || {
        let (mut here, mut there) = duplex(1);
        write(&mut here, 1).unwrap();
        let other = spawn(move || {
            assert_eq!(read(&mut there), Some(1));
            there
        });
        write(&mut here, 2).unwrap();
        let mut there = other.join().unwrap();
        assert_eq!(read(&mut there), Some(2));
    });
}

#[test]
fn a_reader_that_changes_its_waker_is_woken_by_the_new_one() {
    check("duplex/waker_replaced", Bound::Unbounded, Bound::Unbounded, || {
        let (mut here, mut there) = duplex(1);
        let writer = spawn(move || {
            write(&mut there, 7).unwrap();
            there
        });
        let found = look(&mut here).or_else(|| read(&mut here));
        assert_eq!(found, Some(7));
        writer.join().unwrap();
    });
}

#[test]
fn both_ends_ask_and_answer_at_once() {
    check("duplex/both_ways", Bound::Unbounded, Bound::Unbounded, || {
        let (mut here, mut there) = duplex(1);
        let other = spawn(move || {
            write(&mut there, 2).unwrap();
            read(&mut there)
        });
        write(&mut here, 1).unwrap();
        assert_eq!(read(&mut here), Some(2));
        assert_eq!(other.join().unwrap(), Some(1));
    });
}

#[test]
fn both_ends_leave_while_they_wait() {
    check("duplex/both_leave", Bound::Unbounded, Bound::Unbounded, || {
        let (mut here, mut there) = duplex(1);
        assert_eq!(look(&mut here), None);
        assert_eq!(look(&mut there), None);
        let other = spawn(move || drop(there));
        drop(here);
        other.join().unwrap();
    });
}

//! The reactor on every backend.

use super::registered::Left;
use super::testing::{BACKENDS, Count, Driven, by_hand, driven, look, pair, turn};
use super::*;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use weftwork_sync::primitive::thread;

fn register(reactor: &Shared<Reactor>, stream: TcpStream) -> Registered<TcpStream> {
    Registered::new(reactor, stream, Interest::BOTH, First::Wait).unwrap()
}

fn poll_in(io: &Registered<TcpStream>, count: &Count) -> Poll<io::Result<Ready>> {
    io.poll_ready(Way::In, &mut Place::Anonymous, false, &mut Context::from_waker(&count.waker()))
}

fn poll_out(io: &Registered<TcpStream>, count: &Count) -> Poll<io::Result<Ready>> {
    io.poll_ready(Way::Out, &mut Place::Anonymous, false, &mut Context::from_waker(&count.waker()))
}

fn read(io: &Registered<TcpStream>, count: &Count, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    io.poll_io(Way::In, &mut Place::Anonymous, false, &mut Context::from_waker(&count.waker()), |mut s| {
        let n = s.read(buf)?;
        Ok((n, if 0 < n && n < buf.len() { Left::Nothing } else { Left::Perhaps }))
    })
}

#[test]
fn an_event_wakes_whoever_waits_for_its_direction() {
    by_hand(|reactor| {
        let (ours, mut theirs) = pair();
        let io = register(reactor, ours);
        let (reader, writer) = (Count::new(), Count::new());
        assert!(poll_in(&io, &reader).is_pending());
        assert!(poll_out(&io, &writer).is_pending());
        turn(reactor);
        assert_eq!((reader.wakes(), writer.wakes()), (0, 1));
        theirs.write_all(b"x").unwrap();
        turn(reactor);
        assert_eq!((reader.wakes(), writer.wakes()), (1, 1));
        assert!(poll_in(&io, &reader).is_ready());
    });
}

#[test]
fn smol_115_the_direction_that_did_not_fire_stays_armed() {
    by_hand(|reactor| {
        let (ours, mut theirs) = pair();
        let io = register(reactor, ours);
        let (reader, writer) = (Count::new(), Count::new());
        assert!(poll_in(&io, &reader).is_pending());
        assert!(poll_out(&io, &writer).is_pending());
        // The writer's event comes alone and must not cost the reader its own.
        turn(reactor);
        assert_eq!((reader.wakes(), writer.wakes()), (0, 1));
        theirs.write_all(b"x").unwrap();
        turn(reactor);
        assert_eq!(reader.wakes(), 1);
    });
}

#[test]
fn data_and_an_end_in_one_edge_are_both_read() {
    by_hand(|reactor| {
        let (ours, mut theirs) = pair();
        let io = register(reactor, ours);
        let reader = Count::new();
        let mut buf = [0; 64];
        assert!(read(&io, &reader, &mut buf).is_pending());
        theirs.write_all(b"last words").unwrap();
        testing::end(&theirs);
        // On the loopback both have arrived when the calls return: one look finds them.
        turn(reactor);
        assert_eq!(reader.wakes(), 1);
        assert!(matches!(read(&io, &reader, &mut buf), Poll::Ready(Ok(10))));
        // A short read, and no further event will come; the end must be found all the same.
        assert!(matches!(read(&io, &reader, &mut buf), Poll::Ready(Ok(0))));
        assert!(matches!(read(&io, &reader, &mut buf), Poll::Ready(Ok(0))));
    });
}

#[test]
fn an_end_after_a_short_read_is_an_event_of_its_own() {
    by_hand(|reactor| {
        let (ours, mut theirs) = pair();
        let io = register(reactor, ours);
        let reader = Count::new();
        let mut buf = [0; 64];
        theirs.write_all(b"words").unwrap();
        assert!(read(&io, &reader, &mut buf).is_pending());
        turn(reactor);
        assert!(matches!(read(&io, &reader, &mut buf), Poll::Ready(Ok(5))));
        assert!(read(&io, &reader, &mut buf).is_pending());
        testing::end(&theirs);
        turn(reactor);
        assert!(matches!(read(&io, &reader, &mut buf), Poll::Ready(Ok(0))));
    });
}

#[test]
fn smol_111_a_hang_up_nobody_waits_for_is_not_a_busy_loop() {
    by_hand(|reactor| {
        let (ours, theirs) = pair();
        let io = register(reactor, ours);
        io.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
        drop(theirs);
        let events: usize = (0..64).map(|_| look(reactor)).sum();
        assert!(events <= 3, "{events} events of one hang-up");
        // It was not forgotten either.
        let reader = Count::new();
        while poll_in(&io, &reader).is_pending() {
            turn(reactor);
        }
    });
}

#[test]
fn a_reset_reaches_reader_and_writer() {
    by_hand(|reactor| {
        let (ours, theirs) = pair();
        let io = register(reactor, ours);
        let (reader, writer) = (Count::new(), Count::new());
        assert!(poll_in(&io, &reader).is_pending());
        socket2::SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
        drop(theirs);
        turn(reactor);
        let mut buf = [0; 8];
        match read(&io, &reader, &mut buf) {
            Poll::Ready(Err(e)) => assert_eq!(e.kind(), io::ErrorKind::ConnectionReset),
            other => panic!("{other:?} from a connection that was reset"),
        }
        assert!(poll_out(&io, &writer).is_ready());
    });
}

#[test]
fn wasmer_6608_a_stale_event_does_not_reach_the_next_owner_of_the_number() {
    for backend in BACKENDS {
        let reactor = Reactor::new(backend).unwrap();
        let (ours, mut theirs) = pair();
        let io = register(&reactor, ours);
        let reader = Count::new();
        assert!(poll_in(&io, &reader).is_pending());
        theirs.write_all(b"for the first owner").unwrap();

        // The first half of a turn: the system hands the event out ...
        let mut seat = reactor.seat.lock();
        reactor.poller.wait(seat.events(), None).unwrap();
        // ... the descriptor is closed, and its number goes to another socket, whose slot is fresh.
        let number = os::raw(polling::AsSource::source(io.get_ref()));
        drop(io);
        let mut next = Vec::new();
        let mut heir = None;
        // The lowest free number is given out first; a test that runs beside this one may be quicker.
        while heir.is_none() && next.len() < 16 {
            let (one, other) = pair();
            other.set_nonblocking(true).unwrap();
            next.extend([one, other]);
            heir = next.iter().position(|s| os::raw(polling::AsSource::source(s)) == number);
        }
        let heir = next.swap_remove(heir.unwrap_or(0));
        let heir = register(&reactor, heir);
        // ... and the second half: nobody gets it.
        let mut ready = Vec::new();
        assert_eq!(reactor.poller.deliver(seat.events(), &reactor.registry, &mut ready), 0);
        assert!(ready.is_empty());
        assert!(heir.registration().now(Way::In).is_none());
        drop(seat);
        assert_eq!(reactor.registered(), 1);
    }
}

#[test]
fn shutdown_wakes_everybody_and_ends_all_waiting() {
    by_hand(|reactor| {
        let sockets: Vec<_> = (0..4).map(|_| pair()).map(|(ours, theirs)| (register(reactor, ours), theirs)).collect();
        let counts: Vec<_> = sockets.iter().map(|_| [Count::new(), Count::new()]).collect();
        for ((io, _), [one, other]) in sockets.iter().zip(&counts) {
            // One in the cell, one on the list.
            assert!(poll_in(io, one).is_pending() && poll_in(io, other).is_pending());
        }
        reactor.shutdown().unwrap();
        for ((io, _), [one, other]) in sockets.iter().zip(&counts) {
            assert_eq!((one.wakes(), other.wakes()), (1, 1));
            let Poll::Ready(Err(e)) = poll_in(io, one) else { panic!("waiting went on after shutdown") };
            assert_eq!(e.to_string(), "the runtime that owned this socket has shut down");
            assert!(matches!(poll_out(io, one), Poll::Ready(Err(_))));
        }
        let (ours, _theirs) = pair();
        assert!(Registered::new(reactor, ours, Interest::BOTH, First::Try).is_err());
    });
}

#[test]
fn tokio_2924_a_registration_that_races_with_shutdown_is_refused_or_woken() {
    driven(|reactor| {
        let racing = reactor.clone();
        let registers = move || {
            let mut refused = 0;
            while refused < 3 {
                let (ours, _theirs) = pair();
                match Registered::new(&racing, ours, Interest::BOTH, First::Wait) {
                    Err(_) => refused += 1,
                    // It must end, one way or the other.
                    Ok(io) => drop(::futures::executor::block_on(std::future::poll_fn(|cx| {
                        io.poll_ready(Way::Out, &mut Place::Anonymous, false, cx)
                    }))),
                }
            }
        };
        let registers = thread::spawn("registers".into(), registers).unwrap();
        while reactor.events() < 8 {
            thread::yield_now();
        }
        reactor.shutdown().unwrap();
        registers.join().unwrap();
        assert_eq!(reactor.registered(), 0);
    });
}

#[test]
fn a_notification_ends_the_wait_whether_it_comes_before_or_during_it() {
    by_hand(|reactor| {
        let mut ready = Vec::new();
        for _ in 0..3 {
            reactor.notify();
            reactor.notify();
            assert_eq!(reactor.try_enter().unwrap().run(None, &mut ready).unwrap(), 0);
        }
        // Nobody waited, so nobody had to be called out.
        assert_eq!(reactor.notifies(), 0);
        let waits = reactor.clone();
        let waits = thread::spawn("waits".into(), move || {
            let mut ready = Vec::new();
            for _ in 0..64 {
                waits.try_enter().unwrap().run(None, &mut ready).unwrap();
            }
        });
        let waits = waits.unwrap();
        while !waits.is_finished() {
            reactor.notify();
        }
        waits.join().unwrap();
        assert!(reactor.turns() >= 67);
    });
}

#[test]
fn one_thread_at_a_time_takes_turns() {
    by_hand(|reactor| {
        let turn = reactor.try_enter();
        assert!(turn.is_some() && reactor.try_enter().is_none());
        drop(turn);
        assert!(reactor.try_enter().is_some());
    });
}

#[test]
fn a_turn_ends_by_its_timeout() {
    by_hand(|reactor| {
        let mut ready = Vec::new();
        let mut turn = reactor.try_enter().unwrap();
        for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(300)] {
            assert_eq!(turn.run(Some(timeout), &mut ready).unwrap(), 0);
        }
    });
}

#[cfg(unix)]
#[test]
fn what_cannot_be_registered_is_refused_with_advice() {
    use std::os::fd::{FromRawFd, OwnedFd};
    by_hand(|reactor| {
        let file = std::fs::File::open("/proc/self/exe").or_else(|_| std::fs::File::open("/bin/sh")).unwrap();
        let refused = Registered::new(reactor, file, Interest::READABLE, First::Wait).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported, "{refused}");
        assert!(refused.to_string().contains("to_thread"), "{refused}");

        let (ours, _theirs) = pair();
        let io = register(reactor, ours);
        let again = Registered::new(reactor, io.get_ref(), Interest::BOTH, First::Wait).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists, "{again}");
        // The refusal left the first registration alone.
        assert_eq!(reactor.registered(), 1);
        assert!(poll_out(&io, &Count::new()).is_pending());
        turn(reactor);
        assert!(poll_out(&io, &Count::new()).is_ready());

        // SAFETY: a number far above any that is open; it is not closed, see the forget below.
        let closed = unsafe { OwnedFd::from_raw_fd(1 << 20) };
        let refused = Registered::new(reactor, &closed, Interest::BOTH, First::Wait).unwrap_err();
        std::mem::forget(closed);
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{refused}");
    });
}

#[test]
fn a_descriptor_is_forgotten_before_it_is_closed_and_can_come_back() {
    by_hand(|reactor| {
        let (ours, _theirs) = pair();
        let mut stream = ours;
        for _ in 0..3 {
            let io = register(reactor, stream);
            let writer = Count::new();
            assert!(poll_out(&io, &writer).is_pending());
            turn(reactor);
            assert!(poll_out(&io, &writer).is_ready());
            stream = io.into_inner();
            assert_eq!(reactor.registered(), 0);
        }
    });
}

#[test]
fn wakers_that_are_left_are_dropped_with_the_registration() {
    by_hand(|reactor| {
        let (ours, _theirs) = pair();
        let io = register(reactor, ours);
        let (one, other) = (Count::new(), Count::new());
        assert!(poll_in(&io, &one).is_pending() && poll_in(&io, &other).is_pending());
        assert_eq!((one.wakers(), other.wakers()), (1, 1));
        drop(io);
        assert_eq!((one.wakers(), other.wakers()), (0, 0));
    });
}

#[test]
fn smol_78_every_one_of_many_waiters_is_served() {
    for backend in BACKENDS {
        let driven = Driven::new(backend);
        let (ours, mut theirs) = pair();
        let io = Shared::new(Registered::new(&driven.reactor, ours, Interest::BOTH, First::Try).unwrap());
        let write_all = |io: Shared<Registered<TcpStream>>| {
            move || {
                let mut left = 256 * 1024;
                while left > 0 {
                    let chunk = [7; 4096];
                    let written = ::futures::executor::block_on(std::future::poll_fn(|cx| {
                        io.poll_io(Way::Out, &mut Place::Anonymous, false, cx, |mut s| {
                            Ok((s.write(&chunk[..chunk.len().min(left)])?, Left::Perhaps))
                        })
                    }));
                    left -= written.unwrap();
                }
            }
        };
        let writers: Vec<_> = (0..8).map(|_| thread::spawn("writes".into(), write_all(io.clone())).unwrap()).collect();
        let mut all = vec![0; 8 * 256 * 1024];
        theirs.read_exact(&mut all).unwrap();
        assert!(all.iter().all(|b| *b == 7));
        writers.into_iter().for_each(|w| w.join().unwrap());
    }
}

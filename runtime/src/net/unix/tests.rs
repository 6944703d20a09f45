//! What happens when a listener's queue is full, which takes a queue shorter than a user can ask for. The other tests are
//! in tests/tests/unix*.rs.

use crate::net::{UnixListener, UnixStream};
use crate::runtime::{Builder, ReactorBackend};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use socket2::SockRef;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;

/// A listener in whose queue one connection finds room.
fn short_queue(name: &str) -> (UnixListener, SocketAddr) {
    let name = format!("weftwork-{}-{name}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    SockRef::from(&listener).listen(0).unwrap();
    (listener, address)
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn on_every_reactor(test: impl AsyncFn(&str)) {
    for (backend, name) in [(ReactorBackend::Default, "default"), (ReactorBackend::Portable, "portable")] {
        Builder::new_current_thread().reactor(backend).run(test(name)).unwrap();
    }
}

#[test]
fn a_connect_waits_while_the_queue_is_full() {
    on_every_reactor(async |backend| {
        let (listener, address) = short_queue(&format!("waits-{backend}"));
        let first = UnixStream::connect_addr(&address).await.unwrap();
        let mut second = UnixStream::connect_addr(&address);
        assert!(poll(&mut second).is_pending());
        let (accepted, _) = listener.accept().await.unwrap();
        let second = second.await.unwrap();
        let (next, _) = listener.accept().await.unwrap();
        // Each is connected with its own.
        for (n, (client, server)) in [(&first, &accepted), (&second, &next)].into_iter().enumerate() {
            let number = u8::try_from(n).unwrap();
            client.write_all(&[number]).await.unwrap();
            let mut byte = [9];
            server.read_exact(&mut byte).await.unwrap();
            assert_eq!(byte, [number]);
        }
    });
}

#[test]
fn a_connect_that_waits_hears_that_the_listener_is_gone() {
    on_every_reactor(async |backend| {
        let (listener, address) = short_queue(&format!("gone-{backend}"));
        let _first = UnixStream::connect_addr(&address).await.unwrap();
        let mut second = UnixStream::connect_addr(&address);
        assert!(poll(&mut second).is_pending());
        drop(listener);
        assert_eq!(second.await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_connect_that_is_given_up_takes_no_place() {
    on_every_reactor(async |backend| {
        let (listener, address) = short_queue(&format!("given-up-{backend}"));
        let _first = UnixStream::connect_addr(&address).await.unwrap();
        let mut second = UnixStream::connect_addr(&address);
        assert!(poll(&mut second).is_pending());
        drop(second);
        listener.accept().await.unwrap();
        assert!(poll(&mut listener.accept()).is_pending());
    });
}

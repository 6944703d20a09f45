//! A server inside the process of its test.

use super::{HANG, LogLines};
use examples::latch::Latch;
use examples::log::Log;
use examples::server::{Ended, Limits, Server, Service};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use weftwork::net::TcpListener;
use weftwork::runtime::Builder;

/// A server on a thread of its own, and what it says at its end.
pub struct Running<E = Ended> {
    pub address: SocketAddr,
    pub log: LogLines,
    pub stop: Arc<Latch>,
    thread: JoinHandle<E>,
}

impl<E: Send + 'static> Running<E> {
    /// Serves on a port that the system chooses, until the latch is set.
    pub fn serving<S: Future<Output = E>>(
        builder: Builder,
        serve: impl FnOnce(TcpListener, Log, Arc<Latch>) -> S + Send + 'static,
    ) -> Self {
        let (lines, log) = mpsc::channel();
        let (addresses, address) = mpsc::channel();
        let stop = Arc::new(Latch::default());
        let theirs = stop.clone();
        let thread = std::thread::spawn(move || {
            let log = Log::to(move |line| drop(lines.send(line.to_owned())));
            let serves = async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                addresses.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, log, theirs).await
            };
            builder.run(serves).unwrap()
        });
        Self { address: address.recv_timeout(HANG).unwrap(), log: LogLines(log), stop, thread }
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(self) -> E {
        self.stop.set();
        self.thread.join().unwrap()
    }
}

impl Running {
    /// Starts a server for a service.
    pub fn start<S: Service>(
        builder: Builder,
        limits: Limits,
        service: impl FnOnce(Log) -> S + Send + 'static,
    ) -> Self {
        Self::serving(builder, move |listener, log, stop| async move {
            let server = Server::new(listener, service(log.clone()), limits, log);
            server.serve_until(stop.reached()).await.unwrap()
        })
    }
}

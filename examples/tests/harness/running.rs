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

/// A server on a thread of its own.
pub struct Running {
    pub address: SocketAddr,
    pub log: LogLines,
    pub stop: Arc<Latch>,
    thread: JoinHandle<Ended>,
}

impl Running {
    /// Starts a server on a port that the system chooses.
    pub fn start<S: Service>(
        builder: Builder,
        limits: Limits,
        service: impl FnOnce(Log) -> S + Send + 'static,
    ) -> Self {
        let (lines, log) = mpsc::channel();
        let (addresses, address) = mpsc::channel();
        let stop = Arc::new(Latch::default());
        let theirs = stop.clone();
        let thread = std::thread::spawn(move || {
            let log = Log::to(move |line| drop(lines.send(line.to_owned())));
            let serve = async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let server = Server::new(listener, service(log.clone()), limits, log);
                addresses.send(address).unwrap();
                server.serve_until(theirs.reached()).await.unwrap()
            };
            builder.run(serve).unwrap()
        });
        Self { address: address.recv_timeout(HANG).unwrap(), log: LogLines(log), stop, thread }
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(self) -> Ended {
        self.stop.set();
        self.thread.join().unwrap()
    }
}

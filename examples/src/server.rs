//! A TCP server: at most so many clients at once, each served by a task, and an end that lets them finish.
//!
//! ```text
//!             accepts                        stop                    all gone, or the grace is over
//!  serving  ----------->  a task per client ------>  closing                ---------->  ended
//!                         holds a place              listener closed,
//!                                                    idle clients sent away
//! ```
//!
//! The places are a [`Semaphore`]: a client that is accepted takes a permit, and its task gives it back. So waiting for the
//! last client is waiting for all permits, and no list of tasks grows with the server's age.

use crate::connection::{Connection, End};
use crate::latch::Latch;
use crate::log::Log;
use futures::future::{Either, select};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::sync::Semaphore;
use weftwork::time::timeout;

/// What is done with a client.
pub trait Service: Send + Sync + 'static {
    /// What a client hears for whom there is no place.
    const FULL: &'static str;

    /// Serves one client to its end. When the server's grace is over, the future is dropped at the await where it waits.
    fn serve(&self, client: &Connection) -> impl Future<Output = End> + Send;
}

/// What a server bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Clients at the same time; those beyond are told so and turned away.
    pub max_connections: usize,
    /// How long a client may send nothing, or take nothing; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// How long clients may go on after the server was asked to stop.
    pub grace: Duration,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Clients that had not finished when the grace was over.
    pub cut_off: usize,
}

/// A server that is listening and has not accepted anybody yet.
#[derive(Debug)]
pub struct Server<S> {
    listener: TcpListener,
    hall: Hall<S>,
}

/// What the accept loop needs beside the listener, which is closed before the rest.
#[derive(Debug)]
struct Hall<S> {
    service: Arc<S>,
    limits: Limits,
    log: Log,
    places: Arc<Semaphore>,
    closing: Arc<Latch>,
    cutting: Arc<Latch>,
}

impl<S: Service> Server<S> {
    /// A server on a listener.
    pub fn new(listener: TcpListener, service: S, limits: Limits, log: Log) -> Self {
        let hall = Hall {
            service: Arc::new(service),
            limits,
            log,
            places: Arc::new(Semaphore::new(limits.max_connections)),
            closing: Arc::default(),
            cutting: Arc::default(),
        };
        Self { listener, hall }
    }

    /// Serves until `stop` is ready, then lets the clients finish.
    ///
    /// # Errors
    /// The listener broke; the clients were let finish all the same.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) -> io::Result<Ended> {
        let Self { listener, hall } = self;
        let mut stop = pin!(stop);
        let accepted = loop {
            // `stop` first: however many clients come, it is looked at.
            match select(stop.as_mut(), listener.accept()).await {
                Either::Left(((), _)) => break Ok(()),
                Either::Right((Ok((stream, peer)), _)) => hall.admit(stream, peer),
                // accept() waits out what passes by itself; this does not pass.
                Either::Right((Err(error), _)) => break Err(error),
            }
        };
        // From here on whoever connects is refused by the system.
        drop(listener);
        let ended = hall.drain().await;
        accepted.map(|()| ended)
    }
}

impl<S: Service> Hall<S> {
    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        // Answers are written in large pieces; nothing is gained by holding back the last one. A refusal costs delay only.
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(stream, peer, self.limits.idle_timeout, self.closing.clone());
        let Ok(place) = self.places.clone().try_acquire_many_owned(1) else {
            self.log.line(format_args!("No place for {peer}"));
            connection.send_parting(S::FULL);
            connection.close();
            return;
        };
        self.log.line(format_args!("Connected from {peer}"));
        let (service, cutting, log) = (self.service.clone(), self.cutting.clone(), self.log.clone());
        weftwork::spawn(async move {
            let end = match select(pin!(service.serve(&connection)), pin!(cutting.reached())).await {
                Either::Left((end, _)) => end,
                Either::Right(((), _)) => End::CutOff,
            };
            log.line(format_args!("Close the client socket {peer}: {end}"));
            // In this order: the client that sees the end and comes again finds the place free.
            drop(place);
            connection.close();
        })
        .detach();
    }

    /// Waits until every task has given its place back; when the grace is over, cuts off those that have not.
    async fn drain(&self) -> Ended {
        let all = self.limits.max_connections;
        let clients = || all - self.places.available_permits();
        self.closing.set();
        if clients() > 0 {
            let (clients, grace) = (clients(), self.limits.grace);
            self.log.line(format_args!("Waiting for {clients} to finish, {grace:?} at most."));
        }
        if timeout(self.limits.grace, self.places.acquire_many(all)).await.is_ok() {
            return Ended { cut_off: 0 };
        }
        let cut_off = clients();
        self.cutting.set();
        // The semaphore is never closed; and a service is dropped where it waits, so this ends.
        let _ = self.places.acquire_many(all).await;
        Ended { cut_off }
    }
}

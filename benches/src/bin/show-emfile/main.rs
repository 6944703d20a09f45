//! A server that runs out of descriptors goes on: accept waits without spinning, and resumes when some are free.
//!
//! The server is this program once more, started through `sh` with a limit of 64 descriptors; the clients are in the
//! process that has no such limit, more of them than the server can hold. On both backends. Fails if exhaustion costs 5 %
//! of a processor or more, if a connection that was accepted is not served meanwhile, if those that waited are not served
//! once others have left, or if the server ends in any other way than asked.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod process;

use process::Server;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use weftwork::net::TcpListener;
use weftwork::runtime::Builder;

/// What the server may open, its standard streams and all.
const DESCRIPTORS: usize = 64;
const CLIENTS: usize = 100;
/// For how long it is left without descriptors.
const EXHAUSTED: Duration = Duration::from_secs(3);
const MOST_CPU: f64 = 0.05;
/// A waiting accept looks again after a second at most.
const RESUMES_WITHIN: Duration = Duration::from_secs(3);
/// Nothing below may take longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--serve") {
        return ended(serve());
    }
    let mut failed = false;
    for (title, backend) in [("epoll", "epoll"), ("the portable backend", "polling")] {
        println!("\n{title}: {DESCRIPTORS} descriptors, {CLIENTS} clients");
        failed |= ended(scene(backend)) != ExitCode::SUCCESS;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("  FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Echoes bytes until its input ends; then says how many connections it accepted, and how many errors it saw doing so.
fn serve() -> Result<(), String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().map_err(|error| error.to_string())?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).map_err(|error| error.to_string())?;
    println!("{}", listener.local_addr().map_err(|error| error.to_string())?);
    let accepting = runtime.spawn(async move {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => return error,
            };
            weftwork::spawn(async move {
                let mut byte = [0];
                while stream.read_exact(&mut byte).await.is_ok() && stream.write_all(&byte).await.is_ok() {}
            })
            .detach();
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    if accepting.is_finished() {
        return Err("accept gave up".into());
    }
    let metrics = runtime.metrics();
    println!("{} {}", metrics.reactor_turns, metrics.live_tasks);
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())
}

fn scene(backend: &str) -> Result<(), String> {
    let mut server = Server::start(DESCRIPTORS, backend)?;
    let address: SocketAddr = server.line()?.parse().map_err(|error| format!("the server gave no address: {error}"))?;
    let baseline = server.descriptors()?;
    // The system accepts for the server, so every client is connected at once, served or not.
    let mut clients = (0..CLIENTS).map(|_| Client::connect(address)).collect::<Result<Vec<_>, _>>()?;
    wait_until("the server to run out of descriptors", || Ok(server.descriptors()? >= DESCRIPTORS))?;
    let free = DESCRIPTORS - baseline;
    wait_until("the accepted to be served", || Ok(served(&mut clients)? >= free))?;

    let (before, start) = (server.processor_time()?, Instant::now());
    std::thread::sleep(EXHAUSTED);
    let (used, took) = (server.processor_time()? - before, start.elapsed());
    let load = used.as_secs_f64() / took.as_secs_f64();
    let open = server.descriptors()?;
    println!("  {open} of {DESCRIPTORS} descriptors are open, {free} clients are served, {} wait", CLIENTS - free);
    println!("  processor time in {took:.2?} of that: {used:?}, {:.2} %", load * 100.0);
    if open != DESCRIPTORS || served(&mut clients)? != free {
        return Err("the server did not stay at its limit".into());
    }
    if load >= MOST_CPU {
        return Err(format!("that is {} % of a processor or more", MOST_CPU * 100.0));
    }

    let (mut accepted, waiting): (Vec<_>, Vec<_>) = clients.into_iter().partition(|client| client.served);
    let worst = accepted
        .iter_mut()
        .map(Client::round_trip)
        .try_fold(Duration::ZERO, |worst, trip| trip.map(|trip| worst.max(trip)))?;
    println!("  the {} accepted are still echoed; worst round trip {worst:?}", accepted.len());

    // Half of the served leave; as many of those who wait have to come in.
    let leaving = free / 2;
    let start = Instant::now();
    drop(accepted.drain(..leaving));
    let (mut clients, mut first) = (waiting, None);
    wait_until("those who waited to be served", || {
        let served = served(&mut clients)?;
        first = first.or((served > 0).then(|| start.elapsed()));
        Ok(served >= leaving.min(CLIENTS - free))
    })?;
    let (first, all) = (first.unwrap_or_default(), start.elapsed());
    println!("  {leaving} left: the first of those who waited is served after {first:.2?}, {leaving} after {all:.2?}");
    if all > RESUMES_WITHIN {
        return Err(format!("accept resumes within {RESUMES_WITHIN:?}"));
    }

    // All leave; the server is as it was, and serves whoever comes.
    drop((accepted, clients));
    wait_until("the server to close what its clients left", || Ok(server.descriptors()? == baseline))?;
    let mut newcomers = (0..free).map(|_| Client::connect(address)).collect::<Result<Vec<_>, _>>()?;
    wait_until("newcomers to be served", || Ok(served(&mut newcomers)? == free))?;
    drop(newcomers);
    wait_until("the server to close what its clients left", || Ok(server.descriptors()? == baseline))?;
    println!("  all left: back to {baseline} descriptors; {free} newcomers were served, back to {baseline} again");
    let [turns, live] = server.end()?;
    println!("  the server ended as asked, after {turns} turns of its reactor, with {live} task(s): its accept");
    if live == 1 { Ok(()) } else { Err("connections of clients that left are still tasks".into()) }
}

/// A connection that has asked for one echo.
struct Client {
    stream: TcpStream,
    served: bool,
}

impl Client {
    fn connect(address: SocketAddr) -> Result<Self, String> {
        let connect = || {
            let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_nodelay(true)?;
            stream.write_all(b"?")?;
            stream.set_nonblocking(true)?;
            Ok(Self { stream, served: false })
        };
        connect().map_err(|error: std::io::Error| format!("a client could not connect: {error}"))
    }

    /// Whether the echo has come.
    fn look(&mut self) -> Result<bool, String> {
        if !self.served {
            match self.stream.read(&mut [0]) {
                Ok(1) => self.served = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                other => return Err(format!("a client was let go instead of served: {other:?}")),
            }
        }
        Ok(self.served)
    }

    fn round_trip(&mut self) -> Result<Duration, String> {
        let mut round_trip = || {
            self.stream.set_nonblocking(false)?;
            self.stream.set_read_timeout(Some(PATIENCE))?;
            let start = Instant::now();
            self.stream.write_all(b"!")?;
            self.stream.read_exact(&mut [0])?;
            Ok(start.elapsed())
        };
        round_trip().map_err(|error: std::io::Error| format!("a client that had been served was not again: {error}"))
    }
}

fn served(clients: &mut [Client]) -> Result<usize, String> {
    clients.iter_mut().try_fold(0, |served, client| Ok(served + usize::from(client.look()?)))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > PATIENCE {
            return Err(format!("waited {PATIENCE:?} for {what}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

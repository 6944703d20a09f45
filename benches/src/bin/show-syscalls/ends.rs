//! Connections whose writer sends everything and closes at once: the reader gets all of it, then the end.
//!
//! Two ways to bring data and FIN together, each on both backends:
//! - *one edge*: on a current-thread runtime the reader waits, and another task of the same thread writes and closes
//!   without an await in between. The reactor cannot look before both are there; that one event brings both is counted;
//! - *racing*: the writer is a thread of its own, and what the reader sees first is left to chance.

use crate::{HANGS, PATIENCE};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Instant;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::{Builder, ReactorBackend};
use weftwork::testing::settle;

/// Bytes sent, and bytes asked for per read: less, as many, and more than there are.
const SIZES: [(usize, usize); 6] = [(1, 64), (64, 64), (64, 65), (4_096, 1_000), (30_000, 4_096), (30_000, 65_536)];
/// What no buffer of the system takes at once; for the writer that may block only.
const LARGE: (usize, usize) = (8 << 20, 65_536);
const REPETITIONS: usize = 1_000;
const LARGE_REPETITIONS: usize = 20;

pub(crate) fn scene() -> Result<(), String> {
    for (name, backend) in [("epoll", ReactorBackend::Epoll), ("polling", ReactorBackend::Portable)] {
        for (way, run) in [("one edge", one_edge as fn(ReactorBackend) -> Result<Seen, String>), ("racing", racing)] {
            let (send, done) = channel();
            let start = Instant::now();
            // On a thread of its own, so that a hang is seen even if timers hang too.
            std::thread::spawn(move || send.send(run(backend)));
            let seen = done.recv_timeout(PATIENCE).map_err(|_| format!("{name}, {way}: it hangs, or it panicked"))?;
            let Seen { connections, bytes, events } = seen.map_err(|why| format!("{name}, {way}: {why}"))?;
            println!(
                "  {name:<8} {way:<9} {connections:>6} connections, {bytes:>10} bytes, all read to their end, by {events} \
                 events; {:.2?}",
                start.elapsed()
            );
            if way == "one edge" && events != connections {
                return Err(format!("{events} events for {connections} connections: data and FIN did not come in one"));
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    connections: u64,
    bytes: u64,
    /// What the reactor saw from the first byte's sending on; of everything when racing.
    events: u64,
}

fn one_edge(backend: ReactorBackend) -> Result<Seen, String> {
    let runtime = Builder::new_current_thread().reactor(backend).build().map_err(|error| error.to_string())?;
    let events = || runtime.metrics().reactor_events;
    let mut seen = Seen::default();
    runtime.block_on(async {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?);
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        for repetition in 0..REPETITIONS * SIZES.len() {
            let (sent, asked) = SIZES[repetition % SIZES.len()];
            // Accept first, so that the connection is registered, and waited for, before anything is sent.
            let listener = listener.clone();
            let accepting = weftwork::spawn(async move { listener.accept().await.map(|(stream, _)| stream) });
            settle().await;
            let mut writer = connect(address)?;
            let stream = accepting.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            let reader = weftwork::spawn(read_to_end(stream, asked));
            settle().await;
            let before = events();
            writer.write_all(&vec![b'x'; sent]).map_err(|error| error.to_string())?;
            drop(writer);
            let read = weftwork::timeout(HANGS, reader).await.map_err(|_| hangs(repetition, sent, asked))?;
            seen.events += events() - before;
            seen.note(read.map_err(|error| error.to_string())?, sent, asked)?;
        }
        Ok::<_, String>(())
    })?;
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
    Ok(seen)
}

fn racing(backend: ReactorBackend) -> Result<Seen, String> {
    let runtime =
        Builder::new_multi_thread().worker_threads(2).reactor(backend).build().map_err(|error| error.to_string())?;
    let before = runtime.metrics().reactor_events;
    let seen = runtime.block_on(async {
        let mut seen = Seen::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let plan: Vec<_> = (0..REPETITIONS * SIZES.len())
            .map(|n| SIZES[n % SIZES.len()])
            .chain(core::iter::repeat_n(LARGE, LARGE_REPETITIONS))
            .collect();
        let theirs = plan.clone();
        let writers = std::thread::spawn(move || {
            theirs.iter().try_for_each(|&(sent, _)| {
                let mut writer = connect(address)?;
                writer.write_all(&vec![b'x'; sent]).map_err(|error| error.to_string())
            })
        });
        for (repetition, (sent, asked)) in plan.into_iter().enumerate() {
            let one = async {
                let (stream, _) = listener.accept().await?;
                weftwork::spawn(read_to_end(stream, asked))
                    .await
                    .map_err(|error| std::io::Error::other(error.to_string()))?
            };
            let read = weftwork::timeout(HANGS, one).await.map_err(|_| hangs(repetition, sent, asked))?;
            seen.note(read, sent, asked)?;
        }
        writers.join().map_err(|_| "the writer panicked")??;
        Ok::<_, String>(seen)
    });
    let mut seen = seen?;
    seen.events = runtime.metrics().reactor_events - before;
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
    Ok(seen)
}

impl Seen {
    fn note(&mut self, read: std::io::Result<u64>, sent: usize, asked: usize) -> Result<(), String> {
        let read = read.map_err(|error| format!("reading {sent} bytes by {asked}: {error}"))?;
        if read != sent as u64 {
            return Err(format!("{read} of {sent} bytes were read by {asked} before the end"));
        }
        self.connections += 1;
        self.bytes += read;
        Ok(())
    }
}

fn hangs(repetition: usize, sent: usize, asked: usize) -> String {
    format!("connection {repetition} ({sent} bytes, read by {asked}) has no end after {HANGS:?}")
}

fn connect(address: SocketAddr) -> Result<std::net::TcpStream, String> {
    std::net::TcpStream::connect(address).map_err(|error| error.to_string())
}

async fn read_to_end(stream: TcpStream, asked: usize) -> std::io::Result<u64> {
    let mut buffer = vec![0; asked];
    let mut all = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            read => all += read as u64,
        }
    }
}

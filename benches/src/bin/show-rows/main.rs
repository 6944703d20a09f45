//! Six rows against tokio in one program: each runtime at two workers and its defaults, rounds interleaved.
//!
//! `show-rows [--rounds N] [--rows a,b]` prints the median of each and the median of the paired ratios, and fails if a ratio
//! is above 1.2. `--profile ROW [--of tokio]` runs one alone once.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

use std::process::ExitCode;

const ROWS: [&str; 6] = ["spawn_join", "yield", "ping_pong", "to_thread_one", "timeout_pending", "echo_64"];
const LIMIT: f64 = 1.2;

mod weft {
    use weftwork::net::{TcpListener, TcpStream};
    use weftwork::sync::channel::{Receiver, Sender, bounded as channel};
    use weftwork::task::yield_now;
    use weftwork::{spawn, timeout, to_thread};

    fn run<F: Future<Output = f64> + Send + 'static>(work: F) -> f64 {
        let runtime = weftwork::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let handle = runtime.spawn(work);
        runtime.block_on(handle).unwrap()
    }
    async fn send(to: &Sender<u64>, n: u64) {
        to.send(n).await.unwrap();
    }
    async fn receive(from: &mut Receiver<u64>) -> Option<u64> {
        from.recv().await.ok()
    }
    async fn read_exact(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
        stream.read_exact(buffer).await.map(drop)
    }
    async fn write_all(stream: &mut TcpStream, buffer: &[u8]) -> std::io::Result<()> {
        stream.write_all(buffer).await
    }
    include!("work.rs");
}

mod tokio_peer {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc::{Receiver, Sender, channel};
    use tokio::task::{spawn_blocking as to_thread, yield_now};
    use tokio::{spawn, time::timeout};

    fn run<F: Future<Output = f64> + Send + 'static>(work: F) -> f64 {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let handle = runtime.spawn(work);
        runtime.block_on(handle).unwrap()
    }
    async fn send(to: &Sender<u64>, n: u64) {
        to.send(n).await.unwrap();
    }
    async fn receive(from: &mut Receiver<u64>) -> Option<u64> {
        from.recv().await
    }
    async fn read_exact(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
        stream.read_exact(buffer).await.map(drop)
    }
    async fn write_all(stream: &mut TcpStream, buffer: &[u8]) -> std::io::Result<()> {
        stream.write_all(buffer).await
    }
    include!("work.rs");
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let rounds: usize = match value("--rounds").map(|text| text.parse()) {
        None => 5,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            eprintln!("--rounds wants a number above 0");
            return ExitCode::from(2);
        }
    };
    if let Some(row) = value("--profile") {
        // One alone, for a profiler.
        let figure =
            if value("--of") == Some(&"tokio".to_owned()) { tokio_peer::measure(row) } else { weft::measure(row) };
        println!("{row}: {figure:.0} ns");
        return ExitCode::SUCCESS;
    }
    let chosen = value("--rows").map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());
    let rows: Vec<&str> =
        ROWS.into_iter().filter(|row| chosen.as_ref().is_none_or(|chosen| chosen.iter().any(|c| c == row))).collect();
    println!("{:<16} {:>12} {:>12} {:>8} {:>16}", "row", "weftwork ns", "tokio ns", "ratio", "ratio min..max");
    let mut over = Vec::new();
    for row in rows {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            // Who goes first changes from round to round, so that a drift of the machine favours nobody.
            let (a, b) = if round % 2 == 0 {
                let a = weft::measure(row);
                (a, tokio_peer::measure(row))
            } else {
                let b = tokio_peer::measure(row);
                (weft::measure(row), b)
            };
            ours.push(a);
            theirs.push(b);
            ratios.push(a / b);
        }
        let ratio = median(&mut ratios);
        let spread = format!("{:.2}..{:.2}", ratios[0], ratios[ratios.len() - 1]);
        println!("{row:<16} {:>12.0} {:>12.0} {ratio:>8.2} {spread:>16}", median(&mut ours), median(&mut theirs));
        if ratio > LIMIT {
            over.push(row);
        }
    }
    if over.is_empty() {
        println!("no row is above {LIMIT} x tokio");
        ExitCode::SUCCESS
    } else {
        println!("above {LIMIT} x tokio: {}", over.join(", "));
        ExitCode::FAILURE
    }
}

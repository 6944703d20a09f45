//! The system calls of an echo server under load, counted from outside; and connections whose end comes with their data.
//!
//! The server is this program once more, under strace, alone in its process: clients are plain threads of the process
//! that is not traced, so every call that is counted is the server's. It prints what the reactor counted after it has
//! shut down, so the turns of starting and ending are on both sides and nothing has to be allowed for.
//!
//! Fails if the reactor's turns and the calls of `epoll_pwait2` differ by one, if anything but connections, the listener
//! and the notifier was added to epoll, if the notifier was read, if a timerfd exists, or if a connection that ends with
//! its data loses either.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod ends;
mod server;
mod trace;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use trace::Trace;

/// Connections at the same time, how often that many are opened, and round trips on each.
const CLIENTS: usize = 20;
const GENERATIONS: usize = 10;
const ROUND_TRIPS: usize = 50;
const CONNECTIONS: u64 = (CLIENTS * GENERATIONS) as u64;
/// Nothing below may take longer than this.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whoever has waited this long on this machine's own network waits for ever.
const HANGS: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--serve") {
        return ended("server", server::serve());
    }
    let mut failed = false;
    for (title, scene) in [
        ("echo under load, the server traced by strace", echo as fn() -> Result<(), String>),
        ("data and FIN in one edge, and racing each other", ends::scene),
    ] {
        println!("\n{title}");
        failed |= ended(title, scene()) != ExitCode::SUCCESS;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn ended(what: &str, outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("  FAILED: {what}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn echo() -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let file = std::env::temp_dir().join(format!("weftwork-show-syscalls-{}", std::process::id()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&file).arg(own).arg("--serve").env_remove("WEFTWORK_REACTOR");
    let mut child = strace
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("strace could not be started ({error}): `apt-get install strace`, or its like"))?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("strace has no output")?).lines();
    let mut line = || match lines.next() {
        Some(Ok(line)) => Ok(line),
        _ => Err("the server ended early; may this process be traced?".to_owned()),
    };
    let address: SocketAddr = line()?.parse().map_err(|error| format!("the server gave no address: {error}"))?;
    let start = Instant::now();
    for _ in 0..GENERATIONS {
        let clients: Vec<_> = (0..CLIENTS).map(|_| std::thread::spawn(move || client(address))).collect();
        for client in clients {
            client
                .join()
                .map_err(|_| "a client panicked")?
                .map_err(|error| format!("a client: {error}; the calls are in {}", file.display()))?;
        }
    }
    let took = start.elapsed();
    // The end of its input tells the server to shut down.
    drop(child.stdin.take());
    let counted = server::Counted::read(&line()?)?;
    let status = child.wait().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let _ = std::fs::remove_file(&file);
    if !status.success() {
        return Err(format!("the server: {status}"));
    }
    judge(&Trace::read(&text), &counted, took)
}

fn client(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HANGS))?;
    let mut buffer = [7; server::MESSAGE];
    for _ in 0..ROUND_TRIPS {
        stream.write_all(&buffer)?;
        stream.read_exact(&mut buffer)?;
    }
    Ok(())
}

fn judge(trace: &Trace<'_>, counted: &server::Counted, took: Duration) -> Result<(), String> {
    let echoes = CONNECTIONS * ROUND_TRIPS as u64;
    println!(
        "  {CONNECTIONS} connections, {CLIENTS} at a time; {echoes} echoes of 64 bytes in {took:.2?} (under strace)"
    );
    println!(
        "  the runtime counted              {} turns, {} events, {} notifies",
        counted.turns, counted.events, counted.notifies
    );
    let calls = |names: &[&str]| names.iter().map(|name| trace.calls(name)).sum::<u64>();
    let reads = trace.reads_of(&trace.eventfds);
    let expected_adds = CONNECTIONS + 2;
    let rows = [
        ("epoll_pwait2", calls(&["epoll_pwait2"]), counted.turns, "the runtime's turns"),
        ("epoll_wait, epoll_pwait, poll", calls(&["epoll_wait", "epoll_pwait", "ppoll"]), 0, "one call waits"),
        ("timerfd_*", calls(&["timerfd_create", "timerfd_settime", "timerfd_gettime"]), 0, "no timerfd"),
        ("eventfd2", trace.eventfds.len() as u64, 1, "the notifier"),
        ("reads of the eventfd", reads, 0, "it is edge-triggered"),
        ("epoll_ctl ADD", trace.control("ADD"), expected_adds, "connections, listener, notifier"),
        ("epoll_ctl DEL", trace.control("DEL"), expected_adds - 1, "as many closes, not the notifier's"),
        ("epoll_ctl MOD", trace.control("MOD"), 0, "nothing is re-armed"),
        ("epoll_ctl, failed", trace.failed("epoll_ctl"), 0, "each in its time"),
    ];
    let mut wrong = Vec::new();
    for (what, found, wanted, why) in rows {
        let verdict = if found == wanted { "as it has to be" } else { "WRONG" };
        println!("  {what:<32} {found:>7}  of {wanted:>7}  {verdict}: {why}");
        if found != wanted {
            wrong.push(what);
        }
    }
    println!("  all calls of the server, from exec to exit:");
    for (name, calls) in trace.by_count().into_iter().take(12) {
        println!("    {name:<20} {calls:>7}  {:>6.3} an echo", calls as f64 / echoes as f64);
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("not as it has to be: {}", wrong.join(", "))) }
}

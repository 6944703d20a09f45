//! Bounded delay: workers are blocked inside polls until told, and everything else goes on before they are told.
//!
//! Three scenes: one of two workers blocked, both of two, all of eight. In each, 1 000 tasks sleep 10 ms again and again, a
//! connection echoes, and each blocking task has left one task in its worker's slot, one in its private queue and a timer on
//! its wheel. Fails if
//! any of that waits for the blocked workers, or if the watchdog's report does not name the task and its place.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use weftwork::net::TcpListener;
use weftwork::runtime::{Builder, Runtime, UnhandledKind};

const SLEEPERS: usize = 1_000;
const SLEEPS: u32 = 30;
const NAP: Duration = Duration::from_millis(10);
const ROUND_TRIPS: u32 = 200;
/// Nothing below may take longer than this; what P3 promises is far below.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Worst(AtomicU64);

impl Worst {
    fn note(&self, delay: Duration) {
        self.0.fetch_max(delay.as_nanos() as u64, Ordering::Relaxed);
    }
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

fn main() -> ExitCode {
    let scenes = [("1 of 2 workers blocked", 2, 1), ("2 of 2 workers blocked", 2, 2), ("8 of 8 workers blocked", 8, 8)];
    let mut failed = false;
    for (title, workers, blocked) in scenes {
        println!("\n{title}");
        if let Err(why) = scene(workers, blocked) {
            println!("  FAILED: {why}");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn scene(workers: usize, blocked: usize) -> Result<(), String> {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let seen = reports.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .on_unhandled(move |what| {
            if what.kind == UnhandledKind::SlowPoll {
                seen.lock().unwrap().push(what.to_string());
            }
        })
        .build()
        .map_err(|error| error.to_string())?;
    let (address, done_serving) = echo_server(&runtime);
    let (tell, tellers, stranded) = block(&runtime, blocked)?;
    let armed: usize = runtime.metrics().workers.iter().map(|worker| worker.timers).sum();
    println!("  {blocked} workers are inside a poll; {armed} timers are armed");

    let lateness = sleepers(&runtime)?;
    let [lifo, private, wheel] = stranded_tasks(&stranded, blocked)?;
    let echo = echo_client(address)?;
    let report = wait_for_report(&reports)?;
    println!("  {SLEEPERS} x {SLEEPS} sleeps of 10 ms    worst lateness {lateness:?}");
    println!("  tasks left in the slot           worst delay {lifo:?}");
    println!("  tasks left in the private queue  worst delay {private:?}");
    println!("  timers left on the wheel         worst lateness {wheel:?}");
    println!("  {ROUND_TRIPS} echoes of 64 bytes           worst round trip {echo:?}");
    println!("  report: {report}");
    let metrics = runtime.metrics();
    println!(
        "  rescues {} (tasks {}), spares started {}, watchdog ticks {}",
        metrics.rescues, metrics.rescued_tasks, metrics.spares_started, metrics.watchdog_ticks
    );
    if !(report.contains("blocker") && report.contains("show-stuck")) {
        return Err("the report does not name the task and its place".into());
    }
    // Only now are they told.
    drop(tell);
    for _ in 0..blocked {
        tellers.recv_timeout(PATIENCE).map_err(|_| "a blocked task did not come back after it was told")?;
    }
    drop(done_serving);
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())
}

/// The tasks that block, each after it has left two tasks on its own worker.
#[allow(clippy::type_complexity, reason = "said once")]
fn block(
    runtime: &Runtime,
    blocked: usize,
) -> Result<(Sender<()>, Receiver<()>, Receiver<(&'static str, Duration)>), String> {
    let (tell, told) = channel::<()>();
    let told = Arc::new(Mutex::new(told));
    let (here, arrived) = channel();
    let (back, tellers) = channel();
    let (ran, stranded) = channel();
    let _entered = runtime.enter();
    for n in 0..blocked {
        let (told, here, back) = (told.clone(), here.clone(), back.clone());
        let (timed, ran) = (ran.clone(), ran.clone());
        let blocker = async move {
            for place in ["private", "slot"] {
                let (ran, left) = (ran.clone(), Instant::now());
                // The second spawn takes the slot and moves the first to the private queue.
                weftwork::spawn(async move { ran.send((place, left.elapsed())).unwrap() }).detach();
            }
            here.send(()).unwrap();
            // A poll that does not return: it waits for the other end to be dropped.
            while let Err(RecvTimeoutError::Timeout) = told.lock().unwrap().recv_timeout(PATIENCE * 4) {}
            back.send(()).unwrap();
        };
        // This task arms a timer on the wheel of the very worker that it leaves to the blocker.
        weftwork::spawn(async move {
            let armed = Instant::now();
            weftwork::task::Builder::new().name(format!("blocker-{n}")).spawn(blocker).unwrap().detach();
            weftwork::sleep(NAP).await;
            timed.send(("wheel", armed.elapsed().saturating_sub(NAP))).unwrap();
        })
        .detach();
        // One after another, so that each has a worker of its own to block.
        arrived.recv_timeout(PATIENCE).map_err(|_| format!("blocker {n} never ran: no worker was left for it"))?;
    }
    Ok((tell, tellers, stranded))
}

/// Tasks that sleep again and again; the worst lateness.
fn sleepers(runtime: &Runtime) -> Result<Duration, String> {
    let worst = Arc::new(Worst::default());
    let (done, finished) = channel();
    for _ in 0..SLEEPERS {
        let (worst, done) = (worst.clone(), done.clone());
        runtime
            .spawn(async move {
                for _ in 0..SLEEPS {
                    let start = Instant::now();
                    weftwork::sleep(NAP).await;
                    worst.note(start.elapsed().saturating_sub(NAP));
                }
                done.send(()).unwrap();
            })
            .detach();
    }
    for n in 0..SLEEPERS {
        finished.recv_timeout(PATIENCE).map_err(|_| format!("only {n} of {SLEEPERS} sleepers ended"))?;
    }
    Ok(worst.get())
}

fn stranded_tasks(stranded: &Receiver<(&'static str, Duration)>, blocked: usize) -> Result<[Duration; 3], String> {
    let places = ["slot", "private", "wheel"];
    let mut worst = [Duration::ZERO; 3];
    for n in 0..3 * blocked {
        let (place, delay) = stranded
            .recv_timeout(PATIENCE)
            .map_err(|_| format!("only {n} of {} tasks left on blocked workers ran", 3 * blocked))?;
        let at = places.iter().position(|name| *name == place).unwrap_or(0);
        worst[at] = delay.max(worst[at]);
    }
    Ok(worst)
}

fn echo_server(runtime: &Runtime) -> (std::net::SocketAddr, weftwork::task::CancelOnDrop<()>) {
    let (send, address) = channel();
    let server = runtime.spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        send.send(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut buffer = [0; 64];
        while stream.read_exact(&mut buffer).await.is_ok() {
            stream.write_all(&buffer).await.unwrap();
        }
    });
    (address.recv_timeout(PATIENCE).unwrap(), server.cancel_on_drop())
}

/// Round trips from a thread outside of the runtime; the worst.
fn echo_client(address: std::net::SocketAddr) -> Result<Duration, String> {
    let mut stream = std::net::TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let (mut worst, mut buffer) = (Duration::ZERO, [7; 64]);
    for n in 0..ROUND_TRIPS {
        let start = Instant::now();
        let trip = stream.write_all(&buffer).and_then(|()| stream.read_exact(&mut buffer));
        trip.map_err(|error| format!("echo {n} of {ROUND_TRIPS}: {error}"))?;
        worst = worst.max(start.elapsed());
    }
    Ok(worst)
}

fn wait_for_report(reports: &Mutex<Vec<String>>) -> Result<String, String> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(report) = reports.lock().unwrap().first() {
            return Ok(report.clone());
        }
        std::thread::yield_now();
    }
    Err("the watchdog reported nothing".into())
}

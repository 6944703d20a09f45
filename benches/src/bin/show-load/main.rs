//! charfinder under load, in a process of its own: over TCP with 2 000 connections, and its page with 500.
//!
//! `show-load [--seconds N] [--connections N] [--rate R] [--only lines|page] [--small]`; `--small` is 6 seconds with a
//! tenth of the connections.
//!
//! First its capacity is measured in a closed loop, then it is loaded for a minute with a part of that on a fixed schedule,
//! because client and server share this machine. Fails on an error of any kind, on a connection that is lost, if the
//! server's memory strays by 5 % over the last two thirds of the time, and if it keeps a descriptor.

#![allow(clippy::disallowed_types, reason = "a program, not the runtime")]

mod page;
mod queries;
mod watch;

use examples::arguments::Arguments;
use examples::latch::Latch;
use examples::load::client::{Client, Protocol};
use examples::load::dialogue::Until;
use examples::load::question::Question;
use examples::load::tally::Tally;
use examples::load::{Pace, Plan, Report, descriptors, run};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use weftwork::runtime::Builder;
use weftwork_benches::charfinder::Charfinder;
use weftwork_benches::server_process::{Sample, ServerProcess};

/// How long the closed loop lasts that finds out what there is to be had.
const CAPACITY_FOR: Duration = Duration::from_secs(5);
/// Of that, what the open loop asks for.
const SHARE: f64 = 0.4;
const MOST_SECONDS: u64 = 86_400;

type Part = fn(&Wanted) -> Result<(), String>;

struct Wanted {
    seconds: u64,
    is_small: bool,
    connections: Option<usize>,
    rate: Option<f64>,
    only: Option<String>,
}

impl Wanted {
    /// So many, unless told otherwise.
    fn connections(&self, usual: usize) -> usize {
        self.connections.unwrap_or(if self.is_small { usual / 10 } else { usual })
    }
}

fn main() -> ExitCode {
    match wanted().and_then(|wanted| show(&wanted)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("  FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted, String> {
    let read = || {
        let mut given = Arguments::new(std::env::args_os().skip(1))?;
        let in_bounds = |text: &str| text.parse().ok().filter(|seconds| (3..=MOST_SECONDS).contains(seconds));
        let is_small = given.flag(&["--small"]);
        let seconds = given.value_with("--seconds", "a number from 3 to 86400", in_bounds)?;
        let wanted = Wanted {
            seconds: seconds.unwrap_or(if is_small { 6 } else { 60 }),
            is_small,
            connections: given.value("--connections", "a number")?,
            rate: given.value("--rate", "a number of requests a second")?,
            only: given.value_with("--only", "lines or page", |text| {
                ["lines", "page"].contains(&text).then(|| text.to_owned())
            })?,
        };
        given.end()?;
        Ok(wanted)
    };
    read().map_err(|error: examples::arguments::UsageError| error.to_string())
}

fn show(wanted: &Wanted) -> Result<(), String> {
    let parts: [(&str, Part); 2] = [("lines", lines), ("page", page)];
    let asked_for = |name: &str| wanted.only.as_ref().is_none_or(|only| only == name);
    let mut failed = Vec::new();
    for (name, part) in parts.into_iter().filter(|(name, _)| asked_for(name)) {
        println!();
        if let Err(why) = part(wanted) {
            println!("  FAILED: {why}");
            failed.push(name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("not as it has to be: {}", failed.join(", "))) }
}

/// The time after the last client: nothing is kept, and it ends in order.
fn end(server: Charfinder) -> Result<(), String> {
    let took = server.process.back_to(server.descriptors)?;
    println!("  descriptors: back to {} after {took:.0?}", server.descriptors);
    server.process.stop()
}

fn lines(wanted: &Wanted) -> Result<(), String> {
    let connections = wanted.connections(2000);
    println!("lines over TCP, {connections} connections");
    let server = Charfinder::start(&[])?;
    let protocol = Protocol::Lines(Until::Prompt(b"?> ".to_vec()));
    open_loop(wanted, connections, &server, server.lines, &protocol, &queries::lines())?;
    end(server)
}

fn page(wanted: &Wanted) -> Result<(), String> {
    let connections = wanted.connections(500);
    println!("the page, {connections} connections");
    let server = Charfinder::start(&[])?;
    if page::is_installed() {
        let url = format!("http://{}{}", server.page, queries::path());
        println!("  {}, closed loop, for {} s: {url}", page::WRK, wanted.seconds);
        let (seen, samples) = watched(&server.process, || page::run(connections, wanted.seconds, &url))?;
        print_indented(&seen.text);
        watch::judge(&samples, connections, server.descriptors)?;
        if !seen.errors.is_empty() {
            return Err(format!("wrk saw errors: {}", seen.errors.join("; ")));
        }
        server.process.back_to(server.descriptors)?;
    } else {
        println!("  without wrk, which is not installed: `apt-get install wrk`, or its like");
    }
    let questions = queries::pages(&server.page.to_string());
    open_loop(wanted, connections, &server, server.page, &Protocol::Http, &questions)?;
    end(server)
}

/// Measures the capacity, loads the server with a part of it, and judges how it went.
fn open_loop(
    wanted: &Wanted,
    connections: usize,
    server: &Charfinder,
    address: SocketAddr,
    protocol: &Protocol,
    questions: &[Question],
) -> Result<(), String> {
    descriptors::make_room_for(connections)?;
    let load = |plan| load(plan, address, protocol.clone(), questions.to_vec());
    let plan = Plan { connections, ..Plan::DEFAULT };
    let rate = match wanted.rate {
        Some(rate) => rate,
        None => {
            let capacity_for = if wanted.is_small { CAPACITY_FOR / 5 } else { CAPACITY_FOR };
            let closed = load(Plan { duration: Some(capacity_for), ..plan })?;
            server.process.forget_log()?;
            server.process.back_to(server.descriptors)?;
            let (capacity, rate) = (closed.rate(), rounded(closed.rate() * SHARE));
            println!(
                "  closed loop: {capacity:.0} answers a second; the open loop asks for {:.0} % of that",
                SHARE * 100.0
            );
            rate
        }
    };
    println!("  open loop: {rate} requests a second for {} s", wanted.seconds);
    let duration = Some(Duration::from_secs(wanted.seconds));
    let plan = Plan { pace: Pace::Open { per_second: rate }, duration, ..plan };
    let (report, samples) = watched(&server.process, || load(plan))?;
    print_indented(&report.to_string());
    let judged = watch::judge(&samples, connections, server.descriptors);
    if !report.is_clean() || report.opened != connections as u64 {
        return Err("there were errors, or connections were lost".into());
    }
    judged
}

fn print_indented(text: &str) {
    text.lines().for_each(|line| println!("{}", format!("    {line}").trim_end()));
}

/// Down to two digits: a rate one can quote.
fn rounded(rate: f64) -> f64 {
    let step = 10_f64.powf(rate.max(10.0).log10().floor() - 1.0);
    (rate / step).floor().max(1.0) * step
}

fn load(plan: Plan, address: SocketAddr, protocol: Protocol, questions: Vec<Question>) -> Result<Report, String> {
    let client = Arc::new(Client::new(address, protocol, questions));
    let running = run(plan, client, Arc::new(Tally::default()), Arc::new(Latch::default()));
    Builder::new_multi_thread().run(running).map_err(|error| error.to_string())
}

/// Does something while the server is watched.
fn watched<R: Send>(
    server: &ServerProcess,
    load: impl FnOnce() -> Result<R, String> + Send,
) -> Result<(R, Vec<Sample>), String> {
    std::thread::scope(|scope| {
        let (done, is_done) = mpsc::channel();
        // Its end drops `done`, also where it panics.
        let loading = scope.spawn(move || {
            let _done = done;
            load()
        });
        let samples = watch::watch(server, &is_done);
        let loaded = loading.join().map_err(|_| "the load panicked")?;
        Ok((loaded?, samples?))
    })
}

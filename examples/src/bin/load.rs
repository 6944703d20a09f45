//! A load generator: `load 127.0.0.1:2323 --line 'chess black' --connections 100 --rate 1000`.
#![allow(clippy::disallowed_types, reason = "a program uses what users of weftwork use")]

use examples::arguments::asked;
use examples::interrupt::interrupted;
use examples::latch::Latch;
use examples::load::client::Client;
use examples::load::options::{HELP, Options, Request, parse};
use examples::load::tally::Tally;
use examples::load::{Report, descriptors, json, progress, run};
use examples::log::Log;
use futures::future::{Either, select};
use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use weftwork::net::lookup_host;
use weftwork::runtime::Builder;

fn main() -> ExitCode {
    let parsed = |given| {
        parse(given).map(|request| match request {
            Request::Load(options) => Some(options),
            Request::Help => None,
        })
    };
    let options = match asked("load", HELP, parsed) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let (allow_errors, as_json, target) = (options.allow_errors, options.json, options.target.shown());
    match loaded(options) {
        Ok(report) => {
            let text = if as_json { format!("{:#}\n", json::of(&report, &target)) } else { report.to_string() };
            if let Err(error) = io::stdout().write_all(text.as_bytes()) {
                eprintln!("load: the result could not be written: {error}");
                return ExitCode::FAILURE;
            }
            if report.is_clean() || allow_errors { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn loaded(options: Options) -> Result<Report, String> {
    descriptors::make_room_for(options.plan.connections)?;
    let builder = Builder::new_multi_thread();
    let builder = match options.workers {
        Some(workers) => builder.worker_threads(workers),
        None => builder,
    };
    builder.run(load(options)).map_err(|error| error.to_string())?
}

async fn load(options: Options) -> Result<Report, String> {
    let host = options.target.host_and_port();
    let addresses = lookup_host(host.as_str()).await.map_err(|error| format!("cannot find {host}: {error}"))?;
    let address = *addresses.first().ok_or_else(|| format!("{host} has no address"))?;
    let (tally, stop) = (Arc::new(Tally::default()), Arc::new(Latch::default()));
    let interrupt = interrupted(&Log::stderr());
    let stopping = stop.clone();
    weftwork::spawn(async move {
        interrupt.await;
        stopping.set();
    })
    .detach();

    let plan = options.plan;
    let client = Arc::new(Client::new(address, options.protocol, options.questions));
    let running = run(plan, client, tally.clone(), stop);
    if !options.progress && !io::stderr().is_terminal() {
        return Ok(running.await);
    }
    // Nobody reads it any more: no reason to end.
    let show = |text: &str| drop(io::stderr().write_all(text.as_bytes()));
    let report = match select(pin!(running), pin!(progress::follow(plan, tally, show))).await {
        Either::Left((report, _)) => report,
        Either::Right((never, _)) => match never {},
    };
    show(progress::wiped());
    Ok(report)
}

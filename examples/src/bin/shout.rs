//! A TCP server that answers each line in capitals, built on a group: a bound on clients, and a graceful end.

use examples::interrupt::interrupted;
use examples::log::Log;
use examples::options::{Options, Program};
use examples::shout::serve_until;
use std::io;
use std::process::ExitCode;

const PROGRAM: Program =
    Program { name: "shout", about: "Answers each line in capitals, over TCP.", port: 7001, http_port: None };

fn main() -> ExitCode {
    PROGRAM.main(serve)
}

async fn serve(options: Options, log: Log) -> io::Result<()> {
    let listener = options.listen().await?;
    let address = listener.local_addr()?;
    let interrupt = interrupted(&log);
    log.line(format_args!("Serving on {address}. Hit CTRL-C to stop."));
    let drained = serve_until(listener, options.limits, log.clone(), interrupt).await?;
    log.line(format_args!("{} finished, {} were cut off.", drained.finished, drained.cancelled));
    Ok(())
}

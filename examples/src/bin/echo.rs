//! A TCP server that sends back what it gets.

use examples::echo::Echo;
use examples::interrupt::interrupted;
use examples::log::Log;
use examples::options::{Options, Program};
use examples::server::Server;
use std::io;
use std::process::ExitCode;

const PROGRAM: Program =
    Program { name: "echo", about: "Sends back what it gets, over TCP.", port: 7000, http_port: None };

fn main() -> ExitCode {
    PROGRAM.main(serve)
}

async fn serve(options: Options, log: Log) -> io::Result<()> {
    let listener = options.listen().await?;
    let address = listener.local_addr()?;
    let server = Server::new(listener, Echo, options.limits, log.clone());
    let interrupt = interrupted(&log);
    log.line(format_args!("Serving on {address}. Hit CTRL-C to stop."));
    server.serve_until(interrupt).await?;
    Ok(())
}

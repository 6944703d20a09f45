//! A TCP server that finds characters by the words of their names: `telnet 127.0.0.1 2323`, then `chess black`.

use examples::charfinder::Charfinder;
use examples::interrupt::interrupted;
use examples::log::Log;
use examples::options::{Options, Program};
use examples::server::Server;
use std::io;
use std::process::ExitCode;

const PROGRAM: Program = Program {
    name: "charfinder",
    about: "Finds Unicode characters by the words of their names, over TCP: a query a line.",
    port: 2323,
};

fn main() -> ExitCode {
    PROGRAM.main(serve)
}

async fn serve(options: Options, log: Log) -> io::Result<()> {
    let listener = options.listen().await?;
    let address = listener.local_addr()?;
    let service = Charfinder::with_new_index(log.clone()).await?;
    let server = Server::new(listener, service, options.limits, log.clone());
    let interrupt = interrupted(&log);
    log.line(format_args!("Serving on {address}. Hit CTRL-C to stop."));
    server.serve_until(interrupt).await?;
    Ok(())
}

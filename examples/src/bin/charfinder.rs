//! Two servers in one program that find characters by the words of their names: `telnet 127.0.0.1 2323`, then `chess
//! black`; and <http://127.0.0.1:8888/> for a browser.

use examples::charfinder::{Charfinder, new_index};
use examples::interrupt::interrupted;
use examples::latch::Latch;
use examples::log::Log;
use examples::options::{Options, Program};
use examples::server::{Server, Service};
use examples::web::Web;
use futures::future::{Either, join, select};
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use weftwork::net::TcpListener;

const PROGRAM: Program = Program {
    name: "charfinder",
    about: "Finds Unicode characters by the words of their names, over TCP: a query a line. And by a page for browsers.",
    port: 2323,
    http_port: Some(8888),
};

fn main() -> ExitCode {
    PROGRAM.main(serve)
}

async fn serve(options: Options, log: Log) -> io::Result<()> {
    let (lines, page) = (options.listen().await?, options.listen_http().await?);
    let (address, page_address) = (lines.local_addr()?, page.as_ref().map(TcpListener::local_addr).transpose()?);
    let index = new_index(&log).await?;
    let lines = Server::new(lines, Charfinder::new(index, log.clone()), options.limits, log.clone());
    let page = page
        .map(|page| Server::new(page, Web::new(index, options.web_limits, log.clone()), options.limits, log.clone()));
    let interrupt = interrupted(&log);
    if let Some(address) = page_address {
        log.line(format_args!("The page is at http://{address}/"));
    }
    log.line(format_args!("Serving on {address}. Hit CTRL-C to stop."));

    let stop = Latch::default();
    let servers = pin!(join(serve_with(Some(lines), &stop), serve_with(page, &stop)));
    let (lines, page) = match select(servers, pin!(interrupt)).await {
        Either::Left((ended, _)) => ended,
        Either::Right(((), servers)) => {
            stop.set();
            servers.await
        }
    };
    lines.and(page)
}

/// Serves until the latch is set. A server that breaks sets it: half a service that looks like a whole one helps nobody.
async fn serve_with(server: Option<Server<impl Service>>, stop: &Latch) -> io::Result<()> {
    let Some(server) = server else { return Ok(()) };
    let served = server.serve_until(stop.reached()).await;
    stop.set();
    served.map(drop)
}

//! charfinder as a server in a process of its own, with both of its addresses.

use crate::server_process::ServerProcess;
use std::net::SocketAddr;

/// A charfinder that serves.
#[derive(Debug)]
pub struct Charfinder {
    /// Its process.
    pub process: ServerProcess,
    /// Where it answers lines.
    pub lines: SocketAddr,
    /// Where its page is.
    pub page: SocketAddr,
    /// What it has open before anybody has come.
    pub descriptors: usize,
}

impl Charfinder {
    /// Starts it on ports that the system chooses.
    ///
    /// # Errors
    /// It was not built, or does not serve.
    pub fn start(flags: &[&str]) -> Result<Self, String> {
        let flags = [&["--port", "0", "--http-port", "0"], flags].concat();
        let mut process = ServerProcess::start("charfinder", &flags)?;
        let parsed = |text: Option<&str>| text?.parse().ok();
        let page = process.line("The page is at http://")?;
        let lines = process.line("Serving on ")?;
        let page = parsed(page.strip_suffix('/')).ok_or_else(|| format!("{page:?} is no address"))?;
        let lines = parsed(lines.split(". ").next()).ok_or_else(|| format!("{lines:?} is no address"))?;
        let descriptors = process.descriptors()?;
        Ok(Self { process, lines, page, descriptors })
    }
}

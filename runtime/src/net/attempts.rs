//! What is said when no address of several would do: each with its own reason.

use core::fmt;
use std::io;
use std::net::SocketAddr;

/// Addresses that were tried in vain, in their order.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(SocketAddr, io::Error)>);

impl Failures {
    pub(super) fn push(&mut self, address: SocketAddr, error: io::Error) {
        self.0.push((address, error));
    }

    /// The system's own error if there was one address, else all of them under the last one's kind.
    pub(super) fn into_error(mut self, summary: &'static str) -> io::Error {
        match self.0.len() {
            0 => io::Error::new(io::ErrorKind::InvalidInput, "there is no address to try: the list is empty"),
            1 => self.0.remove(0).1,
            n => io::Error::new(self.0[n - 1].1.kind(), AllFailed { summary, failures: self.0 }),
        }
    }
}

#[derive(Debug)]
struct AllFailed {
    summary: &'static str,
    failures: Vec<(SocketAddr, io::Error)>,
}

impl fmt::Display for AllFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.summary)?;
        for (n, (address, error)) in self.failures.iter().enumerate() {
            write!(f, "{} {address}: {error}", if n == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl std::error::Error for AllFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failures.last().map(|(_, e)| e as _)
    }
}

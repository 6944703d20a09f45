//! Signals where they are not supported yet: asking is an error.

use core::convert::Infallible;
use core::task::{Context, Poll};
use std::io;

/// Ctrl-C.
pub(super) const INTERRUPT: i32 = 2;

/// There is none.
pub(super) struct Occurrence(Infallible);

impl Occurrence {
    pub(super) fn next(_kind: i32) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "weftwork cannot wait for signals on this system yet"))
    }

    pub(super) fn poll(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

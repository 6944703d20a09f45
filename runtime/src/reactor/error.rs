//! What the reactor says when it refuses, in words that tell what to do.

use core::fmt;
use std::io;

/// A descriptor that cannot be registered.
#[derive(Debug)]
struct Refused {
    advice: &'static str,
    system: io::Error,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.advice, self.system)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.system)
    }
}

/// Everything that waits on a reactor that is gone.
pub(super) fn shut_down() -> io::Error {
    io::Error::other("the runtime that owned this socket has shut down")
}

/// Every token is in use.
#[cold]
pub(super) fn full() -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, "the reactor has no room for another descriptor: close some first")
}

/// The system's refusal to watch a descriptor.
#[cold]
pub(super) fn refused(system: io::Error) -> io::Error {
    let (kind, advice) = match system.kind() {
        io::ErrorKind::PermissionDenied => (
            io::ErrorKind::Unsupported,
            "this descriptor cannot be waited for, as a regular file is always ready: use weftwork::to_thread for it",
        ),
        io::ErrorKind::AlreadyExists => (
            io::ErrorKind::AlreadyExists,
            "this descriptor is registered with this runtime already: share that owner, or duplicate the descriptor",
        ),
        _ if super::os::is_not_open(&system) => {
            (io::ErrorKind::InvalidInput, "this descriptor is not open: its owner must keep it open")
        }
        _ => return system,
    };
    io::Error::new(kind, Refused { advice, system })
}

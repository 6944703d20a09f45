//! Names of Unix sockets: files, and on Linux names that are no file's.

use crate::reactor::os;
use socket2::SockAddr;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A name in the system's form.
#[derive(Debug, Clone)]
pub(super) struct Address {
    system: SockAddr,
    /// The file, if it is one.
    path: Option<PathBuf>,
}

impl Address {
    /// A path; on Linux one that begins with a zero byte is an abstract name.
    ///
    /// # Errors
    /// `InvalidInput`: it is empty, too long (about a hundred bytes), or has a zero byte in it.
    pub(super) fn of_path(path: &Path) -> io::Result<Self> {
        let bytes = path.as_os_str().as_bytes();
        let is_abstract = os::ABSTRACT_NAMES && bytes.first() == Some(&0);
        if bytes.is_empty() {
            return Err(invalid("the path of a socket is empty"));
        }
        // The system would stop reading there, and make a file of another name.
        if !is_abstract && bytes.contains(&0) {
            return Err(invalid("the path of a socket has a zero byte in it"));
        }
        Ok(Self { system: SockAddr::unix(path)?, path: (!is_abstract).then(|| path.to_owned()) })
    }

    /// # Errors
    /// `InvalidInput`: it is the address of a socket that has no name.
    pub(super) fn of(address: &SocketAddr) -> io::Result<Self> {
        match (address.as_pathname(), os::abstract_name(address)) {
            (Some(path), _) => Self::of_path(path),
            (None, Some(name)) => Self::of_path(Path::new(OsStr::from_bytes(&[&[0], name].concat()))),
            (None, None) => Err(invalid("this is the address of a socket without a name")),
        }
    }

    pub(super) fn system(&self) -> &SockAddr {
        &self.system
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

#[cold]
fn invalid(advice: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, advice)
}

//! The file that a bound socket makes: who made it removes it, and nobody else's.
//!
//! A file is known by device and inode, which are looked up right after the bind and compared right before the removal. So
//! a successor that has put its own socket there keeps it. Between looking and removing the system leaves a moment in
//! which another program may replace the file; only a lock that all programs agree on would close it.
//!
//! Whether somebody lives at a socket is asked by a datagram socket that connects to it: the system refuses it for want of
//! a listener, or because the listener's kind is another. A stream would be accepted and disturb the one who lives there.

use super::address::Address;
use crate::platform::process_id;
use crate::reactor::os;
use core::fmt;
use socket2::{Domain, Socket, Type};
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{self, Path, PathBuf};
use weftwork_sync::primitive::fault::{self, Point};

/// A socket file that was made here. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
    /// A forked child inherits the socket and not the right to remove its file.
    process: u32,
    pub(super) remove_on_drop: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(file: &fs::Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino() }
    }
}

impl SocketFile {
    fn made(at: &Path) -> io::Result<Self> {
        // The working directory may be another one by the time it is removed.
        let path = path::absolute(at)?;
        let identity = Identity::of(&fs::symlink_metadata(&path)?);
        Ok(Self { path, identity, process: process_id(), remove_on_drop: true })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.remove_on_drop && self.process == process_id() {
            remove(&self.path, self.identity);
        }
    }
}

/// Removes a file if it is still the same. Nobody is left to be told that it could not be removed.
fn remove(path: &Path, identity: Identity) {
    if fs::symlink_metadata(path).is_ok_and(|file| Identity::of(&file) == identity) {
        let _ = fs::remove_file(path);
    }
}

/// What to do when there is a socket file that nobody listens at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    Refuse,
    Replace,
}

/// A socket of a kind, in non-blocking mode.
pub(super) fn socket(kind: Type) -> io::Result<Socket> {
    fault::pass(Point::Descriptor)?;
    os::socket(Domain::UNIX, kind, None)
}

/// A socket that has a name, and the file that this made.
pub(super) fn bind(kind: Type, address: &Address, stale: Stale) -> io::Result<(Socket, Option<SocketFile>)> {
    let socket = socket(kind)?;
    match (socket.bind(address.system()), address.path()) {
        (Ok(()), path) => {
            let file = path.map(SocketFile::made).transpose()?;
            return Ok((socket, file));
        }
        (Err(e), Some(_)) if e.kind() == io::ErrorKind::AddrInUse => {}
        (Err(e), _) => return Err(e),
    }
    let path = address.path().unwrap_or(Path::new(""));
    match (Occupant::of(path, address)?, stale) {
        (Occupant::Nobody(file), Stale::Replace) => {
            remove(path, file);
            // Somebody may have come meanwhile, then this is their error to see.
            socket.bind(address.system())?;
            let file = SocketFile::made(path)?;
            Ok((socket, Some(file)))
        }
        (occupant, _) => Err(io::Error::new(io::ErrorKind::AddrInUse, Occupied { path: path.to_owned(), occupant })),
    }
}

/// What lies where a socket is to be bound.
#[derive(Debug)]
enum Occupant {
    /// A socket file whose owner is gone.
    Nobody(Identity),
    Somebody,
    /// A file that is no socket.
    Other,
    /// The system does not say.
    Unknown(io::Error),
}

impl Occupant {
    fn of(path: &Path, address: &Address) -> io::Result<Self> {
        let file = match fs::symlink_metadata(path) {
            Ok(file) if file.file_type().is_socket() => Identity::of(&file),
            Ok(_) => return Ok(Self::Other),
            Err(e) => return Ok(Self::Unknown(e)),
        };
        Ok(match socket(Type::DGRAM)?.connect(address.system()) {
            Ok(()) => Self::Somebody,
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => Self::Nobody(file),
            Err(e) if os::is_of_another_kind(&e) => Self::Somebody,
            Err(e) => Self::Unknown(e),
        })
    }
}

/// A path that is taken.
#[derive(Debug)]
struct Occupied {
    path: PathBuf,
    occupant: Occupant,
}

impl fmt::Display for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.occupant {
            Occupant::Nobody(_) => write!(
                f,
                "{path} is a socket that nobody listens at, left behind by a program that is gone: remove it, or bind with \
                 bind_replacing"
            ),
            Occupant::Somebody => write!(f, "{path} is a socket that another one is bound to"),
            Occupant::Other => write!(f, "{path} is a file that is no socket"),
            Occupant::Unknown(e) => write!(f, "{path} is there already, and whose it is cannot be found out: {e}"),
        }
    }
}

impl std::error::Error for Occupied {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.occupant {
            Occupant::Unknown(e) => Some(e),
            _ => None,
        }
    }
}

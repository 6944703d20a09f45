//! Windows: sockets and Winsock's errors.

use std::io;
use std::os::windows::io::{AsRawSocket, BorrowedSocket, RawSocket};

const WSAEINTR: i32 = 10004;
const WSAEMFILE: i32 = 10024;
const WSAEINPROGRESS: i32 = 10036;
const WSAENOTSOCK: i32 = 10038;
const WSAEPROTONOSUPPORT: i32 = 10043;
const WSAEAFNOSUPPORT: i32 = 10047;
const WSAEADDRNOTAVAIL: i32 = 10049;
const WSAENETDOWN: i32 = 10050;
const WSAENETUNREACH: i32 = 10051;
const WSAECONNABORTED: i32 = 10053;
const WSAECONNRESET: i32 = 10054;
const WSAENOBUFS: i32 = 10055;
const WSAEHOSTUNREACH: i32 = 10065;

/// Here `SO_REUSEADDR` would let two programs steal each other's connections, so std does not set it either.
pub(crate) const REUSE_ADDRESS: bool = false;

/// A socket as a number.
pub(crate) type RawSource = RawSocket;

/// A socket that somebody keeps open for `'a`.
pub(crate) type BorrowedSource<'a> = BorrowedSocket<'a>;

/// The number of a socket.
pub(crate) fn raw(source: BorrowedSource<'_>) -> RawSource {
    source.as_raw_socket()
}

/// A socket from its number.
///
/// # Safety
/// It is open for `'a`.
pub(crate) unsafe fn borrow<'a>(source: RawSource) -> BorrowedSource<'a> {
    // SAFETY: the caller's promise.
    unsafe { BorrowedSocket::borrow_raw(source) }
}

/// The number names no open socket.
pub(crate) fn is_not_open(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAENOTSOCK)
}

/// A connect goes on in the background.
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEINPROGRESS) || error.kind() == io::ErrorKind::WouldBlock
}

/// The system does not speak this address family, or speaks it and has no such address.
pub(crate) fn is_address_not_here(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(WSAEAFNOSUPPORT | WSAEPROTONOSUPPORT | WSAEADDRNOTAVAIL))
}

/// The process or the system is out of sockets or memory: waiting helps, trying again at once does not. The number 24 is
/// what a fault point gives in the name of every system.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(WSAEMFILE | WSAENOBUFS | 24)) || error.kind() == io::ErrorKind::OutOfMemory
}

/// `accept` reports what befell the one connection it took from the queue; the next one may be well.
pub(crate) fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(WSAEINTR | WSAENETDOWN | WSAENETUNREACH | WSAECONNABORTED | WSAECONNRESET | WSAEHOSTUNREACH)
    )
}

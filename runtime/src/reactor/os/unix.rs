//! Unix: descriptors and errno.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// A listener may bind an address on which connections of its predecessor still linger, as std's does.
pub(crate) const REUSE_ADDRESS: bool = true;

/// A descriptor as a number.
pub(crate) type RawSource = RawFd;

/// A descriptor that somebody keeps open for `'a`.
pub(crate) type BorrowedSource<'a> = BorrowedFd<'a>;

/// The number of a descriptor.
pub(crate) fn raw(source: BorrowedSource<'_>) -> RawSource {
    source.as_raw_fd()
}

/// A descriptor from its number.
///
/// # Safety
/// It is open for `'a`.
pub(crate) unsafe fn borrow<'a>(source: RawSource) -> BorrowedSource<'a> {
    // SAFETY: the caller's promise.
    unsafe { BorrowedFd::borrow_raw(source) }
}

/// The number names no open descriptor.
pub(crate) fn is_not_open(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EBADF)
}

/// A connect goes on in the background.
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

/// The system does not speak this address family, or speaks it and has no such address.
pub(crate) fn is_address_not_here(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::EADDRNOTAVAIL))
}

/// The process or the system is out of descriptors or memory: waiting helps, trying again at once does not.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    // ENOSPC: the user's limit on watched descriptors (epoll_ctl).
    matches!(number, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ENOSPC))
        || error.kind() == io::ErrorKind::OutOfMemory
}

/// `accept` reports what befell the one connection it took from the queue; the next one may be well.
pub(crate) fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::ECONNRESET
                | libc::EPROTO
                | libc::ENOPROTOOPT
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ENETDOWN
                | libc::ENETUNREACH
                | libc::ETIMEDOUT
                | libc::EPERM
                | libc::EINTR
        )
    )
}

//! What differs between systems and is not the poller itself: how a descriptor is named, what errors are called, and how
//! a socket is made, or a connection taken from a listener.
//!
//! One module per family with the same items; a cfg selects it and appears nowhere else.

#[cfg(feature = "net")]
mod batch;
#[cfg(all(feature = "net", target_os = "linux"))]
mod batch_linux;
#[cfg(all(feature = "net", any(not(target_os = "linux"), test)))]
mod batch_portable;
#[cfg(all(
    feature = "net",
    any(
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "ios",
        target_os = "macos",
        target_os = "netbsd",
        target_os = "openbsd"
    )
))]
#[path = "credentials_bsd.rs"]
mod credentials;
#[cfg(all(
    feature = "net",
    unix,
    not(any(
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "ios",
        target_os = "linux",
        target_os = "macos",
        target_os = "netbsd",
        target_os = "openbsd"
    ))
))]
#[path = "credentials_missing.rs"]
mod credentials;
#[cfg(unix)]
#[path = "unix.rs"]
mod family;
#[cfg(windows)]
#[path = "windows.rs"]
mod family;
#[cfg(all(feature = "net", unix))]
mod local;
#[cfg(all(feature = "net", target_os = "linux"))]
mod local_linux;
#[cfg(all(feature = "net", unix, not(target_os = "linux")))]
mod local_portable;
#[cfg(all(feature = "net", target_os = "linux"))]
#[path = "socket_linux.rs"]
mod socket;
#[cfg(all(feature = "net", not(target_os = "linux")))]
#[path = "socket_portable.rs"]
mod socket;
#[cfg(all(feature = "net", target_os = "linux"))]
#[path = "stream_linux.rs"]
mod stream;
#[cfg(all(feature = "net", not(target_os = "linux")))]
#[path = "stream_portable.rs"]
mod stream;
#[cfg(all(feature = "net", any(not(target_os = "linux"), unix)))]
mod uninit;

#[cfg(feature = "net")]
pub use batch::{Incoming, Outgoing};
#[cfg(all(feature = "net", target_os = "linux"))]
pub(crate) use batch_linux::{recv_batch, send_batch};
#[cfg(all(feature = "net", not(target_os = "linux")))]
pub(crate) use batch_portable::{recv_batch, send_batch};
pub(crate) use family::{
    BorrowedSource, REUSE_ADDRESS, RawSource, borrow, is_about_one_connection, is_address_not_here, is_exhaustion,
    is_in_progress, is_not_open, raw,
};
#[cfg(all(feature = "net", unix))]
pub(crate) use local::{is_of_another_kind, peek, peek_from};
#[cfg(all(feature = "net", target_os = "linux"))]
pub(crate) use local_linux::{
    ABSTRACT_NAMES, abstract_name, accept_local, address, is_receiver_full, peer_credentials,
};
#[cfg(all(feature = "net", unix, not(target_os = "linux")))]
pub(crate) use local_portable::{
    ABSTRACT_NAMES, abstract_name, accept_local, address, is_receiver_full, peer_credentials,
};
#[cfg(feature = "net")]
pub(crate) use socket::{accept, socket};
#[cfg(feature = "net")]
pub(crate) use stream::{recv, send};

//! What stands in for epoll on systems that do not have it: a type without values.

use super::Interest;
use super::os::{BorrowedSource, RawSource};
use super::registry::Event;
use super::tokens::Token;
use core::time::Duration;
use std::io;

/// Whether this system has it.
pub(super) const IS_NATIVE: bool = false;

/// There is none.
#[derive(Debug)]
pub(super) enum Epoll {}

/// There are none.
pub(super) enum Events {}

impl Events {
    /// Never called: there is no [`Epoll`] to wait with.
    pub(super) fn new() -> Self {
        unreachable!("there is no epoll to wait with")
    }

    /// Never called: there is no [`Epoll`] to wait with.
    pub(super) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        std::iter::from_fn(|| match *self {})
    }
}

impl Epoll {
    /// Always refused.
    ///
    /// # Errors
    /// This system has no epoll.
    pub(super) fn new() -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no epoll: choose the default reactor backend"))
    }

    /// Never called: there is no value.
    ///
    /// # Safety
    /// None.
    ///
    /// # Errors
    /// None.
    pub(super) unsafe fn add(&self, _source: RawSource, _token: Token, _interest: Interest) -> io::Result<()> {
        match *self {}
    }

    /// Never called: there is no value.
    ///
    /// # Errors
    /// None.
    pub(super) fn delete(&self, _source: BorrowedSource<'_>) -> io::Result<()> {
        match *self {}
    }

    /// Never called: there is no value.
    ///
    /// # Errors
    /// None.
    pub(super) fn wait(&self, events: &mut Events, _timeout: Option<Duration>) -> io::Result<()> {
        match *events {}
    }

    /// Never called: there is no value.
    ///
    /// # Errors
    /// None.
    pub(super) fn notify(&self) -> io::Result<()> {
        match *self {}
    }
}

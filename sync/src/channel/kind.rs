//! The kinds of channel, as types: the two ends are one text for all of them, and which queue stands between them is known
//! when the program is compiled.

use super::blocks::Blocks;
use super::flow::Flow;
use super::meeting::Meeting;
use super::ring::Ring;
use super::state::Channel;

/// What an end of a channel belongs to: [`Bounded`], [`Unbounded`] or [`Rendezvous`].
///
/// Nobody else can implement it. It is there to be named where code is to run with any kind of channel.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, Kind, Receiver};
///
/// fn drain<T, K: Kind>(receiver: &Receiver<T, K>) -> usize {
///     std::iter::from_fn(|| receiver.try_recv().ok()).count()
/// }
///
/// let (sender, receiver) = channel::bounded(4);
/// assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
/// assert_eq!(drain(&receiver), 2);
/// ```
pub trait Kind: sealed::Kind {}

pub(super) mod sealed {
    use super::Flow;

    pub trait Kind: Sized + 'static {
        type Flow<T>: Flow<Item = T>;
        const NAME: &'static str;
    }
}

/// The kind of channel that [`bounded`](super::bounded) makes.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, Bounded, Receiver};
/// let (_sender, receiver): (_, Receiver<u8, Bounded>) = channel::bounded(1);
/// let _: Receiver<u8> = receiver; // it is the one that is meant where none is named
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Bounded {}

impl sealed::Kind for Bounded {
    type Flow<T> = Channel<Ring<T>>;
    const NAME: &'static str = "bounded";
}
impl Kind for Bounded {}

/// The kind of channel that [`unbounded`](super::unbounded) makes.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, Receiver, Unbounded};
/// let (sender, receiver): (_, Receiver<u8, Unbounded>) = channel::unbounded();
/// assert!(sender.send(1).is_ok());
/// assert_eq!(receiver.len(), 1);
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Unbounded {}

impl sealed::Kind for Unbounded {
    type Flow<T> = Channel<Blocks<T>>;
    const NAME: &'static str = "unbounded";
}
impl Kind for Unbounded {}

/// The kind of channel that [`rendezvous`](super::rendezvous()) makes.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, Receiver, Rendezvous};
/// let (_sender, receiver): (_, Receiver<u8, Rendezvous>) = channel::rendezvous();
/// assert!(receiver.try_recv().is_err());
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Rendezvous {}

impl sealed::Kind for Rendezvous {
    type Flow<T> = Meeting<T>;
    const NAME: &'static str = "rendezvous";
}
impl Kind for Rendezvous {}

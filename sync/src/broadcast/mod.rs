//! Values from many senders to many receivers, each of which receives every value.
//!
//! [`channel`] makes a sender and a receiver; more receivers come from [`Sender::subscribe`], and receive what is sent from then
//! on. Sending never waits: a receiver that is slower than the ring is long misses the oldest values and is told how many.
//! Where the newest value is enough it is [`watch`](crate::watch); where each value goes to one receiver,
//! [`channel`](crate::channel).
//!
//! # What a value must be able to do
//! Each receiver gets a clone, the last one the value itself. Clones are made without any lock, by several threads at a time, so
//! ends that cross threads need `T: Send + Sync`. (A channel that asks for `Send` alone has either to clone under a lock or to
//! be unsound, RUSTSEC-2025-0023.) Put what is dear to clone, or not `Sync`, into an `Arc`, or an `Arc<Mutex>`.
//! A value is dropped as soon as all have received it.
//!
//! # What it costs
//! The ring is allocated once. Sending takes a lock for the time of a move, and one more read-modify-write; receiving what is
//! there is two read-modify-writes and the clone, or three and no clone for the last receiver.
//!
//! # Counterparts
//! tokio's `sync::broadcast`, with the same names and meanings. asyncio has none; a `Queue` for each who listens.
//!
//! # Examples
//! ```
//! use weftwork_sync::{block_on, broadcast};
//!
//! let (sender, mut first) = broadcast::channel(16);
//! let mut second = sender.subscribe();
//! std::thread::scope(|scope| {
//!     scope.spawn(move || {
//!         for number in 0..10 {
//!             sender.send(number).expect("two receive");
//!         }
//!     });
//!     for receiver in [&mut first, &mut second] {
//!         let sum = block_on(async {
//!             let mut sum = 0;
//!             while let Ok(number) = receiver.recv().await {
//!                 sum += number;
//!             }
//!             sum
//!         });
//!         assert_eq!(sum, 45);
//!     }
//! });
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `node.rs` | one value: who reads it, who takes it |
//! | `ring.rs` | which node holds which value |
//! | `state.rs` | the protocol: positions, who waits, who is counted |
//! | `sender.rs`, `receiver.rs` | the ends |
//! | `error.rs` | why nothing was sent or received |
//! | `mod.rs` | making the ends |

mod error;
mod node;
mod receiver;
mod ring;
mod sender;
mod state;

pub use error::{RecvError, SendError, TryRecvError};
pub use receiver::{Receiver, Recv};
pub use sender::{Closed, Sender, WeakSender};

use crate::primitive::Shared;
use state::Channel;

/// The largest capacity; memory ends long before it.
const MAX_CAPACITY: usize = usize::MAX >> 4;

/// Makes a sender and a receiver. A receiver that is more than `capacity` values behind, rounded up to a power of two, misses
/// the oldest.
///
/// # Panics
/// If `capacity` is 0, or more than a sixteenth of the address space.
///
/// # Examples
/// ```
/// let (sender, mut receiver) = weftwork_sync::broadcast::channel(16);
/// assert_eq!(sender.send('a').map_err(|error| error.into_inner()), Ok(1));
/// assert_eq!(receiver.try_recv(), Ok('a'));
/// ```
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Shared::new(Channel::new(places(capacity), 1));
    (Sender::of(channel.clone()), Receiver::of(channel, 0))
}

/// How many places a ring for `capacity` values has.
fn places(capacity: usize) -> usize {
    assert!(capacity > 0, "a broadcast channel of capacity 0 would keep nothing for anybody: use 1 or more");
    assert!(capacity <= MAX_CAPACITY, "a broadcast channel of capacity {capacity} exceeds the address space: use less");
    capacity.next_power_of_two()
}

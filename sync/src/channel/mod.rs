//! Queues from many senders to many receivers; each value goes to one receiver.
//!
//! | made by | holds | sending |
//! |---|---|---|
//! | [`bounded`] | up to so many values | waits for room |
//! | [`unbounded`] | any number | never waits |
//! | [`rendezvous`](rendezvous()) | none | waits for a receiver |
//!
//! Each makes the two ends, and both can be cloned. Values arrive in the order in which they were sent. When the
//! last sender or the last receiver is dropped, or either side says so, the channel is closed: sending fails from then on,
//! and receiving fails when everything that was sent has been received.
//!
//! # Waiting
//! Whoever waits is told in the order in which it began to wait, but a place or a value is not set aside for it: another
//! may come first, and then it keeps its turn. So a future that is dropped, or kept and never polled again, holds nothing
//! back from the others.
//!
//! # What it costs
//! The buffer of a bounded channel is allocated once, for the whole capacity, that of an unbounded one in blocks of 31
//! values. Sending and receiving otherwise allocate nothing, and take no lock unless somebody has to wait or to be woken.
//!
//! # One receiver
//! There is no kind of its own for it. What a receiver that is alone could save is the compare-exchange by which it claims a
//! value, on a word that nobody else then writes; taking [many at once](Receiver::recv_many) saves that and more for all but
//! one of them, and keeps saving it when a second receiver is added.
//!
//! # Counterparts
//! asyncio's `Queue` with `shutdown()`; of tokio's `sync::mpsc`:
//!
//! | tokio | here |
//! |---|---|
//! | `channel(n)`, `unbounded_channel()` | [`bounded`], [`unbounded`] |
//! | `UnboundedSender<T>`, `UnboundedReceiver<T>` | `Sender<T, Unbounded>`, `Receiver<T, Unbounded>` |
//! | `recv().await` is an `Option` | a `Result`, as of `try_recv`: [`RecvError`] is the end |
//! | `Sender::capacity()`, `max_capacity()` | the [capacity](Sender::capacity) less [`len`](Sender::len) and what is reserved; [`capacity`](Sender::capacity) |
//! | `reserve`, `reserve_many`, `reserve_owned`, `try_reserve` | the same |
//! | `recv_many`, `poll_recv`, `blocking_recv`, `closed`, `downgrade` | the same; `recv` takes `&self` |
//! | `ReceiverStream`, `PollSender` (of other crates) | a [`Receiver`] is a stream; [`Sender::into_sink`] |
//!
//! # Examples
//! ```
//! use weftwork_sync::{block_on, channel};
//!
//! let (sender, receiver) = channel::bounded(16);
//! std::thread::scope(|scope| {
//!     scope.spawn(move || {
//!         for number in 0..100 {
//!             sender.blocking_send(number).expect("the receiver is alive");
//!         }
//!     });
//!     block_on(async {
//!         let mut sum = 0;
//!         while let Ok(number) = receiver.recv().await {
//!             sum += number;
//!         }
//!         assert_eq!(sum, 4950);
//!     });
//! });
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `queue.rs`, `ring/`, `blocks.rs` | what a queue promises; the one with a bound (claims, stamps and permits); the one without |
//! | `state.rs`, `side.rs`, `turn.rs` | waiting on either side, closing, the argument that nobody sleeps for ever |
//! | `meeting.rs`, `rendezvous.rs` | where there is no buffer |
//! | `flow.rs`, `kind.rs` | what every kind of channel does, so that the ends are written once |
//! | `sender.rs`, `unbounded.rs`, `weak.rs`, `receiver.rs`, `ask.rs` | the ends |
//! | `futures.rs`, `reserve.rs` | the futures of sending and receiving; permits |
//! | `stream.rs`, `sink.rs` | the traits of `futures`, each behind its feature |
//! | `error.rs` | why nothing was sent or received |

mod ask;
#[allow(missing_debug_implementations, reason = "nobody outside can name what is in it")]
mod blocks;
mod error;
#[allow(missing_debug_implementations, reason = "nobody outside can name what is in it")]
mod flow;
mod futures;
mod kind;
#[allow(missing_debug_implementations, reason = "nobody outside can name what is in it")]
mod meeting;
mod queue;
mod receiver;
mod rendezvous;
mod reserve;
#[allow(missing_debug_implementations, reason = "nobody outside can name what is in it")]
mod ring;
mod sender;
mod side;
#[cfg(feature = "sink")]
mod sink;
#[allow(missing_debug_implementations, reason = "nobody outside can name what is in it")]
mod state;
#[cfg(feature = "stream")]
mod stream;
mod turn;
mod unbounded;
mod weak;

pub use error::{RecvError, RecvTimeoutError, ReserveError, SendError, SendTimeoutError, TryRecvError, TrySendError};
pub use futures::{Closed, Recv, RecvMany, Send};
pub use kind::{Bounded, Kind, Rendezvous, Unbounded};
pub use receiver::{BlockingIter, Receiver};
pub use rendezvous::Handover;
pub use reserve::{OwnedPermit, Permit, Permits, Reserve, ReserveMany, ReserveOwned};
pub use sender::Sender;
#[cfg(feature = "sink")]
pub use sink::SenderSink;
pub use weak::WeakSender;

use self::blocks::Blocks;
use self::meeting::Meeting;
use self::ring::{MAX_CAPACITY, Ring};
use self::state::Channel;
use crate::primitive::Shared;

/// Makes a channel that holds up to `capacity` values.
///
/// # Panics
/// If `capacity` is 0 (see [`rendezvous`](rendezvous())) or more than 268 435 455, for which the buffer would take gigabytes.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::channel::bounded(8);
/// assert!(sender.try_send(1).is_ok());
/// assert_eq!(receiver.try_recv(), Ok(1));
/// ```
#[doc(alias("Queue", "asyncio.Queue", "mpsc"))]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity != 0,
        "channel::bounded(0) has no place for a value: use channel::rendezvous(), where each send waits for a receiver, or \
         channel::bounded(1)",
    );
    assert!(
        capacity <= MAX_CAPACITY,
        "channel::bounded({capacity}) is more than a buffer of fixed size can hold: use a smaller capacity"
    );
    let flow = Shared::new(Channel::new(Ring::new(capacity)));
    (Sender { flow: flow.clone() }, Receiver::new(flow))
}

/// Makes a channel that holds any number of values: sending never waits, and memory is the only limit.
///
/// Prefer [`bounded`] wherever the receivers can fall behind: a bound makes the senders wait for them. Values are kept in
/// blocks of 31, and a block is freed as soon as the last of its values was received.
///
/// # Counterparts
/// asyncio's `Queue()`, tokio's `mpsc::unbounded_channel`, which has one receiver.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::unbounded();
/// for number in 0..1000 {
///     sender.send(number).expect("the receiver is alive");
/// }
/// drop(sender);
/// let mut sum = 0;
/// while let Ok(number) = receiver.recv().await {
///     sum += number;
/// }
/// assert_eq!(sum, 499_500);
/// # });
/// ```
#[doc(alias("Queue", "asyncio.Queue", "unbounded_channel", "mpsc"))]
pub fn unbounded<T>() -> (Sender<T, Unbounded>, Receiver<T, Unbounded>) {
    let flow = Shared::new(Channel::new(Blocks::new()));
    (Sender { flow: flow.clone() }, Receiver::new(flow))
}

/// Makes a channel without a buffer: each value goes from a sender's hand into a receiver's, and sending it is done when it
/// was taken.
///
/// It stands on a lock, which is held for a few instructions. The values of senders that wait are kept in the channel, in
/// a table that grows to as many as ever waited at once.
///
/// # Counterparts
/// The channels of CSP and Go's unbuffered ones; neither asyncio nor tokio has one.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::channel::rendezvous();
/// std::thread::scope(|scope| {
///     scope.spawn(move || sender.blocking_send("from hand to hand"));
///     assert_eq!(receiver.blocking_recv(), Ok("from hand to hand"));
/// });
/// ```
#[doc(alias("zero", "bounded_0", "sync_channel"))]
pub fn rendezvous<T>() -> (Sender<T, Rendezvous>, Receiver<T, Rendezvous>) {
    let flow = Shared::new(Meeting::new());
    (Sender { flow: flow.clone() }, Receiver::new(flow))
}

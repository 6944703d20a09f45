//! A bounded queue from many senders to many receivers; each value goes to one receiver.
//!
//! [`bounded`] makes the two ends, and both can be cloned. Values arrive in the order in which they were sent. When the
//! last sender or the last receiver is dropped, or either side says so, the channel is closed: sending fails from then on,
//! and receiving fails when everything that was sent has been received.
//!
//! # Waiting
//! Whoever waits is told in the order in which it began to wait, but a place or a value is not set aside for it: another
//! may come first, and then it keeps its turn. So a future that is dropped, or kept and never polled again, holds nothing
//! back from the others.
//!
//! # What it costs
//! The buffer is allocated once, for the whole capacity; sending and receiving allocate nothing and take no lock unless
//! somebody has to wait or to be woken.
//!
//! # Counterparts
//! asyncio's `Queue(maxsize)` with `shutdown()`, tokio's `sync::mpsc::channel` (which has one receiver).
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
//! | `ring.rs` | the queue: claims and stamps |
//! | `state.rs` | waiting on either side, closing, the argument that nobody sleeps for ever |
//! | `futures.rs` | the futures of sending and receiving |
//! | `error.rs` | why nothing was sent or received |
//! | `mod.rs` | the two ends |

mod error;
mod futures;
mod ring;
mod state;

pub use error::{RecvError, SendError, TryRecvError, TrySendError};
pub use futures::{Recv, Send};

use self::ring::{NotPopped, NotPushed};
use self::state::Channel;
use crate::primitive::Shared;
use crate::primitive::atomic::Ordering;
use core::fmt;

/// The largest capacity; memory ends long before it.
const MAX_CAPACITY: usize = usize::MAX >> 4;

/// Makes a channel that holds up to `capacity` values.
///
/// # Panics
/// If `capacity` is 0 (a channel without a buffer, where each send meets a receive, is not offered: use 1, or send a
/// [`oneshot`](crate::oneshot) along for the answer) or more than a sixteenth of the address space.
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
        "channel::bounded(0) would be a channel without a buffer, which is not offered: use channel::bounded(1), and send \
         a oneshot::Sender along where the sender has to know that the value was received",
    );
    assert!(capacity <= MAX_CAPACITY, "channel::bounded({capacity}) exceeds the address space: use a smaller capacity");
    let channel = Shared::new(Channel::new(capacity));
    (Sender { channel: channel.clone() }, Receiver { channel })
}

/// The end that sends. Clone it for more senders; dropping the last one closes the channel.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::channel::bounded(2);
/// let other = sender.clone();
/// assert!(sender.try_send(1).is_ok() && other.try_send(2).is_ok());
/// drop((sender, other));
/// assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
/// assert!(receiver.is_closed());
/// ```
pub struct Sender<T> {
    channel: Shared<Channel<T>>,
}

impl<T> Sender<T> {
    /// Sends a value; waits while the channel is full.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the channel is or gets closed.
    ///
    /// # Cancel safety
    /// If the future is dropped before it completes, the value was not sent and is dropped with it;
    /// [`Send::take_back`] saves it.
    ///
    /// # Counterparts
    /// asyncio's `Queue.put`, tokio's `mpsc::Sender::send`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// sender.send("a").await.expect("the receiver is alive");
    /// assert_eq!(receiver.recv().await, Ok("a"));
    /// # });
    /// ```
    #[doc(alias = "put")]
    pub fn send(&self, value: T) -> Send<'_, T> {
        Send::new(self, value)
    }

    /// Sends a value if there is room.
    ///
    /// # Errors
    /// [`TrySendError`] with the value: `Full` also while another thread is in the middle of taking a value out of the
    /// place that comes next, `Closed` if the channel is closed.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::channel::{self, TrySendError};
    /// let (sender, _receiver) = channel::bounded(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// ```
    #[inline]
    #[doc(alias = "put_nowait")]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut item = Some(value);
        let pushed = self.channel.try_push(&mut item);
        match (pushed, item) {
            (Err(NotPushed::Full), Some(value)) => Err(TrySendError::Full(value)),
            (Err(NotPushed::Closed), Some(value)) => Err(TrySendError::Closed(value)),
            _ => Ok(()),
        }
    }

    /// Sends a value from a thread that runs no tasks; blocks while the channel is full.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that receives may need that thread.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.blocking_send(1).is_ok());
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        match self.try_send(value) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(value)) => Err(SendError(value)),
            Err(TrySendError::Full(value)) => crate::block_on(self.send(value)),
        }
    }

    /// Closes the channel: nothing more can be sent, what was sent can be received. `false` if it was closed before.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.try_send(1).is_ok());
    /// assert!(sender.close());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert!(receiver.try_recv().is_err());
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) -> bool {
        self.channel.close()
    }

    fn channel(&self) -> &Channel<T> {
        &self.channel
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Ordering: Relaxed, the caller is counted already.
        self.channel.sender_count.fetch_add(1, Ordering::Relaxed);
        Self { channel: self.channel.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Ordering: AcqRel: what every sender did comes before the last one closes.
        if self.channel.sender_count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.channel.close();
        }
    }
}

/// The end that receives. Clone it for more receivers; dropping the last one closes the channel and drops what is in it.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(1);
/// let other = receiver.clone();
/// assert!(sender.send(1).await.is_ok());
/// assert_eq!(other.recv().await, Ok(1));
/// # });
/// ```
pub struct Receiver<T> {
    channel: Shared<Channel<T>>,
}

impl<T> Receiver<T> {
    /// Receives a value; waits while the channel is empty.
    ///
    /// # Errors
    /// [`RecvError`] if the channel is closed and everything that was sent has been received.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: a value is taken only when the future completes.
    ///
    /// # Counterparts
    /// asyncio's `Queue.get`, tokio's `mpsc::Receiver::recv`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// sender.send("a").await.expect("the receiver is alive");
    /// drop(sender);
    /// assert_eq!(receiver.recv().await, Ok("a"));
    /// assert!(receiver.recv().await.is_err());
    /// # });
    /// ```
    #[doc(alias = "get")]
    pub fn recv(&self) -> Recv<'_, T> {
        Recv::new(self)
    }

    /// Receives a value if there is one.
    ///
    /// # Errors
    /// [`TryRecvError`]: `Empty` also while another thread is in the middle of sending the value that comes next, `Closed`
    /// if the channel is closed and everything that was sent has been received.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.try_send(1).is_ok());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    #[inline]
    #[doc(alias = "get_nowait")]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.channel.try_pop().map_err(|why| match why {
            NotPopped::Empty => TryRecvError::Empty,
            NotPopped::Closed => TryRecvError::Closed,
        })
    }

    /// Receives a value on a thread that runs no tasks; blocks while the channel is empty.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that sends may need that thread.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// std::thread::spawn(move || sender.blocking_send(1));
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    pub fn blocking_recv(&self) -> Result<T, RecvError> {
        match self.try_recv() {
            Ok(value) => Ok(value),
            Err(TryRecvError::Closed) => Err(RecvError(())),
            Err(TryRecvError::Empty) => crate::block_on(self.recv()),
        }
    }

    /// Closes the channel: nothing more can be sent, what was sent can be received. `false` if it was closed before.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(receiver.close());
    /// assert!(sender.try_send(1).is_err());
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) -> bool {
        self.channel.close()
    }

    fn channel(&self) -> &Channel<T> {
        &self.channel
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        // Ordering: Relaxed, the caller is counted already.
        self.channel.receiver_count.fetch_add(1, Ordering::Relaxed);
        Self { channel: self.channel.clone() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Ordering: AcqRel: what every receiver did comes before the last one drops the rest.
        if self.channel.receiver_count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.channel.receivers_gone();
        }
    }
}

/// What both ends can ask.
macro_rules! ask {
    ($end:ident, $name:literal) => {
        impl<T> $end<T> {
            /// Whether nothing more can be sent.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// assert!(!sender.is_closed());
            /// receiver.close();
            /// assert!(sender.is_closed() && receiver.is_closed());
            /// ```
            pub fn is_closed(&self) -> bool {
                self.channel.ring.is_closed()
            }

            /// How many values are in the channel, counting those that are just being put in; never more than the capacity.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded(2);
            /// assert!(sender.try_send(1).is_ok());
            /// assert_eq!((sender.len(), receiver.len()), (1, 1));
            /// ```
            #[doc(alias = "qsize")]
            pub fn len(&self) -> usize {
                self.channel.ring.len()
            }

            /// Whether no value is in the channel.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
            /// assert!(sender.is_empty() && receiver.is_empty());
            /// ```
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many values fit.
            ///
            /// # Examples
            /// ```
            /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(3);
            /// assert_eq!((sender.capacity(), receiver.capacity()), (3, 3));
            /// ```
            #[doc(alias = "maxsize")]
            pub fn capacity(&self) -> usize {
                self.channel.ring.capacity()
            }
        }

        impl<T> fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name)
                    .field("len", &self.len())
                    .field("capacity", &self.capacity())
                    .field("closed", &self.is_closed())
                    .field("senders", &self.channel.sender_count.load(Ordering::Relaxed))
                    .field("receivers", &self.channel.receiver_count.load(Ordering::Relaxed))
                    .field("waiting_senders", &self.channel.senders.len())
                    .field("waiting_receivers", &self.channel.receivers.len())
                    .finish()
            }
        }
    };
}
ask!(Sender, "channel::Sender");
ask!(Receiver, "channel::Receiver");

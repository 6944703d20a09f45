//! A value that changes, and many who want to know the newest.
//!
//! [`channel`] makes the two ends. The [`Sender`] replaces the value or changes it in place; each [`Receiver`] can look at it at
//! any time and wait for the next change. Values in between may be missed: who is slow sees the newest. Where each value
//! has to be seen it is [`broadcast`](crate::broadcast), where there is only one it is [`SetOnce`](crate::SetOnce).
//!
//! # Locking
//! The value lies behind a lock, which is held while a [`Ref`] exists, and while a closure that was given to
//! [`send_modify`](Sender::send_modify) or [`wait_for`](Receiver::wait_for) runs. So keep a `Ref` for a moment only, never
//! across an `.await` (the compiler sees to that in tasks that move between threads), and do not send while you hold one:
//! that would wait for itself. Several may read at a time, one task twice too.
//!
//! # Counterparts
//! tokio's `sync::watch`, with the same names and meanings. asyncio has none; `Condition` with a value beside it.
//!
//! # Examples
//! ```
//! use weftwork_sync::{block_on, watch};
//!
//! let (sender, mut receiver) = watch::channel("starting");
//! std::thread::scope(|scope| {
//!     scope.spawn(move || sender.send("ready"));
//!     block_on(async {
//!         let state = receiver.wait_for(|state| *state == "ready").await.expect("it is sent first");
//!         assert_eq!(*state, "ready");
//!     });
//! });
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: value, version, who waits |
//! | `sender.rs` | the end that changes the value |
//! | `receiver.rs` | the end that looks and waits |
//! | `error.rs` | why nothing was sent, or nothing will come |
//! | `mod.rs` | making the ends; the borrowed value |

mod error;
mod receiver;
mod sender;
mod state;

pub use error::{RecvError, SendError};
pub use receiver::{Changed, Receiver, WaitFor};
pub use sender::{Closed, Sender};

use crate::primitive::{RwLockReadGuard, Shared};
use core::fmt;
use core::ops::Deref;
use state::State;

/// Makes a sender and a receiver of a value that is `value` at first. The receiver has seen that one.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::watch::channel(1);
/// assert!(sender.send(2).is_ok());
/// assert_eq!(*receiver.borrow(), 2);
/// ```
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let state = Shared::new(State::new(value, 1));
    (Sender::of(state.clone()), Receiver::of(state))
}

/// The value, borrowed. Nobody can change it while this exists: let go of it soon.
///
/// # Examples
/// ```
/// let (_sender, receiver) = weftwork_sync::watch::channel(String::from("a"));
/// assert_eq!(receiver.borrow().len(), 1);
/// ```
#[must_use = "the lock is given back at once when this is dropped"]
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not seen this value when it was borrowed; always `false` of what a sender borrows.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// assert!(receiver.borrow_and_update().has_changed());
    /// assert!(!receiver.borrow_and_update().has_changed());
    /// ```
    pub fn has_changed(&self) -> bool {
        self.changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

//! What stands between the two ends of a buffered channel: a queue that is pushed and popped without waiting.
//!
//! Waiting, closing and the argument that nobody sleeps beside an item are in `state.rs`, once for both queues: `ring.rs`
//! has room for so many, `blocks.rs` for any number.
//!
//! # What a queue promises to `state.rs`
//! 1. `push` makes its item visible, then a sequentially consistent fence, then calls `check`.
//! 2. Where room can run out, `pop` and whatever else makes room does the same with the room.
//! 3. `Empty` and `Full` may be said while another thread is in the middle of a push or a pop; that thread's `check` comes
//!    afterwards.
//! 4. `Closed` from `pop` means that no item is there or will ever be.

/// Why an item was not taken in. It is still with the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPushed {
    Full,
    Closed,
}

/// Why there was no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPopped {
    Empty,
    Closed,
}

/// See the head of this file.
pub trait Queue {
    type Item;

    /// Takes `item`'s value in and returns what `check` says once it is visible. `item` must hold a value, and does
    /// exactly if this fails.
    fn push<R>(&self, item: &mut Option<Self::Item>, check: impl FnOnce() -> R) -> Result<R, NotPushed>;

    /// Takes the next item out, with what `check` says once its room is free.
    fn pop<R>(&self, check: impl FnOnce() -> R) -> Result<(Self::Item, R), NotPopped>;

    /// Takes up to `limit` items, which is not 0, and appends them to `into`; otherwise as [`pop`](Self::pop).
    fn pop_many<R>(
        &self,
        limit: usize,
        into: &mut Vec<Self::Item>,
        check: impl FnOnce() -> R,
    ) -> Result<(usize, R), NotPopped>;

    /// Takes no more items in; `true` for the first caller.
    fn close(&self) -> bool;

    fn is_closed(&self) -> bool;

    /// Items that were claimed by a sender and not yet by a receiver.
    fn len(&self) -> usize;

    /// How many items can be in it; `None` for any number.
    fn capacity(&self) -> Option<usize>;

    /// How much room there is that nobody has claimed.
    fn room(&self) -> usize;
}

//! Permits: room in a channel that is set aside before there is a value to send.

use super::error::ReserveError;
use super::{SendError, Sender};
use crate::coop;
use crate::waiters::{Phase, Waiter};
use core::fmt;
use core::future::Future;
use core::iter::FusedIterator;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// Room for one value in a channel; [`send`](Self::send) needs not wait. Dropping it gives the room back.
///
/// A permit is room, not a turn: values arrive in the order in which they are sent, whenever their permits were taken.
/// While it is kept, the channel has room for one value less, so keep it no longer than it takes to make the value.
/// Receivers wait for what a permit may still bring: a closed channel is at its end when the last permit is used or dropped.
///
/// # Counterparts
/// tokio's `mpsc::Permit`.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(1);
/// let permit = sender.reserve().await.expect("the receiver is alive");
/// assert!(sender.try_send(1).is_err(), "the only place is reserved");
/// permit.send(2);
/// assert_eq!(receiver.recv().await, Ok(2));
/// # });
/// ```
#[must_use = "a permit that is dropped gives its room back"]
pub struct Permit<'a, T> {
    sender: &'a Sender<T>,
}

impl<'a, T> Permit<'a, T> {
    /// The caller has reserved a place and hands it over.
    pub(super) fn new(sender: &'a Sender<T>) -> Self {
        Self { sender }
    }

    /// Sends a value, without waiting, also where the channel was closed meanwhile. If all receivers are gone, the value is
    /// dropped.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// let permit = sender.try_reserve().expect("there is room");
    /// receiver.close();
    /// permit.send("the last word");
    /// assert_eq!(receiver.try_recv(), Ok("the last word"));
    /// ```
    pub fn send(self, value: T) {
        let sender = self.sender;
        // The place goes to the value.
        core::mem::forget(self);
        sender.flow().push_reserved(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.sender.flow().give_back(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("sender", &self.sender).finish()
    }
}

/// A [`Permit`] that holds its sender, so that it can be kept anywhere.
///
/// # Counterparts
/// tokio's `mpsc::OwnedPermit`.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(1);
/// let permit = sender.reserve_owned().await.expect("the receiver is alive");
/// let sender = permit.send(1);
/// assert!(sender.same_channel(&sender.clone()));
/// assert_eq!(receiver.recv().await, Ok(1));
/// # });
/// ```
#[must_use = "a permit that is dropped gives its room back"]
pub struct OwnedPermit<T> {
    /// There until the permit is used or released.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    /// The caller has reserved a place and hands it over.
    pub(super) fn new(sender: Sender<T>) -> Self {
        Self { sender: Some(sender) }
    }

    /// Sends a value as [`Permit::send`] does, and gives the sender back.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// let permit = sender.try_reserve_owned().expect("there is room");
    /// let _sender = permit.send(7);
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// ```
    pub fn send(mut self, value: T) -> Sender<T> {
        let Some(sender) = self.sender.take() else { unreachable!("a permit has its sender until it is used") };
        sender.flow().push_reserved(value);
        sender
    }

    /// Gives the room back, and the sender to the caller.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = weftwork_sync::channel::bounded(1);
    /// let permit = sender.try_reserve_owned().expect("there is room");
    /// let sender = permit.release();
    /// assert!(sender.try_send(1).is_ok());
    /// ```
    pub fn release(mut self) -> Sender<T> {
        let Some(sender) = self.sender.take() else { unreachable!("a permit has its sender until it is used") };
        sender.flow().give_back(1);
        sender
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.flow().give_back(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").field("sender", &self.sender).finish()
    }
}

/// Several [`Permit`]s; an iterator over them. Dropping it gives back those that were not taken out.
///
/// # Counterparts
/// tokio's `mpsc::PermitIterator`.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(8);
/// let permits = sender.reserve_many(3).await.expect("the receiver is alive");
/// for (permit, value) in permits.zip(["a", "b", "c"]) {
///     permit.send(value);
/// }
/// assert_eq!(receiver.len(), 3);
/// # });
/// ```
#[must_use = "permits that are dropped give their room back"]
pub struct Permits<'a, T> {
    sender: &'a Sender<T>,
    count: usize,
}

impl<'a, T> Permits<'a, T> {
    /// The caller has reserved so many places and hands them over.
    pub(super) fn new(sender: &'a Sender<T>, count: usize) -> Self {
        Self { sender, count }
    }
}

impl<'a, T> Iterator for Permits<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.count = self.count.checked_sub(1)?;
        Some(Permit { sender: self.sender })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl<T> ExactSizeIterator for Permits<'_, T> {}
impl<T> FusedIterator for Permits<'_, T> {}

impl<T> Drop for Permits<'_, T> {
    fn drop(&mut self) {
        if self.count != 0 {
            self.sender.flow().give_back(self.count);
        }
    }
}

impl<T> fmt::Debug for Permits<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").field("count", &self.count).field("sender", &self.sender).finish()
    }
}

/// The future of [`Sender::reserve`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Reserve<'a, T> {
    sender: &'a Sender<T>,
    waiter: Waiter,
}

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>) -> Self {
        Self { sender, waiter: Waiter::new() }
    }
}

impl<'a, T> Future for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        let reserved = ready!(poll_one(this.sender, waiter, cx));
        Poll::Ready(reserved.map(|()| Permit { sender: this.sender }))
    }
}

/// Reserves one place, or leaves `waiter` in the senders' list.
pub(super) fn poll_one<T>(
    sender: &Sender<T>,
    waiter: Pin<&Waiter>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    let unit = ready!(coop::proceed_for(cx, waiter.phase() != Phase::Idle, || coop::Wait::new("room in a channel")));
    let reserved = ready!(sender.flow().poll_reserve(1, waiter, cx));
    unit.made_progress();
    Poll::Ready(reserved.map(|_one| ()).map_err(|_closed| SendError(())))
}

impl<T> Drop for Reserve<'_, T> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.sender.flow().leave_senders(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<T> fmt::Debug for Reserve<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserve").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// The future of [`Sender::reserve_owned`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReserveOwned<T> {
    /// There until the permit is. Not pinned.
    sender: Option<Sender<T>>,
    waiter: Waiter,
}

impl<T> ReserveOwned<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        Self { sender: Some(sender), waiter: Waiter::new() }
    }
}

impl<T> Future for ReserveOwned<T> {
    type Output = Result<OwnedPermit<T>, SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the waiter is pinned, and it is handed on pinned.
        let (place, waiter) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.sender, Pin::new_unchecked(&this.waiter))
        };
        let Some(sender) = place.as_ref() else {
            panic!("ReserveOwned was polled after it completed: await it once, or fuse it")
        };
        let reserved = ready!(poll_one(sender, waiter, cx));
        let sender = place.take();
        Poll::Ready(reserved.map(|()| OwnedPermit { sender }))
    }
}

impl<T> Drop for ReserveOwned<T> {
    fn drop(&mut self) {
        // Where the sender is gone the waiter has left: both happen when the future completes.
        if let Some(sender) = &self.sender {
            // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
            sender.flow().leave_senders(unsafe { Pin::new_unchecked(&self.waiter) });
        }
    }
}

impl<T> fmt::Debug for ReserveOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReserveOwned").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// Where a [`ReserveMany`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The waiter is in the list of those who want the turn, or in none.
    Turn,
    /// It has the turn, and so many places; the waiter is in the senders' list, or in none.
    Gathering(usize),
    Done,
}

/// The future of [`Sender::reserve_many`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReserveMany<'a, T> {
    sender: &'a Sender<T>,
    wanted: usize,
    /// Not pinned.
    stage: Stage,
    waiter: Waiter,
}

impl<'a, T> ReserveMany<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, wanted: usize) -> Self {
        Self { sender, wanted, stage: Stage::Turn, waiter: Waiter::new() }
    }

    /// Ends the wait, wherever it stands; gives back what it has if that is not `kept`.
    fn end(sender: &Sender<T>, stage: &mut Stage, waiter: Pin<&Waiter>, kept: bool) {
        let flow = sender.flow();
        match core::mem::replace(stage, Stage::Done) {
            Stage::Turn => flow.leave_turn(waiter),
            Stage::Gathering(places) => {
                flow.leave_senders(waiter);
                if !kept && places != 0 {
                    flow.give_back(places);
                }
                flow.give_turn();
            }
            Stage::Done => {}
        }
    }
}

impl<'a, T> Future for ReserveMany<'a, T> {
    type Output = Result<Permits<'a, T>, ReserveError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the waiter is pinned, and it is handed on pinned.
        let (sender, wanted, stage, waiter) = unsafe {
            let this = self.get_unchecked_mut();
            (this.sender, this.wanted, &mut this.stage, Pin::new_unchecked(&this.waiter))
        };
        let flow = sender.flow();
        if wanted > sender.capacity() {
            return Poll::Ready(Err(ReserveError::TooMany { capacity: sender.capacity() }));
        }
        if wanted == 0 {
            let open = !sender.is_closed();
            return Poll::Ready(if open { Ok(Permits::new(sender, 0)) } else { Err(ReserveError::Closed) });
        }
        let begun = waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("room in a channel")));
        let reserved = loop {
            match *stage {
                Stage::Turn => match flow.try_reserve(wanted, wanted) {
                    Err(super::queue::NotPushed::Full) => {
                        // Without the turn it is over, which the next round says.
                        if ready!(flow.poll_turn(waiter, cx)) {
                            *stage = Stage::Gathering(0);
                        }
                    }
                    all_or_closed => break all_or_closed.is_ok(),
                },
                Stage::Gathering(places) if places == wanted => break true,
                Stage::Gathering(places) => match ready!(flow.poll_reserve(wanted - places, waiter, cx)) {
                    Ok(more) => *stage = Stage::Gathering(places + more),
                    Err(_closed) => break false,
                },
                Stage::Done => panic!("ReserveMany was polled after it completed: await it once, or fuse it"),
            }
        };
        unit.made_progress();
        Self::end(sender, stage, waiter, reserved);
        Poll::Ready(if reserved { Ok(Permits::new(sender, wanted)) } else { Err(ReserveError::Closed) })
    }
}

impl<T> Drop for ReserveMany<'_, T> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        let waiter = unsafe { Pin::new_unchecked(&self.waiter) };
        Self::end(self.sender, &mut self.stage, waiter, false);
    }
}

impl<T> fmt::Debug for ReserveMany<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReserveMany").field("wanted", &self.wanted).field("stage", &self.stage).finish_non_exhaustive()
    }
}

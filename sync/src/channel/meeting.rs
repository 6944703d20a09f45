//! The middle of a channel without a buffer: where senders and receivers meet.
//!
//! Everything is under one lock, which is held for a few instructions and never while code of users runs: nothing is
//! counted, and there is no race to argue about but those of dropping.
//!
//! # Offers
//! A sender that waits has put its value among the *offers* and itself into the senders' list, both at the back. A receiver
//! takes the first offer and takes its sender off the list, and that is when the send is done. So the offers of waiting
//! senders and the senders' list are in the same order; a number that only grows finds a sender's own offer again when its
//! future is dropped or the channel is closed.
//!
//! [`try_send`](Meeting::try_send) cannot wait for a receiver to come: it takes one off the receivers' list and leaves an
//! offer that is nobody's any more. If that receiver is dropped before it comes, the offer stays for the next (kanal 50).
//!
//! # Why nobody sleeps beside an offer
//! Every offer that is made takes a receiver off the list, if there is one. A receiver that waits had looked under the lock
//! and found no offer. A receiver that was taken off and is dropped instead of coming takes the next one off, if there is an
//! offer still. So while receivers wait there are no more offers than receivers on their way.
//!
//! # Closing
//! takes everybody off both lists. The offers of senders that wait are theirs again: nobody takes them, and each fetches its
//! own. Those that are nobody's can still be received.

use super::flow::{Flow, Handles};
use super::queue::{NotPopped, NotPushed};
use crate::WakeBatch;
use crate::primitive::Mutex as ListLock;
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;

struct Offer<T> {
    number: u64,
    value: T,
    /// No sender waits for it to be taken.
    left: bool,
}

struct State<T> {
    /// Their numbers rise.
    offers: VecDeque<Offer<T>>,
    /// Of the next offer.
    number: u64,
    closed: bool,
    senders: List,
    receivers: List,
}

/// What [`look_again`] looks at is the senders' list.
impl<T> AsMut<List> for State<T> {
    fn as_mut(&mut self) -> &mut List {
        &mut self.senders
    }
}

impl<T> State<T> {
    /// Where the offer is that is to be taken next.
    fn first(&self) -> Option<usize> {
        match self.closed {
            true => self.offers.iter().position(|offer| offer.left),
            false if self.offers.is_empty() => None,
            false => Some(0),
        }
    }

    /// Takes an offer, and its sender off the list: the waker is to be called after the lock.
    fn take(&mut self) -> Option<(T, Option<Waker>)> {
        let offer = self.offers.remove(self.first()?)?;
        let sender = if offer.left { None } else { self.senders.take_front(Outcome::Granted).flatten() };
        Some((offer.value, sender))
    }

    fn why_not(&self) -> NotPopped {
        if self.closed { NotPopped::Closed } else { NotPopped::Empty }
    }

    /// Makes an offer and takes a receiver for it off the list: its number, and the waker to be called after the lock.
    fn offer(&mut self, value: T, left: bool) -> (u64, Option<Waker>) {
        let number = self.number;
        self.number += 1;
        self.offers.push_back(Offer { number, value, left });
        (number, self.receivers.take_front(Outcome::Granted).flatten())
    }

    /// Takes a sender's own offer back.
    fn withdraw(&mut self, number: u64) -> Option<T> {
        let at = self.offers.binary_search_by_key(&number, |offer| offer.number).ok()?;
        self.offers.remove(at).map(|offer| offer.value)
    }
}

pub struct Meeting<T> {
    state: ListLock<State<T>>,
    handles: Handles,
}

impl<T> Meeting<T> {
    pub(super) fn new() -> Self {
        let state =
            State { offers: VecDeque::new(), number: 0, closed: false, senders: List::new(), receivers: List::new() };
        Self { state: ListLock::new(state), handles: Handles::new() }
    }

    /// Hands a value to a receiver that waits. The value stays with the caller if there is none.
    pub(super) fn try_send(&self, value: &mut Option<T>) -> Result<(), NotPushed> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(NotPushed::Closed);
        }
        if state.receivers.is_empty() {
            return Err(NotPushed::Full);
        }
        let Some(value) = value.take() else { return Ok(()) };
        let (_, receiver) = state.offer(value, true);
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Offers a value and leaves `waiter` in the senders' list; the offer's number. The value stays with the caller if the
    /// channel is closed.
    ///
    /// # Safety
    /// `waiter` is idle, and its owner calls [`withdraw`](Self::withdraw) before it is freed.
    pub(super) unsafe fn offer(
        &self,
        value: &mut Option<T>,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Result<u64, NotPushed> {
        let fresh = cx.waker().clone();
        let mut state = self.state.lock();
        if state.closed {
            drop(state);
            drop(fresh);
            return Err(NotPushed::Closed);
        }
        let Some(value) = value.take() else { return Err(NotPushed::Closed) };
        // SAFETY: idle, so not linked, and unlinked before it is freed, by contract.
        unsafe { state.senders.push_back(waiter, Some(fresh), 0) };
        let (number, receiver) = state.offer(value, false);
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Ok(number)
    }

    /// Waits for the offer to be taken: `Ok`, or the value if the channel is closed.
    ///
    /// # Safety
    /// `waiter` and `number` belong to an [`offer`](Self::offer) whose end was not told yet.
    pub(super) unsafe fn poll_taken(
        &self,
        number: u64,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Option<T>>> {
        // SAFETY: linked when the offer was made, and no outcome was taken note of since.
        match unsafe { look_again(&self.state, waiter, cx) } {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Outcome::Granted) => Poll::Ready(Ok(())),
            Poll::Ready(Outcome::Swept) => {
                let value = self.state.lock().withdraw(number);
                Poll::Ready(Err(value))
            }
        }
    }

    /// Gives up: the value, if it was not taken.
    pub(super) fn withdraw(&self, number: u64, waiter: Pin<&Waiter>) -> Option<T> {
        let mut state = self.state.lock();
        let (old, value) = match waiter.phase() {
            // SAFETY: linked, under the lock.
            Phase::Waiting | Phase::Woken => (unsafe { state.senders.unlink(waiter) }, state.withdraw(number)),
            Phase::Swept => {
                waiter.finish();
                (None, state.withdraw(number))
            }
            Phase::Granted => {
                waiter.finish();
                (None, None)
            }
            Phase::Idle => (None, None),
        };
        drop(state);
        drop(old);
        value
    }

    /// Takes what `take` finds, or leaves `waiter` in the receivers' list.
    fn poll_take<R>(
        &self,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
        mut take: impl FnMut(&mut State<T>) -> Option<R>,
    ) -> Poll<Result<R, NotPopped>> {
        let mut fresh = None;
        loop {
            let mut state = self.state.lock();
            let taken = take(&mut state);
            let phase = waiter.phase();
            let linked = matches!(phase, Phase::Waiting | Phase::Woken);
            if taken.is_some() || state.closed {
                // SAFETY: linked, under the lock.
                let old = if linked { unsafe { state.receivers.unlink(waiter) } } else { None };
                if matches!(phase, Phase::Granted | Phase::Swept) {
                    waiter.finish();
                }
                drop(state);
                drop((old, fresh));
                return Poll::Ready(taken.ok_or(NotPopped::Closed));
            }
            // SAFETY: linked, under the lock.
            if linked && unsafe { state.receivers.would_wake(waiter, cx) } {
                drop(state);
                drop(fresh);
                return Poll::Pending;
            }
            let Some(waker) = fresh.take() else {
                drop(state);
                fresh = Some(cx.waker().clone());
                continue;
            };
            let old = match phase {
                // SAFETY: linked, under the lock.
                Phase::Waiting | Phase::Woken => unsafe { state.receivers.set_waker(waiter, waker) },
                Phase::Granted => {
                    // It came too late and keeps its turn.
                    waiter.finish();
                    // SAFETY: not linked; the future that holds it calls `leave_receivers` before it is freed.
                    unsafe { state.receivers.push_front(waiter, Some(waker), 0) };
                    None
                }
                Phase::Idle | Phase::Swept => {
                    if phase == Phase::Swept {
                        waiter.finish();
                    }
                    // SAFETY: as above.
                    unsafe { state.receivers.push_back(waiter, Some(waker), 0) };
                    None
                }
            };
            drop(state);
            drop(old);
            return Poll::Pending;
        }
    }
}

/// Takes up to `limit` offers.
fn take_many<T>(state: &mut State<T>, limit: usize, into: &mut Vec<T>, senders: &mut WakeBatch) -> Option<usize> {
    into.reserve(limit.min(state.offers.len()));
    let mut taken = 0;
    while taken < limit {
        let Some((value, sender)) = state.take() else { break };
        into.push(value);
        senders.extend(sender);
        taken += 1;
    }
    (taken != 0).then_some(taken)
}

impl<T> Flow for Meeting<T> {
    type Item = T;

    fn try_pop(&self) -> Result<T, NotPopped> {
        let mut state = self.state.lock();
        let (value, sender) = state.take().ok_or(state.why_not())?;
        drop(state);
        sender.into_iter().for_each(Waker::wake);
        Ok(value)
    }

    fn try_pop_many(&self, limit: usize, into: &mut Vec<T>) -> Result<usize, NotPopped> {
        let mut senders = WakeBatch::new();
        let mut state = self.state.lock();
        let taken = take_many(&mut state, limit, into, &mut senders).ok_or(state.why_not());
        drop(state);
        senders.wake_all();
        taken
    }

    fn poll_pop(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<Result<T, NotPopped>> {
        self.poll_take(waiter, cx, State::take).map(|taken| {
            taken.map(|(value, sender)| {
                sender.into_iter().for_each(Waker::wake);
                value
            })
        })
    }

    fn poll_pop_many(
        &self,
        limit: usize,
        into: &mut Vec<T>,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<usize, NotPopped>> {
        let mut senders = WakeBatch::new();
        let taken = self.poll_take(waiter, cx, |state| take_many(state, limit, into, &mut senders));
        senders.wake_all();
        taken
    }

    fn leave_receivers(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() == Phase::Idle {
            return;
        }
        let mut state = self.state.lock();
        let (mut old, mut next) = (None, None);
        match waiter.phase() {
            // SAFETY: linked, under the lock.
            Phase::Waiting | Phase::Woken => old = unsafe { state.receivers.unlink(waiter) },
            Phase::Granted => {
                waiter.finish();
                // What it was to take is for the next.
                if state.first().is_some() {
                    next = state.receivers.take_front(Outcome::Granted).flatten();
                }
            }
            Phase::Swept => waiter.finish(),
            Phase::Idle => {}
        }
        drop(state);
        drop(old);
        next.into_iter().for_each(Waker::wake);
    }

    fn close(&self) -> bool {
        let mut wakers = WakeBatch::new();
        let mut state = self.state.lock();
        if core::mem::replace(&mut state.closed, true) {
            return false;
        }
        state.senders.take_all(Outcome::Swept, &mut wakers);
        state.receivers.take_all(Outcome::Swept, &mut wakers);
        drop(state);
        self.handles.sweep(&mut wakers);
        wakers.wake_all();
        true
    }

    fn receivers_gone(&self) {
        self.close();
        // What is nobody's any more; who waits to send fetches its own.
        let mut left = Vec::new();
        let mut state = self.state.lock();
        while let Some((value, _nobody)) = state.take() {
            left.push(value);
        }
        drop(state);
        drop(left);
    }

    fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    fn len(&self) -> usize {
        self.state.lock().offers.iter().filter(|offer| offer.left).count()
    }

    fn capacity(&self) -> Option<usize> {
        Some(0)
    }

    fn is_full(&self) -> bool {
        self.state.lock().receivers.is_empty()
    }

    fn waiting(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.senders.len(), state.receivers.len())
    }

    fn handles(&self) -> &Handles {
        &self.handles
    }
}

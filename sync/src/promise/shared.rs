//! A future that many await.
//!
//! Whoever waits polls it, one at a time; what wakes it wakes all who wait, and the first of them to look polls it again. So
//! nobody has to be handed the task of polling: one that is dropped, or kept and never polled again, holds nobody up.
//!
//! # The word
//! A [`WaitWord`] of its own allocation, so that the future, which keeps a waker, does not keep itself alive by that:
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `POLLING` | somebody is inside of the future, and alone may touch it | set by who finds it clear, cleared by the same |
//! | `OVER` | the future is done and its value is there, or it has panicked | with the clearing of `POLLING`, once |
//! | the rest | how often the future was woken, in units of `NEWS`; it wraps | its waker, by addition |
//!
//! # Why no wake-up is lost
//! 1. Who waits has seen some number of news, and waits for another number, or, if somebody was inside, for the end of that.
//!    Both are looked at under the list's lock before it links itself.
//! 2. News while somebody is inside: it may have looked too early. When it comes out and finds another number than it went in
//!    with, clearing `POLLING` is a waking change: those who came meanwhile had seen the new number, and are told. It has its
//!    own task polled again as well, and may be dropped before that.
//! 3. If the number is the same, what was inside has seen all the news there is, and who came meanwhile may sleep.

use crate::block_on::{Unpark, waker};
use crate::coop;
use crate::once::cell::Cell;
use crate::primitive::{Shared, UnsafeCell};
use crate::wait_word::{HasWord, UNIT, WaitWord, Waiting};
use core::fmt;
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

const POLLING: usize = UNIT;
const OVER: usize = 2 * UNIT;
const NEWS: usize = 4 * UNIT;

/// What the future's waker holds.
struct News(WaitWord);

impl Unpark for News {
    fn unpark(&self) {
        let _ = self.0.change(|word| Some(word.wrapping_add(NEWS)), |_| true, || ());
    }
}

struct Inner<F: Future> {
    news: Shared<News>,
    waker: Waker,
    /// Whoever has set `POLLING` alone touches it; `None` once it is done.
    future: UnsafeCell<Option<F>>,
    value: Cell<F::Output>,
}

// SAFETY: the future moves between the threads that poll it, one at a time; its output is shared between them.
unsafe impl<F: Future<Output: Send + Sync> + Send> Sync for Inner<F> {}
// SAFETY: as above.
unsafe impl<F: Future<Output: Send + Sync> + Send> Send for Inner<F> {}

/// Makes a future that can be cloned, so that many await its one outcome.
///
/// It is polled by whoever awaits it, inside of that task, and by nobody while nobody does. For work that goes on by itself,
/// spawn a task, and share its handle where several want its outcome.
///
/// # Counterparts
/// `FutureExt::shared` of the `futures` crate; an asyncio `Task` or `Future` that several tasks await.
///
/// # Examples
/// ```
/// use weftwork_sync::{block_on, shared};
///
/// let page = shared(async { String::from("fetched once") });
/// let again = page.clone();
/// assert_eq!(block_on(page), "fetched once");
/// assert_eq!(again.peek().map(String::as_str), Some("fetched once"));
/// ```
pub fn shared<F: IntoFuture>(future: F) -> SharedFuture<F::IntoFuture> {
    let news = Shared::new(News(WaitWord::new(0)));
    let waker = waker(news.clone());
    let future = UnsafeCell::new(Some(future.into_future()));
    let inner = Shared::new(Inner { news, waker, future, value: Cell::new() });
    SharedFuture { waiting: Waiting::new(Owner { inner }) }
}

struct Owner<F: Future> {
    inner: Shared<Inner<F>>,
}

impl<F: Future> HasWord for Owner<F> {
    fn word(&self) -> &WaitWord {
        &self.inner.news.0
    }
}

/// The future of [`shared`]; its clones have the same outcome.
///
/// # Panics
/// If the future panicked: in the task that polled it by that panic, in all the others when they look.
///
/// # Cancel safety
/// Dropping one of several loses nothing: the others go on polling. Dropping the last drops the future.
#[must_use = "a future does nothing unless it is awaited"]
pub struct SharedFuture<F: Future> {
    waiting: Waiting<Owner<F>>,
}

impl<F: Future> SharedFuture<F> {
    /// The outcome, if it is there.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::shared(async { 1 }).peek(), None);
    /// ```
    pub fn peek(&self) -> Option<&F::Output> {
        self.waiting.place().inner.value.get()
    }
}

impl<F: Future> Clone for SharedFuture<F> {
    fn clone(&self) -> Self {
        Self { waiting: Waiting::new(Owner { inner: self.waiting.place().inner.clone() }) }
    }
}

/// Gives the future back when it is dropped, so also if its poll panics.
struct Inside<'a> {
    word: &'a WaitWord,
    /// The news that it went in with.
    news: usize,
    /// What is added to the word: that it is over.
    over: usize,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let (news, over) = (self.news, self.over);
        let wakes = |word: usize| word & OVER != 0 || news_of(word) != news;
        let _ = self.word.change(|word| Some(word & !POLLING | over), wakes, || ());
    }
}

fn news_of(word: usize) -> usize {
    word & !(POLLING | OVER)
}

/// What came of looking.
enum Looked {
    /// The outcome is there.
    Over,
    /// It was polled, and woken meanwhile.
    Again,
    /// To be waited for: anything but this word.
    Nothing(usize),
}

impl<F: Future> Inner<F> {
    /// Polls the future, unless somebody else is inside or it is over.
    fn look(&self) -> Looked {
        let word = &self.news.0;
        let enter = |word: usize| (word & (POLLING | OVER) == 0).then_some(word | POLLING);
        let went_in = match word.change(enter, |_| false, || ()) {
            Err(seen) if seen & OVER != 0 => return Looked::Over,
            Err(seen) => return Looked::Nothing(seen),
            Ok(seen) => seen,
        };
        let mut inside = Inside { word, news: news_of(went_in), over: OVER };
        self.poll_inside(&mut inside);
        let over = inside.over != 0;
        drop(inside);
        match word.get() {
            _ if over => Looked::Over,
            now if news_of(now) != news_of(went_in) => Looked::Again,
            _ => Looked::Nothing(went_in),
        }
    }

    /// A panic in here leaves `inside` saying that it is over.
    fn poll_inside(&self, inside: &mut Inside<'_>) {
        // SAFETY: this thread has set POLLING, so nobody else touches the future. It is pinned, as it lies in an allocation
        // that does not move, and is dropped in place.
        self.future.with_mut(|place| {
            // SAFETY: as above.
            let place = unsafe { &mut *place };
            let Some(future) = place else { return };
            // SAFETY: as above.
            let future = unsafe { Pin::new_unchecked(future) };
            match future.poll(&mut Context::from_waker(&self.waker)) {
                Poll::Pending => inside.over = 0,
                Poll::Ready(value) => {
                    let set = self.value.set(value);
                    debug_assert!(set.is_ok(), "a future was done twice");
                    *place = None;
                }
            }
        });
    }
}

impl<F: Future<Output: Clone>> Future for SharedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let mut waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        let unit = ready!(coop::proceed_for(cx, waiting.has_begun(), || coop::Wait::new("a shared future")));
        if waiting.has_begun() {
            ready!(waiting.as_mut().poll(cx, |_| false));
        }
        loop {
            match waiting.place().inner.look() {
                Looked::Over => break,
                Looked::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Looked::Nothing(seen) => {
                    let otherwise = |now: usize| {
                        news_of(now) != news_of(seen) || now & OVER != 0 || (seen & POLLING != 0 && now & POLLING == 0)
                    };
                    ready!(waiting.as_mut().poll(cx, otherwise));
                }
            }
        }
        unit.made_progress();
        match waiting.place().inner.value.get() {
            Some(value) => Poll::Ready(value.clone()),
            None => panic!("a shared future panicked in the task that polled it: whoever awaits it panics too"),
        }
    }
}

impl<F: Future<Output: fmt::Debug>> fmt::Debug for SharedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedFuture").field("outcome", &self.peek()).finish()
    }
}

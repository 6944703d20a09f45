//! A future that runs with values of its own.

use super::place::{self, Held, Place};
use super::values::{Name, Value};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of [`LocalKey::scope`](super::LocalKey::scope) and [`Locals::scope`](super::Locals::scope).
    #[must_use = "futures do nothing unless awaited"]
    pub struct LocalScope<F> {
        #[pin]
        future: Option<F>,
        place: Exclusive,
        // What is to be set once the values around are known, which is in the first poll.
        first: Option<(Name, Value)>,
    }

    impl<F> PinnedDrop for LocalScope<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                place::within(this.place.get(), || this.future.set(None));
            }
        }
    }
}

/// A place that is reached through `&mut` alone.
struct Exclusive(Place);

// SAFETY: nothing can be reached through a shared reference.
unsafe impl Sync for Exclusive {}

impl Exclusive {
    fn get(&mut self) -> &Place {
        &self.0
    }
}

impl<F> LocalScope<F> {
    pub(super) fn with_value(name: Name, value: Value, future: F) -> Self {
        Self { future: Some(future), place: Exclusive(Place::new()), first: Some((name, value)) }
    }

    pub(super) fn at(place: Place, future: F) -> Self {
        Self { future: Some(future), place: Exclusive(place), first: None }
    }
}

impl<F: Future> Future for LocalScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let here = this.place.get();
        if let Some((name, value)) = this.first.take() {
            here.replace(Held::Own(place::copy().changed(name, Some(value))));
        }
        place::within(here, || {
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                panic!("a scope of task locals was polled after it had given its value");
            };
            let polled = future.poll(cx);
            if polled.is_ready() {
                // Dropped where its values are.
                this.future.set(None);
            }
            polled
        })
    }
}

impl<F> fmt::Debug for LocalScope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalScope").finish_non_exhaustive()
    }
}

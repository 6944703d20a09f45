//! A waker that says how often it was called and whether anybody still holds it.
#![allow(clippy::disallowed_types, reason = "std's Wake asks for std's Arc; the models order nothing by it")]

use core::task::Waker;
use std::sync::Arc;
use std::task::Wake;
use weftwork_sync::primitive::unmodelled::Counter;

/// What its wakers were used for.
#[derive(Debug, Default)]
pub struct Probe(Arc<Calls>);

#[derive(Debug, Default)]
struct Calls {
    wakes: Counter,
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.wakes.add(1);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.add(1);
    }
}

impl Probe {
    /// A probe that nobody has called.
    pub fn new() -> Self {
        Self::default()
    }

    /// A waker that reports to it.
    pub fn waker(&self) -> Waker {
        self.0.clone().into()
    }

    /// How often one of its wakers was called.
    pub fn wakes(&self) -> u64 {
        self.0.wakes.get()
    }

    /// How many of its wakers exist.
    pub fn held(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

//! Wakers that do more than wake.

use std::cell::Cell;
use std::task::{RawWaker, RawWakerVTable, Waker};

thread_local! {
    /// A waker that comes back may meet itself; once is enough.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

type Touch = Box<dyn Fn() + Send + Sync>;

/// A waker that calls `touch` whenever it is cloned, called or dropped. It is leaked.
pub(crate) fn calls(touch: impl Fn() + Send + Sync + 'static) -> Waker {
    let touch: Touch = Box::new(touch);
    let touch: &'static Touch = Box::leak(Box::new(touch));
    // SAFETY: the functions of the table take the pointer for what it is, a reference that lives for ever to what any thread may call.
    unsafe { Waker::from_raw(raw(touch)) }
}

fn raw(touch: &'static Touch) -> RawWaker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            come_back(data);
            // SAFETY: as below.
            raw(unsafe { &*data.cast::<Touch>() })
        },
        come_back,
        come_back,
        come_back,
    );
    RawWaker::new(std::ptr::from_ref(touch).cast(), &TABLE)
}

fn come_back(data: *const ()) {
    if !INSIDE.replace(true) {
        // SAFETY: made in `raw` from a reference that lives for ever.
        unsafe { (*data.cast::<Touch>())() };
        INSIDE.set(false);
    }
}

/// A waker whose clone panics.
pub(crate) fn panics_when_cloned() -> Waker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("planted"), |_| {}, |_| {}, |_| {});
    // SAFETY: the functions of the table do nothing with the pointer.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) }
}

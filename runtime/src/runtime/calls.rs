//! Plain functions that a runtime calls soon, or when their time has come.
//!
//! Each is a task that waits for its time and then calls; what is said about tasks holds for it. Beside it stands one word, which whoever
//! comes first sets: `BEGUN`, the task before it calls, or `CANCELLED`, a handle, also one that finds the task cancelled by others. So a call that was cancelled in time is not made, though
//! a cancelled task may be polled once more.

use super::Handle;
use crate::platform::clock::nanoseconds;
use crate::task::{self, JoinHandle};
use crate::time::{Instant, sleep_until};
use core::fmt;
use core::panic::Location;
use core::time::Duration;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const CANCELLED: u8 = 2;

impl Handle {
    /// Calls `f` as soon as a worker comes to it: on a current-thread runtime after what is ready already, and in the order of these
    /// calls. From any thread.
    ///
    /// Dropping the handle leaves the call in place. A panic of `f` is that of a task.
    ///
    /// asyncio's counterparts are `loop.call_soon` and `call_soon_threadsafe`.
    ///
    /// ```
    /// let runtime = weftwork::Runtime::new().unwrap();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// runtime.handle().call_soon(move || tell.send("called").unwrap());
    /// assert_eq!(told.recv(), Ok("called"));
    /// ```
    #[doc(alias = "call_soon_threadsafe")]
    #[track_caller]
    pub fn call_soon(&self, f: impl FnOnce() + Send + 'static) -> CallHandle {
        let call = Shared::new(AtomicU8::new(WAITING));
        let theirs = call.clone();
        let calls = async move {
            if begins(&theirs) {
                f();
            }
        };
        CallHandle { call, task: task::spawn_on(self.core(), calls, Location::caller(), ()) }
    }

    /// Calls `f` after `delay`, which counts from now, by the runtime's clock. Otherwise as [`call_soon`](Self::call_soon).
    ///
    /// asyncio's counterpart is `loop.call_later`.
    ///
    /// ```
    /// use weftwork::time::Duration;
    ///
    /// let runtime = weftwork::Runtime::new().unwrap();
    /// let (tell, told) = std::sync::mpsc::channel::<()>();
    /// let call = runtime.handle().call_later(Duration::from_secs(3600), move || tell.send(()).unwrap());
    /// assert!(call.cancel());
    /// assert!(told.recv().is_err(), "it is gone, and was never called");
    /// ```
    #[track_caller]
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + Send + 'static) -> TimerHandle {
        let now = self.core().config.clock.now();
        self.call_when(Instant::from_nanos(now.saturating_add(nanoseconds(delay))), f, Location::caller())
    }

    /// Calls `f` at an instant of the runtime's clock. Otherwise as [`call_soon`](Self::call_soon).
    ///
    /// asyncio's counterpart is `loop.call_at`.
    ///
    /// ```
    /// use weftwork::time::{Duration, Instant};
    ///
    /// weftwork::run(async {
    ///     let (tell, told) = weftwork::sync::oneshot::channel();
    ///     let when = Instant::now() + Duration::from_millis(1);
    ///     let call = weftwork::Handle::current().call_at(when, move || drop(tell.send("called")));
    ///     assert_eq!(call.when(), when);
    ///     assert_eq!(told.await, Ok("called"));
    /// });
    /// ```
    #[track_caller]
    pub fn call_at(&self, when: Instant, f: impl FnOnce() + Send + 'static) -> TimerHandle {
        self.call_when(when, f, Location::caller())
    }

    fn call_when(
        &self,
        when: Instant,
        f: impl FnOnce() + Send + 'static,
        at: &'static Location<'static>,
    ) -> TimerHandle {
        let call = Shared::new(AtomicU8::new(WAITING));
        let theirs = call.clone();
        let calls = async move {
            sleep_until(when).await;
            if begins(&theirs) {
                f();
            }
        };
        let task = task::spawn_on(self.core(), calls, at, ());
        TimerHandle { call: CallHandle { call, task }, when }
    }
}

fn begins(call: &AtomicU8) -> bool {
    // Ordering: Relaxed, here and in cancel: it decides who comes first, and hands nothing over.
    call.compare_exchange(WAITING, BEGUN, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// A call that was asked for; made by [`Handle::call_soon`]. Dropping it leaves the call in place.
///
/// asyncio's counterpart is `asyncio.Handle`.
pub struct CallHandle {
    call: Shared<AtomicU8>,
    task: JoinHandle<()>,
}

impl CallHandle {
    /// Takes the call back; `false` if it has begun or was taken back before. The function is dropped by a worker.
    #[track_caller]
    pub fn cancel(&self) -> bool {
        let first = self.call.compare_exchange(WAITING, CANCELLED, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if first {
            self.task.cancel();
        }
        first
    }

    /// Whether it will not be called: it was taken back, or its runtime has ended before its time.
    #[doc(alias = "cancelled")]
    pub fn is_cancelled(&self) -> bool {
        match self.call.load(Ordering::Relaxed) {
            CANCELLED => true,
            BEGUN => false,
            // Its task was cancelled by others, and may be polled a last time: it is decided now, so that the answer stays.
            _ if self.task.cancel_cause().is_some() => {
                let now = self.call.compare_exchange(WAITING, CANCELLED, Ordering::Relaxed, Ordering::Relaxed);
                now != Err(BEGUN)
            }
            _ => false,
        }
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHandle").field("cancelled", &self.is_cancelled()).field("task", &self.task).finish()
    }
}

/// A call that waits for its time; made by [`Handle::call_later`] and [`Handle::call_at`]. Dropping it leaves the call in place.
///
/// asyncio's counterpart is `asyncio.TimerHandle`.
#[derive(Debug)]
pub struct TimerHandle {
    call: CallHandle,
    when: Instant,
}

impl TimerHandle {
    /// As [`CallHandle::cancel`].
    #[track_caller]
    pub fn cancel(&self) -> bool {
        self.call.cancel()
    }

    /// As [`CallHandle::is_cancelled`].
    #[doc(alias = "cancelled")]
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// When it is called.
    pub fn when(&self) -> Instant {
        self.when
    }
}

//! Tools for tests of programs built on weftwork: virtual time, orders that are drawn or given, cancelling everywhere, tasks
//! that are left, waiting until nothing can run, workers that go step by step, and faults.
//!
//! | to | use |
//! |---|---|
//! | have time pass at once | `#[weftwork::test(clock = "virtual")]`, [`Builder::virtual_clock`](crate::runtime::Builder::virtual_clock) |
//! | move the clock by hand | [`ManualClock`] |
//! | run tasks in another order than they come, again and again | `seed = 7`, [`Builder::seed`](crate::runtime::Builder::seed) |
//! | put points of several tasks in a given order | [`Sequencer`] |
//! | find what is not safe to be cancelled | [`cancel_at_every_await`] |
//! | find tasks that outlive the test | [`Trial`], which `#[weftwork::test]` is |
//! | wait until nothing can run | [`settle`] |
//! | drive workers by hand | [`Stepper`] |
//!
//! ```
//! use weftwork::runtime::Builder;
//! use weftwork::testing::{ManualClock, settle};
//! use weftwork::time::Duration;
//!
//! let clock = ManualClock::new();
//! Builder::new_current_thread()
//!     .clock(&clock)
//!     .run(async move {
//!         let day = weftwork::spawn(weftwork::sleep(Duration::from_secs(86_400)));
//!         settle().await;
//!         assert!(!day.is_finished());
//!         clock.advance(Duration::from_secs(86_400));
//!         day.await.unwrap();
//!     })
//!     .unwrap();
//! ```

mod cancel_everywhere;
mod manual_clock;
mod sequencer;
mod settle;
mod stepper;
mod trial;

pub use cancel_everywhere::cancel_at_every_await;
pub use manual_clock::{ClockHold, ManualClock};
pub use sequencer::{SequencePoint, Sequencer};
pub use settle::{Settle, settle};
pub use stepper::{Seat, Stepper};
pub use trial::Trial;
pub use weftwork_sync::primitive::fault;

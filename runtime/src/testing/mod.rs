//! Tools for tests of programs built on weftwork: a clock that a test moves, waiting until nothing can run, workers that go
//! step by step, and faults.
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

mod manual_clock;
mod settle;
mod stepper;

pub use manual_clock::ManualClock;
pub use settle::{Settle, settle};
pub use stepper::{Seat, Stepper};
pub use weftwork_sync::primitive::fault;

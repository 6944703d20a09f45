//! What can be seen of a runtime.
//!
//! | file | holds |
//! |---|---|
//! | `metrics.rs` | what it counts |
//! | `live.rs` | the runtimes of this process |
//! | `roll.rs` | a list of what lives that keeps nothing alive |
//! | `events.rs` | the door through which it says what happens: to a subscriber of `tracing`, or to nobody |
//! | `tasks.rs` | its tasks, as a list and as a tree |
//! | `unhandled.rs` | what ended badly and nobody will read |

pub(crate) mod events;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
pub(crate) mod live;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[path = "live_model.rs"]
pub(crate) mod live;
pub(crate) mod metrics;
pub(crate) mod roll;
pub(crate) mod tasks;
pub(crate) mod unhandled;

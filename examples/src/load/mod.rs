//! A load generator: asks a server for answers over many connections, and says how many came, how late, and what went wrong.
//!
//! Two protocols over TCP: lines (a line goes out, an answer comes back whose end is a prompt, a count of lines, or a
//! count of bytes) and HTTP/1.1 GET over connections that stay open. Two paces: in a *closed loop* each connection asks
//! again as soon as it has its answer; in an *open loop* requests are due on a fixed schedule that does not wait for the
//! server. Latency in the open loop counts from when a request was due: a server that stalls for a second delays all
//! requests due in that second, and a generator that waits for it before it starts its clock would leave them all out
//! (coordinated omission).
//!
//! | file | holds |
//! |---|---|
//! | `plan.rs` | what is asked for: connections, pace, how long |
//! | `schedule.rs` | when each request is due: arithmetic without a clock |
//! | `driver.rs` | the load itself: connects, asks, records. Begin here |
//! | `client.rs` | a connection over TCP, for both protocols |
//! | `question.rs` | what is sent, and what has to stand in the answer |
//! | `dialogue.rs`, `http.rs` | where an answer ends: bytes in, verdict out, no I/O |
//! | `fault.rs` | what can go wrong, by kind |
//! | `tally.rs` | what is counted while it runs; latencies |
//! | `report.rs`, `chart.rs`, `json.rs` | the result as a table, as a histogram, as JSON |
//! | `progress.rs` | the line that is rewritten while it runs |
//! | `target.rs`, `options.rs` | the command line |
//! | `descriptors.rs` | room for many connections |

pub mod chart;
pub mod client;
#[cfg(unix)]
pub mod descriptors;
#[cfg(not(unix))]
#[path = "descriptors_unbounded.rs"]
pub mod descriptors;
pub mod dialogue;
pub mod driver;
pub mod fault;
pub mod http;
pub mod json;
pub mod options;
pub mod plan;
pub mod progress;
pub mod question;
pub mod report;
pub mod schedule;
pub mod tally;
pub mod target;

pub use driver::run;
pub use plan::{Pace, Plan};
pub use report::Report;

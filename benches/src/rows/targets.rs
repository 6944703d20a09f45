//! The rows of which something is asked: what each measures, on which peers, and how far ahead weftwork has to be.

use super::Who;
use super::peers::{smol::Smol, smolscale::Smolscale, tokio::Tokio, weftwork::Weftwork};
use super::row::{Asked, By, Row, Table, by};
use super::work::{memory, messages, offload, sockets, spawning, time};

const TO: &[Who] = &[Who::Tokio, Who::Smol, Who::Go];

const fn row(name: &'static str, by: By, go: bool, must: f64, goal: f64) -> Row {
    let asked = Some(Asked { must, to: TO, goal, limit: None });
    Row { name, table: Table::Runtimes, unit: "ns", by, go, asked, inner: 4 }
}

/// Tasks, channels and locks, which all have.
macro_rules! tasks {
    ($module:ident :: $work:ident) => { by!($module::$work on Weftwork, Tokio, Smol, Smolscale) };
}

/// Timers, threads and sockets, which smolscale has none of.
macro_rules! system {
    ($module:ident :: $work:ident) => { by!($module::$work on Weftwork, Tokio, Smol) };
}

/// In the order of the table.
pub const TARGETS: &[Row] = &[
    row("spawn_join", tasks!(spawning::spawn_join), true, 0.35, 0.8),
    row("spawn_join_one", tasks!(spawning::spawn_join_one), false, 0.45, 0.6),
    row("spawn_detached", tasks!(spawning::spawn_detached), true, 0.4, 0.9),
    row("yield", tasks!(spawning::yields), true, 0.6, 0.5),
    row("chain", tasks!(spawning::chain), false, 0.3, 0.8),
    row("tree", tasks!(spawning::tree), true, 0.5, 0.75),
    Row { inner: 3, ..row("skynet", tasks!(spawning::skynet), true, 0.5, 1.0) },
    row("ping_pong", tasks!(messages::ping_pong), false, 0.9, 0.7),
    row("ping_pong_one", tasks!(messages::ping_pong_one), true, 0.9, 0.6),
    row("channel_1_1", tasks!(messages::channel_1_1), true, 0.9, 0.6),
    row("channel_4_1", tasks!(messages::channel_4_1), true, 1.5, 1.0),
    row("mutex", tasks!(messages::mutex), true, 2.5, 1.2),
    row("timeout_ready", system!(time::timeout_ready), false, 1.8, 1.0),
    row("timeout_pending", system!(time::timeout_pending), false, 0.4, 0.25),
    Row { inner: 1, ..row("timers_fire", system!(time::timers_fire), false, 0.5, 0.3) },
    Row { inner: 2, unit: "us", ..row("sleep_late", system!(time::sleep_late), false, 1.0, 0.75) },
    row("to_thread_one", system!(offload::to_thread_one), false, 0.5, 0.3),
    row("to_thread_many", system!(offload::to_thread_many), false, 0.5, 0.3),
    row("cancel", tasks!(spawning::cancel), false, 0.5, 0.7),
    Row { inner: 1, unit: "bytes", ..row("mem_idle", system!(memory::mem_idle), true, 1.0, 0.8) },
    Row {
        inner: 2,
        unit: "us",
        asked: Some(Asked { must: 1.0, to: TO, goal: 1.3, limit: Some(1_000.0) }),
        ..row("two_busy", tasks!(spawning::two_busy), true, 1.0, 1.3)
    },
    row("echo_1", system!(sockets::echo_1), true, 1.0, 0.95),
    row("echo_64", system!(sockets::echo_64), true, 1.0, 0.9),
    row("echo_1000", system!(sockets::echo_1000), true, 1.0, 0.85),
];

//! Rows of which nothing is asked: tokio's own workloads, and what a server meets besides. They are shown beside the others.

use super::peer::Threads;
use super::peers::{smol::Smol, smolscale::Smolscale, tokio::Tokio, weftwork::Weftwork};
use super::row::{By, Row, Table, by, outside};
use super::work::{bursts, http, outside as from_outside, quiet, synchronising};

const fn row(name: &'static str, by: By) -> Row {
    Row { name, table: Table::Wider, unit: "ns", by, go: false, asked: None, inner: 4 }
}

/// One whole round counts, in another unit.
const fn once(name: &'static str, unit: &'static str, by: By) -> Row {
    Row { inner: 1, unit, ..row(name, by) }
}

/// Also written in Go.
const fn in_go_too(row: Row) -> Row {
    Row { go: true, ..row }
}

macro_rules! tasks {
    ($module:ident :: $work:ident) => { by!($module::$work on Weftwork, Tokio, Smol, Smolscale) };
}

macro_rules! system {
    ($module:ident :: $work:ident) => { by!($module::$work on Weftwork, Tokio, Smol) };
}

/// What smol has nothing of its own for.
macro_rules! two {
    ($module:ident :: $work:ident) => { by!($module::$work on Weftwork, Tokio) };
}

/// In the order of the table; those before `http_hello` are tokio's.
pub const WIDER: &[Row] = &[
    row("mt_spawn_many_local", outside!(from_outside::mt_spawn_many_local, Threads::Workers)),
    row("mt_spawn_remote_idle", outside!(from_outside::mt_spawn_many_remote_idle, Threads::Workers)),
    row("mt_spawn_remote_busy1", outside!(from_outside::mt_spawn_many_remote_busy1, Threads::Workers)),
    row("mt_spawn_remote_busy2", outside!(from_outside::mt_spawn_many_remote_busy2, Threads::Workers)),
    row("mt_ping_pong", outside!(from_outside::mt_ping_pong, Threads::Workers)),
    row("mt_chained_spawn", outside!(from_outside::mt_chained_spawn, Threads::Workers)),
    row("ct_spawn_many_local", outside!(from_outside::ct_spawn_many_local, Threads::Current)),
    row("ct_spawn_remote_idle", outside!(from_outside::ct_spawn_many_remote_idle, Threads::Current)),
    row("ct_spawn_1", outside!(from_outside::spawn_1, Threads::Current)),
    row("ct_spawn_10", outside!(from_outside::spawn_10, Threads::Current)),
    row("mt1_spawn_1", outside!(from_outside::spawn_1, Threads::One)),
    row("mt1_spawn_10", outside!(from_outside::spawn_10, Threads::One)),
    row("remote_spawn_1", outside!(from_outside::remote_spawn_1, Threads::Workers)),
    row("remote_spawn_8", outside!(from_outside::remote_spawn_8, Threads::Workers)),
    row("blocking_1", system!(synchronising::blocking_1)),
    row("blocking_8", system!(synchronising::blocking_8)),
    row("mpsc_create", tasks!(synchronising::mpsc_create)),
    row("mpsc_bounded", tasks!(synchronising::mpsc_bounded)),
    row("mpsc_bounded_full", tasks!(synchronising::mpsc_bounded_full)),
    row("mpsc_uncontended", tasks!(synchronising::mpsc_uncontended)),
    row("mpsc_oneshot", system!(synchronising::mpsc_oneshot)),
    row("semaphore_free", system!(synchronising::semaphore_free)),
    row("semaphore_contended", system!(synchronising::semaphore_contended)),
    row("notify_one", two!(synchronising::notify_one)),
    row("notify_waiters", two!(synchronising::notify_waiters)),
    row("sleep_dropped", system!(synchronising::sleep_dropped)),
    row("signal", two!(synchronising::signal)),
    in_go_too(row("http_hello", system!(http::http_hello))),
    in_go_too(row("accept_churn", system!(http::accept_churn))),
    in_go_too(row("fan_out", tasks!(bursts::fan_out))),
    row("bare_100", tasks!(bursts::bare_100)),
    row("group_100", two!(bursts::group_100)),
    in_go_too(once("burst_p50", "us", system!(bursts::burst_p50))),
    in_go_too(once("burst_p999", "us", system!(bursts::burst_p999))),
    in_go_too(row("timer_storm", system!(bursts::timer_storm))),
    in_go_too(once("poison_p99", "us", system!(bursts::poison_p99))),
    in_go_too(once("idle_cpu", "us/s", system!(quiet::idle_cpu))),
    in_go_too(once("idle_switches", "1/s", system!(quiet::idle_switches))),
    in_go_too(once("wake_1000_cpu", "us", system!(quiet::wake_1000_cpu))),
    in_go_too(once("wake_1000_switches", "", system!(quiet::wake_1000_switches))),
];

/// tokio's benchmarks of what weftwork has not got yet, so that there is nothing to measure.
pub const NOT_YET: &[&str] = &["spawn_blocking: with a JoinSet", "copy", "fs"];

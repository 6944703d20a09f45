//! The rows of primitives: each library's own, on its runtime and on ours, so that neither the runtime nor the primitive is
//! compared alone.

use super::Who;
use super::libraries::{AsyncLock, Crossfire, Flume, Kanal, Ours, TokioSync};
use super::peers::{smol::Smol, tokio::Tokio, weftwork::Weftwork};
use super::row::{Asked, By, Measure, Row, Table, in_tasks};
use super::work::primitives;

const TO: &[Who] = &[Who::Tokio, Who::Smol, Who::TokioSync, Who::AsyncLock, Who::Flume, Who::Kanal, Who::Crossfire];

/// Ahead of all is what is asked.
const fn row(name: &'static str, by: By) -> Row {
    let asked = Some(Asked { must: 1.0, to: TO, goal: 0.8, limit: None });
    Row { name, table: Table::Primitives, unit: "ns", by, go: false, asked, inner: 4 }
}

/// `work` by each of these, as its name in the table, its runtime, and its primitives.
macro_rules! libraries {
    ($work:ident by $($who:ident: $runtime:ident $library:ident),+ $(,)?) => {
        &[$((
            Who::$who,
            (|rounds| in_tasks::<$runtime, _>(rounds, primitives::$work::<$runtime, $library>)) as Measure,
        )),+]
    };
}
/// What tokio has and nobody else.
macro_rules! tokio_has {
    ($work:ident) => {
        libraries!($work by Weftwork: Weftwork Ours, Tokio: Tokio TokioSync, TokioSync: Weftwork TokioSync)
    };
}
/// Locks and permits.
macro_rules! locks {
    ($work:ident) => {
        libraries!($work by
            Weftwork: Weftwork Ours,
            Tokio: Tokio TokioSync,
            Smol: Smol AsyncLock,
            TokioSync: Weftwork TokioSync,
            AsyncLock: Weftwork AsyncLock,
        )
    };
}
/// Channels.
macro_rules! channels {
    ($work:ident) => {
        libraries!($work by
            Weftwork: Weftwork Ours,
            Tokio: Tokio TokioSync,
            Smol: Smol AsyncLock,
            TokioSync: Weftwork TokioSync,
            AsyncLock: Weftwork AsyncLock,
            Flume: Weftwork Flume,
            Kanal: Weftwork Kanal,
            Crossfire: Weftwork Crossfire,
        )
    };
}
/// Single values.
macro_rules! once {
    ($work:ident) => {
        libraries!($work by
            Weftwork: Weftwork Ours,
            Tokio: Tokio TokioSync,
            TokioSync: Weftwork TokioSync,
            Crossfire: Weftwork Crossfire,
        )
    };
}

/// In the order of the table.
pub const PRIMITIVES: &[Row] = &[
    row("rwlock", locks!(rwlock)),
    row("rwlock_free", locks!(rwlock_free)),
    row("semaphore", locks!(semaphore)),
    row("oneshot", once!(oneshot)),
    row("bounded_1_1", channels!(bounded_1_1)),
    row("bounded_4_1", channels!(bounded_4_1)),
    row("recv_many", tokio_has!(recv_many)),
    row("unbounded_1_1", channels!(unbounded_1_1)),
    row("unbounded_4_1", channels!(unbounded_4_1)),
    row("broadcast_1", tokio_has!(broadcast_1)),
    row("broadcast_10", tokio_has!(broadcast_10)),
    row("broadcast_100", tokio_has!(broadcast_100)),
    row("watch", tokio_has!(watch)),
];

//! The rows: what each measures, on which peers, and what is asked of weftwork there.

use crate::peer::{Offload, Peer, Sockets, Timed};
use crate::peers::{smol::Smol, smolscale::Smolscale, tokio::Tokio, weftwork::Weftwork};
use crate::work::{memory, messages, offload, sockets, spawning, time};

/// Who is measured, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    Weftwork,
    Tokio,
    Smol,
    Smolscale,
    Go,
}

impl Who {
    pub(crate) const ALL: [Self; 5] = [Self::Weftwork, Self::Tokio, Self::Smol, Self::Smolscale, Self::Go];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Weftwork => "weftwork",
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::Smolscale => "smolscale",
            Self::Go => "Go",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name().eq_ignore_ascii_case(name))
    }
}

/// Which peers can do a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Able {
    /// Tasks, channels and locks: all but Go, unless the row says that it does it too.
    Tasks,
    /// Timers and threads, which smolscale has none of.
    Times,
    /// Sockets: smolscale has none.
    Sockets,
}

/// What has to hold, as ratios of ours to others'.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// To the best of tokio, smol and Go.
    pub(crate) must: f64,
    /// To the best of all, or to `limit` if there is one.
    pub(crate) goal: f64,
    /// What the machine itself allows, in the row's unit, where the goal is a multiple of that.
    pub(crate) limit: Option<f64>,
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    able: Able,
    /// Whether the Go program has it.
    go: bool,
    pub(crate) asked: Asked,
    /// How many rounds one process measures, of which the median counts; the first is a warm-up if there are several.
    inner: usize,
    /// Whether it is due already; the channel and the lock are shown before they are.
    pub(crate) due: bool,
}

const fn row(name: &'static str, able: Able, go: bool, must: f64, goal: f64) -> Row {
    Row { name, unit: "ns", able, go, asked: Asked { must, goal, limit: None }, inner: 4, due: true }
}

pub(crate) const ROWS: [Row; 24] = [
    row("spawn_join", Able::Tasks, true, 0.35, 0.8),
    row("spawn_join_one", Able::Tasks, false, 0.45, 0.6),
    row("spawn_detached", Able::Tasks, true, 0.4, 0.9),
    row("yield", Able::Tasks, true, 0.6, 0.5),
    row("chain", Able::Tasks, false, 0.3, 0.8),
    row("tree", Able::Tasks, true, 0.5, 0.75),
    Row { inner: 3, ..row("skynet", Able::Tasks, true, 0.5, 1.0) },
    row("ping_pong", Able::Tasks, false, 0.9, 0.7),
    row("ping_pong_one", Able::Tasks, true, 0.9, 0.6),
    Row { due: false, ..row("channel_1_1", Able::Tasks, true, 0.9, 0.6) },
    Row { due: false, ..row("channel_4_1", Able::Tasks, true, 1.5, 1.0) },
    Row { due: false, ..row("mutex", Able::Tasks, true, 2.5, 1.2) },
    row("timeout_ready", Able::Times, false, 1.8, 1.0),
    row("timeout_pending", Able::Times, false, 0.4, 0.25),
    Row { inner: 1, ..row("timers_fire", Able::Times, false, 0.5, 0.3) },
    Row { inner: 2, unit: "us", ..row("sleep_late", Able::Times, false, 1.0, 0.75) },
    row("to_thread_one", Able::Times, false, 0.5, 0.3),
    row("to_thread_many", Able::Times, false, 0.5, 0.3),
    row("cancel", Able::Tasks, false, 0.5, 0.7),
    Row { inner: 1, unit: "bytes", ..row("mem_idle", Able::Times, true, 1.0, 0.8) },
    Row {
        inner: 2,
        unit: "us",
        asked: Asked { must: 1.0, goal: 1.3, limit: Some(1_000.0) },
        ..row("two_busy", Able::Tasks, true, 1.0, 1.3)
    },
    row("echo_1", Able::Sockets, true, 1.0, 0.95),
    row("echo_64", Able::Sockets, true, 1.0, 0.9),
    row("echo_1000", Able::Sockets, true, 1.0, 0.85),
];

impl Row {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.name == name)
    }

    pub(crate) fn is_done_by(&self, who: Who) -> bool {
        match who {
            Who::Weftwork | Who::Tokio | Who::Smol => true,
            Who::Smolscale => self.able == Able::Tasks,
            Who::Go => self.go,
        }
    }

    /// Measures it in this process.
    pub(crate) fn measure(&self, who: Who) -> f64 {
        match who {
            Who::Weftwork => self.with_all::<Weftwork>(),
            Who::Tokio => self.with_all::<Tokio>(),
            Who::Smol => self.with_all::<Smol>(),
            Who::Smolscale => self.with_tasks::<Smolscale>(),
            Who::Go => unreachable!("Go is another program"),
        }
    }

    fn with_all<P: Timed + Offload + Sockets>(&self) -> f64 {
        match self.name {
            "timeout_ready" => self.rounds::<P, _>(time::timeout_ready::<P>),
            "timeout_pending" => self.rounds::<P, _>(time::timeout_pending::<P>),
            "timers_fire" => self.rounds::<P, _>(time::timers_fire::<P>),
            "sleep_late" => self.rounds::<P, _>(time::sleep_late::<P>),
            "to_thread_one" => self.rounds::<P, _>(offload::to_thread_one::<P>),
            "to_thread_many" => self.rounds::<P, _>(offload::to_thread_many::<P>),
            "mem_idle" => self.rounds::<P, _>(memory::mem_idle::<P>),
            "echo_1" => self.rounds::<P, _>(sockets::echo_1::<P>),
            "echo_64" => self.rounds::<P, _>(sockets::echo_64::<P>),
            "echo_1000" => self.rounds::<P, _>(sockets::echo_1000::<P>),
            _ => self.with_tasks::<P>(),
        }
    }

    fn with_tasks<P: Peer>(&self) -> f64 {
        match self.name {
            "spawn_join" => self.rounds::<P, _>(spawning::spawn_join::<P>),
            "spawn_join_one" => self.rounds::<P, _>(spawning::spawn_join_one::<P>),
            "spawn_detached" => self.rounds::<P, _>(spawning::spawn_detached::<P>),
            "yield" => self.rounds::<P, _>(spawning::yields::<P>),
            "chain" => self.rounds::<P, _>(spawning::chain::<P>),
            "tree" => self.rounds::<P, _>(spawning::tree::<P>),
            "skynet" => self.rounds::<P, _>(spawning::skynet::<P>),
            "ping_pong" => self.rounds::<P, _>(messages::ping_pong::<P>),
            "ping_pong_one" => self.rounds::<P, _>(messages::ping_pong_one::<P>),
            "channel_1_1" => self.rounds::<P, _>(messages::channel_1_1::<P>),
            "channel_4_1" => self.rounds::<P, _>(messages::channel_4_1::<P>),
            "mutex" => self.rounds::<P, _>(messages::mutex::<P>),
            "cancel" => self.rounds::<P, _>(spawning::cancel::<P>),
            "two_busy" => self.rounds::<P, _>(spawning::two_busy::<P>),
            other => unreachable!("{other} is in the table, and nobody does it"),
        }
    }

    /// Each round is a task of its own; the first warms up if there are several, and the median of the others counts.
    fn rounds<P: Peer, F>(&self, work: fn() -> F) -> f64
    where
        F: Future<Output = f64> + Send + 'static,
    {
        let inner = self.inner;
        P::run(async move {
            let mut figures = Vec::new();
            for _ in 0..inner {
                figures.push(P::join(P::spawn(work())).await);
            }
            if inner > 1 {
                figures.remove(0);
            }
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        })
    }
}

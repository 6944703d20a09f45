//! Who is measured.

/// A runtime with what it has of its own, or a library whose primitives run on weftwork's workers; in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// Ours.
    Weftwork,
    /// tokio's multi-thread runtime.
    Tokio,
    /// smol's global executor; its primitives are async-lock and async-channel.
    Smol,
    /// smolscale's, which has tasks and nothing else.
    Smolscale,
    /// Go, a program of its own in benches/go.
    Go,
    /// The module of tokio, on our workers.
    TokioSync,
    /// The crates async-lock and async-channel, on our workers.
    AsyncLock,
    /// The crate flume, on our workers.
    Flume,
    /// The crate kanal, on our workers.
    Kanal,
    /// The crate crossfire, on our workers.
    Crossfire,
}

impl Who {
    /// Runtimes.
    pub const RUNTIMES: [Self; 5] = [Self::Weftwork, Self::Tokio, Self::Smol, Self::Smolscale, Self::Go];

    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Weftwork,
        Self::Tokio,
        Self::Smol,
        Self::Smolscale,
        Self::Go,
        Self::TokioSync,
        Self::AsyncLock,
        Self::Flume,
        Self::Kanal,
        Self::Crossfire,
    ];

    /// As the table writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weftwork => "weftwork",
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::Smolscale => "smolscale",
            Self::Go => "Go",
            Self::TokioSync => "tokio::sync",
            Self::AsyncLock => "async-lock",
            Self::Flume => "flume",
            Self::Kanal => "kanal",
            Self::Crossfire => "crossfire",
        }
    }

    /// The one of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name().eq_ignore_ascii_case(name))
    }
}

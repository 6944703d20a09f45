//! Who is measured.

/// A runtime, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// Ours.
    Weftwork,
    /// tokio's multi-thread runtime.
    Tokio,
    /// smol's global executor.
    Smol,
    /// smolscale's, which has tasks and nothing else.
    Smolscale,
    /// Go, a program of its own in benches/go.
    Go,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Weftwork, Self::Tokio, Self::Smol, Self::Smolscale, Self::Go];

    /// As the table writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weftwork => "weftwork",
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::Smolscale => "smolscale",
            Self::Go => "Go",
        }
    }

    /// The one of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name().eq_ignore_ascii_case(name))
    }
}

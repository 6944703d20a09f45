//! What can go wrong with a request, by kind.

use std::fmt;
use std::io;

/// The kinds that are counted apart: each points at another culprit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nobody listens there.
    Refused,
    /// The other side, or something between, broke the connection.
    Reset,
    /// The other side ended the connection where an answer was due.
    ClosedEarly,
    /// The answer was not whole in time.
    TimedOut,
    /// An HTTP answer says that it did not go well.
    BadStatus,
    /// The answer breaks its protocol, or does not hold what it has to.
    BadAnswer,
    /// The system said something else.
    Other,
    /// The request was due, and its connection was busy to the end with those before it.
    NotSent,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Refused,
        Self::Reset,
        Self::ClosedEarly,
        Self::TimedOut,
        Self::BadStatus,
        Self::BadAnswer,
        Self::Other,
        Self::NotSent,
    ];

    /// For a reader.
    pub fn title(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::ClosedEarly => "closed early",
            Self::TimedOut => "timed out",
            Self::BadStatus => "bad status",
            Self::BadAnswer => "bad answer",
            Self::Other => "other",
            Self::NotSent => "due, not sent",
        }
    }

    /// For a program.
    pub fn key(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::ClosedEarly => "closed_early",
            Self::TimedOut => "timed_out",
            Self::BadStatus => "bad_status",
            Self::BadAnswer => "bad_answer",
            Self::Other => "other",
            Self::NotSent => "not_sent",
        }
    }
}

/// What went wrong once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which kind it counts as.
    pub kind: Kind,
    /// What exactly, for whoever looks for the cause.
    pub what: String,
}

impl Fault {
    /// A fault of a kind.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.title(), self.what)
    }
}

impl std::error::Error for Fault {}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused => Kind::Refused,
            // A write that finds the connection gone is told so as a broken pipe: it was reset before.
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Kind::Reset
            }
            io::ErrorKind::UnexpectedEof => Kind::ClosedEarly,
            io::ErrorKind::TimedOut => Kind::TimedOut,
            _ => Kind::Other,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_sorted_by_culprit() {
        let kind = |kind: io::ErrorKind| Fault::from(io::Error::from(kind)).kind;
        assert_eq!(kind(io::ErrorKind::ConnectionRefused), Kind::Refused);
        assert_eq!(kind(io::ErrorKind::ConnectionReset), Kind::Reset);
        assert_eq!(kind(io::ErrorKind::BrokenPipe), Kind::Reset);
        assert_eq!(kind(io::ErrorKind::UnexpectedEof), Kind::ClosedEarly);
        assert_eq!(kind(io::ErrorKind::HostUnreachable), Kind::Other);
    }

    #[test]
    fn every_kind_has_its_own_names() {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, at, "ALL is in the order of the variants");
            for other in &Kind::ALL[..at] {
                assert!(kind.title() != other.title() && kind.key() != other.key());
            }
        }
    }
}

//! Which directions of a descriptor somebody wants to hear of.

use core::fmt;
use core::ops::BitOr;

/// The directions in which a descriptor is watched. Combine them with `|`.
///
/// asyncio: `add_reader` and `add_writer`; tokio: `tokio::io::Interest`.
///
/// ```
/// use weftwork::io::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interest {
    readable: bool,
    writable: bool,
}

impl Interest {
    /// Reading.
    pub const READABLE: Self = Self { readable: true, writable: false };
    /// Writing.
    pub const WRITABLE: Self = Self { readable: false, writable: true };
    /// Reading and writing.
    pub const BOTH: Self = Self { readable: true, writable: true };

    /// Whether reading is among them.
    pub const fn is_readable(self) -> bool {
        self.readable
    }

    /// Whether writing is among them.
    pub const fn is_writable(self) -> bool {
        self.writable
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { readable: self.readable || other.readable, writable: self.writable || other.writable }
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.readable, self.writable) {
            (true, true) => "READABLE | WRITABLE",
            (true, false) => "READABLE",
            (false, true) => "WRITABLE",
            (false, false) => "NONE",
        })
    }
}

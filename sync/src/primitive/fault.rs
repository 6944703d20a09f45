//! Fault points: places in shipped code where a test can make the outside world say no.
//!
//! A point that is not armed costs one relaxed load. Faults are counted per process, so a test that arms one has to be
//! alone in its process or hold a lock of its own.

use super::unmodelled::Counter;
use std::io;

/// Where a fault can be injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// Starting a thread fails as if the system were out of them.
    ThreadStart,
    /// `accept` fails as if the process were out of descriptors.
    Accept,
    /// Opening a descriptor (a socket, a poller) fails as if the process were out of them.
    Descriptor,
}

/// Calls left until the first failure plus one (0: not armed), and how many fail then.
struct Armed {
    until: Counter,
    failures: Counter,
}

static POINTS: [Armed; 3] = [const { Armed { until: Counter::new(0), failures: Counter::new(0) } }; 3];

/// The `nth` call (1 is the next) that passes `point` fails, and the `times - 1` after it; `u64::MAX` is for ever.
pub fn arm(point: Point, nth: u64, times: u64) {
    POINTS[point as usize].failures.set(times);
    POINTS[point as usize].until.set(nth);
}

/// Calls at `point` succeed again.
pub fn disarm(point: Point) {
    POINTS[point as usize].until.set(0);
}

/// Passes `point`.
///
/// # Errors
/// The error that the system would give, if the point is armed and its turn has come.
#[inline]
pub fn pass(point: Point) -> io::Result<()> {
    if POINTS[point as usize].until.get() == 0 { Ok(()) } else { pass_armed(point) }
}

#[cold]
fn pass_armed(point: Point) -> io::Result<()> {
    let armed = &POINTS[point as usize];
    if armed.until.get() > 1 {
        armed.until.set(armed.until.get() - 1);
        return Ok(());
    }
    let left = armed.failures.get();
    if left == 0 {
        armed.until.set(0);
        return Ok(());
    }
    if left != u64::MAX {
        armed.failures.set(left - 1);
    }
    Err(io::Error::from_raw_os_error(match point {
        Point::ThreadStart => 11,                // EAGAIN
        Point::Accept | Point::Descriptor => 24, // EMFILE
    }))
}

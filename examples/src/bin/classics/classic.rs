//! What is known about each program.

use crate::stage::Stage;
use crate::{first_steps, network, stopping, tasks, threads, together};
use weftwork::runtime::RunError;

/// One of the classics.
#[derive(Debug)]
pub struct Classic {
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// What it prints on stdout, each run.
    pub prints: &'static str,
    pub clock: Clock,
    pub order: Order,
    pub run: fn(&Stage) -> Result<(), RunError>,
}

/// The clock it is checked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// One that jumps over every wait.
    Virtual,
    /// The system's, because threads or sockets take time that no clock of ours sees.
    Real,
}

/// What is the same at every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Each line at its place, on the current-thread flavour; on several threads, the lines.
    Exact,
    /// The lines, on both flavours.
    Free,
}

/// An entry for the program in the file of that name, whose `main` is an async function.
macro_rules! classic {
    ($name:ident, $about:literal) => {
        crate::classic::classic!($name, $about, Virtual, Exact)
    };
    ($name:ident, $about:literal, $clock:ident, $order:ident) => {
        crate::classic::classic!($name, $about, $clock, $order, |stage| stage.run($name::main()))
    };
    ($name:ident, $about:literal, $clock:ident, $order:ident, $run:expr) => {
        crate::classic::Classic {
            name: stringify!($name),
            about: $about,
            prints: include_str!(concat!(stringify!($name), ".txt")),
            clock: crate::classic::Clock::$clock,
            order: crate::classic::Order::$order,
            run: $run,
        }
    };
}
pub(crate) use classic;

/// Every program, in the order in which one would read them.
pub fn all() -> impl Iterator<Item = &'static Classic> {
    let folders = [
        first_steps::CLASSICS,
        tasks::CLASSICS,
        together::CLASSICS,
        stopping::CLASSICS,
        threads::CLASSICS,
        network::CLASSICS,
    ];
    folders.into_iter().flatten()
}

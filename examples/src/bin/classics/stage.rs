//! The runtime and the clock that a program runs on.

use weftwork::runtime::{Builder, RunError};

/// Which scheduler runs the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// The main thread alone, in the order in which tasks were woken, as asyncio does.
    CurrentThread,
    /// Two threads: whatever the machine is, there is more than one.
    MultiThread,
}

/// What the command line said about where a program runs.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    pub flavor: Flavor,
    pub virtual_time: bool,
}

impl Stage {
    /// A runtime of that flavour, on the system's clock.
    pub fn builder(&self) -> Builder {
        match self.flavor {
            Flavor::CurrentThread => Builder::new_current_thread(),
            Flavor::MultiThread => Builder::new_multi_thread().worker_threads(2),
        }
    }

    /// Runs a program: what `#[weftwork::main]` does for one that has a binary of its own.
    pub fn run(&self, program: impl Future<Output = ()>) -> Result<(), RunError> {
        let builder = if self.virtual_time { self.builder().virtual_clock() } else { self.builder() };
        builder.run(program)
    }
}

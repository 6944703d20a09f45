//! The runtime and the clock that a program runs on.

use weftwork::runtime::{Builder, RunError};
use weftwork::testing::{ManualClock, settle};

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
        if !self.virtual_time {
            return self.builder().run(program);
        }
        let clock = ManualClock::new();
        self.builder().clock(&clock).run(async {
            weftwork::spawn(jump_over_waits(clock.clone())).detach();
            program.await;
        })
    }
}

/// Whenever nothing can run, moves the clock to where the next timer is due. Ends with the runtime.
async fn jump_over_waits(clock: ManualClock) {
    loop {
        settle().await;
        clock.advance_to_next();
    }
}

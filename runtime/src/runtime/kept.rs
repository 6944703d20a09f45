//! Runs on a runtime that is kept: each has a main future that Ctrl-C cancels, and ends neither the runtime nor its tasks.

use super::{BuildError, OnCtrlC, RunError, Runtime, drive, interrupts};
use crate::scheduler::Core;
use crate::scope::CancelScope;
use crate::task::{CancelCause, CancelKind};
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;

/// What a run that begins has to do with Ctrl-C.
pub(super) fn interrupts(core: &Core) -> Result<(Option<interrupts::Run>, Option<interrupts::Press>), BuildError> {
    Ok(match core.config.on_ctrl_c {
        OnCtrlC::CancelMain => interrupts::Run::begin(core).map_err(BuildError::Signals)?.unzip(),
        OnCtrlC::LeaveAlone => (None, None),
    })
}

impl Runtime {
    /// As [`block_on`](Self::block_on), and the future can be cancelled: by Ctrl-C, if the builder [says so](super::Builder::ctrl_c), and
    /// through [`current_scope`](crate::scope::current_scope). Other tasks, and the runtime, go on, and it can be called again.
    ///
    /// When it returns, Ctrl-C does what it did before. While the future cleans up, a second one ends the process with 130.
    ///
    /// # Errors
    /// The future was cancelled; or the handler of Ctrl-C cannot be installed. A value that it returns all the same is its value.
    ///
    /// # Panics
    /// As [`block_on`](Self::block_on).
    ///
    /// asyncio's counterpart is `Runner.run`; tokio has none.
    ///
    /// ```
    /// use weftwork::runtime::{Builder, OnCtrlC};
    ///
    /// let runtime = Builder::new_current_thread().ctrl_c(OnCtrlC::CancelMain).build().unwrap();
    /// let word = runtime.run(async { "first" }).unwrap();
    /// assert_eq!(runtime.run(async { format!("{word}, second") }).unwrap(), "first, second");
    /// ```
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> Result<F::Output, RunError> {
        let at = Location::caller();
        drive::assert_outside();
        let core = self.handle().core();
        let (_running, mut press) = interrupts(core)?;
        let scope = CancelScope::new();
        let main = scope.run(future);
        let watched = async {
            let mut main = pin!(main);
            poll_fn(|cx| {
                if let Some(waits) = &mut press
                    && waits.poll(cx).is_ready()
                {
                    press = None;
                    scope.cancel_for(CancelCause::new(CancelKind::Interrupt).from(None, at));
                }
                // A value that is there wins.
                main.as_mut().poll(cx)
            })
            .await
        };
        drive::block_on(core, watched, at).map_err(|cancelled| match cancelled.cause() {
            cause if cause.kind == CancelKind::Interrupt => RunError::Interrupted,
            cause => RunError::Cancelled(cause.clone()),
        })
    }
}

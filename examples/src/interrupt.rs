//! Ctrl-C: once to stop in order, twice to stop now.

use crate::log::Log;
use weftwork::signal::ctrl_c;

/// What a shell reports of a program that Ctrl-C ended: 128 and the number of the signal.
const ENDED_BY_INTERRUPT: i32 = 130;

/// Is ready at the first Ctrl-C. From then on another one ends the process at once, with exit code 130.
///
/// Counted from this call: call it before saying that Ctrl-C stops the server. Where Ctrl-C cannot be waited for it says
/// so in the log and is never ready; Ctrl-C then ends the process as it always does.
pub fn interrupted(log: &Log) -> impl Future<Output = ()> + use<> {
    let first = ctrl_c();
    let log = log.clone();
    async move {
        if let Err(error) = first.await {
            log.line(format_args!("Ctrl-C will not be graceful: {error}"));
            return std::future::pending().await;
        }
        // Begun before anybody is told of the first, by the log or by the end of this, so that none is missed.
        let second = ctrl_c();
        log.line("Server shutting down.");
        weftwork::spawn(async move {
            if second.await.is_ok() {
                log.line("Stopped at once.");
                std::process::exit(ENDED_BY_INTERRUPT);
            }
        })
        .detach();
    }
}

//! A closure that is called at each signal of a kind.

use super::{SignalKind, signal};
use crate::context;
use crate::observe::unhandled::UnhandledKind;
use crate::task::{Builder, CancelOnDrop};
use std::io;
use weftwork_sync::primitive::contain;

/// Calls `f` at each signal of a kind, until what this returns is dropped.
///
/// `f` runs as part of a task of the current runtime, so it may do what a task may do, but not wait: send to a channel, or
/// spawn. Signals that come while it runs are one more call. A panic in it is reported like that of a hook, and the next
/// signal calls it again.
///
/// # Errors
/// As [`signal`].
///
/// asyncio: `loop.add_signal_handler` and `remove_signal_handler`; tokio has none.
///
/// ```
/// use weftwork::signal::{SignalKind, on_signal};
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let (reload, asked) = weftwork::sync::channel::bounded(1);
/// let _handler = on_signal(SignalKind::user_defined1(), move || drop(reload.try_send(())))?;
/// # // SAFETY: a signal to this process, whose handler is in place.
/// # unsafe { libc::raise(libc::SIGUSR1) };
/// asked.recv().await.expect("the handler holds the sender");
/// # Ok(()) }) }
/// ```
#[doc(alias("add_signal_handler", "remove_signal_handler"))]
pub fn on_signal(kind: SignalKind, mut f: impl FnMut() + Send + 'static) -> io::Result<OnSignal> {
    let mut signals = signal(kind)?;
    let calls = async move {
        while signals.recv().await.is_ok() {
            if let Err(payload) = contain(&mut f) {
                context::with_current(|core| core.report_panic(UnhandledKind::HookPanicked, payload));
            }
        }
    };
    let task = Builder::new().name(format!("on {kind}")).spawn(calls).map_err(io::Error::other)?;
    Ok(OnSignal { kind, task: task.cancel_on_drop() })
}

/// A closure that is called at signals; dropping it ends that. Made by [`on_signal`].
#[must_use = "dropping it ends the calls at once"]
#[derive(Debug)]
pub struct OnSignal {
    kind: SignalKind,
    task: CancelOnDrop<()>,
}

impl OnSignal {
    /// The kind of signal.
    pub fn kind(&self) -> SignalKind {
        self.kind
    }

    /// Leaves the closure in place for as long as the runtime lives.
    pub fn detach(self) {
        self.task.into_inner().detach();
    }
}

//! The feature `tracing` is on: events and spans for whatever subscriber the program has set.

use super::{Shutdown, stderr};
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::scheduler::Core;
use crate::task::Spec;
use crate::task::cell::drop_payload;
use crate::task::error::payload_text;
use ::tracing::instrument::{Instrument, Instrumented};
use ::tracing::subscriber::NoSubscriber;
use ::tracing::{Level, Span, debug, debug_span, dispatcher, event, warn};
use core::cell::Cell;
use weftwork_sync::primitive::{contain, thread};
use weftwork_sync::weft_thread_local;

weft_thread_local! {
    /// Whether this thread is a watchdog, which runs no foreign code.
    static WATCHDOG: Cell<bool> = Cell::new(false);
}

/// Runs the rounds of a watchdog; what would be told from within is not told.
pub(crate) fn watchdog<R>(rounds: impl FnOnce() -> R) -> R {
    WATCHDOG.with(|watchdog| watchdog.set(true));
    let done = rounds();
    WATCHDOG.with(|watchdog| watchdog.set(false));
    done
}

/// Tells an event. A subscriber that panics must not end what the event is about: it is told about on stderr, and `false`.
fn tell(event: impl FnOnce()) -> bool {
    if WATCHDOG.with(Cell::get) {
        return false;
    }
    match contain(event) {
        Ok(()) => true,
        Err(payload) => {
            stderr(format_args!("the tracing subscriber panicked: {}", payload_text(&payload).unwrap_or("<no text>")));
            drop_payload(payload);
            false
        }
    }
}

/// Tells of something that ended badly; `false` if no subscriber is set on this thread, so that it has to go elsewhere. One
/// that is set and filters the event out has been told: its owner does not want to know.
pub(crate) fn unhandled(what: &Unhandled<'_>) -> bool {
    macro_rules! unhandled {
        ($level:ident, $target:literal) => {
            event!(
                target: $target,
                // Not in the spans of whoever let go of the handle: it is about another task.
                parent: None,
                Level::$level,
                kind = ?what.kind,
                task = what.task.map(|task| task.as_u64()),
                name = what.name,
                spawned_at = what.spawned_at.map(::tracing::field::display),
                detail = what.message,
                "{}{}",
                subject(what),
                what.predicate()
            )
        };
    }
    let nobody = dispatcher::get_default(::tracing::Dispatch::is::<NoSubscriber>);
    !nobody
        && tell(|| match what.kind {
            UnhandledKind::TaskPanicked
            | UnhandledKind::TaskFailed
            | UnhandledKind::OutputDropPanicked
            | UnhandledKind::WakerPanicked => {
                unhandled!(ERROR, "weftwork::task");
            }
            UnhandledKind::BlockingPanicked | UnhandledKind::BlockingResultDropPanicked => {
                unhandled!(ERROR, "weftwork::blocking");
            }
            UnhandledKind::HookPanicked | UnhandledKind::WorkerPanicked | UnhandledKind::Forked => {
                unhandled!(ERROR, "weftwork::runtime");
            }
            UnhandledKind::SlowPoll | UnhandledKind::NoSpare => unhandled!(WARN, "weftwork::watchdog"),
            UnhandledKind::LeftBehind | UnhandledKind::CutOff => unhandled!(WARN, "weftwork::shutdown"),
            UnhandledKind::ShieldPierced | UnhandledKind::DroppedUnpolled | UnhandledKind::NotClosed => {
                unhandled!(WARN, "weftwork::task");
            }
            UnhandledKind::ReactorFailed => unhandled!(ERROR, "weftwork::reactor"),
        })
}

/// To whom it happened; its name and number are in the event's fields.
fn subject(what: &Unhandled<'_>) -> &'static str {
    match what.kind {
        UnhandledKind::TaskPanicked
        | UnhandledKind::TaskFailed
        | UnhandledKind::OutputDropPanicked
        | UnhandledKind::SlowPoll
        | UnhandledKind::LeftBehind
        | UnhandledKind::CutOff => "a task ",
        UnhandledKind::WakerPanicked
        | UnhandledKind::ShieldPierced
        | UnhandledKind::DroppedUnpolled
        | UnhandledKind::NotClosed
            if what.task.is_some() =>
        {
            "a task "
        }
        UnhandledKind::BlockingPanicked
        | UnhandledKind::BlockingResultDropPanicked
        | UnhandledKind::DroppedUnpolled => "a blocking call ",
        _ => "",
    }
}

/// A listener found the process or the system out of descriptors and waits.
#[cfg(feature = "net")]
pub(crate) fn accept_pauses(error: &std::io::Error, pause: core::time::Duration) {
    tell(|| warn!(target: "weftwork::net", %error, ?pause, "accept waits, for the system is out of something"));
}

/// A runtime was built.
pub(crate) fn runtime_built(core: &Core) {
    let config = &core.config;
    let flavor = if config.multi { "multi_thread" } else { "current_thread" };
    tell(|| debug!(target: "weftwork::runtime", flavor, workers = config.workers, "a runtime was built"));
}

/// A runtime ends.
pub(crate) fn shutdown(step: Shutdown) {
    tell(|| match step {
        Shutdown::Begins { timeout } => {
            let timeout = timeout.map(::tracing::field::debug);
            debug!(target: "weftwork::shutdown", timeout, "shutdown begins");
        }
        Shutdown::WorkersLeft { all: true } => debug!(target: "weftwork::shutdown", "the workers have left"),
        Shutdown::WorkersLeft { all: false } => {
            debug!(target: "weftwork::shutdown", "a worker is inside a poll; the tasks beside it are finished");
        }
        Shutdown::TasksFinished { left } => debug!(target: "weftwork::shutdown", left, "the tasks are finished"),
        Shutdown::Over { tasks_left, calls_left } => {
            debug!(target: "weftwork::shutdown", tasks_left, calls_left, "shutdown is over");
        }
    });
}

/// Has a pool tell when the system refuses it a thread. The callers of the pool learn of it only if no thread is left to
/// run what they asked for.
pub(crate) fn tell_of_refused_threads(pool: weftwork_blocking::Builder) -> weftwork_blocking::Builder {
    pool.spawn_handler(|name, body| {
        let started = thread::spawn(name, body).map(drop);
        if let Err(error) = &started {
            tell(|| warn!(target: "weftwork::blocking", %error, "the system refused a thread for blocking calls"));
        }
        started
    })
}

/// Puts a task's span around its future.
///
/// The span is a root: a task outlives its spawner as a rule, and a chain of tasks that each spawn the next would keep every
/// ancestor's span alive. It says that it follows from the spawner's instead.
pub(crate) fn in_task<F: Future>(future: F, spec: &Spec, name: Option<&str>) -> Instrumented<F> {
    let span = debug_span!(
        target: "weftwork::task",
        parent: None,
        "task",
        id = spec.id.as_u64(),
        name,
        spawned_at = %spec.location,
    );
    if !span.is_disabled() {
        span.follows_from(Span::current());
    }
    future.instrument(span)
}

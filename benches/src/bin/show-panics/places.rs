//! Panics in tasks, in what they hold and give, and in the runtime's hooks.

use crate::planted::{Bomb, plant, plant_vengeful};
use crate::reports::{PATIENT, Reports};
use crate::{PATIENCE, Scene, Setting, round};
use std::fs::OpenOptions;
use std::future::{Future, pending};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::task::{Context, Poll};
use weftwork::JoinHandle;
use weftwork::runtime::{Builder, UnhandledKind};

pub(crate) const SCENES: &[(&str, Setting, Scene)] = &[
    ("a task, awaited", as_is, |reports| {
        Box::pin(async move {
            let error = patient(async { plant("a task") }).await.err().ok_or("it did not panic")?;
            if !error.is_panic() || !error.to_string().contains("planted: a task") {
                return Err(format!("the handle gave {error}"));
            }
            reports.none()
        })
    }),
    ("a task, its handle dropped before", as_is, |reports| {
        Box::pin(async move {
            patient(async { plant("a task") }).detach();
            reports.one_of_a_task(UnhandledKind::TaskPanicked, "planted: a task").await
        })
    }),
    ("a task, its handle dropped after", as_is, |reports| {
        Box::pin(async move {
            let handle = patient(async { plant("a task") });
            finished(&handle).await;
            drop(handle);
            reports.one_of_a_task(UnhandledKind::TaskPanicked, "planted: a task").await
        })
    }),
    ("a task, with a payload whose drop panics", as_is, |reports| {
        Box::pin(async move {
            patient(async { plant_vengeful() }).detach();
            reports.one_of_a_task(UnhandledKind::TaskPanicked, "panicked").await
        })
    }),
    ("a future's drop, cancelled, awaited", as_is, |reports| {
        Box::pin(async move {
            let handle = waiting_bomb().await;
            handle.cancel();
            let error = handle.await.err().ok_or("it was not cancelled")?;
            if !error.to_string().contains("planted: a future's drop") {
                return Err(format!("the handle gave {error}"));
            }
            reports.none()
        })
    }),
    ("a future's drop, cancelled, the handle dropped", as_is, |reports| {
        Box::pin(async move {
            drop(waiting_bomb().await.cancel_on_drop());
            reports.one_of_a_task(UnhandledKind::TaskPanicked, "planted: a future's drop").await
        })
    }),
    ("a future's drop, after it was ready", as_is, |reports| {
        Box::pin(async move {
            patient(Ready(Bomb("a ready future's drop"))).detach();
            reports.one_of_a_task(UnhandledKind::TaskPanicked, "planted: a ready future's drop").await
        })
    }),
    ("a future's drop, by shutdown", as_is, |reports| {
        Box::pin(async move {
            waiting_bomb().await.detach();
            reports.expect_at_shutdown(UnhandledKind::TaskPanicked, "planted: a future's drop");
            Ok(())
        })
    }),
    ("an output's drop, the handle dropped before", as_is, |reports| {
        Box::pin(async move {
            patient(async { Bomb("an output's drop") }).detach();
            reports.one_of_a_task(UnhandledKind::OutputDropPanicked, "planted: an output's drop").await
        })
    }),
    ("an output's drop, the handle dropped after", as_is, |reports| {
        Box::pin(async move {
            let handle = patient(async { Bomb("an output's drop") });
            finished(&handle).await;
            drop(handle);
            reports.one_of_a_task(UnhandledKind::OutputDropPanicked, "planted: an output's drop").await
        })
    }),
    (
        "on_thread_start",
        |builder| builder.on_thread_start(|| plant("on_thread_start")),
        |reports| Box::pin(async move { hooks(&reports, "planted: on_thread_start").await }),
    ),
    (
        "on_thread_stop",
        |builder| builder.on_thread_stop(|| plant("on_thread_stop")),
        |reports| {
            Box::pin(async move {
                if has_threads() {
                    reports.expect_at_shutdown(UnhandledKind::HookPanicked, "planted: on_thread_stop");
                }
                Ok(())
            })
        },
    ),
];

pub(crate) fn as_is(builder: Builder) -> Builder {
    builder
}

/// Spawns a task that the reports can be told by.
#[track_caller]
pub(crate) fn patient<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match weftwork::task::Builder::new().name(PATIENT).spawn(future) {
        Ok(handle) => handle,
        Err(error) => panic!("a task could not be spawned: {error}"),
    }
}

pub(crate) async fn finished<T>(handle: &JoinHandle<T>) {
    while !handle.is_finished() {
        weftwork::task::yield_now().await;
    }
}

/// A task that waits for ever with a bomb in its future.
async fn waiting_bomb() -> JoinHandle<()> {
    let (here, arrived) = weftwork::sync::oneshot::channel();
    let handle = patient(async move {
        let _bomb = Bomb("a future's drop");
        let _ = here.send(());
        pending::<()>().await;
    });
    let _ = arrived.await;
    handle
}

struct Ready(#[allow(dead_code, reason = "it is there to be dropped")] Bomb);

impl Future for Ready {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// Whether this runtime has threads of its own; the hooks are for those.
fn has_threads() -> bool {
    weftwork::Handle::current().metrics().workers.len() > 1
}

/// Each of the two workers' hooks panicked.
async fn hooks(reports: &Reports, text: &str) -> Result<(), String> {
    if !has_threads() {
        return reports.none();
    }
    let start = std::time::Instant::now();
    while reports.all().len() < 2 && start.elapsed() < PATIENCE {
        weftwork::task::yield_now().await;
    }
    let all = reports.all();
    let all_right = all.len() == 2 && all.iter().all(|report| report.contains("hook") && report.contains(text));
    if all_right { Ok(()) } else { Err(format!("{} report(s) instead of one per worker", all.len())) }
}

/// A process of its own whose stderr takes nothing and whose hook for reports panics: there is nobody left to tell.
pub(crate) fn stderr_full() -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let full = OpenOptions::new().write(true).open("/dev/full").map_err(|error| format!("/dev/full: {error}"))?;
    let child = Command::new(own).arg("--full-stderr").stderr(Stdio::from(full)).status();
    match child {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("the process: {other:?}")),
    }
}

pub(crate) fn with_stderr_full() -> Result<(), String> {
    for (flavor, builder) in crate::FLAVORS {
        let (send, done) = channel();
        std::thread::spawn(move || {
            let runtime =
                builder().on_unhandled(|_| plant("on_unhandled")).build().map_err(|error| error.to_string())?;
            runtime.block_on(async {
                for _ in 0..8 {
                    let handle = patient(async { plant("a task") });
                    finished(&handle).await;
                    drop(handle);
                    patient(async { plant("a task") }).detach();
                }
                weftwork::timeout(PATIENCE, round::everything()).await.map_err(|_| "the round hangs")?
            })?;
            runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
            let _ = send.send(());
            Ok::<_, String>(())
        });
        done.recv_timeout(PATIENCE).map_err(|_| format!("{flavor}: it hangs, or a panic got out"))?;
        println!(
            "  {flavor:<14} 16 tasks panicked, and so did the hook each time; a round of everything, shutdown: ok"
        );
    }
    Ok(())
}

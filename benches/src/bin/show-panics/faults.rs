//! Thread starts that fail by fault point: the n-th, for every n that matters.

use crate::{PATIENCE, round};
use std::sync::mpsc::channel;
use weftwork::runtime::{BuildError, Builder, RunError};
use weftwork::testing::fault::{Point, arm, disarm};
use weftwork::{OffloadError, Runtime};

const WORKERS: u64 = 3;
/// The workers and the watchdog.
const STARTS: u64 = WORKERS + 1;

pub(crate) fn scene() -> Result<(), String> {
    for nth in 1..=STARTS + 1 {
        arm(Point::ThreadStart, nth, 1);
        let built = build();
        disarm(Point::ThreadStart);
        let said = match built {
            Err(BuildError::Thread(error)) if nth <= STARTS => format!("BuildError::Thread({error})"),
            Ok(runtime) if nth > STARTS => {
                works(&runtime)?;
                end(runtime)?;
                "a runtime that works".into()
            }
            Ok(runtime) => {
                // Fewer workers are as good an answer, if they do all the work.
                works(&runtime)?;
                end(runtime)?;
                "a runtime with fewer threads that works".into()
            }
            Err(other) => return Err(format!("start {nth} refused: {other:?}")),
        };
        println!("  build, start {nth} of {STARTS} refused: {said}");
    }
    match refused(|| Builder::new_multi_thread().worker_threads(WORKERS as usize).run(async {})) {
        Err(RunError::Build(BuildError::Thread(error))) => {
            println!("  run, all starts refused: BuildError::Thread({error})");
        }
        other => return Err(format!("run with all starts refused gave {other:?}")),
    }
    offload()
}

/// The pool's thread starts, one after another.
fn offload() -> Result<(), String> {
    let runtime = build().map_err(|error| error.to_string())?;
    match refused(|| runtime.block_on(weftwork::to_thread(|| ()))) {
        Err(OffloadError::NoThread(error)) => println!("  to_thread, no thread alive: OffloadError::NoThread({error})"),
        other => return Err(format!("to_thread without any thread gave {other:?}")),
    }
    works(&runtime)?;
    // One thread is alive and busy: every further job waits for it instead of failing.
    let (tell, told) = channel::<()>();
    let (here, arrived) = channel();
    let busy = runtime.spawn(weftwork::to_thread(move || {
        let _ = here.send(());
        let _ = told.recv();
    }));
    arrived.recv_timeout(PATIENCE).map_err(|_| "a closure never began")?;
    let jobs = 20;
    let done = refused(|| {
        let calls: Vec<_> = (0..jobs).map(|_| runtime.spawn(weftwork::to_thread(|| ()))).collect();
        runtime.block_on(async {
            weftwork::sleep(std::time::Duration::from_millis(20)).await;
            drop(tell);
            for call in calls {
                let outcome = weftwork::timeout(PATIENCE, call).await.map_err(|_| "a job was forgotten".to_owned())?;
                outcome.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            }
            Ok::<_, String>(())
        })
    });
    done.map_err(|why| format!("with one thread alive: {why}"))?;
    runtime.block_on(busy).map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    println!("  to_thread, one thread alive and every other start refused: {jobs} of {jobs} jobs ran on it");
    works(&runtime)?;
    spares(&runtime)?;
    end(runtime)
}

/// Every worker blocked, and no spare to be had: nothing gets out, and all goes on when they are back.
fn spares(runtime: &Runtime) -> Result<(), String> {
    let (here, arrived) = channel();
    let mut tells = Vec::new();
    let blocked = refused(|| {
        for _ in 0..WORKERS {
            let (tell, told) = channel::<()>();
            tells.push(tell);
            let here = here.clone();
            runtime
                .spawn(async move {
                    let _ = here.send(());
                    let _ = told.recv_timeout(PATIENCE);
                })
                .detach();
            arrived.recv_timeout(PATIENCE).map_err(|_| "a blocking task never began")?;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        Ok::<_, String>(runtime.metrics().spares)
    })?;
    drop(tells);
    works(runtime)?;
    println!("  every worker blocked, every spare refused ({blocked} run): all goes on when they are back");
    Ok(())
}

fn refused<R>(f: impl FnOnce() -> R) -> R {
    arm(Point::ThreadStart, 1, u64::MAX);
    let result = f();
    disarm(Point::ThreadStart);
    result
}

fn build() -> Result<Runtime, BuildError> {
    Builder::new_multi_thread().worker_threads(WORKERS as usize).on_unhandled(|what| println!("      {what}")).build()
}

fn works(runtime: &Runtime) -> Result<(), String> {
    runtime.block_on(crate::within(round::everything()))
}

fn end(runtime: Runtime) -> Result<(), String> {
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())
}

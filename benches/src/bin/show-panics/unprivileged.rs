//! Thread starts that the system refuses: the limit on a user's processes counts threads, and root is free of it. So this
//! program starts itself once more as a user whom nobody else is, with room for so many threads and no more.

use crate::{PATIENCE, round};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use weftwork::OffloadError;
use weftwork::runtime::{BuildError, Builder};

const WORKERS: usize = 2;
/// The main thread, the watchdog, the workers, and one of the pool.
const ENOUGH: usize = 1 + 1 + WORKERS + 1;

/// Tells the limited process that no other counts against its limit.
const ALONE: &str = "alone";

pub(crate) fn scene() -> Result<(), String> {
    let user = a_user_whom_nobody_is()?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    // The other user may not be able to reach the folder that this program lies in.
    let folder = std::env::temp_dir().join(format!("weftwork-show-panics-{}", std::process::id()));
    let copy = folder.join("show-panics");
    let copied = fs::create_dir(&folder)
        .and_then(|()| fs::copy(&own, &copy))
        .and_then(|_| fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)));
    copied.map_err(|error| format!("{}: {error}", copy.display()))?;
    // Whoever is not alone has threads already, nobody knows how many; there is never room for one more than this one.
    let most = if user.is_some() { ENOUGH + 1 } else { 1 };
    let outcome = (1..=most).try_for_each(|threads| with(&copy, user, threads));
    let _ = fs::remove_dir_all(&folder);
    outcome
}

/// Runs the copy with room for so many threads.
fn with(copy: &std::path::Path, user: Option<u32>, threads: usize) -> Result<(), String> {
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--nproc={threads}"));
    if let Some(user) = user {
        limited.args(["setpriv", "--clear-groups"]).arg(format!("--reuid={user}")).arg(format!("--regid={user}"));
    }
    let status = limited.arg(copy).arg("--threads").arg(threads.to_string()).args(user.map(|_| ALONE)).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("with room for {threads} threads: {status}")),
        Err(error) => Err(format!("prlimit and setpriv (of util-linux) could not be started: {error}")),
    }
}

/// A number without a process, if this is root; others stay who they are.
fn a_user_whom_nobody_is() -> Result<Option<u32>, String> {
    let owner = |path: &str| fs::metadata(path).map(|it| it.uid());
    if owner("/proc/self").map_err(|error| format!("this needs Linux's /proc: {error}"))? != 0 {
        return Ok(None);
    }
    let processes = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    let owners: Vec<u32> = processes.flatten().filter_map(|entry| entry.metadata().ok()).map(|it| it.uid()).collect();
    Ok((60_000..65_534).rev().find(|user| !owners.contains(user)))
}

/// What the limited process does.
pub(crate) fn inside() -> Result<(), String> {
    let room: usize =
        std::env::args().nth(2).and_then(|number| number.parse().ok()).ok_or("--threads takes a number")?;
    let alone = std::env::args().nth(3).as_deref() == Some(ALONE);
    let built = Builder::new_multi_thread().worker_threads(WORKERS).build();
    let runtime = match built {
        Err(BuildError::Thread(error)) if room < ENOUGH - 1 || !alone => {
            println!("  room for {room} thread(s): build gives BuildError::Thread({error})");
            return Ok(());
        }
        Err(other) => return Err(format!("room for {room} threads: {other:?}")),
        Ok(_) if room < ENOUGH - 1 || !alone => {
            return Err(format!("room for {room} threads, and yet a runtime was built"));
        }
        Ok(runtime) => runtime,
    };
    let jobs: Vec<_> = (0..50_u32).map(|n| runtime.spawn(weftwork::to_thread(move || n))).collect();
    let (mut ran, mut refused, mut why) = (0, 0, String::new());
    for job in jobs {
        match runtime.block_on(job).map_err(|error| error.to_string())? {
            Ok(_) => ran += 1,
            Err(OffloadError::NoThread(error)) => (refused, why) = (refused + 1, error.to_string()),
            Err(other) => return Err(format!("to_thread gave {other:?}")),
        }
    }
    let threads = runtime.metrics().blocking_threads;
    match room >= ENOUGH {
        true if refused == 0 => {
            runtime.block_on(crate::within(round::everything()))?;
            println!(
                "  room for {room} thread(s): {ran} of 50 blocking calls ran, on {threads} thread(s); a round of everything: ok"
            );
        }
        false if ran == 0 => {
            println!("  room for {room} thread(s): build works, to_thread gives OffloadError::NoThread({why})");
        }
        _ => return Err(format!("room for {room} threads: {ran} blocking calls ran, {refused} were refused")),
    }
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())
}

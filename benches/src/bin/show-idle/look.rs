//! This process's threads and its time, as the system counts them. Linux only.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// How often each thread has gone to sleep, which is how often it has woken up; without the main thread, which looks.
pub(crate) struct Threads(BTreeMap<u32, (String, u64)>);

impl Threads {
    /// # Errors
    /// There is no /proc.
    pub(crate) fn now() -> Result<Self, String> {
        let folder = fs::read_dir("/proc/self/task").map_err(|e| format!("this needs Linux's /proc: {e}"))?;
        let mut threads = BTreeMap::new();
        for thread in folder.flatten() {
            let Ok(id) = thread.file_name().to_string_lossy().parse::<u32>() else { continue };
            if id == std::process::id() {
                continue;
            }
            // A thread that has ended since has nothing to tell.
            let Ok(status) = fs::read_to_string(thread.path().join("status")) else { continue };
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let count = field("voluntary_ctxt_switches:").and_then(|text| text.parse().ok()).unwrap_or(0);
            threads.insert(id, (field("Name:").unwrap_or_default().to_owned(), count));
        }
        Ok(Self(threads))
    }

    /// By name, how often; those that slept through are left out.
    pub(crate) fn woken_since(&self, before: &Self) -> Vec<(String, u64)> {
        let mut woken = BTreeMap::<String, u64>::new();
        for (id, (name, count)) in &self.0 {
            let earlier = before.0.get(id).map_or(0, |(_, count)| *count);
            if *count > earlier {
                *woken.entry(name.clone()).or_default() += count - earlier;
            }
        }
        woken.into_iter().collect()
    }
}

/// What this process has used of all processors.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a clock of processor time counts up from zero")
}

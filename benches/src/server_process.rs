//! A server in a process of its own, seen from outside: through its log, and through Linux's /proc, which costs it nothing.
//!
//! So what is measured is the server's own: its memory, its processor time, its descriptors, and none of its clients'.
//! The server is one of this workspace's programs, built beside the one that shows something.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use weftwork::time::Instant;

/// Nothing a server is asked for at its beginning or its end takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What of a log is shown where something went wrong.
const SHOWN_LINES: usize = 5;

/// A server that runs; dropping it ends it.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    /// Without a name any more: nothing is left behind.
    log: File,
}

/// What a server has at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Of its memory, what is in RAM.
    pub resident_bytes: u64,
    /// What it has open.
    pub descriptors: usize,
    /// What its threads, those that have ended too, have used of processors; in steps of 10 ms.
    pub processor_time: Duration,
}

impl ServerProcess {
    /// Starts a program of this workspace that lies beside the one that runs.
    ///
    /// # Errors
    /// It was not built, or could not be started.
    pub fn start(program: &str, flags: &[&str]) -> Result<Self, String> {
        if !fs::exists("/proc/self/fd").unwrap_or(false) {
            return Err("this needs Linux's /proc to look at the server from outside".into());
        }
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let path = own.with_file_name(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        if !path.is_file() {
            let path = path.display();
            return Err(format!("{path} is not there: `cargo build --release --package examples --bin {program}`"));
        }
        let log = nameless_file().map_err(|error| format!("a file for the server's log: {error}"))?;
        let its_log = log.try_clone().map_err(|error| error.to_string())?;
        let child = Command::new(&path)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(its_log)
            .spawn()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { child, log })
    }

    /// The first line of the log that begins so, waited for; without its beginning.
    ///
    /// # Errors
    /// It does not come, or the server has ended.
    pub fn line(&mut self, beginning: &str) -> Result<String, String> {
        let start = Instant::now();
        loop {
            // Looked at before the log: what an ended server has said is there.
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            let text = self.log_text()?;
            let whole_lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            if let Some(line) = whole_lines.filter_map(|line| line.strip_prefix(beginning)).next() {
                return Ok(line.to_owned());
            }
            if let Some(status) = ended {
                return Err(format!("the server ended: {status}; it said last:\n{}", self.last_words()));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("the server never said {beginning:?}; it said last:\n{}", self.last_words()));
            }
            pause(LOOK_EVERY);
        }
    }

    /// Empties the log: under load it grows by megabytes a second.
    ///
    /// # Errors
    /// The system's.
    pub fn forget_log(&self) -> Result<(), String> {
        // The server appends: it goes on at the new end.
        self.log.set_len(0).map_err(|error| format!("the server's log: {error}"))
    }

    /// What the server has now.
    ///
    /// # Errors
    /// It has ended.
    pub fn sample(&self) -> Result<Sample, String> {
        Ok(Sample {
            resident_bytes: self.status_bytes("VmRSS:")?,
            descriptors: self.descriptors()?,
            processor_time: self.processor_time()?,
        })
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    /// It has ended.
    pub fn descriptors(&self) -> Result<usize, String> {
        let folder = self.proc("fd");
        Ok(fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?.count())
    }

    /// The most that was in RAM since it began, or since [`forget_peak`](Self::forget_peak).
    ///
    /// # Errors
    /// It has ended.
    pub fn peak_bytes(&self) -> Result<u64, String> {
        self.status_bytes("VmHWM:")
    }

    /// Begins a new peak.
    ///
    /// # Errors
    /// It has ended, or the system does not allow it.
    pub fn forget_peak(&self) -> Result<(), String> {
        let file = self.proc("clear_refs");
        fs::write(&file, "5").map_err(|error| format!("{file}: {error}"))
    }

    /// Waits until it has so many descriptors as before; says after how long.
    ///
    /// # Errors
    /// It keeps more, or fewer.
    pub fn back_to(&self, descriptors: usize) -> Result<Duration, String> {
        let start = Instant::now();
        loop {
            let open = self.descriptors()?;
            if open == descriptors {
                return Ok(start.elapsed());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("the server has {open} descriptors open, not {descriptors} as at its beginning"));
            }
            pause(LOOK_EVERY);
        }
    }

    /// Sends it a signal: `STOP`, `CONT`, `INT`.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, name: &str) -> Result<(), String> {
        match Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status() {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill -{name}: {other:?}")),
        }
    }

    /// Has it end by Ctrl-C, in order.
    ///
    /// # Errors
    /// It does not end, or not with 0.
    pub fn stop(mut self) -> Result<(), String> {
        self.signal("INT")?;
        let start = Instant::now();
        loop {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the server ended with {status}:\n{}", self.last_words())),
                None if start.elapsed() > PATIENCE => return Err("the server does not end".into()),
                None => pause(LOOK_EVERY),
            }
        }
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }

    fn status_bytes(&self, field: &str) -> Result<u64, String> {
        let file = self.proc("status");
        let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let kibibytes =
            text.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB")?.parse().ok());
        kibibytes.map(|kibibytes: u64| kibibytes * 1024).ok_or_else(|| format!("{file} has no {field}"))
    }

    fn processor_time(&self) -> Result<Duration, String> {
        const TICKS_PER_SECOND: u64 = 100;
        let file = self.proc("stat");
        let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        // The name in brackets may hold anything; behind it, the 12th and 13th fields are user and system time.
        let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
        let ticks: Vec<u64> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        match ticks[..] {
            [user, system] => Ok(Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND)),
            _ => Err(format!("{file} has no times: {text}")),
        }
    }

    fn log_text(&self) -> Result<String, String> {
        let mut bytes = Vec::new();
        let read = (&self.log).seek(SeekFrom::Start(0)).and_then(|_| (&self.log).read_to_end(&mut bytes));
        read.map_err(|error| format!("the server's log: {error}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn last_words(&self) -> String {
        let text = self.log_text().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits on a thread that is not a runtime's.
#[expect(clippy::disallowed_methods, reason = "a program that looks at another one, not the runtime")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn nameless_file() -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!("weftwork-log-{}", std::process::id()));
    let file = File::options().read(true).append(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

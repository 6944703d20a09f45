//! The server's process, as its parent sees it: through its pipes, and through /proc, which costs it no descriptor.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

pub(crate) struct Server {
    child: Child,
    limit: usize,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts this program as a server with so many descriptors.
    pub(crate) fn start(descriptors: usize, backend: &str) -> Result<Self, String> {
        if !fs::exists("/proc/self/fd").unwrap_or(false) {
            return Err("this needs Linux's /proc to look at the server from outside".into());
        }
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let limited = format!("ulimit -n {descriptors} && exec \"$0\" --serve");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(limited).arg(own).env("WEFTWORK_REACTOR", backend);
        let mut child = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("sh could not be started: {error}"))?;
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().ok_or("the server has no output")?).lines();
        Ok(Self { child, limit: descriptors, input, lines })
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> Result<String, String> {
        match self.lines.next() {
            Some(Ok(line)) => Ok(line),
            _ => Err("the server ended early".into()),
        }
    }

    /// How many descriptors it has open, below its limit: one above it can only be inherited.
    pub(crate) fn descriptors(&self) -> Result<usize, String> {
        let folder = format!("/proc/{}/fd", self.child.id());
        let open = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?.flatten();
        let numbers = open.filter_map(|entry| entry.file_name().to_str()?.parse::<usize>().ok());
        Ok(numbers.filter(|&number| number < self.limit).count())
    }

    /// What its threads, those that have ended too, have used of processors; in steps of 10 ms.
    pub(crate) fn processor_time(&self) -> Result<Duration, String> {
        const TICKS_PER_SECOND: u64 = 100;
        let file = format!("/proc/{}/stat", self.child.id());
        let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        // The name in brackets may hold anything; behind it, the 12th and 13th fields are user and system time.
        let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
        let ticks: Vec<u64> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        match ticks[..] {
            [user, system] => Ok(Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND)),
            _ => Err(format!("{file} has no times: {text}")),
        }
    }

    /// Has it end, and gives the two numbers it says then.
    pub(crate) fn end(&mut self) -> Result<[u64; 2], String> {
        drop(self.input.take());
        let line = self.line()?;
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("the server: {status}"));
        }
        let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        numbers.try_into().map_err(|_| format!("the server ended with {line:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Without input it ends by itself; one that does not is not left behind.
        drop(self.input.take());
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

//! The other ends of the connections: a process that opens them, says so, and holds them until it is let go.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// What a process has open besides connections.
const BESIDES: u64 = 200;

/// Raises what this process and its children may open, as far as it goes; gives how many connections that allows.
pub(crate) fn allow_descriptors(connections: usize) -> usize {
    let wanted = connections as u64 + BESIDES;
    let limit = getrlimit(Resource::Nofile);
    // Without a limit there is none to raise.
    let (Some(soft), Some(hard)) = (limit.current, limit.maximum) else { return connections };
    if soft >= wanted {
        return connections;
    }
    let raise = |to: u64, hard: u64| setrlimit(Resource::Nofile, Rlimit { current: Some(to), maximum: Some(hard) });
    // Beyond the hard limit goes only who may raise that too.
    let allowed = if raise(wanted, hard.max(wanted)).is_ok() {
        wanted
    } else if raise(hard, hard).is_ok() {
        hard
    } else {
        soft
    };
    if allowed < wanted {
        println!("only {allowed} descriptors are allowed here, so there are fewer connections than asked for");
    }
    usize::try_from(allowed.saturating_sub(BESIDES)).map_or(connections, |allowed| allowed.min(connections))
}

/// The process; it ends when this is dropped.
pub(crate) struct Crowd(Child);

impl Crowd {
    /// Starts it, and waits until it has connected.
    pub(crate) fn start(to: SocketAddr, connections: usize) -> Result<Self, String> {
        let myself = std::env::current_exe().map_err(|e| e.to_string())?;
        let child = Command::new(myself)
            .args(["--crowd", &to.to_string(), &connections.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("the second process: {e}"))?;
        let mut crowd = Self(child);
        let stdout = crowd.0.stdout.take().ok_or("the second process has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(|e| e.to_string())?;
        if line.trim() == "connected" { Ok(crowd) } else { Err("the second process could not connect".into()) }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It ends at the end of its input; if it has ended before, that is all the same.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What that process does.
pub(crate) fn be(arguments: &[String]) -> Result<(), String> {
    let [to, connections] = arguments else { return Err("--crowd ADDRESS CONNECTIONS".into()) };
    let to: SocketAddr = to.parse().map_err(|_| "--crowd wants an address")?;
    let connections: usize = connections.parse().map_err(|_| "--crowd wants a number")?;
    let streams: Result<Vec<_>, _> = (0..connections).map(|_| TcpStream::connect(to)).collect();
    let streams = streams.map_err(|e| format!("connecting: {e}"))?;
    println!("connected");
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).map_err(|e| e.to_string())?;
    drop(streams);
    Ok(())
}

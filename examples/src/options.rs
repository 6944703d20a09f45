//! What can be said to a server on its command line, and what it means for the runtime.

use crate::arguments::{Arguments, UsageError};
use crate::log::Log;
use crate::server::Limits;
use crate::web::WebLimits;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use weftwork::net::TcpListener;
use weftwork::runtime::Builder;

/// What a program is.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The port it serves on, unless told otherwise.
    pub port: u16,
    /// The port of its page, unless told otherwise; `None` if it has none.
    pub http_port: Option<u16>,
}

/// Which scheduler runs the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flavor {
    /// Several threads.
    MultiThread,
    /// The main thread alone.
    CurrentThread,
}

/// What was said on the command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name or address to serve on.
    pub host: String,
    /// The port to serve on; 0 lets the system choose.
    pub port: u16,
    /// The port to serve the page on, if there is to be one; 0 lets the system choose.
    pub http_port: Option<u16>,
    /// What the server bounds; the page's has the same bounds, and counts its connections apart.
    pub limits: Limits,
    /// What the page bounds besides.
    pub web_limits: WebLimits,
    /// Which scheduler runs the tasks.
    pub flavor: Flavor,
    /// Its threads, if said.
    pub workers: Option<usize>,
}

/// What a command line asks for.
#[derive(Debug)]
enum Request {
    Help,
    Serve(Options),
}

/// The conventional code for a command line that cannot be understood.
const USAGE: u8 = 2;
const MOST_WORKERS: usize = 1024;
const MOST_CONNECTIONS: usize = 1_000_000;

impl Program {
    /// A whole program: reads the command line, runs `serve` on the runtime that was asked for, and says how it went: 0,
    /// 1 if it failed, 2 if the command line cannot be understood.
    pub fn main(&self, serve: impl AsyncFnOnce(Options, Log) -> io::Result<()>) -> ExitCode {
        let log = Log::stderr();
        let options = match parse(self, std::env::args_os().skip(1)) {
            Ok(Request::Serve(options)) => options,
            Ok(Request::Help) => {
                // A reader that has gone away wants no more help.
                let _ = io::stdout().write_all(help(self).as_bytes());
                return ExitCode::SUCCESS;
            }
            Err(error) => {
                log.line(format_args!("{0}: {error}\nTry `{0} --help`.", self.name));
                return ExitCode::from(USAGE);
            }
        };
        match options.runtime().run(serve(options, log.clone())).map_err(io::Error::from) {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(error)) | Err(error) => {
                log.line(format_args!("{}: {error}", self.name));
                ExitCode::FAILURE
            }
        }
    }
}

impl Options {
    /// Listens where it was asked to.
    ///
    /// # Errors
    /// The address cannot be had; the message says which.
    pub async fn listen(&self) -> io::Result<TcpListener> {
        listen(&self.host, self.port).await
    }

    /// Listens where the page was asked for, if it was.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub async fn listen_http(&self) -> io::Result<Option<TcpListener>> {
        match self.http_port {
            Some(port) => listen(&self.host, port).await.map(Some),
            None => Ok(None),
        }
    }

    /// The runtime that was asked for.
    fn runtime(&self) -> Builder {
        let builder = match self.flavor {
            Flavor::MultiThread => Builder::new_multi_thread(),
            Flavor::CurrentThread => Builder::new_current_thread(),
        };
        match self.workers {
            Some(workers) => builder.worker_threads(workers),
            None => builder,
        }
    }
}

async fn listen(host: &str, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((host, port))
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot serve on {host} port {port}: {error}")))
}

fn parse(program: &Program, given: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let mut given = Arguments::new(given)?;
    if given.flag(&["--help", "-h"]) {
        return Ok(Request::Help);
    }
    let idle_timeout = given.value_with("--idle-timeout", SECONDS, seconds)?.unwrap_or(Duration::from_secs(600));
    let limits = Limits {
        max_connections: given
            .value_with("--max-connections", "a number from 1 to 1000000", |text| number(text, MOST_CONNECTIONS))?
            .unwrap_or(10_000),
        idle_timeout: (!idle_timeout.is_zero()).then_some(idle_timeout),
        grace: given.value_with("--grace", SECONDS, seconds)?.unwrap_or(Duration::from_secs(5)),
    };
    let mut web_limits = WebLimits { head_timeout: Duration::from_secs(10), request_timeout: Duration::from_secs(10) };
    let mut http_port = program.http_port;
    if program.http_port.is_some() {
        http_port =
            given.value_with("--http-port", "a number from 0 to 65535, or none", port_or_none)?.unwrap_or(http_port);
        for (name, limit) in
            [("--head-timeout", &mut web_limits.head_timeout), ("--request-timeout", &mut web_limits.request_timeout)]
        {
            *limit = given.value_with(name, SECONDS, seconds)?.unwrap_or(*limit);
        }
    }
    let options = Options {
        host: given.value("--host", "a name or an address")?.unwrap_or_else(|| "127.0.0.1".into()),
        port: given.value("--port", "a number from 0 to 65535")?.unwrap_or(program.port),
        http_port,
        limits,
        web_limits,
        flavor: given
            .value_with("--flavor", "multi_thread or current_thread", |text| match text {
                "multi_thread" => Some(Flavor::MultiThread),
                "current_thread" => Some(Flavor::CurrentThread),
                _ => None,
            })?
            .unwrap_or(Flavor::MultiThread),
        workers: given.value_with("--workers", "a number from 1 to 1024", |text| number(text, MOST_WORKERS))?,
    };
    given.end()?;
    Ok(Request::Serve(options))
}

const SECONDS: &str = "a number of seconds, as 5 or 0.5";

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn port_or_none(text: &str) -> Option<Option<u16>> {
    if text == "none" { Some(None) } else { text.parse().ok().map(Some) }
}

fn number(text: &str, most: usize) -> Option<usize> {
    text.parse().ok().filter(|number| (1..=most).contains(number))
}

fn help(program: &Program) -> String {
    let Program { name, about, port, http_port } = program;
    let of_the_page = match http_port {
        Some(port) => format!(
            "
  --http-port PORT         serve the page on this port ({port}); 0 lets the system choose, none is for no page
  --head-timeout SECONDS   refuse a request whose head takes longer to come (10)
  --request-timeout SECONDS  refuse a request that takes longer to come and to be answered (10)"
        ),
        None => String::new(),
    };
    format!(
        "{about}

Usage: {name} [flags]

  --host HOST              serve on this name or address (127.0.0.1)
  --port PORT              serve on this port ({port}); 0 lets the system choose{of_the_page}
  --idle-timeout SECONDS   end a connection that is idle for so long (600); 0 never does
  --max-connections N      turn clients away beyond so many (10000)
  --grace SECONDS          at Ctrl-C, let clients finish for so long (5)
  --flavor FLAVOR          multi_thread or current_thread (multi_thread)
  --workers N              threads that run tasks (one per core, or what WEFTWORK_WORKERS says)
  --help                   this text

The log is on stderr. Ctrl-C stops the server in order, a second one at once.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program { name: "example", about: "Does things.", port: 2323, http_port: Some(8888) };

    fn parsed(words: &str) -> Result<Request, String> {
        parse(&PROGRAM, words.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn options(words: &str) -> Options {
        match parsed(words) {
            Ok(Request::Serve(options)) => options,
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn without_flags_the_defaults_hold() {
        let options = options("");
        assert_eq!((options.host.as_str(), options.port), ("127.0.0.1", 2323));
        assert_eq!((options.flavor, options.workers), (Flavor::MultiThread, None));
        assert_eq!(options.limits.grace, Duration::from_secs(5));
        assert_eq!(options.limits.idle_timeout, Some(Duration::from_secs(600)));
        assert_eq!(options.http_port, Some(8888));
        assert_eq!(options.web_limits.head_timeout, Duration::from_secs(10));
    }

    #[test]
    fn the_page_has_flags_where_there_is_one() {
        let given = options("--http-port 0 --head-timeout 1 --request-timeout 2.5");
        assert_eq!(given.http_port, Some(0));
        assert_eq!(given.web_limits.head_timeout, Duration::from_secs(1));
        assert_eq!(given.web_limits.request_timeout, Duration::from_millis(2500));
        assert_eq!(options("--http-port none").http_port, None);
        let without = Program { http_port: None, ..PROGRAM };
        assert!(parse(&without, ["--http-port=1".into()]).is_err());
        assert!(help(&PROGRAM).contains("--http-port ") && !help(&without).contains("--http-port"));
    }

    #[test]
    fn every_flag_is_heard() {
        let options = options(
            "--host ::1 --port 0 --idle-timeout 0 --max-connections 7 --grace 0.5 --flavor current_thread --workers 3",
        );
        assert_eq!((options.host.as_str(), options.port), ("::1", 0));
        assert_eq!((options.flavor, options.workers), (Flavor::CurrentThread, Some(3)));
        assert_eq!(options.limits.grace, Duration::from_millis(500));
        assert_eq!(options.limits.idle_timeout, None);
        assert_eq!(options.limits.max_connections, 7);
    }

    #[test]
    fn values_out_of_range_are_mistakes() {
        for words in [
            "--port 70000",
            "--workers 0",
            "--workers 1025",
            "--max-connections 0",
            "--grace -1",
            "--grace nan",
            "--grace inf",
            "--idle-timeout 1e30",
            "--flavor vanilla",
            "--http-port any",
            "--head-timeout -1",
            "2323",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn help_names_every_flag() {
        assert!(matches!(parsed("--help"), Ok(Request::Help)));
        for flag in [
            "host",
            "port",
            "http-port",
            "head-timeout",
            "request-timeout",
            "idle-timeout",
            "max-connections",
            "grace",
            "flavor",
            "workers",
        ] {
            assert!(help(&PROGRAM).contains(&format!("--{flag} ")), "{flag}");
        }
    }
}

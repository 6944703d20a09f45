//! The load generator as a user meets it, against servers inside this process: charfinder, and one that answers HTTP badly.
#![cfg(unix)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

mod harness;

use examples::charfinder::Charfinder;
use examples::index::Index;
use examples::latch::Latch;
use examples::log::Log;
use examples::server::{Limits, Server};
use harness::HANG;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use weftwork::runtime::Builder;

const LOAD: &str = env!("CARGO_BIN_EXE_load");

/// A charfinder on a thread of its own, which serves until the test is over.
struct Served {
    address: SocketAddr,
    stop: Arc<Latch>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    fn start(max_connections: usize) -> Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        let index = INDEX.get_or_init(Index::build);
        let (addresses, address) = mpsc::channel();
        let stop = Arc::new(Latch::default());
        let theirs = stop.clone();
        let limits = Limits { max_connections, idle_timeout: Some(HANG), grace: HANG };
        let thread = std::thread::spawn(move || {
            let serve = async move {
                let listener = weftwork::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                addresses.send(listener.local_addr().unwrap()).unwrap();
                let log = Log::to(|_| {});
                let server = Server::new(listener, Charfinder::new(index, log.clone()), limits, log);
                server.serve_until(theirs.reached()).await.unwrap();
            };
            Builder::new_multi_thread().worker_threads(2).run(serve).unwrap();
        });
        Self { address: address.recv_timeout(HANG).unwrap(), stop, thread: Some(thread) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.set();
        // One that panicked has failed the test already, by what it did not answer.
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn load(target: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(LOAD);
    command.arg(target).args(["--workers", "2"]).args(flags).stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("no JSON: {fault}; stderr: {error}"))
}

const QUERIES: [&str; 8] =
    ["--line", "chess black", "--line", "snowman", "--line", "no such name", "--expect", " for '{line}'\r\n"];

#[test]
fn a_fixed_number_of_requests_is_answered_without_an_error() {
    let server = Served::start(100);
    let target = server.address.to_string();
    for pace in [&[][..], &["--rate", "2000"]] {
        let flags = [&QUERIES[..], pace, &["--connections", "50", "--requests", "1000", "--json"]].concat();
        let output = load(&target, &flags);
        let result = json(&output);
        assert_eq!(output.status.code(), Some(0), "{result}");
        assert_eq!((&result["answered"], &result["errors"]), (&1000.into(), &0.into()), "{result}");
        assert_eq!((&result["connections_made"], &result["connections_lost"]), (&50.into(), &0.into()), "{result}");
        assert!(result["latency_nanoseconds"]["p99"].as_u64() > Some(0), "{result}");
    }
}

#[test]
fn the_table_is_on_stdout_and_nothing_on_stderr() {
    let server = Served::start(10);
    let output = load(&server.address.to_string(), &[&QUERIES[..], &["--requests", "20"]].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(table.starts_with("answered             20   ") && table.contains("  p99.9 "), "{table}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn lines_come_from_a_file() {
    let server = Served::start(10);
    let file = std::env::temp_dir().join(format!("weftwork-load-lines-{}", std::process::id()));
    std::fs::write(&file, "snowman\r\n\nblack snowman\n").unwrap();
    let flags = ["--lines", file.to_str().unwrap(), "--expect", "SNOWMAN", "--requests", "10", "--json"];
    let output = load(&server.address.to_string(), &flags);
    std::fs::remove_file(&file).unwrap();
    assert_eq!((output.status.code(), &json(&output)["answered"]), (Some(0), &10.into()));
}

#[test]
fn an_answer_that_is_not_as_expected_is_an_error_and_the_exit_code_says_so() {
    let server = Served::start(10);
    let flags =
        ["--line", "snowman", "--line", "chess", "--expect", "SNOWMAN", "--requests", "10", "--connections", "1"];
    for (more, code) in [(&["--json"][..], 1), (&["--json", "--allow-errors"], 0)] {
        let output = load(&server.address.to_string(), &[&flags[..], more].concat());
        let result = json(&output);
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(result["answered"], 5);
        assert_eq!(result["errors_by_kind"]["bad_answer"]["count"], 5);
        assert_eq!(result["errors_by_kind"]["bad_answer"]["first"], "'SNOWMAN' is not in it");
        assert_eq!(result["connections_lost"], 0);
    }
}

#[test]
fn a_server_that_is_full_says_so_through_the_report() {
    let server = Served::start(1);
    let output =
        load(&server.address.to_string(), &[&QUERIES[..], &["--connections", "2", "--requests", "4"]].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(table.contains("closed early") && table.contains("Too many connections. Try again later."), "{table}");
}

#[test]
fn where_nobody_listens_it_ends_at_once_with_1() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = load(&address.to_string(), &["--line", "x", "--duration", "3600", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json(&output)["errors_by_kind"]["refused"]["count"], 10);
}

#[test]
fn mistakes_on_the_command_line_end_with_2_and_help_with_0() {
    let output = load("127.0.0.1:1", &["--line", "x", "--rate", "many"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("--rate cannot be \"many\"") && told.contains("load --help"), "{told}");
    let output = load("--help", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("--connections N"));
}

#[test]
fn ctrl_c_ends_the_load_and_shows_what_was_measured() {
    let server = Served::start(10);
    let mut command = Command::new(LOAD);
    command.arg(server.address.to_string()).args(QUERIES).args(["--duration", "3600", "--rate", "1000", "--progress"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    // Lines of progress end with the head of the next; wait for one that has answers to show.
    let mut line = Vec::new();
    while !String::from_utf8_lossy(&line).contains("/s | ") || String::from_utf8_lossy(&line).contains(" 0 answers") {
        line.clear();
        assert!(progress.read_until(b'\r', &mut line).unwrap() > 0, "it goes on for an hour");
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    std::io::copy(&mut progress, &mut std::io::sink()).unwrap();
    let output = child.wait_with_output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(
        table.starts_with("stopped before its end\nanswered ") && table.contains("errors                0"),
        "{table}"
    );
}

/// Answers each GET by what its path asks for, on a thread per connection, until the test's process ends.
fn http_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let request = lines.next()?.ok()?;
        let headers: Vec<_> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        assert!(headers.iter().any(|header| header.starts_with("Host: 127.0.0.1:")), "{headers:?}");
        let path = request.split(' ').nth(1)?;
        let ok = "HTTP/1.1 200 OK\r\n";
        let (text, stays) = match path {
            "/length?q=a%20b" => (format!("{ok}Content-Length: 5\r\n\r\nhello"), true),
            "/chunked" => (format!("{ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), true),
            "/close" => (format!("{ok}Connection: close\r\nContent-Length: 5\r\n\r\nhello"), false),
            "/until-close" => (format!("{ok}\r\nhello"), false),
            "/missing" => ("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello".to_owned(), true),
            "/half" => (format!("{ok}Content-Length: 6\r\n\r\nhello"), false),
            "/nothing" => (String::new(), false),
            "/silence" => {
                // Until the client gives up.
                let _ = (&stream).read(&mut [0]);
                return None;
            }
            _ => ("hello\r\n\r\n".to_owned(), true),
        };
        (&stream).write_all(text.as_bytes()).ok()?;
        if !stays {
            return None;
        }
    }
}

#[test]
fn http_answers_are_read_to_their_end_and_errors_are_told_apart() {
    let address = http_server();
    let load_path = |path: &str, flags: &[&str]| {
        let flags = [&["--connections", "2", "--requests", "10", "--expect", "hello", "--json"], flags].concat();
        let output = load(&format!("http://{address}{path}"), &flags);
        (json(&output), output.status.code())
    };
    for (path, flags, made) in [
        ("/length?q={line}", &["--line", "a b"][..], 2),
        ("/chunked", &[], 2),
        ("/close", &[], 10),
        ("/until-close", &[], 10),
    ] {
        let (result, code) = load_path(path, flags);
        assert_eq!(
            (code, &result["answered"], &result["connections_lost"]),
            (Some(0), &10.into(), &0.into()),
            "{result}"
        );
        assert_eq!(result["connections_made"], made, "{path}");
    }
    for (path, kind, lost) in [
        ("/missing", "bad_status", 0),
        ("/half", "closed_early", 10),
        ("/nothing", "closed_early", 10),
        ("/garbage", "bad_answer", 10),
        ("/silence", "timed_out", 10),
    ] {
        let (result, code) = load_path(path, &["--timeout", if path == "/silence" { "0.05" } else { "60" }]);
        assert_eq!((code, &result["errors_by_kind"][kind]["count"]), (Some(1), &10.into()), "{path}: {result}");
        assert_eq!((&result["answered"], &result["connections_lost"]), (&0.into(), &lost.into()), "{path}: {result}");
    }
}

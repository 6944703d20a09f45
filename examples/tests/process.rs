//! The programs as a user meets them: the command line, the log, Ctrl-C.
#![cfg(unix)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

mod harness;

use harness::{Client, LogLines};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

const CHARFINDER: &str = env!("CARGO_BIN_EXE_charfinder");
const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const SHOUT: &str = env!("CARGO_BIN_EXE_shout");

/// A server that is serving; it does not outlive the test.
struct Server {
    child: Child,
    address: SocketAddr,
    /// Where its page is, if it has one.
    page: Option<SocketAddr>,
    log: LogLines,
}

impl Server {
    fn start(program: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(["--port", "0"])
            .args(if program == CHARFINDER { &["--http-port", "0"][..] } else { &[] })
            .args(flags)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("it is piped");
        let (lines, log) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        let log = LogLines(log);
        if program == CHARFINDER {
            assert!(log.wait_for("Indexed ").starts_with("Indexed 159801 names under "));
        }
        let page = (program == CHARFINDER).then(|| {
            let told = log.wait_for("The page is at http://");
            let address = told["The page is at http://".len()..].strip_suffix('/').expect("that is the line");
            address.parse().expect("an address")
        });
        let serving = log.wait_for("Serving on ");
        let address = serving["Serving on ".len()..].strip_suffix(". Hit CTRL-C to stop.").expect("that is the line");
        let address = address.parse().expect("an address");
        Self { child, address, page, log }
    }

    fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().expect("kill starts");
        assert!(sent.success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        // Its end is the end of its log; waiting for that first bounds the wait for the process.
        drop(self.log.rest());
        self.child.wait().expect("it can be waited for").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &str, flags: &[&str]) -> Output {
    Command::new(program).args(flags).stdin(Stdio::null()).output().expect("the program starts")
}

#[test]
fn a_session_leaves_its_lines_in_the_log_and_ctrl_c_ends_the_server_with_0() {
    for flags in [&[][..], &["--flavor", "current_thread"], &["--workers", "1"]] {
        let mut server = Server::start(CHARFINDER, flags);
        let mut client = Client::greeted(server.address);
        let answer = client.ask("chess black");
        let (lines, status) = answer.trim_end().rsplit_once("\r\n").expect("lines and a status");
        let matches = lines.lines().count();
        assert!(matches >= 6, "{answer}");
        assert_eq!(status, format!("{matches} matches for 'chess black'"));
        assert_eq!(lines.lines().next(), Some("U+265A\t♚\tBLACK CHESS KING"));
        let address = client.address();
        drop(client);
        server.log.wait_for(&format!("Received from {address}: 'chess black'"));
        server.log.wait_for(&format!("Sent {matches} results"));
        server.log.wait_for(&format!("Close the client socket {address}"));
        server.interrupt();
        server.log.wait_for("Server shutting down.");
        assert_eq!(server.exit_code(), Some(0), "{flags:?}");
    }
}

#[test]
fn the_page_is_served_beside_and_ctrl_c_ends_both() {
    for flavor in ["multi_thread", "current_thread"] {
        let mut server = Server::start(CHARFINDER, &["--flavor", flavor]);
        let mut browser = Client::connect(server.page.expect("charfinder has a page"));
        let mut client = Client::greeted(server.address);
        browser.send("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
        let head = browser.read_head();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 3\r\n"), "{head}");
        assert_eq!(browser.read_exactly(3), b"ok\n");
        server.interrupt();
        assert_eq!(browser.read_to_end(), "");
        assert_eq!(client.read_to_end(), "\r\nThe server shuts down.\r\n");
        let rest = server.log.rest();
        assert_eq!(rest.iter().filter(|line| *line == "Server shutting down.").count(), 1, "{rest:?}");
        assert_eq!(server.exit_code(), Some(0));
    }
}

#[test]
fn there_need_be_no_page() {
    let mut server = Command::new(CHARFINDER)
        .args(["--port", "0", "--http-port", "none"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stderr = BufReader::new(server.stderr.take().expect("it is piped"));
    let told: Vec<_> = stderr.lines().map_while(Result::ok).take(2).collect();
    assert!(told[0].starts_with("Indexed ") && told[1].starts_with("Serving on "), "{told:?}");
    server.kill().expect("it runs");
    server.wait().expect("it can be waited for");
}

#[test]
fn ctrl_c_sends_idle_clients_away() {
    let mut server = Server::start(CHARFINDER, &["--grace", "3600"]);
    let mut client = Client::greeted(server.address);
    server.interrupt();
    assert_eq!(client.read_to_end(), "\r\nThe server shuts down.\r\n");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_second_ctrl_c_ends_the_server_at_once_with_130() {
    for flavor in ["multi_thread", "current_thread"] {
        let mut server = Server::start(CHARFINDER, &["--grace", "3600", "--flavor", flavor]);
        let mut client = Client::greeted(server.address);
        // Answers that nobody reads fill the sockets: this client does not finish.
        client.send("cjk\n".repeat(12));
        server.log.wait_for("Received from");
        server.interrupt();
        server.log.wait_for("Server shutting down.");
        server.interrupt();
        assert_eq!(server.exit_code(), Some(130), "{flavor}");
    }
}

#[test]
fn what_does_not_finish_in_the_grace_is_cut_off_and_the_exit_code_is_0() {
    let mut server = Server::start(CHARFINDER, &["--grace", "0"]);
    let mut client = Client::greeted(server.address);
    client.send("cjk\n".repeat(12));
    server.log.wait_for("Received from");
    server.interrupt();
    server.log.wait_for(&format!("Close the client socket {}: cut off", client.address()));
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn limits_are_set_by_flags() {
    let server = Server::start(CHARFINDER, &["--max-connections", "1", "--idle-timeout", "0.2"]);
    let mut first = Client::greeted(server.address);
    let mut second = Client::connect(server.address);
    // Which of them is first at the door is certain, how long the first stays is not.
    let told = second.read_to_end();
    assert!(
        told == "Too many connections. Try again later.\r\n" || told.ends_with("Idle for too long.\r\n"),
        "{told:?}"
    );
    assert_eq!(first.read_to_end(), "\r\nIdle for too long.\r\n");
}

#[test]
fn echo_echoes_until_ctrl_c() {
    let mut server = Server::start(ECHO, &["--workers", "2"]);
    let mut client = Client::connect(server.address);
    client.send("hello");
    assert_eq!(client.read_exactly(5), b"hello");
    server.interrupt();
    assert_eq!(client.read_to_end(), "");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn help_is_on_stdout_and_names_the_flags() {
    for program in [CHARFINDER, ECHO] {
        let output = run(program, &["--help"]);
        assert_eq!(output.status.code(), Some(0));
        let help = String::from_utf8(output.stdout).expect("help is UTF-8");
        assert!(help.contains("--port") && help.contains("--max-connections"), "{help}");
    }
}

#[test]
fn mistakes_on_the_command_line_are_told_and_end_with_2() {
    for (flags, told) in [
        (&["--port", "seven"][..], "--port cannot be \"seven\": it has to be a number from 0 to 65535"),
        (&["--workers", "0"], "--workers cannot be \"0\""),
        (&["--verbose"], "\"--verbose\" is not a flag of this program"),
        (&["--grace"], "--grace needs a value"),
    ] {
        let output = run(CHARFINDER, flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        let error = String::from_utf8(output.stderr).expect("errors are UTF-8");
        assert!(error.contains(told) && error.contains("charfinder --help"), "{error}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_and_ends_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    for flags in [["--port", &port, "--http-port", "0"], ["--port", "0", "--http-port", &port]] {
        let output = run(CHARFINDER, &flags);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).expect("errors are UTF-8");
        assert!(error.contains(&format!("cannot serve on 127.0.0.1 port {port}")), "{error}");
    }
}

#[test]
fn ctrl_c_sends_the_idle_clients_of_shout_away_and_ends_it_with_0() {
    let mut server = Server::start(SHOUT, &["--max-connections", "2"]);
    let mut client = Client::connect(server.address);
    client.send("hello\n");
    assert_eq!(client.read_exactly(6), b"HELLO\n");
    server.interrupt();
    assert_eq!(client.read_to_end(), "Goodbye.\r\n");
    server.log.wait_for("1 finished, 0 were cut off.");
    assert_eq!(server.exit_code(), Some(0));
}

//! `fan_out` and `factor` as a user runs them, the first against servers on plain threads.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than anything takes on a loaded machine.
const HANG: Duration = Duration::from_secs(60);

fn run(program: &str, words: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, .. } =
        Command::new(program).args(words).stdin(Stdio::null()).output().expect("the program starts");
    (status.code(), String::from_utf8(stdout).expect("it prints UTF-8"))
}

fn fan_out(words: &[&str]) -> (Option<i32>, String) {
    run(env!("CARGO_BIN_EXE_fan_out"), words)
}

fn factor(words: &[&str]) -> (Option<i32>, String) {
    run(env!("CARGO_BIN_EXE_factor"), words)
}

/// A server for one client, which gets its first line.
fn server(serve: impl FnOnce(String, BufReader<TcpStream>) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the system has a port");
    let address = listener.local_addr().expect("it listens");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client comes");
        stream.set_read_timeout(Some(HANG)).expect("a socket option");
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).expect("the client asks");
        serve(line, stream);
    });
    address
}

fn answering() -> SocketAddr {
    server(|line, mut stream| {
        let answer = format!("you said {}\r\n", line.trim_end());
        stream.get_mut().write_all(answer.as_bytes()).expect("the client listens");
    })
}

#[test]
fn all_answers_are_printed_in_the_order_of_the_servers() {
    let servers = [answering(), answering(), answering()].map(|address| address.to_string());
    let [first, second, third] = [0, 1, 2].map(|n| servers[n].as_str());
    let (code, printed) = fan_out(&[first, second, third, "--question", "hi", "--deadline", "60", "--at-once", "2"]);
    let expected: String = servers.iter().map(|address| format!("{address}\tyou said hi\n")).collect();
    assert_eq!((code, printed), (Some(0), expected));
}

#[test]
fn at_the_deadline_there_is_what_came_and_the_late_have_been_told() {
    let (told, tells) = mpsc::channel();
    let silent = server(move |_, mut stream| {
        let mut line = String::new();
        let _ = stream.read_line(&mut line);
        let _ = told.send(line);
    });
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let hanging_up = server(|_, stream| drop(stream));
    let quick = answering();
    let addresses = [silent, closed, hanging_up, quick].map(|address| address.to_string());
    let mut words: Vec<_> = addresses.iter().map(String::as_str).collect();
    words.extend(["--deadline", "2"]);
    let (code, printed) = fan_out(&words);
    let lines: Vec<_> = printed.lines().map(|line| line.split_once('\t').expect("two fields").1).collect();
    assert_eq!(code, Some(1));
    assert_eq!((lines[0], lines[3]), ("late", "you said hello"));
    assert!(lines[1].starts_with("failed: ") && lines[2].starts_with("failed: "), "{lines:?}");
    assert_eq!(tells.recv_timeout(HANG).as_deref(), Ok("never mind\r\n"));
}

#[test]
fn numbers_are_printed_with_their_factors() {
    let expected = "1: \n360: 2 2 2 3 3 5\n1000036000099: 1000003 1000033\n4294967291: 4294967291\n";
    for threads in ["1", "2", "8"] {
        let printed = factor(&["1", "360", "1000036000099", "4294967291", "--threads", threads]);
        assert_eq!(printed, (Some(0), expected.to_owned()), "{threads}");
    }
}

#[test]
fn what_cannot_be_understood_ends_with_2() {
    for words in [&[][..], &["--threads", "0", "6"], &["six"], &["0"], &["-6"]] {
        assert_eq!(factor(words).0, Some(2), "{words:?}");
    }
    for words in [&[][..], &["127.0.0.1:1", "--deadline", "soon"], &["127.0.0.1:1", "--at-once", "0"]] {
        assert_eq!(fan_out(words).0, Some(2), "{words:?}");
    }
}

//! `shout` inside this process, with clients on plain threads: its bound, its end, and whoever has to be cut off.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

mod harness;

use examples::server::Limits;
use examples::shout::{LINE_LIMIT_BYTES, serve_until};
use harness::running::Running;
use harness::{Client, HANG};
use std::time::Duration;
use weftwork::group::Drained;
use weftwork::runtime::Builder;

const LIMITS: Limits = Limits { max_connections: 100, idle_timeout: Some(HANG), grace: HANG };

fn shout(builder: Builder, limits: Limits) -> Running<Drained> {
    Running::serving(builder, move |listener, log, stop| async move {
        serve_until(listener, limits, log, stop.reached()).await.unwrap()
    })
}

/// How many clients could finish, and how many were cut off.
fn stopped(server: Running<Drained>) -> (usize, usize) {
    let drained = server.stop();
    (drained.finished, drained.cancelled)
}

fn both_flavors(test: impl Fn(Builder)) {
    test(Builder::new_multi_thread().worker_threads(2));
    test(Builder::new_current_thread());
}

fn shouted(client: &mut Client, line: &str) -> String {
    client.send(line);
    String::from_utf8(client.read_exactly(line.len())).unwrap()
}

#[test]
fn lines_come_back_in_capitals() {
    both_flavors(|builder| {
        let server = shout(builder, LIMITS);
        let mut client = Client::connect(server.address);
        assert_eq!(shouted(&mut client, "hello\r\n"), "HELLO\r\n");
        assert_eq!(shouted(&mut client, "w\u{f6}rld\n"), "W\u{d6}RLD\n");
        client.end_writing();
        assert_eq!(client.read_to_end(), "");
        server.log.wait_for(&format!("Left: {}, after 2 lines", client.address()));
        assert_eq!(stopped(server), (0, 0));
    });
}

#[test]
fn a_client_beyond_the_bound_is_served_when_another_leaves() {
    both_flavors(|builder| {
        let server = shout(builder, Limits { max_connections: 1, ..LIMITS });
        let mut first = Client::connect(server.address);
        assert_eq!(shouted(&mut first, "one\n"), "ONE\n");
        let mut second = Client::connect(server.address);
        second.send("two\n");
        assert_eq!(shouted(&mut first, "one again\n"), "ONE AGAIN\n");
        let (first_address, second_address) = (first.address(), second.address());
        drop(first);
        assert_eq!(second.read_exactly(4), b"TWO\n");
        // In this order: nobody was served beside the first.
        server.log.wait_for(&format!("Left: {first_address}"));
        server.log.wait_for(&format!("Connected from {second_address}"));
        drop(second);
        server.log.wait_for(&format!("Left: {second_address}"));
        assert_eq!(stopped(server), (0, 0));
    });
}

#[test]
fn who_is_idle_when_the_server_stops_is_sent_away_at_once() {
    both_flavors(|builder| {
        let server = shout(builder, LIMITS);
        let mut client = Client::connect(server.address);
        assert_eq!(shouted(&mut client, "hello\n"), "HELLO\n");
        server.stop.set();
        assert_eq!(client.read_to_end(), "Goodbye.\r\n");
        assert_eq!(stopped(server), (1, 0));
    });
}

#[test]
fn who_is_inside_of_a_line_when_the_server_stops_may_finish_it() {
    both_flavors(|builder| {
        let server = shout(builder, LIMITS);
        let mut client = Client::connect(server.address);
        // In one piece: the server has the beginning of the second line when it answers the first.
        client.send("one\ntw");
        assert_eq!(client.read_exactly(4), b"ONE\n");
        server.stop.set();
        client.send("o\n");
        assert_eq!(client.read_to_end(), "TWO\nGoodbye.\r\n");
        assert_eq!(stopped(server), (1, 0));
    });
}

#[test]
fn who_has_not_finished_when_the_grace_is_over_is_cut_off_and_told_so() {
    both_flavors(|builder| {
        let server = shout(builder, Limits { grace: Duration::from_millis(1), ..LIMITS });
        let mut client = Client::connect(server.address);
        client.send("one\ntw");
        assert_eq!(client.read_exactly(4), b"ONE\n");
        server.stop.set();
        assert_eq!(client.read_to_end(), "The server stops now.\r\n");
        server.log.wait_for(&format!("Cut off {}", client.address()));
        assert_eq!(stopped(server), (0, 1));
    });
}

#[test]
fn a_line_that_is_too_long_ends_its_client_and_nobody_else() {
    let server = shout(Builder::new_current_thread(), LIMITS);
    let (mut good, mut bad) = (Client::connect(server.address), Client::connect(server.address));
    assert_eq!(shouted(&mut good, "hello\n"), "HELLO\n");
    bad.send("x".repeat(LINE_LIMIT_BYTES as usize + 1));
    server.log.wait_for(&format!("Lost {}: a line that is too long", bad.address()));
    assert_eq!(shouted(&mut good, "still here\n"), "STILL HERE\n");
    drop(good);
    server.log.wait_for("Left: ");
    assert_eq!(stopped(server), (0, 0));
}

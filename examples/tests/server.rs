//! The servers inside this process, on port 0, both flavors: dialogue, limits, and the end.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

mod harness;

use examples::charfinder::{Charfinder, LINE_LIMIT_BYTES};
use examples::echo::Echo;
use examples::index::Index;
use examples::server::{Ended, Limits};
use harness::running::Running;
use harness::{Client, HANG};
use std::sync::OnceLock;
use std::time::Duration;
use weftwork::runtime::Builder;

const LIMITS: Limits = Limits { max_connections: 100, idle_timeout: Some(HANG), grace: HANG };

fn charfinder(builder: Builder, limits: Limits) -> Running {
    static INDEX: OnceLock<Index> = OnceLock::new();
    let index = INDEX.get_or_init(Index::build);
    Running::start(builder, limits, |log| Charfinder::new(index, log))
}

fn two_workers() -> Builder {
    Builder::new_multi_thread().worker_threads(2)
}

fn both_flavors(test: impl Fn(Builder)) {
    test(two_workers());
    test(Builder::new_current_thread());
}

const SNOWMEN: &str = "U+2603\t☃\tSNOWMAN\r\nU+26C4\t⛄\tSNOWMAN WITHOUT SNOW\r\nU+26C7\t⛇\tBLACK SNOWMAN\r\n\
                       3 matches for 'snowman'\r\n";

#[test]
fn a_query_is_answered_with_lines_and_a_count() {
    both_flavors(|builder| {
        let server = charfinder(builder, LIMITS);
        let mut client = Client::greeted(server.address);
        assert_eq!(client.ask("snowman"), SNOWMEN);
        assert_eq!(client.ask("SNOWMAN black"), "U+26C7\t⛇\tBLACK SNOWMAN\r\n1 match for 'SNOWMAN black'\r\n");
        assert_eq!(client.ask("snowmen"), "No match for 'snowmen'\r\n");
        let chess = client.ask("chess black");
        assert!(chess.starts_with("U+265A\t♚\tBLACK CHESS KING\r\n"), "{chess}");
        assert!(chess.ends_with(&format!("{} matches for 'chess black'\r\n", chess.lines().count() - 1)), "{chess}");
        let address = client.address();
        drop(client);
        server.log.wait_for(&format!("Received from {address}: 'snowman'"));
        server.log.wait_for(&format!("Sent 3 results to {address}"));
        server.log.wait_for(&format!("Close the client socket {address}: the client left"));
        assert_eq!(server.stop(), Ended { cut_off: 0 });
    });
}

#[test]
fn lines_without_a_query_prompt_again() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    for line in ["", "  ", "\t"] {
        assert_eq!(client.ask(line), "");
    }
    assert_eq!(client.ask("snowman"), SNOWMEN);
    server.stop();
}

#[test]
fn pipelined_queries_are_answered_in_order_however_they_are_cut() {
    both_flavors(|builder| {
        let server = charfinder(builder, LIMITS);
        let queries = "snowman\r\n\r\nsnowman black\nsnowmen\r\n☃\n";
        let expected = format!(
            "{SNOWMEN}?> ?> U+26C7\t⛇\tBLACK SNOWMAN\r\n1 match for 'snowman black'\r\n?> No match for 'snowmen'\r\n\
             ?> No match for '☃'\r\n?> "
        );
        for cut in 0..=queries.len() {
            let mut client = Client::greeted(server.address);
            client.send(&queries.as_bytes()[..cut]);
            client.send(&queries.as_bytes()[cut..]);
            client.end_writing();
            assert_eq!(client.read_to_end(), expected, "cut at {cut}");
        }
        let mut client = Client::greeted(server.address);
        queries.bytes().for_each(|byte| client.send([byte]));
        client.end_writing();
        assert_eq!(client.read_to_end(), expected, "byte by byte");
        server.stop();
    });
}

#[test]
fn a_last_query_without_a_line_end_is_answered() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    client.send("snowman");
    client.end_writing();
    assert_eq!(client.read_to_end(), format!("{SNOWMEN}?> "));
    server.stop();
}

#[test]
fn bad_utf_8_is_said_and_the_dialogue_goes_on() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    // A snowman without its last byte; and one that is whole, though cut between two packets.
    client.send(b"a \xe2\x98\r\n");
    assert_eq!(client.read_answer(), "A query has to be in UTF-8.\r\n");
    client.send(b"a \xe2\x98");
    client.send(b"\x83\n");
    assert_eq!(client.read_answer(), "No match for 'a ☃'\r\n");
    assert_eq!(client.ask("snowman"), SNOWMEN);
    server.stop();
}

#[test]
fn a_line_over_the_limit_is_refused_and_the_dialogue_goes_on() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    assert!(client.ask(&"x".repeat(LINE_LIMIT_BYTES)).starts_with("No match for 'xxx"));
    assert_eq!(client.ask(&"x".repeat(LINE_LIMIT_BYTES + 1)), "A query has 64 KiB at most.\r\n");
    assert_eq!(client.ask(&"x ".repeat(10 * LINE_LIMIT_BYTES)), "A query has 64 KiB at most.\r\n");
    assert_eq!(client.ask("snowman"), SNOWMEN);
    server.stop();
}

#[test]
fn a_control_character_at_the_head_of_a_line_ends_the_dialogue() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    assert_eq!(client.ask("snow\x04man"), "No match for 'snow\\u{4}man'\r\n");
    client.send(b"\x04never read\r\n");
    assert_eq!(client.read_to_end(), "");
    server.log.wait_for(&format!("Close the client socket {}: the client quit", client.address()));
    server.stop();
}

#[test]
fn what_a_client_sends_cannot_forge_the_log() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    client.ask("a\rServer shutting down.\x1b[2J");
    assert!(server.log.wait_for("Received from").ends_with(r"'a\rServer shutting down.\u{1b}[2J'"));
    server.stop();
}

#[test]
fn many_clients_are_served_at_once() {
    both_flavors(|builder| {
        let server = charfinder(builder, LIMITS);
        let mut clients: Vec<_> = (0..50).map(|_| Client::greeted(server.address)).collect();
        for client in &mut clients {
            client.send("snowman\n");
        }
        for client in clients.iter_mut().rev() {
            assert_eq!(client.read_answer(), SNOWMEN);
        }
        server.stop();
    });
}

#[test]
fn a_client_over_the_cap_is_told_so_and_a_place_that_is_free_is_taken() {
    both_flavors(|builder| {
        let server = charfinder(builder, Limits { max_connections: 1, ..LIMITS });
        for _ in 0..3 {
            let mut first = Client::greeted(server.address);
            let mut second = Client::connect(server.address);
            assert_eq!(second.read_to_end(), "Too many connections. Try again later.\r\n");
            server.log.wait_for(&format!("No place for {}", second.address()));
            assert_eq!(first.ask("snowman"), SNOWMEN);
            first.send(b"\x04");
            // Whoever has seen the end may come again at once.
            assert_eq!(first.read_to_end(), "");
        }
        server.stop();
    });
}

#[test]
fn a_client_that_sends_no_whole_line_is_sent_away() {
    both_flavors(|builder| {
        let server = charfinder(builder, Limits { idle_timeout: Some(Duration::from_millis(50)), ..LIMITS });
        let mut silent = Client::greeted(server.address);
        assert_eq!(silent.read_to_end(), "\r\nIdle for too long.\r\n");
        let mut half = Client::connect(server.address);
        half.send("snow");
        assert_eq!(half.read_to_end(), "?> \r\nIdle for too long.\r\n");
        server.log.wait_for(&format!("Close the client socket {}: idle for too long", half.address()));
        server.stop();
    });
}

/// More than the sockets of both ends hold.
fn ask_without_reading(client: &mut Client) {
    client.send("cjk\n".repeat(12));
}

#[test]
fn a_client_that_reads_nothing_is_sent_away() {
    let server = charfinder(two_workers(), Limits { idle_timeout: Some(Duration::from_millis(200)), ..LIMITS });
    let mut client = Client::connect(server.address);
    ask_without_reading(&mut client);
    server.log.wait_for(&format!("Close the client socket {}: idle for too long", client.address()));
    server.stop();
}

#[test]
fn a_server_that_stops_sends_idle_clients_away_and_takes_no_new_ones() {
    both_flavors(|builder| {
        let server = charfinder(builder, LIMITS);
        let address = server.address;
        let mut client = Client::greeted(address);
        server.stop.set();
        assert_eq!(client.read_to_end(), "\r\nThe server shuts down.\r\n");
        server.log.wait_for(&format!("Close the client socket {}: the server shuts down", client.address()));
        assert_eq!(server.stop(), Ended { cut_off: 0 });
        assert!(std::net::TcpStream::connect(address).is_err());
    });
}

#[test]
fn an_answer_that_was_begun_is_finished_while_the_server_stops() {
    both_flavors(|builder| {
        let server = charfinder(builder, LIMITS);
        let mut client = Client::greeted(server.address);
        ask_without_reading(&mut client);
        server.log.wait_for("Received from");
        server.stop.set();
        server.log.wait_for("Waiting for 1 to finish");
        let answers = client.read_to_end();
        assert!(answers.ends_with(" matches for 'cjk'\r\n?> \r\nThe server shuts down.\r\n"));
        assert_eq!(answers.matches("'cjk'\r\n").count(), 12);
        assert_eq!(server.stop(), Ended { cut_off: 0 });
    });
}

#[test]
fn a_line_that_was_begun_may_be_finished_while_the_server_stops() {
    let server = charfinder(two_workers(), LIMITS);
    let mut client = Client::greeted(server.address);
    // One packet: when the first line is answered, the server has the beginning of the second.
    client.send("snowman\nsnow");
    assert_eq!(client.read_answer(), SNOWMEN);
    server.stop.set();
    server.log.wait_for("Waiting for 1 to finish");
    client.send("man\n");
    assert_eq!(client.read_answer(), SNOWMEN);
    assert_eq!(client.read_to_end(), "\r\nThe server shuts down.\r\n");
    assert_eq!(server.stop(), Ended { cut_off: 0 });
}

#[test]
fn a_client_that_does_not_finish_is_cut_off_when_the_grace_is_over() {
    both_flavors(|builder| {
        let server = charfinder(builder, Limits { grace: Duration::from_millis(50), ..LIMITS });
        let mut client = Client::greeted(server.address);
        ask_without_reading(&mut client);
        server.log.wait_for("Received from");
        server.stop.set();
        server.log.wait_for(&format!("Close the client socket {}: cut off", client.address()));
        assert_eq!(server.stop(), Ended { cut_off: 1 });
    });
}

#[test]
fn echo_sends_back_what_it_gets() {
    both_flavors(|builder| {
        let server = Running::start(builder, LIMITS, |_| Echo);
        let mut client = Client::connect(server.address);
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        client.send(&bytes);
        assert_eq!(client.read_exactly(bytes.len()), bytes);
        client.send("more\n");
        client.end_writing();
        assert_eq!(client.read_to_end(), "more\n");
        assert_eq!(server.stop(), Ended { cut_off: 0 });
    });
}

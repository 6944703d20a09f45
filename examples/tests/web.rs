//! The page of charfinder inside this process, by real sockets: what is answered, what is refused, and the end.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

mod harness;

use examples::index::Index;
use examples::server::{Ended, Limits};
use examples::web::{BODY_LIMIT_BYTES, TARGET_LIMIT_BYTES, Web, WebLimits};
use harness::running::Running;
use harness::{Client, HANG};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use weftwork::runtime::Builder;
use weftwork::testing::ManualClock;

const LIMITS: Limits = Limits { max_connections: 100, idle_timeout: Some(HANG), grace: HANG };
const WEB_LIMITS: WebLimits = WebLimits { head_timeout: HANG, request_timeout: HANG };

fn web(builder: Builder, limits: Limits, web_limits: WebLimits) -> Running {
    static INDEX: OnceLock<Index> = OnceLock::new();
    let index = INDEX.get_or_init(Index::build);
    Running::start(builder, limits, move |log| Web::new(index, web_limits, log))
}

fn two_workers() -> Builder {
    Builder::new_multi_thread().worker_threads(2)
}

fn both_flavors(test: impl Fn(Builder)) {
    test(two_workers());
    test(Builder::new_current_thread());
}

/// An answer, read whole.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The cells of the table's rows.
    fn rows(&self) -> Vec<[&str; 3]> {
        self.body
            .lines()
            .filter(|line| line.starts_with("<tr><td>"))
            .map(|row| {
                let row = row.trim_start_matches("<tr><td>").trim_end_matches("</td></tr>");
                let (code, rest) = row.split_once("</td><td class=\"character\"><bdi>").expect("three cells");
                let (character, name) = rest.split_once("</bdi></td><td>").expect("three cells");
                [code, character, name]
            })
            .collect()
    }

    fn says(&self) -> &str {
        let (_, behind) = self.body.split_once("aria-live=\"polite\">").expect("a page has a status");
        behind.split_once("</p>").expect("it ends").0
    }
}

trait Browser {
    fn read(&mut self) -> Answer;
    fn get(&mut self, target: &str) -> Answer;
}

impl Browser for Client {
    fn read(&mut self) -> Answer {
        let head = self.read_head();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        let mut answer = Answer { status, head, body: String::new() };
        if let Some(length) = answer.header("content-length") {
            let body = self.read_exactly(length.parse().expect("a number"));
            answer.body = String::from_utf8(body).expect("answers are UTF-8");
        }
        answer
    }

    fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        self.read()
    }
}

#[test]
fn a_query_is_answered_by_a_table() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        let answer = client.get("/?query=snowman");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(
            answer.rows(),
            [["U+2603", "☃", "SNOWMAN"], ["U+26C4", "⛄", "SNOWMAN WITHOUT SNOW"], ["U+26C7", "⛇", "BLACK SNOWMAN"]]
        );
        assert_eq!(answer.says(), "3 matches for &#39;snowman&#39;");
        assert_eq!(client.get("/?query=black%20SNOWMAN").says(), "1 match for &#39;black SNOWMAN&#39;");
        assert_eq!(client.get("/?query=snowmen").says(), "No match for &#39;snowmen&#39;");
        for target in ["/", "/?", "/?query=", "/?query=+"] {
            let answer = client.get(target);
            assert_eq!((answer.status, answer.rows().len()), (200, 0), "{target}");
        }
        let address = client.address();
        drop(client);
        server.log.wait_for(&format!("Connected from {address}"));
        server.log.wait_for(&format!("Received from {address}: 'snowman'"));
        server.log.wait_for(&format!("Sent 3 results to {address}"));
        server.log.wait_for(&format!("Close the client socket {address}: the client left"));
        assert_eq!(server.stop(), Ended { cut_off: 0 });
    });
}

#[test]
fn what_is_much_comes_in_pages_and_from_a_thread_of_its_own() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        let (first, second) = (client.get("/?query=cjk"), client.get("/?query=cjk&page=2"));
        assert_eq!((first.rows().len(), second.rows().len()), (200, 200));
        assert!(first.rows().last().unwrap()[0] < second.rows()[0][0]);
        assert!(second.says().ends_with("matches for &#39;cjk&#39;, 201 to 400 shown"), "{}", second.says());
        assert!(second.body.contains("href=\"/?query=cjk&amp;page=3\""));
        let behind = client.get("/?query=cjk&page=100000");
        assert_eq!((behind.status, behind.rows().len()), (404, 0));
        assert_eq!(client.get("/?query=cjk&page=99999999999999999999").status, 400);
        server.stop();
    });
}

#[test]
fn what_is_asked_is_shown_as_text() {
    let server = web(two_workers(), LIMITS, WEB_LIMITS);
    let mut client = Client::connect(server.address);
    let answer = client.get("/?query=%22%3E%3Cscript%3Ealert%28%271%27%29%3C%2Fscript%3E&page=1");
    assert!(!answer.body.contains("<script"));
    assert!(answer.body.contains("value=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\""));
    // Neither can it forge the log, nor a header.
    client.get("/?query=a%0D%0AServer+shutting+down.");
    server.log.wait_for("Received from");
    assert!(server.log.wait_for("Received from").ends_with(r"'a\r\nServer shutting down.'"));
    assert!(client.get("/nowhere%0d%0aX:y").header("X").is_none());
    server.stop();
}

#[test]
fn every_answer_tells_the_browser_what_not_to_do() {
    let server = web(two_workers(), LIMITS, WEB_LIMITS);
    let mut client = Client::connect(server.address);
    for (target, status, kind) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/style.css?0", 200, "text/css; charset=utf-8"),
        ("/icon.svg", 200, "image/svg+xml"),
        ("/healthz", 200, "text/plain; charset=utf-8"),
        ("/nowhere", 404, "text/html; charset=utf-8"),
        ("/?query=%ff", 400, "text/html; charset=utf-8"),
    ] {
        let answer = client.get(target);
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(kind)), "{target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").expect("on every answer");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    }
    server.stop();
}

#[test]
fn what_cannot_be_answered_is_refused_and_the_connection_goes_on() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        for (target, status) in
            [("/nowhere", 404), ("//", 404), ("/?query=%e2%98", 400), ("/?page=0", 400), ("/?query=a&page=two", 400)]
        {
            assert_eq!(client.get(target).status, status, "{target}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "MADE-UP"] {
            client.send(format!("{method} / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"));
            let answer = client.read();
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
        }
        // In pieces too, and what is left of it does not become a request.
        client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send("5\r\nhello\r\n");
        client.send("0\r\n\r\n");
        assert_eq!(client.read().status, 405);
        assert_eq!(client.get("/healthz").body, "ok\n");
        server.stop();
    });
}

#[test]
fn head_is_get_without_the_body() {
    let server = web(two_workers(), LIMITS, WEB_LIMITS);
    let mut client = Client::connect(server.address);
    let got = client.get("/?query=snowman");
    client.send("HEAD /?query=snowman HTTP/1.1\r\nHost: test\r\n\r\n");
    let head = client.read_head();
    let without_date =
        |head: &str| head.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_date(&head), without_date(&got.head));
    // Nothing came behind it.
    assert_eq!(client.get("/healthz").status, 200);
    server.stop();
}

#[test]
fn a_target_or_a_head_over_its_limit_is_refused() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let prefix = "/?query=";
        let target = |bytes: usize| format!("{prefix}{}", "x".repeat(bytes - prefix.len()));
        let mut client = Client::connect(server.address);
        assert_eq!(client.get(&target(TARGET_LIMIT_BYTES)).status, 200);
        assert_eq!(client.get(&target(TARGET_LIMIT_BYTES + 1)).status, 414);
        assert_eq!(client.read_to_end(), "");
        server.log.wait_for(&format!("Close the client socket {}: refused: 414", client.address()));
        let mut client = Client::connect(server.address);
        assert_eq!(client.get(&target(100_000)).status, 431);
        assert_eq!(client.read_to_end(), "");
        for header in [format!("X: {}\r\n", "x".repeat(100_000)), "X: y\r\n".repeat(1000)] {
            let mut client = Client::connect(server.address);
            client.send(format!("GET / HTTP/1.1\r\nHost: test\r\n{header}\r\n"));
            assert_eq!(client.read().status, 431);
            assert_eq!(client.read_to_end(), "");
        }
        server.stop();
    });
}

#[test]
fn headers_without_end_are_refused_and_take_no_memory() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut reads = TcpStream::connect(server.address).unwrap();
        reads.set_read_timeout(Some(HANG)).unwrap();
        reads.set_write_timeout(Some(HANG)).unwrap();
        let mut writes = reads.try_clone().unwrap();
        let sender = std::thread::spawn(move || {
            writes.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n").unwrap();
            let piece = "X-And-On: and on\r\n".repeat(1000);
            // A gigabyte is more than a server takes that has bounds; it hangs up first.
            (0..(1 << 30) / piece.len()).find(|_| writes.write_all(piece.as_bytes()).is_err()).map(|n| n * piece.len())
        });
        let mut answer = [0; 12];
        reads.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
        let taken = sender.join().unwrap().expect("the server hangs up");
        assert!(taken < 64 << 20, "{taken} bytes were taken");
        server.log.wait_for("Close the client socket");
        assert_eq!(Client::connect(server.address).get("/healthz").status, 200);
        server.stop();
    });
}

#[test]
fn a_body_over_its_limit_is_refused_however_its_length_is_told() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        client.send(format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {BODY_LIMIT_BYTES}\r\n\r\n"));
        client.send(vec![b'x'; BODY_LIMIT_BYTES]);
        assert_eq!(client.read().status, 405);
        client.send(format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", BODY_LIMIT_BYTES + 1));
        // It need not be sent to be refused.
        assert_eq!(client.read().status, 413);
        client.end_writing();
        assert_eq!(client.read_to_end(), "");
        let mut client = Client::connect(server.address);
        client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        client.send(chunk.repeat(BODY_LIMIT_BYTES / 0x1000 + 1));
        let answer = client.read();
        assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
        server.stop();
    });
}

#[test]
fn what_is_no_http_is_refused_and_the_connection_ends() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        for garbage in [
            &b"garbage\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client",
            b"GET / HTTP/1.1\r\nHost: test\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ] {
            let mut client = Client::connect(server.address);
            client.send(garbage);
            assert_eq!(client.read().status, 400, "{}", String::from_utf8_lossy(garbage));
            assert_eq!(client.read_to_end(), "");
            let address = client.address();
            // Until the client ends its side too, the server takes what it still sends.
            drop(client);
            server.log.wait_for(&format!("Close the client socket {address}: refused: "));
        }
        server.stop();
    });
}

#[test]
fn a_connection_is_kept_for_as_many_requests_as_are_wanted() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        assert_eq!(client.get("/?query=snowman").rows().len(), 3);
        assert_eq!(client.get("/healthz").body, "ok\n");
        // Two in one packet, and one byte by byte.
        client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));
        assert_eq!([client.read().status, client.read().status], [200, 200]);
        for byte in b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" {
            client.send([*byte]);
        }
        assert_eq!(client.read().status, 200);
        client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(client.read().header("connection"), Some("close"));
        assert_eq!(client.read_to_end(), "");
        let mut old = Client::connect(server.address);
        old.send("GET /healthz HTTP/1.0\r\n\r\n");
        assert!(old.read_to_end().ends_with("\r\n\r\nok\n"));
        server.stop();
    });
}

#[test]
fn who_has_asked_and_ended_its_side_is_answered() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        client.send("GET /?query=cjk HTTP/1.1\r\nHost: test\r\n\r\n");
        client.end_writing();
        assert_eq!(client.read().rows().len(), 200);
        assert_eq!(client.read_to_end(), "");
        server.stop();
    });
}

#[test]
fn a_client_over_the_cap_is_told_so_in_http() {
    both_flavors(|builder| {
        let server = web(builder, Limits { max_connections: 1, ..LIMITS }, WEB_LIMITS);
        let mut first = Client::connect(server.address);
        assert_eq!(first.get("/healthz").status, 200);
        let mut second = Client::connect(server.address);
        let answer = second.read();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
        assert_eq!(answer.body, "Too many connections. Try again later.\r\n");
        assert_eq!(second.read_to_end(), "");
        assert_eq!(first.get("/healthz").status, 200);
        server.stop();
    });
}

/// Moves a clock on and on, as long as it lives.
struct Ticking(Arc<AtomicBool>);

impl Ticking {
    fn new(clock: &ManualClock) -> Self {
        let (clock, over) = (clock.clone(), Arc::new(AtomicBool::new(false)));
        let theirs = over.clone();
        std::thread::spawn(move || {
            while !theirs.load(Ordering::Relaxed) {
                clock.advance(Duration::from_millis(100));
                std::thread::yield_now();
            }
        });
        Self(over)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_head_that_takes_too_long_is_refused() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        // Without an idle timeout only the head's own can end it.
        let server = web(builder.clock(&clock), Limits { idle_timeout: None, ..LIMITS }, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        client.send("GET / HTTP/1.1\r\nHost: te");
        let _ticking = Ticking::new(&clock);
        assert_eq!(client.read().status, 408);
        assert_eq!(client.read_to_end(), "");
        server.log.wait_for(&format!("Close the client socket {}: too slow", client.address()));
        server.stop();
    });
}

#[test]
fn a_body_that_takes_too_long_is_refused() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        let server = web(builder.clock(&clock), Limits { idle_timeout: None, ..LIMITS }, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        assert!(client.read_head().starts_with("HTTP/1.1 100 "));
        client.send("hell");
        let _ticking = Ticking::new(&clock);
        assert_eq!(client.read().status, 408);
        assert_eq!(client.read_to_end(), "");
        server.stop();
    });
}

#[test]
fn a_connection_that_is_kept_and_silent_ends_without_a_word() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        let server = web(builder.clock(&clock), LIMITS, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        assert_eq!(client.get("/healthz").status, 200);
        let _ticking = Ticking::new(&clock);
        assert_eq!(client.read_to_end(), "");
        server.log.wait_for(&format!("Close the client socket {}: idle for too long", client.address()));
        server.stop();
    });
}

#[test]
fn a_client_that_reads_nothing_is_sent_away() {
    let limits = Limits { idle_timeout: Some(Duration::from_millis(200)), ..LIMITS };
    let server = web(two_workers(), limits, WEB_LIMITS);
    let mut client = Client::connect(server.address);
    // More than the sockets of both ends hold.
    client.send("GET /?query=cjk HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000));
    server.log.wait_for(&format!("Close the client socket {}: idle for too long", client.address()));
    server.stop();
}

#[test]
fn a_server_that_stops_ends_silent_connections_and_answers_what_was_asked() {
    both_flavors(|builder| {
        let server = web(builder, LIMITS, WEB_LIMITS);
        let mut fresh = Client::connect(server.address);
        let mut kept = Client::connect(server.address);
        assert_eq!(kept.get("/healthz").header("connection"), None);
        let mut asking = Client::connect(server.address);
        asking.send("GET /?query=snowman HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        assert!(asking.read_head().starts_with("HTTP/1.1 100 "));
        server.stop.set();
        assert_eq!((fresh.read_to_end(), kept.read_to_end()), (String::new(), String::new()));
        server.log.wait_for(&format!("Close the client socket {}: the server shuts down", kept.address()));
        asking.send("hello");
        let answer = asking.read();
        assert_eq!((answer.rows().len(), answer.header("connection")), (3, Some("close")));
        assert_eq!(asking.read_to_end(), "");
        assert_eq!(server.stop(), Ended { cut_off: 0 });
    });
}

#[test]
fn a_request_that_does_not_finish_is_cut_off_when_the_grace_is_over() {
    both_flavors(|builder| {
        let server = web(builder, Limits { grace: Duration::from_millis(50), ..LIMITS }, WEB_LIMITS);
        let mut client = Client::connect(server.address);
        client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        assert!(client.read_head().starts_with("HTTP/1.1 100 "));
        server.stop.set();
        server.log.wait_for(&format!("Close the client socket {}: cut off", client.address()));
        assert_eq!(server.stop(), Ended { cut_off: 1 });
    });
}

//! Clients of the page that begin requests and never end them, or that speak no HTTP.

use crate::asking::PATIENCE;
use crate::noise::{Noise, shout};
use crate::scene::{MIB, Scene, Stage, Told, mebibytes, together, told};
use futures::future::{Either, join_all, select};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use weftwork::JoinHandle;
use weftwork::net::TcpStream;
use weftwork::time::{Instant, timeout};

pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "long-head",
        what: "{clients} clients of the page send headers without end, as fast as they are taken",
        clients: (100, 20),
        flags: &[],
        rounds: 2,
        // A head at its limit for each, read and parsed.
        growth_bytes: 16 * MIB,
        act: long_head,
    },
    Scene {
        name: "long-body",
        what: "{clients} clients of the page send a body of 1 GB, half of them in chunks",
        clients: (100, 20),
        flags: &[],
        rounds: 2,
        growth_bytes: 16 * MIB,
        act: long_body,
    },
    Scene {
        name: "garbage-page",
        what: "{clients} clients of the page send 256 KiB of noise each, some after a beginning of TLS",
        clients: (200, 20),
        flags: &[],
        rounds: 2,
        growth_bytes: 16 * MIB,
        act: garbage,
    },
];

const HEAD: &[u8] = b"GET /?query=snowman HTTP/1.1\r\nHost: localhost\r\n";
/// A server may take what the sockets of both ends hold, and what it reads to let its answer arrive.
const MOST_TAKEN: u64 = 64 * MIB;
const GIGABYTE: u64 = 1 << 30;

/// What a client of the page was told, and what it had sent by then.
struct Ended {
    status: String,
    sent: u64,
    after: Duration,
}

/// Sends the beginning, and then the same again and again, up to `most` bytes, until the server answers or ends it.
async fn flood(page: SocketAddr, beginning: &'static [u8], again: &'static [u8], most: u64) -> io::Result<Ended> {
    let start = Instant::now();
    let mut stream = TcpStream::connect(page).await?;
    let (mut reading, mut writing) = stream.split();
    let mut sent = 0;
    let write = async {
        writing.write_all(beginning).await?;
        while sent < most {
            writing.write_all(again).await?;
            sent += again.len() as u64;
        }
        io::Result::Ok(())
    };
    let read = async {
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match reading.read(&mut buffer).await {
                Ok(0) => break answer,
                // A reset behind an answer has not taken the answer away.
                Err(_) => break answer,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
        }
    };
    let mut read = pin!(read);
    let answer = match select(pin!(write), read.as_mut()).await {
        // It takes no more, or has all: what it says is what counts.
        Either::Left((_, read)) => read.await,
        Either::Right((answer, _)) => answer,
    };
    Ok(Ended { status: first_line(&answer), sent, after: start.elapsed() })
}

fn first_line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).lines().next().unwrap_or("nothing").to_owned()
}

/// What all of them were told, how often each; fails if one was told something that is not wanted.
fn statuses<'a>(told: impl Iterator<Item = &'a str>, wanted: &[&str]) -> Result<String, String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for status in told {
        *counts.entry(status).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|(status, count)| format!("{count} x {status:?}")).collect();
    let is_wanted = |status: &&str| wanted.iter().any(|wanted| status.split(' ').nth(1) == Some(wanted));
    match counts.keys().all(is_wanted) {
        true => Ok(told.join(", ")),
        false => Err(format!("they were told {}", told.join(", "))),
    }
}

fn summary(ends: Vec<io::Result<Ended>>, wanted: &[&str]) -> Told {
    let ends = ends.into_iter().collect::<io::Result<Vec<Ended>>>().map_err(told)?;
    let most = ends.iter().map(|end| end.sent).max().unwrap_or(0);
    let first = ends.iter().map(|end| end.after).min().unwrap_or_default();
    let last = ends.iter().map(|end| end.after).max().unwrap_or_default();
    if most > MOST_TAKEN {
        return Err(format!("the server took {} of a request that it should refuse", mebibytes(most)));
    }
    Ok(vec![
        format!("they were told {}", statuses(ends.iter().map(|end| end.status.as_str()), wanted)?),
        format!("{first:.1?} to {last:.1?} after the beginning, with {} of it sent at most", mebibytes(most)),
    ])
}

fn long_head(stage: &Stage<'_>) -> Told {
    const HEADER: &[u8] = b"X-Header-Without-End: and there is more where this one comes from\r\n";
    let page = stage.server.page;
    together(async {
        let client = |_| weftwork::spawn(flood(page, HEAD, HEADER, GIGABYTE));
        summary(ends_of((0..stage.clients).map(client)).await?, &["431"])
    })?
}

fn long_body(stage: &Stage<'_>) -> Told {
    const SIZED: &[u8] = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n";
    const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    // A chunk; where nobody looks for chunks, a part of the body.
    const PIECE: &[u8] = b"20\r\nnothing that anybody asked about\r\n";
    let page = stage.server.page;
    together(async {
        let client = |number: usize| {
            let head = if number.is_multiple_of(2) { SIZED } else { CHUNKED };
            weftwork::spawn(flood(page, head, PIECE, GIGABYTE))
        };
        summary(ends_of((0..stage.clients).map(client)).await?, &["413"])
    })?
}

async fn ends_of(
    clients: impl IntoIterator<Item = JoinHandle<io::Result<Ended>>>,
) -> Result<Vec<io::Result<Ended>>, String> {
    let clients: Vec<_> = clients.into_iter().collect();
    let ends = timeout(PATIENCE, join_all(clients)).await.map_err(|_| "they were let stay")?;
    ends.into_iter().map(|end| end.map_err(|error| error.to_string())).collect()
}

fn garbage(stage: &Stage<'_>) -> Told {
    /// A beginning of TLS, as from a browser that takes the page for another.
    const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    const BEGINNINGS: [&[u8]; 4] = [b"", HELLO, b"\0", b"GET / HTTP/9.9\r\n\r\n"];
    let page = stage.server.page;
    together(async {
        let client = |seed: usize| {
            let beginning = BEGINNINGS[seed % BEGINNINGS.len()];
            weftwork::spawn(shout(page, Noise::Any, seed as u64, beginning))
        };
        let all = timeout(PATIENCE, join_all((0..stage.clients).map(client)));
        let all = all.await.map_err(|_| "the noise was not taken in time")?;
        let answers = all.into_iter().map(|said| said.map_err(|error| error.to_string())?.map_err(told));
        let answers = answers.collect::<Result<Vec<_>, String>>()?;
        let told: Vec<String> = answers.iter().map(|answer| first_line(answer)).collect();
        Ok(vec![format!("they were told {}", statuses(told.iter().map(String::as_str), &["400"])?)])
    })?
}

//! Clients that come and go: thousands at once, thousands in a row, and with a reset.

use crate::asking::{self, PATIENCE, get};
use crate::scene::{MIB, Scene, Stage, Told, together, told};
use futures::StreamExt as _;
use futures::stream;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use weftwork::net::TcpStream;
use weftwork::time::{Instant, sleep, timeout};

pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "connect-close",
        what: "{clients} clients connect and go at once, to lines and page, each other one with a reset",
        clients: (10_000, 1_000),
        flags: &[],
        rounds: 2,
        // Some thousands that came and went while the server was not looking are accepted before the first is served.
        growth_bytes: 48 * MIB,
        act: connect_and_close,
    },
    Scene {
        name: "reset",
        what: "{clients} clients reset their connection, within an answer or within a request",
        clients: (2_000, 200),
        flags: &[],
        rounds: 2,
        growth_bytes: 32 * MIB,
        act: reset,
    },
    Scene {
        name: "backlog",
        what: "{clients} clients come while the server stands still for 2 s: more than its backlog holds",
        clients: (6_000, 5_000),
        flags: &[],
        rounds: 1,
        growth_bytes: 96 * MIB,
        act: backlog,
    },
    Scene {
        name: "full-house",
        what: "{clients} clients have all the places, and three times as many come besides",
        clients: (200, 50),
        // Those who behave have one, each where it is.
        flags: &[("--max-connections", "201", "51")],
        rounds: 2,
        growth_bytes: 8 * MIB,
        act: full_house,
    },
];

/// Clients at the same time, where they come in a row.
const AT_ONCE: usize = 64;
/// How long a client waits for the first word before it comes again.
const GREETED_WITHIN: Duration = Duration::from_secs(5);

fn connect_and_close(stage: &Stage<'_>) -> Told {
    let places = [stage.server.lines, stage.server.page];
    let visit = async |number: usize| -> io::Result<()> {
        let stream = TcpStream::connect(places[number / 2 % 2]).await?;
        if !number.is_multiple_of(2) {
            stream.set_linger(Some(Duration::ZERO))?;
        }
        Ok(())
    };
    together(async {
        let start = Instant::now();
        let visits = stream::iter((0..stage.clients).map(visit)).buffer_unordered(AT_ONCE);
        let came = visits.filter(|visit| std::future::ready(visit.is_ok())).count().await;
        let took = start.elapsed();
        if came < stage.clients {
            return Err(format!("only {came} of {} could connect", stage.clients));
        }
        Ok(vec![format!("all could connect, within {took:.1?}: {:.0} a second", came as f64 / took.as_secs_f64())])
    })?
}

/// Comes, asks and has its answer, over however many connections it takes; says how many, how long, and whether it is right.
///
/// Where the system answers a flood with cookies and then finds the backlog full, the client has a connection of which the
/// server knows nothing (tcp(7), tcp_syncookies). Nobody tells it, so it has to lose its patience.
async fn visit(server: SocketAddr, expected: Vec<u8>) -> io::Result<(u32, Duration, bool)> {
    let start = Instant::now();
    let mut came = 1;
    loop {
        let stream = TcpStream::connect(server).await?;
        let mut prompt = [0; asking::PROMPT.len()];
        match timeout(GREETED_WITHIN, stream.read_exact(&mut prompt)).await {
            Ok(read) => read?,
            Err(_) => {
                came += 1;
                continue;
            }
        }
        stream.write_all(b"snowman\n").await?;
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).await?;
        return Ok((came, start.elapsed(), prompt == asking::PROMPT && answer == expected));
    }
}

fn backlog(stage: &Stage<'_>) -> Told {
    const STILL: Duration = Duration::from_secs(2);
    let Stage { server, clients: count, .. } = *stage;
    let address = server.lines;
    let expected = asking::ask(address, "snowman").map_err(told)?;
    let before = listen_overflows()?;
    server.process.signal("STOP")?;
    let played = together(async {
        let clients: Vec<_> =
            (0..count).map(|_| weftwork::spawn(timeout(PATIENCE, visit(address, expected.clone())))).collect();
        sleep(STILL).await;
        let overflows = listen_overflows()?.saturating_sub(before);
        server.process.signal("CONT")?;
        let (mut longest, mut again) = (Duration::ZERO, 0);
        for client in clients {
            let visit = client.await.map_err(|error| error.to_string())?;
            let (came, took, is_right) = visit.map_err(|_| "a client was not answered in time")?.map_err(told)?;
            (longest, again) = (longest.max(took), again + usize::from(came > 1));
            if !is_right {
                return Err("a client got a wrong answer".to_owned());
            }
        }
        Ok((overflows, longest, again))
    });
    // A server that stands still would not even end.
    server.process.signal("CONT")?;
    let (overflows, longest, again) = played??;
    if overflows == 0 {
        return Err("the backlog did not overflow".into());
    }
    Ok(vec![
        format!(
            "the system turned {overflows} packets away; all {count} had their answer in the end, after {longest:.1?}"
        ),
        format!("{again} of them came twice: the system had lost their connection and not told them"),
    ])
}

/// How often, on the whole machine, a connection found a backlog full.
fn listen_overflows() -> Result<u64, String> {
    let text = fs::read_to_string("/proc/net/netstat").map_err(|error| format!("/proc/net/netstat: {error}"))?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let mut pairs = names.split(' ').zip(values.split(' '));
    let found = pairs.find_map(|(name, value)| (name == "ListenOverflows").then(|| value.parse().ok()).flatten());
    found.ok_or_else(|| "/proc/net/netstat has no ListenOverflows".to_owned())
}

fn reset(stage: &Stage<'_>) -> Told {
    let (lines, page) = (stage.server.lines, stage.server.page);
    // Half a megabyte is on its way when the first two kinds go; the others are within what they ask.
    let visit = async |number: usize| -> io::Result<()> {
        let stream = TcpStream::connect(if number.is_multiple_of(2) { lines } else { page }).await?;
        match number % 4 {
            0 => stream.write_all(b"hangul\n").await?,
            1 => stream.write_all(&get("/?query=hangul").repeat(10)).await?,
            2 => stream.write_all(b"snow").await?,
            _ => stream.write_all(b"GET /?query=snow").await?,
        }
        if number % 4 < 2 {
            stream.read_exact(&mut [0; 1000]).await?;
        }
        stream.set_linger(Some(Duration::ZERO))
    };
    together(async {
        let visits = stream::iter((0..stage.clients).map(visit)).buffer_unordered(AT_ONCE);
        let visits = timeout(PATIENCE, visits.collect::<Vec<_>>()).await.map_err(|_| "the visits took too long")?;
        visits.into_iter().collect::<io::Result<Vec<()>>>().map_err(told)?;
        let each = stage.clients / 4;
        Ok(vec![format!("on lines {each} were within an answer and {each} within a line; on the page the same")])
    })?
}

fn full_house(stage: &Stage<'_>) -> Told {
    const HARK: Duration = Duration::from_secs(10);
    let places = [
        (stage.server.lines, &b"snowman\n"[..], "Too many connections. Try again later.\r\n"),
        (stage.server.page, b"", "HTTP/1.1 503 Service Unavailable\r\n"),
    ];
    together(async {
        let mut guests = Vec::new();
        for (address, _, _) in places {
            for _ in 0..stage.clients {
                guests.push(TcpStream::connect(address).await.map_err(told)?);
            }
        }
        stage.until_present(|present| present == guests.len()).await?;
        let mut turned_away = 0;
        for (address, asks, refusal) in places {
            let visit = async |_| -> io::Result<bool> {
                let stream = TcpStream::connect(address).await?;
                // It may be over before this arrives.
                let _ = stream.write_all(asks).await;
                let (mut said, mut buffer) = (Vec::new(), [0; 512]);
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    said.extend_from_slice(&buffer[..read]);
                }
                Ok(said.starts_with(refusal.as_bytes()))
            };
            let visits = stream::iter((0..3 * stage.clients).map(visit)).buffer_unordered(AT_ONCE);
            let visits = timeout(HARK, visits.collect::<Vec<_>>()).await.map_err(|_| "nobody told them to go")?;
            for was_told in visits {
                if !was_told.map_err(told)? {
                    return Err("who finds no place is not told so".into());
                }
                turned_away += 1;
            }
        }
        // Who was turned away may see the end a moment before the server has closed its own.
        stage.until_present(|present| present == guests.len()).await?;
        let guests = guests.len();
        Ok(vec![format!("{turned_away} found no place and were told so; {guests} kept theirs")])
    })?
}

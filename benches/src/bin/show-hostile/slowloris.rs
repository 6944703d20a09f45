//! Clients that hold their places with a byte now and then: what they have begun has to end in time all the same.

use crate::asking::PATIENCE;
use crate::scene::{Scene, Size, Stage, Told, judge_waiting, mebibytes, together, told};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use weftwork::net::TcpStream;
use weftwork::time::{Instant, sleep, timeout, timeout_at};

pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "slowloris-lines",
        what: "{clients} clients send a byte of a line now and then",
        clients: (5_000, 300),
        // For a whole line: its bytes do not count.
        flags: &[("--idle-timeout", "15", "4")],
        rounds: 2,
        // For each its task, its registration, its timer, and a buffer of 4 KiB to read into.
        growth_bytes: 5_000 * 10 * KIB,
        act: on_lines,
    },
    Scene {
        name: "slowloris-page",
        what: "{clients} clients of the page send a byte of a head now and then",
        clients: (5_000, 300),
        flags: &[("--head-timeout", "15", "4")],
        // A second round says little here: the workers share the clients otherwise, so that each finds less of what it freed
        // itself, and the process grows towards what each would need for all of them.
        rounds: 1,
        // For each besides hyper's state, and its two buffers of 8 KiB.
        growth_bytes: 5_000 * 28 * KIB,
        act: on_page,
    },
];

const KIB: u64 = 1024;
/// How far memory may stray while they all are there.
const FLAT: f64 = 0.05;
/// The letters, and then more of the same.
const HEAD: &[u8] = b"GET /?query=snowman HTTP/1.1";
const LINE_ENDS: [&[u8]; 2] = [b"\r\nIdle for too long.\r\n", b"HTTP/1.1 408 Request Timeout\r\n"];

fn on_lines(stage: &Stage<'_>) -> Told {
    act(stage, stage.server.lines)
}

fn on_page(stage: &Stage<'_>) -> Told {
    act(stage, stage.server.page)
}

fn act(stage: &Stage<'_>, address: SocketAddr) -> Told {
    let every = Duration::from_secs(stage.size.of(10, 1));
    together(async {
        let (start, without) = (Instant::now(), stage.server.process.sample()?.resident_bytes);
        let client = |_| weftwork::spawn(timeout(PATIENCE, trickle(address, start, every)));
        let clients: Vec<_> = (0..stage.clients).map(client).collect();
        stage.until_present(|present| present >= stage.clients).await?;
        let arrived = start.elapsed();
        if stage.size == Size::Full {
            sleep(every / 4).await;
        }
        let before = stage.server.process.sample()?.resident_bytes;
        let busy = stage.busy().await?;
        let (present, after) = (stage.present()?, stage.server.process.sample()?.resident_bytes);
        judge_waiting(busy)?;
        if after as f64 > before as f64 * (1.0 + FLAT) {
            return Err(format!("memory grew from {} to {} while they waited", mebibytes(before), mebibytes(after)));
        }
        let (mut last, mut first, mut told_so) = (Duration::ZERO, Duration::MAX, 0);
        for client in clients {
            let ended = client.await.map_err(|error| error.to_string())?.map_err(|_| "they were let stay")?;
            let (ended, told_why) = ended.map_err(told)?;
            (first, last) = (first.min(ended), last.max(ended));
            told_so += usize::from(told_why);
        }
        if present < stage.clients || told_so < stage.clients {
            let all = stage.clients;
            return Err(format!(
                "{present} of {all} were there at the same time, and {told_so} were told why they had to go"
            ));
        }
        Ok(vec![
            format!(
                "{present} were there after {arrived:.1?}, a byte every {every:?} each, and cost {:.1} KiB each; waiting \
                 for them took {:.0} % of a processor",
                after.saturating_sub(without) as f64 / (present as u64 * KIB) as f64,
                busy * 100.0
            ),
            format!("{told_so} were told why they had to go, {first:.1?} to {last:.1?} after the beginning"),
        ])
    })?
}

/// Sends a letter now and then until the server ends it; says when that was, and whether it was told why.
async fn trickle(server: SocketAddr, start: Instant, every: Duration) -> io::Result<(Duration, bool)> {
    let stream = TcpStream::connect(server).await?;
    let (mut next_letter, mut said, mut buffer) = (Instant::now(), Vec::new(), [0; 256]);
    for letter in HEAD.iter().cycle() {
        // The end may be on its way already: what was said before it is still to be read.
        let _ = stream.write_all(&[*letter]).await;
        next_letter += every;
        let read_on = async {
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => said.extend_from_slice(&buffer[..read]),
                }
            }
        };
        if timeout_at(next_letter, read_on).await.is_ok() {
            break;
        }
    }
    let told_why = LINE_ENDS.iter().any(|end| said.windows(end.len()).any(|part| part == *end));
    Ok((start.elapsed(), told_why))
}

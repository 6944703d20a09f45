//! Clients of the lines that keep to TCP and not to the dialogue: who reads nothing, who never ends a line, garbage.

use crate::asking::{PATIENCE, PROMPT};
use crate::noise::{Noise, shout};
use crate::scene::{MIB, Scene, Stage, Told, judge_waiting, mebibytes, together, told};
use futures::future::{join, join_all};
use std::io;
use std::net::SocketAddr;
use weftwork::net::TcpStream;
use weftwork::time::{Instant, timeout};

pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "slow-reader",
        what: "{clients} clients ask twelve times for 100 000 lines and read nothing",
        clients: (100, 20),
        flags: &[("--idle-timeout", "5", "2")],
        rounds: 3,
        // A piece of an answer each, and none of what is still to be found.
        growth_bytes: 16 * MIB,
        act: slow_reader,
    },
    Scene {
        name: "long-line",
        what: "{clients} client sends a line of 1 GB",
        clients: (1, 1),
        flags: &[],
        rounds: 2,
        growth_bytes: 2 * MIB,
        act: long_line,
    },
    Scene {
        name: "garbage",
        what: "{clients} clients send 256 KiB of noise each as lines",
        clients: (200, 20),
        flags: &[],
        rounds: 2,
        growth_bytes: 32 * MIB,
        act: garbage,
    },
];

/// Asks for more than the sockets of both ends hold.
async fn ask_for_all(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    stream.write_all("cjk\n".repeat(12).as_bytes()).await?;
    Ok(stream)
}

/// Reads to the end: how much there was, and whether it ended by a reset.
async fn drain(stream: &TcpStream) -> (u64, bool) {
    let (mut bytes, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return (bytes, false),
            Ok(read) => bytes += read as u64,
            Err(_) => return (bytes, true),
        }
    }
}

fn slow_reader(stage: &Stage<'_>) -> Told {
    together(async {
        let start = Instant::now();
        let clients = join_all((0..stage.clients).map(|_| ask_for_all(stage.server.lines))).await;
        let clients: Vec<_> = clients.into_iter().collect::<io::Result<_>>().map_err(told)?;
        // Until the sockets are full there is something to do; who is let go is done with.
        let (mut waiting, mut full) = (stage.busy().await?, start.elapsed());
        while judge_waiting(waiting).is_err() && stage.present()? > 0 {
            (waiting, full) = (stage.busy().await?, start.elapsed());
        }
        judge_waiting(waiting)?;
        stage.until_present(|present| present == 0).await?;
        let gone = start.elapsed();
        let ends = join_all(clients.iter().map(drain)).await;
        let most = ends.iter().map(|(bytes, _)| *bytes).max().unwrap_or(0);
        let reset = ends.iter().filter(|(_, reset)| *reset).count();
        Ok(vec![
            format!(
                "after {full:.1?} all sockets were full, and the server used {:.0} % of a processor",
                waiting * 100.0
            ),
            format!(
                "all were let go after {gone:.1?}; read then, they held {} at most ({reset} were reset)",
                mebibytes(most)
            ),
        ])
    })?
}

fn long_line(stage: &Stage<'_>) -> Told {
    const PIECES: usize = 1024;
    let piece = vec![b'x'; MIB as usize];
    together(async {
        let start = Instant::now();
        let mut stream = TcpStream::connect(stage.server.lines).await.map_err(told)?;
        let (mut reading, mut writing) = stream.split();
        let write = async {
            for _ in 0..PIECES {
                writing.write_all(&piece).await?;
            }
            writing.write_all(b"\nsnowman\n\x04").await
        };
        let read = async {
            let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
            loop {
                match reading.read(&mut buffer).await? {
                    0 => return io::Result::Ok(text),
                    read => text.extend_from_slice(&buffer[..read]),
                }
            }
        };
        let (written, text) =
            timeout(PATIENCE, join(write, read)).await.map_err(|_| "the line was not taken in time")?;
        written.map_err(told)?;
        let text = String::from_utf8(text.map_err(told)?).map_err(|error| error.to_string())?;
        let took = start.elapsed();
        let (refusal, rest) = text.split_once("\r\n?> ").ok_or_else(|| format!("it only said {text:?}"))?;
        if refusal != "?> A query has 64 KiB at most." || !rest.ends_with("3 matches for 'snowman'\r\n?> ") {
            return Err(format!("it said {text:?}"));
        }
        let rate = mebibytes((PIECES as f64 * MIB as f64 / took.as_secs_f64()) as u64);
        Ok(vec![
            format!("the server said once {:?}, dropped the rest in {took:.1?} ({rate} a second),", &refusal[3..]),
            "and answered the next line of the same connection".to_owned(),
        ])
    })?
}

fn garbage(stage: &Stage<'_>) -> Told {
    let address = stage.server.lines;
    // Every other client's noise has no line that begins with a control character, which would be the end of it.
    let client = |seed: usize| {
        let kind = if seed.is_multiple_of(2) { Noise::WithoutControl } else { Noise::Any };
        weftwork::spawn(shout(address, kind, seed as u64, b""))
    };
    together(async {
        let all = timeout(PATIENCE, join_all((0..stage.clients).map(client)))
            .await
            .map_err(|_| "the noise was not taken in time")?;
        let answers = all.into_iter().map(|said| said.map_err(|error| error.to_string())?.map_err(told));
        let answers = answers.collect::<Result<Vec<_>, String>>()?;
        let lengths = || answers.iter().map(Vec::len);
        let (least, most) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
        if !answers.iter().all(|answer| answer.starts_with(PROMPT)) {
            return Err("not every client was greeted".into());
        }
        Ok(vec![format!("every client was answered ({least} to {most} bytes) up to the end of its connection")])
    })?
}

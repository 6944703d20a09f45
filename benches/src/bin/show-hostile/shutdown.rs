//! The end of a server that is under load: whoever was answered in part is answered to the end, and the rest are refused.
//!
//! Clients ask on lines and on the page as fast as they are answered, most over one connection, some over a new one for
//! each question; then comes Ctrl-C. Fails if one of them was refused before it, if an answer is wrong or cut off, if
//! somebody is left without an end, or if the server does not exit with 0 within its grace. Refused is whose connection
//! ends, or cannot be made, before the first byte of an answer: such a client can ask elsewhere.

use crate::asking::{self, PATIENCE, get};
use crate::scene::{Size, together};
use examples::load::http::HttpAnswer;
use futures::future::join_all;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use weftwork::net::TcpStream;
use weftwork::time::{Instant, sleep, timeout};
use weftwork_benches::charfinder::Charfinder;

pub(crate) const NAME: &str = "shutdown";

/// charfinder's, unless told otherwise.
const GRACE: Duration = Duration::from_secs(5);
const CLIENTS: (usize, usize) = (300, 60);
/// Every so manieth comes anew for each question.
const COMES_ANEW: usize = 3;
/// Every so manieth answer has half a megabyte.
const LONG: usize = 16;
const LINES_PARTING: &[u8] = b"\r\nThe server shuts down.\r\n";

pub(crate) fn title(size: Size) -> String {
    let clients = size.of(CLIENTS.0, CLIENTS.1);
    format!("{NAME}: Ctrl-C while {clients} clients ask, half of them on the page")
}

pub(crate) fn play(size: Size) -> Result<(), String> {
    for flavor in ["multi_thread", "current_thread"] {
        for _ in 0..size.of(3, 1) {
            round(size, flavor)?;
        }
    }
    Ok(())
}

fn round(size: Size, flavor: &str) -> Result<(), String> {
    let server = Charfinder::start(&["--flavor", flavor])?;
    let told = |error: io::Error| format!("before the load: {error}");
    let script = Arc::new(Script {
        lines: server.lines,
        page: server.page,
        questions: ["chess black", "hangul"].map(|query| format!("{query}\n").into_bytes()),
        answers: [asking::ask(server.lines, "chess black"), asking::ask(server.lines, "hangul")]
            .map(|answer| answer.map_err(told)),
        interrupted: OnceLock::new(),
    });
    if let Some(Err(why)) = script.answers.iter().find(|answer| answer.is_err()) {
        return Err(why.clone());
    }
    let Charfinder { process, .. } = server;
    let (took, counts) = together(async {
        let client = |at| weftwork::spawn(timeout(PATIENCE, attend(script.clone(), at)));
        let clients: Vec<_> = (0..size.of(CLIENTS.0, CLIENTS.1)).map(client).collect();
        sleep(Duration::from_millis(size.of(1500, 500))).await;
        let interrupted = *script.interrupted.get_or_init(Instant::now);
        // The wait for the process looks every few milliseconds, on a thread where it disturbs nobody.
        let stopped = weftwork::to_thread(move || process.stop()).await;
        stopped.map_err(|error| error.to_string())??;
        let took = interrupted.elapsed();
        let mut all = Counts::default();
        for client in join_all(clients).await {
            let counts =
                client.map_err(|error| error.to_string())?.map_err(|_| "a client was left without an end")??;
            all.add(&counts);
        }
        Ok::<_, String>((took, all))
    })??;
    println!("  {flavor}: exit code 0 after {}; {counts}", examples::load::report::brief(took));
    if took > GRACE {
        return Err(format!("it took longer than its grace of {GRACE:?}"));
    }
    if counts.answered_after == 0 {
        return Err("nothing was under way when it came".into());
    }
    Ok(())
}

/// What all clients know.
struct Script {
    lines: SocketAddr,
    page: SocketAddr,
    questions: [Vec<u8>; 2],
    answers: [Result<Vec<u8>, String>; 2],
    interrupted: OnceLock<Instant>,
}

/// What became of the questions of a client, or of all.
#[derive(Default)]
struct Counts {
    answered: usize,
    /// Of those, how many after the interrupt.
    answered_after: usize,
    /// Ended before an answer, in order.
    ended: usize,
    /// Ended before an answer, by a reset.
    reset: usize,
    /// Of those two, who had asked before the interrupt.
    asked_before: usize,
    /// Could not be made.
    not_made: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.answered_after += other.answered_after;
        self.ended += other.ended;
        self.reset += other.reset;
        self.asked_before += other.asked_before;
        self.not_made += other.not_made;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, answered_after, ended, reset, asked_before, not_made } = self;
        write!(
            f,
            "{answered} whole answers, {answered_after} of them since; refused were {ended} by an end and {reset} by a \
             reset ({asked_before} of them had asked before it), {not_made} at the door; none was cut off"
        )
    }
}

/// How a question ended.
enum Outcome {
    Answered { keeps_open: bool },
    Refused(End),
}

enum End {
    Ended,
    Reset,
}

/// Asks until nobody answers.
async fn attend(script: Arc<Script>, at: usize) -> Result<Counts, String> {
    let (mut counts, mut turn) = (Counts::default(), at);
    let (is_on_page, comes_anew) = (at % 2 == 1, at.is_multiple_of(COMES_ANEW));
    loop {
        let Ok(stream) = TcpStream::connect(if is_on_page { script.page } else { script.lines }).await else {
            counts.not_made += 1;
            return script.is_interrupted().then_some(counts).ok_or_else(|| "a client could not come".to_owned());
        };
        // A refusal costs delay only.
        let _ = stream.set_nodelay(true);
        let mut greeted = is_on_page;
        let refused = loop {
            let asked = Instant::now();
            let outcome = match is_on_page {
                true => ask_page(&stream).await,
                false => {
                    turn += 1;
                    ask_line(&stream, &script, usize::from(turn.is_multiple_of(LONG)), &mut greeted).await
                }
            };
            match outcome? {
                Outcome::Answered { keeps_open } => {
                    counts.answered += 1;
                    counts.answered_after += usize::from(script.is_interrupted());
                    if comes_anew || !keeps_open {
                        break None;
                    }
                }
                Outcome::Refused(end) => {
                    counts.asked_before += usize::from(script.interrupted.get().is_some_and(|at| asked < *at));
                    break Some(end);
                }
            }
        };
        match refused {
            None => continue,
            Some(End::Ended) => counts.ended += 1,
            Some(End::Reset) => counts.reset += 1,
        }
        if !script.is_interrupted() {
            return Err("a client was refused before anybody interrupted the server".into());
        }
    }
}

impl Script {
    fn is_interrupted(&self) -> bool {
        self.interrupted.get().is_some()
    }
}

/// Sends a question; that nobody takes it is seen where its answer is read.
async fn send(stream: &TcpStream, question: &[u8]) {
    let _ = stream.write_all(question).await;
}

/// Before an answer has begun.
fn end_of(read: &io::Result<usize>) -> Outcome {
    Outcome::Refused(if read.is_ok() { End::Ended } else { End::Reset })
}

async fn ask_line(stream: &TcpStream, script: &Script, which: usize, greeted: &mut bool) -> Result<Outcome, String> {
    let answer = script.answers[which].as_deref()?;
    let expected = if *greeted { answer } else { &[asking::PROMPT, answer].concat() };
    // The first prompt is no answer.
    let nothing_yet: &[u8] = if *greeted { b"" } else { asking::PROMPT };
    *greeted = true;
    send(stream, &script.questions[which]).await;
    let (mut said, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    while said.len() < expected.len() {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => said.extend_from_slice(&buffer[..read]),
            over => {
                let said = said.strip_suffix(LINES_PARTING).unwrap_or(&said);
                if said.is_empty() || said == nothing_yet {
                    return Ok(end_of(&over));
                }
                let (said, all) = (said.len(), expected.len());
                return Err(format!("an answer on lines was cut off after {said} of {all} bytes: {over:?}"));
            }
        }
    }
    // What follows can only be the server's last word; whoever asks next reads its end.
    match said.starts_with(expected) && LINES_PARTING.starts_with(&said[expected.len()..]) {
        true => Ok(Outcome::Answered { keeps_open: said.len() == expected.len() }),
        false => Err("an answer on lines is wrong".into()),
    }
}

async fn ask_page(stream: &TcpStream) -> Result<Outcome, String> {
    send(stream, &get("/?query=chess%20black")).await;
    let (mut answer, mut said, mut buffer) = (HttpAnswer::default(), 0, vec![0; 16 * 1024]);
    loop {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => {
                said += read;
                let finished = answer.add(&buffer[..read], &mut |_| ()).map_err(|fault| fault.to_string())?;
                match finished {
                    Some(finished) if finished.status == 200 => {
                        return Ok(Outcome::Answered { keeps_open: finished.keep_alive });
                    }
                    Some(finished) => return Err(format!("the page answered {}", finished.status)),
                    None => {}
                }
            }
            over if said == 0 => return Ok(end_of(&over)),
            over => return Err(format!("an answer of the page was cut off after {said} bytes: {over:?}")),
        }
    }
}

//! What all scenes have in common: the server, the clients that behave, and what is judged when it is over.

use crate::asking::Newcomer;
use crate::polite::Polite;
use std::time::Duration;
use weftwork::runtime::Builder;
use weftwork::time::sleep;
use weftwork_benches::charfinder::Charfinder;
use weftwork_benches::server_process::pause;

const SECOND: Duration = Duration::from_secs(1);
/// What of a processor an idle server may use.
const MOST_WHEN_IDLE: f64 = 0.05;
/// What it may use while it only waits for clients that do next to nothing, with those that behave.
const MOST_WHEN_WAITING: f64 = 0.5;
/// Of what the first round cost, what each further one may cost again: what was freed is used again, though not all of it
/// by everybody, until an allocator has settled.
const AGAIN: f64 = 0.5;
/// Of what a round may cost, what a further one may cost in any case: the first may have been lucky.
const AGAIN_ANYWAY: f64 = 0.25;
/// Besides that, where a round costs next to nothing.
const AGAIN_BYTES: u64 = 4 << 20;

pub(crate) const MIB: u64 = 1 << 20;

/// What came of a scene, a line for each thing; or what went wrong.
pub(crate) type Told = Result<Vec<String>, String>;

/// How much of everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    /// For a quick look: the same scenes, with fewer clients and shorter timeouts.
    Small,
}

impl Size {
    pub(crate) fn of<T>(self, full: T, small: T) -> T {
        match self {
            Self::Full => full,
            Self::Small => small,
        }
    }
}

/// A way to misbehave.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// With the number of clients in place of `{clients}`.
    pub(crate) what: &'static str,
    /// In a full scene, and in a small one.
    pub(crate) clients: (usize, usize),
    /// Of the server, with their values in a full scene and in a small one.
    pub(crate) flags: &'static [(&'static str, &'static str, &'static str)],
    pub(crate) rounds: usize,
    /// By how much the server's memory may grow meanwhile.
    pub(crate) growth_bytes: u64,
    /// Misbehaves.
    pub(crate) act: fn(&Stage<'_>) -> Told,
}

/// Where a scene is played.
pub(crate) struct Stage<'a> {
    pub(crate) server: &'a Charfinder,
    pub(crate) clients: usize,
    pub(crate) size: Size,
}

impl Scene {
    pub(crate) fn clients(&self, size: Size) -> usize {
        size.of(self.clients.0, self.clients.1)
    }

    pub(crate) fn title(&self, size: Size) -> String {
        format!("{}: {}", self.name, self.what.replace("{clients}", &self.clients(size).to_string()))
    }

    pub(crate) fn play(&self, size: Size) -> Result<(), String> {
        let flags: Vec<&str> =
            self.flags.iter().flat_map(|(flag, full, small)| [*flag, size.of(full, small)]).collect();
        let server = Charfinder::start(&flags)?;
        let first = self.round(&server, size, self.growth_bytes)?;
        let again = (first as f64 * AGAIN).max(self.growth_bytes as f64 * AGAIN_ANYWAY) as u64 + AGAIN_BYTES;
        for _ in 1..self.rounds {
            self.round(&server, size, again)?;
        }
        server.process.stop()
    }

    /// Says how much memory it took; fails if that is more than `limit`.
    fn round(&self, server: &Charfinder, size: Size, limit: u64) -> Result<u64, String> {
        let process = &server.process;
        let newcomer = Newcomer::comes(server)?;
        process.forget_log()?;
        process.forget_peak()?;
        let before = process.sample()?.resident_bytes;
        let polite = Polite::start(server, &newcomer)?;
        let acted = (self.act)(&Stage { server, clients: self.clients(size), size });
        // An answer or two after it all.
        pause(SECOND / 10);
        let behaved = polite.end();
        acted?.iter().for_each(|line| println!("  {line}"));
        behaved?;
        newcomer.comes_again(server)?;
        judge(server, before, limit)
    }
}

fn judge(server: &Charfinder, before: u64, limit: u64) -> Result<u64, String> {
    let process = &server.process;
    let took = process.back_to(server.descriptors)?;
    let start = process.sample()?.processor_time;
    pause(SECOND);
    let after = process.sample()?;
    let busy = (after.processor_time - start).as_secs_f64();
    let grown = process.peak_bytes()?.saturating_sub(before);
    println!(
        "  the server: {} before, {} more at most (limit {}), {} after; {:.0} % of a processor in an idle second; \
         descriptors back to {} after {took:.0?}",
        mebibytes(before),
        mebibytes(grown),
        mebibytes(limit),
        mebibytes(after.resident_bytes),
        busy * 100.0,
        server.descriptors
    );
    if grown > limit {
        return Err(format!("memory grew by more than {}", mebibytes(limit)));
    }
    if busy > MOST_WHEN_IDLE {
        return Err("an idle server is busy".into());
    }
    Ok(grown)
}

impl Stage<'_> {
    /// What of a processor the server uses in a second that begins now.
    pub(crate) async fn busy(&self) -> Result<f64, String> {
        let before = self.server.process.sample()?.processor_time;
        sleep(SECOND).await;
        Ok((self.server.process.sample()?.processor_time - before).as_secs_f64())
    }

    /// How many clients the server has, without those that behave.
    pub(crate) fn present(&self) -> Result<usize, String> {
        Ok(self.server.process.descriptors()?.saturating_sub(self.server.descriptors + Polite::CLIENTS))
    }

    /// Waits until that is as it has to be.
    pub(crate) async fn until_present(&self, is_enough: impl Fn(usize) -> bool) -> Result<(), String> {
        let start = weftwork::time::Instant::now();
        loop {
            let present = self.present()?;
            if is_enough(present) {
                return Ok(());
            }
            if start.elapsed() > crate::asking::PATIENCE {
                return Err(format!("the server has {present} clients, and that stays so"));
            }
            sleep(SECOND / 50).await;
        }
    }
}

/// Fails if a server that waits for clients, who do next to nothing, is busy.
pub(crate) fn judge_waiting(busy: f64) -> Result<(), String> {
    if busy > MOST_WHEN_WAITING {
        return Err(format!("a server that only waits for them uses {:.0} % of a processor", busy * 100.0));
    }
    Ok(())
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB as f64)
}

pub(crate) fn told(error: std::io::Error) -> String {
    format!("a hostile client could not do its part: {error}")
}

/// Runs what the hostile clients do; what is in it is done at the same time, as it says.
pub(crate) fn together<T>(act: impl Future<Output = T>) -> Result<T, String> {
    Builder::new_multi_thread().worker_threads(2).run(act).map_err(|error| error.to_string())
}

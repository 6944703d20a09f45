//! The clients that behave: one on lines and one on the page, on a fixed schedule, whatever the others do.

use crate::asking::{Newcomer, until};
use examples::latch::Latch;
use examples::load::client::{Client, Protocol};
use examples::load::question::Question;
use examples::load::report::brief;
use examples::load::tally::Tally;
use examples::load::{Pace, Plan, Report, run};
use std::sync::Arc;
use std::thread::JoinHandle;
use weftwork::runtime::Builder;
use weftwork_benches::charfinder::Charfinder;

/// How often each of them asks.
const PER_SECOND: f64 = 25.0;

/// They ask until they are told to end.
pub(crate) struct Polite {
    stop: Arc<Latch>,
    thread: JoinHandle<Result<[Report; 2], String>>,
}

impl Polite {
    /// How many there are.
    pub(crate) const CLIENTS: usize = 2;

    /// Returns when both are served.
    pub(crate) fn start(server: &Charfinder, newcomer: &Newcomer) -> Result<Self, String> {
        let stop = Arc::new(Latch::default());
        let theirs = stop.clone();
        let lines = Client::new(server.lines, Protocol::Lines(until()), newcomer.questions());
        let page = Client::new(
            server.page,
            Protocol::Http,
            vec![Question { bytes: newcomer.page_request.clone(), expected: newcomer.page_answer.clone() }],
        );
        let ask = move |client: Client, stop: Arc<Latch>| {
            let plan =
                Plan { connections: 1, pace: Pace::Open { per_second: PER_SECOND }, duration: None, ..Plan::DEFAULT };
            run(plan, Arc::new(client), Arc::new(Tally::default()), stop)
        };
        let thread = std::thread::spawn(move || {
            let both = futures::future::join(ask(lines, theirs.clone()), ask(page, theirs));
            Builder::new_current_thread()
                .run(both)
                .map(|(lines, page)| [lines, page])
                .map_err(|error| error.to_string())
        });
        server.process.back_to(server.descriptors + Self::CLIENTS)?;
        Ok(Self { stop, thread })
    }

    /// Fails if one of them has not been served.
    pub(crate) fn end(self) -> Result<(), String> {
        self.stop.set();
        let reports = self.thread.join().map_err(|_| "the clients that behave panicked")??;
        for (report, place) in reports.iter().zip(["lines", "the page"]) {
            judge(report, place)?;
        }
        Ok(())
    }
}

fn judge(report: &Report, place: &str) -> Result<(), String> {
    println!(
        "  a client that behaves, on {place}: {} right answers, {} errors; p50 {}, p99 {}, max {} from when it was due",
        report.answered,
        report.errors(),
        brief(report.quantile(0.5)),
        brief(report.quantile(0.99)),
        brief(report.quantile(1.0))
    );
    if report.is_clean() && report.opened == 1 {
        return Ok(());
    }
    let first = report.faults.first().map_or("it lost its connection", |faults| &faults.example);
    Err(format!("the client that behaves was not served: {first}"))
}

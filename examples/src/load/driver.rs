//! The load itself: a task per connection, which asks when its next request is due, and writes down what came of it.
//!
//! ```text
//!  connect, a bounded number at a time          start: all together                      the end
//!  ------------------------------------->  ask, ask, ask ... over each connection  --------------->  report
//!                                          one that broke is made anew for the
//!                                          next request
//! ```
//!
//! The schedule begins when all connections stand, so that connecting them is no part of any latency. A connection that
//! could not be made, or broke, is made anew by the request that needs it, within its time.
//!
//! What is measured: in the open loop from when the request was due, in the closed loop from when its connection was free
//! for it, to the end of its answer. Only whole and right answers have a latency; everything else is an error. A request
//! whose connection stays busy with those before it until the load is over, and for the time of a timeout after that, was
//! never sent; it is an error too, or a server could improve its figures by not answering.

use super::fault::{Fault, Kind};
use super::plan::{Pace, Plan};
use super::report::Report;
use super::schedule::Schedule;
use super::tally::Tally;
use crate::latch::Latch;
use futures::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weftwork::sync::Semaphore;
use weftwork::time::{Instant, sleep, sleep_until, timeout};

/// Connects at the same time: below any server's backlog.
const CONNECTING: usize = 64;
/// In a closed loop nothing else slows down a connection that cannot be made.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Makes connections to what is loaded.
pub trait Connector: Send + Sync + 'static {
    /// What it makes.
    type Connection: Exchange;

    /// Makes one that is ready for its first request.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Fault>> + Send;
}

/// A connection that asks one request after the other.
pub trait Exchange: Send + 'static {
    /// Sends a request and takes its answer to the end. `number` says which one, where there are several.
    ///
    /// # Errors
    /// The connection is of no use any more.
    fn exchange(&mut self, number: u64) -> impl Future<Output = Result<Answered, Fault>> + Send;

    /// Whether the other side has left it open, as far as can be seen without waiting.
    fn is_open(&self) -> bool;
}

/// An answer that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its length.
    pub bytes: u64,
    /// Whether the connection takes another request.
    pub keep_alive: bool,
    /// What is wrong with it, though it is whole.
    pub fault: Option<Fault>,
}

/// Runs a load to its end, or until `stop` is set; what is under way then is given up and not counted.
///
/// `tally` is what it counts in, for whoever wants to look while it runs; it has to be new. A load whose connections can
/// none of them be made ends at once.
pub async fn run<C: Connector>(plan: Plan, connector: Arc<C>, tally: Arc<Tally>, stop: Arc<Latch>) -> Report {
    let connections = connect_all(&plan, &connector, &tally, &stop).await;
    let start = Instant::now();
    if connections.iter().any(Option::is_some) && !stop.is_set() {
        let schedule = match plan.pace {
            Pace::Open { per_second } => {
                Some(Schedule::new(per_second, plan.connections, plan.warmup, plan.duration, plan.requests))
            }
            Pace::Closed => None,
        };
        let course =
            Arc::new(Course { plan, schedule, start, tickets: AtomicU64::new(0), connector, tally: tally.clone() });
        let drive = |(at, connection)| {
            let (course, stop) = (course.clone(), stop.clone());
            weftwork::spawn(async move {
                // `select` polls its first future first: a load that is over is not taken for one that was stopped.
                select(pin!(course.drive(at, connection)), pin!(stop.reached())).await;
            })
            .cancel_on_drop()
        };
        let drivers: Vec<_> = connections.into_iter().enumerate().map(drive).collect();
        for driver in drivers {
            if let Err(error) = driver.await {
                tally.failed(Fault::new(Kind::Other, format!("a task of the load generator: {error}")));
            }
        }
    }
    Report::new(plan, &tally, start, stop.is_set())
}

async fn connect_all<C: Connector>(
    plan: &Plan,
    connector: &Arc<C>,
    tally: &Arc<Tally>,
    stop: &Arc<Latch>,
) -> Vec<Option<C::Connection>> {
    let turns = Arc::new(Semaphore::new(CONNECTING));
    let limit = plan.timeout;
    let connect = |_| {
        let (connector, tally, turns) = (connector.clone(), tally.clone(), turns.clone());
        weftwork::spawn(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire_many(1).await;
            match timeout(limit, connector.connect()).await.unwrap_or_else(|_| Err(late(limit))) {
                Ok(connection) => {
                    tally.opened();
                    Some(connection)
                }
                Err(fault) => {
                    tally.failed(fault);
                    None
                }
            }
        })
        .cancel_on_drop()
    };
    let connecting: Vec<_> = (0..plan.connections).map(connect).collect();
    let mut connections = Vec::with_capacity(plan.connections);
    for connection in connecting {
        match select(connection, pin!(stop.reached())).await {
            Either::Left((connection, _)) => connections.push(connection.ok().flatten()),
            Either::Right(_) => break,
        }
    }
    connections
}

/// What all connections of a load share.
struct Course<C> {
    plan: Plan,
    /// Of an open loop.
    schedule: Option<Schedule>,
    start: Instant,
    /// How many counted requests a closed loop has begun.
    tickets: AtomicU64,
    connector: Arc<C>,
    tally: Arc<Tally>,
}

/// A request whose time has come.
struct Request {
    number: u64,
    /// What its latency counts from.
    due: Instant,
    is_measured: bool,
}

impl<C: Connector> Course<C> {
    async fn drive(&self, at: usize, mut connection: Option<C::Connection>) {
        let mut turn = 0;
        while let Some(request) = self.next(at, turn).await {
            turn += 1;
            let asked = timeout(self.plan.timeout, self.ask(&mut connection, request.number)).await;
            let fault = match asked.unwrap_or_else(|_| Err(late(self.plan.timeout))) {
                Ok(answered) => {
                    if !answered.keep_alive {
                        connection = None;
                    }
                    if answered.fault.is_none() && request.is_measured {
                        let now = Instant::now();
                        self.tally.answered(at, now.duration_since(request.due), answered.bytes, now);
                    }
                    answered.fault
                }
                Err(fault) => {
                    match connection.take() {
                        Some(_) => self.tally.lost(),
                        None if self.schedule.is_none() => sleep(PAUSE_AFTER_REFUSAL).await,
                        None => {}
                    }
                    Some(fault)
                }
            };
            if let Some(fault) = fault {
                self.tally.failed(fault);
            }
        }
        if connection.is_some_and(|connection| !connection.is_open()) {
            self.tally.lost();
            self.tally.failed(Fault::new(Kind::ClosedEarly, "the connection ended while nothing was asked"));
        }
    }

    /// Waits for the next request of a connection; `None` if there is none.
    async fn next(&self, at: usize, turn: u64) -> Option<Request> {
        let Some(schedule) = self.schedule else { return self.next_at_once(at, turn) };
        let number = schedule.number(at, turn)?;
        let patience = schedule.due(schedule.end).saturating_add(self.plan.timeout);
        if Instant::now() >= self.start.saturating_add(patience) {
            let what = "its connection was busy with those before it";
            self.tally.failed_often(Fault::new(Kind::NotSent, what), schedule.left(at, turn));
            return None;
        }
        let due = self.start.saturating_add(schedule.due(number));
        sleep_until(due).await;
        Some(Request { number, due, is_measured: number >= schedule.first_measured })
    }

    fn next_at_once(&self, at: usize, turn: u64) -> Option<Request> {
        let due = Instant::now();
        let since = due.duration_since(self.start);
        let measured_for = since.checked_sub(self.plan.warmup);
        if let (Some(measured_for), Some(duration)) = (measured_for, self.plan.duration)
            && measured_for >= duration
        {
            return None;
        }
        if let (Some(_), Some(requests)) = (measured_for, self.plan.requests)
            // Ordering: Relaxed, the number is all that is shared.
            && self.tickets.fetch_add(1, Ordering::Relaxed) >= requests.get()
        {
            return None;
        }
        let number = turn.wrapping_mul(self.plan.connections as u64).wrapping_add(at as u64);
        Some(Request { number, due, is_measured: measured_for.is_some() })
    }

    async fn ask(&self, connection: &mut Option<C::Connection>, number: u64) -> Result<Answered, Fault> {
        let open = match connection {
            Some(open) => open,
            None => {
                let opened = self.connector.connect().await?;
                self.tally.opened();
                connection.insert(opened)
            }
        };
        open.exchange(number).await
    }
}

fn late(limit: Duration) -> Fault {
    Fault::new(Kind::TimedOut, format!("not answered within {limit:?}"))
}

#[cfg(test)]
mod tests;

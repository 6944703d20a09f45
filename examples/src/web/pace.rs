//! What a connection waits for, and until when.
//!
//! ```text
//!             bytes               a whole head            an answer              all of it sent
//!   Waiting -------->  Receiving -------------->  Asked ------------> Answering -----------------> Waiting
//!   idle timeout       head timeout               request timeout     idle timeout, per write      or, if more has come
//!                                                 (of the service)                                 already, Receiving
//! ```
//!
//! A connection that is kept alive may be silent for long; a head that was begun has to end soon, or a few slow clients
//! hold all the places. One timeout cannot be both, so this looks at where a connection stands.
//!
//! Who moves it: the stream, which sees bytes come and everything sent; and the service, which sees a whole head and has
//! the answer. Both are polled by the connection's one task, so the lock is there for the compiler.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use weftwork::time::Instant;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Receiving,
    Asked,
    Answering,
}

/// Which wait was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// Nothing was asked, or nothing was taken of an answer.
    Idle,
    /// A head was begun and not finished.
    Head,
}

/// A connection's stage, and how long it may last.
#[derive(Debug)]
pub(super) struct Pace {
    idle: Option<Duration>,
    head: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    since: Instant,
    /// Bytes came before the answer was sent: the next request has begun.
    more: bool,
    late: Option<Late>,
    ended: bool,
}

impl Pace {
    /// A new connection; `idle` bounds its silence, `head` the time that a request's head takes.
    pub(super) fn new(idle: Option<Duration>, head: Duration) -> Self {
        let state = State { stage: Stage::Waiting, since: Instant::now(), more: false, late: None, ended: false };
        Self { idle, head, state: Mutex::new(state) }
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Bytes came; none is the end of the client's side.
    pub(super) fn came(&self, bytes: usize) {
        self.with(|state| match state.stage {
            _ if bytes == 0 => state.ended = true,
            Stage::Waiting => state.enter(Stage::Receiving),
            Stage::Receiving => {}
            Stage::Asked | Stage::Answering => state.more = true,
        });
    }

    /// A whole head has come, and the service has it.
    pub(super) fn asked(&self) {
        self.with(|state| {
            state.more = false;
            state.enter(Stage::Asked);
        });
    }

    /// The service has answered.
    pub(super) fn answered(&self) {
        self.with(|state| state.enter(Stage::Answering));
    }

    /// All that there was to send is sent.
    pub(super) fn sent(&self) {
        self.with(|state| {
            if state.stage == Stage::Answering {
                state.enter(if state.more { Stage::Receiving } else { Stage::Waiting });
            }
        });
    }

    /// Until when more has to come, and which wait that ends; `None` if nothing need come.
    pub(super) fn read_deadline(&self) -> Option<(Instant, Late)> {
        let (stage, since) = self.with(|state| (state.stage, state.since));
        match stage {
            Stage::Waiting => self.idle.map(|idle| (since + idle, Late::Idle)),
            Stage::Receiving => Some((since + self.head, Late::Head)),
            // The service bounds the time that it takes, a request's body included; a write has its own deadline.
            Stage::Asked | Stage::Answering => None,
        }
    }

    /// Until when a write that begins to wait now has to get on.
    pub(super) fn write_deadline(&self) -> Option<Instant> {
        self.idle.map(|idle| Instant::now() + idle)
    }

    /// A wait was too long.
    pub(super) fn expire(&self, late: Late) {
        self.with(|state| state.late = Some(late));
    }

    /// Which wait was too long, if one was.
    pub(super) fn late(&self) -> Option<Late> {
        self.with(|state| state.late)
    }

    /// Whether the client has ended its side.
    pub(super) fn has_ended(&self) -> bool {
        self.with(|state| state.ended)
    }
}

impl State {
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weftwork::runtime::Builder;
    use weftwork::testing::ManualClock;

    const IDLE: Duration = Duration::from_secs(60);
    const HEAD: Duration = Duration::from_secs(10);
    const SECOND: Duration = Duration::from_secs(1);

    fn paced(test: impl FnOnce(Pace, ManualClock)) {
        let clock = ManualClock::new();
        let run = async { test(Pace::new(Some(IDLE), HEAD), clock.clone()) };
        Builder::new_current_thread().clock(&clock).run(run).unwrap();
    }

    #[test]
    fn a_head_has_its_time_from_its_first_byte_however_many_follow() {
        paced(|pace, clock| {
            assert_eq!(pace.read_deadline(), Some((Instant::now() + IDLE, Late::Idle)));
            clock.advance(SECOND);
            pace.came(1);
            let begun = Instant::now();
            for _ in 0..5 {
                clock.advance(SECOND);
                pace.came(1);
                assert_eq!(pace.read_deadline(), Some((begun + HEAD, Late::Head)));
            }
        });
    }

    #[test]
    fn while_the_service_is_asked_nothing_need_come_and_then_silence_counts_anew() {
        paced(|pace, clock| {
            pace.came(1);
            pace.asked();
            clock.advance(2 * HEAD);
            assert_eq!(pace.read_deadline(), None);
            // What is sent meanwhile is an interim answer.
            pace.sent();
            pace.answered();
            assert_eq!(pace.read_deadline(), None);
            pace.sent();
            assert_eq!(pace.read_deadline(), Some((Instant::now() + IDLE, Late::Idle)));
        });
    }

    #[test]
    fn a_request_that_came_early_has_begun_when_the_answer_before_it_is_sent() {
        paced(|pace, clock| {
            pace.came(100);
            pace.asked();
            pace.came(5);
            clock.advance(SECOND);
            pace.answered();
            pace.sent();
            assert_eq!(pace.read_deadline(), Some((Instant::now() + HEAD, Late::Head)));
            pace.asked();
            pace.answered();
            pace.sent();
            assert_eq!(pace.read_deadline(), Some((Instant::now() + IDLE, Late::Idle)));
        });
    }

    #[test]
    fn without_an_idle_timeout_silence_may_last_and_a_head_may_not() {
        let pace = Pace::new(None, HEAD);
        assert_eq!((pace.read_deadline(), pace.write_deadline()), (None, None));
        pace.came(1);
        assert!(pace.read_deadline().is_some());
        assert!(!pace.has_ended());
        pace.came(0);
        assert!(pace.has_ended());
    }
}

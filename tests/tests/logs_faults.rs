#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What a runtime says through `tracing` when the system has no more of something.
//!
//! One test, because a fault point is the whole process's.

mod fixtures;
#[path = "fixtures/log.rs"]
mod log;

use fixtures::gate;
use futures::join;
use log::{Line, Log};
use tracing::Level;
use tracing::dispatcher::with_default;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::Builder;
use weftwork::task::yield_now;
use weftwork::testing::fault::{Point, arm, disarm};
use weftwork::testing::{ManualClock, settle};
use weftwork::time::Duration;
use weftwork::{spawn, to_thread};

/// Runs a test on this thread alone, and gives what it told beside the steps of its runtime.
fn warnings(test: impl AsyncFnOnce(ManualClock)) -> Vec<Line> {
    let (log, clock) = (Log::default(), ManualClock::new());
    with_default(&log.subscriber(Level::INFO), || {
        Builder::new_current_thread().watchdog(false).clock(&clock).run(test(clock.clone())).unwrap();
    });
    log.all()
}

fn an_accept_that_pauses_says_for_how_long() {
    let lines = warnings(async |clock| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        arm(Point::Accept, 1, 2);
        let accepts = spawn(async move { listener.accept().await.map(drop) });
        let connects = TcpStream::connect(address);
        let passes = async {
            while !accepts.is_finished() {
                settle().await;
                clock.advance(Duration::from_millis(10));
            }
        };
        let (connected, ()) = join!(connects, passes);
        connected.unwrap();
        disarm(Point::Accept);
    });
    let [first, second] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((first.level, first.target), (Level::WARN, "weftwork::net"));
    let begins = "accept waits, for the system is out of something error=Too many open files (os error 24)";
    assert_eq!(first.text, format!("{begins} pause=10ms"));
    assert_eq!(second.text, format!("{begins} pause=20ms"));
}

fn a_thread_that_the_pool_does_not_get_is_a_warning_where_no_caller_learns_of_it() {
    let lines = warnings(async |_| {
        let ((begin, begun), (opener, closed)) = (gate(), gate());
        let first = spawn(to_thread(move || {
            begin.open();
            closed.wait();
        }));
        yield_now().await;
        begun.wait();
        arm(Point::ThreadStart, 1, 1);
        let second = spawn(to_thread(|| 2));
        yield_now().await;
        disarm(Point::ThreadStart);
        opener.open();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap().unwrap(), 2);
    });
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.level, line.target), (Level::WARN, "weftwork::blocking"));
    assert!(line.text.starts_with("the system refused a thread for blocking calls error="), "{line:?}");
}

#[test]
fn a_system_without_descriptors_and_threads_is_told_about() {
    an_accept_that_pauses_says_for_how_long();
    a_thread_that_the_pool_does_not_get_is_a_warning_where_no_caller_learns_of_it();
}

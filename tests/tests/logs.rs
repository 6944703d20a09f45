#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "handles are passed between tasks on purpose")]
//! What a runtime says through `tracing`: to whom, under which target, and with which fields.
//!
//! Tests on one thread have a subscriber of their own; what other threads tell goes to that of the whole process.

mod fixtures;
#[path = "fixtures/log.rs"]
mod log;

use fixtures::{Reports, gate, two_workers};
use log::{Log, What};
use std::process::Command;
use std::sync::OnceLock;
use tracing::dispatcher::with_default;
use tracing::instrument::Instrument as _;
use tracing::{Dispatch, Level, Span, debug_span, info, info_span};
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::task::{self, yield_now};
use weftwork::testing::settle;
use weftwork::time::Duration;
use weftwork::{spawn, to_thread};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// Runs a test on this thread alone, with what is told at `level` or above.
fn logged(level: Level, test: impl AsyncFnOnce()) -> Log {
    let log = Log::default();
    with_default(&log.subscriber(level), || one_thread().run(test()).unwrap());
    log
}

fn one_thread() -> Builder {
    Builder::new_current_thread().watchdog(false)
}

/// The log of the whole process.
fn everybody() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        tracing::dispatcher::set_global_default(log.subscriber(Level::INFO)).expect("nobody else sets it");
        log
    })
}

async fn panicking(name: &str) {
    task::Builder::new().name(name).spawn(async { panic!("lost the key") }).unwrap().detach();
    settle().await;
}

#[test]
fn a_panic_that_nobody_reads_is_an_error_with_its_name_and_place() {
    let log = logged(Level::INFO, async || panicking("clerk").await);
    let lines = log.all();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.level, line.target), (Level::ERROR, "weftwork::task"));
    assert!(line.text.starts_with("a task panicked, and nobody holds its handle kind=TaskPanicked task="), "{line:?}");
    assert!(line.text.contains(r#" name="clerk" spawned_at=tests/tests/logs.rs:"#), "{line:?}");
    assert!(line.text.ends_with(r#" detail="lost the key""#), "{line:?}");
}

#[test]
fn the_panic_of_a_task_lies_in_no_span_of_whoever_drops_the_handle() {
    let log = logged(Level::DEBUG, async || {
        let task = spawn(async { panic!("somewhere else") });
        while !task.is_finished() {
            yield_now().await;
        }
        info_span!("cleaning up").in_scope(|| drop(task));
    });
    let line = log.wait_for(|line| line.text.contains("somewhere else"));
    assert_eq!(line.within, [""; 0]);
}

#[test]
fn a_hook_comes_before_the_subscriber() {
    let (log, reports) = (Log::default(), Reports::default());
    with_default(&log.subscriber(Level::INFO), || {
        one_thread().on_unhandled(reports.hook()).run(panicking("told once")).unwrap();
    });
    assert_eq!(reports.of(UnhandledKind::TaskPanicked).len(), 1);
    assert_eq!(log.all(), []);
}

#[test]
fn a_hook_that_panics_leaves_both_to_the_subscriber() {
    let log = Log::default();
    with_default(&log.subscriber(Level::INFO), || {
        one_thread().on_unhandled(|_| panic!("no hook today")).run(panicking("left")).unwrap();
    });
    let texts: Vec<String> = log.all().into_iter().map(|line| line.text).collect();
    assert!(texts[0].contains(r#"name="left""#), "{texts:?}");
    assert_eq!(texts[1], r#"a hook of the runtime panicked kind=HookPanicked detail="no hook today""#);
}

/// Set for the children that the next test starts.
const CHILD: &str = "WEFTWORK_TEST_OF_LOGS";

#[test]
fn without_a_subscriber_or_with_one_that_panics_it_is_a_line_on_stderr() {
    match std::env::var(CHILD).as_deref() {
        Ok("nobody") => return one_thread().run(panicking("alone")).unwrap(),
        Ok("panics") => return with_default(&Dispatch::new(Panics), || one_thread().run(panicking("alone")).unwrap()),
        _ => {}
    }
    for (child, says) in [("nobody", None), ("panics", Some("weftwork: the tracing subscriber panicked: no log today"))]
    {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["without_a_subscriber_or_with_one_that_panics_it_is_a_line_on_stderr", "--exact", "--nocapture"])
            .env(CHILD, child)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("weftwork: ")).collect();
        let told = lines.iter().find(|line| line.ends_with("panicked, and nobody holds its handle: lost the key"));
        assert!(told.is_some_and(|line| line.contains("\"alone\" (spawned at ")), "{text}");
        assert!(says.is_none_or(|says| lines.contains(&says)), "{text}");
        assert_eq!(lines.len(), if says.is_some() { 2 } else { 1 }, "{text}");
    }
}

/// Takes errors, and panics at each.
struct Panics;

impl tracing::Subscriber for Panics {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        panic!("no log today");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_task_has_a_span_around_each_poll_and_the_drop_of_its_future() {
    struct Says(&'static str);
    impl Drop for Says {
        fn drop(&mut self) {
            info!("{}", self.0);
        }
    }
    let log = logged(Level::DEBUG, async || {
        let here = line!() + 1;
        let walker = task::Builder::new().name("walker").spawn(async {
            let _says = Says("dropped");
            info!("left");
            yield_now().await;
            info!("right");
        });
        let walker = walker.unwrap();
        let span = format!(r#"task id={} name="walker" spawned_at=tests/tests/logs.rs:{here}:"#, walker.id());
        while !walker.is_finished() {
            yield_now().await;
        }
        // The span has ended with the future, however long somebody holds the handle.
        info!("finished: {span}");
        drop(walker);
    });
    let lines = log.all();
    let finished = lines.iter().position(|line| line.text.starts_with("finished: ")).unwrap();
    let span = &lines[finished].text["finished: ".len()..];
    use What::{Closed, Entered, Followed, Left, Opened};
    // Two polls, and the drop of what is left of the future.
    let steps = [Opened, Followed, Entered, Left, Entered, Left, Entered, Left, Closed];
    assert_eq!(log.of_span(span), steps);
    assert!(lines.iter().rposition(|line| line.text.contains("walker") && line.what == Closed) < Some(finished));
    for text in ["left", "right", "dropped"] {
        let line = lines.iter().find(|line| line.text == text).unwrap();
        assert!(line.within.len() == 1 && line.within[0].starts_with(span), "{line:?}");
    }
}

#[test]
fn the_span_of_a_cancelled_task_is_around_the_drop_of_its_future_too() {
    let log = logged(Level::DEBUG, async || {
        let idler = task::Builder::new().name("idler").spawn(std::future::pending::<()>()).unwrap();
        settle().await;
        idler.cancel();
        assert!(idler.await.unwrap_err().is_cancelled());
    });
    use What::{Closed, Entered, Followed, Left, Opened};
    let steps = log.of_span("idler");
    assert_eq!(steps.first_chunk(), Some(&[Opened, Followed, Entered, Left]));
    assert_eq!(steps.last_chunk(), Some(&[Entered, Left, Closed]));
}

#[test]
fn the_span_of_a_task_is_a_root_and_follows_from_its_spawners() {
    let log = logged(Level::DEBUG, async || {
        let request = info_span!("request");
        let child = async { task::Builder::new().name("child").spawn(async { info!("in the child") }).unwrap() };
        child.instrument(request).await.await.unwrap();
    });
    let lines = log.all();
    let of_child = |what| lines.iter().find(|line| line.what == what && line.text.contains("child")).unwrap();
    assert_eq!(of_child(What::Opened).within, [""; 0]);
    assert_eq!(of_child(What::Followed).within, ["request"]);
    assert_eq!(of_child(What::Told).within.len(), 1);
}

#[test]
fn a_span_opened_in_a_task_lies_within_the_tasks_and_one_brought_along_where_it_was_opened() {
    let log = logged(Level::DEBUG, async || {
        let brought = debug_span!(parent: None, "brought");
        let future = async {
            info!("outer");
            async { info!("inner") }.instrument(debug_span!(parent: None, "root")).await;
        };
        task::Builder::new().name("server").spawn(future.instrument(brought)).unwrap().await.unwrap();
        let opens = async { debug_span!("opened").in_scope(|| info!("within")) };
        task::Builder::new().name("server").spawn(opens).unwrap().await.unwrap();
    });
    let spans_of = |text: &str| log.wait_for(|line| line.text == text).within;
    assert_eq!(spans_of("outer"), ["brought"]);
    assert_eq!(spans_of("inner"), ["root"]);
    let within = spans_of("within");
    let [task, opened] = &within[..] else { panic!("{within:?}") };
    assert!(task.contains(r#"name="server""#), "{task}");
    assert_eq!(opened, "opened");
}

#[test]
fn nobody_who_asks_for_no_spans_gets_any() {
    let log = logged(Level::INFO, async || {
        spawn(async { assert!(Span::current().is_none()) }).await.unwrap();
        info!("over");
    });
    let lines = log.all();
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn a_runtime_tells_its_beginning_and_the_steps_of_its_end() {
    let log = Log::default();
    with_default(&log.subscriber(Level::DEBUG), || {
        let runtime = one_thread().build().unwrap();
        runtime.shutdown_timeout(LONG).unwrap();
    });
    assert_eq!(log.told("weftwork::runtime"), [r#"a runtime was built flavor="current_thread" workers=1"#]);
    assert_eq!(
        log.told("weftwork::shutdown"),
        [
            "shutdown begins timeout=3600s",
            "the workers have left",
            "the tasks are finished left=0",
            "shutdown is over tasks_left=0 calls_left=0"
        ]
    );
}

#[test]
fn a_poll_that_blocks_its_worker_is_a_warning() {
    let runtime = two_workers().slow_poll(Duration::from_millis(5)).build().unwrap();
    let (opener, closed) = gate();
    let log = everybody();
    let blocks = runtime.block_on(async {
        task::Builder::new().name("blocks its worker").spawn(async move { closed.wait() }).unwrap()
    });
    let line = log.wait_for(|line| line.text.contains("blocks its worker"));
    assert_eq!((line.level, line.target), (Level::WARN, "weftwork::watchdog"));
    assert!(line.text.starts_with("a task has blocked its worker"), "{line:?}");
    assert!(line.text.contains("kind=SlowPoll") && line.text.contains("inside one poll for"), "{line:?}");
    opener.open();
    runtime.block_on(blocks).unwrap();
}

#[test]
fn a_panic_on_the_pool_that_nobody_reads_is_an_error() {
    let log = everybody();
    two_workers()
        .run(async {
            let ((begin, begun), (opener, closed)) = (gate(), gate());
            let call = to_thread(move || {
                begin.open();
                closed.wait();
                panic!("the archive burns");
            });
            let caller = spawn(call.named("archive"));
            to_thread(move || begun.wait()).await.unwrap();
            caller.cancel();
            let _ = caller.await;
            opener.open();
        })
        .unwrap();
    let line = log.wait_for(|line| line.text.contains("the archive burns"));
    assert_eq!((line.level, line.target), (Level::ERROR, "weftwork::blocking"));
    assert!(line.text.starts_with("a blocking call panicked in to_thread"), "{line:?}");
    assert!(line.text.contains(r#"name="archive""#), "{line:?}");
}

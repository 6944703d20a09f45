//! What each operation does to words that other processors may hold: how many stores, and every read-modify-write and every
//! fence by name.
//!
//! Nothing here is a bound: the counts are exact, so a word that is touched once more is seen, and so is one that is touched
//! once less. Where the table below is left behind, the test prints the row as it is now. A read-modify-write or a fence
//! that is new in it needs its reason.
#![cfg(weftwork_count)]

mod ledger;

use ledger::{Access, Kind, begin, file, in_task, now, recorded};
use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use weftwork::task::yield_now;
use weftwork::testing::{Seat, Stepper};
use weftwork::time::Duration;
use weftwork::{sleep, spawn};
use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
use weftwork_sync::{Mutex, RwLock, Semaphore, channel, coop, oneshot};

/// Repetitions before the steady state.
const WARM_UP: usize = 128;
/// Repetitions that are looked at: a multiple of what happens now and then.
const REPETITIONS: usize = 256;
/// One in this many may differ from the rest: a step looks at its backlog every 16th time and around every 64th.
const SELDOM: usize = 16;

/// What an operation does each time.
struct Expected {
    operation: &'static str,
    /// Stores to atomics, which cost nothing while the line stays here.
    stores: usize,
    /// Read-modify-writes and fences: none, but for these.
    exceptions: &'static [Exception],
}

/// A read-modify-write or a fence, and why it is there.
struct Exception {
    what: Kind,
    /// The file that asks for it.
    at: &'static str,
    times: usize,
    because: &'static str,
}

const fn rmw(at: &'static str, times: usize, because: &'static str) -> Exception {
    Exception { what: Kind::ReadModifyWrite, at, times, because }
}

const fn fence(at: &'static str, times: usize, because: &'static str) -> Exception {
    Exception { what: Kind::Fence, at, times, because }
}

const STATE: &str = "runtime/src/task/state.rs";
const WHEEL_LOCK: &str = "runtime/src/time/lock.rs";
const RING: &str = "sync/src/channel/ring/mod.rs";

/// The seat of a `Stepper` adds two stores to a step: it says that nobody is polled now.
const EXPECTED: &[Expected] = &[
    // A task's word is its own: whoever has the task has its line.
    Expected { operation: "spawn", stores: 3, exceptions: &[] },
    Expected {
        operation: "poll",
        stores: 8,
        exceptions: &[rmw(STATE, 2, "the wake-up is answered, and the task let go; any thread may wake it between")],
    },
    Expected {
        operation: "complete",
        stores: 10,
        exceptions: &[rmw(
            STATE,
            1,
            "the outcome is handed over, with the list's reference; the handle may be anywhere",
        )],
    },
    // The handle that comes last is alone with the task.
    Expected { operation: "join", stores: 0, exceptions: &[] },
    Expected {
        operation: "join, waiting",
        stores: 0,
        exceptions: &[rmw(STATE, 2, "the waiter's waker counts itself; it is handed over to whoever completes")],
    },
    Expected {
        operation: "wake",
        stores: 2,
        exceptions: &[rmw(STATE, 1, "of two wakers one may schedule, whatever thread each is on")],
    },
    // Woken by itself, a task stays held: the queue alone passes it on.
    Expected { operation: "yield", stores: 10, exceptions: &[] },
    Expected {
        operation: "timer, arm",
        stores: 1,
        exceptions: &[
            rmw(
                WHEEL_LOCK,
                1,
                "the worker's own wheel, locked, and unlocked by a store: idle peers fire what is due while its worker is busy",
            ),
            rmw(STATE, 1, "the waker in the wheel counts itself"),
        ],
    },
    Expected {
        operation: "timer, cancel",
        stores: 1,
        exceptions: &[rmw(WHEEL_LOCK, 1, "as it was armed"), rmw(STATE, 1, "the waker goes")],
    },
    Expected { operation: "budget", stores: 0, exceptions: &[] },
    Expected {
        operation: "oneshot, send and receive",
        stores: 0,
        exceptions: &[rmw("sync/src/oneshot/cell.rs", 1, "the sender hands over and lets go in one")],
    },
    Expected {
        operation: "channel, try_send",
        stores: 1,
        exceptions: &[
            rmw(RING, 1, "of several senders one claims the place"),
            fence(RING, 1, "the item is published, then receivers that wait are looked for"),
        ],
    },
    Expected {
        operation: "channel, try_recv",
        stores: 1,
        exceptions: &[
            rmw(RING, 1, "of several receivers one claims the item"),
            fence(RING, 1, "the place is free, then senders that wait are looked for"),
        ],
    },
    Expected {
        operation: "channel, send",
        stores: 1,
        exceptions: &[rmw(RING, 1, "as try_send"), fence(RING, 1, "as try_send")],
    },
    Expected {
        operation: "channel, recv",
        stores: 1,
        exceptions: &[rmw(RING, 1, "as try_recv"), fence(RING, 1, "as try_recv")],
    },
    Expected {
        operation: "mutex, lock and unlock",
        stores: 0,
        exceptions: &[rmw("sync/src/mutex/raw.rs", 2, "taken and given back: it is a lock")],
    },
    Expected {
        operation: "semaphore, try_acquire and release",
        stores: 0,
        exceptions: &[rmw("sync/src/semaphore/state.rs", 2, "taken and given back: it is a count of all its users")],
    },
    Expected {
        operation: "semaphore, acquire and release",
        stores: 0,
        exceptions: &[rmw("sync/src/semaphore/state.rs", 2, "as try_acquire and release")],
    },
    Expected {
        operation: "rwlock, read and unlock",
        stores: 0,
        exceptions: &[rmw("sync/src/rwlock/raw.rs", 2, "come and gone: it is a count of all its readers")],
    },
    Expected {
        operation: "rwlock, write and unlock",
        stores: 0,
        exceptions: &[rmw("sync/src/rwlock/raw.rs", 2, "taken and given back: it is a lock")],
    },
];

/// What is done besides, once in [`SELDOM`] times at most.
const NOW_AND_THEN: &[Exception] =
    &[rmw("runtime/src/task/id.rs", 1, "every 1024th spawn takes the next 1024 identifiers")];

/// The stores, read-modify-writes and fences of one repetition, by who asks for them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    stores: usize,
    others: BTreeMap<(Kind, &'static str), usize>,
}

impl Shape {
    fn of(accesses: &[Access]) -> Self {
        let mut shape = Self { stores: 0, others: BTreeMap::new() };
        for access in accesses {
            match access.kind {
                Kind::Store => shape.stores += 1,
                Kind::ReadModifyWrite | Kind::Fence => {
                    *shape.others.entry((access.kind, file(access))).or_insert(0) += 1;
                }
                Kind::Load | Kind::Cell => {}
            }
        }
        shape
    }

    /// A row of the table, as it would be written there.
    fn row(&self, operation: &str) -> String {
        let mut row = format!("Expected {{ operation: \"{operation}\", stores: {}, exceptions: &[", self.stores);
        for (&(kind, at), times) in &self.others {
            let kind = if kind == Kind::Fence { "fence" } else { "rmw" };
            row += &format!("{kind}(\"{at}\", {times}, \"...\"), ");
        }
        row + "] }"
    }
}

impl Expected {
    fn shape(&self) -> Shape {
        let others =
            self.exceptions.iter().map(|exception| ((exception.what, exception.at), exception.times)).collect();
        Shape { stores: self.stores, others }
    }
}

/// Everything that is wrong with what an operation did.
fn faults(expected: &Expected, repetitions: &[Vec<Access>]) -> Vec<String> {
    let mut shapes: BTreeMap<Shape, usize> = BTreeMap::new();
    for accesses in repetitions {
        *shapes.entry(Shape::of(accesses)).or_insert(0) += 1;
    }
    let operation = expected.operation;
    let usual = match shapes.iter().max_by_key(|(_, times)| **times) {
        Some((usual, _)) => usual.clone(),
        None => return vec![format!("{operation}: never done")],
    };
    let mut faults = Vec::new();
    if usual != expected.shape() {
        faults.push(format!(
            "{operation}: the table says\n    {}\n  and it is\n    {}",
            expected.shape().row(operation),
            usual.row(operation)
        ));
        if let Some(accesses) = repetitions.iter().find(|accesses| Shape::of(accesses) == usual) {
            let seen = accesses.iter().filter(|access| !matches!(access.kind, Kind::Load | Kind::Cell));
            faults.extend(seen.map(|access| format!("      {:?} at {}", access.kind, access.by)));
        }
    }
    let differ: usize = shapes.iter().filter(|(shape, _)| **shape != usual).map(|(_, times)| times).sum();
    if differ * SELDOM > repetitions.len() {
        faults.push(format!(
            "{operation}: {differ} of {} repetitions differ from the rest: {shapes:#?}",
            repetitions.len()
        ));
    }
    for shape in shapes.keys().filter(|shape| **shape != usual) {
        for (&(kind, at), &times) in &shape.others {
            let more = times.saturating_sub(usual.others.get(&(kind, at)).copied().unwrap_or(0));
            let known = NOW_AND_THEN.iter().find(|known| known.what == kind && known.at == at);
            if more > known.map_or(0, |known| known.times) {
                faults.push(format!(
                    "{operation}: now and then {more} times {kind:?} in {at}, which nobody has explained"
                ));
            }
        }
    }
    faults
}

/// Repeats an operation until it is steady, and then says what it did each time.
fn steady(mut operation: impl FnMut() -> Vec<Access>) -> Vec<Vec<Access>> {
    for _ in 0..WARM_UP {
        operation();
    }
    (0..REPETITIONS).map(|_| operation()).collect()
}

/// The waker of a task that waits for good.
fn waiting(seat: &Seat<'_>) -> Waker {
    let (give, take) = mpsc::channel();
    let wait = async move {
        let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        give.send(waker).expect("its maker waits for it");
        pending::<()>().await;
    };
    spawn(wait).detach();
    assert!(seat.step());
    take.recv().expect("it was polled")
}

/// Has everything that is ready run.
fn settle(seat: &Seat<'_>) {
    while seat.is_ready() {
        seat.step();
    }
}

fn do_everything(seat: &Seat<'_>) -> Vec<(&'static str, Vec<Vec<Access>>)> {
    const LONG: Duration = Duration::from_secs(1_000);
    let cx = &mut Context::from_waker(Waker::noop());
    let mut done = Vec::new();
    let mut all = |operation, repetitions| done.push((operation, repetitions));

    all(
        "spawn",
        steady(|| {
            let mut task = None;
            let spawned = recorded(|| task = Some(spawn(async {})));
            seat.step();
            spawned
        }),
    );
    let waker = waiting(seat);
    all(
        "poll",
        steady(|| {
            waker.wake_by_ref();
            recorded(|| seat.step())
        }),
    );
    all(
        "complete",
        steady(|| {
            let _task = spawn(async {});
            recorded(|| seat.step())
        }),
    );
    all(
        "join",
        steady(|| {
            let mut task = spawn(async {});
            seat.step();
            recorded(|| {
                assert!(Pin::new(&mut task).poll(cx).is_ready());
                drop(task);
            })
        }),
    );
    all(
        "join, waiting",
        steady(|| {
            let mut task = spawn(pending::<()>());
            seat.step();
            let (task, awaited) = in_task(seat, move |cx| {
                let awaited = recorded(|| begin(&mut task, cx));
                (task, awaited)
            });
            task.cancel();
            settle(seat);
            awaited
        }),
    );
    all(
        "wake",
        steady(|| {
            let waker = waker.clone();
            let woken = in_task(seat, move |_| recorded(|| waker.wake_by_ref()));
            settle(seat);
            woken
        }),
    );
    let yields = spawn(async {
        loop {
            yield_now().await;
        }
    });
    all("yield", steady(|| recorded(|| seat.step())));
    yields.cancel();
    settle(seat);

    all(
        "timer, arm",
        steady(|| {
            in_task(seat, |cx| {
                let mut sleep = Box::pin(sleep(LONG));
                recorded(|| begin(&mut sleep, cx))
            })
        }),
    );
    all(
        "timer, cancel",
        steady(|| {
            in_task(seat, |cx| {
                let mut sleep = Box::pin(sleep(LONG));
                begin(&mut sleep, cx);
                recorded(|| drop(sleep))
            })
        }),
    );
    all(
        "budget",
        steady(|| {
            in_task(seat, |cx| {
                recorded(|| match coop::proceed(cx, false) {
                    Poll::Ready(unit) => unit.made_progress(),
                    Poll::Pending => panic!("there is budget"),
                })
            })
        }),
    );

    all(
        "oneshot, send and receive",
        steady(|| {
            recorded(|| {
                let (sender, receiver) = oneshot::channel();
                assert!(sender.send(1).is_ok() && now(receiver, cx).is_ok());
            })
        }),
    );
    let (sender, receiver) = channel::bounded(8);
    all(
        "channel, try_send",
        steady(|| {
            let sent = recorded(|| assert!(sender.try_send(1).is_ok()));
            assert!(receiver.try_recv().is_ok());
            sent
        }),
    );
    all(
        "channel, try_recv",
        steady(|| {
            assert!(sender.try_send(1).is_ok());
            recorded(|| assert!(receiver.try_recv().is_ok()))
        }),
    );
    all(
        "channel, send",
        steady(|| {
            let sent = recorded(|| assert!(now(sender.send(1), cx).is_ok()));
            assert!(receiver.try_recv().is_ok());
            sent
        }),
    );
    all(
        "channel, recv",
        steady(|| {
            assert!(sender.try_send(1).is_ok());
            recorded(|| assert!(now(receiver.recv(), cx).is_ok()))
        }),
    );
    let mutex = Mutex::new(0);
    all("mutex, lock and unlock", steady(|| recorded(|| drop(now(mutex.lock(), cx)))));
    let semaphore = Semaphore::new(2);
    all("semaphore, try_acquire and release", steady(|| recorded(|| drop(semaphore.try_acquire()))));
    all("semaphore, acquire and release", steady(|| recorded(|| drop(now(semaphore.acquire(), cx)))));
    let lock = RwLock::new(0);
    all("rwlock, read and unlock", steady(|| recorded(|| drop(now(lock.read(), cx)))));
    all("rwlock, write and unlock", steady(|| recorded(|| drop(now(lock.write(), cx)))));
    done
}

#[test]
fn every_read_modify_write_and_every_fence_has_its_reason() {
    let stepper = Stepper::new(1).expect("a runtime without threads can be built");
    let done = stepper.sit(0, do_everything);
    println!("{:<36}{:>8}{:>8}{:>8}{:>8}", "operation", "rmws", "fences", "stores", "loads");
    let mut wrong = Vec::new();
    for (operation, repetitions) in &done {
        let each = |kind| {
            let all: usize = repetitions.iter().flatten().filter(|access| access.kind == kind).count();
            all as f64 / repetitions.len() as f64
        };
        let (rmws, fences) = (each(Kind::ReadModifyWrite), each(Kind::Fence));
        let (stores, loads) = (each(Kind::Store), each(Kind::Load));
        println!("{operation:<36}{rmws:>8.2}{fences:>8.2}{stores:>8.2}{loads:>8.2}");
        match EXPECTED.iter().find(|expected| expected.operation == *operation) {
            Some(expected) => {
                for Exception { what, at, times, because } in expected.exceptions {
                    println!("    {what:?} x {times} in {at}: {because}");
                }
                wrong.extend(faults(expected, repetitions));
            }
            None => wrong.push(format!("{operation}: not in the table")),
        }
    }
    for expected in EXPECTED.iter().filter(|expected| !done.iter().any(|(done, _)| *done == expected.operation)) {
        wrong.push(format!("{}: in the table, and nobody does it", expected.operation));
    }
    assert!(wrong.is_empty(), "the operations and the table of this file differ:\n{}", wrong.join("\n"));
}

#[test]
fn one_read_modify_write_more_is_seen() {
    let word = AtomicU32::new(0);
    let expected = Expected { operation: "load", stores: 0, exceptions: &[] };
    assert!(faults(&expected, &steady(|| recorded(|| word.load(Ordering::SeqCst)))).is_empty());
    let more = steady(|| recorded(|| word.fetch_or(1, Ordering::Relaxed)));
    assert!(faults(&expected, &more)[0].contains("rmw(\"benches/counts/tests/operations.rs\", 1,"));
    let mut turn = 0;
    let seldom = steady(|| {
        turn += 1;
        recorded(|| if turn % 64 == 0 { word.swap(0, Ordering::Relaxed) } else { word.load(Ordering::Relaxed) })
    });
    assert!(faults(&expected, &seldom)[0].contains("now and then 1 times"));
}

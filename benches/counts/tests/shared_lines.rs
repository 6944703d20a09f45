//! Cache lines that more than one worker writes while each of them minds its own business: none, but for those named here.
//!
//! Four threads sit at the four seats of one runtime and do the same purely local work at the same time. What each of them
//! writes is compared by line. A line that two of them write travels between their processors, whether they mean the same
//! word or neighbours.
#![cfg(weftwork_count)]

mod ledger;

use ledger::{Access, Kind, begin, file, in_task, now, recorded};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::{Barrier, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use weftwork::task::yield_now;
use weftwork::testing::{Seat, Stepper};
use weftwork::time::Duration;
use weftwork::{sleep, spawn};
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_sync::{Mutex, channel, coop, oneshot};

const WORKERS: usize = 4;
/// Rounds of work before the steady state.
const WARM_UP: usize = 100;
/// Rounds that are looked at; a round spawns [`SPAWNS`] tasks.
const ROUNDS: usize = 400;
/// Tasks that a round of work spawns, those that it works in among them.
const SPAWNS: usize = 12;

/// A line that several workers write, and why.
struct Exception {
    /// The file that asks for the write.
    at: &'static str,
    /// Writes by one worker during [`ROUNDS`], at most.
    at_most: usize,
    because: &'static str,
}

const EXCEPTIONS: &[Exception] = &[Exception {
    at: "runtime/src/task/id.rs",
    at_most: ROUNDS * SPAWNS / 1024 + 1,
    because: "a worker takes its next 1024 task identifiers",
}];

/// The waker of a task that waits for good at this seat.
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

/// What a server's worker does all day, none of which is anybody else's business.
fn work(seat: &Seat<'_>, waker: &Waker) {
    const LONG: Duration = Duration::from_secs(1_000);
    let cx = &mut Context::from_waker(Waker::noop());

    // Spawned, polled, complete, joined; a batch, so that the private queue is used.
    let mut tasks: Vec<_> = (0..4).map(|i| spawn(async move { i })).collect();
    assert_eq!(seat.steps(4), 4);
    for task in &mut tasks {
        assert!(Pin::new(task).poll(cx).is_ready());
    }
    // Awaited by a task that is woken by the end.
    let awaits = spawn(async { spawn(async {}).await.is_ok() });
    assert_eq!(seat.steps(3), 3);
    assert!(awaits.is_finished());
    // Woken and polled.
    let woken = waker.clone();
    in_task(seat, move |_| woken.wake());
    assert!(seat.step());
    // Two that yield to each other.
    let yields = [(); 2].map(|()| spawn(yield_now()));
    assert_eq!(seat.steps(4), 4);
    assert!(yields.iter().all(weftwork::JoinHandle::is_finished));
    // Timers, the budget, and what stays within one worker of channels and locks.
    in_task(seat, |cx| {
        let mut sleeps = [LONG, LONG * 2, LONG * 3].map(|time| Box::pin(sleep(time)));
        sleeps.iter_mut().for_each(|sleep| begin(sleep, cx));
    });
    in_task(seat, |cx| {
        let Poll::Ready(unit) = coop::proceed(cx, false) else { panic!("there is budget") };
        unit.made_progress();
    });
    in_task(seat, |cx| {
        let (sender, receiver) = oneshot::channel();
        assert!(sender.send(1).is_ok() && now(receiver, cx).is_ok());
        let (sender, receiver) = channel::bounded(2);
        assert!(now(sender.send(1), cx).is_ok() && now(receiver.recv(), cx).is_ok());
        drop(now(Mutex::new(0).lock(), cx));
    });
}

/// Does `work` on as many threads as there are workers, at the same time; what each did in the steady state.
fn side_by_side(
    work: impl Fn(usize, &dyn Fn(&mut dyn FnMut()) -> Vec<Access>) -> Vec<Access> + Sync,
) -> Vec<Vec<Access>> {
    let together = &Barrier::new(WORKERS);
    let work = &work;
    // Nobody goes on to free what another might then be given, before all have written down what they did.
    let watched = &move |steady: &mut dyn FnMut()| {
        together.wait();
        let accesses = recorded(steady);
        together.wait();
        accesses
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || work(worker, watched))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no worker panics")).collect()
    })
}

/// Of each line that more than one worker writes, the writes, by worker.
fn shared(workers: &[Vec<Access>]) -> BTreeMap<usize, Vec<(usize, Access)>> {
    let mut writers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let writes = |worker: usize| workers[worker].iter().filter(|access| access.writes());
    for worker in 0..workers.len() {
        for access in writes(worker) {
            writers.entry(access.line).or_default().insert(worker);
        }
    }
    let mut shared = BTreeMap::new();
    for worker in 0..workers.len() {
        for access in writes(worker).filter(|access| writers[&access.line].len() > 1) {
            shared.entry(access.line).or_insert_with(Vec::new).push((worker, *access));
        }
    }
    shared
}

/// Everything about shared lines that no exception explains.
fn faults(workers: &[Vec<Access>], exceptions: &[Exception]) -> Vec<String> {
    let mut faults = BTreeSet::new();
    let mut explained: BTreeMap<(&'static str, usize), usize> = BTreeMap::new();
    for (line, writes) in shared(workers) {
        for (worker, access) in &writes {
            match exceptions.iter().find(|exception| exception.at == file(access)) {
                Some(exception) => *explained.entry((exception.at, *worker)).or_insert(0) += 1,
                None => {
                    let others: BTreeSet<usize> =
                        writes.iter().map(|(other, _)| *other).filter(|other| other != worker).collect();
                    faults.insert(format!(
                        "line {line:#x}: worker {worker} writes it by {} ({:?}), and so do {others:?}",
                        access.by, access.kind
                    ));
                }
            }
        }
    }
    for ((at, worker), times) in explained {
        let Some(exception) = exceptions.iter().find(|exception| exception.at == at) else { continue };
        println!("worker {worker} writes a shared line {times} times by {at}: {}", exception.because);
        if times > exception.at_most {
            faults.insert(format!(
                "worker {worker} writes {times} times by {at}, and {} are explained",
                exception.at_most
            ));
        }
    }
    faults.into_iter().collect()
}

#[test]
fn a_worker_that_minds_its_own_business_writes_no_line_of_another() {
    let stepper = Stepper::new(WORKERS).expect("a runtime without threads can be built");
    let workers = side_by_side(|worker, watch| {
        stepper.sit(worker, |seat| {
            let waker = waiting(seat);
            (0..WARM_UP).for_each(|_| work(seat, &waker));
            watch(&mut || (0..ROUNDS).for_each(|_| work(seat, &waker)))
        })
    });
    for (worker, accesses) in workers.iter().enumerate() {
        let lines: BTreeSet<usize> =
            accesses.iter().filter(|access| access.writes()).map(|access| access.line).collect();
        let writes = accesses.iter().filter(|access| access.writes() && access.kind != Kind::Cell).count();
        println!("worker {worker}: {ROUNDS} rounds, {writes} writes to {} lines", lines.len());
    }
    let faults = faults(&workers, EXCEPTIONS);
    assert!(
        faults.is_empty(),
        "lines that more than one worker writes, {} in all:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn a_line_that_two_workers_write_is_seen() {
    let word = AtomicU64::new(0);
    let mine = thread_local_words();
    let workers = side_by_side(|worker, watch| {
        watch(&mut || {
            mine[worker].0.store(1, Ordering::Relaxed);
            if worker < 2 {
                word.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let all = faults(&workers, &[]);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].contains("worker 0 writes it by benches/counts/tests/shared_lines.rs"));
    let known = |at_most| [Exception { at: "benches/counts/tests/shared_lines.rs", at_most, because: "a test" }];
    assert!(faults(&workers, &known(1)).is_empty());
    assert_eq!(faults(&workers, &known(0)).len(), 2, "more often than is explained");
}

/// A word with lines of its own.
#[repr(align(128))]
struct Apart(AtomicU64);

fn thread_local_words() -> [Apart; WORKERS] {
    [(); WORKERS].map(|()| Apart(AtomicU64::new(0)))
}

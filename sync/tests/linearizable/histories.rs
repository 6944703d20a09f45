//! Histories of operations on real threads, and whether one order of them explains what all of them returned.
//!
//! A history is *linearizable* if each operation can be given one moment between its call and its return so that, executed one
//! after the other in the order of these moments, the sequential model gives what was given. The search is Wing's and Gong's, with
//! Lowe's memory: a set of operations that were put in order and the state they lead to is tried once.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

use crate::random::{Random, first_seed};
use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// What the primitive is, sequentially.
pub(crate) trait Model: Clone + Eq + Hash + Debug {
    /// An operation with its arguments and with what it returned.
    type Call: Debug + Clone + Send;

    /// Executes the call; `false` if it would have returned something else.
    fn explains(&mut self, call: &Self::Call) -> bool;
}

/// One operation, and when it was called and returned.
#[derive(Debug, Clone)]
pub(crate) struct Entry<C> {
    pub(crate) thread: usize,
    pub(crate) called: u64,
    pub(crate) returned: u64,
    pub(crate) call: C,
}

/// Whether some order of the calls explains the history. At most 64 calls.
pub(crate) fn is_linearizable<M: Model>(start: &M, history: &[Entry<M::Call>]) -> bool {
    assert!(history.len() <= 64, "the set of calls is a word");
    search(start, history, 0, &mut HashSet::new())
}

fn search<M: Model>(state: &M, history: &[Entry<M::Call>], ordered: u64, tried: &mut HashSet<(u64, M)>) -> bool {
    let left = || history.iter().enumerate().filter(|(at, _)| ordered >> at & 1 == 0);
    // Whoever was called after another one had returned comes after that.
    let Some(first_return) = left().map(|(_, entry)| entry.returned).min() else { return true };
    if !tried.insert((ordered, state.clone())) {
        return false;
    }
    left().filter(|(_, entry)| entry.called < first_return).any(|(at, entry)| {
        let mut next = state.clone();
        next.explains(&entry.call) && search(&next, history, ordered | 1 << at, tried)
    })
}

/// A primitive whose histories are looked at.
pub(crate) trait Subject: Send + Sync {
    type Model: Model;
    /// What one thread holds between its operations: permits, items.
    type Held<'a>: Default
    where
        Self: 'a;

    /// A fresh one, and its model.
    fn fresh(random: &mut Random) -> (Self, Self::Model)
    where
        Self: Sized;

    /// One operation drawn at random, recorded.
    fn step<'a>(&'a self, held: &mut Self::Held<'a>, random: &mut Random, record: &mut Record<CallOf<Self>>);
}

pub(crate) type CallOf<S> = <<S as Subject>::Model as Model>::Call;

/// What one thread did.
pub(crate) struct Record<C> {
    clock: Arc<AtomicU64>,
    thread: usize,
    entries: Vec<Entry<C>>,
}

impl<C> Record<C> {
    /// Does it and writes it down: `explain` makes the call of what was returned.
    pub(crate) fn of<R>(&mut self, operation: impl FnOnce() -> R, explain: impl FnOnce(&R) -> C) -> R {
        let called = self.clock.fetch_add(1, Ordering::SeqCst);
        let returned = operation();
        let returned_at = self.clock.fetch_add(1, Ordering::SeqCst);
        self.entries.push(Entry { thread: self.thread, called, returned: returned_at, call: explain(&returned) });
        returned
    }

    /// The operation that was written down last has a second moment.
    pub(crate) fn and(&mut self, call: C) {
        if let Some(Entry { thread, called, returned, .. }) = self.entries.last() {
            let (thread, called, returned) = (*thread, *called, *returned);
            self.entries.push(Entry { thread, called, returned, call });
        }
    }

    /// Which of the threads this is.
    pub(crate) fn thread(&self) -> usize {
        self.thread
    }
}

/// How often a future is polled before it is dropped.
pub(crate) fn polls(random: &mut Random) -> usize {
    1 + random.below(3)
}

/// Polls a future at most so many times, a moment between, and then drops it.
pub(crate) fn attempt<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
        (0..50).for_each(|_| std::hint::spin_loop());
    }
    None
}

const THREADS: usize = 3;
const OPERATIONS: usize = 6;

/// All threads meet here before any goes on. They spin, so that they leave at once; where there are fewer processors than threads
/// they let each other go.
struct Meeting {
    threads: usize,
    arrived: AtomicUsize,
}

impl Meeting {
    fn wait(&self) {
        let ticket = self.arrived.fetch_add(1, Ordering::SeqCst);
        let all = (ticket / self.threads + 1) * self.threads;
        let mut spins = 0u32;
        while self.arrived.load(Ordering::SeqCst) < all {
            spins += 1;
            if spins.is_multiple_of(64) { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
    }
}

/// How many histories of each primitive: `WEFTWORK_HISTORIES`, or a few.
fn histories() -> u64 {
    std::env::var("WEFTWORK_HISTORIES").map_or(200, |text| text.parse().expect("WEFTWORK_HISTORIES is a number"))
}

/// What the threads work on until they meet again.
struct Round<S> {
    seed: u64,
    subject: Arc<S>,
    clock: Arc<AtomicU64>,
}

impl<S> Clone for Round<S> {
    fn clone(&self) -> Self {
        Self { seed: self.seed, subject: self.subject.clone(), clock: self.clock.clone() }
    }
}

/// Records histories of a primitive and fails at the first that no order explains.
pub(crate) fn every_history_is_explained<S: Subject>() {
    let first = first_seed();
    let count = histories();
    let round: Mutex<Option<Round<S>>> = Mutex::new(None);
    let records = Mutex::new(Vec::new());
    let meeting = Meeting { threads: THREADS + 1, arrived: AtomicUsize::new(0) };
    let mut unexplained = None;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (round, records, meeting) = (&round, &records, &meeting);
            scope.spawn(move || {
                loop {
                    meeting.wait();
                    let Some(Round { seed, subject, clock }) = round.lock().unwrap().clone() else { return };
                    let mut random = Random::new(seed * THREADS as u64 + thread as u64);
                    let mut record = Record { clock, thread, entries: Vec::new() };
                    let mut held = S::Held::default();
                    meeting.wait();
                    for _ in 0..OPERATIONS {
                        subject.step(&mut held, &mut random, &mut record);
                        (0..random.below(30)).for_each(|_| std::hint::spin_loop());
                    }
                    records.lock().unwrap().extend(record.entries);
                    // What is held goes back after everybody is done: it is not recorded.
                    meeting.wait();
                }
            });
        }
        for seed in first..first + count {
            let (fresh, model) = S::fresh(&mut Random::new(seed));
            *round.lock().unwrap() = Some(Round { seed, subject: Arc::new(fresh), clock: Arc::default() });
            (0..3).for_each(|_| meeting.wait());
            let history = std::mem::take(&mut *records.lock().unwrap());
            if !is_linearizable(&model, &history) {
                unexplained = Some((seed, model, history));
                break;
            }
        }
        *round.lock().unwrap() = None;
        meeting.wait();
    });
    if let Some((seed, model, mut history)) = unexplained {
        history.sort_by_key(|entry| entry.called);
        let lines: Vec<_> = history.iter().map(|entry| format!("{entry:?}")).collect();
        panic!("WEFTWORK_SEED={seed}: no order explains, from {model:?},\n{}", lines.join("\n"));
    }
    println!("histories: {count} of {} from seed {first}", std::any::type_name::<S>());
}

/// The checker itself: what it accepts and what it rejects.
mod checker {
    use super::{Entry, Model, is_linearizable};

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Register(u8);

    #[derive(Debug, Clone)]
    enum Call {
        Write(u8),
        Read(u8),
    }

    impl Model for Register {
        type Call = Call;
        fn explains(&mut self, call: &Call) -> bool {
            match call {
                Call::Write(value) => {
                    self.0 = *value;
                    true
                }
                Call::Read(value) => self.0 == *value,
            }
        }
    }

    fn history(entries: &[(u64, u64, Call)]) -> Vec<Entry<Call>> {
        let entry = |(at, (called, returned, call)): (usize, &(u64, u64, Call))| Entry {
            thread: at,
            called: *called,
            returned: *returned,
            call: call.clone(),
        };
        entries.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn a_read_beside_a_write_may_see_either() {
        for seen in [0, 1] {
            let history = history(&[(0, 3, Call::Write(1)), (1, 2, Call::Read(seen))]);
            assert!(is_linearizable(&Register(0), &history));
        }
    }

    #[test]
    fn a_read_after_a_write_that_sees_the_old_value_is_rejected() {
        let history = history(&[(0, 1, Call::Write(1)), (2, 3, Call::Read(0))]);
        assert!(!is_linearizable(&Register(0), &history));
    }

    #[test]
    fn two_reads_that_see_the_new_and_then_the_old_value_are_rejected() {
        let calls = [(0, 9, Call::Write(1)), (1, 2, Call::Read(1)), (3, 4, Call::Read(0))];
        assert!(!is_linearizable(&Register(0), &history(&calls)));
        let calls = [(0, 9, Call::Write(1)), (1, 2, Call::Read(0)), (3, 4, Call::Read(1))];
        assert!(is_linearizable(&Register(0), &history(&calls)));
    }

    #[test]
    fn a_value_that_nobody_wrote_is_rejected() {
        let history = history(&[(0, 5, Call::Write(1)), (1, 4, Call::Write(2)), (2, 3, Call::Read(3))]);
        assert!(!is_linearizable(&Register(0), &history));
    }

    #[test]
    fn orders_that_several_calls_allow_are_all_searched() {
        // The reads say 2 was written before 1, whatever order the calls came in.
        let calls = [(0, 9, Call::Write(1)), (1, 8, Call::Write(2)), (2, 3, Call::Read(2)), (4, 5, Call::Read(1))];
        assert!(is_linearizable(&Register(0), &history(&calls)));
        let more = [&calls[..], &[(6, 7, Call::Read(2))]].concat();
        assert!(!is_linearizable(&Register(0), &history(&more)));
    }
}

//! The runtime that is counted, and what the operations work on.

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use weftwork::runtime::Builder;
use weftwork::sync::channel::{Receiver, Sender, bounded};
use weftwork::sync::{Mutex, RwLock, Semaphore};
use weftwork::testing::{ManualClock, Seat, Stepper};
use weftwork::time::Sleep;
use weftwork::{JoinHandle, Offload, to_thread};

use crate::operations::BATCH;

/// The worker's seat.
pub(crate) struct Rig<'a> {
    pub(crate) seat: &'a Seat<'a>,
}

/// What operations find and leave. It belongs to the thread, because a task of the runtime may not borrow it.
pub(crate) struct Table {
    pub(crate) handles: Vec<JoinHandle<u32>>,
    /// Of tasks that wait for good.
    pub(crate) waiting: Vec<Waker>,
    pub(crate) sleeps: Vec<Pin<Box<Option<Sleep>>>>,
    pub(crate) sender: Sender<u32>,
    pub(crate) receiver: Receiver<u32>,
    pub(crate) mutex: Mutex<u32>,
    pub(crate) rwlock: RwLock<u32>,
    pub(crate) semaphore: Semaphore,
    pub(crate) offloaded: Vec<Offload<()>>,
}

thread_local! {
    static TABLE: RefCell<Table> = RefCell::new(Table::new());
}

impl Table {
    fn new() -> Self {
        let (sender, receiver) = bounded(BATCH);
        Self {
            handles: Vec::with_capacity(BATCH),
            waiting: Vec::with_capacity(BATCH),
            sleeps: (0..BATCH).map(|_| Box::pin(None)).collect(),
            sender,
            receiver,
            mutex: Mutex::new(0),
            rwlock: RwLock::new(0),
            semaphore: Semaphore::new(1),
            offloaded: Vec::with_capacity(BATCH),
        }
    }
}

/// Sits down at the one worker of a new runtime.
pub(crate) fn run(f: impl FnOnce(&Rig<'_>)) {
    let clock = ManualClock::new();
    let builder = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).clock(&clock);
    let stepper = Stepper::build(builder).unwrap_or_else(|error| panic!("{error}"));
    stepper.sit(0, |seat| {
        let rig = Rig { seat };
        rig.have_tasks_wait();
        f(&rig);
    });
}

impl Rig<'_> {
    /// Does `operation` in one poll of a task, where most operations happen. Nothing else may be ready; what the operation
    /// makes ready is for the next steps.
    pub(crate) fn in_task(&self, operation: fn(&mut Table, &mut Context<'_>)) {
        let task = weftwork::spawn(poll_fn(move |cx| {
            TABLE.with(|table| operation(&mut table.borrow_mut(), cx));
            Poll::Ready(())
        }));
        assert!(
            self.seat.step() && task.is_finished(),
            "an operation takes one poll, and nothing else is ready before it"
        );
    }

    /// Starts the tasks that are woken and polled, and never end.
    fn have_tasks_wait(&self) {
        for _ in 0..BATCH {
            let wait = async {
                let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                TABLE.with(|table| table.borrow_mut().waiting.push(waker));
                pending::<()>().await;
            };
            weftwork::spawn(wait).detach();
        }
        self.seat.run_ready();
    }

    /// Does `operation` in a task while the pool's one thread is inside of a call, so that what is given to it waits.
    pub(crate) fn in_task_with_the_pool_busy(&self, operation: fn(&mut Table, &mut Context<'_>)) {
        let (begun, has_begun) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let (done, all_done) = mpsc::channel();
        // An error at any end means that the other is gone, which is all there is to wait for.
        let busy = started(to_thread(move || {
            let _ = begun.send(());
            let _ = gate.recv();
        }));
        let _ = has_begun.recv();
        self.in_task(operation);
        let last = started(to_thread(move || drop(done)));
        drop(open);
        let _: Result<(), _> = all_done.recv();
        TABLE.with(|table| table.borrow_mut().offloaded.clear());
        drop((busy, last));
    }
}

/// A call is given to the pool by the first poll.
fn started(mut offload: Offload<()>) -> Offload<()> {
    let _ = Pin::new(&mut offload).poll(&mut Context::from_waker(Waker::noop()));
    offload
}

//! One execution: a core is made, its body is polled by worker 0, what the body leaves behind is cancelled, and everybody goes home.
//!
//! The end is that of a run: tasks that belong to no group first, then all (see `wind_down.rs`, whose looks are used). Time passes
//! meanwhile as ever, without a grace: a clean-up that never ends fails the execution.
//!
//! A panic is a finding of the checker, which ends the search. Nothing of the execution is let go of then: its destructors would be
//! operations of an execution that is over.

use super::record::Record;
use super::{Coarse, Core, Hall};
use crate::platform::clock::ManualTime;
use crate::scheduler::OUTSIDE;
use crate::scheduler::bare::Bare;
use crate::scheduler::wind_down::Stage;
use crate::scope::frame;
use crate::task::{CancelCause, CancelKind, JoinHandle, Spec};
use core::cell::Cell;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::panic::Location;
use std::rc::Rc;
use weftwork_sync::primitive::{Shared, thread};

/// How the threads of an execution are shared out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threads {
    /// Threads that poll, the one that starts the execution among them.
    pub(crate) workers: usize,
    /// Threads for closures that block, at most.
    pub(crate) blocking: usize,
}

/// Runs `body` and everything that it starts to the end.
pub(crate) fn run<F: Future<Output = ()> + 'static>(
    threads: Threads,
    record: &Record,
    body: F,
    at: &'static Location<'static>,
) {
    record.begin();
    let bare = Bare {
        workers: 0,
        spares: 0,
        multi: true,
        watched: false,
        time: Shared::new(ManualTime::jumping()),
        coarse: Coarse::new(threads.workers, threads.blocking, record.clone()),
        // A search would tell the same thousands of times; what a body wants to know it awaits.
        on_unhandled: Some(Box::new(|_| {})),
    };
    // Let go of below, if nothing was found.
    let core = ManuallyDrop::new(bare.core());
    let others: Vec<_> = (1..threads.workers).map(|me| start_worker(&core, me)).collect();
    let hall = core.coarse.hall();
    super::seat::sit(&core, super::Place::Worker(0), || {
        frame::outside(|| {
            poll_body(&core, hall, body, at);
            record.over();
            hall.desk.lock().ending = true;
            end_tasks(&core, hall, at);
        });
    });
    for thread in others.into_iter().chain(hall.close()) {
        if let Err(payload) = thread.join() {
            std::panic::resume_unwind(payload);
        }
    }
    drop(ManuallyDrop::into_inner(core));
}

fn start_worker(core: &Shared<Core>, me: usize) -> thread::JoinHandle<()> {
    let theirs = ManuallyDrop::new(core.clone());
    let started = thread::spawn_deep(format!("model-{me}"), move || {
        theirs.coarse.hall().work(&theirs, me);
        drop(ManuallyDrop::into_inner(theirs));
    });
    match started {
        Ok(thread) => thread,
        Err(error) => panic!("a model's thread always starts: {error}"),
    }
}

/// Says that the body is gone, when it is dropped with it.
struct Ends(Rc<Cell<bool>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

/// Worker 0 until the body has ended.
fn poll_body<F>(core: &Shared<Core>, hall: &Hall, body: F, at: &'static Location<'static>)
where
    F: Future<Output = ()> + 'static,
{
    let ended = Rc::new(Cell::new(false));
    let ends = Ends(ended.clone());
    let body = async move {
        let _ends = ends;
        body.await;
    };
    let spec = Spec::new(at, OUTSIDE, true);
    // SAFETY: pinned to worker 0, which is this thread; it borrows nothing.
    let task = unsafe { Core::spawn(core, body, spec, "body") };
    // SAFETY: a new task with that output.
    let mut handle: JoinHandle<()> = unsafe { JoinHandle::from_ptr(task) };
    while !ended.get() {
        match hall.next(core, 0) {
            Some(task) => hall.poll(0, task),
            None => unreachable!("nobody sends worker 0 home before the body has ended"),
        }
    }
    if let Some(Err(error)) = handle.try_take() {
        panic!("the body did not end: {error}");
    }
}

/// Cancels what is left, and lets it end.
fn end_tasks(core: &Shared<Core>, hall: &Hall, at: &'static Location<'static>) {
    let mut cause = CancelCause::new(CancelKind::Shutdown);
    (cause.by, cause.at) = (None, at);
    for stage in [Stage::LetGo, Stage::Everybody] {
        let mut last = usize::MAX;
        loop {
            let left = core.look_who_is_left(stage, None, &cause);
            if left == 0 {
                break;
            }
            assert!(
                left < last,
                "nothing can run any more, and tasks that the body left behind have not cleaned up:{}",
                core.tasks_that_wait()
            );
            last = left;
            while let Some(task) = hall.next(core, 0) {
                hall.poll(0, task);
            }
        }
    }
}

//! One run of a test: what `#[weftwork::test]` expands to, and what tests with a harness of their own build on.

use super::settle::settle;
use crate::context;
use crate::runtime::{Builder, RunError};
use crate::scheduler::Core;
use crate::task::{TaskId, cell};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::future::poll_fn;
use weftwork_sync::primitive::Shared;

/// How often [`settle`] may look, when a test ends, before what is still running then counts as left over.
const LOOKS: u32 = 20_000;

/// Runs a test body on a runtime of its own, and says more than its panic when it fails.
///
/// When the body panics, the tasks that were there are printed, and the seed if there was one. When it returns, what can run is
/// run, and tasks that are there then make the test fail, by name and place: such a task outlives what started it, and would
/// be cancelled at the end of a program. On a [virtual clock](Builder::virtual_clock) a test that can never go on fails too.
///
/// This is what [`#[weftwork::test]`](macro@crate::test) expands to.
///
/// ```
/// use weftwork::runtime::Builder;
/// use weftwork::testing::Trial;
/// use weftwork::time::Duration;
///
/// let an_hour = Duration::from_secs(3_600);
/// Trial::new(Builder::new_current_thread()).virtual_clock().seed(7).run(weftwork::sleep(an_hour)).unwrap();
/// ```
#[must_use = "a trial does nothing until run()"]
#[derive(Debug)]
pub struct Trial {
    builder: Builder,
    seed: Option<u64>,
    leaks: bool,
}

impl Trial {
    /// On a runtime as `builder` says.
    pub fn new(builder: Builder) -> Self {
        Self { builder, seed: None, leaks: false }
    }

    /// On a [virtual clock](Builder::virtual_clock).
    pub fn virtual_clock(self) -> Self {
        Self { builder: self.builder.virtual_clock(), ..self }
    }

    /// With the order of this [seed](Builder::seed), or of the one that the environment gives as `WEFTWORK_SEED`.
    ///
    /// # Panics
    /// If that is no number.
    pub fn seed(self, seed: u64) -> Self {
        let seed = match std::env::var("WEFTWORK_SEED") {
            Err(_) => seed,
            Ok(text) => match text.trim().parse() {
                Ok(seed) => seed,
                Err(_) => panic!("WEFTWORK_SEED is {text:?}, but has to be a number, as a failed test prints it"),
            },
        };
        Self { builder: self.builder.seed(seed), seed: Some(seed), ..self }
    }

    /// Tasks may be left when the body returns; they are cancelled.
    pub fn allow_leaks(self) -> Self {
        Self { leaks: true, ..self }
    }

    /// Runs it.
    ///
    /// # Errors
    /// As [`Builder::run`].
    ///
    /// # Panics
    /// With the body; if it leaves tasks; and if it can never go on.
    #[track_caller]
    pub fn run<F: Future>(self, body: F) -> Result<F::Output, RunError> {
        let _seed = self.seed.map(ToldOnPanic);
        let leaks = self.leaks;
        self.builder.run(async move {
            let tasks = TasksOnPanic;
            let mut body = pin!(body);
            let mut stuck = Stuck;
            let output = poll_fn(|cx| {
                if let Poll::Ready(output) = body.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                match Pin::new(&mut stuck).poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => panic!(
                        "nothing can run, and nobody waits for a timer: if another thread is to wake a task, hold the \
                         clock meanwhile (ManualClock::hold)"
                    ),
                }
            })
            .await;
            if !leaks {
                let left = left_over().await;
                core::mem::forget(tasks);
                assert!(
                    left.is_empty(),
                    "the test has returned, but tasks are left (join or cancel them, or allow them by `leaks = true`):\n{}",
                    Lines(&left)
                );
            }
            output
        })
    }
}

/// Resolves when nothing will ever happen any more, on a clock that jumps.
struct Stuck;

impl Future for Stuck {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let gone = context::with_current(|core| core.jumps.as_ref().is_some_and(|jumps| jumps.mourns(cx.waker())));
        if gone == Some(true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A task, for whoever reads about it.
#[derive(Debug)]
struct Left {
    id: TaskId,
    name: Option<String>,
    spawned_at: &'static Location<'static>,
}

struct Lines<'a>(&'a [Left]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, task) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "  {}", task.id)?;
            if let Some(name) = &task.name {
                write!(f, " `{name}`")?;
            }
            write!(f, ", spawned at {}", task.spawned_at)?;
        }
        Ok(())
    }
}

/// What is there beside the calling task once nothing can run.
async fn left_over() -> Vec<Left> {
    let mut settled = settle();
    let mut looks = 0;
    poll_fn(|cx| {
        looks += 1;
        if looks > LOOKS || others().is_empty() { Poll::Ready(()) } else { Pin::new(&mut settled).poll(cx) }
    })
    .await;
    others()
}

/// The current runtime's tasks without the one that asks.
fn others() -> Vec<Left> {
    let me = context::current_task();
    let mut all = context::current().map_or_else(Vec::new, |core| incomplete(&core));
    all.retain(|task| Some(task.id) != me);
    all.sort_by_key(|task| task.id);
    all
}

fn incomplete(core: &Shared<Core>) -> Vec<Left> {
    let mut all = Vec::new();
    let mut look = |owned: &crate::task::owned::OwnedList| {
        owned.for_each(|task| {
            // SAFETY: in a list that nobody changes meanwhile, and so alive.
            let header = unsafe { task.as_ref() };
            if !header.state.is_complete() {
                // SAFETY: as above.
                let name = unsafe { cell::name(task) }.map(str::to_owned);
                all.push(Left { id: header.spec.id, name, spawned_at: header.spec.location });
            }
        });
    };
    look(&core.outside.lock().owned);
    for slot in &core.slots {
        slot.local.take(|local| look(&local.owned));
    }
    all
}

/// Prints the tasks if the body panics.
struct TasksOnPanic;

impl Drop for TasksOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let tasks = others();
            if !tasks.is_empty() {
                eprintln!("the tasks beside the one that failed:\n{}", Lines(&tasks));
            }
        }
    }
}

/// Prints the seed if the run fails.
struct ToldOnPanic(u64);

impl Drop for ToldOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it failed with the seed {0}: WEFTWORK_SEED={0} runs it in the same order again", self.0);
        }
    }
}

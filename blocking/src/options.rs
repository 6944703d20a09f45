//! What can be said about a job when it is submitted, and what is remembered of it while it lives.

use crate::cell::bury;
use crate::running::JobInfo;
use core::fmt;
use core::task::Waker;
use std::borrow::Cow;
use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared, contain};

/// What becomes of a job when its pool is shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ShutdownPolicy {
    /// Dropped if it has not begun; not waited for if it has. For work that may block for ever, such as reading a
    /// terminal.
    Abandon,
    /// Dropped if it has not begun; waited for if it has.
    #[default]
    Wait,
    /// Run in any case, also if it is still queued, and waited for. For what must not be lost, such as a flush.
    MustRun,
}

/// A job's name and what becomes of it at shutdown.
///
/// ```
/// use weftwork_blocking::{JobOptions, ShutdownPolicy, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// let options = JobOptions::new().name("flush the journal").shutdown_policy(ShutdownPolicy::MustRun);
/// let job = pool.submit_with(options, || 7);
/// drop(pool);
/// assert_eq!(job.wait().unwrap(), 7);
/// ```
#[derive(Debug, Clone, Default)]
pub struct JobOptions {
    name: Option<Cow<'static, str>>,
    policy: ShutdownPolicy,
}

impl JobOptions {
    /// No name, and waited for at shutdown once begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// What logs, `Debug` and [`StillRunning`](crate::StillRunning) call the job. Without one it is the closure's path.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What becomes of the job when its pool is shut down.
    #[must_use]
    pub fn shutdown_policy(mut self, policy: ShutdownPolicy) -> Self {
        self.policy = policy;
        self
    }
}

/// A name that is cheap to clone: it is copied into the pool's books whenever its job starts.
#[derive(Clone)]
pub(crate) enum Name {
    Static(&'static str),
    Owned(Shared<String>),
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Static(name) => name,
            Self::Owned(name) => name,
        }
    }
}

/// What is known of a job from its submission to its end.
pub(crate) struct Description {
    id: u64,
    name: Name,
    policy: ShutdownPolicy,
    /// `ASKED` to stop; somebody `LISTENS`.
    stop: AtomicU32,
    /// The thread inside of the job, where it waits for something, and is to hear that it is asked to stop.
    listens: Mutex<Option<Waker>>,
}

const ASKED: u32 = 1;
const LISTENS: u32 = 2;

static LAST_ID: Counter = Counter::new(0);

impl Description {
    pub(crate) fn new(options: JobOptions, closure: &'static str) -> Self {
        let name = match options.name {
            None => Name::Static(closure),
            Some(Cow::Borrowed(name)) => Name::Static(name),
            Some(Cow::Owned(name)) => Name::Owned(Shared::new(name)),
        };
        let (stop, listens) = (AtomicU32::new(0), Mutex::new(None));
        Self { id: LAST_ID.add(1) + 1, name, policy: options.policy, stop, listens }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn policy(&self) -> ShutdownPolicy {
        self.policy
    }

    pub(crate) fn info(&self) -> JobInfo {
        JobInfo { id: self.id, name: self.name.clone() }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn ask_to_stop(&self) {
        // Ordering: AcqRel pairs with is_asked_to_stop: the closure sees what its caller did before it cancelled. That somebody listens is
        // in the same word, so of two who come at once the second sees the first: here the waker is called, or there the question seen.
        if self.stop.fetch_or(ASKED, Ordering::AcqRel) & LISTENS != 0 {
            self.tell();
        }
    }

    #[cold]
    fn tell(&self) {
        let listens = self.listens.lock().take();
        if let Some(waker) = listens {
            bury(contain(|| waker.wake()));
        }
    }

    /// Whether it is asked to stop; otherwise `waker` is called when it is.
    pub(crate) fn poll_asked_to_stop(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let before = self.listens.lock().replace(waker);
        drop(before);
        // Ordering: AcqRel pairs with ask_to_stop; the lock hands over the waker.
        self.stop.fetch_or(LISTENS, Ordering::AcqRel) & ASKED != 0
    }

    pub(crate) fn is_asked_to_stop(&self) -> bool {
        // Ordering: Acquire pairs with the Release of ask_to_stop.
        self.stop.load(Ordering::Acquire) & ASKED != 0
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description").field("id", &self.id).field("name", &self.name()).finish_non_exhaustive()
    }
}

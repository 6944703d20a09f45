//! All task locals together.

use super::place::{self, Held, Place};
use super::scope::LocalScope;
use super::values::{Name, Value, Values};
use core::fmt;
use core::future::Future;
use weftwork_sync::primitive::{Mutex, Shared};

/// A list that several places look into.
pub(crate) struct Joint(Mutex<Values>);

impl Joint {
    pub(super) fn values(&self) -> Values {
        self.0.lock().clone()
    }

    pub(super) fn set(&self, name: Name, value: Option<Value>) {
        let mut values = self.0.lock();
        let changed = values.changed(name, value);
        let before = core::mem::replace(&mut *values, changed);
        drop(values);
        // Values are foreign code.
        drop(before);
    }
}

/// The values of all task locals, to run several pieces of code with the same ones.
///
/// A task has a copy of its spawner's values, so what one sets the other does not see. Code that runs with the same `Locals` shares
/// them instead: a task spawned with [`Builder::locals`](super::super::Builder::locals), a future in [`scope`](Self::scope), a closure in
/// [`run`](Self::run). A clone of a `Locals` shares too; [`copy`](Self::copy) does not.
///
/// asyncio's counterpart is `contextvars.Context`; tokio has none.
///
/// ```
/// use weftwork::task::{self, Locals};
/// weftwork::task_local! { static COUNT: u32 = 0; }
/// weftwork::run(async {
///     let shared = Locals::new();
///     let add = || async { COUNT.set(COUNT.get() + 1) };
///     task::Builder::new().locals(&shared).spawn(add()).unwrap().await.unwrap();
///     task::Builder::new().locals(&shared).spawn(add()).unwrap().await.unwrap();
///     assert_eq!(shared.run(|| COUNT.get()), 2);
///     assert_eq!(COUNT.get(), 0, "this task has its own");
/// });
/// ```
#[doc(alias("Context", "copy_context"))]
#[derive(Clone)]
pub struct Locals {
    joint: Shared<Joint>,
}

impl Locals {
    fn of(values: Values) -> Self {
        Self { joint: Shared::new(Joint(Mutex::new(values))) }
    }

    /// No values.
    pub fn new() -> Self {
        Self::of(Values::default())
    }

    /// A copy of the values of the code that calls it, none where there are none.
    ///
    /// asyncio's counterpart is `contextvars.copy_context`.
    pub fn current() -> Self {
        Self::of(place::copy())
    }

    /// The same values, of which neither sees what the other's are set to later.
    pub fn copy(&self) -> Self {
        Self::of(self.joint.values())
    }

    /// Calls `f` with these values, on any thread; what it sets stays in them.
    ///
    /// ```
    /// use weftwork::task::Locals;
    /// weftwork::task_local! { static NAME: &'static str = "nobody"; }
    /// let locals = Locals::new();
    /// locals.run(|| NAME.set("ada"));
    /// assert_eq!(locals.run(|| NAME.get()), "ada");
    /// assert_eq!(NAME.get(), "nobody");
    /// ```
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        place::within(&Place::holding(self.held()), f)
    }

    /// Runs a future with these values; what it sets stays in them.
    pub fn scope<F: Future>(&self, future: F) -> LocalScope<F> {
        LocalScope::at(Place::holding(self.held()), future)
    }

    /// How many variables have a value.
    #[allow(clippy::len_without_is_empty, reason = "is_empty follows")]
    pub fn len(&self) -> usize {
        self.joint.values().len()
    }

    /// Whether no variable has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn held(&self) -> Held {
        Held::Joint(self.joint.clone())
    }
}

impl Default for Locals {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locals").field("len", &self.len()).finish()
    }
}

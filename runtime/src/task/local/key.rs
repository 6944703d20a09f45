//! One variable whose value each task has for itself.

use super::place;
use super::scope::LocalScope;
use super::values::{Name, Value};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;

/// Declares variables whose values each task has for itself, and hands on to the tasks it spawns.
///
/// With `= value` behind the type, that is what is read where nothing was set. A value is shared between the tasks that inherited it
/// and so has to be `Send` and `Sync`; what one task [sets](LocalKey::set) no other sees, but those that it spawns from then on.
///
/// asyncio's counterpart is `contextvars.ContextVar`; tokio's is `tokio::task_local!`, whose values are not inherited.
///
/// ```
/// weftwork::task_local! {
///     /// Which request the task works for.
///     static REQUEST: u64;
///     static VERBOSE: bool = false;
/// }
/// weftwork::run(async {
///     REQUEST.set(7);
///     let child = weftwork::spawn(async { (REQUEST.get(), VERBOSE.get()) });
///     REQUEST.set(8);
///     assert_eq!(child.await.unwrap(), (7, false), "as it was when the child was spawned");
/// });
/// ```
#[doc(alias("ContextVar", "contextvars"))]
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident : $type:ty = $default:expr; $($rest:tt)*) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> =
            $crate::task::LocalKey::__new(::core::stringify!($name), ::core::option::Option::Some(|| $default));
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident : $type:ty = $default:expr) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $type = $default;);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident : $type:ty; $($rest:tt)*) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> =
            $crate::task::LocalKey::__new(::core::stringify!($name), ::core::option::Option::None);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident : $type:ty) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $type;);
    };
}

/// A variable whose value each task has for itself; declared by [`task_local!`](crate::task_local).
///
/// Values are looked up where the code runs: in the innermost [`scope`](Self::scope) around it, otherwise in its task. A closure given
/// to `to_thread` or `run_in_executor` has a copy of its caller's. Other threads have none, but in [`sync_scope`](Self::sync_scope) and
/// [`Locals::run`](super::Locals::run).
///
/// asyncio's counterpart is `contextvars.ContextVar`, tokio's is `tokio::task::LocalKey`.
pub struct LocalKey<T: 'static> {
    name: &'static str,
    default: Option<fn() -> T>,
    value: PhantomData<fn() -> T>,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn __new(name: &'static str, default: Option<fn() -> T>) -> Self {
        Self { name, default, value: PhantomData }
    }

    fn key(&'static self) -> Name {
        Name(core::ptr::from_ref(self).addr())
    }

    fn error(&self, why: Why) -> AccessError {
        AccessError { name: self.name, why }
    }
}

impl<T: Send + Sync + 'static> LocalKey<T> {
    /// Runs a future with this value.
    ///
    /// The future has values of its own from its first poll on, a copy of those around it and this one: what is set inside is not seen
    /// outside. Tasks that are spawned inside inherit it.
    ///
    /// # Cancel safety
    /// As the future's own, which is dropped inside of its scope.
    ///
    /// tokio's counterpart is `LocalKey::scope`, asyncio's is `with var.set(value)`.
    ///
    /// ```
    /// weftwork::task_local! { static DEPTH: u32 = 0; }
    /// weftwork::run(async {
    ///     assert_eq!(DEPTH.scope(1, async { DEPTH.get() }).await, 1);
    ///     assert_eq!(DEPTH.get(), 0);
    /// });
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> LocalScope<F> {
        LocalScope::with_value(self.key(), Value::new(value), future)
    }

    /// Calls `f` with this value; as [`scope`](Self::scope), and on any thread.
    ///
    /// ```
    /// weftwork::task_local! { static USER: &'static str; }
    /// assert_eq!(USER.sync_scope("ada", || USER.get()), "ada");
    /// ```
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let values = place::copy().changed(self.key(), Some(Value::new(value)));
        place::with_values(values, f)
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    /// If there is none, and no default.
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(out) => out,
            Err(error) => panic!("{error}"),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    /// There is none, and no default.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let look = |value: Option<&T>| match (value, self.default) {
            (Some(value), _) => Ok(f(value)),
            (None, Some(default)) => Ok(f(&default())),
            (None, None) => Err(self.error(Why::Unset)),
        };
        place::with_current(|place| match place {
            Some(place) => place.read(self.key(), look),
            None => look(None),
        })
    }

    /// A clone of the value.
    ///
    /// # Panics
    /// If there is none, and no default.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A clone of the value.
    ///
    /// # Errors
    /// There is none, and no default.
    pub fn try_get(&'static self) -> Result<T, AccessError>
    where
        T: Clone,
    {
        self.try_with(T::clone)
    }

    /// Sets the value for the code that runs here from now on: for the scope that is innermost, or for the task, and for the tasks
    /// that it spawns from now on.
    ///
    /// # Panics
    /// On a thread that is neither inside of a task nor of a scope.
    ///
    /// asyncio's counterpart is `ContextVar.set`; tokio has none.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        if let Err(error) = self.try_set(value) {
            panic!("{error}");
        }
    }

    /// As [`set`](Self::set).
    ///
    /// # Errors
    /// The calling thread is neither inside of a task nor of a scope.
    pub fn try_set(&'static self, value: T) -> Result<(), AccessError> {
        self.change(Some(Value::new(value)))
    }

    /// Takes the value away, so that the default counts again, if there is one; elsewhere than in a task or a scope it does nothing.
    ///
    /// asyncio's counterpart is `ContextVar.reset`.
    #[doc(alias = "reset")]
    pub fn unset(&'static self) {
        // There is nothing to take away where nothing can be set.
        let _ = self.change(None);
    }

    fn change(&'static self, value: Option<Value>) -> Result<(), AccessError> {
        place::with_own(|place| match place {
            Some(place) => {
                place.set(self.key(), value);
                Ok(())
            }
            None => Err(self.error(Why::Nowhere)),
        })
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalKey({})", self.name)
    }
}

/// A task local has no value here, or cannot be set here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError {
    name: &'static str,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Unset,
    Nowhere,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        match self.why {
            Why::Unset => write!(
                f,
                "the task local {name} has no value here: set it in the task or in the one that spawns it, or declare a default"
            ),
            Why::Nowhere => {
                write!(
                    f,
                    "the task local {name} cannot be set outside of a task: use sync_scope, or run the code in a task"
                )
            }
        }
    }
}

impl std::error::Error for AccessError {}

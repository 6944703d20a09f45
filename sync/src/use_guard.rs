//! A thing that one task at a time may use, where a second is a mistake to be told about and not somebody to wait.
//!
//! The word is the place of whoever uses it now, null if nobody does: taken by one compare-exchange and given back by one
//! store, and the one that comes too late finds in it what to say.

use crate::primitive::atomic::{AtomicPtr, Ordering};
use crate::weft_const_fn;
use core::fmt;
use core::panic::Location;
use core::ptr;

/// A detector of concurrent use: the first to [enter](Self::enter) is let in, and whoever comes before it has left gets an error
/// that names the place of the first.
///
/// It is for what two tasks must not do at once because the result would be a mixture, and where waiting would only hide that:
/// two readers of one stream, two writers of one file. What is to be shared belongs into a [`Mutex`](crate::Mutex).
///
/// # Counterparts
/// anyio's `ResourceGuard`; asyncio's "another coroutine is already waiting for incoming data".
///
/// # Examples
/// ```
/// use weftwork_sync::UseGuard;
///
/// struct Inbox {
///     reading: UseGuard,
/// }
///
/// let inbox = Inbox { reading: UseGuard::new("reading from the inbox") };
/// let first = inbox.reading.enter().expect("nobody reads yet");
/// let error = inbox.reading.enter().expect_err("one reads");
/// assert!(error.to_string().contains("reading from the inbox"));
/// drop(first);
/// assert!(inbox.reading.enter().is_ok());
/// ```
#[doc(alias("ResourceGuard", "ConflictDetector"))]
pub struct UseGuard {
    action: &'static str,
    user: AtomicPtr<Location<'static>>,
}

impl UseGuard {
    weft_const_fn! {
        /// A guard that nobody is inside of; `action` says what they do there, as in "reading from the socket".
        ///
        /// # Examples
        /// ```
        /// static PRINTING: weftwork_sync::UseGuard = weftwork_sync::UseGuard::new("printing");
        /// assert!(!PRINTING.is_in_use());
        /// ```
        pub fn new(action: &'static str) -> Self {
            Self { action, user: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    /// Goes in, until what it returns is dropped.
    ///
    /// # Errors
    /// [`InUseError`] if somebody is inside.
    ///
    /// # Examples
    /// ```
    /// let printing = weftwork_sync::UseGuard::new("printing");
    /// let inside = printing.enter()?;
    /// assert!(printing.enter().is_err());
    /// # drop(inside);
    /// # Ok::<(), weftwork_sync::InUseError>(())
    /// ```
    #[track_caller]
    pub fn enter(&self) -> Result<InUse<'_>, InUseError> {
        let here = ptr::from_ref(Location::caller()).cast_mut();
        // Ordering: Acquire pairs with the Release of whoever left: what it did is seen.
        match self.user.compare_exchange(ptr::null_mut(), here, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(InUse { guard: self }),
            // SAFETY: what is not null is a place, and places are constants of the program.
            Err(first) => Err(InUseError { action: self.action, first: unsafe { &*first } }),
        }
    }

    /// Whether somebody is inside.
    ///
    /// # Examples
    /// ```
    /// assert!(!weftwork_sync::UseGuard::new("printing").is_in_use());
    /// ```
    pub fn is_in_use(&self) -> bool {
        !self.user.load(Ordering::Relaxed).is_null()
    }
}

impl fmt::Debug for UseGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: as in enter.
        let user = unsafe { self.user.load(Ordering::Relaxed).as_ref() };
        f.debug_struct("UseGuard").field("action", &self.action).field("user", &user.map(ToString::to_string)).finish()
    }
}

/// The right to use what a [`UseGuard`] stands before; dropping it lets the next in.
///
/// # Examples
/// ```
/// let printing = weftwork_sync::UseGuard::new("printing");
/// let inside = printing.enter().expect("nobody prints");
/// drop(inside);
/// assert!(!printing.is_in_use());
/// ```
#[must_use = "the next is let in at once when this is dropped"]
pub struct InUse<'a> {
    guard: &'a UseGuard,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire of whoever enters next.
        self.guard.user.store(ptr::null_mut(), Ordering::Release);
    }
}

impl fmt::Debug for InUse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InUse").field("action", &self.guard.action).finish_non_exhaustive()
    }
}

/// Two did at once what only one may.
///
/// # Examples
/// ```
/// let printing = weftwork_sync::UseGuard::new("printing");
/// let inside = printing.enter().expect("nobody prints");
/// assert_eq!(printing.enter().expect_err("one prints").first().file(), file!());
/// # drop(inside);
/// ```
#[doc(alias = "BusyResourceError")]
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct InUseError {
    action: &'static str,
    first: &'static Location<'static>,
}

impl InUseError {
    /// Where the one entered that is inside.
    ///
    /// # Examples
    /// ```
    /// let printing = weftwork_sync::UseGuard::new("printing");
    /// let _inside = printing.enter();
    /// assert!(printing.enter().is_err_and(|error| error.first().line() > 0));
    /// ```
    pub fn first(&self) -> &'static Location<'static> {
        self.first
    }
}

impl fmt::Display for InUseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "somebody is {} already, since {}: let one task do it and send it what others want done, or share it by a Mutex",
            self.action, self.first
        )
    }
}

impl std::error::Error for InUseError {}

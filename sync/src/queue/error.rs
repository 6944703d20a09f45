//! Why nothing was put or got.

use core::fmt;

/// The queue was shut down; holds the item that was not put.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let queue = weftwork_sync::Queue::unbounded();
/// queue.shutdown(false);
/// assert_eq!(queue.put(7).await.map_err(|error| error.into_inner()), Err(7));
/// # });
/// ```
#[doc(alias("QueueShutDown", "asyncio.QueueShutDown"))]
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutError<T>(pub(super) T);

impl<T> PutError<T> {
    /// The item that was not put.
    ///
    /// # Examples
    /// ```
    /// let queue = weftwork_sync::Queue::unbounded();
    /// queue.shutdown(false);
    /// assert_eq!(queue.blocking_put('a').expect_err("shut down").into_inner(), 'a');
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PutError(..)")
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue was shut down and takes no more items: stop putting; into_inner gives the item back")
    }
}

impl<T> std::error::Error for PutError<T> {}

/// Why an item was not put at once; holds the item.
///
/// # Examples
/// ```
/// use weftwork_sync::queue::{Queue, TryPutError};
/// let queue = Queue::bounded(1);
/// assert_eq!(queue.try_put('a'), Ok(()));
/// assert_eq!(queue.try_put('b'), Err(TryPutError::Full('b')));
/// ```
#[doc(alias("QueueFull", "asyncio.QueueFull"))]
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryPutError<T> {
    /// There is no room now.
    Full(T),
    /// The queue was shut down.
    ShutDown(T),
}

impl<T> TryPutError<T> {
    /// The item that was not put.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::queue::{Queue, TryPutError};
    /// let queue = Queue::bounded(1);
    /// queue.shutdown(false);
    /// assert_eq!(queue.try_put('a').map_err(TryPutError::into_inner), Err('a'));
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::ShutDown(item) => item,
        }
    }
}

impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::ShutDown(_) => "ShutDown(..)",
        })
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full: await put, or drop the item and count it",
            Self::ShutDown(_) => "the queue was shut down and takes no more items: stop putting",
        })
    }
}

impl<T> std::error::Error for TryPutError<T> {}

/// The queue was shut down and holds no more items.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let queue = weftwork_sync::Queue::<u8>::unbounded();
/// queue.shutdown(false);
/// assert!(queue.get().await.is_err());
/// # });
/// ```
#[doc(alias("QueueShutDown", "asyncio.QueueShutDown"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetError(pub(super) ());

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue was shut down and is empty: no item will come; end the loop")
    }
}

impl std::error::Error for GetError {}

/// Why no item was got at once.
///
/// # Examples
/// ```
/// use weftwork_sync::queue::{Queue, TryGetError};
/// let queue = Queue::<u8>::unbounded();
/// assert_eq!(queue.try_get().err(), Some(TryGetError::Empty));
/// queue.shutdown(false);
/// assert_eq!(queue.try_get().err(), Some(TryGetError::ShutDown));
/// ```
#[doc(alias("QueueEmpty", "asyncio.QueueEmpty"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryGetError {
    /// There is nothing now, or only what is kept for somebody who has come too late often enough.
    Empty,
    /// The queue was shut down and holds no more items.
    ShutDown,
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty: await get, or try again later",
            Self::ShutDown => "the queue was shut down and is empty: no item will come; end the loop",
        })
    }
}

impl std::error::Error for TryGetError {}

/// `task_done` was called more often than items were put.
///
/// # Examples
/// ```
/// assert!(weftwork_sync::Queue::<u8>::unbounded().task_done().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskDoneError(pub(super) ());

impl fmt::Display for TaskDoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "task_done was called more often than items were put: call it once for each Item::forget, and not for an Item \
             that is dropped",
        )
    }
}

impl std::error::Error for TaskDoneError {}

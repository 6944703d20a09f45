//! An async runtime: asyncio's task model on a multi-threaded work-stealing scheduler.

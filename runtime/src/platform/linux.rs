//! What only Linux has.

use core::cell::Cell;
use rustix::thread::{MembarrierCommand, membarrier};
use std::sync::LazyLock;
use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
use weftwork_sync::weft_thread_local;

/// Whether the process is registered for expedited private barriers (Linux 4.14).
static REGISTERED: LazyLock<bool> = LazyLock::new(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok());

/// Whether [`process_barrier`] may be used. The answer never changes.
pub(super) fn has_process_barrier() -> bool {
    *REGISTERED
}

/// A full barrier on every running thread of this process: 0.2 us when the peers sleep, about 9 us when they run.
pub(super) fn process_barrier() {
    // It cannot fail once registered; if it did, promise P1 would be gone, so that is not passed over.
    if let Err(error) = membarrier(MembarrierCommand::PrivateExpedited) {
        panic!("membarrier failed after it had been registered: {error}");
    }
}

weft_thread_local! {
    /// The calling thread's timers were sharpened.
    static SHARP: Cell<bool> = Cell::new(false);
}

/// Timers of the calling thread fire within a nanosecond of what was asked instead of 50 us. Asked of the system once: a
/// thread may drive a runtime for a moment many times.
pub(crate) fn sharpen_timers() {
    if !SHARP.with(|sharp| sharp.replace(true)) {
        // Only precision is lost if a sandbox forbids it.
        let _ = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1));
    }
}

/// Nanoseconds of the clock that std's `Instant` reads as well, without taking it apart and putting it together again.
#[inline]
pub(super) fn monotonic() -> u64 {
    // By libc: rustix looks for the kernel's own page by itself, and dies of that under valgrind.
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to a timespec of this frame. It cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    // Neither is ever negative, and 584 years after its start the system has other worries.
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// The process, to notice a fork: kept where a child of `fork` writes its own, so that asking is a load.
///
/// A child that the bare system call made, past the C library, is not noticed.
#[inline]
pub(crate) fn process_id() -> u32 {
    // Ordering: Relaxed, nothing else is read by it; all who write it in one process write the same number, and a child
    // has one thread when the handler writes its own.
    match PROCESS.load(Ordering::Relaxed) {
        0 => watch_for_forks(),
        process => process,
    }
}

static PROCESS: AtomicU32 = AtomicU32::new(0);

#[cold]
fn watch_for_forks() -> u32 {
    extern "C" fn in_child() {
        PROCESS.store(std::process::id(), Ordering::Relaxed);
    }
    let process = std::process::id();
    // SAFETY: the handler stores to an atomic and asks for a number, which is all that a child may do there. Registered
    // twice, by two threads at once, it does so twice.
    let refused = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    if refused == 0 {
        PROCESS.store(process, Ordering::Relaxed);
    }
    // Without memory for the handler it is asked for each time.
    process
}

//! Linux: edges from epoll.
//!
//! A descriptor is registered once, for both directions, and never touched again until it is deregistered: an edge says
//! that something changed, and whoever waits has seen `EAGAIN` before (see `direction.rs`). RDHUP, HUP and ERR come with
//! the edge, so an end that arrives together with data is known before the data is read.
//!
//! A turn is one system call. `epoll_pwait2` takes its timeout in nanoseconds; where the kernel (before 5.11) or a
//! sandbox does not know it, `epoll_wait` does with the timeout rounded up to milliseconds, since a turn may end late but
//! a timer must not fire early. rustix offers either of the two, chosen when it is compiled, so this one call is made by
//! hand.
//!
//! The notifier is an eventfd that is registered edge-triggered and never read: each write adds to its counter, and each
//! is an edge. (The counter would overflow after 2^64 writes.)

use super::Interest;
use super::direction::Signs;
use super::os::{BorrowedSource, RawSource, borrow};
use super::registry::Event;
use super::tokens::Token;
use core::time::Duration;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use weftwork_sync::primitive::fault::{self, Point};
use weftwork_sync::primitive::unmodelled::Counter;

/// Events taken per turn. More of them wait for the next turn, which a busy reactor enters at once.
const EVENTS: usize = 256;

/// Whether this system has it.
pub(super) const IS_NATIVE: bool = true;

/// The backend.
#[derive(Debug)]
pub(super) struct Epoll {
    epoll: OwnedFd,
    notifier: OwnedFd,
    /// 1 once `epoll_pwait2` turned out to be missing.
    coarse: Counter,
}

/// Room for a turn's events.
pub(super) struct Events {
    list: Vec<libc::epoll_event>,
}

/// The kernel's `struct __kernel_timespec`: 64 bits each on every architecture.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Events {
    /// No events yet.
    pub(super) fn new() -> Self {
        Self { list: Vec::with_capacity(EVENTS) }
    }

    /// What the last wait brought.
    pub(super) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.list.iter().map(|event| translate(event.events, Token::from_usize(event.u64 as usize)))
    }
}

impl Epoll {
    /// A new instance.
    ///
    /// # Errors
    /// No descriptors are left.
    pub(super) fn new() -> io::Result<Self> {
        fault::pass(Point::Descriptor)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let notifier = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &notifier, data(Token::NOTIFY), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll, notifier, coarse: Counter::new(0) })
    }

    /// Watches a descriptor until it is deleted.
    ///
    /// # Safety
    /// It is open.
    ///
    /// # Errors
    /// The system's.
    pub(super) unsafe fn add(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        let mut flags = EventFlags::ET | EventFlags::RDHUP;
        if interest.is_readable() {
            flags |= EventFlags::IN | EventFlags::PRI;
        }
        if interest.is_writable() {
            flags |= EventFlags::OUT;
        }
        // SAFETY: the caller's promise.
        let source = unsafe { borrow(source) };
        Ok(epoll::add(&self.epoll, source, data(token), flags)?)
    }

    /// Forgets a descriptor.
    ///
    /// # Errors
    /// It was not registered.
    pub(super) fn delete(&self, source: BorrowedSource<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Waits for events, at most for `timeout` (`None` is for ever).
    ///
    /// # Errors
    /// The system's; `Interrupted` among them.
    pub(super) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.list.clear();
        if self.coarse.get() == 0 {
            match self.wait_fine(events, timeout) {
                // ENOSYS from an old kernel, EPERM from a sandbox that filters what it does not know.
                Err(e) if matches!(e.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => self.coarse.set(1),
                done => return done,
            }
        }
        self.wait_coarse(events, timeout)
    }

    fn wait_fine(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|t| Timespec {
            // A wait of 292 billion years is as good as a longer one.
            seconds: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: i64::from(t.subsec_nanos()),
        });
        let timeout = timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        // SAFETY: the buffer has room for EVENTS events, which the kernel only writes; the timeout is null or points to a
        // live value of the layout the kernel expects; a null signal mask changes nothing.
        let found = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.epoll.as_raw_fd(),
                events.list.as_mut_ptr(),
                EVENTS as libc::c_int,
                timeout,
                core::ptr::null::<libc::sigset_t>(),
                0_usize,
            )
        };
        events.came(found as isize)
    }

    fn wait_coarse(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        // SAFETY: as in wait_fine.
        let found = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                events.list.as_mut_ptr(),
                EVENTS as libc::c_int,
                timeout.map_or(-1, milliseconds),
            )
        };
        events.came(found as isize)
    }

    /// Ends the wait that goes on, or the next one.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn notify(&self) -> io::Result<()> {
        match rustix::io::write(self.notifier.as_fd(), &1_u64.to_ne_bytes()) {
            // A counter that is full is an edge that is pending.
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

impl Events {
    /// Takes over what a wait wrote into the buffer.
    fn came(&mut self, found: isize) -> io::Result<()> {
        let found = usize::try_from(found).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: the kernel wrote that many events, and never more than there is room for.
        unsafe { self.list.set_len(found) };
        Ok(())
    }
}

/// Whole milliseconds, rounded up, as many as fit.
fn milliseconds(timeout: Duration) -> libc::c_int {
    libc::c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
}

fn data(token: Token) -> EventData {
    EventData::new_u64(token.to_usize() as u64)
}

fn translate(flags: u32, token: Token) -> Event {
    let has = |wanted: EventFlags| flags & wanted.bits() != 0;
    let end = has(EventFlags::HUP);
    let error = has(EventFlags::ERR);
    Event {
        token,
        read: Signs { ready: has(EventFlags::IN | EventFlags::PRI), closed: end || has(EventFlags::RDHUP), error },
        write: Signs { ready: has(EventFlags::OUT), closed: end, error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_timeout_is_rounded_up() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_micros(1_000)), 1);
        assert_eq!(milliseconds(Duration::from_nanos(1_000_001)), 2);
        assert_eq!(milliseconds(Duration::MAX), libc::c_int::MAX);
    }

    #[test]
    fn a_notification_is_an_edge_whenever_it_comes() {
        let epoll = Epoll::new().unwrap();
        let mut events = Events::new();
        for coarse in [0, 1] {
            epoll.coarse.set(coarse);
            for _ in 0..3 {
                epoll.notify().unwrap();
                epoll.wait(&mut events, None).unwrap();
                assert_eq!(events.iter().map(|e| e.token).collect::<Vec<_>>(), [Token::NOTIFY]);
                epoll.wait(&mut events, Some(Duration::ZERO)).unwrap();
                assert_eq!(events.iter().count(), 0);
            }
        }
    }

    #[test]
    fn an_end_and_an_error_are_told_apart_from_data() {
        let token = Token::from_usize(3);
        let data = translate((EventFlags::IN | EventFlags::OUT).bits(), token);
        assert_eq!((data.read, data.write), (Signs::READY, Signs::READY));
        let half = translate((EventFlags::IN | EventFlags::RDHUP).bits(), token);
        assert!(half.read.closed && !half.write.any());
        let gone = translate(EventFlags::HUP.bits(), token);
        assert!(gone.read.closed && gone.write.closed);
        let error = translate(EventFlags::ERR.bits(), token);
        assert!(error.read.error && error.write.error && !error.read.closed);
    }
}

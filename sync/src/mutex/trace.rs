//! Who holds a traced mutex, and who waits for it: what [`Mutex::traced`](super::Mutex::traced) writes down.
//!
//! A mutex that is not traced has none of this but an empty pointer: a traced one has a bit in its word that makes every fast
//! path fail, and what is slow looks here. The table has a lock of its own, held for the time of a look or an entry, under which
//! nothing foreign runs.
//!
//! # Who an owner is
//! The task, where the executor says which one it polls ([`coop::task`]), and otherwise the thread. A task that waits for what
//! it holds is found out by that. A thread on which an executor that says nothing polls many tasks holds nothing itself, so
//! threads are found out only between two calls of `blocking_lock`.

use crate::coop;
use crate::primitive::Mutex as TableLock;
use crate::primitive::thread::{ThreadId, current_id};
use crate::waiters::Waiter;
use core::fmt;
use core::panic::Location;
use core::pin::Pin;
use core::ptr;

/// Where a lock was asked for.
pub(super) type Place = &'static Location<'static>;

/// What is known of one traced mutex.
pub(super) struct Trace {
    name: &'static str,
    table: TableLock<Table>,
}

struct Table {
    holder: Option<Holder>,
    /// In the order in which they came, by the address of the waiter, which is pinned while it is here.
    waiting: Vec<(usize, Entry)>,
}

struct Holder {
    entry: Entry,
    /// It was taken by a thread that waits itself, and not in the name of a task.
    blocking: bool,
}

/// Somebody, and the place where the lock was asked for.
#[derive(Clone)]
struct Entry {
    task: usize,
    thread: ThreadId,
    thread_name: Option<Box<str>>,
    place: Place,
}

impl Entry {
    fn here(place: Place) -> Self {
        let thread_name = std::thread::current().name().map(Box::from);
        Self { task: coop::task().addr(), thread: current_id(), thread_name, place }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by ", self.place)?;
        if self.task != 0 {
            write!(f, "task {:#x} on ", self.task)?;
        }
        match &self.thread_name {
            Some(name) => write!(f, "thread {name:?}"),
            None => write!(f, "{:?}", self.thread),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Trace {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, table: TableLock::new(Table { holder: None, waiting: Vec::new() }) }
    }

    /// The lock was taken here and now, by a waiter if there was one.
    pub(super) fn taken(&self, place: Place, waiter: Option<Pin<&Waiter>>) {
        let holder = Holder { entry: Entry::here(place), blocking: false };
        let mut table = self.table.lock();
        if let Some(waiter) = waiter {
            table.remove(waiter);
        }
        let before = table.holder.replace(holder);
        drop(table);
        drop(before);
    }

    /// The lock was taken by this thread for itself.
    pub(super) fn taken_by_thread(&self) {
        if let Some(holder) = &mut self.table.lock().holder {
            holder.blocking = true;
        }
    }

    /// The owner is about to give the lock back.
    pub(super) fn released(&self) {
        let before = self.table.lock().holder.take();
        drop(before);
    }

    /// Somebody begins to wait.
    ///
    /// # Panics
    /// If the task holds the lock already.
    pub(super) fn waits(&self, place: Place, waiter: Pin<&Waiter>) {
        let entry = Entry::here(place);
        let mut table = self.table.lock();
        let held = table.holder.as_ref().filter(|held| entry.task != 0 && held.entry.task == entry.task);
        if let Some(first) = held.map(|held| held.entry.clone()) {
            drop(table);
            self.relocked(&first, &entry);
        }
        table.waiting.push((key(waiter), entry));
    }

    /// This thread is about to wait for itself.
    ///
    /// # Panics
    /// If it holds the lock already.
    pub(super) fn thread_waits(&self, place: Place) {
        let entry = Entry::here(place);
        let table = self.table.lock();
        let held = table.holder.as_ref().filter(|held| held.blocking && held.entry.thread == entry.thread);
        if let Some(first) = held.map(|held| held.entry.clone()) {
            drop(table);
            self.relocked(&first, &entry);
        }
    }

    /// A waiter gives up.
    pub(super) fn leaves(&self, waiter: Pin<&Waiter>) {
        let removed = self.table.lock().remove(waiter);
        drop(removed);
    }

    #[cold]
    fn relocked(&self, first: &Entry, second: &Entry) -> ! {
        panic!(
            "the mutex {:?} would wait for itself: it was taken at {first} and is asked for again at {second}; drop the first \
             guard before, or hand it on",
            self.name
        );
    }

    /// What Debug shows of it.
    pub(super) fn show(&self, out: &mut fmt::DebugStruct<'_, '_>) {
        let (holder, waiting) = {
            let table = self.table.lock();
            let holder = table.holder.as_ref().map(|held| held.entry.clone());
            (holder, table.waiting.iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>())
        };
        out.field("name", &self.name).field("held", &holder).field("waiting", &waiting);
    }
}

impl Table {
    fn remove(&mut self, waiter: Pin<&Waiter>) -> Option<Entry> {
        let at = self.waiting.iter().position(|(other, _)| *other == key(waiter))?;
        Some(self.waiting.remove(at).1)
    }
}

fn key(waiter: Pin<&Waiter>) -> usize {
    ptr::from_ref(waiter.get_ref()).addr()
}

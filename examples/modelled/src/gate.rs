//! Something that many wait for, and that happens once.

use weftwork::model::Mutex;
use weftwork::model::atomic::{AtomicBool, Ordering};
use weftwork::sync::oneshot;

/// Tasks wait until it is opened.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    open: bool,
    tell: Vec<oneshot::Sender<()>>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the gate is open.
    pub async fn wait(&self) {
        let told = {
            let mut waiting = self.waiting.lock().expect("nobody panics inside");
            if waiting.open {
                return;
            }
            let (tell, told) = oneshot::channel();
            waiting.tell.push(tell);
            told
        };
        // An error says that the gate is gone, and so is what was waited for.
        let _ = told.await;
    }

    /// Opens the gate, for all who wait and who will.
    pub fn open(&self) {
        let tell = {
            let mut waiting = self.waiting.lock().expect("nobody panics inside");
            waiting.open = true;
            std::mem::take(&mut waiting.tell)
        };
        for tell in tell {
            // Who has given up meanwhile is not told.
            let _ = tell.send(());
        }
    }
}

/// A [`Gate`] that looks without the lock, because that is faster: and loses who looks before it is opened and waits after that.
#[derive(Debug, Default)]
pub struct HastyGate {
    open: AtomicBool,
    tell: Mutex<Vec<oneshot::Sender<()>>>,
}

impl HastyGate {
    /// A closed gate.
    pub fn new() -> Self {
        Self { open: AtomicBool::new(false), tell: Mutex::new(Vec::new()) }
    }

    /// Waits until the gate is open, or for ever.
    pub async fn wait(&self) {
        if self.open.load(Ordering::Acquire) {
            return;
        }
        let (tell, told) = oneshot::channel();
        self.tell.lock().expect("nobody panics inside").push(tell);
        let _ = told.await;
    }

    /// Opens the gate, for those who wait already.
    pub fn open(&self) {
        self.open.store(true, Ordering::Release);
        let tell = std::mem::take(&mut *self.tell.lock().expect("nobody panics inside"));
        for tell in tell {
            let _ = tell.send(());
        }
    }
}

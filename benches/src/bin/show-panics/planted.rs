//! Panics that are meant, and how others are told from them.

use std::panic::panic_any;
use std::sync::Mutex;

/// What every planted panic says first.
const MARK: &str = "planted: ";
static STRANGERS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Planted panics say nothing on stderr, others are remembered.
pub(crate) fn keep_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload().downcast_ref::<String>();
        let is_planted = text.is_some_and(|text| text.starts_with(MARK)) || panic.payload().is::<Vengeful>();
        if !is_planted && let Ok(mut strangers) = STRANGERS.lock() {
            strangers.push(panic.to_string());
        }
    }));
}

/// The panics that were not planted.
pub(crate) fn strangers() -> Vec<String> {
    STRANGERS.lock().map(|strangers| strangers.clone()).unwrap_or_default()
}

pub(crate) fn plant(what: &str) -> ! {
    panic!("{MARK}{what}")
}

/// Panics when it is dropped.
#[derive(Debug)]
pub(crate) struct Bomb(pub(crate) &'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        plant(self.0);
    }
}

/// A payload whose own destructor panics.
pub(crate) struct Vengeful {
    pub(crate) _bomb: Bomb,
}

pub(crate) fn plant_vengeful() -> ! {
    panic_any(Vengeful { _bomb: Bomb("the payload's drop") })
}

//! Under a model checker nothing is gained by waiting awake: a wait is a sleep that the checker would have to explore.

/// As in production, without the waiting.
#[derive(Debug, Default)]
pub struct Patience(());

/// When a sleep began.
#[derive(Debug)]
pub struct Asleep(());

impl Patience {
    /// Does not wait.
    pub fn wait(&mut self, _arrived: impl FnMut() -> bool) -> bool {
        false
    }

    /// Changes nothing.
    pub fn expect(&mut self) {}

    /// A sleep begins.
    pub fn sleep(&self) -> Asleep {
        Asleep(())
    }

    /// It is over.
    pub fn woke(&mut self, _asleep: &Asleep, _woken: bool) {}
}

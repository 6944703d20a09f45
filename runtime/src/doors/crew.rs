//! A group without a body: its children, in cells that whoever likes polls.

use super::tasks::Tasks;
use crate::group::hub::{Hub, Membership, Owner};
use crate::task::{CancelCause, JoinHandle};
use core::convert::Infallible;
use core::future::Future;
use core::panic::Location;
use core::task::{Context, Poll};
use weftwork_sync::primitive::Shared;

/// A group: dropped, it abandons its children.
pub struct Crew(Owner<Infallible>);

/// What is handed around of it.
#[derive(Clone)]
pub struct Crewing(Shared<Hub<Infallible>>);

impl Default for Crew {
    fn default() -> Self {
        Self::new()
    }
}

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        Self(Owner::new(Location::caller()))
    }

    /// A handle to spawn by.
    pub fn handle(&self) -> Crewing {
        Crewing(self.0.hub.clone())
    }

    /// Ready when everybody has ended, and nobody can come any more.
    pub fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        Hub::poll_over(&self.0.hub, cx).map(drop)
    }
}

impl Crewing {
    /// A new child in the queue of `tasks`.
    pub fn spawn<F: Future + 'static>(&self, tasks: &Tasks, future: F) -> JoinHandle<F::Output> {
        tasks.spawn_named(future, Membership::new(&self.0))
    }

    /// Cancels the children.
    pub fn cancel(&self) -> bool {
        self.0.cancel_children(CancelCause::explicit())
    }

    /// Takes no more children.
    pub fn close(&self) {
        self.0.close();
    }

    /// Gives up the places of those that have ended.
    pub fn sweep(&self) {
        self.0.sweep();
    }

    /// How many have not ended.
    pub fn live(&self) -> usize {
        self.0.live()
    }
}

//! What Ctrl-C does to a run, where there are no signals: nothing.

use crate::scheduler::Core;
use core::convert::Infallible;
use core::task::{Context, Poll};
use std::io;

pub(crate) struct Run(Infallible);
pub(crate) struct Press(Infallible);

impl Run {
    pub(crate) fn begin(_core: &Core) -> io::Result<Option<(Self, Press)>> {
        Ok(None)
    }

    pub(crate) fn main_is_over(&self) {
        match self.0 {}
    }
}

impl Press {
    pub(crate) fn poll(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        match self.0 {}
    }
}

//! The same doors in a model, which has no statics: reports go to the runtime of the calling thread, or to stderr.

use crate::scheduler::Core;
use weftwork_sync::primitive::Shared;

pub(crate) fn register(_core: &Shared<Core>) {}

pub(crate) fn find(_is: impl Fn(&Shared<Core>) -> bool) -> Option<Shared<Core>> {
    None
}

//! The runtimes that are measured.

pub(crate) mod smol;
pub(crate) mod smolscale;
pub(crate) mod tokio;
pub(crate) mod weftwork;

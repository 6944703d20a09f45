//! The runtimes that are measured.

pub(crate) mod smol;
mod smol_wider;
pub(crate) mod smolscale;
pub(crate) mod tokio;
mod tokio_wider;
pub(crate) mod weftwork;
mod weftwork_wider;

//! The runtimes that are measured.

pub(crate) mod smol;
pub(crate) mod smolscale;
pub(crate) mod tokio;
pub(crate) mod weftwork;

/// How many workers a peer gets that can be told.
pub(crate) fn workers() -> usize {
    std::env::var("BENCH_WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

//! Integration tests live in `tests/`, one file per capability. Here the programs of the README and of the guide are kept compiling.

/// The README, whose programs are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The guide's page about cancellation, whose programs are run as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/cancellation.md")]
pub struct GuideCancellation;

/// The guide's page about logs, whose program is run as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/logs.md")]
pub struct Logs;

/// The guide's page about what can be seen, whose programs are run as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/seeing-what-runs.md")]
pub struct SeeingWhatRuns;

/// The guide's page about structured concurrency, whose programs are run as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/structured.md")]
pub struct Structured;

/// The guide's page for who comes from asyncio, whose programs are run as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/from-asyncio.md")]
pub struct FromAsyncio;

/// The guide's page for who comes from tokio, whose programs are run as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/from-tokio.md")]
pub struct FromTokio;

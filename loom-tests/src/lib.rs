//! What every model shares: how far it is searched, and the line it prints.
//!
//! A model drives shipped source, compiled with `--cfg weftwork_loom`; see the README beside this crate. Each is searched
//! to one of two depths, chosen by `WEFTWORK_LOOM` (`quick`, the default, or `full`) and overridden for all of them by
//! `WEFTWORK_LOOM_BOUND` (a number of preemptions, 0 for no bound), and prints one line that `cargo xtask loom` gathers:
//!
//! ```text
//! model parker/unpark_before_park bound=unbounded executions=12 ms=3
//! ```
#![cfg(weftwork_loom)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the harness stands outside the models")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How many times a thread may be preempted in one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At most this often; most known bugs show at 2.
    Preemptions(usize),
    /// Every interleaving there is.
    Unbounded,
}

/// Searches a model: `quick` is the depth of the everyday run, `full` that of the thorough one.
pub fn check(name: &'static str, quick: Bound, full: Bound, body: impl Fn() + Send + Sync + 'static) {
    let chosen = if std::env::var("WEFTWORK_LOOM").as_deref() == Ok("full") { full } else { quick };
    let bound = overriding_bound().unwrap_or(chosen);
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 20_000;
    builder.preemption_bound = match bound {
        Bound::Preemptions(n) => Some(n),
        Bound::Unbounded => None,
    };
    let executions = Arc::new(AtomicU64::new(0));
    let counted = executions.clone();
    let began = Instant::now();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let bound = match bound {
        Bound::Preemptions(n) => n.to_string(),
        Bound::Unbounded => "unbounded".into(),
    };
    println!(
        "model {name} bound={bound} executions={} ms={}",
        executions.load(Ordering::Relaxed),
        began.elapsed().as_millis()
    );
}

fn overriding_bound() -> Option<Bound> {
    let given = std::env::var("WEFTWORK_LOOM_BOUND").ok()?;
    match given.parse() {
        Ok(0) => Some(Bound::Unbounded),
        Ok(count) => Some(Bound::Preemptions(count)),
        Err(_) => panic!("WEFTWORK_LOOM_BOUND is a number of preemptions, or 0 for no bound, and not `{given}`"),
    }
}

//! Steps one after the other, the time each takes, and a summary.

use std::time::{Duration, Instant};

use crate::Outcome;

/// Collects what has run so far.
pub(crate) struct Steps {
    keep_going: bool,
    began: Instant,
    done: Vec<Done>,
}

struct Done {
    name: &'static str,
    took: Duration,
    fault: Option<String>,
}

impl Steps {
    /// With `keep_going` a step that fails does not keep the later ones from running.
    pub(crate) fn new(keep_going: bool) -> Self {
        Self { keep_going, began: Instant::now(), done: Vec::new() }
    }

    /// Runs a step, unless an earlier one has failed.
    pub(crate) fn step(&mut self, name: &'static str, run: impl FnOnce() -> Outcome) {
        if !self.keep_going && self.done.iter().any(|step| step.fault.is_some()) {
            return;
        }
        println!("\n=== {name}");
        let began = Instant::now();
        let fault = run().err();
        let took = began.elapsed();
        match &fault {
            Some(fault) => println!("=== {name}: FAILED after {}: {fault}", seconds(took)),
            None => println!("=== {name}: ok, {}", seconds(took)),
        }
        self.done.push(Done { name, took, fault });
    }

    /// Prints the summary; fails if any step did.
    pub(crate) fn summary(self) -> Outcome {
        println!("\n=== summary");
        for step in &self.done {
            let verdict = if step.fault.is_some() { "FAILED" } else { "ok" };
            println!("{:>8}  {:<6}  {}", seconds(step.took), verdict, step.name);
        }
        println!("{:>8}  in all", seconds(self.began.elapsed()));
        let failed: Vec<&str> = self.done.iter().filter(|step| step.fault.is_some()).map(|step| step.name).collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }
}

/// A time a person reads: seconds, to a tenth.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

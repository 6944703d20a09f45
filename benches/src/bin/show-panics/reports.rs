//! What the runtime reported, and what a scene expects of it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use weftwork::runtime::{Unhandled, UnhandledKind};

/// The reports of one runtime.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    all: Vec<Report>,
    at_shutdown: Vec<Expected>,
}

/// What a scene expects after the runtime has ended.
type Expected = (UnhandledKind, &'static str);

#[derive(Clone)]
struct Report {
    kind: UnhandledKind,
    text: String,
    /// The report names a task called `patient`, and the file in which it was spawned.
    has_place: bool,
}

/// The name that every task has in which a panic is planted.
pub(crate) const PATIENT: &str = "patient";

impl Reports {
    pub(crate) fn hook(&self) -> impl Fn(&Unhandled<'_>) + Send + Sync + 'static {
        let reports = self.clone();
        move |what| {
            let spawned_here = what.spawned_at.is_some_and(|at| at.file().contains("show-panics"));
            let has_place = what.task.is_some() && what.name == Some(PATIENT) && spawned_here;
            reports.state().all.push(Report { kind: what.kind, text: what.to_string(), has_place });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.state().all.iter().map(|report| report.text.clone()).collect()
    }

    /// Waits for exactly one report, of this kind and with this text, that names task and place.
    pub(crate) async fn one_of_a_task(&self, kind: UnhandledKind, text: &str) -> Result<(), String> {
        let report = self.one(kind, text).await?;
        if report.has_place { Ok(()) } else { Err("the report does not name the task and its place".into()) }
    }

    /// Waits for exactly one report, of this kind and with this text.
    pub(crate) async fn one_of(&self, kind: UnhandledKind, text: &str) -> Result<(), String> {
        self.one(kind, text).await.map(drop)
    }

    async fn one(&self, kind: UnhandledKind, text: &str) -> Result<Report, String> {
        let start = Instant::now();
        while self.state().all.is_empty() && start.elapsed() < Duration::from_secs(2) {
            weftwork::sleep(Duration::from_millis(1)).await;
        }
        match &self.state().all[..] {
            [report] if report.kind == kind && report.text.contains(text) => Ok(report.clone()),
            [] => Err(format!("nothing was reported of {text:?}")),
            others => Err(format!("{} report(s), but not one of {text:?} alone", others.len())),
        }
    }

    /// Nothing was reported: somebody has read it.
    pub(crate) fn none(&self) -> Result<(), String> {
        if self.state().all.is_empty() { Ok(()) } else { Err("somebody reads it, and it was reported too".into()) }
    }

    /// The shutdown has to bring this report.
    pub(crate) fn expect_at_shutdown(&self, kind: UnhandledKind, text: &'static str) {
        self.state().at_shutdown.push((kind, text));
    }

    /// Whether the shutdown brought what it should.
    pub(crate) fn after_shutdown(&self) -> Result<(), String> {
        let state = self.state();
        let lacks = |&&(kind, text): &&Expected| {
            !state.all.iter().any(|report| report.kind == kind && report.text.contains(text))
        };
        match state.at_shutdown.iter().find(lacks) {
            None => Ok(()),
            Some((_, text)) => Err(format!("the shutdown reported nothing of {text:?}")),
        }
    }
}

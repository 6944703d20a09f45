//! A core without reactor and without threads, as models build it.

use super::coarse::Coarse;
use super::idle::Idle;
use super::queue::Injector;
use super::slot::Slot;
use super::spares::Spares;
use super::wind_down::WindDown;
use super::{Config, Core, Gate, Keeper, Outside, Stats, shutdown, watchdog};
use crate::observe::unhandled::Hook;
use crate::platform::clock::{Clock, ManualTime};
use crate::runtime::OnCtrlC;
use crate::task::owned::OwnedList;
use crate::time::timers::Timers;
use core::time::Duration;
use crossbeam_utils::CachePadded;
use weftwork_blocking::ThreadPool;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared};

/// What a model says about its core.
pub(crate) struct Bare {
    /// Workers, and the seats for spares behind them.
    pub(crate) workers: usize,
    pub(crate) spares: usize,
    pub(crate) multi: bool,
    /// Whether workers see to it that the watchdog is awake.
    pub(crate) watched: bool,
    pub(crate) time: Shared<ManualTime>,
    pub(crate) coarse: Coarse,
    pub(crate) on_unhandled: Option<Box<Hook>>,
}

impl Bare {
    /// The core, on a time that stands still.
    pub(crate) fn core(self) -> Shared<Core> {
        let Self { workers, spares, multi, watched, time, coarse, on_unhandled } = self;
        let clock = Clock::Manual(time);
        let timers = || Timers::new(clock.clone());
        Shared::new(Core {
            slots: (0..workers + spares).map(|_| CachePadded::new(Slot::new(timers()))).collect(),
            coarse,
            injector: Injector::new(),
            idle: Idle::new(workers + spares, workers),
            outside: Mutex::new(Outside { owned: OwnedList::new(), gate: Gate::Open }),
            outside_timers: timers(),
            keeper: Keeper {
                seat: Mutex::new(()),
                slot: AtomicUsize::new(0),
                deadline: AtomicU64::new(0),
                entrusted: Counter::new(0),
            },
            reactor: None,
            stopping: AtomicBool::new(false),
            watchdog: watchdog::Watchdog::new(),
            spares: Spares::new(spares),
            exits: Shared::new(shutdown::Exits::default()),
            pool: ThreadPool::builder().max_threads(1).build(),
            home: Mutex::new(None),
            stats: Stats::default(),
            process: crate::platform::process_id(),
            driven: AtomicBool::new(false),
            wind_down: WindDown::new(),
            jumps: None,
            forever: weftwork_sync::Notify::new(),
            config: Config {
                debug: false,
                on_spawn: None,
                on_complete: None,
                workers,
                multi,
                watchdog: watchdog::Limits { enabled: watched, ..watchdog::Limits::default() },
                thread_name: "model".into(),
                on_unhandled,
                on_thread_start: None,
                on_thread_stop: None,
                clock: clock.clone(),
                on_ctrl_c: OnCtrlC::LeaveAlone,
                grace: Duration::ZERO,
                seed: None,
            },
        })
    }
}

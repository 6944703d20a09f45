//! The scenarios by name.

use crate::{channels, locks, pool, scheduler, tasks};

/// A name and what runs.
pub(crate) type Scenario = (&'static str, fn());

pub(crate) const SCENARIOS: [Scenario; 17] = [
    ("S1/spawn_steal_park", scheduler::spawn_steal_park),
    ("S1/wakes_across_workers", scheduler::wakes_across_workers),
    ("S3/timers", tasks::timers),
    ("S4/pool_grows_and_ends", pool::grows_and_ends),
    ("S4/pool_jobs_given_up", pool::jobs_given_up),
    ("S5/channels_and_select", tasks::channels_and_select),
    ("S5/cancel_at_any_moment", tasks::cancel_at_any_moment),
    ("S6/trees_of_groups", tasks::trees_of_groups),
    ("S6/abort_while_ending", tasks::abort_while_ending),
    ("S8/shutdown_at_any_moment", scheduler::shutdown_at_any_moment),
    ("S9/panics", tasks::panics),
    ("sync/mutex", locks::mutex),
    ("sync/semaphore", locks::semaphore),
    ("sync/notify", locks::notify),
    ("sync/channel", channels::channel),
    ("sync/channel_closed", channels::closed_at_any_moment),
    ("sync/oneshot", channels::oneshot),
];

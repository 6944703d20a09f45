//! The tasks of a runtime, as a list and as a tree.

use crate::runtime::Handle;
use crate::scheduler::Core;
use crate::task::cell::{self, Header};
use crate::task::{TaskId, TaskInfo};
use core::fmt;
use core::ptr::NonNull;
use std::collections::{HashMap, HashSet};

impl Core {
    /// What is known of the tasks that have not ended, in the order of their identifiers.
    fn tasks(&self) -> Vec<TaskInfo> {
        let (mut found, mut inside): (Vec<NonNull<Header>>, Vec<TaskId>) = Default::default();
        let mut collect = |task: NonNull<Header>| {
            // SAFETY: in a list that the section holds still, and so alive; the reference taken here keeps it so afterwards.
            unsafe { task.as_ref() }.state.reference();
            found.push(task);
        };
        self.outside.lock().owned.for_each(&mut collect);
        for slot in &self.slots {
            slot.local.take(|local| {
                inside.extend(local.current.map(|(id, _)| id));
                local.owned.for_each(&mut collect);
            });
        }
        let mut tasks = Vec::with_capacity(found.len());
        for task in found {
            // SAFETY: the reference taken above, released once.
            unsafe {
                if !task.as_ref().state.is_complete() {
                    let mut info = TaskInfo::of(task);
                    if inside.contains(&info.id) {
                        info.runs();
                    }
                    tasks.push(info);
                }
                cell::release(task);
            }
        }
        tasks.sort_unstable_by_key(|task| task.id);
        tasks
    }
}

impl Handle {
    /// What is known of the tasks that have not ended, in the order of their identifiers.
    ///
    /// It asks each worker for a moment's stop, on any thread, also while workers are blocked.
    ///
    /// asyncio's counterpart is `asyncio.all_tasks`, tokio's is `Handle::dump`.
    ///
    /// ```
    /// weftwork::run(async {
    ///     let waits = weftwork::spawn(std::future::pending::<()>());
    ///     let tasks = weftwork::Handle::current().tasks();
    ///     assert!(tasks.iter().any(|task| task.id == waits.id()));
    /// });
    /// ```
    #[doc(alias("all_tasks", "dump"))]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.core().tasks()
    }

    /// The tasks that have not ended, each below the one that spawned it.
    ///
    /// Who spawned whom is known in debug mode only ([`runtime::Builder::debug`](crate::runtime::Builder::debug)); without it, each task
    /// is a tree of its own.
    ///
    /// asyncio's counterpart is `asyncio.print_call_graph`.
    ///
    /// ```
    /// use weftwork::time::Duration;
    /// let tree = weftwork::runtime::Builder::new_current_thread().debug(true).run(async {
    ///     weftwork::spawn(async {
    ///         let naps = weftwork::spawn(weftwork::sleep(Duration::from_secs(60)));
    ///         naps.await
    ///     })
    ///     .detach();
    ///     for _ in 0..3 {
    ///         weftwork::task::yield_now().await;
    ///     }
    ///     weftwork::Handle::current().dump_tree().to_string()
    /// });
    /// assert!(tree.unwrap().contains("waits for a timer"));
    /// ```
    #[doc(alias("print_call_graph", "format_call_graph", "pstree"))]
    pub fn dump_tree(&self) -> TaskTree {
        TaskTree { tasks: self.tasks() }
    }
}

/// The tasks of a runtime, each below the one that spawned it; made by [`Handle::dump_tree`].
///
/// `Display` gives a line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskTree {
    tasks: Vec<TaskInfo>,
}

impl TaskTree {
    /// The tasks, in the order of their identifiers.
    pub fn tasks(&self) -> &[TaskInfo] {
        &self.tasks
    }
}

/// A task to be written, and how it stands among the others.
struct Twig<'a> {
    task: &'a TaskInfo,
    /// What its line begins with, and those of the tasks below it.
    lead: String,
    below: String,
}

impl fmt::Display for TaskTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: HashSet<TaskId> = self.tasks.iter().map(|task| task.id).collect();
        let mut spawned: HashMap<Option<TaskId>, Vec<&TaskInfo>> = HashMap::new();
        for task in &self.tasks {
            spawned.entry(task.spawned_by.filter(|by| known.contains(by))).or_default().push(task);
        }
        let trees = spawned.remove(&None).unwrap_or_default();
        let twig = |task| Twig { task, lead: String::new(), below: String::new() };
        // The next one last; not by recursion, for chains of tasks may be long.
        let mut left: Vec<Twig<'_>> = trees.into_iter().rev().map(twig).collect();
        while let Some(Twig { task, lead, below }) = left.pop() {
            writeln!(f, "{lead}{task}")?;
            let children = spawned.remove(&Some(task.id)).unwrap_or_default();
            for (nth, task) in children.into_iter().rev().enumerate() {
                let (lead, rail) = if nth == 0 { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                left.push(Twig { task, lead: format!("{below}{lead}"), below: format!("{below}{rail}") });
            }
        }
        Ok(())
    }
}

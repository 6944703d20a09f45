//! What strace wrote: one call a line, or two lines where another thread's call came in between.
//!
//! ```text
//! 4711 epoll_ctl(3, EPOLL_CTL_ADD, 5, {...}) = 0
//! 4712 epoll_pwait2(3,  <unfinished ...>
//! 4712 <... epoll_pwait2 resumed>[{...}], 256, NULL, NULL, 0) = 1
//! ```

use std::collections::HashMap;

struct Call<'a> {
    name: &'a str,
    /// What stands behind the bracket, up to where the line ends.
    arguments: &'a str,
    /// The number behind the last `=`, once it is known.
    result: Option<i64>,
}

pub(crate) struct Trace<'a> {
    calls: Vec<Call<'a>>,
    /// Every descriptor that was an eventfd.
    pub(crate) eventfds: Vec<i64>,
}

impl<'a> Trace<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let mut calls: Vec<Call<'a>> = Vec::new();
        let mut unfinished: HashMap<&str, usize> = HashMap::new();
        for line in text.lines() {
            let Some((thread, rest)) = line.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if rest.starts_with("<...") {
                // The second half: only its result is news.
                if let Some(first) = unfinished.remove(thread) {
                    calls[first].result = result(rest);
                }
                continue;
            }
            // Neither a signal (`---`) nor an exit (`+++`).
            let Some((name, arguments)) = rest.split_once('(') else { continue };
            if !name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
                continue;
            }
            if rest.ends_with("<unfinished ...>") {
                unfinished.insert(thread, calls.len());
            }
            calls.push(Call { name, arguments, result: result(rest) });
        }
        let eventfds = calls.iter().filter(|call| call.name.starts_with("eventfd")).filter_map(|call| call.result);
        let eventfds = eventfds.collect();
        Self { calls, eventfds }
    }

    pub(crate) fn calls(&self, name: &str) -> u64 {
        self.count(|call| call.name == name)
    }

    pub(crate) fn failed(&self, name: &str) -> u64 {
        self.count(|call| call.name == name && call.result.is_none_or(|result| result < 0))
    }

    /// Calls of epoll_ctl with this operation.
    pub(crate) fn control(&self, operation: &str) -> u64 {
        let operation = format!(" EPOLL_CTL_{operation},");
        self.count(|call| call.name == "epoll_ctl" && call.arguments.contains(&operation))
    }

    /// Calls that read from one of these descriptors.
    pub(crate) fn reads_of(&self, descriptors: &[i64]) -> u64 {
        let first = |call: &Call<'_>| call.arguments.split([',', ')', ' ']).next()?.parse::<i64>().ok();
        self.count(|call| {
            ["read", "readv", "pread64", "recvfrom", "recvmsg"].contains(&call.name)
                && first(call).is_some_and(|descriptor| descriptors.contains(&descriptor))
        })
    }

    /// The names of all calls, the most frequent first.
    pub(crate) fn by_count(&self) -> Vec<(&'a str, u64)> {
        let mut counts = HashMap::new();
        for call in &self.calls {
            *counts.entry(call.name).or_insert(0_u64) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(name, calls)| (core::cmp::Reverse(calls), name));
        counts
    }

    fn count(&self, is_meant: impl Fn(&Call<'_>) -> bool) -> u64 {
        self.calls.iter().filter(|call| is_meant(call)).count() as u64
    }
}

fn result(line: &str) -> Option<i64> {
    let (_, behind) = line.rsplit_once(" = ")?;
    behind.split_whitespace().next()?.parse().ok()
}

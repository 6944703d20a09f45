//! Room for many connections: each is a descriptor, and the usual soft limit is 1024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a program has open beside its connections: streams, epoll, its event, a file of lines.
const BESIDE: u64 = 32;

/// Raises this process's limit as far as it may be raised; says how many connections there is room for.
///
/// # Errors
/// There is not enough room for `connections`; in words, with the way out.
pub fn make_room_for(connections: usize) -> Result<u64, String> {
    let limit = getrlimit(Resource::Nofile);
    // No limit is one that is never reached.
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let mut soft = limit.current.unwrap_or(u64::MAX);
    if soft < hard && setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).is_ok() {
        soft = hard;
    }
    let room = soft.saturating_sub(BESIDE);
    if room >= connections as u64 {
        return Ok(room);
    }
    Err(format!(
        "{connections} connections need {} descriptors, and this process may open {soft} (hard limit {hard}): \
         raise the limit with `ulimit -n {}` as root, or ask for fewer connections",
        connections as u64 + BESIDE,
        connections as u64 + BESIDE
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_connection_finds_room_and_too_many_are_told_the_way_out() {
        assert!(make_room_for(1).unwrap() >= 1);
        let hard = getrlimit(Resource::Nofile).maximum;
        if hard.is_some() {
            let told = make_room_for(usize::MAX / 2).unwrap_err();
            assert!(told.contains("ulimit -n"), "{told}");
        }
    }
}

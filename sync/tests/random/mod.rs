//! Random numbers, from a seed that is printed.

/// A generator of its own for each thread or task.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Where the seeds begin: `WEFTWORK_SEED`, or 1.
pub(crate) fn first_seed() -> u64 {
    std::env::var("WEFTWORK_SEED").map_or(1, |text| text.parse().expect("WEFTWORK_SEED is a number"))
}

//! Prints what a wheel costs on this machine: nanoseconds per operation with 1 000, 100 000 and 1 000 000 live entries.
//!
//! `cargo run --release -p weftwork-timer --example costs`
//!
//! The population is like a server's: timeouts of 1 to 60 s, armed while time goes by. `grow`: arm in a new wheel, its memory's
//! first touch included; `arm`: in one that has the memory. `oldest`, `random`: cancel, the oldest first as answered requests
//! do, and at random. `move`: cancel one at random and arm it again. `fire`: all of them, by sleeping until `next_expiry` as a
//! runtime does, so with every cascade; each sleep fires at least one. `next`: one question for the next expiry.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this program measures with the real clock")]

use std::hint::black_box;
use std::time::Instant;

use weftwork_timer::{Key, Wheel};

const SECOND: u64 = 1_000_000_000;

/// Values of a waker's size.
type Value = (usize, usize);

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn timeout(&mut self) -> u64 {
        SECOND + self.next() % (59 * SECOND)
    }

    fn shuffle(&mut self, keys: &mut [Key]) {
        for last in (1..keys.len()).rev() {
            keys.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}

fn per(operations: usize, since: Instant) -> f64 {
    since.elapsed().as_nanos() as f64 / operations as f64
}

fn filled(live: usize, random: &mut Random) -> (Wheel<Value>, Vec<Key>) {
    let mut wheel = Wheel::new(1 << 45);
    let keys = (0..live).map(|_| wheel.insert(wheel.now() + random.timeout(), (1, 2))).collect();
    (wheel, keys)
}

fn main() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    println!(
        "{:>9} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "live", "grow", "arm", "oldest", "random", "move", "fire", "next"
    );
    for live in [1_000, 100_000, 1_000_000] {
        // Small wheels are measured many times over, so that each figure stands on a million operations.
        let rounds = 1_000_000 / live;
        let [mut grow, mut arm, mut oldest, mut at_random, mut moved, mut fire, mut next] = [0.0; 7];
        for _ in 0..rounds {
            let timeouts: Vec<u64> = (0..live).map(|_| (1 << 45) + random.timeout()).collect();
            let mut wheel: Wheel<Value> = Wheel::new(1 << 45);
            let mut keys = Vec::with_capacity(live);
            let since = Instant::now();
            keys.extend(timeouts.iter().map(|&deadline| wheel.insert(deadline, (1, 2))));
            grow += per(live, since);

            let since = Instant::now();
            for &key in &keys {
                black_box(wheel.remove(key));
            }
            oldest += per(live, since);

            let since = Instant::now();
            for &deadline in &timeouts {
                black_box(wheel.insert(deadline, (1, 2)));
            }
            arm += per(live, since);

            let (mut wheel, mut keys) = filled(live, &mut random);
            random.shuffle(&mut keys);
            let since = Instant::now();
            for (key, &deadline) in keys.iter_mut().zip(&timeouts) {
                wheel.remove(*key);
                *key = wheel.insert(deadline, (1, 2));
            }
            moved += per(live, since);
            random.shuffle(&mut keys);
            let since = Instant::now();
            for &key in &keys {
                black_box(wheel.remove(key));
            }
            at_random += per(live, since);

            let (mut wheel, _) = filled(live, &mut random);
            let since = Instant::now();
            for _ in 0..live {
                black_box(black_box(&wheel).next_expiry());
            }
            next += per(live, since);
            let since = Instant::now();
            while let Some(now) = wheel.next_expiry() {
                while let Some(due) = wheel.pop_due(now) {
                    black_box(due);
                }
            }
            fire += per(live, since);
        }
        let [grow, arm, oldest, at_random, moved, fire, next] =
            [grow, arm, oldest, at_random, moved, fire, next].map(|sum| sum / rounds as f64);
        println!(
            "{live:>9} {grow:>7.1} {arm:>7.1} {oldest:>7.1} {at_random:>7.1} {moved:>7.1} {fire:>7.1} {next:>7.1}"
        );
    }
}

//! A hierarchical timing wheel as a pure data structure.
//!
//! [`Wheel<T>`] keeps values of any type, each with a deadline, and hands them back in the order of their deadlines. It
//! has no clock, no threads and no unsafe code: its owner says what time it is, and decides when to ask. That makes it
//! the same wheel under a real clock, a virtual clock and a model checker. The crate is `no_std` (it needs `alloc`), so
//! the compiler holds it to this.
//!
//! Times are nanoseconds in a `u64`, counted from an origin that the owner chooses: process start, boot, or anything
//! else. All values are valid times, `u64::MAX` included (584 years).
//!
//! ```
//! use weftwork_timer::Wheel;
//!
//! let mut wheel = Wheel::new(0);
//! let slow = wheel.insert(30_000_000_000, "request timed out");
//! wheel.insert(250_000, "retry");
//! assert_eq!(wheel.next_expiry(), Some(250_000)); // sleep until then
//!
//! assert!(wheel.pop_due(249_999).is_none()); // never early
//! let (deadline, _key, value) = wheel.pop_due(251_000).unwrap();
//! assert_eq!((deadline, value), (250_000, "retry"));
//!
//! assert_eq!(wheel.remove(slow), Some("request timed out")); // the answer came
//! assert_eq!(wheel.remove(slow), None); // a stale key finds nothing
//! assert_eq!(wheel.next_expiry(), None);
//! ```
//!
//! # How it works
//!
//! A deadline is read as a number in base 64 above its lowest 16 bits. The wheel keeps a *cursor*, the time up to which
//! it has worked. The highest digit in which a deadline differs from the cursor is its level, the value of that digit is
//! its slot:
//!
//! ```text
//!  bits of a deadline
//!  63        52 51   46 45   40 39   34 33   28 27   22 21   16 15            0
//!  +-----------+-------+-------+-------+-------+-------+-------+---------------+
//!  |  beyond   | lvl 5 | lvl 4 | lvl 3 | lvl 2 | lvl 1 | lvl 0 | within a tick |
//!  +-----------+-------+-------+-------+-------+-------+-------+---------------+
//!       |        19.5 h  18.3 min 17.2 s  268 ms  4.2 ms  65.5 us      |      <- one slot spans
//!       v        52 d    19.5 h  18.3 min 17.2 s  268 ms  4.2 ms       v      <- the level spans
//!   overflow     [64]    [64]    [64]    [64]    [64]    [64]        near
//!    (array)      \____________  slots: arrays, a bitmap of  _______/ (heap)
//!                            the occupied ones per level
//!
//!  cursor in level 0, slot 5:
//!
//!    near     [ty, tx]  due or in the cursor's tick, ordered by (deadline, insertion)
//!    level 0  . . . . . ^ a . b . . . . .      a, b: later in this turn of level 0
//!    level 1  . . ^ . . c . . . . . . . .      c: in a later turn of level 0
//!    ...
//!    overflow [z]                              z: differs above level 5
//! ```
//!
//! As time passes the cursor moves from occupied slot to occupied slot, found through the bitmaps: empty time costs
//! nothing, whether it is a tick or ten years. A slot the cursor enters is emptied and its entries are placed anew,
//! which takes them at least one level down (a *cascade*), or, from level 0, into the near heap. There the exact
//! deadlines decide, so precision is one nanosecond however coarse the level in which an entry waited.
//!
//! **Nothing wraps.** A slot is an absolute span of time: all entries of a level agree with the cursor in every higher
//! digit and lie ahead of it in their own. So the first occupied slot of the lowest occupied level holds the earliest
//! entry, and no slot can hold an entry of another rotation that would hide it. Whatever differs above the top level waits
//! in the overflow list until the cursor enters its 52 days.
//!
//! # Costs
//!
//! | operation | cost |
//! |---|---|
//! | [`insert`](Wheel::insert), [`remove`](Wheel::remove), [`reset`](Wheel::reset) | O(1); O(log *k*) amortised within the current tick or the past, *k* of them |
//! | [`next_expiry`](Wheel::next_expiry) | O(1): at most 16 entries are looked at |
//! | [`pop_due`](Wheel::pop_due), per entry in its life | at most 7 moves and O(log *k*), *k* the entries of its tick |
//! | every 2^32 armings | O(*n* log *n*) once, *n* the live entries: their order is numbered anew |
//! | the overflow list | walked once for every 52 days in which one of its entries falls due |
//! | memory | the most entries that ever lived at once, times (16 bytes + a padded `Option<T>`), times at most 2 for growth; 16 bytes for the node of each entry and of those that left since the last sweep of its slot, times at most 4; 2.5 KiB per level from its first entry on |
//!
//! Freed entries are used again, last freed first. The memory of a burst is kept until
//! [`shrink_to_fit`](Wheel::shrink_to_fit). An entry's place is retired after 2^32 - 2 uses instead of letting an old
//! [`Key`] find a new value.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod entries;
mod level;
mod near;
/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
mod wheel;

pub use entries::Key;
pub use wheel::Wheel;

//! Faults that other timers had, and promises that deserve a test with a name.

use weftwork_timer::Wheel;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// Starts that bring each level, and the whole wheel, close to the end of a turn, at it and behind it; 27 years at most, so
/// that sums with them stay in range.
fn starts() -> impl Iterator<Item = u64> {
    (0..=7).flat_map(|level| {
        let turn = 1_u64 << (16 + 6 * level);
        [turn - 1, turn, turn + 1, turn / 2, turn / 64 * 63, turn * 3 - 1]
    })
}

fn fire_all<T>(wheel: &mut Wheel<T>, now: u64) -> Vec<T> {
    let mut fired = Vec::new();
    wheel.advance(now, |deadline, value| {
        assert!(deadline <= now, "fired early");
        fired.push(value);
    });
    fired
}

/// Sleeps as a runtime does until something fires; how often it woke up.
fn sleep_until_one_fires<T>(wheel: &mut Wheel<T>) -> (u64, T, usize) {
    for wake_ups in 1..=8 {
        let next = wheel.next_expiry().expect("something is armed");
        if let Some((deadline, _, value)) = wheel.pop_due(next) {
            assert_eq!(deadline, next, "woke late");
            return (deadline, value, wake_ups);
        }
    }
    panic!("the wheel keeps its owner awake and fires nothing");
}

/// An entry more than a rotation of the top level away, in the slot the wheel is in, hid every other occupied slot of that
/// level: no timer beyond it fired until 12.4 days of uptime had been slept through.
#[test]
fn tokio_8334_an_entry_beyond_a_rotation_hides_no_other() {
    for start in starts() {
        for rotation in [1_u64 << 46, 1 << 52, 1 << 58] {
            let mut wheel = Wheel::new(start);
            wheel.insert(start + rotation, "a rotation");
            wheel.insert(start + rotation + SECOND, "more than a rotation");
            wheel.insert(u64::MAX, "never");
            wheel.insert(i64::MAX as u64, "tokio's far future");
            let soon = start + 30 * SECOND;
            wheel.insert(soon, "soon");
            assert_eq!(wheel.next_expiry(), Some(soon), "hidden from a start at {start}");
            assert_eq!(sleep_until_one_fires(&mut wheel), (soon, "soon", 1));
        }
    }
}

/// The same by uptime: 30 s timers, armed every second around the ends of turns, fire on time while others wait far away.
/// The last boundary is tokio's 12.4 days.
#[test]
fn tokio_8334_timers_that_straddle_the_end_of_a_turn_fire_on_time() {
    for boundary in [1_u64 << 46, 1 << 52, 2 << 52, 3 << 52, 1_073_741_824_000_000] {
        let mut wheel = Wheel::new(0);
        wheel.insert(u64::MAX, None);
        wheel.insert(i64::MAX as u64 * 2, None);
        for second in 0..90 {
            let now = boundary - 60 * SECOND + second * SECOND;
            wheel.advance(now, |deadline, due| assert_eq!(Some(deadline), due, "late, early or never"));
            wheel.insert(now + 30 * SECOND, Some(now + 30 * SECOND));
            let oldest = (boundary - 60 * SECOND + second.saturating_sub(29) * SECOND) + 30 * SECOND;
            assert_eq!(wheel.next_expiry(), Some(oldest));
            assert_eq!(wheel.len(), 2 + second.min(29) as usize + 1);
        }
    }
}

/// The longest timeout overflowed (3551), and the largest time meant "not registered" (5710). Here every value is a time
/// like any other.
#[test]
fn tokio_3551_and_5710_the_farthest_deadline_neither_overflows_nor_fires() {
    for start in starts().chain([0, u64::MAX - 1]) {
        let mut wheel = Wheel::new(start);
        let never = wheel.insert(u64::MAX, "never");
        assert_eq!(wheel.next_expiry(), Some(u64::MAX));
        assert!(fire_all(&mut wheel, u64::MAX - 1).is_empty());
        assert!(wheel.reset(never, u64::MAX));
        assert_eq!(wheel.next_expiry(), Some(u64::MAX));
        assert_eq!(fire_all(&mut wheel, u64::MAX), ["never"], "it is due at the last nanosecond, and not lost");
        let again = wheel.insert(u64::MAX, "at the end of time");
        assert_eq!(wheel.pop_due(u64::MAX), Some((u64::MAX, again, "at the end of time")));
    }
}

#[test]
fn a_deadline_in_the_past_fires_at_once_and_first() {
    for start in starts() {
        let mut wheel = Wheel::new(start);
        wheel.insert(start, "now");
        wheel.insert(0, "origin");
        wheel.insert(start - 1, "just gone");
        wheel.insert(start + 1, "next");
        assert_eq!(wheel.next_expiry(), Some(0));
        assert_eq!(fire_all(&mut wheel, start), ["origin", "just gone", "now"]);
        assert_eq!(wheel.next_expiry(), Some(start + 1));
    }
}

/// A timer due exactly now was not fired, but made the wait zero: a hot loop for as long as the clock stood still.
#[test]
fn async_io_73_what_is_due_exactly_now_fires_and_the_next_wait_is_not_zero() {
    for start in starts() {
        for delay in [0, 1, 65_535, 65_536, 65_537, SECOND, DAY] {
            let mut wheel = Wheel::new(start);
            let deadline = start + delay;
            wheel.insert(deadline, "due");
            wheel.insert(deadline + 1, "a nanosecond later");
            assert_eq!(wheel.next_expiry(), Some(deadline));
            assert_eq!(fire_all(&mut wheel, deadline), ["due"]);
            for _frozen_clock in 0..3 {
                assert_eq!(wheel.next_expiry(), Some(deadline + 1));
                assert!(fire_all(&mut wheel, deadline).is_empty());
            }
            assert_eq!(fire_all(&mut wheel, deadline + 1), ["a nanosecond later"]);
            assert_eq!(wheel.next_expiry(), None);
        }
    }
}

#[test]
fn a_long_sleep_wakes_its_owner_once() {
    for start in starts() {
        let mut wheel = Wheel::new(start);
        for delay in [300_000, 7 * SECOND, 3 * DAY, 40 * DAY, 4_000 * DAY] {
            wheel.insert(start + delay, delay);
        }
        for delay in [300_000, 7 * SECOND, 3 * DAY, 40 * DAY, 4_000 * DAY] {
            assert_eq!(sleep_until_one_fires(&mut wheel), (start + delay, delay, 1));
        }
    }
}

#[test]
fn cancelling_the_earliest_of_many_costs_at_most_one_early_wake_up() {
    let start = 12_345_678_901;
    for delay in [300_000, 20_000_000, 7 * SECOND, 3 * DAY, 60 * DAY] {
        let mut wheel = Wheel::new(start);
        let keys: Vec<_> = (0..100).map(|nth| wheel.insert(start + delay + nth, nth)).collect();
        for key in &keys[..50] {
            wheel.remove(*key);
        }
        let (deadline, nth, wake_ups) = sleep_until_one_fires(&mut wheel);
        assert_eq!((deadline, nth), (start + delay + 50, 50));
        assert!(wake_ups <= 2, "{wake_ups} wake-ups");
        assert_eq!(sleep_until_one_fires(&mut wheel), (start + delay + 51, 51, 1));
    }
}

#[test]
fn a_batch_fires_by_deadline_and_then_by_insertion_across_levels() {
    for start in starts() {
        let mut wheel = Wheel::new(start);
        let meeting = start + 40 * DAY;
        wheel.insert(meeting, "armed 40 days ahead");
        wheel.insert(meeting + 1, "a nanosecond after the others");
        assert!(fire_all(&mut wheel, meeting - 2 * SECOND).is_empty());
        wheel.insert(meeting, "armed 2 s ahead");
        let reset = wheel.insert(0, "reset last");
        assert!(fire_all(&mut wheel, meeting - 100_000).contains(&"reset last"));
        assert!(!wheel.reset(reset, meeting));
        wheel.insert(meeting - 1, "a nanosecond before the others");
        wheel.insert(meeting, "armed 100 us ahead");
        assert!(fire_all(&mut wheel, meeting - 2).is_empty());
        wheel.insert(meeting, "armed in the same tick");
        assert_eq!(
            fire_all(&mut wheel, meeting + DAY),
            [
                "a nanosecond before the others",
                "armed 40 days ahead",
                "armed 2 s ahead",
                "armed 100 us ahead",
                "armed in the same tick",
                "a nanosecond after the others",
            ]
        );
    }
}

#[test]
fn an_owner_may_stop_in_a_batch_and_change_what_is_left() {
    let mut wheel = Wheel::new(0);
    let keys: Vec<_> = (1..=5).map(|nth| wheel.insert(nth * 100 * SECOND, nth)).collect();
    let now = 10 * DAY;
    assert_eq!(wheel.pop_due(now), Some((100 * SECOND, keys[0], 1)));
    assert_eq!(wheel.remove(keys[1]), Some(2));
    assert!(wheel.reset(keys[2], now + 1));
    let late = wheel.insert(450 * SECOND, 45);
    assert_eq!(wheel.pop_due(now), Some((400 * SECOND, keys[3], 4)));
    assert_eq!(wheel.pop_due(0), Some((450 * SECOND, late, 45)), "an older time counts as the newest seen");
    assert_eq!(wheel.pop_due(now), Some((500 * SECOND, keys[4], 5)));
    assert_eq!(wheel.pop_due(now), None);
    assert_eq!(wheel.next_expiry(), Some(now + 1));
}

#[test]
fn time_that_goes_back_neither_fires_nor_unfires() {
    let mut wheel = Wheel::new(1_000_000);
    wheel.insert(2_000_000, 'a');
    wheel.insert(9_000_000, 'b');
    assert_eq!(fire_all(&mut wheel, 5_000_000), ['a']);
    wheel.insert(4_000_000, 'c');
    assert_eq!(wheel.next_expiry(), Some(4_000_000));
    let mut fired = Vec::new();
    wheel.advance(0, |deadline, value| fired.push((deadline, value)));
    assert_eq!(fired, [(4_000_000, 'c')], "due by the newest time seen");
    assert_eq!((wheel.now(), wheel.next_expiry()), (5_000_000, Some(9_000_000)));
}

/// By steps and not by a clock: a wheel that walked empty ticks would need 10^14 of them here.
#[test]
fn centuries_pass_at_once() {
    let mut wheel = Wheel::new(7);
    for year in 1..=580 {
        wheel.insert(year * 365 * DAY, year);
    }
    assert_eq!(fire_all(&mut wheel, u64::MAX), (1..=580).collect::<Vec<_>>());
}

#[test]
fn a_panicking_owner_loses_only_what_it_was_given() {
    let mut wheel = Wheel::new(0);
    for nth in 1..=3 {
        wheel.insert(nth * SECOND, nth);
    }
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wheel.advance(DAY, |_, nth| assert_ne!(nth, 2, "planted"));
    }));
    assert!(outcome.is_err());
    assert_eq!(fire_all(&mut wheel, DAY), [3]);
}

#[test]
fn debug_output_says_how_full_the_wheel_is_without_the_values() {
    struct Silent;
    let mut wheel = Wheel::new(5);
    let key = wheel.insert(1 << 30, Silent);
    let text = format!("{wheel:?} {key:?}");
    assert!(text.contains("len: 1") && text.contains("next_expiry: Some(1073741824)"), "{text}");
}

/// Entries that left leave a trace in their slot; it must not count among the sixteen up to which the answer stays exact.
#[test]
fn next_expiry_is_exact_again_once_few_are_left_of_many() {
    for far in [10 * SECOND, 100 * DAY] {
        let mut wheel = Wheel::new(0);
        let keys: Vec<_> = (0..40).map(|off| wheel.insert(far + off, off)).collect();
        for (gone, key) in keys.into_iter().enumerate() {
            let left = 40 - gone;
            if left <= 16 {
                assert_eq!(wheel.next_expiry(), Some(far + gone as u64), "with {left} left");
            }
            wheel.remove(key);
        }
        assert!(wheel.is_empty());
    }
}

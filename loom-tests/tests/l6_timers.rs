//! The life of a timer (L6): it fires at most once, its waker is called only if cancelling came too late, and no waker is
//! kept once it is out of the wheel.
#![cfg(weftwork_loom)]

use weftwork::doors::{Probe, Wheel};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

#[test]
fn firing_against_cancelling() {
    check("timer/fire_cancel", Bound::Unbounded, Bound::Unbounded, || {
        let (wheel, probe) = (Shared::new(Wheel::new()), Probe::new());
        let (timer, earliest) = wheel.arm(5, probe.waker()).unwrap();
        assert!(earliest);
        let theirs = wheel.clone();
        let firing = spawn(move || theirs.fire(10));
        let cancelled = Wheel::cancel(timer);
        let after_cancel = probe.wakes();
        firing.join().unwrap();
        if cancelled {
            assert_eq!((after_cancel, probe.wakes()), (0, 0), "it fired after it had been cancelled");
        } else {
            assert_eq!(probe.wakes(), 1);
        }
        assert_eq!((probe.held(), wheel.len()), (0, 0));
    });
}

#[test]
fn two_fire_and_one_cancels() {
    check("timer/fire_fire_cancel", Bound::Preemptions(3), Bound::Unbounded, || {
        let (wheel, probe) = (Shared::new(Wheel::new()), Probe::new());
        let (timer, _) = wheel.arm(5, probe.waker()).unwrap();
        let firing = [wheel.clone(), wheel.clone()].map(|wheel| spawn(move || wheel.fire(10)));
        let cancelled = Wheel::cancel(timer);
        let fired: usize = firing.into_iter().map(|firing| firing.join().unwrap()).sum();
        assert_eq!(fired + usize::from(cancelled), 1);
        assert_eq!((probe.wakes(), probe.held()), (fired as u64, 0));
    });
}

#[test]
fn firing_against_another_waker() {
    check("timer/fire_set_waker", Bound::Unbounded, Bound::Unbounded, || {
        let (wheel, old, new) = (Shared::new(Wheel::new()), Probe::new(), Probe::new());
        let (mut timer, _) = wheel.arm(5, old.waker()).unwrap();
        let theirs = wheel.clone();
        let firing = spawn(move || theirs.fire(10));
        let waits_on = Wheel::set_waker(&mut timer, &new.waker());
        firing.join().unwrap();
        assert_eq!((old.wakes(), new.wakes()), if waits_on { (0, 1) } else { (1, 0) });
        assert_eq!((old.held(), new.held()), (0, 0));
    });
}

#[test]
fn arming_again_elsewhere_against_firing() {
    check("timer/rearm_fire", Bound::Preemptions(3), Bound::Unbounded, || {
        let (wheel, old, new) = (Shared::new(Wheel::new()), Probe::new(), Probe::new());
        let (timer, _) = wheel.arm(5, old.waker()).unwrap();
        let (theirs, waker) = (wheel.clone(), new.waker());
        let rearming = spawn(move || {
            let cancelled = Wheel::cancel(timer);
            let (again, _) = theirs.arm(6, waker).unwrap();
            (cancelled, again)
        });
        let fired = wheel.fire(10);
        let (cancelled, again) = rearming.join().unwrap();
        assert!(fired <= 2 && old.wakes() == u64::from(!cancelled));
        // What was armed after the look is not lost: next_due says when to come.
        if new.wakes() == 0 {
            assert!(wheel.next_due() <= 6, "nobody would come for it");
            assert_eq!(wheel.fire(10), 1);
        }
        assert!(!Wheel::cancel(again));
        assert_eq!((new.wakes(), old.held(), new.held()), (1, 0, 0));
        assert_eq!(wheel.next_due(), Wheel::NEVER);
    });
}

#[test]
fn two_arm_while_one_fires() {
    check("timer/arm_arm_fire", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let (wheel, first, second) = (Shared::new(Wheel::new()), Probe::new(), Probe::new());
        let arming = [(5, first.waker()), (7, second.waker())].map(|(deadline, waker)| {
            let wheel = wheel.clone();
            spawn(move || wheel.arm(deadline, waker).unwrap())
        });
        wheel.fire(5);
        let _armed = arming.map(|arming| arming.join().unwrap());
        let next = if first.wakes() == 0 { 5 } else { 7 };
        assert!(wheel.next_due() <= next, "next_due is never later than the earliest deadline");
        wheel.fire(7);
        assert_eq!((first.wakes(), second.wakes(), wheel.len()), (1, 1, 0));
    });
}

#[test]
fn the_end_of_the_wheel_against_arming() {
    check("timer/close_arm", Bound::Unbounded, Bound::Unbounded, || {
        let (wheel, probe) = (Shared::new(Wheel::new()), Probe::new());
        let (theirs, waker) = (wheel.clone(), probe.waker());
        let arming = spawn(move || theirs.arm(5, waker));
        wheel.close();
        let timer = arming.join().unwrap();
        let armed = timer.is_some();
        assert_eq!(probe.wakes(), u64::from(armed), "who was armed is told");
        assert_eq!((probe.held(), wheel.len()), (0, 0));
        assert_eq!(wheel.next_due(), Wheel::NEVER);
    });
}

#[test]
fn the_owner_goes_while_a_sleep_goes() {
    check("timer/leave_cancel", Bound::Unbounded, Bound::Unbounded, || {
        let (wheel, probe) = (Wheel::new(), Probe::new());
        let (timer, _) = wheel.arm(5, probe.waker()).unwrap();
        let sleep = spawn(move || Wheel::cancel(timer));
        let keep = wheel.leave();
        assert!(sleep.join().unwrap(), "nobody fires it");
        assert_eq!((probe.wakes(), probe.held()), (0, 0));
        assert_eq!(keep(), 0, "the second to go frees the wheels, once");
    });
}

#[test]
fn the_owner_goes_while_a_sleep_finds_that_it_fired_and_one_is_cancelled() {
    check("timer/leave_look_cancel", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (wheel, fired, waits) = (Wheel::new(), Probe::new(), Probe::new());
        let (mut due, _) = wheel.arm(5, fired.waker()).unwrap();
        let (later, _) = wheel.arm(7, waits.waker()).unwrap();
        let other = fired.waker();
        let looks = spawn(move || Wheel::set_waker(&mut due, &other));
        let cancels = spawn(move || Wheel::cancel(later));
        let woken = wheel.fire(5);
        let keep = wheel.leave();
        looks.join().unwrap();
        assert!(cancels.join().unwrap(), "it was not due");
        assert!(woken <= 1 && fired.wakes() <= 1);
        assert_eq!((waits.wakes(), waits.held(), fired.held()), (0, 0, 0));
        assert_eq!(keep(), 0, "the last to go frees the wheels, once");
    });
}

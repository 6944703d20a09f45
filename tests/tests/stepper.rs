//! A runtime whose workers are whoever sits down at them: what runs, where and when, is in the caller's hands.

use std::sync::mpsc;
use weftwork::runtime::Builder;
use weftwork::task::yield_now;
use weftwork::testing::{ManualClock, Stepper};
use weftwork::time::Duration;

fn stepper(workers: usize) -> Stepper {
    Stepper::new(workers).expect("a runtime without threads can be built")
}

#[test]
fn nothing_runs_until_somebody_steps() {
    stepper(1).sit(0, |seat| {
        let handle = weftwork::spawn(async {});
        assert!(seat.is_ready() && !handle.is_finished());
        assert!(seat.step());
        assert!(!seat.is_ready() && handle.is_finished());
    });
}

#[test]
fn a_step_polls_one_task_once() {
    stepper(1).sit(0, |seat| {
        let handle = weftwork::spawn(async { yield_now().await });
        assert!(seat.step() && !handle.is_finished());
        assert!(seat.step() && handle.is_finished());
    });
}

#[test]
fn between_steps_nobody_is_inside_of_a_task() {
    stepper(1).sit(0, |seat| {
        let waits = weftwork::spawn(std::future::pending::<()>());
        assert!(seat.step());
        // From inside, a task that cancels itself has everything that it awaits afterwards stand still.
        assert!(waits.cancel());
        assert!(!weftwork::sync::coop::is_cancelled());
        assert_eq!(seat.steps(1), 1);
        assert!(waits.is_finished());
    });
}

#[test]
fn what_is_ready_is_run_without_sleeping() {
    let clock = ManualClock::new();
    let stepper = Stepper::build(Builder::new_multi_thread().worker_threads(1).clock(&clock)).expect("no threads");
    stepper.sit(0, |seat| {
        let day = Duration::from_secs(86_400);
        let handle = weftwork::spawn(weftwork::sleep(day));
        assert_eq!(seat.run_ready(), 1);
        assert_eq!(seat.run_ready(), 0);
        clock.advance(day);
        assert_eq!(seat.run_ready(), 1);
        assert!(handle.is_finished());
    });
}

#[test]
fn tasks_from_outside_come_to_whoever_steps() {
    let stepper = stepper(2);
    let handle = stepper.handle().spawn(async { 5 });
    stepper.sit(1, |seat| assert_eq!(seat.run_ready(), 1));
    assert!(handle.is_finished());
}

#[test]
fn what_was_ready_at_a_seat_that_was_left_runs_at_another() {
    let stepper = stepper(2);
    let handle = stepper.sit(0, |_| weftwork::spawn(async {}));
    stepper.sit(1, |seat| assert_eq!(seat.run_ready(), 1));
    assert!(handle.is_finished());
}

#[test]
fn two_threads_sit_at_two_seats_at_once() {
    let stepper = &stepper(2);
    let (to_waiter, from_waker) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            stepper.sit(0, |seat| {
                let (sender, receiver) = weftwork::sync::oneshot::channel::<u32>();
                let mut handle = weftwork::spawn(receiver);
                seat.run_ready();
                to_waiter.send(sender).expect("the other thread waits for it");
                while !handle.is_finished() {
                    // Sleeps until the other seat's task has sent.
                    seat.step();
                }
                assert_eq!(handle.try_take().expect("finished").expect("no panic"), Ok(7));
            });
        });
        scope.spawn(move || {
            stepper.sit(1, |seat| {
                let sender = from_waker.recv().expect("the other thread sends it");
                let handle = weftwork::spawn(async move { sender.send(7) });
                while !handle.is_finished() {
                    seat.step();
                }
            });
        });
    });
}

#[test]
fn a_seat_is_free_again_after_a_panic() {
    let stepper = stepper(1);
    let sat = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        stepper.sit(0, |_| -> () { panic!("while sitting") });
    }));
    assert!(sat.is_err());
    stepper.sit(0, |seat| assert_eq!(seat.run_ready(), 0));
}

#[test]
#[should_panic(expected = "somebody sits at seat 0")]
fn nobody_sits_where_somebody_sits() {
    let stepper = stepper(1);
    stepper.sit(0, |_| stepper.sit(0, |_| ()));
}

#[test]
#[should_panic(expected = "there is no seat 2: this runtime has 2")]
fn nobody_sits_where_no_seat_is() {
    stepper(2).sit(2, |_| ());
}

#[test]
#[should_panic(expected = "a current-thread runtime has no seats")]
fn a_current_thread_runtime_is_not_stepped() {
    let _ = Stepper::build(Builder::new_current_thread());
}

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Several at once: gather, JoinSet, wait, as_completed, race.

mod fixtures;

use fixtures::{Log, after, cleans_up, ms, on_virtual_time, sleep};
use futures::StreamExt;
use weftwork::group::{Outcome, ReturnWhen, wait};
use weftwork::time::{Instant, timeout};
use weftwork::{
    JoinError, JoinSet, as_completed, gather, gather_outcomes, race, race_ok, spawn, staggered_race, try_gather,
};

#[test]
fn gather_gives_values_in_the_order_of_the_arguments() {
    on_virtual_time(|clock| async move {
        assert_eq!(gather([30, 10, 20].map(after)).await, [30, 10, 20]);
        assert_eq!(clock.ms(), 30);
        assert!(gather(Vec::<std::future::Ready<()>>::new()).await.is_empty());
    });
}

#[test]
fn the_first_error_of_try_gather_cancels_the_rest_which_is_awaited() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let run = |n: u64| {
            let log = log.clone();
            async move {
                if n == 0 {
                    cleans_up(log, 20).await;
                }
                sleep(n).await;
                Err::<(), _>(n)
            }
        };
        let error = try_gather([10, 0, 500].map(run)).await.unwrap_err();
        assert_eq!(error.single(), Ok(10));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into()], 30));
        assert_eq!(try_gather([1, 2].map(async |n| Ok::<_, ()>(n))).await.unwrap(), [1, 2]);
    });
}

#[test]
fn a_cancelled_gather_cancels_every_one_of_its_tasks() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let all: Vec<_> = (1..4).map(|n| cleans_up(log.clone(), n * 10)).collect();
        assert!(timeout(ms(5), gather(all)).await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (3, 35));
        let all: Vec<_> = (1..4)
            .map(|n| {
                let log = log.clone();
                async move {
                    cleans_up(log, n * 10).await;
                    Ok::<_, ()>(())
                }
            })
            .collect();
        assert!(timeout(ms(5), gather_outcomes(all).into_future()).await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (6, 70));
    });
}

#[test]
fn a_panic_in_gather_goes_on_in_the_caller() {
    on_virtual_time(|_| async move {
        let task = spawn(async { gather([0, 1].map(async |n| assert!(n == 0, "one"))).await });
        assert_eq!(task.await.unwrap_err().into_panic().unwrap().message(), Some("one"));
    });
}

#[test]
fn gather_outcomes_says_of_each_what_it_came_to() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let run = |n: u64| {
            let log = log.clone();
            async move {
                match n {
                    0 => Ok(0),
                    1 => Err("one"),
                    2 => panic!("two"),
                    _ => {
                        cleans_up(log, 10).await;
                        Ok(3)
                    }
                }
            }
        };
        let all = gather_outcomes((0..4).map(run)).deadline(ms(50)).await;
        assert!(
            matches!(&all[..], [Outcome::Ok(0), Outcome::Err("one"), Outcome::Panicked(two), Outcome::Cancelled(_)]
                if two.message() == Some("two")),
            "{all:?}"
        );
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 10".into()], 60));
    });
}

#[test]
fn with_a_limit_the_rest_begins_as_others_end_and_what_never_began_is_cancelled() {
    on_virtual_time(|clock| async move {
        let all = gather_outcomes((0..6).map(async |n| {
            sleep(10).await;
            Ok::<_, ()>(n)
        }));
        let all = all.limit(2).await;
        assert_eq!(all.into_iter().filter_map(Outcome::ok).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(clock.ms(), 30);
        let all = gather_outcomes((0..6).map(async |n| {
            sleep(10).await;
            Ok::<_, ()>(n)
        }));
        let all = all.limit(2).deadline(ms(15)).await;
        assert_eq!(all.iter().map(Outcome::is_ok).collect::<Vec<_>>(), [true, true, false, false, false, false]);
        assert_eq!(clock.ms(), 45);
    });
}

#[test]
fn a_join_set_gives_outcomes_as_they_come_and_keeps_the_others() {
    on_virtual_time(|clock| async move {
        let mut set = JoinSet::new();
        let slow = set.spawn(after(20));
        let quick = set.spawn(after(10));
        assert!(set.try_join_next().is_none());
        let (id, outcome) = set.join_next_with_id().await.unwrap();
        assert_eq!((id, outcome.unwrap(), set.len()), (quick, 10, 1));
        assert!(timeout(ms(5), set.join_next()).await.is_err(), "given up, nothing is lost");
        assert_eq!(set.ids().collect::<Vec<_>>(), [slow]);
        assert_eq!(set.join_next().await.unwrap().unwrap(), 20);
        assert!(set.join_next().await.is_none());
        assert_eq!(clock.ms(), 20);
    });
}

#[test]
fn a_join_set_tells_panics_and_cancels_all_and_drains() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let mut set = JoinSet::new();
        set.spawn(async { panic!("boom") });
        assert!(matches!(set.join_next().await, Some(Err(JoinError::Panicked(_)))));
        set.spawn(cleans_up(log.clone(), 20));
        sleep(10).await;
        set.cancel_all().await;
        assert_eq!((log.all().len(), set.len(), clock.ms()), (1, 0, 30));
        set.spawn(sleep(10));
        set.spawn(cleans_up(log.clone(), 20));
        let drained = set.drain(ms(15)).await;
        assert_eq!((drained.finished, drained.cancelled, clock.ms()), (1, 1, 65));
        set.spawn(sleep(10));
        set.detach_all();
        assert!(set.join_next().await.is_none());
        sleep(20).await;
    });
}

#[test]
fn a_dropped_join_set_cancels_and_its_host_waits_for_that() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let host = spawn(async move {
            let mut set = JoinSet::new();
            set.spawn(cleans_up(theirs, 30));
            sleep(10).await;
            drop(set);
            7
        });
        assert_eq!(host.await.unwrap(), 7);
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 30".into()], 40));
    });
}

#[test]
fn wait_returns_at_the_first_at_an_exception_at_the_end_or_at_its_deadline() {
    on_virtual_time(|clock| async move {
        let mut set = JoinSet::new();
        for n in [30, 10, 20, 1_000] {
            set.spawn(after(n));
        }
        let first = wait(&mut set, ReturnWhen::FirstCompleted, None).await;
        assert_eq!((first.len(), clock.ms(), set.len()), (1, 10, 3));
        let late = wait(&mut set, ReturnWhen::AllCompleted, Some(Instant::now() + ms(25))).await;
        let values: Vec<_> = late.into_iter().map(|(_, outcome)| outcome.unwrap()).collect();
        assert_eq!((values, clock.ms(), set.len()), (vec![20, 30], 35, 1));
        set.spawn(async { panic!("boom") });
        let failed = wait(&mut set, ReturnWhen::FirstException, None).await;
        assert!(failed[0].1.as_ref().unwrap_err().is_panic() && set.len() == 1);
        let all = wait(&mut set, ReturnWhen::AllCompleted, None).await;
        assert_eq!((all.len(), clock.ms()), (1, 1_000));
    });
}

#[test]
fn waiting_for_an_empty_set_panics_with_advice() {
    on_virtual_time(|_| async move {
        let task = spawn(async { wait(&mut JoinSet::<()>::new(), ReturnWhen::AllCompleted, None).await.len() });
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert!(panic.message().unwrap().contains("spawn into it first"));
    });
}

#[test]
fn as_completed_gives_them_as_they_end_and_can_be_taken_up_again() {
    on_virtual_time(|clock| async move {
        let mut all = as_completed([30, 10, 20, 500].map(after));
        let (index, outcome) = all.next().await.unwrap();
        assert_eq!((index, outcome.unwrap()), (1, 10));
        assert!(timeout(ms(5), all.next()).await.is_err());
        let rest: Vec<_> = timeout(ms(100), (&mut all).take(2).map(|(index, _)| index).collect()).await.unwrap();
        assert_eq!((rest, clock.ms(), all.len()), (vec![2, 0], 30, 1));
    });
}

#[test]
fn rule_35_the_losers_of_a_race_have_cleaned_up_before_it_returns() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let run = |n: u64| {
            let log = log.clone();
            async move {
                if n == 0 {
                    cleans_up(log, 20).await;
                }
                after(n).await
            }
        };
        assert_eq!(race([0, 10, 500].map(run)).await, (1, 10));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into()], 30));
    });
}

#[test]
fn race_ok_gives_the_first_success_or_every_error() {
    on_virtual_time(|clock| async move {
        let run = async |n: u64| {
            sleep(n).await;
            if n < 25 { Err(n) } else { Ok(n) }
        };
        assert_eq!(race_ok([30, 10, 40].map(run)).await, Ok((0, 30)));
        assert_eq!(race_ok([20, 10].map(run)).await, Err(vec![20, 10]));
        assert_eq!(clock.ms(), 50);
    });
}

#[test]
fn a_staggered_race_begins_the_next_after_a_delay_or_a_failure() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let run = |n: u64| {
            let (log, clock) = (log.clone(), clock.clone());
            async move {
                log.put(format!("{n} at {}", clock.ms()));
                sleep(n).await;
                if n < 25 { Err(n) } else { Ok(n) }
            }
        };
        assert_eq!(staggered_race(ms(15), [5, 100, 40].map(run)).await, Ok((2, 40)));
        assert_eq!((log.all(), clock.ms()), (vec!["5 at 0".into(), "100 at 5".into(), "40 at 20".into()], 60));
    });
}

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Several futures in one task: `select!`, `join!`, `try_join!`. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Drops, Log, on_virtual_time, poll_once};
use futures::future::poll_fn;
use futures::stream::{FuturesUnordered, StreamExt};
use std::cell::Cell;
use std::collections::HashSet;
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use weftwork::scope::{CancelScope, cancellable, cleanup, shield};
use weftwork::sync::{block_on, channel};
use weftwork::task::{JoinHandle, yield_now};
use weftwork::time::{Duration, timeout};
use weftwork::{group, join, select, spawn, try_join};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

async fn sleep(of: u64) {
    weftwork::sleep(ms(of)).await;
}

/// Waits for ever; cancelled, it takes its time, and says so.
async fn cleans_up(log: Log, takes: u64) -> u32 {
    match cancellable(pending::<u32>()).await {
        Ok(value) => value,
        Err(cancelled) => {
            cleanup(ms(10_000), sleep(takes)).await.unwrap();
            log.put(format!("cleaned after {takes}"));
            cancelled.propagate().await
        }
    }
}

#[test]
fn rule_45_the_losers_have_cleaned_up_before_the_arm_begins() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        select! {
            _ = cleans_up(log.clone(), 30) => log.put("never"),
            _ = cleans_up(log.clone(), 50) => log.put("never"),
            () = sleep(10) => log.put(format!("arm at {}", clock.ms())),
        }
        assert_eq!(log.all(), ["cleaned after 30", "cleaned after 50", "arm at 60"]);
    });
}

#[test]
fn rule_45_pads_in_a_combinator_that_polls_what_was_woken_clean_up_too() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let many: FuturesUnordered<_> = (0..20).map(|_| cleans_up(log.clone(), 5)).collect();
        select! {
            () = sleep(10) => {}
            _ = many.count() => unreachable!(),
        }
        assert_eq!((log.all().len(), clock.ms()), (20, 15));
    });
}

#[test]
fn rule_45_a_group_that_loses_has_ended_with_its_children() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let loser = group(async move |group| {
            group.spawn(cleans_up(theirs, 20)).detach();
            pending::<()>().await;
        });
        select! {
            () = sleep(10) => log.put("arm"),
            _ = loser => unreachable!(),
        }
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into(), "arm".into()], 30));
    });
}

#[test]
fn a_loser_that_comes_to_a_value_while_it_unwinds_is_dropped_with_it() {
    on_virtual_time(|clock| async move {
        let drops = Drops::default();
        let token = drops.token();
        let gives_in_the_end = async {
            let _ = cancellable(pending::<()>()).await;
            cleanup(ms(100), sleep(5)).await.unwrap();
            token
        };
        let won = select! {
            _token = gives_in_the_end => "the loser",
            () = sleep(10) => "the winner",
        };
        assert_eq!((won, drops.count(), clock.ms()), ("the winner", 1, 15));
    });
}

#[test]
fn losers_are_told_why() {
    on_virtual_time(|_| async move {
        let mut told = None;
        select! {
            () = async { told = cancellable(pending::<()>()).await.err() } => unreachable!(),
            () = sleep(1) => {}
        }
        let cause = told.unwrap().cause().clone();
        assert!(cause.to_string().contains("select!"), "{cause}");
        assert_eq!(cause.at.file(), file!());
    });
}

#[test]
fn arms_borrow_and_the_winner_may_use_what_they_borrowed() {
    on_virtual_time(|_| async move {
        let mut items = vec![1, 2];
        let (sender, receiver) = channel::bounded::<u32>(1);
        for _ in 0..2 {
            select! {
                () = async { items.push(3); pending().await } => unreachable!(),
                () = yield_now() => items.push(4),
                got = receiver.recv() => items.push(got.unwrap()),
            }
        }
        drop(sender);
        assert_eq!(items.iter().filter(|&&item| item == 4).count(), 2);
    });
}

#[test]
fn the_code_of_an_arm_may_leave_the_function_and_the_loop_around() {
    async fn until(limit: u32) -> Result<u32, std::num::ParseIntError> {
        let mut round = 0;
        loop {
            select! {
                biased;
                text = ready("x"), if round == limit => {
                    text.parse::<u32>()?;
                }
                () = ready(()), if round == 3 => return Ok(round),
                () = ready(()), if round == 7 => break,
                () = yield_now() => { round += 1; continue }
            }
        }
        Ok(round)
    }
    on_virtual_time(|_| async move {
        assert_eq!(until(9).await, Ok(3));
        assert!(until(2).await.is_err());
    });
}

#[test]
fn an_arm_whose_condition_is_false_is_left_out_and_its_future_not_made() {
    on_virtual_time(|_| async move {
        let none = "".split_once(",");
        let won = select! {
            biased;
            length = ready(none.unwrap().0.len()), if none.is_some() => length,
            n = ready(7), if none.is_none() => n,
        };
        assert_eq!(won, 7);
    });
}

#[test]
fn conditions_are_looked_at_before_the_first_future_borrows() {
    on_virtual_time(|_| async move {
        let mut text = String::from("a");
        let won = select! {
            biased;
            () = async { text.push('b'); yield_now().await } => 1,
            () = pending(), if !text.is_empty() => 2,
        };
        assert_eq!((won, text.as_str()), (1, "ab"));
    });
}

#[test]
fn a_value_that_the_pattern_does_not_take_leaves_the_arm_out() {
    on_virtual_time(|clock| async move {
        let drops = Drops::default();
        let won = select! {
            biased;
            Some(mut n) = ready(None::<u32>) => { n += 1; n }
            Ok::<u32, _>(n) = async { sleep(1).await; Err(drops.token()) } => n,
            () = sleep(5) => 0,
        };
        assert_eq!((won, drops.count(), clock.ms()), (0, 1, 5));
    });
}

#[test]
fn a_pattern_moves_out_of_what_it_takes() {
    on_virtual_time(|_| async move {
        let owned: String = select! {
            (Ok(name) | Err(name), _) = async { (Ok::<String, String>("name".into()), 1) } => name,
        };
        assert_eq!(owned, "name");
    });
}

#[test]
fn else_runs_if_no_arm_is_left() {
    on_virtual_time(|_| async move {
        let won = select! {
            Some(n) = ready(None) => n,
            Some(n) = async { yield_now().await; None } => n,
            _ = pending::<()>(), if false => 1,
            else => 9,
        };
        assert_eq!(won, 9);
    });
}

#[test]
fn without_else_it_panics_and_says_so() {
    let body = async {
        select! {
            Some(()) = ready(None) => {}
        }
    };
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| block_on(body))).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("no `else`"));
}

#[test]
fn the_first_arm_is_by_chance_and_with_biased_from_top_to_bottom() {
    on_virtual_time(|_| async move {
        let mut seen = HashSet::new();
        for _ in 0..200 {
            seen.insert(select! {
                n = ready(1) => n,
                n = ready(2) => n,
                n = ready(3) => n,
            });
            let first = select! {
                biased;
                n = ready(1) => n,
                n = ready(2) => n,
            };
            assert_eq!(first, 1);
        }
        assert_eq!(seen.len(), 3);
    });
}

#[test]
fn a_future_by_reference_goes_on_in_the_next_round() {
    on_virtual_time(|clock| async move {
        let mut long = pin!(async {
            sleep(25).await;
            "long"
        });
        let mut rounds = 0;
        let text = loop {
            select! {
                text = &mut long => break text,
                () = sleep(10) => rounds += 1,
            }
        };
        assert_eq!((text, rounds, clock.ms()), ("long", 2, 25));
    });
}

#[test]
fn a_loser_that_owns_a_handle_ends_its_task_and_one_by_reference_does_not() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let owned = spawn(cleans_up(log.clone(), 20));
        let mut kept: JoinHandle<_> = spawn(async {
            sleep(50).await;
            5
        });
        select! {
            _ = owned => unreachable!(),
            _ = &mut kept => unreachable!(),
            () = sleep(10) => log.put("arm"),
        }
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into(), "arm".into()], 30));
        assert_eq!(kept.await.unwrap(), 5);
    });
}

#[test]
fn nothing_is_lost_of_a_channel_whose_receive_loses() {
    on_virtual_time(|_| async move {
        let (sender, receiver) = channel::bounded(1);
        spawn(async move {
            for n in 0..200 {
                sender.send(n).await.unwrap();
                if n % 3 == 0 {
                    yield_now().await;
                }
            }
        })
        .detach();
        let mut got = Vec::new();
        loop {
            select! {
                item = receiver.recv() => match item {
                    Ok(item) => got.push(item),
                    Err(_) => break,
                },
                () = yield_now() => {}
            }
        }
        assert_eq!(got, (0..200).collect::<Vec<_>>());
    });
}

#[test]
fn what_only_an_expression_needed_is_dropped_before_anything_is_awaited() {
    on_virtual_time(|_| async move {
        let setting = std::sync::Mutex::new(1);
        select! {
            () = sleep(*setting.lock().unwrap()) => {}
            () = async { assert!(setting.try_lock().is_ok()); pending().await } => {}
        }
    });
}

#[test]
fn a_panic_of_an_arm_goes_on_and_the_others_are_dropped() {
    on_virtual_time(|_| async move {
        let drops = Drops::default();
        let token = drops.token();
        let task = spawn(async move {
            select! {
                () = async { let _token = token; pending().await } => {}
                () = async { yield_now().await; panic!("arm") } => {}
            }
        });
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert_eq!((panic.message(), drops.count()), (Some("arm"), 1));
    });
}

#[test]
fn a_panic_of_a_loser_goes_on_when_all_have_cleaned_up() {
    on_virtual_time(|clock| async move {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("destructor");
            }
        }
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            let bomb = Bomb;
            select! {
                biased;
                () = async { let _bomb = bomb; pending().await } => {}
                _ = cleans_up(theirs.clone(), 20) => {}
                () = sleep(10) => theirs.put("never"),
            }
        });
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert_eq!((panic.message(), log.all()), (Some("destructor"), vec!["cleaned after 20".into()]));
        assert_eq!(clock.ms(), 30);
    });
}

#[test]
fn cancelled_from_outside_a_select_unwinds_all_its_arms() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            select! {
                _ = cleans_up(theirs.clone(), 20) => theirs.put("never"),
                _ = cleans_up(theirs.clone(), 30) => theirs.put("never"),
            }
        });
        sleep(10).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all().len(), clock.ms()), (2, 40));
    });
}

#[test]
fn the_winners_value_is_kept_although_all_is_cancelled_while_the_losers_clean_up() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            select! {
                _ = cleans_up(theirs.clone(), 20) => 0,
                n = async { sleep(10).await; 5 } => n,
            }
        });
        sleep(15).await;
        assert!(task.cancel());
        assert_eq!((task.await.unwrap(), log.all().len(), clock.ms()), (5, 1, 30));
    });
}

#[test]
fn a_shielded_loser_is_waited_for() {
    on_virtual_time(|clock| async move {
        let mut done = false;
        select! {
            () = shield(async { sleep(40).await; done = true }) => unreachable!(),
            () = sleep(10) => {}
        }
        assert!(done);
        assert_eq!(clock.ms(), 40);
    });
}

#[test]
fn what_follows_a_select_is_not_cancelled() {
    on_virtual_time(|clock| async move {
        select! {
            () = sleep(10) => sleep(10).await,
            _ = cleans_up(Log::default(), 5) => {}
        }
        sleep(10).await;
        assert!(!weftwork::is_cancelled());
        assert_eq!(clock.ms(), 35);
    });
}

#[test]
fn selects_lie_in_each_other() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let inner = async {
            select! {
                n = cleans_up(log.clone(), 20) => n,
                () = pending() => 1,
            }
        };
        select! {
            _ = inner => unreachable!(),
            () = sleep(10) => log.put("arm"),
        }
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into(), "arm".into()], 30));
    });
}

#[test]
fn a_scope_around_a_loser_does_not_report() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        select! {
            _ = scope.run(sleep(100)) => unreachable!(),
            () = sleep(10) => {}
        }
        assert!(!scope.cancelled_caught() && !scope.cancel());
    });
}

#[test]
fn it_works_without_a_runtime() {
    let won = block_on(async {
        select! {
            n = ready(3) => n,
            n = pending::<u32>() => n,
        }
    });
    assert_eq!(won, 3);
}

#[test]
fn it_may_have_many_arms() {
    on_virtual_time(|_| async move {
        let won = select! {
            () = pending() => 0, () = pending() => 1, () = pending() => 2, () = pending() => 3, () = pending() => 4,
            () = pending() => 5, () = pending() => 6, () = pending() => 7, () = pending() => 8, () = pending() => 9,
            () = pending() => 10, () = pending() => 11, () = pending() => 12, () = pending() => 13,
            () = pending() => 14, () = pending() => 15, () = pending() => 16, () = yield_now() => 17,
            else => 18,
        };
        assert_eq!(won, 17);
    });
}

#[test]
fn join_gives_all_values_and_its_futures_borrow() {
    on_virtual_time(|clock| async move {
        let text = String::from("abc");
        let (length, upper, ()) = join!(
            async {
                sleep(20).await;
                text.len()
            },
            async { text.to_uppercase() },
            sleep(10),
        );
        assert_eq!((length, upper.as_str(), clock.ms()), (3, "ABC", 20));
        assert_eq!(join!(biased; ready(1)), (1,));
    });
}

#[test]
fn a_future_of_a_join_is_dropped_as_soon_as_it_has_its_value() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let token = log.on_drop("first is gone");
        join!(
            async {
                let _token = &token;
                yield_now().await;
                log.put("first");
            },
            async {
                sleep(5).await;
                log.put("second");
            }
        );
        assert_eq!(log.all(), ["first", "second"]);
        let owned = log.on_drop("owned");
        let watches = async {
            sleep(5).await;
            log.all().len()
        };
        let (_, seen) = join!(async move { drop(owned) }, watches);
        assert_eq!(seen, 3);
    });
}

#[test]
fn rule_9_a_shielded_arm_of_our_join_keeps_the_others() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let token = log.on_drop("other dropped");
        let done = timeout(ms(10), async {
            join!(
                async {
                    shield(sleep(30)).await;
                    log.put("shield over");
                    pending::<()>().await;
                },
                async {
                    let _token = token;
                    pending::<()>().await;
                }
            )
        });
        assert!(done.await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["shield over".into(), "other dropped".into()], 30));
    });
}

#[test]
fn no_future_of_a_join_lives_on_what_another_leaves_of_the_budget() {
    on_virtual_time(|_| async move {
        let (sender, receiver) = channel::bounded::<u32>(1_000);
        (0..1_000).for_each(|n| sender.try_send(n).unwrap());
        let (quick, slow) = join!(
            async {
                for _ in 0..500 {
                    receiver.recv().await.unwrap();
                }
                true
            },
            async {
                for _ in 0..500 {
                    receiver.recv().await.unwrap();
                }
                true
            }
        );
        assert!(quick && slow);
    });
}

#[test]
fn try_join_gives_all_values_or_the_first_error_after_the_others_have_cleaned_up() {
    on_virtual_time(|clock| async move {
        assert_eq!(try_join!(ready(Ok::<_, ()>(1)), async { Ok::<_, ()>("two") }), Ok((1, "two")));
        let log = Log::default();
        let tidy = async { Ok::<_, &str>(cleans_up(log.clone(), 20).await) };
        let fails = async {
            sleep(10).await;
            Err::<u8, _>("boom")
        };
        assert_eq!(try_join!(tidy, fails), Err("boom"));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into()], 30));
    });
}

#[test]
fn an_error_of_try_join_is_kept_although_all_is_cancelled_meanwhile() {
    on_virtual_time(|_| async move {
        let task = spawn(async move {
            try_join!(async { Ok::<_, &str>(cleans_up(Log::default(), 20).await) }, async {
                sleep(10).await;
                Err::<(), _>("boom")
            })
        });
        sleep(15).await;
        task.cancel();
        assert_eq!(task.await.unwrap(), Err("boom"));
    });
}

#[test]
fn dropped_while_losers_clean_up_it_drops_all() {
    on_virtual_time(|_| async move {
        let drops = Drops::default();
        {
            let token = drops.token();
            let won = drops.token();
            let mut body = Box::pin(async move {
                select! {
                    biased;
                    () = async { let _token = token; shield(pending::<()>()).await } => None,
                    won = async { yield_now().await; won } => Some(won),
                }
            });
            assert!(poll_once(&mut body).is_pending() && poll_once(&mut body).is_pending());
            assert_eq!(drops.count(), 0);
        }
        assert_eq!(drops.count(), 2);
    });
}

#[test]
fn arms_hold_send_and_need_not_be() {
    fn assert_send<T: Send>(_: &T) {}
    assert_send(&async {
        select! {
            () = pending() => {}
            () = sleep(1) => {}
        }
        join!(sleep(1), pending::<()>());
    });
    let here = std::rc::Rc::new(Cell::new(1));
    block_on(async {
        select! {
            () = async { here.set(2) } => {}
            () = poll_fn(|_| Poll::<()>::Pending) => {}
        }
    });
    assert_eq!(here.get(), 2);
}

//! Permits: room that is set aside. Cases by hand, and threads.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::block_on;
use weftwork_sync::channel::{self, ReserveError, TryRecvError, TrySendError};
use weftwork_sync::primitive::thread;

#[test]
fn a_permit_keeps_others_out_and_lets_its_value_in() {
    let (sender, receiver) = channel::bounded(2);
    let permit = sender.try_reserve().unwrap();
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert!(sender.is_full() && sender.len() == 1);
    permit.send(3);
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(3)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn values_arrive_in_the_order_of_sending_whoever_reserved_first() {
    let (sender, receiver) = channel::bounded(3);
    let (first, second) = (sender.try_reserve().unwrap(), sender.try_reserve().unwrap());
    second.send("second");
    assert_eq!(sender.try_send("past both"), Ok(()));
    first.send("first");
    let got: Vec<_> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    assert_eq!(got, ["second", "past both", "first"]);
}

#[test]
fn permits_go_round_every_capacity_for_many_laps() {
    for capacity in (1..10).chain([16, 17, 64, 65]) {
        let (sender, receiver) = channel::bounded(capacity);
        for lap in 0..20 {
            let held = lap % (capacity + 1);
            let permits = sender.try_reserve_many(held).unwrap();
            for value in held..capacity {
                assert_eq!(sender.try_send(value), Ok(()), "capacity {capacity} lap {lap}");
            }
            assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
            assert_eq!(sender.try_reserve().map(drop), Err(TrySendError::Full(())));
            assert!(sender.is_full());
            for permit in permits {
                permit.send(0);
            }
            assert_eq!(std::iter::from_fn(|| receiver.try_recv().ok()).count(), capacity);
            // A different start for the next lap.
            assert!(sender.try_send(0).is_ok() && receiver.try_recv().is_ok());
        }
    }
}

#[test]
fn a_permit_that_is_dropped_gives_its_room_to_who_waits() {
    let (sender, receiver) = channel::bounded(1);
    let permit = sender.try_reserve().unwrap();
    let mut sending = Task::new(sender.send(1));
    let mut reserving = Task::new(sender.reserve());
    assert!(sending.poll().is_pending() && reserving.poll().is_pending());
    drop(permit);
    assert_eq!((sending.wakes(), reserving.wakes()), (1, 0));
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(reserving.wakes(), 1);
    assert!(matches!(reserving.poll(), Poll::Ready(Ok(_))));
}

#[test]
fn permits_that_are_dropped_together_wake_as_many() {
    let (sender, _receiver) = channel::bounded(3);
    let mut permits = sender.try_reserve_many(3).unwrap();
    let first = permits.next();
    let mut sending: Vec<_> = (0..3).map(|n| Task::new(sender.send(n))).collect();
    assert!(sending.iter_mut().all(|task| task.poll().is_pending()));
    drop(permits);
    assert_eq!(sending.iter().map(Task::wakes).collect::<Vec<_>>(), [1, 1, 0]);
    drop(first);
    assert!(sending.iter_mut().all(|task| task.poll() == Poll::Ready(Ok(()))));
}

#[test]
fn a_reserve_that_was_told_and_is_dropped_tells_the_next() {
    let (sender, receiver) = channel::bounded(1);
    assert_eq!(sender.try_send(1), Ok(()));
    let (mut first, mut second) = (Task::new(sender.reserve()), Task::new(sender.reserve()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_ready());
}

#[test]
fn tokio_2854_a_permit_that_is_dropped_after_close_wakes_the_receiver() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    let permit = sender.try_reserve().unwrap();
    receiver.close();
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending(), "the permit may still bring something");
    drop(permit);
    assert_eq!(receiving.wakes(), 1);
    assert!(matches!(receiving.poll(), Poll::Ready(Err(_))));
}

#[test]
fn tokio_3215_an_owned_permit_is_the_last_that_keeps_the_channel_open() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    let permit = block_on(sender.reserve_owned()).unwrap();
    let mut receivers = [Task::new(receiver.recv()), Task::new(receiver.recv())];
    assert!(receivers.iter_mut().all(|task| task.poll().is_pending()));
    drop(permit);
    assert!(receivers.iter_mut().all(|task| task.wakes() == 1 && matches!(task.poll(), Poll::Ready(Err(_)))));
}

#[test]
fn tokio_8075_permits_that_are_dropped_out_of_an_iterator_wake_the_receiver() {
    let (sender, receiver) = channel::bounded::<u8>(3);
    let permits = block_on(sender.reserve_many(3)).unwrap();
    receiver.close();
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending());
    drop(permits);
    assert_eq!(receiving.wakes(), 1);
    assert!(receiving.poll().is_ready());
}

#[test]
fn tokio_8260_a_gathering_that_is_dropped_after_close_wakes_the_receiver() {
    let (sender, receiver) = channel::bounded(2);
    assert_eq!(sender.try_send(1), Ok(()));
    let mut gathering = Task::new(sender.reserve_many(2));
    assert!(gathering.poll().is_pending(), "it has one place and wants two");
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending(), "the place may still bring something");
    assert_eq!(gathering.wakes(), 1);
    drop(gathering);
    assert_eq!(receiving.wakes(), 1);
    assert!(receiving.poll().is_ready());
}

#[test]
fn a_permit_sends_after_close_and_the_news_goes_round() {
    let (sender, receiver) = channel::bounded(2);
    let (first, second) = (sender.try_reserve().unwrap(), sender.try_reserve().unwrap());
    receiver.close();
    assert_eq!(sender.try_send(0), Err(TrySendError::Closed(0)));
    assert_eq!(sender.try_reserve().map(drop), Err(TrySendError::Closed(())));
    let mut receivers: Vec<_> = (0..4).map(|_| Task::new(receiver.recv())).collect();
    assert!(receivers.iter_mut().all(|task| task.poll().is_pending()));
    first.send(1);
    second.send(2);
    let mut got = vec![];
    while let Some(at) = receivers.iter().position(|task| task.wakes() > 0) {
        match receivers.remove(at).poll() {
            Poll::Ready(received) => got.push(received.ok()),
            Poll::Pending => panic!("told for nothing"),
        }
    }
    assert_eq!(got.len(), 4, "everybody hears of the end");
    assert_eq!(got.into_iter().flatten().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_permit_that_sends_when_the_receivers_are_gone_drops_the_value_at_once() {
    let (sender, receiver) = channel::bounded(1);
    let value = Rc::new(());
    let permit = sender.try_reserve().unwrap();
    drop(receiver);
    permit.send(value.clone());
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn a_permit_that_is_forgotten_is_room_that_is_lost_and_nothing_else() {
    let (sender, receiver) = channel::bounded(2);
    std::mem::forget(sender.try_reserve().unwrap());
    for value in 0..5 {
        assert_eq!(sender.try_send(value), Ok(()));
        assert_eq!(sender.try_send(value), Err(TrySendError::Full(value)));
        assert_eq!(receiver.try_recv(), Ok(value));
    }
}

#[test]
fn two_who_gather_take_turns() {
    let (sender, receiver) = channel::bounded(2);
    assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
    let (mut first, mut second) = (Task::new(sender.reserve_many(2)), Task::new(sender.reserve_many(2)));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(2));
    let Poll::Ready(Ok(permits)) = first.poll() else { panic!("both places are free") };
    assert!(second.poll().is_pending(), "the turn is its own, the places are not free");
    assert_eq!(permits.len(), 2);
    drop(permits);
    assert!(second.wakes() > 0);
    assert!(matches!(second.poll(), Poll::Ready(Ok(_))));
}

#[test]
fn who_gathers_is_not_starved_by_those_who_send_one() {
    let (sender, receiver) = channel::bounded(3);
    for value in 0..3 {
        assert!(sender.try_send(value).is_ok());
    }
    let mut gathering = Task::new(sender.reserve_many(3));
    assert!(gathering.poll().is_pending());
    for _ in 0..3 {
        assert!(receiver.try_recv().is_ok());
        // It is polled before the next comes along.
        if gathering.poll().is_ready() {
            return;
        }
        let _ = sender.try_send(9);
    }
    panic!("three places got free and it has not got them");
}

#[test]
fn a_gathering_that_is_dropped_gives_back_what_it_has_and_the_turn() {
    let (sender, _receiver) = channel::bounded(2);
    assert!(sender.try_send(1).is_ok());
    let (mut first, mut second) = (Task::new(sender.reserve_many(2)), Task::new(sender.reserve_many(2)));
    let mut sending = Task::new(sender.send(2));
    assert!(first.poll().is_pending() && second.poll().is_pending() && sending.poll().is_pending());
    drop(first);
    assert_eq!((second.wakes(), sending.wakes()), (1, 1));
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
    assert!(second.poll().is_pending());
}

#[test]
fn closing_tells_who_gathers_and_who_waits_for_the_turn() {
    let (sender, receiver) = channel::bounded(1);
    assert!(sender.try_send(1).is_ok());
    let mut gathering: Vec<_> = (0..3).map(|_| Task::new(sender.reserve_many(1))).collect();
    assert!(gathering.iter_mut().all(|task| task.poll().is_pending()));
    receiver.close();
    for task in &mut gathering {
        assert_eq!(task.wakes(), 1);
        assert!(matches!(task.poll(), Poll::Ready(Err(ReserveError::Closed))));
    }
}

#[test]
fn more_than_fit_are_refused_and_none_is_given_at_once() {
    let (sender, receiver) = channel::bounded::<u8>(2);
    assert!(matches!(block_on(sender.reserve_many(3)), Err(ReserveError::TooMany { capacity: 2, .. })));
    assert_eq!(block_on(sender.reserve_many(0)).unwrap().len(), 0);
    assert_eq!(sender.try_reserve_many(3).map(drop), Err(TrySendError::Full(())));
    receiver.close();
    assert!(matches!(block_on(sender.reserve_many(0)), Err(ReserveError::Closed)));
    assert_eq!(sender.try_reserve_many(0).map(drop), Err(TrySendError::Closed(())));
}

#[test]
fn threads_that_reserve_send_and_change_their_minds_lose_nothing() {
    for capacity in [1, 2, 5, 33] {
        let (sender, receiver) = channel::bounded(capacity);
        let senders: Vec<_> = (0..3_usize)
            .map(|n| {
                let sender = sender.clone();
                let work = move || {
                    for i in 0..200 {
                        match (n + i) % 4 {
                            0 => sender.blocking_send(1).unwrap(),
                            1 => block_on(sender.reserve()).unwrap().send(1),
                            2 => {
                                drop(block_on(sender.reserve()).unwrap());
                                block_on(sender.reserve()).unwrap().send(1);
                            }
                            _ => {
                                let permits = block_on(sender.reserve_many(capacity.min(3))).unwrap();
                                permits.take(1).for_each(|permit| permit.send(1));
                            }
                        }
                    }
                };
                thread::spawn("sends".into(), work).unwrap()
            })
            .collect();
        drop(sender);
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let receiver = receiver.clone();
                let work = move || std::iter::from_fn(|| receiver.blocking_recv().ok()).sum::<usize>();
                thread::spawn("receives".into(), work).unwrap()
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        let sum: usize = receivers.into_iter().map(|receiver| receiver.join().unwrap()).sum();
        assert_eq!(sum, 600, "capacity {capacity}");
    }
}

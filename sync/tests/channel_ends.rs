//! The ends of channels of every kind: weak senders, the end that senders wait for, blocking with a timeout, streams, sinks.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use futures::{SinkExt, StreamExt, future};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use weftwork_sync::block_on;
use weftwork_sync::channel::{self, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError};
use weftwork_sync::primitive::thread;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);
/// Passed at once.
const SHORT: Duration = Duration::from_millis(1);

#[test]
fn a_weak_sender_keeps_the_memory_and_not_the_channel() {
    let (sender, receiver) = channel::bounded(1);
    let weak = sender.downgrade();
    let again = weak.upgrade().expect("there is a sender");
    assert_eq!((sender.sender_count(), receiver.receiver_count()), (2, 1));
    drop(sender);
    assert!(!receiver.is_closed() && again.try_send(1).is_ok());
    drop(again);
    assert!(receiver.is_closed() && weak.clone().upgrade().is_none());
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
    assert!(format!("{weak:?}").contains("senders: 0"));
}

#[test]
fn a_weak_sender_of_a_channel_that_was_closed_gives_a_sender_that_says_so() {
    let (sender, receiver) = channel::unbounded();
    let weak = sender.downgrade();
    receiver.close();
    assert!(weak.upgrade().is_some_and(|sender| sender.send(1).is_err()));
}

#[test]
fn closed_is_told_once_by_whoever_closes() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    let mut waiting: Vec<_> = (0..3).map(|_| Task::new(sender.closed())).collect();
    assert!(waiting.iter_mut().all(|task| task.poll().is_pending() && task.poll_as_another().is_pending()));
    drop(waiting.remove(1));
    assert!(receiver.close());
    assert!(waiting.iter_mut().all(|task| task.wakes() == 1 && task.poll().is_ready()));
    assert!(Task::new(sender.closed()).poll().is_ready());
}

#[test]
fn closed_is_told_by_the_last_receiver_of_every_kind() {
    let (bounded, receiver) = channel::bounded::<u8>(1);
    let mut waiting = Task::new(bounded.closed());
    assert!(waiting.poll().is_pending());
    drop(receiver.clone());
    assert_eq!(waiting.wakes(), 0);
    drop(receiver);
    assert!(waiting.wakes() == 1 && waiting.poll().is_ready());

    let (unbounded, receiver) = channel::unbounded::<u8>();
    let mut waiting = Task::new(unbounded.closed());
    assert!(waiting.poll().is_pending());
    drop(receiver);
    assert!(waiting.wakes() == 1 && waiting.poll().is_ready());

    let (rendezvous, receiver) = channel::rendezvous::<u8>();
    let mut waiting = Task::new(rendezvous.closed());
    assert!(waiting.poll().is_pending());
    drop(receiver);
    assert!(waiting.wakes() == 1 && waiting.poll().is_ready());
}

#[test]
fn blocking_with_a_timeout_ends_by_time_by_the_other_end_or_by_closing() {
    let (sender, receiver) = channel::bounded(1);
    assert_eq!(receiver.blocking_recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    assert!(sender.blocking_send_timeout(1, LONG).is_ok());
    assert_eq!(sender.blocking_send_timeout(2, SHORT), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(sender.blocking_send_timeout(3, Duration::ZERO), Err(SendTimeoutError::Timeout(3)));
    let waits = sender.clone();
    let other = thread::spawn("sends".into(), move || waits.blocking_send_timeout(4, Duration::MAX)).unwrap();
    assert_eq!(receiver.blocking_recv_timeout(LONG), Ok(1));
    assert_eq!(receiver.blocking_recv_timeout(LONG), Ok(4));
    assert!(other.join().unwrap().is_ok());
    let waits = receiver.clone();
    let other = thread::spawn("receives".into(), move || waits.blocking_recv_timeout(LONG)).unwrap();
    sender.close();
    assert_eq!(other.join().unwrap(), Err(RecvTimeoutError::Closed));
    assert_eq!(sender.blocking_send_timeout(5, LONG), Err(SendTimeoutError::Closed(5)));
}

#[test]
fn a_send_that_times_out_without_a_buffer_was_not_received() {
    let (sender, receiver) = channel::rendezvous();
    assert_eq!(sender.blocking_send_timeout(1, SHORT), Err(SendTimeoutError::Timeout(1)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn poll_recv_keeps_one_place_and_the_last_waker() {
    let (sender, mut receiver) = channel::unbounded();
    let watching = receiver.clone();
    let mut first = Task::new(poll_fn(|cx| receiver.poll_recv(cx)));
    assert!(first.poll().is_pending() && first.poll().is_pending());
    assert_eq!(first.wakers_held(), 1);
    assert!(format!("{watching:?}").contains("waiting_receivers: 1"));
    assert!(first.poll_as_another().is_pending());
    assert!(sender.send(7).is_ok());
    assert_eq!((first.wakes(), first.poll()), (1, Poll::Ready(Ok(7))));
}

#[test]
fn a_receiver_that_is_dropped_after_poll_recv_passes_its_notification_on() {
    let (sender, mut receiver) = channel::bounded(1);
    let second = receiver.clone();
    assert!(Task::new(poll_fn(|cx| receiver.poll_recv(cx))).poll().is_pending());
    let mut waiting = Task::new(second.recv());
    assert!(waiting.poll().is_pending());
    assert!(sender.try_send(1).is_ok());
    assert_eq!(waiting.wakes(), 0);
    drop(receiver);
    assert_eq!((waiting.wakes(), waiting.poll()), (1, Poll::Ready(Ok(1))));
}

#[test]
fn every_kind_of_receiver_is_a_stream() {
    block_on(async {
        let (sender, receiver) = channel::bounded(4);
        (0..4).for_each(|n| sender.try_send(n).unwrap());
        drop(sender);
        assert_eq!(receiver.collect::<Vec<_>>().await, [0, 1, 2, 3]);

        let (sender, mut receiver) = channel::unbounded();
        sender.send(1).unwrap();
        assert_eq!(receiver.next().await, Some(1));
        drop(sender);
        assert_eq!((receiver.next().await, receiver.next().await), (None, None));

        let (sender, receiver) = channel::rendezvous();
        let sends = async {
            sender.send(1).await.unwrap();
            sender.send(2).await.unwrap();
            drop(sender);
        };
        assert_eq!(future::join(receiver.collect::<Vec<_>>(), sends).await.0, [1, 2]);
    });
}

#[test]
fn a_sink_has_room_when_it_is_ready_and_gives_it_back() {
    let (sender, receiver) = channel::bounded(1);
    let other = sender.clone();
    let mut sink = sender.into_sink();
    {
        let mut ready = Task::new(poll_fn(|cx| sink.poll_ready_unpin(cx)));
        assert_eq!(ready.poll(), Poll::Ready(Ok(())));
    }
    assert_eq!(other.try_send(1), Err(TrySendError::Full(1)), "the place is the sink's");
    assert!(sink.start_send_unpin(2).is_ok());
    {
        let mut ready = Task::new(poll_fn(|cx| sink.poll_ready_unpin(cx)));
        assert!(ready.poll().is_pending());
        assert_eq!(receiver.try_recv(), Ok(2));
        assert_eq!((ready.wakes(), ready.poll()), (1, Poll::Ready(Ok(()))));
    }
    drop(sink);
    assert_eq!(other.try_send(3), Ok(()));
}

#[test]
fn a_sink_that_is_closed_is_a_sender_that_is_dropped() {
    let (sender, receiver) = channel::bounded(1);
    let mut sink = sender.into_sink();
    block_on(async {
        sink.send(1).await.unwrap();
        sink.close().await.unwrap();
        assert!(sink.send(2).await.is_err());
    });
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
}

#[test]
fn a_sink_that_waits_and_is_dropped_passes_the_room_on() {
    let (sender, receiver) = channel::bounded(1);
    assert!(sender.try_send(1).is_ok());
    let mut sink = sender.clone().into_sink();
    assert!(Task::new(poll_fn(|cx| sink.poll_ready_unpin(cx))).poll().is_pending());
    let mut sending = Task::new(sender.send(2));
    assert!(sending.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(sending.wakes(), 0);
    drop(sink);
    assert_eq!((sending.wakes(), sending.poll()), (1, Poll::Ready(Ok(()))));
}

#[test]
fn an_unbounded_sender_is_a_sink() {
    let (mut sender, receiver) = channel::unbounded();
    block_on(async {
        sender.feed(1).await.unwrap();
        SinkExt::send(&mut sender, 2).await.unwrap();
        receiver.close();
        assert!(sender.feed(3).await.is_err());
        assert_eq!(receiver.collect::<Vec<_>>().await, [1, 2]);
    });
}

//! Channels.

use crate::everywhere::{cancelled_everywhere, later};
use futures::future::join;
use std::cell::Cell;
use std::sync::Arc;
use weftwork::sync::{broadcast, channel, oneshot, watch};

#[test]
fn channel_send() {
    let (sender, receiver) = channel::bounded(1);
    cancelled_everywhere(
        || {
            assert!(sender.try_send(0).is_ok());
            join(sender.send(1), later(|| assert_eq!(receiver.try_recv(), Ok(0))))
        },
        |sent| {
            while receiver.try_recv().is_ok_and(|value| {
                assert!(value == 0 || sent.is_some(), "who was cancelled has sent nothing");
                true
            }) {}
            assert!(sender.try_send(2).is_ok() && receiver.try_recv() == Ok(2));
        },
    );
}

#[test]
fn channel_recv() {
    let ((sender, receiver), sent) = (channel::bounded(2), Cell::new(0));
    cancelled_everywhere(
        || {
            join(
                receiver.recv(),
                later(|| {
                    sent.set(sent.get() + 1);
                    assert!(sender.try_send(sent.get()).is_ok());
                }),
            )
        },
        |received| {
            // Whoever was cancelled has left it there.
            let left = receiver.try_recv().ok();
            let value = received.map(|received| received.expect("open")).or(left);
            assert!(value.is_none_or(|value| value == sent.get()));
            assert!(received.is_none() || left.is_none());
            assert_eq!(receiver.len(), 0);
        },
    );
}

#[test]
fn oneshot_receive() {
    let value = Arc::new(());
    cancelled_everywhere(
        || {
            let (sender, receiver) = oneshot::channel();
            let value = value.clone();
            join(
                receiver,
                later(|| {
                    // Nobody waits any more where it was cancelled.
                    let _ = sender.send(value);
                }),
            )
        },
        |received| {
            drop(received);
            assert_eq!(Arc::strong_count(&value), 1, "dropped once, received or not");
        },
    );
}

#[test]
fn oneshot_closed() {
    cancelled_everywhere(
        || {
            let (mut sender, receiver) = oneshot::channel::<u8>();
            join(async move { sender.closed().await }, later(|| drop(receiver)))
        },
        |_| {},
    );
}

#[test]
fn channel_reserve_reserve_many_and_reserve_owned() {
    let (sender, receiver) = channel::bounded(2);
    let full = || assert!(sender.try_send(0).is_ok() && sender.try_send(0).is_ok());
    let empty = || while receiver.try_recv().is_ok() {};
    // Whatever was reserved has come back: there is room for two.
    let holds = || {
        empty();
        assert!(sender.try_reserve_many(2).is_ok());
    };
    cancelled_everywhere(
        || {
            full();
            join(async { drop(sender.reserve().await) }, later(empty))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            full();
            join(async { drop(sender.reserve_many(2).await) }, later(empty))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            full();
            join(async { drop(sender.clone().reserve_owned().await) }, later(empty))
        },
        |_| {
            holds();
            assert_eq!(sender.sender_count(), 1);
        },
    );
}

#[test]
fn channel_recv_many() {
    let ((sender, receiver), sent) = (channel::bounded(4), Cell::new(0));
    let got = std::cell::RefCell::new(Vec::new());
    cancelled_everywhere(
        || {
            sent.set(0);
            join(
                async {
                    let mut into = Vec::new();
                    let count = receiver.recv_many(&mut into, 4).await;
                    got.borrow_mut().append(&mut into);
                    count
                },
                later(|| {
                    sent.set(2);
                    assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
                }),
            )
        },
        |_| {
            let mut all = got.take();
            while let Ok(value) = receiver.try_recv() {
                all.push(value);
            }
            assert_eq!(all, [1, 2][..sent.get()], "received, or left there");
        },
    );
}

#[test]
fn channel_closed() {
    cancelled_everywhere(
        || {
            let (sender, receiver) = channel::bounded::<u8>(1);
            join(async move { sender.closed().await }, later(|| drop(receiver)))
        },
        |_| {},
    );
}

#[test]
fn unbounded_channel_recv() {
    let (sender, receiver) = channel::unbounded();
    let sent = Cell::new(0);
    cancelled_everywhere(
        || {
            sent.set(0);
            join(
                receiver.recv(),
                later(|| {
                    sent.set(1);
                    assert!(sender.send(7).is_ok());
                }),
            )
        },
        |received| assert_eq!(usize::from(received.is_some()) + usize::from(receiver.try_recv().is_ok()), sent.get()),
    );
}

#[test]
fn rendezvous_send_and_recv() {
    let (sender, receiver) = channel::rendezvous();
    let received = Cell::new(None);
    cancelled_everywhere(
        || {
            received.set(None);
            join(sender.send(7), later(|| received.set(receiver.try_recv().ok())))
        },
        |sent| {
            assert!(sent.is_none() || received.get() == Some(7));
            assert!(receiver.try_recv().is_err(), "who has gone offers nothing");
        },
    );
    let refused = Cell::new(None);
    cancelled_everywhere(
        || {
            refused.set(None);
            join(receiver.recv(), later(|| refused.set(Some(sender.try_send(7).is_err()))))
        },
        |got| {
            assert!(got.is_none_or(|got| got == Ok(7)));
            assert!(sender.try_send(8).is_err(), "who has gone takes nothing");
        },
    );
}

#[test]
fn broadcast_recv() {
    let (sender, receiver) = broadcast::channel(4);
    let (receiver, sent) = (std::cell::RefCell::new(receiver), Cell::new(0));
    cancelled_everywhere(
        || {
            sent.set(0);
            let mut theirs = receiver.borrow().resubscribe();
            let mine = receiver.borrow().resubscribe();
            *receiver.borrow_mut() = mine;
            join(
                async move { theirs.recv().await },
                later(|| {
                    sent.set(1);
                    assert!(sender.send(7).is_ok());
                }),
            )
        },
        |got| {
            assert!(got.is_none_or(|got| got == Ok(7)));
            assert_eq!(usize::from(receiver.borrow_mut().try_recv().is_ok()), sent.get(), "the others lose nothing");
            assert_eq!(sender.receiver_count(), 1);
        },
    );
}

#[test]
fn watch_changed_and_wait_for() {
    let (sender, receiver) = watch::channel(0);
    cancelled_everywhere(
        || {
            let mut theirs = sender.subscribe();
            join(async move { theirs.changed().await }, later(|| assert!(sender.send(1).is_ok())))
        },
        |_| assert_eq!(sender.receiver_count(), 1),
    );
    cancelled_everywhere(
        || {
            assert!(sender.send(0).is_ok());
            let mut theirs = sender.subscribe();
            join(
                async move { theirs.wait_for(|value| *value == 2).await.map(|value| *value) },
                later(|| assert!(sender.send(2).is_ok())),
            )
        },
        |_| assert_eq!(sender.receiver_count(), 1),
    );
    assert_eq!(*receiver.borrow(), 2);
}

#[test]
fn watch_and_broadcast_closed() {
    cancelled_everywhere(
        || {
            let (sender, receiver) = watch::channel(0);
            join(async move { sender.closed().await }, later(|| drop(receiver)))
        },
        |_| {},
    );
    cancelled_everywhere(
        || {
            let (sender, receiver) = broadcast::channel::<u8>(1);
            join(async move { sender.closed().await }, later(|| drop(receiver)))
        },
        |_| {},
    );
}

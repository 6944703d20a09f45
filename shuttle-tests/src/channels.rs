//! Channels, on threads: values are conserved, whoever gives up or leaves.

use crate::impatience::{spawn, wait_at_most};
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::{block_on, channel as channels, oneshot as oneshots};

/// A value that says when it is gone.
struct Value(Shared<Counter>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.add(1);
    }
}

pub(crate) fn channel() {
    let (sender, receiver) = channels::bounded(1);
    let senders: Vec<_> = (0..2_u32)
        .map(|n| {
            let sender = sender.clone();
            spawn(move || {
                for value in 0..2 {
                    block_on(sender.send(n * 2 + value)).expect("somebody receives");
                }
            })
        })
        .collect();
    drop(sender);
    let receivers: Vec<_> = (0..2_u32)
        .map(|n| {
            let receiver = receiver.clone();
            spawn(move || {
                let mut got = Vec::new();
                loop {
                    match wait_at_most(n + 1, receiver.recv()) {
                        Some(Ok(value)) => got.push(value),
                        Some(Err(_)) => return got,
                        // Given up, and asked again.
                        None => match block_on(receiver.recv()) {
                            Ok(value) => got.push(value),
                            Err(_) => return got,
                        },
                    }
                }
            })
        })
        .collect();
    for thread in senders {
        thread.join().unwrap();
    }
    let mut all: Vec<u32> = receivers.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
}

pub(crate) fn closed_at_any_moment() {
    let dropped = Shared::new(Counter::new(0));
    let (sender, receiver) = channels::bounded(2);
    let sends: Vec<_> = (0..2)
        .map(|_| {
            let (sender, dropped) = (sender.clone(), dropped.clone());
            spawn(move || {
                for _ in 0..2 {
                    drop(block_on(sender.send(Value(dropped.clone()))));
                }
            })
        })
        .collect();
    drop(sender);
    let receives = {
        let receiver = receiver.clone();
        spawn(move || while block_on(receiver.recv()).is_ok() {})
    };
    let closes = spawn(move || receiver.close());
    for thread in sends {
        thread.join().unwrap();
    }
    receives.join().unwrap();
    closes.join().unwrap();
    assert_eq!(dropped.get(), 4, "each value is dropped once");
}

pub(crate) fn oneshot() {
    let dropped = Shared::new(Counter::new(0));
    let (sender, mut receiver) = oneshots::channel();
    let value = Value(dropped.clone());
    let sends = spawn(move || sender.send(value).is_ok());
    let receives = spawn(move || match wait_at_most(1, &mut receiver) {
        Some(got) => got.is_ok(),
        None => {
            receiver.close();
            receiver.try_recv().is_ok()
        }
    });
    let (sent, received) = (sends.join().unwrap(), receives.join().unwrap());
    assert_eq!(sent, received, "what was sent was received, and what was not was not");
    assert_eq!(dropped.get(), 1);
}

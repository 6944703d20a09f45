//! Channels.

use crate::executors::{ROUNDS, Tasks, everywhere, give_up_after, yield_now};
use weftwork_sync::{channel, oneshot};

/// So many senders and receivers; the sum of what was received, while every third wait on either side gives up.
async fn through_a_channel(tasks: Tasks, capacity: usize, senders: usize, receivers: usize) {
    let (sender, receiver) = channel::bounded(capacity);
    let sent = tasks.spawn({
        let tasks = tasks.clone();
        async move {
            tasks
                .all(senders, |number| {
                    let sender = sender.clone();
                    async move {
                        for round in 0..ROUNDS {
                            let value = number * ROUNDS + round;
                            if round % 3 == 0 {
                                let mut sending = Box::pin(sender.send(value));
                                if give_up_after(1, sending.as_mut()).await.is_some() {
                                    continue;
                                }
                                let Some(back) = sending.as_mut().take_back() else { panic!("it was not sent") };
                                assert_eq!(back, value);
                            }
                            sender.send(value).await.unwrap();
                        }
                    }
                })
                .await;
        }
    });
    let received = tasks.all(receivers, |_| {
        let receiver = receiver.clone();
        async move {
            let mut sum = 0;
            loop {
                match give_up_after(2, receiver.recv()).await {
                    Some(Ok(value)) => sum += value,
                    Some(Err(_)) => break sum,
                    None => match receiver.recv().await {
                        Ok(value) => sum += value,
                        Err(_) => break sum,
                    },
                }
            }
        }
    });
    let received: usize = received.await.into_iter().sum();
    sent.await;
    assert_eq!(received, (0..senders * ROUNDS).sum());
}

#[test]
fn a_channel_of_one_to_one_loses_nothing() {
    everywhere(|tasks| through_a_channel(tasks, 1, 1, 1));
    everywhere(|tasks| through_a_channel(tasks, 16, 1, 1));
}

#[test]
fn a_channel_of_four_to_one_loses_nothing() {
    everywhere(|tasks| through_a_channel(tasks, 2, 4, 1));
}

#[test]
fn a_channel_of_three_to_three_loses_nothing() {
    everywhere(|tasks| through_a_channel(tasks, 1, 3, 3));
}

#[test]
fn a_oneshot_carries_a_request_and_its_answer() {
    everywhere(|tasks| async move {
        let (requests, inbox) = channel::bounded::<(usize, oneshot::Sender<usize>)>(4);
        let owner = tasks.spawn(async move {
            while let Ok((number, answer)) = inbox.recv().await {
                // The last one is not answered.
                if number < ROUNDS {
                    let _ = answer.send(number + 1);
                }
            }
        });
        for number in 0..=ROUNDS {
            let (answer, answered) = oneshot::channel();
            requests.send((number, answer)).await.unwrap();
            assert_eq!(answered.await.ok(), (number < ROUNDS).then_some(number + 1));
        }
        drop(requests);
        owner.await;
    });
}

#[test]
fn a_oneshot_tells_its_sender_that_nobody_waits() {
    everywhere(|tasks| async move {
        let (mut sender, receiver) = oneshot::channel::<u8>();
        let told = tasks.spawn(async move { sender.closed().await });
        yield_now().await;
        drop(receiver);
        told.await;
    });
}

#[test]
fn a_channel_without_a_buffer_hands_over_from_task_to_task() {
    everywhere(|tasks| async move {
        let (sender, receiver) = channel::rendezvous();
        let sent = tasks.spawn({
            let tasks = tasks.clone();
            async move {
                tasks
                    .all(3, |number| {
                        let sender = sender.clone();
                        async move {
                            for round in 0..ROUNDS {
                                sender.send(number * ROUNDS + round).await.unwrap();
                            }
                        }
                    })
                    .await;
            }
        });
        let received = tasks.all(2, |_| {
            let receiver = receiver.clone();
            async move {
                let mut sum = 0;
                while let Ok(value) = receiver.recv().await {
                    sum += value;
                }
                sum
            }
        });
        assert_eq!(received.await.into_iter().sum::<usize>(), (0..3 * ROUNDS).sum());
        sent.await;
    });
}

#[test]
fn permits_and_many_at_once_lose_nothing() {
    everywhere(|tasks| async move {
        let (sender, receiver) = channel::bounded(4);
        let sends: Vec<_> = (0..3)
            .map(|number| {
                let sender = sender.clone();
                tasks.spawn(async move {
                    for round in 0..ROUNDS {
                        if round % 3 == 0 {
                            // Reserved, and given back.
                            drop(give_up_after(1, sender.reserve()).await);
                        }
                        sender.reserve().await.unwrap().send(number * ROUNDS + round);
                    }
                })
            })
            .collect();
        drop(sender);
        let mut all = vec![];
        while receiver.recv_many(&mut all, 3).await.is_ok() {}
        for send in sends {
            send.await;
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..3 * ROUNDS));
    });
}

#[test]
fn a_channel_without_a_bound_keeps_the_order_of_each_sender() {
    everywhere(|tasks| async move {
        let (sender, receiver) = channel::unbounded();
        let sends: Vec<_> = (0..3)
            .map(|number| {
                let sender = sender.clone();
                tasks.spawn(async move {
                    for round in 0..ROUNDS {
                        assert!(sender.send((number, round)).is_ok());
                        if round % 10 == 0 {
                            yield_now().await;
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let mut next = [0; 3];
        while let Ok((number, round)) = receiver.recv().await {
            assert_eq!(round, next[number]);
            next[number] += 1;
        }
        assert_eq!(next, [ROUNDS; 3]);
        for send in sends {
            send.await;
        }
    });
}

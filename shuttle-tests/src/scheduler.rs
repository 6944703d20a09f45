//! S1 and S8: the scheduler that ships, with three workers: queues, stealing, the LIFO slot, parking, and its end.

use crate::impatience::spawn;
use weftwork::doors::Engine;
use weftwork::task::yield_now;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::{Notify, block_on, channel};

const WORKERS: usize = 3;

fn started() -> Engine {
    let engine = Engine::multi_thread(WORKERS);
    (0..WORKERS).for_each(|seat| engine.start_worker(seat));
    engine
}

/// Tasks that spawn tasks that yield, from two threads outside.
pub(crate) fn spawn_steal_park() {
    let engine = started();
    let polled = Shared::new(Counter::new(0));
    let outside: Vec<_> = (0..2)
        .map(|_| {
            let (engine, polled) = (engine.clone(), polled.clone());
            spawn(move || {
                let spawned: Vec<_> = (0..2)
                    .map(|_| {
                        let polled = polled.clone();
                        engine.spawn(async move {
                            let child = |polled: Shared<Counter>| async move {
                                yield_now().await;
                                polled.add(1);
                            };
                            let children =
                                [polled.clone(), polled.clone()].map(|polled| weftwork::spawn(child(polled)));
                            for child in children {
                                child.await.unwrap();
                            }
                            polled.add(1);
                        })
                    })
                    .collect();
                for task in spawned {
                    block_on(task).unwrap();
                }
            })
        })
        .collect();
    for thread in outside {
        thread.join().unwrap();
    }
    assert_eq!(polled.get(), 12);
    engine.shutdown();
}

/// Two tasks that hand a value to and fro, beside one that is woken from outside.
pub(crate) fn wakes_across_workers() {
    let engine = started();
    let (there, arrives) = channel::bounded::<u32>(1);
    let (back, returns) = channel::bounded::<u32>(1);
    let bell = Shared::new(Notify::new());
    let plays = engine.spawn(async move {
        for n in 0..3 {
            there.send(n).await.unwrap();
            assert_eq!(returns.recv().await, Ok(n));
        }
    });
    let answers = engine.spawn(async move {
        while let Ok(n) = arrives.recv().await {
            back.send(n).await.unwrap();
        }
    });
    let waits = {
        let bell = bell.clone();
        engine.spawn(async move { bell.notified().await })
    };
    let rings = spawn(move || bell.notify_one());
    for task in [plays, answers, waits] {
        block_on(task).unwrap();
    }
    rings.join().unwrap();
    engine.shutdown();
}

/// Shutdown comes while tasks spawn, wait and are woken: each future is dropped once, whoever holds a handle is told.
pub(crate) fn shutdown_at_any_moment() {
    struct Alive(Shared<Counter>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.add(1);
        }
    }
    let engine = started();
    let dropped = Shared::new(Counter::new(0));
    let born = Shared::new(Counter::new(0));
    let spawns = {
        let (engine, dropped, born) = (engine.clone(), dropped.clone(), born.clone());
        spawn(move || {
            let mut tasks = Vec::new();
            for _ in 0..2 {
                born.add(2);
                let (alive, inner) = (Alive(dropped.clone()), Alive(dropped.clone()));
                tasks.push(engine.spawn(async move {
                    let child = weftwork::spawn(async move {
                        yield_now().await;
                        drop(inner);
                    });
                    let _ = child.await;
                    drop(alive);
                }));
            }
            for task in tasks {
                match block_on(task) {
                    Ok(()) => {}
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
        })
    };
    engine.shutdown();
    spawns.join().unwrap();
    assert_eq!(engine.live_tasks(), 0);
    assert_eq!(dropped.get(), born.get());
}

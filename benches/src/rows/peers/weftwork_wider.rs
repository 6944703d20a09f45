//! weftwork in the further rows.

use super::weftwork::Weftwork;
use crate::rows::peer::{Groups, Http, Notifies, Oneshot, Outside, Permits, Signals, Threads};
use crate::rows::work::http::hello;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::future::Future;
use weftwork::net::TcpStream;
use weftwork::runtime::{Builder, Runtime};
use weftwork::signal::{Signal, SignalKind, signal};
use weftwork::sync::{Notify, Semaphore, channel, oneshot};
use weftwork::task::JoinHandle;

impl Http for Weftwork {
    async fn serve(stream: TcpStream) {
        // A client that goes away is no fault.
        let _ = http1::Builder::new().serve_connection(stream, service_fn(hello)).await;
    }
}

impl Groups for Weftwork {
    async fn group_of_100() -> u64 {
        let sum = weftwork::group(async |group| {
            let children: Vec<_> = (0..100)
                .map(|n| {
                    group.spawn(async move {
                        weftwork::task::yield_now().await;
                        n
                    })
                })
                .collect();
            let mut sum = 0;
            for child in children {
                sum += child.await.expect("nobody cancels it");
            }
            sum
        });
        sum.await.expect("nobody cancels it")
    }
}

impl Oneshot for Weftwork {
    type Giver = oneshot::Sender<u64>;
    type Taker = oneshot::Receiver<u64>;
    type Asker = channel::Sender<Self::Giver>;
    type Asked = channel::Receiver<Self::Giver>;

    fn oneshot() -> (Self::Giver, Self::Taker) {
        oneshot::channel()
    }

    fn give(to: Self::Giver, value: u64) {
        to.send(value).expect("somebody takes it");
    }

    async fn take(from: Self::Taker) -> u64 {
        from.await.expect("somebody gives it")
    }

    fn questions(capacity: usize) -> (Self::Asker, Self::Asked) {
        channel::bounded(capacity)
    }

    async fn ask(to: &Self::Asker, question: Self::Giver) {
        assert!(to.send(question).await.is_ok(), "somebody answers");
    }

    async fn asked(from: &mut Self::Asked) -> Option<Self::Giver> {
        from.recv().await.ok()
    }
}

impl Outside for Weftwork {
    type Runtime = &'static Runtime;

    fn start(threads: Threads) -> Self::Runtime {
        let builder = match threads {
            Threads::Workers => Builder::new_multi_thread().worker_threads(crate::rows::workers()),
            Threads::One => Builder::new_multi_thread().worker_threads(1),
            Threads::Current => Builder::new_current_thread(),
        };
        Box::leak(Box::new(builder.build().expect("the runtime starts")))
    }

    fn spawn_on<F>(runtime: Self::Runtime, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        runtime.spawn(future)
    }

    fn block_on<F: Future>(runtime: Self::Runtime, future: F) -> F::Output {
        runtime.block_on(future)
    }
}

impl Permits for Weftwork {
    type Semaphore = Semaphore;

    fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    async fn with_permit(of: &Semaphore, work: impl Future<Output = ()> + Send) {
        let permit = of.acquire().await.expect("it stays open");
        work.await;
        drop(permit);
    }
}

impl Notifies for Weftwork {
    type Notify = Notify;

    fn notify() -> Notify {
        Notify::new()
    }

    async fn notified(on: &Notify) {
        on.notified().await;
    }

    fn notify_one(on: &Notify) {
        on.notify_one();
    }

    fn notify_waiters(on: &Notify) {
        on.notify_waiters();
    }
}

impl Signals for Weftwork {
    type Signal = Signal;

    fn signal() -> Signal {
        signal(SignalKind::user_defined1()).expect("the signal can be waited for")
    }

    async fn signalled(on: &mut Signal) {
        on.recv().await.expect("the signal can be waited for");
    }
}

//! tokio in the further rows.

use super::tokio::Tokio;
use crate::rows::peer::{Groups, Http, Notifies, Oneshot, Outside, Permits, Signals, Threads};
use crate::rows::work::http::hello;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::Future;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

impl Http for Tokio {
    async fn serve(stream: TcpStream) {
        // A client that goes away is no fault.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)).await;
    }
}

impl Groups for Tokio {
    async fn group_of_100() -> u64 {
        let mut set = JoinSet::new();
        for n in 0..100 {
            set.spawn(async move {
                tokio::task::yield_now().await;
                n
            });
        }
        let mut sum = 0;
        while let Some(child) = set.join_next().await {
            sum += child.expect("nobody aborts it");
        }
        sum
    }
}

impl Oneshot for Tokio {
    type Giver = oneshot::Sender<u64>;
    type Taker = oneshot::Receiver<u64>;
    type Asker = mpsc::Sender<Self::Giver>;
    type Asked = mpsc::Receiver<Self::Giver>;

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
        mpsc::channel(capacity)
    }

    async fn ask(to: &Self::Asker, question: Self::Giver) {
        assert!(to.send(question).await.is_ok(), "somebody answers");
    }

    async fn asked(from: &mut Self::Asked) -> Option<Self::Giver> {
        from.recv().await
    }
}

impl Outside for Tokio {
    type Runtime = &'static Runtime;

    fn start(threads: Threads) -> Self::Runtime {
        let mut builder = match threads {
            Threads::Current => Builder::new_current_thread(),
            Threads::Workers | Threads::One => Builder::new_multi_thread(),
        };
        let workers = if threads == Threads::One { 1 } else { crate::rows::workers() };
        let runtime = builder.worker_threads(workers).enable_all().build().expect("the runtime starts");
        Box::leak(Box::new(runtime))
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

impl Permits for Tokio {
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

impl Notifies for Tokio {
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

impl Signals for Tokio {
    type Signal = Signal;

    fn signal() -> Signal {
        signal(SignalKind::user_defined1()).expect("the signal can be waited for")
    }

    async fn signalled(on: &mut Signal) {
        on.recv().await.expect("the signal can be waited for");
    }
}

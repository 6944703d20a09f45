//! smol in the further rows.

use super::smol::Smol;
use crate::rows::peer::{Http, Oneshot, Outside, Permits, Threads};
use crate::rows::work::http::hello;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use smol::channel::{self, Receiver, Sender};
use smol::lock::Semaphore;
use smol::net::TcpStream;
use smol::{Executor, Task};
use smol_hyper::rt::FuturesIo;
use std::future::Future;

impl Http for Smol {
    async fn serve(stream: TcpStream) {
        // A client that goes away is no fault.
        let _ = http1::Builder::new().serve_connection(FuturesIo::new(stream), service_fn(hello)).await;
    }
}

/// smol has no oneshot of its own: its documentation takes a channel of one.
impl Oneshot for Smol {
    type Giver = Sender<u64>;
    type Taker = Receiver<u64>;
    type Asker = Sender<Self::Giver>;
    type Asked = Receiver<Self::Giver>;

    fn oneshot() -> (Self::Giver, Self::Taker) {
        channel::bounded(1)
    }

    fn give(to: Self::Giver, value: u64) {
        to.try_send(value).expect("somebody takes it, and it is the only one");
    }

    async fn take(from: Self::Taker) -> u64 {
        from.recv().await.expect("somebody gives it")
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

/// The global executor has its threads from the environment; for others there is an executor of its own.
impl Outside for Smol {
    type Runtime = (Threads, Option<&'static Executor<'static>>);

    fn start(threads: Threads) -> Self::Runtime {
        if threads == Threads::Workers {
            return (threads, None);
        }
        let executor: &'static Executor<'static> = Box::leak(Box::new(Executor::new()));
        if threads == Threads::One {
            std::thread::spawn(|| smol::block_on(executor.run(std::future::pending::<()>())));
        }
        (threads, Some(executor))
    }

    fn spawn_on<F>(runtime: Self::Runtime, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match runtime.1 {
            None => smol::spawn(future),
            Some(executor) => executor.spawn(future),
        }
    }

    fn block_on<F: Future>(runtime: Self::Runtime, future: F) -> F::Output {
        match runtime {
            (Threads::Current, Some(executor)) => smol::block_on(executor.run(future)),
            // Those have threads of their own.
            _ => smol::block_on(future),
        }
    }
}

impl Permits for Smol {
    type Semaphore = Semaphore;

    fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    async fn with_permit(of: &Semaphore, work: impl Future<Output = ()> + Send) {
        let permit = of.acquire().await;
        work.await;
        drop(permit);
    }
}

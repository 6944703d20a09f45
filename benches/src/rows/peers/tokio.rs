//! tokio's multi-thread runtime with everything enabled, two workers, `tokio::sync`.

use crate::rows::peer::{Offload, Peer, Sockets, Timed};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

pub(crate) struct Tokio;

impl Peer for Tokio {
    type Task<T: Send + 'static> = JoinHandle<T>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Mutex = Mutex<u64>;

    fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = Builder::new_multi_thread()
            .worker_threads(crate::rows::workers())
            .enable_all()
            .build()
            .expect("the runtime starts");
        let task = runtime.spawn(work);
        runtime.block_on(task).expect("the work ends")
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(future)
    }

    async fn join<T: Send + 'static>(task: JoinHandle<T>) -> T {
        task.await.expect("the task ends")
    }

    fn detach<T: Send + 'static>(task: JoinHandle<T>) {
        drop(task);
    }

    async fn cancel<T: Send + 'static>(task: JoinHandle<T>) {
        task.abort();
        assert!(task.await.is_err(), "a cancelled task has no value");
    }

    async fn yield_now() {
        tokio::task::yield_now().await;
    }

    fn channel(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        mpsc::channel(capacity)
    }

    async fn send(to: &Sender<u64>, value: u64) {
        to.send(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Receiver<u64>) -> Option<u64> {
        from.recv().await
    }

    fn mutex() -> Mutex<u64> {
        Mutex::new(0)
    }

    async fn add_one(mutex: &Mutex<u64>) -> u64 {
        let mut sum = mutex.lock().await;
        *sum += 1;
        *sum
    }
}

impl Timed for Tokio {
    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn timeout<F: Future + Send>(limit: Duration, future: F) -> Option<F::Output> {
        tokio::time::timeout(limit, future).await.ok()
    }
}

impl Offload for Tokio {
    async fn to_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        tokio::task::spawn_blocking(work).await.expect("the closure ends")
    }
}

impl Sockets for Tokio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        (listener, address)
    }

    async fn accept(listener: &TcpListener) -> TcpStream {
        let (stream, _) = listener.accept().await.expect("somebody connects");
        stream.set_nodelay(true).expect("it is TCP");
        stream
    }

    async fn connect(to: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(to).await.expect("somebody listens");
        stream.set_nodelay(true).expect("it is TCP");
        stream
    }

    async fn read_exact(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
        stream.read_exact(buffer).await.is_ok()
    }

    async fn write_all(stream: &mut TcpStream, bytes: &[u8]) {
        stream.write_all(bytes).await.expect("the other end reads");
    }
}

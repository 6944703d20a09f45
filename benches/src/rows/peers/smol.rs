//! smol's global executor on `SMOL_THREADS=2`, which the measured process is started with.

use crate::rows::peer::{Offload, Peer, Sockets, Timed};
use smol::channel::{self, Receiver, Sender};
use smol::future::FutureExt;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::Mutex;
use smol::net::{TcpListener, TcpStream};
use smol::{Task, Timer};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) struct Smol;

impl Peer for Smol {
    type Task<T: Send + 'static> = Task<T>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Mutex = Mutex<u64>;

    fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        smol::block_on(smol::spawn(work))
    }

    fn spawn<F>(future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        smol::spawn(future)
    }

    async fn join<T: Send + 'static>(task: Task<T>) -> T {
        task.await
    }

    fn detach<T: Send + 'static>(task: Task<T>) {
        task.detach();
    }

    async fn cancel<T: Send + 'static>(task: Task<T>) {
        assert!(task.cancel().await.is_none(), "a cancelled task has no value");
    }

    async fn yield_now() {
        smol::future::yield_now().await;
    }

    fn channel(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        channel::bounded(capacity)
    }

    async fn send(to: &Sender<u64>, value: u64) {
        to.send(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Receiver<u64>) -> Option<u64> {
        from.recv().await.ok()
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

impl Timed for Smol {
    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }

    async fn timeout<F: Future + Send>(limit: Duration, future: F) -> Option<F::Output> {
        let value = async { Some(future.await) };
        value
            .or(async {
                Timer::after(limit).await;
                None
            })
            .await
    }
}

impl Offload for Smol {
    async fn to_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        smol::unblock(work).await
    }
}

impl Sockets for Smol {
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

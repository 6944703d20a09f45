//! weftwork on its defaults: the multi-thread runtime, two workers, the watchdog on.

use crate::rows::peer::{Offload, Peer, Sockets, Timed};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::Builder;
use weftwork::sync::Mutex;
use weftwork::sync::channel::{self, Receiver, Sender};
use weftwork::task::JoinHandle;

pub(crate) struct Weftwork;

impl Peer for Weftwork {
    type Task<T: Send + 'static> = JoinHandle<T>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Mutex = Mutex<u64>;

    fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        let runtime =
            Builder::new_multi_thread().worker_threads(crate::rows::workers()).build().expect("the runtime starts");
        let task = runtime.spawn(work);
        runtime.block_on(task).expect("the work ends")
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        weftwork::spawn(future)
    }

    async fn join<T: Send + 'static>(task: JoinHandle<T>) -> T {
        task.await.expect("the task ends")
    }

    fn detach<T: Send + 'static>(task: JoinHandle<T>) {
        task.detach();
    }

    async fn cancel<T: Send + 'static>(task: JoinHandle<T>) {
        task.cancel();
        assert!(task.await.is_err(), "a cancelled task has no value");
    }

    async fn yield_now() {
        weftwork::task::yield_now().await;
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

impl Timed for Weftwork {
    async fn sleep(duration: Duration) {
        weftwork::sleep(duration).await;
    }

    async fn timeout<F: Future + Send>(limit: Duration, future: F) -> Option<F::Output> {
        weftwork::timeout(limit, future).await.ok()
    }
}

impl Offload for Weftwork {
    async fn to_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        weftwork::to_thread(work).await.expect("the closure ends")
    }
}

impl Sockets for Weftwork {
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

#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! Which public types may be sent, shared, moved while pinned, and seen after a panic. A change here is a change of API.

use static_assertions::{assert_impl_all as yes, assert_not_impl_any as no};
use std::cell::Cell;
use std::fmt::Debug;
use std::future::Ready;
use std::marker::PhantomPinned;
use std::net::UdpSocket;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use weftwork::{Handle, JoinError, JoinHandle, Offload, OffloadError, Runtime};
use weftwork::{group, net, runtime, scope, signal, sync, task, testing, time};

/// Not Send and not Sync.
type Local = Rc<()>;
/// Send and not Sync.
type Single = Cell<u8>;

#[test]
fn a_handle_goes_wherever_its_value_may_go() {
    yes!(JoinHandle<u8>: Send, Sync, Unpin, Debug, Future);
    // The value is only ever given to the one who owns the handle.
    yes!(JoinHandle<Single>: Send, Sync, Unpin);
    no!(JoinHandle<Local>: Send, Sync);
    yes!(JoinHandle<Local>: Unpin, Debug, Future);
    yes!(JoinHandle<PhantomPinned>: Unpin);
    no!(JoinHandle<u8>: Clone, Copy);
    yes!(task::CancelOnDrop<u8>: Send, Sync, Unpin, Debug, Future);
    no!(task::CancelOnDrop<Local>: Send, Sync);
}

#[test]
fn runtimes_and_handles_are_shared_by_threads() {
    yes!(Runtime: Send, Sync, Unpin, Debug, UnwindSafe, RefUnwindSafe);
    yes!(Handle: Send, Sync, Unpin, Clone, Debug, UnwindSafe, RefUnwindSafe);
    yes!(runtime::Builder: Send, Unpin, Debug);
    yes!(runtime::Metrics: Send, Sync, Unpin, Clone, Debug, UnwindSafe, RefUnwindSafe);
    yes!(runtime::WorkerMetrics: Send, Sync, Copy, Debug, UnwindSafe, RefUnwindSafe);
    yes!(runtime::ReactorBackend: Send, Sync, Copy, Debug);
    no!(Runtime: Clone);
}

#[test]
fn an_entered_runtime_is_left_on_the_thread_that_entered() {
    no!(runtime::EnterGuard<'static>: Send, Sync);
    yes!(runtime::EnterGuard<'static>: Debug);
}

#[test]
#[cfg(unix)]
fn listeners_for_signals_move_between_threads() {
    yes!(signal::Signal: Send, Sync, Unpin, Debug, futures::Stream);
    yes!(signal::Recv<'static>: Send, Sync, Unpin, Debug, Future);
    yes!(signal::CtrlC: Send, Sync, Unpin, Debug, Future);
    yes!(signal::OnSignal: Send, Sync, Unpin, Debug);
    yes!(signal::SignalKind: Send, Sync, Copy, std::hash::Hash, Debug, UnwindSafe, RefUnwindSafe);
}

#[test]
fn timers_move_between_threads() {
    yes!(time::Sleep: Send, Sync, Unpin, Debug, Future);
    yes!(time::Interval: Send, Sync, Unpin, Debug);
    yes!(time::Tick<'static>: Send, Sync, Unpin, Debug, Future);
    yes!(time::Timeout<Ready<u8>>: Send, Sync, Unpin, Debug, Future);
    yes!(time::Timeout<Ready<Single>>: Send);
    no!(time::Timeout<Ready<Single>>: Sync);
    no!(time::Timeout<Ready<Local>>: Send, Sync);
    no!(time::Timeout<PinnedFuture>: Unpin);
    yes!(time::Instant: Send, Sync, Copy, Ord, std::hash::Hash, Debug, UnwindSafe, RefUnwindSafe);
    yes!(time::Elapsed: Send, Sync, Copy, std::error::Error, UnwindSafe, RefUnwindSafe);
    yes!(time::MissedTickBehavior: Send, Sync, Copy, Default, Debug);
}

#[test]
fn regions_and_groups_move_between_threads() {
    yes!(scope::CancelScope: Send, Sync, Unpin, Clone, Debug);
    yes!(scope::ScopeRun<Ready<u8>>: Send, Sync, Unpin, Debug, Future);
    yes!(scope::Cancellable<Ready<u8>>: Send, Sync, Unpin, Debug, Future);
    no!(scope::Cancellable<Ready<Local>>: Send, Sync);
    no!(scope::Cancellable<PinnedFuture>: Unpin);
    yes!(scope::Shield<Ready<u8>>: Send, Sync, Unpin, Debug, Future);
    yes!(scope::Cleanup<Ready<u8>>: Send, Sync, Unpin, Debug, Future);
    yes!(scope::Cancelled: Send, Sync, Unpin, Clone, std::error::Error);
    yes!(scope::ScopeCancelled: Send, Sync, Clone, std::error::Error);
    yes!(time::TimeoutHandle: Send, Sync, Clone, Debug);
    yes!(time::RescheduleError: Send, Sync, Copy, std::error::Error);
    yes!(weftwork::TaskGroup: Send, Sync, Clone, Debug);
    yes!(weftwork::TryTaskGroup<Single>: Send, Sync, Clone);
    yes!(group::Group<Ready<u8>>: Send, Sync, Unpin, Debug, Future);
    yes!(group::GroupError<std::fmt::Error>: Send, Sync, Clone, std::error::Error);
    yes!(weftwork::JoinSet<u8>: Send, Sync, Unpin, Default, Debug);
    yes!(weftwork::JoinSet<Single>: Send);
    no!(weftwork::JoinSet<Local>: Send, Sync);
    yes!(group::AsCompleted<u8>: Send, Unpin, Debug, futures::Stream);
    yes!(group::Gather<u8>: Send, Unpin, Debug, Future);
}

/// A future that must not be moved once it is pinned.
#[derive(Debug)]
struct PinnedFuture(#[allow(dead_code, reason = "a marker")] PhantomPinned);

impl Future for PinnedFuture {
    type Output = ();
    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::task::Poll::Ready(())
    }
}

#[test]
fn blocking_calls_are_awaited_from_any_thread() {
    yes!(Offload<u8>: Send, Unpin, Debug, Future);
    yes!(Offload<Single>: Send, Unpin);
    yes!(Offload<PhantomPinned>: Unpin);
    yes!(weftwork::ThreadPool: Send, Sync, Clone, Debug);
    yes!(weftwork::BlockingHandle<u8>: Send, Unpin, Debug, Future);
}

#[test]
fn errors_can_be_sent_and_kept() {
    yes!(JoinError: Send, Sync, Debug, std::error::Error);
    yes!(OffloadError: Send, Sync, Debug, std::error::Error);
    yes!(runtime::BuildError: Send, Sync, Debug, std::error::Error);
    yes!(runtime::RunError: Send, Sync, Debug, std::error::Error);
    yes!(runtime::FromThreadError: Send, Sync, Debug, std::error::Error);
    yes!(runtime::OnCtrlC: Send, Sync, Unpin, Debug, Copy);
    yes!(runtime::CallHandle: Send, Sync, Unpin, Debug);
    yes!(runtime::TimerHandle: Send, Sync, Unpin, Debug);
    yes!(runtime::ShutdownError: Send, Sync, Debug, std::error::Error);
    yes!(runtime::TryCurrentError: Send, Sync, Copy, Debug, std::error::Error);
    yes!(task::SpawnError: Send, Sync, Copy, Debug, std::error::Error);
    yes!(task::CancelCause: Send, Sync, Clone, Debug, UnwindSafe, RefUnwindSafe);
    yes!(task::CancelKind: Send, Sync, Copy, Debug, UnwindSafe, RefUnwindSafe);
    yes!(task::Panic: Send, Sync, Debug);
    yes!(task::TaskId: Send, Sync, Copy, Ord, std::hash::Hash, Debug, UnwindSafe, RefUnwindSafe);
    yes!(runtime::Unhandled<'static>: Send, Sync, Clone, Debug);
}

#[test]
fn sockets_are_shared_by_threads() {
    yes!(net::TcpListener: Send, Sync, Unpin, Debug);
    yes!(net::TcpStream: Send, Sync, Unpin, Debug);
    yes!(net::tcp::OwnedReadHalf: Send, Sync, Unpin, Debug);
    yes!(net::tcp::OwnedWriteHalf: Send, Sync, Unpin, Debug);
    yes!(net::tcp::ReadHalf<'static>: Send, Sync, Unpin, Debug);
    yes!(net::tcp::WriteHalf<'static>: Send, Sync, Unpin, Debug);
    yes!(net::tcp::Accept<'static>: Send, Sync, Unpin, Debug, Future);
    yes!(net::tcp::Connect: Send, Unpin, Debug, Future);
    yes!(net::tcp::Bind: Send, Unpin, Debug, Future);
    yes!(net::TcpSocket: Send, Sync, Unpin, Debug);
    yes!(net::TcpListeners: Send, Sync, Unpin, Debug);
    yes!(net::tcp::SocketConnect: Send, Unpin, Debug, Future);
    yes!(net::tcp::BindAll: Send, Unpin, Debug, Future);
    yes!(net::tcp::AcceptAny<'static>: Send, Sync, Unpin, Debug, Future);
    yes!(net::UdpSocket: Send, Sync, Unpin, Debug);
    yes!(net::udp::RecvFrom<'static>: Send, Sync, Unpin, Debug, Future);
    yes!(net::udp::SendTo<'static>: Send, Unpin, Debug, Future);
    yes!(net::udp::RecvBatch<'static, 'static>: Send, Sync, Unpin, Debug, Future);
    yes!(net::UnixListener: Send, Sync, Unpin, Debug);
    yes!(net::UnixStream: Send, Sync, Unpin, Debug);
    yes!(net::UnixStream: tokio::io::AsyncRead, tokio::io::AsyncWrite, hyper::rt::Read, hyper::rt::Write);
    yes!(net::UnixDatagram: Send, Sync, Unpin, Debug);
    yes!(net::unix::OwnedReadHalf: Send, Sync, Unpin, Debug);
    yes!(net::unix::OwnedWriteHalf: Send, Sync, Unpin, Debug);
    yes!(net::unix::Connect: Send, Unpin, Debug, Future);
    yes!(net::unix::Accept<'static>: Send, Sync, Unpin, Debug, Future);
    yes!(net::unix::datagram::SendTo<'static>: Send, Unpin, Debug, Future);
    yes!(net::unix::PeerCredentials: Send, Sync, Copy, Debug);
    yes!(net::LookupHost: Send, Unpin, Debug, Future);
    yes!(weftwork::io::AsyncFd<UdpSocket>: Send, Sync, Unpin, Debug);
}

#[test]
fn a_stream_in_memory_has_the_traits_of_a_socket() {
    use weftwork::io::DuplexStream;
    yes!(DuplexStream: Send, Sync, Unpin, Debug, futures::AsyncRead, futures::AsyncWrite);
    yes!(DuplexStream: tokio::io::AsyncRead, tokio::io::AsyncWrite, hyper::rt::Read, hyper::rt::Write);
    // By reference two could wait in one direction, which has room for one.
    no!(&'static DuplexStream: futures::AsyncRead, futures::AsyncWrite);
}

#[test]
fn what_waits_in_sync_may_be_sent() {
    yes!(sync::Mutex<Single>: Send, Sync);
    no!(sync::Mutex<Local>: Send, Sync);
    yes!(sync::MutexGuard<'static, u8>: Send, Sync);
    no!(sync::MutexGuard<'static, Single>: Sync);
    yes!(sync::Semaphore: Send, Sync);
    yes!(sync::Notify: Send, Sync);
    yes!(sync::oneshot::Sender<Single>: Send, Sync);
    yes!(sync::oneshot::Receiver<Single>: Send, Unpin);
    no!(sync::oneshot::Sender<Local>: Send, Sync);
    yes!(sync::channel::Sender<Single>: Send, Sync, Clone);
    yes!(sync::channel::Receiver<Single>: Send, Sync, Clone);
    no!(sync::channel::Sender<Local>: Send, Sync);
}

#[test]
fn what_tests_use_may_be_sent() {
    yes!(testing::ManualClock: Send, Sync, Clone, Debug);
    yes!(testing::Settle: Send, Unpin, Debug, Future);
    yes!(task::YieldNow: Send, Sync, Unpin, Debug, Future);
}

/// Futures of the engine's functions are `Send` where their inputs are.
#[test]
fn futures_made_by_async_functions_may_be_spawned() {
    fn sendable<T: Send>(_: T) {}
    sendable(async {
        weftwork::sleep(time::Duration::ZERO).await;
        task::yield_now().await;
        let _ = weftwork::timeout(time::Duration::ZERO, std::future::pending::<()>()).await;
        let _ = weftwork::spawn(async {}).await;
        let _ = weftwork::to_thread(|| ()).await;
        let stream = net::TcpStream::connect("127.0.0.1:1").await;
        if let Ok(stream) = stream {
            let _ = stream.read(&mut [0]).await;
        }
    });
}

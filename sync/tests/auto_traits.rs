//! Which public type may cross threads: a table, because a wrong line in it is unsound and shows in no other test
//! (RUSTSEC-2020-0072, 2025-0023, 2026-0221).
#![cfg(not(weftwork_loom))]

use static_assertions::{assert_impl_all as yes, assert_not_impl_any as no};
use std::cell::Cell;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use weftwork_sync::{
    Abandoned, Barrier, BarrierWait, BrokenBarrier, Event, EventWait, GetOrInit, GetOrTryInit, OnceCell, OnceCellWait,
    Promise, PromiseClosed, PromiseWait, SetError, SetOnce, SetOnceWait, Setter, SharedFuture, WaitGroup,
    WaitGroupWait, WaitGroupWorker, broadcast, watch,
};
use weftwork_sync::{
    Acquire, AcquireError, AcquireOwned, LifoQueue, Lock, LockOwned, Mutex, MutexGuard, Notified, Notify,
    OwnedMutexGuard, OwnedPermit, Permit, PriorityQueue, Queue, Semaphore, TryAcquireError, WakeBatch, channel,
    oneshot, queue,
};
use weftwork_sync::{
    AlreadyBorrowed, Borrow, BorrowOwned, Condvar, CondvarWait, CondvarWaitWhile, InUse, InUseError, Limiter,
    LimiterToken, MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, OwnedLimiterToken,
    OwnedMappedMutexGuard, OwnedMappedRwLockReadGuard, OwnedMappedRwLockWriteGuard, OwnedRwLockReadGuard,
    OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, ReadLock, ReadLockOwned, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, TryBorrowError, UpgradableReadLock, UpgradableReadLockOwned, Upgrade,
    UpgradeOwned, UseGuard, WriteLock, WriteLockOwned,
};

/// Sent but not shared.
type SendOnly = Cell<u8>;
/// Neither.
type Neither = Rc<u8>;
/// Shared but not sent.
type SyncOnly = std::sync::MutexGuard<'static, u8>;

// A lock hands its value from thread to thread; sharing the lock never shares the value.
yes!(Mutex<SendOnly>: Send, Sync, Unpin);
yes!(Mutex<dyn std::fmt::Debug + Send>: Send, Sync);
no!(Mutex<Neither>: Send, Sync);
no!(Mutex<SyncOnly>: Send, Sync);
// A guard is `&mut T`: shared where the value may be (RUSTSEC-2020-0072), sent where it may be dropped (async-lock 50).
yes!(MutexGuard<'static, u8>: Send, Sync, Unpin);
yes!(MutexGuard<'static, SendOnly>: Send);
no!(MutexGuard<'static, SendOnly>: Sync);
no!(MutexGuard<'static, Neither>: Send, Sync);
yes!(OwnedMutexGuard<u8>: Send, Sync, Unpin);
yes!(OwnedMutexGuard<SendOnly>: Send);
no!(OwnedMutexGuard<SendOnly>: Sync);
no!(OwnedMutexGuard<Neither>: Send, Sync);
// Futures with a waiter inside are pinned while they wait.
yes!(Lock<'static, SendOnly>: Send, Sync);
no!(Lock<'static, u8>: Unpin);
no!(Lock<'static, Neither>: Send, Sync);
yes!(LockOwned<SendOnly>: Send, Sync);
no!(LockOwned<u8>: Unpin);
no!(LockOwned<Neither>: Send, Sync);

// A narrowed guard is `&mut` to the part, whatever the whole is (RUSTSEC-2020-0059); an owned one may drop the whole.
yes!(MappedMutexGuard<'static, u8>: Send, Sync, Unpin);
yes!(MappedMutexGuard<'static, SendOnly>: Send);
no!(MappedMutexGuard<'static, SendOnly>: Sync);
no!(MappedMutexGuard<'static, Neither>: Send, Sync);
no!(MappedMutexGuard<'static, SyncOnly>: Send);
yes!(OwnedMappedMutexGuard<u8, u8>: Send, Sync, Unpin);
yes!(OwnedMappedMutexGuard<SendOnly, SendOnly>: Send);
no!(OwnedMappedMutexGuard<SendOnly, SendOnly>: Sync);
no!(OwnedMappedMutexGuard<u8, Neither>: Send, Sync);
no!(OwnedMappedMutexGuard<Neither, u8>: Send, Sync);
no!(OwnedMappedMutexGuard<u8, SyncOnly>: Send);

// Readers share the value; a writer moves it from thread to thread.
yes!(RwLock<u8>: Send, Sync, Unpin);
yes!(RwLock<SendOnly>: Send);
no!(RwLock<SendOnly>: Sync);
no!(RwLock<SyncOnly>: Send, Sync);
no!(RwLock<Neither>: Send, Sync);
yes!(RwLockReadGuard<'static, u8>: Send, Sync, Unpin);
no!(RwLockReadGuard<'static, SendOnly>: Send, Sync);
no!(RwLockReadGuard<'static, Neither>: Send, Sync);
yes!(RwLockWriteGuard<'static, u8>: Send, Sync, Unpin);
no!(RwLockWriteGuard<'static, SendOnly>: Sync);
no!(RwLockWriteGuard<'static, SyncOnly>: Send);
no!(RwLockWriteGuard<'static, Neither>: Send, Sync);
yes!(RwLockUpgradableReadGuard<'static, u8>: Send, Sync, Unpin);
no!(RwLockUpgradableReadGuard<'static, SendOnly>: Send, Sync);
no!(RwLockUpgradableReadGuard<'static, SyncOnly>: Send);
yes!(OwnedRwLockReadGuard<u8>: Send, Sync, Unpin);
no!(OwnedRwLockReadGuard<SendOnly>: Send, Sync);
no!(OwnedRwLockReadGuard<SyncOnly>: Send);
yes!(OwnedRwLockWriteGuard<u8>: Send, Sync, Unpin);
no!(OwnedRwLockWriteGuard<SendOnly>: Sync);
no!(OwnedRwLockWriteGuard<SyncOnly>: Send);
yes!(OwnedRwLockUpgradableReadGuard<u8>: Send, Sync, Unpin);
no!(OwnedRwLockUpgradableReadGuard<SendOnly>: Send, Sync);
yes!(MappedRwLockReadGuard<'static, u8>: Send, Sync, Unpin);
yes!(MappedRwLockReadGuard<'static, SyncOnly>: Send, Sync);
no!(MappedRwLockReadGuard<'static, SendOnly>: Send, Sync);
yes!(MappedRwLockWriteGuard<'static, u8>: Send, Sync, Unpin);
yes!(MappedRwLockWriteGuard<'static, SendOnly>: Send);
no!(MappedRwLockWriteGuard<'static, SendOnly>: Sync);
no!(MappedRwLockWriteGuard<'static, SyncOnly>: Send);
yes!(OwnedMappedRwLockReadGuard<u8, SyncOnly>: Send, Sync, Unpin);
no!(OwnedMappedRwLockReadGuard<u8, SendOnly>: Send, Sync);
no!(OwnedMappedRwLockReadGuard<SyncOnly, u8>: Send, Sync);
yes!(OwnedMappedRwLockWriteGuard<u8, SendOnly>: Send);
no!(OwnedMappedRwLockWriteGuard<u8, SendOnly>: Sync);
no!(OwnedMappedRwLockWriteGuard<SendOnly, u8>: Send, Sync);
yes!(ReadLock<'static, u8>: Send, Sync);
yes!(WriteLock<'static, u8>: Send, Sync);
yes!(UpgradableReadLock<'static, u8>: Send, Sync);
yes!(Upgrade<'static, u8>: Send, Sync);
yes!(ReadLockOwned<u8>: Send, Sync);
yes!(WriteLockOwned<u8>: Send, Sync);
yes!(UpgradableReadLockOwned<u8>: Send, Sync);
yes!(UpgradeOwned<u8>: Send, Sync);
no!(ReadLock<'static, u8>: Unpin);
no!(WriteLock<'static, u8>: Unpin);
no!(UpgradableReadLock<'static, u8>: Unpin);
no!(Upgrade<'static, u8>: Unpin);
no!(ReadLockOwned<u8>: Unpin);
no!(WriteLockOwned<u8>: Unpin);
no!(UpgradableReadLockOwned<u8>: Unpin);
no!(UpgradeOwned<u8>: Unpin);
no!(WriteLock<'static, SendOnly>: Send, Sync);
no!(WriteLockOwned<SendOnly>: Send, Sync);
no!(Upgrade<'static, SendOnly>: Send, Sync);
no!(UpgradeOwned<SendOnly>: Send, Sync);

yes!(Condvar: Send, Sync, Unpin);
yes!(CondvarWait<'static, MutexGuard<'static, SendOnly>>: Send);
yes!(CondvarWait<'static, OwnedMutexGuard<SendOnly>>: Send);
no!(CondvarWait<'static, MutexGuard<'static, SendOnly>>: Sync);
no!(CondvarWait<'static, MutexGuard<'static, Neither>>: Send, Sync);
no!(CondvarWait<'static, MutexGuard<'static, u8>>: Unpin);
no!(CondvarWaitWhile<'static, MutexGuard<'static, u8>, fn(&mut u8) -> bool>: Unpin);
no!(CondvarWaitWhile<'static, MutexGuard<'static, u8>, Neither>: Send);

yes!(Limiter: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
yes!(LimiterToken<'static>: Send, Sync, Unpin);
yes!(OwnedLimiterToken: Send, Sync, Unpin);
yes!(Borrow<'static>: Send, Sync);
yes!(BorrowOwned: Send, Sync);
no!(Borrow<'static>: Unpin);
no!(BorrowOwned: Unpin);
yes!(AlreadyBorrowed: Send, Sync, std::error::Error);
yes!(TryBorrowError: Send, Sync, std::error::Error);

yes!(UseGuard: Send, Sync, Unpin);
yes!(InUse<'static>: Send, Sync, Unpin);
yes!(InUseError: Send, Sync, std::error::Error);

// What holds no value of a user's is as it was after a panic; what does says so by asking for AssertUnwindSafe.
yes!(Semaphore: UnwindSafe, RefUnwindSafe);
yes!(Condvar: UnwindSafe, RefUnwindSafe);
yes!(UseGuard: UnwindSafe, RefUnwindSafe);
yes!(Permit<'static>: UnwindSafe, RefUnwindSafe);
yes!(OwnedPermit: UnwindSafe, RefUnwindSafe);
yes!(Mutex<u8>: UnwindSafe);
yes!(RwLock<u8>: UnwindSafe);
no!(Mutex<u8>: RefUnwindSafe);
no!(RwLock<u8>: RefUnwindSafe);

yes!(Semaphore: Send, Sync, Unpin);
yes!(Permit<'static>: Send, Sync, Unpin);
yes!(OwnedPermit: Send, Sync, Unpin);
yes!(Acquire<'static>: Send, Sync);
yes!(AcquireOwned: Send, Sync);
no!(Acquire<'static>: Unpin);
no!(AcquireOwned: Unpin);
yes!(AcquireError: Send, Sync, std::error::Error);
yes!(TryAcquireError: Send, Sync, std::error::Error);

yes!(Notify: Send, Sync, Unpin);
yes!(Notified<'static>: Send, Sync);
no!(Notified<'static>: Unpin);

yes!(oneshot::Sender<SendOnly>: Send, Sync, Unpin);
yes!(oneshot::Receiver<SendOnly>: Send, Sync, Unpin);
yes!(oneshot::Sender<PhantomPinned>: Unpin);
yes!(oneshot::Receiver<PhantomPinned>: Unpin);
no!(oneshot::Sender<Neither>: Send, Sync);
no!(oneshot::Receiver<Neither>: Send, Sync);
no!(oneshot::Sender<SyncOnly>: Send, Sync);
no!(oneshot::Receiver<SyncOnly>: Send, Sync);
yes!(oneshot::Closed<'static, SendOnly>: Send, Sync);
no!(oneshot::Closed<'static, Neither>: Send, Sync);
yes!(oneshot::RecvError: Send, Sync, std::error::Error);
yes!(oneshot::TryRecvError: Send, Sync, std::error::Error);

// A value goes to one receiver, so sharing an end never shares it.
yes!(channel::Sender<SendOnly>: Send, Sync, Unpin, Clone);
yes!(channel::Receiver<SendOnly>: Send, Sync, Unpin, Clone);
yes!(channel::Sender<PhantomPinned>: Unpin);
yes!(channel::Receiver<PhantomPinned>: Unpin);
no!(channel::Sender<Neither>: Send, Sync);
no!(channel::Receiver<Neither>: Send, Sync);
no!(channel::Sender<SyncOnly>: Send, Sync);
no!(channel::Receiver<SyncOnly>: Send, Sync);
yes!(channel::Send<'static, SendOnly>: Send);
no!(channel::Send<'static, SendOnly>: Sync);
no!(channel::Send<'static, Neither>: Send, Sync);
no!(channel::Send<'static, u8>: Unpin);
yes!(channel::Recv<'static, SendOnly>: Send, Sync);
no!(channel::Recv<'static, Neither>: Send, Sync);
no!(channel::Recv<'static, u8>: Unpin);
yes!(channel::SendError<Neither>: std::error::Error);
yes!(channel::TrySendError<Neither>: std::error::Error);
yes!(channel::RecvError: Send, Sync, std::error::Error);
yes!(channel::TryRecvError: Send, Sync, std::error::Error);

// An item goes to one getter, so sharing a queue never shares it.
yes!(Queue<SendOnly>: Send, Sync, Unpin);
yes!(LifoQueue<SendOnly>: Send, Sync, Unpin);
yes!(PriorityQueue<SendOnly>: Send, Sync, Unpin);
no!(Queue<Neither>: Send, Sync);
no!(LifoQueue<Neither>: Send, Sync);
no!(PriorityQueue<Neither>: Send, Sync);
no!(Queue<SyncOnly>: Send, Sync);
no!(LifoQueue<SyncOnly>: Send, Sync);
no!(PriorityQueue<SyncOnly>: Send, Sync);
// An item that was got is its value.
yes!(queue::Item<'static, SendOnly>: Send, Unpin);
no!(queue::Item<'static, SendOnly>: Sync);
yes!(queue::Item<'static, SyncOnly>: Sync);
no!(queue::Item<'static, Neither>: Send, Sync);
no!(queue::Item<'static, SyncOnly>: Send);
yes!(queue::Put<'static, queue::Fifo<SendOnly>>: Send);
no!(queue::Put<'static, queue::Fifo<SendOnly>>: Sync);
no!(queue::Put<'static, queue::Fifo<Neither>>: Send, Sync);
no!(queue::Put<'static, queue::Fifo<u8>>: Unpin);
yes!(queue::Get<'static, queue::Lifo<SendOnly>>: Send, Sync);
no!(queue::Get<'static, queue::Lifo<Neither>>: Send, Sync);
no!(queue::Get<'static, queue::Smallest<u8>>: Unpin);
yes!(queue::Join<'static>: Send, Sync);
no!(queue::Join<'static>: Unpin);
yes!(queue::PutError<Neither>: std::error::Error);
yes!(queue::TryPutError<Neither>: std::error::Error);
yes!(queue::GetError: Send, Sync, std::error::Error);
yes!(queue::TryGetError: Send, Sync, std::error::Error);
yes!(queue::TaskDoneError: Send, Sync, std::error::Error);
yes!(channel::SendTimeoutError<Neither>: std::error::Error);
yes!(channel::RecvTimeoutError: Send, Sync, std::error::Error);
yes!(channel::ReserveError: Send, Sync, std::error::Error);
yes!(channel::Sender<SendOnly, channel::Unbounded>: Send, Sync, Unpin, Clone);
yes!(channel::Receiver<SendOnly, channel::Unbounded>: Send, Sync, Unpin, Clone);
yes!(channel::Sender<PhantomPinned, channel::Unbounded>: Unpin);
yes!(channel::Receiver<PhantomPinned, channel::Unbounded>: Unpin);
no!(channel::Sender<Neither, channel::Unbounded>: Send, Sync);
no!(channel::Receiver<Neither, channel::Unbounded>: Send, Sync);
no!(channel::Sender<SyncOnly, channel::Unbounded>: Send, Sync);
no!(channel::Receiver<SyncOnly, channel::Unbounded>: Send, Sync);
yes!(channel::Sender<SendOnly, channel::Rendezvous>: Send, Sync, Unpin, Clone);
yes!(channel::Receiver<SendOnly, channel::Rendezvous>: Send, Sync, Unpin, Clone);
yes!(channel::Sender<PhantomPinned, channel::Rendezvous>: Unpin);
no!(channel::Sender<Neither, channel::Rendezvous>: Send, Sync);
no!(channel::Receiver<Neither, channel::Rendezvous>: Send, Sync);
no!(channel::Receiver<SyncOnly, channel::Rendezvous>: Send, Sync);
yes!(channel::Handover<'static, SendOnly>: Send);
no!(channel::Handover<'static, SendOnly>: Sync);
no!(channel::Handover<'static, Neither>: Send, Sync);
no!(channel::Handover<'static, u8>: Unpin);
yes!(channel::WeakSender<SendOnly>: Send, Sync, Unpin, Clone);
no!(channel::WeakSender<Neither>: Send, Sync);
yes!(channel::Closed<'static, SendOnly>: Send, Sync);
no!(channel::Closed<'static, Neither>: Send, Sync);
no!(channel::Closed<'static, u8>: Unpin);
// What it appends to is shared as `&mut Vec<T>` is.
yes!(channel::RecvMany<'static, SendOnly>: Send);
no!(channel::RecvMany<'static, SendOnly>: Sync);
no!(channel::RecvMany<'static, Neither>: Send, Sync);
no!(channel::RecvMany<'static, u8>: Unpin);
yes!(channel::BlockingIter<'static, SendOnly>: Send, Sync);
// A permit is room, and no value.
yes!(channel::Permit<'static, SendOnly>: Send, Sync, Unpin);
no!(channel::Permit<'static, Neither>: Send, Sync);
yes!(channel::Permits<'static, SendOnly>: Send, Sync, Unpin);
no!(channel::Permits<'static, Neither>: Send, Sync);
yes!(channel::OwnedPermit<SendOnly>: Send, Sync, Unpin);
no!(channel::OwnedPermit<Neither>: Send, Sync);
yes!(channel::Reserve<'static, SendOnly>: Send, Sync);
no!(channel::Reserve<'static, Neither>: Send, Sync);
no!(channel::Reserve<'static, u8>: Unpin);
yes!(channel::ReserveMany<'static, SendOnly>: Send, Sync);
no!(channel::ReserveMany<'static, Neither>: Send, Sync);
no!(channel::ReserveMany<'static, u8>: Unpin);
yes!(channel::ReserveOwned<SendOnly>: Send, Sync);
no!(channel::ReserveOwned<Neither>: Send, Sync);
no!(channel::ReserveOwned<u8>: Unpin);
yes!(channel::SenderSink<SendOnly>: Send, Sync, Unpin);
no!(channel::SenderSink<Neither>: Send, Sync);
yes!(Event: Send, Sync, Unpin);
yes!(EventWait<'static>: Send, Sync);
no!(EventWait<'static>: Unpin);
yes!(WaitGroup: Send, Sync, Unpin, Clone);
yes!(WaitGroupWorker: Send, Sync, Unpin, Clone);
yes!(WaitGroupWait<'static>: Send, Sync);
no!(WaitGroupWait<'static>: Unpin);
yes!(Barrier: Send, Sync, Unpin);
yes!(BarrierWait<'static>: Send, Sync);
no!(BarrierWait<'static>: Unpin);
yes!(BrokenBarrier: Send, Sync, std::error::Error);

// What is set once is read by several threads at a time, and may be taken out by another than set it.
yes!(SetOnce<u8>: Send, Sync, Unpin);
yes!(SetOnce<SendOnly>: Send);
no!(SetOnce<SendOnly>: Sync);
no!(SetOnce<SyncOnly>: Send, Sync);
no!(SetOnce<Neither>: Send, Sync);
yes!(SetOnceWait<'static, u8>: Send, Sync);
no!(SetOnceWait<'static, u8>: Unpin);
no!(SetOnceWait<'static, SendOnly>: Send, Sync);
yes!(OnceCell<u8>: Send, Sync, Unpin);
yes!(OnceCell<SendOnly>: Send);
no!(OnceCell<SendOnly>: Sync);
no!(OnceCell<SyncOnly>: Send, Sync);
no!(OnceCell<Neither>: Send, Sync);
yes!(OnceCellWait<'static, u8>: Send, Sync);
no!(OnceCellWait<'static, SendOnly>: Send, Sync);
yes!(GetOrInit<'static, u8, fn(), SendOnly>: Send);
no!(GetOrInit<'static, u8, fn(), SendOnly>: Sync, Unpin);
no!(GetOrInit<'static, u8, fn(), Neither>: Send, Sync);
no!(GetOrInit<'static, SendOnly, fn(), u8>: Send, Sync);
yes!(GetOrTryInit<'static, u8, fn(), SendOnly>: Send);
no!(GetOrTryInit<'static, u8, fn(), Neither>: Send, Sync, Unpin);
yes!(SetError<Neither>: Unpin);
yes!(SetError<u8>: Send, Sync, std::error::Error);

yes!(Setter<u8>: Send, Sync, Unpin);
yes!(Promise<u8>: Send, Sync, Clone);
no!(Promise<u8>: Unpin);
no!(Setter<SendOnly>: Send, Sync);
no!(Promise<SendOnly>: Send, Sync);
no!(Setter<SyncOnly>: Send, Sync);
no!(Promise<SyncOnly>: Send, Sync);
yes!(PromiseWait<'static, u8>: Send, Sync);
no!(PromiseWait<'static, SendOnly>: Send, Sync);
yes!(PromiseClosed<'static>: Send, Sync);
yes!(Abandoned: Send, Sync, std::error::Error);
// A shared future moves from thread to thread while it is polled; its output is seen by several.
yes!(SharedFuture<std::future::Ready<u8>>: Send, Sync, Clone);
no!(SharedFuture<std::future::Ready<u8>>: Unpin);
no!(SharedFuture<std::future::Ready<SendOnly>>: Send, Sync);
no!(SharedFuture<std::future::Ready<Neither>>: Send, Sync);

// What is watched is borrowed by several threads at a time.
yes!(watch::Sender<u8>: Send, Sync, Unpin, Clone);
yes!(watch::Receiver<u8>: Send, Sync, Unpin, Clone);
no!(watch::Sender<SendOnly>: Send, Sync);
no!(watch::Receiver<SendOnly>: Send, Sync);
no!(watch::Sender<SyncOnly>: Send, Sync);
no!(watch::Receiver<SyncOnly>: Send, Sync);
yes!(watch::Changed<'static>: Send, Sync);
no!(watch::Changed<'static>: Unpin);
yes!(watch::WaitFor<'static, u8, fn(&u8) -> bool>: Send, Sync);
no!(watch::WaitFor<'static, SendOnly, fn(&SendOnly) -> bool>: Send, Sync);
yes!(watch::Closed<'static>: Send, Sync);
// Held across an await it would block whoever sends.
no!(watch::Ref<'static, u8>: Send);
yes!(watch::SendError<Neither>: std::error::Error);
yes!(watch::RecvError: Send, Sync, std::error::Error);

// Several threads clone a value at a time (RUSTSEC-2025-0023).
yes!(broadcast::Sender<u8>: Send, Sync, Unpin, Clone);
yes!(broadcast::WeakSender<u8>: Send, Sync, Unpin, Clone);
yes!(broadcast::Receiver<u8>: Send, Sync, Unpin);
no!(broadcast::Sender<SendOnly>: Send, Sync);
no!(broadcast::WeakSender<SendOnly>: Send, Sync);
no!(broadcast::Receiver<SendOnly>: Send, Sync);
no!(broadcast::Sender<SyncOnly>: Send, Sync);
no!(broadcast::Receiver<SyncOnly>: Send, Sync);
yes!(broadcast::Recv<'static, u8>: Send, Sync);
no!(broadcast::Recv<'static, u8>: Unpin);
no!(broadcast::Recv<'static, SendOnly>: Send, Sync);
yes!(broadcast::Closed<'static>: Send, Sync);
yes!(broadcast::SendError<Neither>: std::error::Error);
yes!(broadcast::RecvError: Send, Sync, std::error::Error);
yes!(broadcast::TryRecvError: Send, Sync, std::error::Error);

yes!(WakeBatch: Send, Sync, Unpin);

#[test]
fn the_table_compiles() {}

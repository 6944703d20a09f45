//! Wakers that panic, registered by hand wherever the runtime keeps one.

use crate::places::{as_is, finished, patient};
use crate::planted::plant;
use crate::reports::Reports;
use crate::{Scene, Setting};
use std::future::Future;
use std::io::Write;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use weftwork::net::TcpListener;
use weftwork::runtime::UnhandledKind;
use weftwork::sync::oneshot;

pub(crate) const SCENES: &[(&str, Setting, Scene)] = &[
    ("a waker on a JoinHandle", as_is, |reports| {
        Box::pin(async move {
            let (go, gone) = oneshot::channel::<()>();
            let mut handle = patient(async move {
                let _ = gone.await;
            });
            let waker = Panicking::registered(&mut handle)?;
            let _ = go.send(());
            waker.called().await?;
            finished(&handle).await;
            handle.await.map_err(|error| format!("the task itself: {error}"))?;
            reports.one_of_a_task(UnhandledKind::WakerPanicked, "planted: a waker").await
        })
    }),
    ("a waker on a oneshot; the sender's task is told", as_is, |reports| {
        Box::pin(async move {
            let (send, mut receive) = oneshot::channel::<u8>();
            let waker = Panicking::registered(&mut receive)?;
            patient(async move {
                let _ = send.send(1);
            })
            .detach();
            waker.called().await?;
            if receive.await != Ok(1) {
                return Err("the value is lost".into());
            }
            reports.one_of_a_task(UnhandledKind::TaskPanicked, "planted: a waker").await
        })
    }),
    ("a waker on a timer", as_is, |reports| {
        Box::pin(async move {
            let mut sleep = Box::pin(weftwork::sleep(Duration::from_millis(2)));
            let waker = Panicking::registered(&mut sleep)?;
            // Another one that is due at the same time must fire all the same.
            let other = weftwork::spawn(weftwork::sleep(Duration::from_millis(2)));
            waker.called().await?;
            other.await.map_err(|error| error.to_string())?;
            reports.one_of(UnhandledKind::WakerPanicked, "planted: a waker").await
        })
    }),
    ("a waker on a connection", as_is, |reports| Box::pin(on_a_connection(reports))),
    ("a waker on a listener", as_is, |reports| {
        Box::pin(async move {
            let listener = bind().await?;
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            let mut accept = pin!(listener.accept());
            let waker = Panicking::registered(&mut accept)?;
            let _client = std::net::TcpStream::connect(address).map_err(|error| error.to_string())?;
            waker.called().await?;
            accept.await.map_err(|error| error.to_string())?;
            reports.one_of(UnhandledKind::WakerPanicked, "planted: a waker").await
        })
    }),
    ("a waker on a mutex; whoever unlocks it is told", as_is, |reports| {
        Box::pin(async move {
            let mutex = Arc::new(weftwork::sync::Mutex::new(0));
            let guard = mutex.lock().await;
            let mut lock = Box::pin(mutex.lock());
            let waker = Panicking::registered(&mut lock)?;
            let unlocked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(guard)));
            waker.called().await?;
            drop(lock.await);
            if unlocked.is_ok() {
                return Err("whoever unlocked was not told".into());
            }
            reports.none()
        })
    }),
    ("a waker on a timer, when the runtime ends", as_is, |reports| {
        Box::pin(async move {
            // Leaked: it is to be there when the runtime ends, whatever becomes of this future.
            Panicking::registered(Box::leak(Box::new(Box::pin(weftwork::sleep(Duration::from_secs(3_600))))))?;
            reports.expect_at_shutdown(UnhandledKind::WakerPanicked, "planted: a waker");
            Ok(())
        })
    }),
    ("a waker on a listener, when the runtime ends", as_is, |reports| {
        Box::pin(async move {
            let listener = Box::leak(Box::new(bind().await?));
            Panicking::registered(Box::leak(Box::new(Box::pin(listener.accept()))))?;
            reports.expect_at_shutdown(UnhandledKind::WakerPanicked, "planted: a waker");
            Ok(())
        })
    }),
];

async fn on_a_connection(reports: Reports) -> Result<(), String> {
    let listener = bind().await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut client = std::net::TcpStream::connect(address).map_err(|error| error.to_string())?;
    let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
    let (mut first, mut second) = ([0], [0]);
    {
        let mut read = pin!(stream.read(&mut first));
        let waker = Panicking::registered(&mut read)?;
        client.write_all(b"ab").map_err(|error| error.to_string())?;
        waker.called().await?;
        read.await.map_err(|error| error.to_string())?;
    }
    stream.read(&mut second).await.map_err(|error| error.to_string())?;
    if [first[0], second[0]] != *b"ab" {
        return Err("the bytes are lost".into());
    }
    reports.one_of(UnhandledKind::WakerPanicked, "planted: a waker").await
}

async fn bind() -> Result<TcpListener, String> {
    TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())
}

/// A waker that panics when it is called.
pub(crate) struct Panicking(AtomicU32);

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        plant("a waker");
    }
}

impl Panicking {
    /// Polls a future with a new one of these; it has to be pending.
    pub(crate) fn registered<F: Future + Unpin>(future: &mut F) -> Result<Arc<Self>, String> {
        let this = Arc::new(Self(AtomicU32::new(0)));
        let waker = Waker::from(this.clone());
        match Pin::new(future).poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => Ok(this),
            Poll::Ready(_) => Err("there was nothing to wait for".into()),
        }
    }

    pub(crate) async fn called(&self) -> Result<(), String> {
        let start = std::time::Instant::now();
        while self.0.load(Ordering::SeqCst) == 0 {
            if start.elapsed() > Duration::from_secs(5) {
                return Err("the waker was never called".into());
            }
            weftwork::task::yield_now().await;
        }
        Ok(())
    }
}

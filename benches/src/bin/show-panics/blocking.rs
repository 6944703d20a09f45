//! Panics in blocking calls and in what they hold and give.

use crate::places::as_is;
use crate::planted::{Bomb, plant, plant_vengeful};
use crate::wakers::Panicking;
use crate::{Scene, Setting};
use std::sync::mpsc::channel;
use weftwork::OffloadError;
use weftwork::runtime::Builder;

pub(crate) const SCENES: &[(&str, Setting, Scene)] = &[
    ("a to_thread closure; its caller is told", as_is, |reports| {
        Box::pin(async move {
            match weftwork::to_thread(|| plant("a closure")).await {
                Err(OffloadError::Panicked(panic)) if panic.message() == Some("planted: a closure") => reports.none(),
                other => Err(format!("the caller got {other:?}")),
            }
        })
    }),
    ("a to_thread closure, with a payload whose drop panics", one_thread, |_| {
        Box::pin(async move {
            match weftwork::to_thread(|| plant_vengeful()).await {
                Err(OffloadError::Panicked(panic)) => {
                    // It is the caller's now, and so is its drop.
                    std::mem::forget(panic);
                    Ok(())
                }
                other => Err(format!("the caller got {other:?}")),
            }
        })
    }),
    ("a to_thread closure; its caller is gone", one_thread, |_| {
        Box::pin(async move { abandoned(|| plant("an abandoned closure")).await })
    }),
    ("a to_thread result's drop", one_thread, |_| {
        Box::pin(async move { abandoned(|| Bomb("an abandoned result's drop")).await })
    }),
    ("the drop of a to_thread closure that never ran", one_thread, |_| {
        Box::pin(async move {
            let (tell, told) = channel::<()>();
            let (here, arrived) = weftwork::sync::oneshot::channel();
            let first = weftwork::spawn(weftwork::to_thread(move || {
                let _ = here.send(());
                let _ = told.recv();
            }));
            arrived.await.map_err(|_| "the closure before it never began")?;
            let bomb = Bomb("a closure's drop");
            let mut behind = Box::pin(weftwork::to_thread(move || std::mem::forget(bomb)));
            Panicking::registered(&mut behind)?;
            drop(behind);
            drop(tell);
            first.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
        })
    }),
    ("a waker on a to_thread call", one_thread, |_| {
        Box::pin(async move {
            let (tell, told) = channel::<()>();
            let mut call = weftwork::to_thread(move || {
                let _ = told.recv();
                7
            });
            let waker = Panicking::registered(&mut call)?;
            drop(tell);
            waker.called().await?;
            match call.await {
                Ok(7) => Ok(()),
                other => Err(format!("the caller got {other:?}")),
            }
        })
    }),
];

/// One blocking thread: the round afterwards runs on the very thread on which the panic was.
fn one_thread(builder: Builder) -> Builder {
    as_is(builder).max_blocking_threads(1)
}

/// Runs a closure whose caller goes away while it runs.
async fn abandoned<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<(), String> {
    let (tell, told) = channel::<()>();
    let (here, arrived) = weftwork::sync::oneshot::channel();
    let call = weftwork::spawn(weftwork::to_thread(move || {
        let _ = here.send(());
        let _ = told.recv();
        f()
    }));
    arrived.await.map_err(|_| "the closure never began")?;
    call.cancel();
    if !call.await.is_err_and(|error| error.is_cancelled()) {
        return Err("the call was not cancelled".into());
    }
    drop(tell);
    // Behind it on the only thread, so it has ended when this has.
    weftwork::to_thread(|| ()).await.map_err(|error| error.to_string())
}

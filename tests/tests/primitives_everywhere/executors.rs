//! The executors, and what a scenario may do on any of them.

use futures::future::BoxFuture;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// How often a scenario does the same.
pub(crate) const ROUNDS: usize = 100;

/// Starts tasks on one of the executors.
#[derive(Clone)]
pub(crate) struct Tasks(Arc<dyn Fn(BoxFuture<'static, ()>) -> BoxFuture<'static, ()> + Send + Sync>);

impl Tasks {
    fn on<F>(start: impl Fn(BoxFuture<'static, ()>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |task| Box::pin(start(task))))
    }

    /// A task, and what waits for its value; a panic in it fails whoever waits.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, T> {
        let (tell, told) = futures::channel::oneshot::channel();
        let ended = (self.0)(Box::pin(async move {
            // Whoever started it may not wait.
            let _ = tell.send(task.await);
        }));
        Box::pin(async move {
            ended.await;
            told.await.expect("it ended with a value")
        })
    }

    /// As many tasks as said, and their values.
    pub(crate) async fn all<T, F>(&self, count: usize, task: impl Fn(usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let tasks: Vec<_> = (0..count).map(|number| self.spawn(task(number))).collect();
        let mut values = Vec::with_capacity(count);
        for task in tasks {
            values.push(task.await);
        }
        values
    }
}

/// A thread for each task, on which `block_on` runs it.
fn threads(block_on: fn(BoxFuture<'static, ()>)) -> Tasks {
    Tasks::on(move |task| {
        let (tell, told) = futures::channel::oneshot::channel();
        std::thread::spawn(move || {
            block_on(task);
            // Nobody waits for a thread that is detached.
            let _ = tell.send(());
        });
        async { told.await.expect("the thread ended well") }
    })
}

/// Runs a scenario on every executor.
pub(crate) fn everywhere<F: Future<Output = ()> + Send + 'static>(scenario: impl Fn(Tasks) -> F) {
    crate::fixtures::both_flavors(|builder| {
        let tasks = Tasks::on(|task| {
            let task = weftwork::spawn(task);
            async { task.await.unwrap() }
        });
        builder.run(scenario(tasks)).unwrap();
    });
    for mut builder in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        let tasks = Tasks::on(|task| {
            let task = tokio::spawn(task);
            async { task.await.unwrap() }
        });
        builder.worker_threads(2).build().unwrap().block_on(scenario(tasks));
    }
    smol::block_on(scenario(Tasks::on(smol::spawn)));
    futures::executor::block_on(scenario(threads(futures::executor::block_on)));
    weftwork_sync::block_on(scenario(threads(weftwork_sync::block_on)));
}

/// Lets others run once, on any executor.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future at most so many times, with others in between, and then drops it.
pub(crate) async fn give_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            // Whoever does not give up waits to be woken.
            if left != usize::MAX {
                left -= 1;
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }
    })
    .await
}

//! A pair of futures, cancelled at each of its awaits.

use futures::future::Join;
use weftwork::scope::ScopeCancelled;
use weftwork::task::yield_now;
use weftwork::testing::cancel_at_every_await;

/// Cancels `make`'s pair of futures everywhere and asks `holds` each time, which gets what the first one came to. The first is polled
/// before the second, so that there is an await where it is served and does not know.
pub(crate) fn cancelled_everywhere<A, B>(make: impl Fn() -> Join<A, B>, holds: impl Fn(Option<A::Output>))
where
    A: Future,
    B: Future,
{
    crate::fixtures::both_flavors(|builder| {
        let awaits = cancel_at_every_await(&make, async |ended: Result<(A::Output, B::Output), ScopeCancelled>| {
            holds(ended.ok().map(|(output, _)| output));
        });
        let awaits = builder.run(awaits).unwrap();
        assert!(awaits >= 2, "cancelled where it waits, and where it was served: {awaits}");
    });
}

/// Done after others have run twice.
pub(crate) async fn later(what: impl FnOnce()) {
    yield_now().await;
    what();
    yield_now().await;
}

//! The one door to atomics, cells, locks and threads.
//!
//! Every protocol of weftwork is written against this module and nothing else, so that the very same source runs in
//! production and under a model checker. A *world* is a module with this API; exactly one is compiled in:
//!
//! | world | cfg | what stands behind the names |
//! |---|---|---|
//! | `std_world` | none | `core` atomics, `parking_lot` locks, OS threads |
//! | `loom_world` | `weftwork_loom` | loom: every interleaving within a bound |
//! | `shuttle_world` | `weftwork_shuttle` | shuttle: as many drawn interleavings as asked, of whole programs |
//! | `count_world` | `weftwork_count` | production's, each of whose accesses is counted |
//!
//! Further worlds (`weftwork_sim`, `weftwork_tsan`) plug in here: a module of the same API beside these, and one line in the
//! selection below. The two that search, loom and shuttle, go together wherever something stands in for the system or for a crate
//! that they cannot see into.
//!
//! | file | holds |
//! |---|---|
//! | `std_world.rs`, `loom_world.rs`, `shuttle_world.rs`, `count_world.rs` | the worlds |
//! | `tally.rs` | what the counting world writes down |
//! | `dekker.rs` | the only two functions that pair a store with a later load of another word |
//! | `deadline.rs` | how long a plain thread waits |
//! | `parker.rs` | blocking one thread until another says go |
//! | `patience.rs` | whether a thread waits a moment before it sleeps |
//! | `shared.rs` | the reference count that stands in for `Arc` |
//! | `contain.rs` | the edge at which a panic stops |
//! | `fault.rs` | places where a test can make the system say no |
//! | `unmodelled.rs` | counters that order nothing |

mod contain;
mod deadline;
pub mod dekker;
pub mod fault;
mod parker;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
mod patience;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[path = "patience_modelled.rs"]
mod patience;
mod shared;
#[cfg(weftwork_count)]
pub mod tally;
pub mod unmodelled;

#[cfg(not(any(weftwork_loom, weftwork_shuttle, weftwork_count)))]
#[path = "std_world.rs"]
mod world;
#[cfg(weftwork_count)]
#[path = "count_world.rs"]
mod world;
#[cfg(weftwork_loom)]
#[path = "loom_world.rs"]
mod world;
#[cfg(weftwork_shuttle)]
#[path = "shuttle_world.rs"]
mod world;

pub use contain::{Panic, contain, planted};
pub use deadline::Deadline;
pub use parker::{ParkResult, Parker};
pub use patience::{Asleep, Patience};
pub use shared::{Shared, WeakShared};
pub use world::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, UnsafeCell, atomic, hint, open, thread,
};

#[doc(hidden)]
pub use world::{__const_fn_inner, __thread_local_inner};

/// `std::thread_local!` in the chosen world: under loom each modelled thread of each execution has its own fresh value.
///
/// Only the `static NAME: Type = init;` form is offered, with `with` as the one accessor both worlds share.
#[macro_export]
macro_rules! weft_thread_local {
    ($($(#[$attr:meta])* $vis:vis static $name:ident : $ty:ty = $init:expr;)*) => {
        $($crate::primitive::__thread_local_inner! { $(#[$attr])* $vis static $name: $ty = $init; })*
    };
}

/// A constructor that is `const` where the world's atomics and locks can be made at compile time, and a plain `fn` under a
/// model checker, where each execution needs fresh ones.
#[macro_export]
macro_rules! weft_const_fn {
    ($($item:tt)*) => { $crate::primitive::__const_fn_inner! { $($item)* } };
}

#[cfg(weftwork_loom)]
#[doc(hidden)]
pub use loom as __loom;
#[cfg(weftwork_shuttle)]
#[doc(hidden)]
pub use shuttle as __shuttle;

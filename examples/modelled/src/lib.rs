//! A small library of somebody who uses weftwork, and its models in `tests/`.
//!
//! Two of its types are wrong in the way such types tend to be, and stand beside the right ones: [`gate::HastyGate`] loses a wake-up if
//! it is opened in one moment among many, [`handover::LooseHandover`] relies on an order that the processor need not keep. An
//! ordinary test of them passes, today and for years. Their models fail at once.
//!
//! ```sh
//! cargo test -p modelled                                                     # as any other test: a few dozen runs
//! RUSTFLAGS="--cfg weftwork_loom" cargo test --profile loom -p modelled      # every order within a bound
//! RUSTFLAGS="--cfg weftwork_shuttle" cargo test --profile loom -p modelled   # drawn orders
//! ```
#![warn(missing_debug_implementations)]
#![allow(
    clippy::disallowed_types,
    reason = "outside of models these are the standard library's, as in any program of a user"
)]

pub mod crew;
pub mod gate;
pub mod handover;

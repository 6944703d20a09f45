//! The page of `charfinder`: the same search as over TCP, for a browser. HTTP/1.1 by hyper, and all the rest by weftwork.
//!
//! | file | holds |
//! |---|---|
//! | `service.rs` | one connection, from its first byte to its end. Begin here |
//! | `pace.rs` | what a connection waits for, and until when |
//! | `wire.rs` | a client's stream that keeps to that |
//! | `site.rs` | what is found at which path, and what is refused |
//! | `search.rs` | the words and the page that a query string asks for, and what is found |
//! | `urlencoding.rs` | query strings, read and written |
//! | `page.rs`, `style.css`, `icon.svg` | what a browser shows |

mod pace;
mod page;
mod search;
mod service;
mod site;
mod urlencoding;
mod wire;

pub use service::{Web, WebLimits};
pub use site::{BODY_LIMIT_BYTES, TARGET_LIMIT_BYTES};

//! Sockets. The servers are in the programs, so that they need no network; `charfinder` is the classic that is a program of
//! its own.

mod flags;
mod http;
mod mini_http;
mod mini_redis;

use crate::classic::{Classic, classic};

pub const CLASSICS: &[Classic] = &[
    classic!(mini_http, "a web server with two routes, and three clients at once", Real, Exact),
    classic!(flags, "twenty flags, at most five at a time, one of them missing", Real, Free),
    classic!(mini_redis, "a client of redis: set and get", Real, Exact),
];

//! What hyper 1 needs of a runtime: streams, tasks and time (feature `hyper`).
//!
//! hyper speaks HTTP over any stream and leaves the rest to five traits. Here they are kept by weftwork alone:
//!
//! | trait of `hyper::rt` | kept by |
//! |---|---|
//! | `Read`, `Write` | [`TcpStream`](crate::net::TcpStream) and a reference to one, [`DuplexStream`](crate::io::DuplexStream); [`Io`] for any other stream |
//! | `Executor` | [`Executor`]; [`LocalExecutor`] for futures that are not `Send` |
//! | `Timer` | [`Timer`] |
//! | `Sleep` | [`time::Sleep`](crate::time::Sleep) |
//!
//! A server of HTTP/1, and a client that asks it. Both run on weftwork; no other runtime is in the program.
//!
//! ```
//! use http_body_util::{BodyExt, Full, combinators::BoxBody};
//! use hyper::body::{Bytes, Incoming};
//! use hyper::service::service_fn;
//! use hyper::{Request, Response, client, server};
//! use std::{convert::Infallible, time::Duration};
//! use weftwork::hyper::Timer;
//! use weftwork::net::{TcpListener, TcpStream};
//!
//! async fn greet(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     Ok(Response::new(Full::from(format!("you asked for {}", request.uri().path()))))
//! }
//!
//! #[weftwork::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!
//!     weftwork::spawn(async move {
//!         // A server of yours would loop here, as charfinder among the examples does.
//!         let (stream, _peer) = listener.accept().await?;
//!         let connection = server::conn::http1::Builder::new()
//!             .timer(Timer::new())
//!             .header_read_timeout(Duration::from_secs(10))
//!             .serve_connection(stream, service_fn(greet));
//!         connection.await.map_err(std::io::Error::other)
//!     });
//!
//!     let stream = TcpStream::connect(address).await?;
//!     let (mut sender, connection) = client::conn::http1::handshake(stream).await?;
//!     weftwork::spawn(connection);
//!     let request = Request::get("/tea").header("host", address.to_string()).body(Full::<Bytes>::default())?;
//!     let response = sender.send_request(request).await?;
//!     let body = response.into_body().collect().await?.to_bytes();
//!     assert_eq!(body, "you asked for /tea");
//!     Ok(())
//! }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `streams.rs` | our streams as hyper's |
//! | `io.rs` | any other stream as hyper's, and hyper's as any other |
//! | `executor.rs` | tasks |
//! | `timer.rs` | time |

mod executor;
mod io;
mod streams;
mod timer;

pub use executor::{Executor, LocalExecutor};
pub use io::Io;
pub use timer::Timer;

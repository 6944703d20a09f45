//! What is found at which path, and what is refused.
//!
//! | request | answer |
//! |---|---|
//! | `GET /?query=...&page=N` | the page; 400 for what is no text or no page number, 404 behind the last page |
//! | `GET /style.css`, `GET /icon.svg` | what the page refers to |
//! | `GET /healthz` | `ok` |
//! | another method on these | 405 with `Allow` |
//! | another path | 404 |
//! | any, with a target over 8 KiB | 414 |
//! | any, with a body over 16 KiB | 413 |
//! | HTTP/1.1 without exactly one `Host` | 400 |
//!
//! `HEAD` is `GET` without a body. A head over 16 KiB, or one that is no HTTP, does not come as far as here: hyper answers
//! 431 or 400.

use super::page::{self, Page};
use super::search::{Mistake, Question, find};
use crate::index::Index;
use crate::log::{Log, Quoted};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use std::net::SocketAddr;
use std::time::Duration;
use weftwork::time::{Instant, timeout_at};

/// The longest target of a request (path and query string), in bytes.
pub const TARGET_LIMIT_BYTES: usize = 8 * 1024;
/// The longest body of a request, in bytes. Nothing here needs one; it is read so that the connection can go on.
pub const BODY_LIMIT_BYTES: usize = 16 * 1024;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// On every answer. The page has no scripts, no frames and nothing from elsewhere, so a browser may as well know.
const ALWAYS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// An answer: all of it is there before the first byte is sent.
pub(super) type Answer = Response<Full<Bytes>>;

/// What the server serves.
#[derive(Debug)]
pub(super) struct Site {
    index: &'static Index,
    request_timeout: Duration,
    log: Log,
}

/// Why a request gets no page, in words for whoever sent it.
struct Refusal {
    status: StatusCode,
    why: &'static str,
    /// What of the request has not been read makes the connection useless.
    closes: bool,
}

impl Refusal {
    const fn new(status: StatusCode, why: &'static str) -> Self {
        Self { status, why, closes: false }
    }

    const fn closing(status: StatusCode, why: &'static str) -> Self {
        Self { status, why, closes: true }
    }
}

impl Site {
    pub(super) fn new(index: &'static Index, request_timeout: Duration, log: Log) -> Self {
        Self { index, request_timeout, log }
    }

    /// Answers a request, in bounded time.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let deadline = Instant::now() + self.request_timeout;
        let (head, body) = request.into_parts();
        let answer = async {
            check(&head)?;
            match timeout_at(deadline, read(body)).await {
                Ok(read) => read?,
                Err(_) => {
                    return Err(Refusal::closing(StatusCode::REQUEST_TIMEOUT, "The request took too long to come."));
                }
            }
            let too_slow = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "The search took too long. Try again later.");
            timeout_at(deadline, self.route(&head, peer)).await.unwrap_or(Err(too_slow))
        };
        let mut answer = answer.await.unwrap_or_else(|refusal| self.refuse(&head.uri, &refusal, peer));
        for (name, value) in ALWAYS {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }

    async fn route(&self, head: &hyper::http::request::Parts, peer: SocketAddr) -> Result<Answer, Refusal> {
        let path = head.uri.path();
        if !matches!(path, "/" | "/style.css" | "/icon.svg" | "/healthz") {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "There is nothing at this address."));
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "This address can only be read."));
        }
        Ok(match path {
            "/style.css" => lasting(CSS, page::STYLE),
            "/icon.svg" => lasting(SVG, page::ICON),
            "/healthz" => answer(StatusCode::OK, TEXT, "ok\n"),
            _ => self.page(head.uri.query().unwrap_or_default(), peer).await?,
        })
    }

    async fn page(&self, query: &str, peer: SocketAddr) -> Result<Answer, Refusal> {
        let question = Question::read(query).map_err(|mistake| {
            let why = match mistake {
                Mistake::NotUtf8 => "A query has to be in UTF-8.",
                Mistake::NoPage => "The page has to be a number from 1.",
            };
            Refusal::new(StatusCode::BAD_REQUEST, why)
        })?;
        if question.words.is_empty() {
            return Ok(answer(StatusCode::OK, HTML, Page::welcome().to_string()));
        }
        self.log.line(format_args!("Received from {peer}: {}", Quoted(&question.words)));
        let found = find(self.index, &question).await.map_err(|_| {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "The server is too busy for this search. Try again later.")
        })?;
        let status = if found.page > found.pages { StatusCode::NOT_FOUND } else { StatusCode::OK };
        let answer = answer(status, HTML, Page::found(&question.words, &found).to_string());
        self.log.line(format_args!("Sent {} results to {peer}", found.rows.len()));
        Ok(answer)
    }

    fn refuse(&self, uri: &hyper::Uri, refusal: &Refusal, peer: SocketAddr) -> Answer {
        let Refusal { status, why, closes } = refusal;
        self.log.line(format_args!("Refused {} from {peer}: {status}", Quoted(uri.path())));
        let mut answer = answer(*status, HTML, Page::refused(*status, why).to_string());
        let headers = answer.headers_mut();
        if *closes {
            headers.insert(header::CONNECTION, CLOSE);
        }
        if *status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        if *status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        answer
    }
}

/// Refuses what can be refused by its head alone.
fn check(head: &hyper::http::request::Parts) -> Result<(), Refusal> {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_LIMIT_BYTES {
        return Err(Refusal::closing(StatusCode::URI_TOO_LONG, "The address is too long: 8 KiB at most."));
    }
    // RFC 9112, section 3.2.
    if head.version == Version::HTTP_11 && head.headers.get_all(header::HOST).iter().count() != 1 {
        return Err(Refusal::closing(StatusCode::BAD_REQUEST, "A request needs exactly one Host."));
    }
    Ok(())
}

/// Reads a body and forgets it.
async fn read(body: Incoming) -> Result<(), Refusal> {
    let too_large = Refusal::closing(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large: 16 KiB at most.");
    if body.size_hint().lower() > BODY_LIMIT_BYTES as u64 {
        return Err(too_large);
    }
    let mut body = Limited::new(body, BODY_LIMIT_BYTES);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(_) => {}
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large),
            Err(_) => return Err(Refusal::closing(StatusCode::BAD_REQUEST, "The request's body is broken.")),
        }
    }
    Ok(())
}

fn answer(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What changes with the program only; the page refers to it with the program's version.
fn lasting(kind: HeaderValue, body: &'static str) -> Answer {
    let mut answer = answer(StatusCode::OK, kind, body);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    answer
}

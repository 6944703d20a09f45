//! As much of HTTP/1.1 as the classics need: a `GET` without a body, one request for each connection.

use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use std::io;
use std::net::SocketAddr;
use weftwork::TaskGroup;
use weftwork::net::{TcpListener, TcpStream};

/// More than any head or body here has.
const MOST_BYTES: u64 = 64 * 1024;

pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Asks for a path, and reads the answer to its end.
pub async fn get(address: SocketAddr, path: &str) -> io::Result<Response> {
    let stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;

    let mut answer = BufReader::new(&stream).take(MOST_BYTES);
    let mut line = String::new();
    answer.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    while line.trim_end() != "" {
        line.clear();
        if answer.read_line(&mut line).await? == 0 {
            return Err(malformed());
        }
    }
    let mut body = Vec::new();
    answer.read_to_end(&mut body).await?;
    Ok(Response { status, body })
}

/// Answers every request, each in a task of the group, until the group is cancelled.
pub async fn serve(listener: TcpListener, group: TaskGroup, respond: fn(&str) -> Response) -> io::Result<()> {
    loop {
        let (stream, _peer) = listener.accept().await?;
        group
            .spawn_isolated(async move {
                // A client that went away is no reason to say anything.
                let _ = answer(&stream, respond).await;
            })
            .detach();
    }
}

async fn answer(stream: &TcpStream, respond: fn(&str) -> Response) -> io::Result<()> {
    let mut head = BufReader::new(stream).take(MOST_BYTES);
    let mut request = String::new();
    head.read_line(&mut request).await?;
    let path = request.split(' ').nth(1).ok_or_else(malformed)?.to_owned();
    let mut line = request;
    while line.trim_end() != "" {
        line.clear();
        if head.read_line(&mut line).await? == 0 {
            return Err(malformed());
        }
    }
    let Response { status, body } = respond(&path);
    let head = format!(
        "HTTP/1.1 {status} \r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not the HTTP that was expected")
}

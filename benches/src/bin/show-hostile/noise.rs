//! Bytes that mean nothing, and what a server says to them.

use futures::AsyncWriteExt as _;
use futures::future::join;
use std::io;
use std::net::SocketAddr;
use weftwork::net::TcpStream;

const BYTES: usize = 256 * 1024;

/// A quarter of a megabyte: which bytes there are in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    Any,
    /// No line begins with a control character.
    WithoutControl,
}

fn bytes(kind: Noise, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let mut text: Vec<u8> = Vec::with_capacity(BYTES);
    while text.len() < BYTES {
        let byte = byte();
        let at_the_head = text.last().is_none_or(|last| *last == b'\n');
        text.push(if at_the_head && kind == Noise::WithoutControl { byte | 0x20 } else { byte });
    }
    text
}

/// Sends a beginning and then noise, and ends its side; gives all that the server said up to the end of the connection.
pub(crate) async fn shout(server: SocketAddr, kind: Noise, seed: u64, beginning: &'static [u8]) -> io::Result<Vec<u8>> {
    let noise = [beginning, &bytes(kind, seed)].concat();
    let mut stream = TcpStream::connect(server).await?;
    let (mut reading, mut writing) = stream.split();
    let write = async {
        // The server may have had enough of it.
        let _ = writing.write_all(&noise).await;
        let _ = writing.close().await;
    };
    let read = async {
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match reading.read(&mut buffer).await {
                // A reset behind an answer has not taken the answer away.
                Ok(0) | Err(_) => return answer,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
        }
    };
    Ok(join(write, read).await.1)
}

//! The traced side: an echo server that ends when its input does, and says what its reactor counted.

use crate::PATIENCE;
use std::io::Read;
use weftwork::net::{TcpListener, TcpStream};
use weftwork::runtime::Builder;

/// Bytes that are echoed at a time.
pub(crate) const MESSAGE: usize = 64;

/// What the runtime counted, in one line of text between the processes.
pub(crate) struct Counted {
    pub(crate) turns: u64,
    pub(crate) events: u64,
    pub(crate) notifies: u64,
}

impl Counted {
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        match numbers[..] {
            [turns, events, notifies] => Ok(Self { turns, events, notifies }),
            _ => Err(format!("the server did not say what it counted: {line:?}")),
        }
    }
}

pub(crate) fn serve() -> Result<(), String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().map_err(|error| error.to_string())?;
    let handle = runtime.handle().clone();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).map_err(|error| error.to_string())?;
    println!("{}", listener.local_addr().map_err(|error| error.to_string())?);
    runtime
        .spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                weftwork::spawn(echo(stream)).detach();
            }
        })
        .detach();
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
    // Only now, when nothing turns any more.
    let metrics = handle.metrics();
    println!("{} {} {}", metrics.reactor_turns, metrics.reactor_events, metrics.reactor_notifies);
    Ok(())
}

async fn echo(stream: TcpStream) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = [0; MESSAGE];
    while stream.read_exact(&mut buffer).await.is_ok() {
        if stream.write_all(&buffer).await.is_err() {
            return;
        }
    }
}

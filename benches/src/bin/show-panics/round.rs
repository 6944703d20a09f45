//! A round of everything that a runtime does, to see whether it still does.

use std::time::Duration;
use weftwork::net::{TcpListener, TcpStream};

pub(crate) async fn everything() -> Result<(), String> {
    let tasks: Vec<_> = (0..100_u64)
        .map(|n| {
            weftwork::spawn(async move {
                weftwork::task::yield_now().await;
                n
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.map_err(|error| format!("a task: {error}"))?;
    }
    if sum != 4_950 {
        return Err("tasks gave the wrong values".into());
    }
    weftwork::sleep(Duration::from_millis(1)).await;
    let doubled = weftwork::to_thread(move || sum * 2).await.map_err(|error| format!("to_thread: {error}"))?;
    if doubled != 9_900 {
        return Err("to_thread gave the wrong value".into());
    }
    echo().await.map_err(|error| format!("an echo: {error}"))
}

async fn echo() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = weftwork::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).await?;
        stream.write_all(&buffer).await
    });
    let client = TcpStream::connect(address).await?;
    client.write_all(b"hello").await?;
    let mut back = [0; 5];
    client.read_exact(&mut back).await?;
    server.await.map_err(|error| std::io::Error::other(error.to_string()))??;
    if &back == b"hello" { Ok(()) } else { Err(std::io::Error::other("other bytes came back")) }
}

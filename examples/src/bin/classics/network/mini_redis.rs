//! A client of redis: its protocol is lines and counted bytes. The server here knows `SET` and `GET` and nothing else; with a
//! real one, `Client::connect("127.0.0.1:6379")` is all that changes.

use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use weftwork::group;
use weftwork::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use weftwork::net::{TcpListener, TcpStream};

/// Longer than anything here is.
const MOST_BYTES: usize = 64 * 1024;

/// Both ends of a connection speak the same protocol.
struct Connection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        (&mut self.reader).take(MOST_BYTES as u64).read_line(&mut line).await?;
        line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// What stands behind `mark` in the next line.
    async fn length(&mut self, mark: char) -> io::Result<Option<usize>> {
        let line = self.line().await?;
        let number: i64 = line.strip_prefix(mark).and_then(|rest| rest.parse().ok()).ok_or_else(|| odd(&line))?;
        match usize::try_from(number) {
            Ok(length) if length <= MOST_BYTES => Ok(Some(length)),
            Ok(_) => Err(odd(&line)),
            // What is not there has the length -1.
            Err(_) => Ok(None),
        }
    }

    /// `$5\r\nhello\r\n`.
    async fn bulk(&mut self) -> io::Result<Option<String>> {
        let Some(length) = self.length('$').await? else { return Ok(None) };
        let mut bytes = vec![0; length + 2];
        self.reader.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        String::from_utf8(bytes).map(Some).map_err(|_| odd("bytes that are no text"))
    }

    async fn send(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(text.as_bytes()).await
    }
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no redis would say {what:?}"))
}

struct Client(Connection);

impl Client {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self(Connection::new(TcpStream::connect(address).await?)))
    }

    async fn command(&mut self, words: &[&str]) -> io::Result<()> {
        let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let count = words.matches('$').count();
        self.0.send(&format!("*{count}\r\n{words}")).await
    }

    async fn set(&mut self, key: &str, value: &str) -> io::Result<String> {
        self.command(&["SET", key, value]).await?;
        self.0.line().await
    }

    async fn get(&mut self, key: &str) -> io::Result<Option<String>> {
        self.command(&["GET", key]).await?;
        self.0.bulk().await
    }
}

/// Serves one client to its end.
async fn serve(listener: TcpListener) -> io::Result<()> {
    let (stream, _peer) = listener.accept().await?;
    let mut client = Connection::new(stream);
    let mut values = HashMap::new();
    loop {
        let words = match client.length('*').await {
            Ok(words) => words.unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut command = Vec::new();
        for _ in 0..words {
            command.push(client.bulk().await?.ok_or_else(|| odd("nothing"))?);
        }
        let answer = match command.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["SET", key, value] => {
                values.insert(key.to_owned(), value.to_owned());
                "+OK\r\n".to_owned()
            }
            ["GET", key] => match values.get(key) {
                Some(value) => format!("${}\r\n{value}\r\n", value.len()),
                None => "$-1\r\n".to_owned(),
            },
            _ => "-ERR unknown command\r\n".to_owned(),
        };
        client.send(&answer).await?;
    }
}

async fn talk(server: SocketAddr) -> io::Result<()> {
    println!("start process");
    let mut redis = Client::connect(server).await?;
    println!("{}", redis.set("my-key", "my value").await?);
    println!("{:?}", redis.get("my-key").await?);
    println!("{:?}", redis.get("another").await?);
    println!("end");
    Ok(())
}

pub async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the system has a port");
    let server = listener.local_addr().expect("it listens");
    let ended = group(async |group| {
        let serving = group.spawn(serve(listener));
        let talked = talk(server).await;
        println!("{talked:?} {:?}", serving.await.expect("it neither panics nor is cancelled"));
    });
    ended.await.expect("nobody cancels the group");
}

//! Connections of which one direction has ended.

use crate::asking::{self, PATIENCE, get};
use crate::scene::{MIB, Scene, Stage, Told, together, told};
use futures::future::join_all;
use std::io;
use std::net::{Shutdown, SocketAddr};
use weftwork::net::TcpStream;
use weftwork::time::{Instant, timeout};

pub(crate) const SCENES: &[Scene] = &[Scene {
    name: "half-close",
    what: "{clients} clients end one direction each: writing, reading, or neither when the server has ended its own",
    clients: (600, 60),
    flags: &[],
    rounds: 2,
    growth_bytes: 16 * MIB,
    act: half_close,
}];

const ENOUGH_TO_FILL_SOCKETS: usize = 12;

fn half_close(stage: &Stage<'_>) -> Told {
    let (lines, page) = (stage.server.lines, stage.server.page);
    let each = stage.clients / 6;
    let answer = asking::ask(lines, "chess black").map_err(told)?;
    let body = asking::ask_page(page, "/?query=chess%20black").map_err(told)?;
    // Two questions, so that the end of the client's side is there before the first answer is.
    let both_lines = [asking::PROMPT, &answer, &answer].concat();
    together(async {
        // Who has ended its writing is answered to the end, and then the server ends too.
        let all = async |address: SocketAddr, asks: Vec<u8>| -> io::Result<Vec<u8>> {
            let stream = TcpStream::connect(address).await?;
            stream.write_all(&asks).await?;
            stream.shutdown(Shutdown::Write)?;
            read_all(&stream).await
        };
        let of_lines = join_all((0..each).map(|_| all(lines, b"chess black\nchess black\n".to_vec())));
        let of_lines = timeout(PATIENCE, of_lines).await.map_err(|_| "lines: no end came")?;
        let of_page = join_all((0..each).map(|_| all(page, get("/?query=chess%20black"))));
        let of_page = timeout(PATIENCE, of_page).await.map_err(|_| "page: no end came")?;
        for (answers, is_right) in [
            (of_lines, &(|all: &[u8]| all == both_lines) as &dyn Fn(&[u8]) -> bool),
            (of_page, &|all: &[u8]| all.starts_with(b"HTTP/1.1 200 OK\r\n") && all.ends_with(&body)),
        ] {
            for answer in answers {
                if !is_right(&answer.map_err(told)?) {
                    return Err("who has asked and ended its writing is not answered to the end".into());
                }
            }
        }

        // Who has ended its reading looks to the server like one who takes nothing, until the system says that it is gone.
        let deaf = async |address: SocketAddr, asks: Vec<u8>| -> io::Result<TcpStream> {
            let stream = TcpStream::connect(address).await?;
            stream.shutdown(Shutdown::Read)?;
            stream.write_all(&asks).await?;
            Ok(stream)
        };
        let much = b"hangul\n".repeat(ENOUGH_TO_FILL_SOCKETS);
        let of_lines = join_all((0..each).map(|_| deaf(lines, much.clone()))).await;
        let of_page = join_all((0..each).map(|_| deaf(page, get("/?query=chess%20black")))).await;
        let deaf: Vec<_> = of_lines.into_iter().chain(of_page).collect::<io::Result<_>>().map_err(told)?;
        drop(deaf);
        stage.until_present(|present| present == 0).await?;

        // Whom the server has told that it is over need not end its own side: the server does not wait for it.
        let over = async |address: SocketAddr, asks: &'static [u8]| -> io::Result<TcpStream> {
            let stream = TcpStream::connect(address).await?;
            stream.write_all(asks).await?;
            read_all(&stream).await?;
            Ok(stream)
        };
        let start = Instant::now();
        let of_lines = join_all((0..each).map(|_| over(lines, b"snowman\n\x04"))).await;
        let asks = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let of_page = join_all((0..each).map(|_| over(page, asks))).await;
        let open: Vec<_> = of_lines.into_iter().chain(of_page).collect::<io::Result<_>>().map_err(told)?;
        stage.until_present(|present| present == 0).await?;
        let took = start.elapsed();
        Ok(vec![
            format!("{} ended their writing, and had the whole answer and then the end", 2 * each),
            format!("{} ended their reading, and were forgotten when they went", 2 * each),
            format!(
                "{} did nothing when the server had ended: it closed them all the same, after {took:.1?}",
                open.len()
            ),
        ])
    })?
}

async fn read_all(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

//! The downloader of flags: twenty pictures from a server, at most five at a time, each saved to disk by a thread. What is
//! missing is not found, which is no failure; what fails says for which country, and why.
//!
//! They come in whatever order the server answers.

use super::http::{self, Response};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};
use weftwork::net::TcpListener;
use weftwork::sync::Semaphore;
use weftwork::{as_completed, group, to_thread};

const COUNTRIES: [&str; 20] = [
    "CN", "IN", "US", "ID", "BR", "PK", "NG", "BD", "RU", "JP", "MX", "PH", "VN", "ET", "EG", "DE", "IR", "TR", "CD",
    "FR",
];

/// More at once would be impolite.
const AT_ONCE: usize = 5;

#[derive(Debug, PartialEq, Eq)]
enum Status {
    Saved,
    NotFound,
}

/// Why a country has no flag.
#[derive(Debug)]
struct FetchError {
    country: &'static str,
    source: io::Error,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.country, self.source)
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

async fn download_one(country: &'static str, server: SocketAddr, folder: PathBuf) -> Result<Status, FetchError> {
    let download = async {
        let response = http::get(server, &format!("/flags/{country}.gif")).await?;
        if response.status == 404 {
            return Ok(Status::NotFound);
        }
        // Disks block.
        let saved = to_thread(move || fs::write(folder.join(format!("{country}.gif")), response.body));
        saved.await.map_err(io::Error::other)??;
        Ok(Status::Saved)
    };
    download.await.map_err(|source| FetchError { country, source })
}

async fn download_all(server: SocketAddr, folder: &Path) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut flags = as_completed(COUNTRIES.map(|country| {
        let (places, folder) = (places.clone(), folder.to_owned());
        async move {
            let _place = places.acquire().await.expect("nobody closes it");
            download_one(country, server, folder).await
        }
    }));
    let mut saved = 0;
    while let Some((index, ended)) = flags.next().await {
        match ended {
            Ok(Ok(Status::Saved)) => {
                println!("{}", COUNTRIES[index]);
                saved += 1;
            }
            Ok(Ok(Status::NotFound)) => println!("{} not found", COUNTRIES[index]),
            Ok(Err(error)) => println!("{error}"),
            Err(error) => println!("{}: {error}", COUNTRIES[index]),
        }
    }
    println!("{saved} flags downloaded");
}

fn respond(path: &str) -> Response {
    if path == "/flags/CD.gif" {
        Response { status: 404, body: b"no such flag".to_vec() }
    } else {
        Response { status: 200, body: format!("GIF89a, {path}").into_bytes() }
    }
}

pub async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the system has a port");
    let server = listener.local_addr().expect("it listens");
    let folder = std::env::temp_dir().join(format!("flags-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("there is room for a folder");

    let ended = group(async |group| {
        let serving = group.spawn(http::serve(listener, group.clone(), respond));
        download_all(server, &folder).await;
        serving.cancel();
    });
    ended.await.expect("nobody cancels the group");
    println!("{} files", fs::read_dir(&folder).map_or(0, Iterator::count));
    fs::remove_dir_all(&folder).expect("it is ours");
}

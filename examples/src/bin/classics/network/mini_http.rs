//! A server with two routes, and three clients that ask it at once. The group ends the server with the clients.

use super::http::{self, Response};
use weftwork::net::TcpListener;
use weftwork::{group, try_gather};

fn respond(path: &str) -> Response {
    let body = match path {
        "/" => "<h1>Index</h1>".to_owned(),
        _ => format!("<h1>location {path}</h1>"),
    };
    Response { status: 200, body: body.into_bytes() }
}

pub async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the system has a port");
    let address = listener.local_addr().expect("it listens");
    eprintln!("serving on http://{address}/");

    let ended = group(async |group| {
        let server = group.spawn(http::serve(listener, group.clone(), respond));
        let pages = try_gather(["/", "/hello", "/world"].map(|path| http::get(address, path))).await;
        server.cancel();
        pages
    });
    match ended.await.expect("nobody cancels the group") {
        Ok(pages) => pages.iter().for_each(|page| println!("{} {}", page.status, String::from_utf8_lossy(&page.body))),
        Err(error) => println!("{error}"),
    }
}

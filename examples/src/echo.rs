//! The dialogue of `echo`: what comes goes back.

use crate::connection::{Connection, End};
use crate::server::Service;
use std::convert::Infallible;

/// Enough for a read to be worth its system call, little enough for thousands of clients.
const BUFFER_BYTES: usize = 16 * 1024;

/// Sends back what it gets.
#[derive(Debug)]
pub struct Echo;

impl Service for Echo {
    const FULL: &'static str = "";

    async fn serve(&self, client: &Connection) -> End {
        let Err(end) = echo(client).await;
        end
    }
}

async fn echo(client: &Connection) -> Result<Infallible, End> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match client.read_new(&mut buffer, client.deadline()).await? {
            0 => return Err(End::Left),
            read => client.send(&buffer[..read]).await?,
        }
    }
}

//! Reading from a stream in memory into memory that was never written; see `net/stream_uninit.rs`.

use super::duplex::DuplexStream;
use crate::net::ReadUninit;
use core::mem::MaybeUninit;
use core::task::{Context, Poll};
use std::io;

impl ReadUninit for DuplexStream {
    fn poll_read_uninit(&self, cx: &mut Context<'_>, buf: &mut [MaybeUninit<u8>]) -> Poll<io::Result<usize>> {
        let room = buf.len();
        let mut rest = buf;
        self.poll_read_pieces(cx, room, |piece| {
            let (to, behind) = core::mem::take(&mut rest).split_at_mut(piece.len());
            for (place, byte) in to.iter_mut().zip(piece) {
                place.write(*byte);
            }
            rest = behind;
        })
    }
}

//! Unix streams read into memory that was never written as TCP's do.

use super::stream::UnixStream;
use crate::net::stream_uninit::{ReadUninit, poll_read};
use core::mem::MaybeUninit;
use core::task::{Context, Poll};
use std::io;

impl ReadUninit for UnixStream {
    fn poll_read_uninit(&self, cx: &mut Context<'_>, buf: &mut [MaybeUninit<u8>]) -> Poll<io::Result<usize>> {
        poll_read(self.io(), cx, buf)
    }
}

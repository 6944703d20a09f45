//! The halves of a stream.
//!
//! Borrowed halves are references. Owned halves share one allocation. Neither pins the stream in place for the other, and
//! a half holds nothing but its share, so putting two together takes no trust: that they belong together is checked, and
//! then nobody else can hold the stream (tokio's `unsplit` of unrelated or pinned parts was RUSTSEC-2023-0005).

use weftwork_sync::primitive::{Shared, UnsafeCell};

/// A stream with two owners.
struct Both<T> {
    /// `None` only once both halves were given back.
    stream: UnsafeCell<Option<T>>,
}

// SAFETY: the cell is written only by `reunite`, which has both owners in its hands; until then it is read only, from any
// thread, which T allows, and whoever drops the last owner may be on any thread too.
unsafe impl<T: Send + Sync> Sync for Both<T> {}

/// One of two owners; it cannot be cloned.
pub(super) struct Half<T> {
    both: Shared<Both<T>>,
}

impl<T> Half<T> {
    /// Gives a stream two owners.
    pub(super) fn split(stream: T) -> (Self, Self) {
        let both = Shared::new(Both { stream: UnsafeCell::new(Some(stream)) });
        (Self { both: both.clone() }, Self { both })
    }

    pub(super) fn stream(&self) -> &T {
        // SAFETY: a half exists (it calls this), so `reunite` has not run: nobody writes.
        let stream = self.both.stream.with(|s| unsafe { (*s).as_ref() });
        stream.expect("a half holds its stream until it is reunited")
    }

    /// Whether both own the same stream.
    pub(super) fn belongs_to(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.both, &other.both)
    }

    /// Gives the stream one owner again; `None` if the two own different ones.
    pub(super) fn reunite(self, other: Self) -> Option<T> {
        if !self.belongs_to(&other) {
            return None;
        }
        // SAFETY: a split makes exactly two halves, halves cannot be cloned, and both are here: nobody else can reach the
        // cell.
        self.both.stream.with_mut(|s| unsafe { (*s).take() })
    }
}

/// The halves of `$Stream`, whose ends have addresses of type `$Address`.
macro_rules! halves {
    ($Stream:ident, $Address:ty) => {
        #[doc = concat!("The reading half of a stream, by [`", stringify!($Stream), "::split`].")]
        #[derive(Debug)]
        pub struct ReadHalf<'a> {
            stream: &'a $Stream,
        }

        #[doc = concat!("The writing half of a stream, by [`", stringify!($Stream), "::split`].")]
        #[derive(Debug)]
        pub struct WriteHalf<'a> {
            stream: &'a $Stream,
        }

        impl<'a> ReadHalf<'a> {
            pub(in crate::net) fn new(stream: &'a $Stream) -> Self {
                Self { stream }
            }
        }

        impl<'a> WriteHalf<'a> {
            pub(in crate::net) fn new(stream: &'a $Stream) -> Self {
                Self { stream }
            }
        }

        impl AsRef<$Stream> for ReadHalf<'_> {
            fn as_ref(&self) -> &$Stream {
                self.stream
            }
        }

        impl AsRef<$Stream> for WriteHalf<'_> {
            fn as_ref(&self) -> &$Stream {
                self.stream
            }
        }

        #[doc = concat!("The reading half of a stream, by [`", stringify!($Stream), "::into_split`].")]
        ///
        /// The stream is closed when both halves are dropped.
        pub struct OwnedReadHalf {
            half: Half<$Stream>,
        }

        #[doc = concat!("The writing half of a stream, by [`", stringify!($Stream), "::into_split`].")]
        ///
        /// Dropping it ends the write side, so that the peer reads an end; the stream is closed when both halves are
        /// dropped.
        pub struct OwnedWriteHalf {
            /// `None` only while it is taken apart.
            half: Option<Half<$Stream>>,
        }

        pub(in crate::net) fn split_owned(stream: $Stream) -> (OwnedReadHalf, OwnedWriteHalf) {
            let (read, write) = Half::split(stream);
            (OwnedReadHalf { half: read }, OwnedWriteHalf { half: Some(write) })
        }

        /// Two halves that do not belong to the same stream; both are given back.
        #[derive(Debug)]
        #[non_exhaustive]
        pub struct ReuniteError {
            /// The reading half.
            pub read: OwnedReadHalf,
            /// The writing half.
            pub write: OwnedWriteHalf,
        }

        impl core::fmt::Display for ReuniteError {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("the halves belong to different streams: reunite each with the one it was split from")
            }
        }

        impl std::error::Error for ReuniteError {}

        impl OwnedReadHalf {
            /// Makes one stream of both halves again.
            ///
            /// # Errors
            /// They come from different streams.
            ///
            /// tokio: `OwnedReadHalf::reunite`.
            pub fn reunite(self, mut write: OwnedWriteHalf) -> Result<$Stream, ReuniteError> {
                match write.half.take() {
                    Some(half) if half.belongs_to(&self.half) => {
                        Ok(self.half.reunite(half).expect("the halves belong together"))
                    }
                    half => {
                        write.half = half;
                        Err(ReuniteError { read: self, write })
                    }
                }
            }
        }

        impl OwnedWriteHalf {
            /// Makes one stream of both halves again; see [`OwnedReadHalf::reunite`].
            ///
            /// # Errors
            /// They come from different streams.
            pub fn reunite(self, read: OwnedReadHalf) -> Result<$Stream, ReuniteError> {
                read.reunite(self)
            }

            /// Drops the half without ending the write side.
            ///
            /// tokio: `OwnedWriteHalf::forget`.
            pub fn forget(mut self) {
                self.half = None;
            }
        }

        impl Drop for OwnedWriteHalf {
            fn drop(&mut self) {
                if let Some(half) = &self.half {
                    // A connection that is gone has nothing to end, and nobody is left to be told.
                    let _ = half.stream().end_writing();
                }
            }
        }

        impl AsRef<$Stream> for OwnedReadHalf {
            fn as_ref(&self) -> &$Stream {
                self.half.stream()
            }
        }

        impl AsRef<$Stream> for OwnedWriteHalf {
            fn as_ref(&self) -> &$Stream {
                self.half.as_ref().expect("a write half is taken apart only by its owner").stream()
            }
        }

        impl core::fmt::Debug for OwnedReadHalf {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_tuple("OwnedReadHalf").field(self.as_ref()).finish()
            }
        }

        impl core::fmt::Debug for OwnedWriteHalf {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_tuple("OwnedWriteHalf").field(self.as_ref()).finish()
            }
        }

        $crate::net::halves::reading_half! { $Stream, $Address, ReadHalf<'_> }
        $crate::net::halves::reading_half! { $Stream, $Address, OwnedReadHalf }
        $crate::net::halves::writing_half! { $Stream, $Address, WriteHalf<'_> }
        $crate::net::halves::writing_half! { $Stream, $Address, OwnedWriteHalf }
    };
}

macro_rules! reading_half {
    ($Stream:ident, $Address:ty, $Half:ty) => {
        $crate::net::operations::async_read!($Half, |half| half.as_ref());

        impl $Half {
            #[doc = concat!("As [`", stringify!($Stream), "::read`].")]
            pub fn read<'b>(&'b mut self, buf: &'b mut [u8]) -> Read<'b> {
                Read::new((*self).as_ref(), buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::read_exact`].")]
            pub fn read_exact<'b>(&'b mut self, buf: &'b mut [u8]) -> ReadExact<'b> {
                ReadExact::new((*self).as_ref(), buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::peek`].")]
            pub fn peek<'b>(&'b mut self, buf: &'b mut [u8]) -> Peek<'b> {
                Peek::new((*self).as_ref(), buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::readable`].")]
            pub fn readable(&self) -> Readable<'_> {
                self.as_ref().readable()
            }

            #[doc = concat!("As [`", stringify!($Stream), "::try_read`].")]
            ///
            /// # Errors
            /// As there.
            pub fn try_read(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.as_ref().try_read(buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::peer_addr`].")]
            ///
            /// # Errors
            /// As there.
            pub fn peer_addr(&self) -> std::io::Result<$Address> {
                self.as_ref().peer_addr()
            }
        }
    };
}

macro_rules! writing_half {
    ($Stream:ident, $Address:ty, $Half:ty) => {
        $crate::net::operations::async_write!($Half, |half| half.as_ref());

        impl $Half {
            #[doc = concat!("As [`", stringify!($Stream), "::write`].")]
            pub fn write<'b>(&'b mut self, buf: &'b [u8]) -> Write<'b> {
                Write::new((*self).as_ref(), buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::write_all`].")]
            pub fn write_all<'b>(&'b mut self, buf: &'b [u8]) -> WriteAll<'b> {
                WriteAll::new((*self).as_ref(), buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::writable`].")]
            pub fn writable(&self) -> Writable<'_> {
                self.as_ref().writable()
            }

            #[doc = concat!("As [`", stringify!($Stream), "::try_write`].")]
            ///
            /// # Errors
            /// As there.
            pub fn try_write(&self, buf: &[u8]) -> std::io::Result<usize> {
                self.as_ref().try_write(buf)
            }

            #[doc = concat!("As [`", stringify!($Stream), "::peer_addr`].")]
            ///
            /// # Errors
            /// As there.
            pub fn peer_addr(&self) -> std::io::Result<$Address> {
                self.as_ref().peer_addr()
            }
        }
    };
}

pub(super) use {halves, reading_half, writing_half};

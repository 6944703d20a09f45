#![cfg(unix)]
#![allow(clippy::disallowed_types, reason = "tests stand outside of the facade")]
//! Streams over Unix sockets, and the files that listeners make.

mod fixtures;

use fixtures::{Folder, every_reactor, poll_once, two_workers};
use futures::executor::block_on;
use futures::io::{AsyncReadExt as _, AsyncWriteExt as _};
use futures::{StreamExt as _, join};
use std::fs;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net;
use std::path::Path;
use std::time::Duration;
use weftwork::net::{UnixListener, UnixStream};
use weftwork::spawn;

async fn connected(folder: &Folder) -> (UnixStream, UnixStream) {
    let path = folder.file("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let (one, other) = join!(UnixStream::connect(&path), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

#[test]
fn what_one_end_writes_the_other_reads() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let (one, other) = connected(&folder).await;
            let big = vec![7; 2 << 20];
            let transfer = async |from: &UnixStream, to: &UnixStream| {
                let mut got = vec![0; big.len()];
                let (sent, read) = join!(from.write_all(&big), to.read_exact(&mut got));
                sent.unwrap();
                read.unwrap();
                assert!(got == big);
            };
            join!(transfer(&one, &other), transfer(&other, &one));
        });
        run.unwrap();
    });
}

#[test]
fn a_side_that_has_ended_goes_on_with_the_other_direction() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let (one, other) = connected(&folder).await;
            for (ends, mut goes_on) in [(&one, &other), (&other, &one)] {
                // The first round ends one direction, the second the other.
                ends.write_all(b"last words").await.unwrap();
                ends.shutdown(Shutdown::Write).unwrap();
                let mut words = Vec::new();
                goes_on.read_to_end(&mut words).await.unwrap();
                assert_eq!(words, b"last words");
                assert_eq!(goes_on.try_read(&mut [0; 4]).unwrap(), 0);
                assert_eq!(ends.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            }
        });
        run.unwrap();
    });
}

#[test]
fn a_peer_that_goes_with_bytes_unread_resets() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixStream::pair().unwrap();
            one.write_all(b"never read").await.unwrap();
            let mut buf = [0; 8];
            let mut read = one.read(&mut buf);
            assert!(poll_once(&mut read).is_pending());
            drop(other);
            assert_eq!(read.await.unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert_eq!(one.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        });
        run.unwrap();
    });
}

#[test]
fn a_peer_that_goes_ends_a_write_that_waits() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixStream::pair().unwrap();
            let more_than_it_holds = vec![0; 8 << 20];
            let mut write = one.write_all(&more_than_it_holds);
            assert!(poll_once(&mut write).is_pending());
            drop(other);
            let kind = write.await.unwrap_err().kind();
            assert!(matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{kind:?}");
        });
        run.unwrap();
    });
}

#[test]
fn halves_work_in_two_tasks_and_find_back_together() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixStream::pair().unwrap();
            let echo = spawn(async move {
                let (read, mut write) = other.into_split();
                futures::io::copy(read, &mut write).await.unwrap()
                // Dropping the write half ends its side.
            });
            let (mut read, mut write) = one.into_split();
            let writes = spawn(async move {
                write.write_all(&[5; 100_000]).await.unwrap();
                write.as_ref().shutdown(Shutdown::Write).unwrap();
                write
            });
            let mut back = Vec::new();
            read.read_to_end(&mut back).await.unwrap();
            assert_eq!((back.len(), echo.await.unwrap()), (100_000, 100_000));
            let one = read.reunite(writes.await.unwrap()).unwrap();

            let (two, _other) = UnixStream::pair().unwrap();
            let (strange, _write) = two.into_split();
            let (_read, write) = one.into_split();
            let error = strange.reunite(write).unwrap_err();
            assert!(error.to_string().contains("different streams"));
        });
        run.unwrap();
    });
}

#[test]
fn borrowed_halves_vectored_calls_and_peeking_work_as_with_tcp() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (mut one, other) = UnixStream::pair().unwrap();
            let (mut read, mut write) = UnixStream::split(&mut one);
            let sent = write.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cde")]).await.unwrap();
            assert_eq!(sent, 5);
            let mut buf = [0; 8];
            assert_eq!(other.peek(&mut buf).await.unwrap(), 5);
            other.readable().await.unwrap();
            let (mut first, mut second) = ([0; 3], [0; 8]);
            let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            assert_eq!((&other).read_vectored(&mut bufs).await.unwrap(), 5);
            assert_eq!((&first, &second[..2]), (b"abc", &b"de"[..]));
            assert_eq!(other.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
            other.writable().await.unwrap();
            assert_eq!(other.try_write(b"back").unwrap(), 4);
            assert_eq!(read.read(&mut buf).await.unwrap(), 4);
        });
        run.unwrap();
    });
}

#[test]
fn a_listener_accepts_from_several_tasks_and_as_a_stream() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            let listener = UnixListener::bind(&path).unwrap();
            assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(path.as_path()));
            let mut given_up = listener.accept();
            assert!(poll_once(&mut given_up).is_pending());
            let clients: Vec<_> = (0..3).map(|_| UnixStream::connect(&path)).collect();
            let clients = futures::future::try_join_all(clients).await.unwrap();
            drop(given_up);
            let accepted: Vec<_> = listener.incoming().take(2).map(Result::unwrap).collect().await;
            let (last, peer) = listener.accept().await.unwrap();
            assert!(peer.is_unnamed());
            assert_eq!(last.local_addr().unwrap().as_pathname(), Some(path.as_path()));
            assert_eq!(clients[0].peer_addr().unwrap().as_pathname(), Some(path.as_path()));
            assert_eq!(accepted.len(), 2);
        });
        run.unwrap();
    });
}

#[test]
fn the_system_says_who_is_at_the_other_end() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let (one, other) = connected(&folder).await;
            let me = fs::metadata("/proc/self").unwrap();
            for peer in [one.peer_cred().unwrap(), other.peer_cred().unwrap()] {
                assert_eq!((peer.uid, peer.gid), (me.uid(), me.gid()));
                assert_eq!(peer.pid, i32::try_from(std::process::id()).ok());
            }
        });
        run.unwrap();
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_peer_that_is_no_process_here_has_no_number() {
    // The system says 0 of a socket without a peer, and of a peer in another namespace of processes.
    // SAFETY: a system call without memory of ours.
    let descriptor = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) };
    assert!(descriptor >= 0);
    // SAFETY: it was opened above, and nobody else has it.
    let alone = std::os::unix::net::UnixStream::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
    let run = two_workers().run(async {
        let stream = UnixStream::from_std(alone).unwrap();
        assert_eq!(stream.peer_cred().unwrap().pid, None);
    });
    run.unwrap();
}

#[test]
fn a_listener_removes_its_file_and_can_be_told_to_keep_it() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            drop(UnixListener::bind(&path).unwrap());
            assert!(!path.exists());

            let mut keeps = UnixListener::bind(&path).unwrap();
            keeps.set_remove_on_drop(false);
            drop(keeps);
            assert!(path.exists());
            fs::remove_file(&path).unwrap();

            let std = UnixListener::bind(&path).unwrap().into_std().unwrap();
            assert!(path.exists());
            drop(UnixListener::from_std(std).unwrap());
            assert!(path.exists(), "it removed a file that it had not made");
        });
        run.unwrap();
    });
}

#[test]
fn a_successors_file_is_not_removed() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            let old = UnixListener::bind(&path).unwrap();
            fs::rename(&path, folder.file("aside")).unwrap();
            let new = UnixListener::bind(&path).unwrap();
            drop(old);
            assert!(path.exists());
            let (client, accepted) = join!(UnixStream::connect(&path), new.accept());
            client.unwrap();
            accepted.unwrap();
            // A file that is no socket at all is nobody's to remove either.
            fs::remove_file(&path).unwrap();
            fs::write(&path, "precious").unwrap();
            drop(new);
            assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        });
        run.unwrap();
    });
}

#[test]
fn a_file_whose_owner_is_gone_is_told_and_can_be_replaced() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            drop(net::UnixListener::bind(&path).unwrap());
            let refused = UnixStream::connect(&path).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            let error = UnixListener::bind(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains("bind_replacing"), "{error}");

            let listener = UnixListener::bind_replacing(&path).unwrap();
            let (client, accepted) = join!(UnixStream::connect(&path), listener.accept());
            client.unwrap();
            accepted.unwrap();
            drop(listener);
            assert!(!path.exists());
            // With nothing to replace it binds as bind does.
            drop(UnixListener::bind_replacing(&path).unwrap());
        });
        run.unwrap();
    });
}

#[test]
fn whoever_lives_at_a_path_is_neither_replaced_nor_disturbed() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            let path = folder.file("socket");
            let listener = UnixListener::bind(&path).unwrap();
            for bound in [UnixListener::bind(&path), UnixListener::bind_replacing(&path)] {
                let error = bound.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AddrInUse);
                assert!(error.to_string().contains("another one is bound to"), "{error}");
            }
            assert!(poll_once(&mut listener.accept()).is_pending());
            drop(UnixStream::connect(&path).await.unwrap());

            let file = folder.file("file");
            fs::write(&file, "precious").unwrap();
            let error = UnixListener::bind_replacing(&file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains("no socket"), "{error}");
            assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        });
        run.unwrap();
    });
}

#[test]
fn a_path_that_cannot_be_one_is_refused() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let folder = Folder::new();
            for path in [Path::new(""), Path::new("with\0zero"), &folder.file(&"long".repeat(40))] {
                assert_eq!(UnixListener::bind(path).unwrap_err().kind(), ErrorKind::InvalidInput);
                assert_eq!(UnixStream::connect(path).await.unwrap_err().kind(), ErrorKind::InvalidInput);
            }
            let nothing = folder.file("nothing");
            assert_eq!(UnixStream::connect(&nothing).await.unwrap_err().kind(), ErrorKind::NotFound);
            assert!(UnixListener::bind(nothing.join("deeper")).is_err());
        });
        run.unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_are_no_files() {
    use std::os::linux::net::SocketAddrExt as _;
    every_reactor(|builder| {
        let run = builder.run(async {
            let name = format!("weftwork-abstract-{}", std::process::id());
            let address = net::SocketAddr::from_abstract_name(&name).unwrap();
            let path = format!("\0{name}");
            let listener = UnixListener::bind_addr(&address).unwrap();
            assert_eq!(listener.local_addr().unwrap().as_abstract_name(), Some(name.as_bytes()));
            assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
            for connect in [UnixStream::connect(&path), UnixStream::connect_addr(&address)] {
                let (client, accepted) = join!(connect, listener.accept());
                assert_eq!(client.unwrap().peer_addr().unwrap().as_abstract_name(), Some(name.as_bytes()));
                accepted.unwrap();
            }
            drop(listener);
            // The name is free as soon as its owner is gone.
            drop(UnixListener::bind(&path).unwrap());
            let unnamed = net::UnixStream::pair().unwrap().0.local_addr().unwrap();
            assert_eq!(UnixListener::bind_addr(&unnamed).unwrap_err().kind(), ErrorKind::InvalidInput);
        });
        run.unwrap();
    });
}

#[test]
fn a_stream_goes_to_the_standard_library_and_back() {
    every_reactor(|builder| {
        let run = builder.run(async {
            let (one, other) = UnixStream::pair().unwrap();
            let std = one.into_std().unwrap();
            std.set_nonblocking(false).unwrap();
            let one = UnixStream::from_std(std).unwrap();
            one.write_all(b"back").await.unwrap();
            let mut buf = [0; 4];
            other.read_exact(&mut buf).await.unwrap();
            assert_eq!(one.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        });
        run.unwrap();
    });
}

#[test]
fn when_the_runtime_has_ended_waiting_is_an_error() {
    every_reactor(|builder| {
        let folder = Folder::new();
        let runtime = builder.build().unwrap();
        let (listener, one, _other) = runtime.block_on(async {
            let (one, other) = UnixStream::pair().unwrap();
            (UnixListener::bind(folder.file("socket")).unwrap(), one, other)
        });
        runtime.shutdown_timeout(Duration::from_secs(5)).unwrap();
        assert!(block_on(one.read(&mut [0; 8])).unwrap_err().to_string().contains("shut down"));
        assert!(block_on(listener.accept()).unwrap_err().to_string().contains("shut down"));
        drop(listener);
        assert!(!folder.file("socket").exists());
    });
}

#[test]
fn without_a_runtime_a_socket_is_refused_with_advice_and_makes_no_file() {
    let folder = Folder::new();
    let path = folder.file("socket");
    let errors = [
        UnixListener::bind(&path).unwrap_err(),
        UnixStream::pair().unwrap_err(),
        block_on(UnixStream::connect(&path)).unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("weftwork::run"), "{error}");
    }
    assert!(!path.exists());
}

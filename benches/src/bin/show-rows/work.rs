// The measured work, written once: each runtime's module includes this file after it has said what `spawn`, `channel` and
// so on are. Every function gives nanoseconds per operation.

fn per_op(since: std::time::Instant, operations: u32) -> f64 {
    since.elapsed().as_secs_f64() * 1e9 / f64::from(operations)
}

async fn spawn_join() -> f64 {
    let start = std::time::Instant::now();
    let mut handles = Vec::with_capacity(10_000);
    for _ in 0..10_000 {
        handles.push(spawn(async {}));
    }
    for handle in handles {
        handle.await.unwrap();
    }
    per_op(start, 10_000)
}

async fn yields() -> f64 {
    let start = std::time::Instant::now();
    let handles: Vec<_> = (0..200)
        .map(|_| {
            spawn(async {
                for _ in 0..1_000 {
                    yield_now().await;
                }
            })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
    per_op(start, 200_000)
}

async fn ping_pong() -> f64 {
    let start = std::time::Instant::now();
    let handles: Vec<_> = (0..1_000)
        .map(|_| {
            spawn(async {
                let (ping, mut pinged) = channel::<u64>(1);
                let (pong, mut ponged) = channel::<u64>(1);
                let other = spawn(async move {
                    while let Some(n) = receive(&mut pinged).await {
                        send(&pong, n + 1).await;
                    }
                });
                for n in 0..20 {
                    send(&ping, n).await;
                    assert_eq!(receive(&mut ponged).await, Some(n + 1));
                }
                drop(ping);
                other.await.unwrap();
            })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
    per_op(start, 20_000)
}

async fn to_thread_one() -> f64 {
    to_thread(|| ()).await.unwrap();
    let start = std::time::Instant::now();
    for _ in 0..2_000 {
        to_thread(|| ()).await.unwrap();
    }
    per_op(start, 2_000)
}

async fn timeout_pending() -> f64 {
    let start = std::time::Instant::now();
    let handles: Vec<_> = (0..4)
        .map(|_| {
            spawn(async {
                for i in 0..20_000 {
                    let limit = std::time::Duration::from_secs(5 + i % 50);
                    timeout(limit, yield_now()).await.unwrap();
                }
            })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
    per_op(start, 80_000)
}

async fn echo(connections: u32, round_trips: u32) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn(async move {
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tasks.push(spawn(async move {
                let mut stream = stream;
                let mut buffer = [0; 64];
                while read_exact(&mut stream, &mut buffer).await.is_ok() {
                    write_all(&mut stream, &buffer).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    let start = std::time::Instant::now();
    let clients: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            spawn(async move {
                let mut buffer = [7; 64];
                for _ in 0..round_trips {
                    write_all(&mut stream, &buffer).await.unwrap();
                    read_exact(&mut stream, &mut buffer).await.unwrap();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let ns = per_op(start, connections * round_trips);
    server.await.unwrap();
    ns
}

async fn echo_64() -> f64 {
    echo(64, 400).await
}

/// Runs one row on a fresh runtime of two workers, in a spawned task, after a warm-up, and gives the median of three.
pub(crate) fn measure(row: &str) -> f64 {
    let row = row.to_owned();
    run(async move {
        let once = async |row: &str| match row {
            "spawn_join" => spawn(spawn_join()).await.unwrap(),
            "yield" => spawn(yields()).await.unwrap(),
            "ping_pong" => spawn(ping_pong()).await.unwrap(),
            "to_thread_one" => spawn(to_thread_one()).await.unwrap(),
            "timeout_pending" => spawn(timeout_pending()).await.unwrap(),
            "echo_64" => spawn(echo_64()).await.unwrap(),
            other => panic!("no row is called {other}"),
        };
        let _warm_up = once(&row).await;
        let mut figures = [once(&row).await, once(&row).await, once(&row).await];
        figures.sort_by(f64::total_cmp);
        figures[1]
    })
}

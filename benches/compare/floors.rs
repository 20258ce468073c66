//! The floors: programs that do only the unavoidable part of the work.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use socket2::{Domain, Protocol, Socket, Type};

/// hyper answering a constant of `size` bytes: one runtime per core, SO_REUSEPORT.
pub(crate) fn hyper(size: usize) -> ! {
    let body = Bytes::from(vec![b'x'; size]);
    let bind = |address: SocketAddr| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
        socket.set_reuse_port(true).expect("an option");
        socket.set_nonblocking(true).expect("an option");
        socket.bind(&address.into()).expect("an address");
        socket.listen(4096).expect("a backlog");
        std::net::TcpListener::from(socket)
    };
    let first = bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let address = first.local_addr().expect("an address");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut listeners = vec![first];
    listeners.extend((1..cores).map(|_| bind(address)));
    eprintln!("listening on http://{address}");
    for listener in listeners {
        let body = body.clone();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
            runtime.expect("a runtime").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    stream.set_nodelay(true).expect("an option");
                    let body = body.clone();
                    let service = service_fn(move |_: Request<Incoming>| {
                        let body = body.clone();
                        async move { Ok::<_, Infallible>(Response::new(Full::new(body))) }
                    });
                    tokio::task::spawn_local(async move {
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
            });
        });
    }
    loop {
        std::thread::park();
    }
}

/// Messages inserted per second with FTS5 and one index, `batch` to a commit, `synchronous=FULL`.
pub(crate) fn group_commit(dir: &Path, batch: usize, time: Duration) -> f64 {
    let db = Connection::open(dir.join(format!("floor-{batch}.db"))).expect("a database");
    db.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -80000;
         create table messages (id integer primary key, room integer, creator integer, at integer, body text, json blob);
         create index by_room on messages (room, id);
         create virtual table fts using fts5 (body, content = 'messages', content_rowid = 'id', tokenize = 'porter unicode61');",
    )
    .expect("a schema");
    let mut insert = db
        .prepare("insert into messages (room, creator, at, body, json) values (?, ?, ?, ?, ?)")
        .expect("SQL");
    let mut index = db.prepare("insert into fts (rowid, body) values (?, ?)").expect("SQL");
    let json = vec![b'j'; 450];
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < time {
        db.execute_batch("begin immediate").expect("a transaction");
        for _ in 0..batch {
            count += 1;
            let body = super::sentence(count);
            insert.execute((1, count % 100, count, &body, &json)).expect("a row");
            index.execute((db.last_insert_rowid(), &body)).expect("an entry");
        }
        db.execute_batch("commit").expect("a commit");
    }
    count as f64 / started.elapsed().as_secs_f64()
}

/// Accepts connections, then sends one buffer of `size` bytes to each in a loop, on one thread. Commands come on the first
/// connection: a line with the number of rounds.
pub(crate) fn send_loop(sockets: usize, size: usize) -> ! {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    eprintln!("listening on http://{}", listener.local_addr().expect("an address"));
    let (control, _) = listener.accept().expect("a connection");
    let mut streams: Vec<_> = (0..sockets).map(|_| listener.accept().expect("a connection").0).collect();
    for stream in streams.iter().chain([&control]) {
        stream.set_nodelay(true).expect("a socket takes options");
    }
    let mut lines = BufReader::new(control.try_clone().expect("a socket")).lines();
    let buffer = vec![b'x'; size];
    let mut control = control;
    control.write_all(b"ready\n").expect("a reader");
    while let Some(Ok(line)) = lines.next() {
        let rounds: usize = line.parse().expect("a number");
        for _ in 0..rounds {
            for stream in &mut streams {
                stream.write_all(&buffer).expect("a reader");
            }
        }
        control.write_all(b"done\n").expect("a reader");
    }
    std::process::exit(0)
}

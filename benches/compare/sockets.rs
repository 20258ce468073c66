//! WebSocket clients of Campfire, receivers that count, the memory of an idle socket, and the size of a frame.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Options, Report, Row,
    load::{Connection, find},
    peers::{PEERS, Peer, Step, text, upgrade},
    process::Process,
    runtime,
    scenarios::set_up,
    sentence,
    table::grouped,
};

/// The bytes that mark a received message; other servers get the same frame as a payload.
const CREATED: &[u8] = b"\"message.created\"";

pub(crate) fn handshake(token: &str, more: &str) -> Vec<u8> {
    upgrade("/ws", &format!("origin: http://bench\r\ncookie: campfire_session={token}\r\n{more}"))
}

pub(crate) fn join(room: i64) -> Step {
    (text(&format!(r#"{{"type":"join_room","room_id":{room}}}"#)), b"\"joined\"")
}

/// A message for room 1.
pub(crate) fn message(number: usize) -> Vec<u8> {
    text(&format!(r#"{{"type":"message","room_id":1,"content":"{}"}}"#, sentence(number as i64)))
}

/// Campfire as a peer like the others.
pub(crate) fn ours(_: &str) -> Result<Peer, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let process = Process::campfire(directory.path());
    let token = runtime().block_on(set_up(process.address));
    let opened = || (handshake(&token, ""), &b"\"hello\""[..]);
    Ok(Peer {
        receive: vec![opened(), join(1)],
        publish: vec![opened()],
        message: Box::new(message),
        process,
        _directory: directory,
    })
}

/// Opens a connection and performs the steps; returns the last bytes received, too.
pub(crate) async fn open(address: SocketAddr, steps: &[Step]) -> (tokio::net::TcpStream, Vec<u8>) {
    let mut stream = Connection::open(address).await.into_stream();
    let mut seen = Vec::new();
    for (bytes, wanted) in steps {
        stream.write_all(bytes).await.expect("the server reads");
        seen = read_until(&mut stream, wanted).await;
    }
    (stream, seen)
}

pub(crate) async fn send(stream: &mut tokio::net::TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.expect("the server reads");
}

pub(crate) async fn read_until(stream: &mut tokio::net::TcpStream, wanted: &[u8]) -> Vec<u8> {
    let (mut seen, mut buffer) = (Vec::new(), [0; 2048]);
    while find(&seen, wanted).is_none() {
        let count = stream.read(&mut buffer).await.expect("the server answers");
        assert!(count > 0, "the server refused a socket: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..count]);
    }
    seen
}

/// Opens many connections, up to 100 at a time, because some servers take 0.1 s for each step.
async fn open_all(address: SocketAddr, steps: &[Step], count: usize) -> Vec<tokio::net::TcpStream> {
    let mut streams = Vec::new();
    while streams.len() < count {
        let some = (0..(count - streams.len()).min(100)).map(|_| open(address, steps));
        streams.extend(futures_util::future::join_all(some).await.into_iter().map(|(stream, _)| stream));
    }
    streams
}

/// Receivers, each a task that counts its messages.
pub(crate) async fn receivers(
    address: SocketAddr,
    steps: &[Step],
    count: usize,
    got: &Arc<AtomicUsize>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    for mut stream in open_all(address, steps, count).await {
        let got = Arc::clone(got);
        tasks.push(tokio::task::spawn_local(async move {
            let mut buffer = vec![0; 16 << 10];
            let mut kept = 0;
            loop {
                let Ok(count) = stream.read(&mut buffer[kept..]).await else { return };
                if count == 0 {
                    return;
                }
                let filled = kept + count;
                let (found, end) = occurrences(&buffer[..filled]);
                got.fetch_add(found, Ordering::Relaxed);
                // The marker may be split at the end of the buffer.
                kept = (filled - end).min(CREATED.len() - 1);
                buffer.copy_within(filled - kept..filled, 0);
            }
        }));
    }
    tasks
}

/// How often the marker is in the bytes, and where the last one ends.
fn occurrences(bytes: &[u8]) -> (usize, usize) {
    let (mut found, mut place) = (0, 0);
    while let Some(next) = find_fast(&bytes[place..]) {
        found += 1;
        place += next + CREATED.len();
    }
    (found, place)
}

/// Looks for the marker's dot first, because a frame has few dots.
fn find_fast(bytes: &[u8]) -> Option<usize> {
    let mut place = 0;
    while let Some(dot) = bytes[place..].iter().position(|byte| *byte == b'.') {
        let dot = place + dot;
        if dot >= 8 && bytes[dot - 8..].starts_with(CREATED) {
            return Some(dot - 8);
        }
        place = dot + 1;
    }
    None
}

/// The frame of a message of 100 characters: as JSON, and its length as MessagePack.
pub(crate) fn frames() -> (String, usize) {
    let peer = ours("").expect("we are here");
    let address = peer.process.address;
    // Reuses the peer's handshake, which has the cookie.
    let (handshake, hello) = &peer.receive[0];
    let mut packed = handshake.clone();
    packed.truncate(packed.len() - 2);
    packed.extend_from_slice(b"sec-websocket-protocol: campfire.msgpack\r\n\r\n");
    let room: u8 = 1;
    let join_packed = [b"\x82\xa4type\xa9join_room\xa7room_id".as_slice(), &[room]].concat();
    let content = &format!("{:x<100}", sentence(7))[..100];
    runtime().block_on(async {
        let (mut plain, _) = open(address, &[(handshake.clone(), hello), join(1)]).await;
        let (mut dense, _) =
            open(address, &[(packed, b"hello"), (crate::peers::binary(&join_packed), b"joined")]).await;
        plain
            .write_all(&text(&format!(r#"{{"type":"message","room_id":1,"content":"{content}"}}"#)))
            .await
            .expect("the server reads");
        let json = payload(&mut plain, CREATED).await;
        let dense = payload(&mut dense, b"message.created").await;
        (String::from_utf8(json).expect("JSON is text"), dense.len())
    })
}

/// The payload of the first frame that contains these bytes. Frames of a server are not masked.
async fn payload(stream: &mut tokio::net::TcpStream, wanted: &[u8]) -> Vec<u8> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.expect("the server answers");
        let length = match head[1] {
            126 => usize::from(stream.read_u16().await.expect("a length")),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.expect("the server answers");
        if find(&payload, wanted).is_some() {
            return payload;
        }
    }
}

pub(crate) fn idle(options: &Options, report: &mut Report) {
    let count = if options.quick { 3_000 } else { 15_000 };
    let each = idle_memory(&ours("").expect("we are here"), count);
    report.rows.push(
        Row::new(
            format!("memory per idle socket of {} (Pss)", grouped(count as f64)),
            format!("{each:.2} KiB"),
        )
        .target("≤ 4 KiB", each <= 4.0),
    );
}

pub(crate) fn idle_beside_others(payload: &str, options: &Options, report: &mut Report) {
    let count = if options.quick { 1_000 } else { 5_000 };
    let own = idle_memory(&ours("").expect("we are here"), count);
    let work = format!("memory per idle socket of {}", grouped(count as f64));
    for (name, start) in PEERS {
        let row = Row::new(&work, format!("{own:.2} KiB"));
        report.rows.push(match start(payload) {
            Ok(peer) => {
                let theirs = idle_memory(&peer, count);
                row.floor(format!("{theirs:.2} KiB ({name})")).ratio(own / theirs)
            }
            Err(why) => row.floor(format!("{name}: {why}")),
        });
    }
}

/// Memory that each of so many receivers adds, in KiB. One receiver is connected before, for what all share, and memory
/// used at the start (hashing the password) must be returned first.
fn idle_memory(peer: &Peer, count: usize) -> f64 {
    let server = &peer.process;
    runtime().block_on(async {
        let _first = open(server.address, &peer.receive).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let before = server.pss();
        let _sockets = open_all(server.address, &peer.receive, count).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        (server.pss() - before) / count as f64
    })
}

/// Posts over one socket per person, with one message under way on each. Returns posts per second, and CPU time of the
/// server for each in µs.
pub(crate) fn posts(server: &Process, tokens: &[String], time: Duration) -> (f64, f64) {
    runtime().block_on(async {
        let mut streams = Vec::new();
        for token in tokens {
            streams.push(open(server.address, &[(handshake(token, ""), b"\"hello\"")]).await.0);
        }
        let (cpu, started) = (server.cpu(), Instant::now());
        let post = async |place: usize, mut stream| {
            let mut count = 0;
            while started.elapsed() < time {
                send(&mut stream, &message(place * 1_000_000 + count)).await;
                read_until(&mut stream, b"\"ack\"").await;
                count += 1;
            }
            count
        };
        let all = streams.into_iter().enumerate().map(|(place, stream)| post(place, stream));
        let count = futures_util::future::join_all(all).await.into_iter().sum::<usize>() as f64;
        (count / started.elapsed().as_secs_f64(), (server.cpu() - cpu) * 1e6 / count)
    })
}

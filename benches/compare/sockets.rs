//! Sockets: fan-out as fast as it goes, one message to many, and what an idle one costs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Asked, Row,
    load::{Connection, find, request},
    median,
    process::Process,
    runtime,
    scenarios::{ratio, set_up},
    talk,
};

/// The bytes that stand for the receipt of a `message.created` on a socket.
const CREATED: &[u8] = b"\"message.created\"";

fn handshake(token: &str) -> Vec<u8> {
    let more = "origin: http://bench\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    request("GET", "/ws", token, more, "")
}

/// A client's text frame; the mask is zero, so the payload is as it is.
fn text(payload: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload.as_bytes());
    frame
}

/// Opens a socket that has joined room 1; reads up to its `joined`.
async fn open(address: SocketAddr, token: &str, join: bool) -> tokio::net::TcpStream {
    let mut stream = Connection::open(address).await.into_stream();
    stream.write_all(&handshake(token)).await.expect("the server reads");
    if join {
        stream.write_all(&text(r#"{"type":"join_room","room_id":1}"#)).await.expect("the server reads");
    }
    let mut seen = Vec::new();
    let wanted: &[u8] = if join { b"\"joined\"" } else { b"\"hello\"" };
    let mut buffer = [0; 2048];
    while find(&seen, wanted).is_none() {
        let count = stream.read(&mut buffer).await.expect("the server answers");
        assert!(count > 0, "the server refused a socket: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..count]);
    }
    stream
}

/// Receivers of one room, each a task that counts the messages it gets.
async fn receivers(
    address: SocketAddr,
    token: &str,
    count: usize,
    got: &Arc<AtomicUsize>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        let mut stream = open(address, token, true).await;
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
                // A name may be cut in two by the end of the buffer.
                kept = (filled - end).min(CREATED.len() - 1);
                buffer.copy_within(filled - kept..filled, 0);
            }
        }));
    }
    tasks
}

/// How often a message's type stands in the bytes, and where the last one ends.
fn occurrences(bytes: &[u8]) -> (usize, usize) {
    let (mut found, mut place) = (0, 0);
    while let Some(next) = find_fast(&bytes[place..]) {
        found += 1;
        place += next + CREATED.len();
    }
    (found, place)
}

/// The type is followed by little, so looking for the quote and the dot is enough to be quick.
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

pub(crate) fn fanout(asked: &Asked) -> Vec<Row> {
    let counts: &[usize] = if asked.quick { &[100, 1_000] } else { &[100, 1_000, 10_000] };
    counts.iter().flat_map(|count| fan_out_to(*count, asked)).collect()
}

fn fan_out_to(count: usize, asked: &Asked) -> Vec<Row> {
    let messages = (if asked.quick { 200_000 } else { 1_000_000 } / count).clamp(100, 5_000);
    let (floor_cpu, floor_once) = send_floor(count);
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    runtime().block_on(async {
        let token = set_up(server.address).await;
        let got = Arc::new(AtomicUsize::new(0));
        let tasks = receivers(server.address, &token, count, &got).await;
        let mut publisher = open(server.address, &token, false).await;
        let mut sink = vec![0; 64 << 10];
        // One message at a time, on an idle server: posted → the last socket has it.
        let mut once = Vec::new();
        for number in 0..10 {
            let (before, posted) = (got.load(Ordering::Relaxed), Instant::now());
            publisher.write_all(&message(number)).await.expect("the server reads");
            while got.load(Ordering::Relaxed) < before + count {
                tokio::task::yield_now().await;
            }
            once.push(posted.elapsed().as_secs_f64() * 1e3);
            let _ = publisher.try_read(&mut sink);
        }
        // As fast as it goes: as many under way as a socket may have.
        let (before, cpu, started) = (got.load(Ordering::Relaxed), server.cpu(), Instant::now());
        let (mut reader, mut writer) = publisher.into_split();
        let drained = tokio::task::spawn_local(async move {
            while reader.read(&mut sink).await.is_ok_and(|count| count > 0) {}
        });
        for number in 0..messages {
            writer.write_all(&message(number)).await.expect("the server reads");
        }
        let wanted = before + count * messages;
        while got.load(Ordering::Relaxed) < wanted {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "{} of {wanted} deliveries came",
                got.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let deliveries = (count * messages) as f64;
        let each = (server.cpu() - cpu) * 1e6 / deliveries;
        let rate = deliveries / started.elapsed().as_secs_f64();
        drained.abort();
        tasks.into_iter().for_each(|task| task.abort());
        let latency = median(once);
        vec![
            Row {
                work: format!("fan-out to {count} sockets, CPU per delivery"),
                floor: format!("{floor_cpu:.2} µs (send loop)"),
                ours: format!("{each:.2} µs, {rate:.0}/s"),
                ratio: ratio(each, floor_cpu),
                target: "≤ 0.5",
            },
            Row {
                work: format!("one message to {count} sockets"),
                floor: format!("{floor_once:.2} ms"),
                ours: format!("{latency:.2} ms"),
                ratio: ratio(latency, floor_once),
                target: "≤ 1.5",
            },
        ]
    })
}

fn message(number: usize) -> Vec<u8> {
    text(&format!(r#"{{"type":"message","room_id":1,"content":"{}"}}"#, talk(number as i64)))
}

/// CPU microseconds per delivery of the send loop, and milliseconds for one round.
fn send_floor(count: usize) -> (f64, f64) {
    let floor = Process::floor(&["floor-send", &count.to_string()]);
    let control = TcpStream::connect(floor.address).expect("the floor accepts");
    control.set_nodelay(true).expect("a socket takes options");
    let mut streams: Vec<TcpStream> =
        (0..count).map(|_| TcpStream::connect(floor.address).expect("the floor accepts")).collect();
    let mut lines = BufReader::new(control.try_clone().expect("a socket"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("it is ready");
    let mut control = control;
    let mut ask = |rounds: usize, streams: &mut [TcpStream]| {
        let started = Instant::now();
        writeln!(control, "{rounds}").expect("the floor reads");
        let mut line = String::new();
        lines.read_line(&mut line).expect("it is done");
        let took = started.elapsed();
        let mut buffer = vec![0; 300 * rounds];
        for stream in streams {
            stream.read_exact(&mut buffer).expect("all of it came");
        }
        took.as_secs_f64() * 1e3
    };
    let once = median((0..10).map(|_| ask(1, &mut streams)).collect());
    let (cpu, rounds, turns) = (floor.cpu(), 20, (200_000 / count / 20).max(1));
    for _ in 0..turns {
        ask(rounds, &mut streams);
    }
    ((floor.cpu() - cpu) * 1e6 / (count * rounds * turns) as f64, once)
}

pub(crate) fn idle(asked: &Asked) -> Vec<Row> {
    let count = if asked.quick { 3_000 } else { 15_000 };
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    runtime().block_on(async {
        let token = set_up(server.address).await;
        // The first sockets pay for what all share; hashing the password has to be forgotten too.
        let first = open(server.address, &token, true).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let before = server.pss();
        let mut sockets = Vec::new();
        for _ in 0..count {
            sockets.push(open(server.address, &token, true).await);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let each = (server.pss() - before) / f64::from(count);
        drop(first);
        vec![Row {
            work: format!("memory per idle socket, {count} of them (Pss)"),
            floor: String::new(),
            ours: format!("{each:.2} KiB"),
            ratio: String::new(),
            target: "≤ 4 KiB",
        }]
    })
}

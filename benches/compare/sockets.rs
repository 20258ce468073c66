//! Sockets: fan-out as fast as it goes, one message to many, what an idle one costs, how long a frame is; ours beside
//! the send loop and beside others.

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
    Asked, Report, Row,
    load::{Connection, find},
    median,
    peers::{PEERS, Peer, Start, Step, text, upgrade},
    process::Process,
    runtime,
    scenarios::set_up,
    table::{per_second, ratio},
    talk,
};

/// The bytes that stand for the receipt of a message on a socket; the others are sent the same frame as a payload.
const CREATED: &[u8] = b"\"message.created\"";

/// Messages under way to each receiver at most, the same for all: 128 KB of them, which nobody drops.
const WINDOW: usize = 256;

pub(crate) fn handshake(token: &str, more: &str) -> Vec<u8> {
    upgrade("/ws", &format!("origin: http://bench\r\ncookie: campfire_session={token}\r\n{more}"))
}

pub(crate) fn join(room: i64) -> Step {
    (text(&format!(r#"{{"type":"join_room","room_id":{room}}}"#)), b"\"joined\"")
}

/// A message for room 1.
pub(crate) fn message(number: usize) -> Vec<u8> {
    text(&format!(r#"{{"type":"message","room_id":1,"content":"{}"}}"#, talk(number as i64)))
}

/// Ourselves, spoken to like the others.
fn ours(_: &str) -> Result<Peer, String> {
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

/// Opens a connection and goes through the steps with it; answers what came last, too.
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

/// Many of them, some at a time: there are servers that take a tenth of a second for each step.
async fn open_all(address: SocketAddr, steps: &[Step], count: usize) -> Vec<tokio::net::TcpStream> {
    let mut streams = Vec::new();
    while streams.len() < count {
        let some = (0..(count - streams.len()).min(100)).map(|_| open(address, steps));
        streams.extend(futures_util::future::join_all(some).await.into_iter().map(|(stream, _)| stream));
    }
    streams
}

/// Receivers, each a task that counts the messages it gets.
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

/// Few dots stand in a frame, so looking for the one in the type is enough to be quick.
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

/// How long messages are sent at most, as fast as they go.
const PATIENCE: Duration = Duration::from_secs(15);

/// What fan-out to so many receivers came to.
#[derive(Clone, Copy)]
struct Fan {
    /// CPU time of the server for each delivery, in microseconds.
    cpu: f64,
    per_second: f64,
    /// One message on an idle server until the last receiver has it, in milliseconds.
    once: f64,
}

impl Fan {
    fn shown(&self) -> String {
        format!("{:.2} µs, {:.0}/s, one in {:.2} ms", self.cpu, self.per_second, self.once)
    }

    fn median(rounds: &[Fan]) -> Fan {
        let of = |figure: fn(&Fan) -> f64| median(rounds.iter().map(figure).collect());
        Fan { cpu: of(|it| it.cpu), per_second: of(|it| it.per_second), once: of(|it| it.once) }
    }
}

pub(crate) fn fanout(asked: &Asked, report: &mut Report) {
    let (frame, packed) = frames();
    report.rows.extend([
        Row::new("message frame of 100 characters, JSON", format!("{} bytes", frame.len()))
            .target("≤ 450 bytes", frame.len() <= 450),
        Row::new("the same, MessagePack", format!("{packed} bytes")).target("≤ 350 bytes", packed <= 350),
    ]);
    let counts: &[usize] = if asked.quick { &[100, 1_000] } else { &[100, 1_000, 5_000, 10_000] };
    for count in counts {
        fan_out_to(*count, &frame, asked, report);
    }
    idle_beside_others(&frame, asked, report);
}

/// Everybody in turns, and that some times over.
fn fan_out_to(count: usize, payload: &str, asked: &Asked, report: &mut Report) {
    let messages = (if asked.quick { 200_000 } else { 1_000_000 } / count).clamp(100, 5_000);
    let rounds = if asked.quick { 1 } else { 3 };
    type Fans = Result<Vec<Fan>, String>;
    let mut others: Vec<(&str, Start, Fans)> =
        PEERS.iter().map(|(name, start)| (*name, *start, Ok(Vec::new()))).collect();
    let (mut own, mut loops) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        loops.push(send_floor(count, payload.len()));
        own.push(ours("").and_then(|peer| fan_out(&peer, count, messages)).expect("all of it comes"));
        for (_, start, figures) in &mut others {
            if let Ok(fans) = figures {
                match start(payload).and_then(|peer| fan_out(&peer, count, messages)) {
                    Ok(fan) => fans.push(fan),
                    Err(why) => *figures = Err(why),
                }
            }
        }
    }
    let of_rounds = |figures: &dyn Fn(usize) -> f64| median((0..rounds).map(figures).collect());
    let (campfire, floor) = (Fan::median(&own), Fan::median(&loops));
    let share = of_rounds(&|round| own[round].cpu / loops[round].cpu);
    report.rows.push(
        Row::new(
            format!("fan-out to {count} sockets, beside the send loop"),
            format!("{:.2} µs CPU, {:.0}/s", campfire.cpu, campfire.per_second),
        )
        .floor(format!("{:.2} µs CPU", floor.cpu), format!("{share:.2}"))
        .target("≤ 0.5", share <= 0.5),
    );
    for (name, _, figures) in &others {
        let work = format!("fan-out to {count} sockets, beside {name}");
        let row = match figures {
            Err(why) => Row::new(work, campfire.shown()).floor(why.as_str(), ""),
            Ok(fans) => {
                let share = of_rounds(&|round| own[round].cpu / fans[round].cpu);
                let row =
                    Row::new(work, campfire.shown()).floor(Fan::median(fans).shown(), format!("{share:.2}"));
                if *name == "nats-server" { row.target("≤ 1.0", share <= 1.0) } else { row }
            }
        };
        report.rows.push(row);
    }
    let share = of_rounds(&|round| own[round].once / loops[round].once);
    let row = Row::new(format!("one message to {count} sockets"), format!("{:.2} ms", campfire.once))
        .floor(format!("{:.2} ms", floor.once), format!("{share:.2}"));
    let has_target = count == 1_000 || count == 10_000;
    report.rows.push(if has_target { row.target("≤ 1.5", share <= 1.5) } else { row });
}

fn fan_out(peer: &Peer, count: usize, messages: usize) -> Result<Fan, String> {
    let server = &peer.process;
    runtime().block_on(async {
        let got = Arc::new(AtomicUsize::new(0));
        let tasks = receivers(server.address, &peer.receive, count, &got).await;
        let (publisher, _) = open(server.address, &peer.publish).await;
        let (mut reader, mut writer) = publisher.into_split();
        let drained = tokio::task::spawn_local(async move {
            let mut sink = vec![0; 64 << 10];
            while reader.read(&mut sink).await.is_ok_and(|count| count > 0) {}
        });
        // One message at a time, on an idle server: posted → the last socket has it.
        let mut once = Vec::new();
        for number in 0..10 {
            let (before, posted) = (got.load(Ordering::Relaxed), Instant::now());
            writer.write_all(&(peer.message)(number)).await.expect("the server reads");
            wait_for(&got, before + count).await?;
            once.push(posted.elapsed().as_secs_f64() * 1e3);
        }
        // As fast as they drain, with so many under way.
        let (before, cpu, started) = (got.load(Ordering::Relaxed), server.cpu(), Instant::now());
        let mut sent = 0;
        for number in 0..messages {
            // Who is that slow is measured by what went through.
            if started.elapsed() > PATIENCE {
                break;
            }
            if number >= WINDOW {
                wait_for(&got, before + count * (number - WINDOW)).await?;
            }
            writer.write_all(&(peer.message)(number)).await.expect("the server reads");
            sent += 1;
        }
        wait_for(&got, before + count * sent).await?;
        let deliveries = (count * sent) as f64;
        let fan = Fan {
            cpu: (server.cpu() - cpu) * 1e6 / deliveries,
            per_second: deliveries / started.elapsed().as_secs_f64(),
            once: median(once),
        };
        drained.abort();
        tasks.into_iter().for_each(|task| task.abort());
        Ok(fan)
    })
}

async fn wait_for(got: &AtomicUsize, wanted: usize) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let so_far = got.load(Ordering::Relaxed);
        if so_far >= wanted {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(30) {
            return Err(format!("lost {} of {wanted} messages", wanted - so_far));
        }
        tokio::task::yield_now().await;
    }
}

/// The send loop: one thread, one buffer, `send()` to each.
fn send_floor(count: usize, size: usize) -> Fan {
    let floor = Process::floor(&["floor-send", &count.to_string(), &size.to_string()]);
    let connect = || TcpStream::connect(floor.address).expect("the floor accepts");
    let mut control = connect();
    control.set_nodelay(true).expect("a socket takes options");
    let mut streams: Vec<TcpStream> = (0..count).map(|_| connect()).collect();
    let mut lines = BufReader::new(control.try_clone().expect("a socket"));
    lines.read_line(&mut String::new()).expect("it is ready");
    let mut ask = |rounds: usize| {
        let started = Instant::now();
        writeln!(control, "{rounds}").expect("the floor reads");
        lines.read_line(&mut String::new()).expect("it is done");
        let took = started.elapsed();
        let mut buffer = vec![0; size * rounds];
        for stream in &mut streams {
            stream.read_exact(&mut buffer).expect("all of it came");
        }
        took.as_secs_f64()
    };
    let once = median((0..10).map(|_| ask(1) * 1e3).collect());
    let (cpu, rounds, turns) = (floor.cpu(), 20, (200_000 / count / 20).max(1));
    let sending: f64 = (0..turns).map(|_| ask(rounds)).sum();
    let deliveries = (count * rounds * turns) as f64;
    Fan { cpu: (floor.cpu() - cpu) * 1e6 / deliveries, per_second: deliveries / sending, once }
}

/// A message of 100 characters as a socket gets it: the JSON, and how long it is as MessagePack.
fn frames() -> (String, usize) {
    let peer = ours("").expect("we are here");
    let address = peer.process.address;
    // The cookie is in the handshake that the peer has.
    let (handshake, hello) = &peer.receive[0];
    let mut packed = handshake.clone();
    packed.truncate(packed.len() - 2);
    packed.extend_from_slice(b"sec-websocket-protocol: campfire.msgpack\r\n\r\n");
    let room: u8 = 1;
    let join_packed = [b"\x82\xa4type\xa9join_room\xa7room_id".as_slice(), &[room]].concat();
    let content = &format!("{:x<100}", talk(7))[..100];
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

/// The payload of the first frame that has these bytes in it. Frames from a server have no mask.
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

pub(crate) fn idle(asked: &Asked, report: &mut Report) {
    let count = if asked.quick { 3_000 } else { 15_000 };
    let each = idle_memory(&ours("").expect("we are here"), count);
    report.rows.push(
        Row::new(format!("memory per idle socket, {count} of them (Pss)"), format!("{each:.2} KiB"))
            .target("≤ 4 KiB", each <= 4.0),
    );
}

fn idle_beside_others(payload: &str, asked: &Asked, report: &mut Report) {
    let count = if asked.quick { 1_000 } else { 5_000 };
    let own = idle_memory(&ours("").expect("we are here"), count);
    for (name, start) in PEERS {
        let row =
            Row::new(format!("memory per idle client of {count}, beside {name}"), format!("{own:.2} KiB"));
        report.rows.push(match start(payload) {
            Ok(peer) => {
                let theirs = idle_memory(&peer, count);
                row.floor(format!("{theirs:.2} KiB"), ratio(own, theirs))
            }
            Err(why) => row.floor(why, ""),
        });
    }
}

/// What each of so many receivers adds, in KiB. The first pays for what all share, and what was needed to start (a
/// password's hash) has to be given back before the count begins.
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

/// Posts over sockets: `sockets` of them, with one message under way on each. Answers posts per second, and the
/// server's CPU microseconds for each.
pub(crate) fn posts(server: &Process, token: &str, sockets: usize, time: Duration) -> (String, f64) {
    let (count, cpu, took) = runtime().block_on(async {
        let mut streams = Vec::new();
        for _ in 0..sockets {
            streams.push(open(server.address, &[(handshake(token, ""), b"\"hello\"")]).await.0);
        }
        let (cpu, started) = (server.cpu(), Instant::now());
        let tasks: Vec<_> = streams
            .into_iter()
            .enumerate()
            .map(|(place, mut stream)| {
                tokio::task::spawn_local(async move {
                    let mut count = 0;
                    while started.elapsed() < time {
                        stream
                            .write_all(&message(place * 1_000_000 + count))
                            .await
                            .expect("the server reads");
                        read_until(&mut stream, b"\"ack\"").await;
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.expect("a socket goes on");
        }
        (count, server.cpu() - cpu, started.elapsed())
    });
    (per_second(count as f64 / took.as_secs_f64()), cpu * 1e6 / count as f64)
}

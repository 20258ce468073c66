//! A restart under load with socket activation: no connection is refused, nothing is lost, nothing is duplicated.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::support::*;

/// Requests per second: of each 20, 18 read and 2 post; half of each use new connections.
const RATE: u64 = 200;
const KEPT_CONNECTIONS: usize = 10;
const SOCKETS: usize = 1_000;
const RESTARTS: usize = 2;

/// The debug log has the number of sockets of each worker.
const SETTINGS: &[(&str, &str)] = &[("CAMPFIRE_WORKERS", "2"), ("CAMPFIRE_LOG_LEVEL", "debug")];

/// How many sockets connect at the same time at the start.
const CONNECTING_AT_ONCE: usize = 50;

/// Requests before the first restart and after each, so that restarts happen under load.
const BETWEEN: usize = RATE as usize;

struct Answer {
    status: u16,
    body: Vec<u8>,
    is_last: bool,
}

/// Why there is no response, and whether a byte of one was received.
struct Broken {
    began: bool,
    why: String,
}

async fn ask(stream: &mut TcpStream, request: &str) -> Result<Answer, Broken> {
    let mut bytes = Vec::new();
    let broken = |bytes: &[u8], why: String| Broken { began: !bytes.is_empty(), why };
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&bytes, error.to_string()))?;
    loop {
        let mut chunk = [0; 16 << 10];
        match stream.read(&mut chunk).await {
            Ok(0) => return Err(broken(&bytes, "closed".into())),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) => return Err(broken(&bytes, error.to_string())),
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let header = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
        };
        let length: usize = header("content-length").expect("a length").parse().expect("a number");
        let body = &bytes[end + 4..];
        if body.len() >= length {
            return Ok(Answer {
                status: http::raw_status(&bytes),
                body: body.to_vec(),
                is_last: header("connection").as_deref() == Some("close"),
            });
        }
    }
}

/// State shared by the clients that send requests.
struct Load {
    address: SocketAddr,
    token: String,
    room: i64,
    done: AtomicUsize,
    again: AtomicUsize,
    /// The longest wait for a response, in microseconds.
    worst: AtomicU64,
    over: AtomicBool,
}

impl Load {
    fn request(&self, number: u64, is_post: bool) -> String {
        let head = format!("host: campfire\r\nauthorization: Bearer {}\r\n", self.token);
        if !is_post {
            return format!("GET /api/rooms/{}/messages?limit=5 HTTP/1.1\r\n{head}\r\n", self.room);
        }
        let body = json!({"room_id": self.room, "content": key(number), "client_message_id": key(number)})
            .to_string();
        let length = body.len();
        format!(
            "POST /api/messages HTTP/1.1\r\n{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    /// Sends a request on a kept connection or on a new one. Returns the connection if it can be used again, and the id
    /// of the message if it posted one.
    async fn turn(&self, number: u64, kept: Option<TcpStream>) -> (Option<TcpStream>, Option<i64>) {
        let is_post = number % 20 < 2;
        let request = self.request(number, is_post);
        let began = Instant::now();
        let mut answered = None;
        if let Some(mut stream) = kept {
            match ask(&mut stream, &request).await {
                Ok(answer) => answered = Some((stream, answer)),
                // A kept connection may be closed before the response begins (RFC 9112, section 9.3.1). A post can be
                // retried, because it has a `client_message_id`.
                Err(broken) if !broken.began => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                }
                Err(broken) => panic!("request {number}: half an answer, then {}", broken.why),
            }
        }
        let (stream, answer) = match answered {
            Some(answered) => answered,
            None => {
                let mut stream = TcpStream::connect(self.address)
                    .await
                    .unwrap_or_else(|error| panic!("request {number} was not let in: {error}"));
                stream.set_nodelay(true).expect("TCP_NODELAY");
                let answer = ask(&mut stream, &request).await;
                let answer = answer.unwrap_or_else(|broken| {
                    panic!("request {number} on a new connection: {} (began: {})", broken.why, broken.began)
                });
                (stream, answer)
            }
        };
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.worst.fetch_max(took, Ordering::Relaxed);
        self.done.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(&answer.body);
        let posted = if is_post {
            assert!(matches!(answer.status, 200 | 201), "request {number}: {} {text}", answer.status);
            Some(id(&serde_json::from_slice(&answer.body).expect("a message")))
        } else {
            assert_eq!(answer.status, 200, "request {number}: {text}");
            None
        };
        ((!answer.is_last).then_some(stream), posted)
    }
}

fn key(number: u64) -> String {
    format!("post-{number}")
}

/// Sends requests at a fixed rate until the load ends, without waiting for responses on new connections; returns the
/// posted messages by key.
async fn client(load: Arc<Load>, number: usize, is_kept: bool) -> HashMap<String, i64> {
    let clients = 2 * KEPT_CONNECTIONS as u64;
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 * clients / RATE));
    let mut posted = HashMap::new();
    let mut kept = None;
    let mut turns = Vec::new();
    for round in 0_u64.. {
        pace.tick().await;
        if load.over.load(Ordering::Relaxed) {
            break;
        }
        let turn = round * clients + number as u64;
        if is_kept {
            let (left, message) = load.turn(turn, kept.take()).await;
            kept = left;
            posted.extend(message.map(|message| (key(turn), message)));
        } else {
            let load = load.clone();
            turns.push((turn, tokio::spawn(async move { load.turn(turn, None).await.1 })));
        }
    }
    for (turn, answer) in turns {
        let message = within("an answer", answer).await.expect("a request");
        posted.extend(message.map(|message| (key(turn), message)));
    }
    posted
}

/// State shared by the listeners.
struct Listeners {
    room: i64,
    since: i64,
    /// How many joins there were.
    joins: AtomicUsize,
    /// When the last join was.
    joined_at: std::sync::Mutex<Instant>,
    hinted: AtomicUsize,
}

/// Receives messages and reconnects when the server stops; returns the ids of all messages up to the last.
async fn listener(person: Person, shared: Arc<Listeners>, mut last: watch::Receiver<i64>) -> Vec<i64> {
    let mut heard = Vec::new();
    let mut seq = shared.since;
    loop {
        let mut socket = person.bearer_socket().await;
        socket.try_send(json!({"type": "join_room", "room_id": shared.room, "since": seq})).await;
        loop {
            // The last message may have been received before it was known to be the last.
            let is_all = *last.borrow_and_update() > 0 && seq >= *last.borrow();
            if is_all {
                return heard;
            }
            let next = tokio::select! {
                next = socket.next() => next,
                _ = last.changed() => continue,
            };
            match next {
                ws::Received::Closed(code) => {
                    assert_eq!(code, Some(1001), "{:?}", socket.close_reason);
                    let hint = socket.retry_hint().expect("a hint when to come back");
                    shared.hinted.fetch_add(1, Ordering::Relaxed);
                    // Closes, then waits as long as hinted, as a browser does.
                    drop(socket);
                    tokio::time::sleep(Duration::from_millis(hint)).await;
                    break;
                }
                ws::Received::Event(event) if event["type"] == "joined" => {
                    shared.joins.fetch_add(1, Ordering::Relaxed);
                    *shared.joined_at.lock().unwrap() = Instant::now();
                }
                ws::Received::Event(event) if event["type"] == "message.created" => {
                    seq = event["seq"].as_i64().expect("seq");
                    heard.push(id(&event["message"]));
                }
                ws::Received::Event(event) => {
                    assert!(!matches!(event["type"].as_str(), Some("resync" | "error")), "{event}");
                }
            }
        }
    }
}

/// Every message of the room, paged from the oldest.
async fn everything(person: &Person, room: i64) -> BTreeMap<i64, String> {
    let mut all = BTreeMap::new();
    let mut after = 1;
    loop {
        let page =
            person.get(&format!("/api/rooms/{room}/messages?after={after}&limit=200")).await.expect(200);
        let messages = page["messages"].as_array().expect("messages");
        for message in messages {
            after = id(message);
            all.insert(after, message["content"].as_str().expect("content").to_owned());
        }
        if page["has_after"] == false || messages.is_empty() {
            return all;
        }
    }
}

/// How many sockets each worker had at its stop, from the log.
fn shares(log: &str) -> Vec<usize> {
    let seen_off = log.lines().filter(|line| line.contains("sees its sockets off"));
    seen_off.filter_map(|line| line.rsplit_once("sockets=")?.1.trim().parse().ok()).collect()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    within(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_under_socket_activation_refuses_and_loses_nothing() {
    let mut files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    files.current = files.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, files).expect("open files");
    let mut team = Team::on(Server::under(Systemd::new("http", None), SETTINGS)).await;
    let since = team.ada.get("/api/session").await.expect(200)["seq"].as_i64().expect("seq");
    let shared = Arc::new(Listeners {
        room: team.room,
        since,
        joins: AtomicUsize::new(0),
        joined_at: std::sync::Mutex::new(Instant::now()),
        hinted: AtomicUsize::new(0),
    });
    let (set_last, last) = watch::channel(0);
    let mut listeners = Vec::new();
    for number in 0..SOCKETS {
        let expected = number.saturating_sub(CONNECTING_AT_ONCE);
        until("the sockets before", || shared.joins.load(Ordering::Relaxed) >= expected).await;
        listeners.push(tokio::spawn(listener(team.ada.clone(), shared.clone(), last.clone())));
    }
    until("all sockets", || shared.joins.load(Ordering::Relaxed) == SOCKETS).await;

    let load = Arc::new(Load {
        address: team.server.address().get(),
        token: team.ada.token.clone(),
        room: team.room,
        done: AtomicUsize::new(0),
        again: AtomicUsize::new(0),
        worst: AtomicU64::new(0),
        over: AtomicBool::new(false),
    });
    let clients: Vec<_> = (0..2 * KEPT_CONNECTIONS)
        .map(|number| tokio::spawn(client(load.clone(), number, number % 2 == 0)))
        .collect();
    let asked = |count: usize| {
        let load = load.clone();
        async move { until("requests", || load.done.load(Ordering::Relaxed) >= count).await }
    };
    asked(BETWEEN).await;
    println!("before: the longest wait was {} ms", load.worst.swap(0, Ordering::Relaxed) / 1_000);
    for restart in 1..=RESTARTS {
        let signalled = Instant::now();
        team.server.signal("TERM");
        let (server, status) = tokio::task::spawn_blocking(move || {
            let status = team.server.wait();
            (team.server, status)
        })
        .await
        .expect("the server's end");
        team.server = server;
        let gone = signalled.elapsed();
        assert_eq!(status.code(), Some(0), "{}", team.server.log());
        tokio::task::block_in_place(|| team.server.restart());
        let ready = signalled.elapsed();
        let joins = SOCKETS * (restart + 1);
        until("all sockets again", || shared.joins.load(Ordering::Relaxed) >= joins).await;
        let back = shared.joined_at.lock().unwrap().duration_since(signalled);
        asked(load.done.load(Ordering::Relaxed) + BETWEEN).await;
        println!(
            "restart {restart}: gone after {gone:.2?}, ready after {ready:.2?}, all {SOCKETS} sockets back after {back:.2?}; the longest wait of a request was {} ms",
            load.worst.swap(0, Ordering::Relaxed) / 1_000
        );
    }
    let shares = shares(&team.server.log());
    println!("sockets of each worker, before each restart: {shares:?}");
    assert_eq!(shares.len(), 2 * RESTARTS, "{}", team.server.log());
    assert!(shares.iter().all(|share| *share >= SOCKETS / 4), "one worker has them all: {shares:?}");
    load.over.store(true, Ordering::Relaxed);
    let mut posted = HashMap::new();
    for client in clients {
        posted.extend(within("a client to end", client).await.expect("a client"));
    }
    let ending = id(&team.ada.say(team.room, "That is all.").await);
    set_last.send(ending).expect("somebody listens");

    let all = everything(&team.ada, team.room).await;
    let mut counted: HashMap<&str, usize> = HashMap::new();
    all.values().for_each(|content| *counted.entry(content).or_default() += 1);
    for (key, message) in &posted {
        assert_eq!(all.get(message), Some(key), "{key} was acknowledged");
    }
    assert!(counted.values().all(|count| *count == 1), "posted twice: {counted:?}");
    assert_eq!(all.len(), posted.len() + 1, "as many as were acknowledged");
    let wanted: Vec<i64> = all.keys().copied().collect();
    for (number, listener) in listeners.into_iter().enumerate() {
        let heard = within("a socket to have heard all", listener).await.expect("a socket");
        assert_eq!(heard, wanted, "socket {number}");
    }
    assert!(shared.hinted.load(Ordering::Relaxed) >= SOCKETS * RESTARTS);
    println!(
        "{} requests, {} posts; {} were asked again because a kept connection was closed before the answer began",
        load.done.load(Ordering::Relaxed),
        posted.len(),
        load.again.load(Ordering::Relaxed)
    );
}

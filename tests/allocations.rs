//! Allocations per request on the hot paths, compared with hyper answering a constant. The server runs in this process,
//! with an allocator that counts.

#![allow(unsafe_code)] // An allocator is unsafe by its trait.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    convert::Infallible,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
};

use campfire::{config::Config, server, store::DataDir};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: it came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: it came from `alloc` above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 5;
const REQUESTS: usize = 2_000;

/// A client that does not allocate once it is connected.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 256 << 10] }
    }

    /// Sends a request; returns the head and the body of the answer.
    fn ask(&mut self, request: &[u8]) -> (&str, &[u8]) {
        self.stream.write_all(request).unwrap();
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[filled..]).unwrap();
            assert!(count > 0, "the connection ended");
            filled += count;
            let Some(end) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
            let length = head
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.split("\r\n").next().unwrap().parse().unwrap());
            if filled >= end + 4 + length || head.starts_with("HTTP/1.1 304") {
                return (std::str::from_utf8(&self.buffer[..end]).unwrap(), &self.buffer[end + 4..filled]);
            }
        }
    }

    /// Allocations per request: the minimum over several rounds, because other threads allocate now and then.
    fn count(&mut self, request: &[u8], status: &str) -> usize {
        (0..ROUNDS)
            .map(|_| {
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                for _ in 0..REQUESTS {
                    let (head, _) = self.ask(request);
                    assert!(head.split(' ').nth(1) == Some(status), "{head}");
                }
                (ALLOCATIONS.load(Ordering::Relaxed) - before) / REQUESTS
            })
            .min()
            .unwrap()
    }
}

/// A server of bare hyper that answers a constant of this size.
fn bare_hyper(size: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
        runtime.unwrap().block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let body = bytes::Bytes::from(vec![b'x'; size]);
            loop {
                let (stream, _) = listener.accept().await.unwrap();
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
    address
}

/// Our server, with one worker.
fn campfire(data: &std::path::Path) -> SocketAddr {
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data: data.to_owned(),
        workers: 1,
        post_limit: 0,
        ..Config::default()
    };
    let (ready, address) = channel();
    std::thread::spawn(move || {
        let data = DataDir::claim(&config.data, config.durability).unwrap();
        server::serve_from(config, &data, None, |address| ready.send(address).unwrap()).unwrap();
    });
    address.recv().unwrap()
}

fn request(method: &str, path: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\n{more}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn allocations_of_warm_requests_exceed_bare_hyper_by_at_most_one() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::open(campfire(data.path()));
    let setup =
        r#"{"account_name":"Team","name":"Ana","email":"ana@example.org","password":"correct horse"}"#;
    let (_, body) = client.ask(&request("POST", "/api/setup", "", setup));
    let body = std::str::from_utf8(body).unwrap();
    let token = body.split_once(r#""token":""#).unwrap().1.split('"').next().unwrap();
    let signed_in = format!("cookie: campfire_session={token}\r\nsec-fetch-site: same-origin\r\n");
    for number in 0..60 {
        let body = format!(r#"{{"room_id":1,"content":"message {number} of the sixty that make the page"}}"#);
        let (head, _) = client.ask(&request("POST", "/api/messages", &signed_in, &body));
        assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    }
    let path = "/api/rooms/1/messages";
    let page = request("GET", path, &signed_in, "");
    let (head, body) = client.ask(&page);
    let size = body.len();
    let etag = head.split_once("etag: ").unwrap().1.split("\r\n").next().unwrap().to_owned();
    let gzipped = request("GET", path, &format!("{signed_in}accept-encoding: gzip\r\n"), "");
    let unchanged = request("GET", path, &format!("{signed_in}if-none-match: {etag}\r\n"), "");
    let constant = Client::open(bare_hyper(size)).count(&page, "200");
    let counts = [
        ("health", client.count(&request("GET", "/health", "", ""), "200")),
        ("page", client.count(&page, "200")),
        ("page, gzip", client.count(&gzipped, "200")),
        ("304", client.count(&unchanged, "304")),
    ];
    println!("hyper alone: {constant}; {counts:?}");
    for (name, count) in counts {
        assert!(count <= constant + 1, "{name}: {count} allocations, hyper alone takes {constant}");
    }
}

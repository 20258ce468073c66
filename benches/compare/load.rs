//! A cheap client: one thread and raw sockets; responses are checked for status and length only.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{process::Process, runtime, table::per_second};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// The results of a run of requests.
pub(crate) struct Outcome {
    pub(crate) per_second: f64,
    pub(crate) latencies: Vec<Duration>,
    /// CPU time of the server for each request, in microseconds.
    pub(crate) cpu: f64,
    /// The size of a response's body, in bytes.
    pub(crate) size: usize,
}

impl Outcome {
    /// Requests per second, and CPU time of the server for each.
    pub(crate) fn rate(&self) -> String {
        format!("{}, {:.1} µs", per_second(self.per_second), self.cpu)
    }

    /// Percentiles of the latency.
    pub(crate) fn times(&self) -> String {
        format!("p50 {:.2}, p99 {:.2} ms", self.percentile(0.5), self.percentile(0.99))
    }

    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let place =
            ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

pub(crate) async fn ask_once(address: SocketAddr, request: &[u8]) -> (u16, Vec<u8>) {
    Connection::open(address).await.ask(request).await
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, token: &str, more: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncookie: campfire_session={token}\r\nsec-fetch-site: same-origin\r\n{more}{length}\r\n{body}").into_bytes()
}

/// Sends requests over `clients` connections for `time`, each after the response to the last. `make` returns the
/// request of a client's turn. Every response must have this status.
pub(crate) fn run_clients(
    server: &Process,
    clients: usize,
    time: Duration,
    status: u16,
    make: impl Fn(usize, usize) -> Vec<u8> + Clone + 'static,
) -> Outcome {
    runtime().block_on(async move {
        let (address, cpu) = (server.address, server.cpu());
        let mut tasks = JoinSet::new();
        let started = Instant::now();
        for client in 0..clients {
            let make = make.clone();
            tasks.spawn_local(async move {
                let mut connection = Connection::open(address).await;
                let mut latencies = Vec::new();
                let (mut turn, mut size) = (0, 0);
                while started.elapsed() < time {
                    let request = make(client, turn);
                    let sent = Instant::now();
                    let (found, body) = connection.ask(&request).await;
                    assert_eq!(
                        found,
                        status,
                        "the server answered {found} to {}",
                        String::from_utf8_lossy(&request)
                    );
                    latencies.push(sent.elapsed());
                    size = body.len();
                    turn += 1;
                }
                (latencies, size)
            });
        }
        let (latencies, sizes): (Vec<Vec<Duration>>, Vec<usize>) = tasks.join_all().await.into_iter().unzip();
        let mut latencies = latencies.concat();
        let per_second = latencies.len() as f64 / started.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let cpu = (server.cpu() - cpu) * 1e6 / latencies.len().max(1) as f64;
        Outcome { per_second, latencies, cpu, size: sizes.into_iter().max().unwrap_or(0) }
    })
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a socket takes options");
        Self { stream, buffer: vec![0; 256 << 10], filled: 0 }
    }

    /// Sends a request; returns the status and the body of the response.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        self.stream.write_all(request).await.expect("the server reads");
        self.filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[self.filled..]).await.expect("the server answers");
            assert!(count > 0, "the server closed the connection");
            self.filled += count;
            let bytes = &self.buffer[..self.filled];
            let Some(end) = find(bytes, b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
            let status: u16 = head[9..12].parse().expect("a status is a number");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |text| text.parse().expect("a length is a number"));
            let length = if matches!(status, 204 | 304) { 0 } else { length };
            while self.filled < end + 4 + length {
                if self.filled == self.buffer.len() {
                    self.buffer.resize(self.buffer.len() * 2, 0);
                }
                let count =
                    self.stream.read(&mut self.buffer[self.filled..]).await.expect("the server answers");
                assert!(count > 0, "the server closed the connection");
                self.filled += count;
            }
            return (status, self.buffer[end + 4..end + 4 + length].to_vec());
        }
    }

    pub(crate) fn head(&self) -> String {
        let end = find(&self.buffer[..self.filled], b"\r\n\r\n").unwrap_or(0);
        String::from_utf8_lossy(&self.buffer[..end]).into_owned()
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

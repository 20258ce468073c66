//! An HTTP server that our server calls, such as a webhook: it records the requests and responds as the test decides.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::within;

#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

type Respond = dyn Fn(&Call, usize) -> Vec<u8> + Send + Sync;

pub struct Receiver {
    pub port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
    changed: Arc<Notify>,
}

/// A complete HTTP response.
pub fn response(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

impl Receiver {
    /// `respond` gets the request and the number of requests before it.
    pub async fn start(respond: impl Fn(&Call, usize) -> Vec<u8> + Send + Sync + 'static) -> Receiver {
        Receiver::at(SocketAddr::from(([127, 0, 0, 1], 0)), respond).await
    }

    /// The same at an address of a test's own network.
    pub async fn at(
        address: SocketAddr,
        respond: impl Fn(&Call, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind(address).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (calls, changed) = (Arc::<Mutex<Vec<Call>>>::default(), Arc::new(Notify::new()));
        let respond: Arc<Respond> = Arc::new(respond);
        let (all, notify) = (calls.clone(), changed.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (all, notify, respond) = (all.clone(), notify.clone(), respond.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let Some(request) = read(&mut stream).await else { return };
                    let before = {
                        let mut all = all.lock().unwrap();
                        all.push(request.clone());
                        all.len() - 1
                    };
                    notify.notify_waiters();
                    let _ = stream.get_mut().write_all(&respond(&request, before)).await;
                    let _ = stream.get_mut().shutdown().await;
                });
            }
        });
        Receiver { port, calls, changed }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Waits for this many requests and returns all.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<Call> {
        within("a call to the receiver", async {
            loop {
                let changed = self.changed.notified();
                let calls = self.calls();
                if calls.len() >= count {
                    return calls;
                }
                changed.await;
            }
        })
        .await
    }
}

async fn read(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<Call> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(Call { method, path, headers, body })
}

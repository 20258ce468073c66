//! A small HTTP/1.1 client over hyper's client connection, and raw exchanges for bytes that hyper would not send.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Address;
use super::within;

#[derive(Clone, Debug, Default)]
pub enum Credentials {
    #[default]
    None,
    Cookie(String),
    Bearer(String),
}

type Idle = Vec<(SocketAddr, SendRequest<Full<Bytes>>)>;

/// An HTTP client: an address, credentials, and connections that are kept alive between requests.
/// Clones share the connections; concurrent requests use one each.
#[derive(Clone)]
pub struct Client {
    address: Address,
    credentials: Credentials,
    idle: Arc<Mutex<Idle>>,
}

impl Client {
    pub fn new(address: Address, credentials: Credentials) -> Client {
        Client { address, credentials, idle: Arc::default() }
    }

    /// A client of the same server with other credentials and its own connections.
    pub fn with(&self, credentials: Credentials) -> Client {
        Client::new(self.address.clone(), credentials)
    }

    pub fn address(&self) -> SocketAddr {
        self.address.get()
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address.get())
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        let mut headers = HeaderMap::new();
        match &self.credentials {
            Credentials::None => {}
            Credentials::Cookie(token) => {
                headers.insert("cookie", format!("campfire_session={token}").parse().expect("a cookie"));
            }
            Credentials::Bearer(token) => {
                headers.insert("authorization", format!("Bearer {token}").parse().expect("a token"));
            }
        }
        RequestBuilder {
            client: self,
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            headers,
            body: Bytes::new(),
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.request("POST", path).json(body).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.request("PUT", path).json(body).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.request("PATCH", path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path).send().await
    }

    /// An idle connection that is ready, else a new one.
    async fn connection(&self) -> std::io::Result<(SocketAddr, SendRequest<Full<Bytes>>)> {
        let address = self.address.get();
        loop {
            let Some((of, mut sender)) = self.idle.lock().unwrap().pop() else { break };
            if of == address && sender.ready().await.is_ok() {
                return Ok((of, sender));
            }
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok((address, sender))
    }
}

/// A request to be sent.
pub struct RequestBuilder<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl RequestBuilder<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        if !content_type.is_empty() {
            self.headers.insert("content-type", content_type.parse().expect("a content type"));
        }
        self.body = body.into();
        self
    }

    pub async fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.path);
        match self.try_send().await {
            Ok(reply) => reply,
            Err(error) => panic!("{what}: {error}"),
        }
    }

    /// Sends the request; an error if the connection fails, as when the server is killed.
    pub async fn try_send(self) -> std::io::Result<Reply> {
        let what = format!("{} {}", self.method, self.path);
        within(&what, async {
            let (address, mut sender) = self.client.connection().await?;
            let mut request = Request::new(Full::new(self.body));
            *request.method_mut() = self.method;
            *request.uri_mut() = self.path.parse().map_err(std::io::Error::other)?;
            *request.headers_mut() = self.headers;
            let host = address.to_string().parse().expect("a host");
            request.headers_mut().entry("host").or_insert(host);
            let response = sender.send_request(request).await.map_err(std::io::Error::other)?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
            self.client.idle.lock().unwrap().push((address, sender));
            Ok(Reply { what: what.clone(), status: parts.status.as_u16(), headers: parts.headers, body })
        })
        .await
    }
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Reply {
    what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a printable header"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error} in {} {}", self.what, self.status, self.text()))
    }

    /// Asserts the status; returns the body as JSON, null if it is empty.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        if self.body.is_empty() {
            return Value::Null;
        }
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.what);
        self.json()
    }

    /// Asserts the status and a body of plain words.
    #[track_caller]
    pub fn expect_text(&self, status: u16, text: &str) {
        assert_eq!((self.status, self.text().as_str()), (status, text), "{}", self.what);
    }

    /// Asserts a complete problem with this status and code, and returns it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.refused(status);
        assert_eq!(problem["code"], code, "{}: {problem}", self.what);
        problem
    }

    /// Asserts a complete problem with this status and any code.
    #[track_caller]
    pub fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.what);
        assert!(
            self.header("x-request-id").is_some_and(|id| !id.is_empty()),
            "{}: no x-request-id",
            self.what
        );
        let problem = self.json();
        assert_eq!(problem["status"], status, "{}: {problem}", self.what);
        for key in ["type", "title", "detail", "code"] {
            let text = problem[key].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{}: no {key} in {problem}", self.what);
        }
        let code = problem["code"].as_str().unwrap_or_default();
        let snake = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(snake, "{}: {code:?} is no snake_case word", self.what);
        problem
    }

    /// Asserts a 422 that names exactly these fields, each with a reason.
    #[track_caller]
    pub fn invalid(&self, fields: &[&str]) {
        let problem = self.problem(422, "invalid");
        for field in fields {
            let reasons = problem["fields"][field].as_array().map(Vec::as_slice).unwrap_or_default();
            let said =
                !reasons.is_empty() && reasons.iter().all(|it| it.as_str().is_some_and(|it| !it.is_empty()));
            assert!(said, "{}: no reason for {field} in {problem}", self.what);
        }
        let named = problem["fields"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(named, fields.len(), "{}: other fields than {fields:?} in {problem}", self.what);
    }

    /// The value of the session cookie that this response sets.
    #[track_caller]
    pub fn cookie(&self) -> String {
        let line = self.cookie_line();
        let value = line.split(';').next().and_then(|pair| pair.split_once('=')).map(|(_, value)| value);
        value.expect("name=value").to_owned()
    }

    /// The whole `Set-Cookie` line of the session cookie.
    #[track_caller]
    pub fn cookie_line(&self) -> String {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|line| line.to_str().expect("printable"))
            .find(|line| line.starts_with("campfire_session="))
            .unwrap_or_else(|| panic!("{}: no session cookie in {:?}", self.what, self.headers))
            .to_owned()
    }
}

/// Sends raw bytes and returns everything up to the end of the connection.
pub async fn raw_exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    // The server may refuse and close while we still write.
    let _ = stream.write_all(bytes).await;
    read_to_close(&mut stream).await
}

/// Reads until the connection ends, by a close or a reset.
pub async fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    within("the server to close the connection", async {
        let mut chunk = [0; 16 * 1024];
        while let Ok(n @ 1..) = stream.read(&mut chunk).await {
            all.extend_from_slice(&chunk[..n]);
        }
    })
    .await;
    all
}

/// The status of the first response in raw bytes; 0 if there is none.
pub fn raw_status(bytes: &[u8]) -> u16 {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A multipart body: texts by name, and files by name, file name and bytes.
pub fn multipart(texts: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "between-the-parts-7";
    let mut body = Vec::new();
    for (name, text) in texts {
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
                .as_bytes(),
        );
    }
    for (name, filename, bytes) in files {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\ncontent-type: text/html\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

impl Client {
    /// Posts a file into a room.
    pub async fn upload(&self, room: i64, texts: &[(&str, &str)], filename: &str, bytes: &[u8]) -> Reply {
        let (kind, body) = multipart(texts, &[("file", filename, bytes)]);
        self.request("POST", &format!("/api/rooms/{room}/attachments")).body(&kind, body).send().await
    }
}

//! Port 80 beside HTTPS: redirects to HTTPS, and answers the challenges of HTTP-01.

use std::{convert::Infallible, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::spawn_local, time::timeout};

use super::{listener, tls::HttpChallenges};
use crate::config::{Config, https};

const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// Concurrent connections; more wait in the queue of the kernel.
const MAX_CONNECTIONS: usize = 256;

/// How long a connection may last.
const TOTAL: Duration = Duration::from_secs(10);
const HEAD_WITHIN: Duration = Duration::from_secs(5);
const MAX_HEAD: usize = 16 << 10;

/// Where requests are redirected to.
pub(super) struct Redirect {
    /// The names of this server; requests for other names are redirected to the first. Empty for any name.
    domains: Vec<String>,
    public_url: Option<String>,
    port: u16,
    challenges: Arc<HttpChallenges>,
}

impl Redirect {
    pub(super) fn new(config: &Config, challenges: Arc<HttpChallenges>) -> Self {
        let https = config.public_url.clone().filter(|url| url.starts_with("https://"));
        Self { domains: config.domain.clone(), public_url: https, port: config.listen.port(), challenges }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if let Some(token) = request.uri().path().strip_prefix(CHALLENGES) {
            return match self.challenges.get(token) {
                Some(answer) => text(StatusCode::OK, answer),
                None => text(StatusCode::NOT_FOUND, "There is no such challenge.\n".into()),
            };
        }
        let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = self.base(host).and_then(|base| HeaderValue::try_from(format!("{base}{path}")).ok());
        let Some(location) = location else {
            return text(StatusCode::BAD_REQUEST, "The Host header is missing or invalid.\n".into());
        };
        let mut response = text(StatusCode::PERMANENT_REDIRECT, "This server uses HTTPS.\n".into());
        response.headers_mut().insert(header::LOCATION, location);
        response
    }

    /// The scheme and host to redirect to, from the `Host` header.
    fn base(&self, host: Option<&str>) -> Option<String> {
        if let Some(url) = &self.public_url {
            return Some(url.clone());
        }
        let name = host.map(without_port).filter(|name| is_host(name));
        let name = match (name, self.domains.first()) {
            (Some(name), Some(_)) if self.domains.iter().any(|own| own.eq_ignore_ascii_case(name)) => name,
            (_, Some(first)) => first,
            (name, None) => name?,
        };
        Some(https(name, self.port))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether this is a host name or an address, without anything that would change the meaning of a URL.
fn is_host(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_v6 = |inner: &str| inner.parse::<std::net::Ipv6Addr>().is_ok();
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(inner) => is_v6(inner),
        None => !name.is_empty() && name.bytes().all(is_plain),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Accepts connections; never returns.
pub(super) async fn serve(listener: TcpListener, redirect: Redirect) {
    let redirect = Rc::new(redirect);
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(MAX_HEAD);
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let redirect = Rc::clone(&redirect);
                let builder = builder.clone();
                spawn_local(async move {
                    let _permit = permit;
                    let service = service_fn(move |request: Request<Incoming>| {
                        let response = redirect.answer(&request);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    // Errors and timeouts are the client's.
                    let _ = timeout(TOTAL, builder.serve_connection(TokioIo::new(stream), service)).await;
                });
            }
            Err(error) => listener::pause_after(&error).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(domains: &[&str], port: u16, host: Option<&str>, path: &str) -> Option<String> {
        let redirect = Redirect {
            domains: domains.iter().map(|domain| domain.to_string()).collect(),
            public_url: None,
            port,
            challenges: Arc::default(),
        };
        let mut request = Request::builder().uri(path);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let response = redirect.answer(&request.body(()).unwrap());
        response.headers().get("location").map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn redirect_keeps_the_path_and_uses_a_configured_domain() {
        let to = |host, path| location(&["chat.example.org", "c.example"], 443, Some(host), path).unwrap();
        assert_eq!(to("chat.example.org", "/rooms/1?x=2"), "https://chat.example.org/rooms/1?x=2");
        assert_eq!(to("C.example:80", "/"), "https://C.example/");
        assert_eq!(to("203.0.113.5", "/a"), "https://chat.example.org/a");
        assert_eq!(to("evil.example", "//evil.example/"), "https://chat.example.org//evil.example/");
        assert_eq!(location(&["c.example"], 8443, None, "/").unwrap(), "https://c.example:8443/");
    }

    #[test]
    fn redirect_without_a_domain_keeps_a_valid_host() {
        assert_eq!(location(&[], 8443, Some("box.local:80"), "/").unwrap(), "https://box.local:8443/");
        assert_eq!(location(&[], 443, Some("[::1]:80"), "/").unwrap(), "https://[::1]/");
        for host in ["", "a/b", "user@host", "a b", "[evil]"] {
            assert_eq!(location(&[], 443, Some(host), "/"), None, "{host}");
        }
        assert_eq!(location(&[], 443, None, "/"), None);
    }
}

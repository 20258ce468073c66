//! How the authority is called: over our own way out, one call per request.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response, StatusCode, header};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use crate::outbound::{Answer, Call, Outside, Redirects, Scope};

const CONNECT: Duration = Duration::from_secs(15);
/// For a call in all. Authorities that are busy take their time over an order.
const TOTAL: Duration = Duration::from_secs(60);
/// A chain of certificates is a few KiB.
const MAX_BODY: usize = 1 << 20;

/// The line to an authority.
#[derive(Clone)]
pub(super) struct Line {
    outside: Arc<Outside>,
    asked_to_wait: Arc<Mutex<Option<SystemTime>>>,
}

impl Line {
    pub(super) fn new(outside: Outside) -> Self {
        Self { outside: Arc::new(outside), asked_to_wait: Arc::default() }
    }

    /// Until when the last refusal asked us to wait (RFC 8555, section 6.6). Once told, it is forgotten.
    pub(super) fn take_wait(&self) -> Option<SystemTime> {
        self.asked_to_wait.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl HttpClient for Line {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let line = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let named = parts.headers.iter().filter(|(name, _)| **name != header::USER_AGENT);
            let call = Call {
                method: parts.method,
                url: parts.uri.to_string(),
                headers: named.map(|(name, value)| (name.clone(), value.clone())).collect(),
                body,
                // The owner chose the authority: a company's own one lives in the house.
                scope: Scope::Anywhere,
                redirects: Redirects::Refuse,
                connect: CONNECT,
                total: TOTAL,
                max_body: MAX_BODY,
            };
            let unreached = |why: String| Error::Other(format!("cannot reach {}: {why}", parts.uri).into());
            let answer = line.outside.call(&call).await.map_err(|error| {
                let why = error.to_string();
                match why.contains("UnknownIssuer") {
                    true => unreached(format!("{why}; if it is your own, name its roots with --acme-ca")),
                    false => unreached(why),
                }
            })?;
            if answer.truncated {
                return Err(unreached("its answer is too long".into()));
            }
            let is_refusal = answer.status.is_client_error() || answer.status.is_server_error();
            if is_refusal && let Some(until) = retry_after(&answer.headers, SystemTime::now()) {
                *line.asked_to_wait.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
            }
            if is_refusal && !is_problem(&answer) {
                return Err(unreached(format!("it answers with {}", shown(answer.status))));
            }
            let mut response = Response::new(Full::new(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response.into())
        })
    }
}

/// Whether a refusal says why (RFC 7807). A proxy before the authority says it in HTML.
fn is_problem(answer: &Answer) -> bool {
    answer.content_type().contains("json")
}

fn shown(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// Seconds, or a time (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(now + Duration::from_secs(u64::from(seconds))),
        Err(_) => httpdate::parse_http_date(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::outbound::Policy;

    /// What comes of a call that is answered so, and until when the line says to wait.
    async fn answered(answer: &'static str) -> (Result<BytesResponse, Error>, Option<SystemTime>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/order", listener.local_addr().unwrap());
        let line = Line::new(Outside::new(Policy::default()));
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let request = Request::builder().uri(url).body(BodyWrapper::default()).unwrap();
        let (response, ()) = tokio::join!(line.request(request), serving);
        let wait = line.take_wait();
        assert_eq!(line.take_wait(), None, "it is told once");
        (response, wait)
    }

    #[tokio::test]
    async fn a_refusal_that_says_why_is_passed_on_and_how_long_to_wait_is_kept() {
        let (response, wait) = answered(
            "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\nretry-after: 600\r\n\
             content-length: 2\r\n\r\n{}",
        )
        .await;
        assert_eq!(response.ok().unwrap().parts.status, 429);
        let wait = wait.unwrap().duration_since(SystemTime::now()).unwrap();
        assert!(wait > Duration::from_secs(500) && wait <= Duration::from_secs(600), "{wait:?}");
    }

    #[tokio::test]
    async fn a_refusal_in_html_is_told_by_its_status() {
        let (response, wait) = answered(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        )
        .await;
        let said = response.err().unwrap().to_string();
        assert!(said.starts_with("cannot reach http://127.0.0.1:"), "{said}");
        assert!(said.ends_with("/order: it answers with 503 Service Unavailable"), "{said}");
        assert_eq!(wait, None);
    }

    #[tokio::test]
    async fn what_is_answered_well_asks_for_no_wait() {
        let (response, wait) =
            answered("HTTP/1.1 200 OK\r\nretry-after: 3\r\ncontent-length: 2\r\n\r\n{}").await;
        assert_eq!(&response.ok().unwrap().body.into_bytes().await.unwrap()[..], b"{}");
        assert_eq!(wait, None);
    }

    #[test]
    fn how_long_to_wait_is_read_as_seconds_or_as_a_time() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let wait = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(text))]);
            retry_after(&headers, now).map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!(wait("120"), Some(1_120));
        for same in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(wait(same), Some(784_111_777), "{same}");
        }
        assert_eq!((wait("soon"), wait("-1"), wait("")), (None, None, None));
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}

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

use crate::outside::{Answer, Call, Outside, Redirects, Scope};

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
        Err(_) => {
            let seconds = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
            Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn how_long_to_wait_is_read_as_seconds_or_as_a_time() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let wait = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(text))]);
            retry_after(&headers, now).map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!(wait("120"), Some(1_120));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!((wait("soon"), wait("-1"), wait("")), (None, None, None));
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}

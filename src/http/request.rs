//! A request on its way to its handler: who asks, from where, with what.

use std::{borrow::Cow, net::IpAddr, rc::Rc};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{HeaderMap, Method, Uri, body::Incoming, header};
use percent_encoding::percent_decode_str;

use super::router::Params;
use crate::{
    chat::{
        Viewer,
        sessions::{Device, by_token},
    },
    types::MessageId,
    wire::{Form, Problem},
    worker::Worker,
};

/// The largest JSON body.
pub(crate) const MAX_JSON: usize = 1 << 20;

pub(crate) const COOKIE: &str = "campfire_session";

/// All that a handler may look at.
pub(crate) struct Call {
    pub(crate) worker: Rc<Worker>,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// The client's, or what a trusted proxy says that it is.
    pub(crate) address: IpAddr,
    /// Whether it came over TLS, to us or to a trusted proxy.
    pub(crate) is_secure: bool,
    /// The route's `{placeholders}`, in order.
    pub(crate) params: Params,
    pub(crate) body: Bytes,
}

impl Call {
    /// The fields of the JSON body.
    pub(crate) fn form(&self) -> Result<Form, Problem> {
        if !self.is_json() {
            return Err(Problem::unsupported_media_type());
        }
        Form::parse(&self.body)
    }

    fn is_json(&self) -> bool {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let kind = value.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
        })
    }

    /// The value of a placeholder. What is not UTF-8 is replaced.
    pub(crate) fn param(&self, place: usize) -> Cow<'_, str> {
        percent_decode_str(&self.uri.path()[self.params[place].clone()]).decode_utf8_lossy()
    }

    /// The id in the path. What cannot be an id is nothing that we have.
    pub(crate) fn id(&self, place: usize) -> Result<i64, Problem> {
        Some(self.param(place))
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|id: &i64| *id > 0)
            .ok_or_else(Problem::not_found)
    }

    pub(crate) fn query(&self) -> Query {
        Query::parse(self.uri.query().unwrap_or_default())
    }

    /// The device that asks.
    pub(crate) fn device(&self) -> Device<'_> {
        let user_agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Device { user_agent: user_agent.unwrap_or_default(), address: self.address }
    }

    /// Whether the caller reached us over TLS, by what we see or are told of our own address.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
            || self.worker.config().public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether it comes from this machine. What a proxy sends on comes from somewhere else, trusted or not.
    pub(crate) fn is_from_here(&self) -> bool {
        self.address.is_loopback()
            && !self.headers.contains_key("x-forwarded-for")
            && !self.headers.contains_key(header::FORWARDED)
    }

    /// Where this server is, as the caller sees it.
    pub(crate) fn base_url(&self) -> String {
        if let Some(url) = &self.worker.config().public_url {
            return url.trim_end_matches('/').to_owned();
        }
        match self.headers.get(header::HOST).and_then(|value| value.to_str().ok()) {
            Some(host) if self.is_secure => format!("https://{host}"),
            Some(host) => format!("http://{host}"),
            None => self.worker.config().base_url(),
        }
    }
}

/// Who asks: by the `Authorization` header if there is one, otherwise by the cookie.
pub(crate) fn viewer(
    worker: &Worker,
    headers: &HeaderMap,
    method: &Method,
    address: IpAddr,
) -> Result<Option<Viewer>, Problem> {
    let (token, by_cookie) = match headers.get(header::AUTHORIZATION) {
        Some(value) => match value.to_str().ok().and_then(bearer) {
            Some(token) => (token, false),
            None => return Ok(None),
        },
        None => match cookie(headers) {
            Some(token) => (token, true),
            None => return Ok(None),
        },
    };
    let viewer = by_token(worker, token, address);
    if viewer.is_some() && by_cookie && !method.is_safe() && is_cross_site(headers) {
        return Err(Problem::cross_site());
    }
    Ok(viewer)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Signing in by a form of another site would put a stranger's session into the browser.
pub(crate) fn refuse_cross_site(call: &Call) -> Result<(), Problem> {
    let from_browser =
        call.headers.contains_key("sec-fetch-site") || call.headers.contains_key(header::ORIGIN);
    if from_browser && is_cross_site(&call.headers) { Err(Problem::cross_site()) } else { Ok(()) }
}

/// Browsers say where a request comes from in `Sec-Fetch-Site`; the older ones in `Origin`.
fn is_cross_site(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site != "same-origin" && site != "none",
        None => !origin_is_ours(headers),
    }
}

/// Whether `Origin` is missing or names this host.
pub(crate) fn origin_is_ours(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let origin = origin.to_str().unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// So much of a body that is too large is read and thrown away: closed in the middle of it, the connection would be
/// reset, and the answer lost on its way.
const MAX_DISCARDED: usize = 4 << 20;

/// Reads a body of at most `limit` bytes, in at most the configured time.
pub(crate) async fn read_body(worker: &Worker, mut body: Incoming, limit: usize) -> Result<Bytes, Problem> {
    use hyper::body::Body;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let claimed = body.size_hint().lower();
    if claimed > (limit + MAX_DISCARDED) as u64 {
        return Err(Problem::too_large(limit));
    }
    let reading = async {
        let mut whole = BytesMut::new();
        let mut discarded = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Problem::malformed("The body broke off."))?;
            let Ok(data) = frame.into_data() else { continue };
            if discarded > 0 || claimed > limit as u64 || whole.len() + data.len() > limit {
                discarded += data.len();
                if discarded > MAX_DISCARDED {
                    break;
                }
                continue;
            }
            // The common case: one frame, no copy.
            if whole.is_empty() && body.is_end_stream() {
                return Ok(data);
            }
            whole.extend_from_slice(&data);
        }
        if discarded > 0 { Err(Problem::too_large(limit)) } else { Ok(whole.freeze()) }
    };
    tokio::time::timeout(worker.config().body_timeout, reading)
        .await
        .unwrap_or_else(|_| Err(Problem::timeout()))
}

/// The query of an address, encoded as forms are (URL Standard, section 5.1): the last value of each name counts.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A number, or 400.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| Problem::malformed(format!("`{name}` has to be a whole number.")))
            })
            .transpose()
    }

    /// An id, or 400.
    pub(crate) fn id(&self, name: &str) -> Result<Option<i64>, Problem> {
        match self.number(name)? {
            Some(id) if id <= 0 => {
                Err(Problem::malformed(format!("`{name}` has to be a positive whole number.")))
            }
            id => Ok(id),
        }
    }

    /// How many things to a page: 1 to 200, 50 if nothing is said.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        match self.number("limit")? {
            None => Ok(50),
            Some(limit @ 1..=200) => Ok(limit as usize),
            Some(_) => Err(Problem::malformed("`limit` has to be from 1 to 200.")),
        }
    }

    pub(crate) fn message(&self, name: &str) -> Result<Option<MessageId>, Problem> {
        Ok(self.id(name)?.map(MessageId))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_the_last_value_counts() {
        let query = Query::parse("q=a%20b+c&limit=3&limit=7&x&bad=%zz%4&e=%C3%A9");
        assert_eq!(query.text("q"), Some("a b c"));
        assert_eq!(query.limit().unwrap(), 7);
        assert_eq!(query.text("x"), Some(""));
        assert_eq!(query.text("bad"), Some("%zz%4"));
        assert_eq!(query.text("e"), Some("é"));
        assert_eq!(query.text("y"), None);
    }

    #[test]
    fn an_origin_is_ours_if_it_names_our_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "chat.example:3000".parse().unwrap());
        assert!(origin_is_ours(&headers));
        headers.insert(header::ORIGIN, "http://chat.example:3000".parse().unwrap());
        assert!(origin_is_ours(&headers));
        headers.insert(header::ORIGIN, "http://chat.example".parse().unwrap());
        assert!(!origin_is_ours(&headers));
        headers.insert(header::ORIGIN, "null".parse().unwrap());
        assert!(!origin_is_ours(&headers));
    }
}

//! The replies of handlers, and turning them into responses with the headers that all responses have.

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde::Serialize;
use smallvec::SmallVec;

use super::{
    body::Body,
    coding::{COMPRESS_FROM, brotli, gzip, preferred},
    etag::{Tag, hash},
};
use crate::{
    store::Posted,
    types::Seq,
    wire::{Problem, to_json},
    worker::cache::{BodyCache, Coding, Key},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding, cookie, authorization");

/// The headers of a request that decide on 304 and on content coding.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    if_none_match: SmallVec<[HeaderValue; 1]>,
    accept_encoding: Option<HeaderValue>,
}

impl Conditions {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            if_none_match: headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect(),
            accept_encoding: headers.get(header::ACCEPT_ENCODING).cloned(),
        }
    }
}

/// What a handler returns.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) etag: Option<Tag>,
    pub(crate) cache_control: HeaderValue,
    /// The body compressed already, if it is.
    pub(crate) gzip: Option<Bytes>,
    pub(crate) br: Option<Bytes>,
    /// The coding of `body`; None if it is not compressed yet.
    coding: Option<Coding>,
    /// Sent instead of `body`, without compression.
    pub(crate) stream: Option<Body>,
    pub(crate) headers: SmallVec<[(HeaderName, HeaderValue); 2]>,
}

impl Reply {
    fn of(status: StatusCode, body: Bytes, content_type: Option<HeaderValue>) -> Self {
        Self {
            status,
            body,
            content_type,
            etag: None,
            cache_control: NO_STORE,
            gzip: None,
            br: None,
            coding: None,
            stream: None,
            headers: SmallVec::new(),
        }
    }

    /// A resource: 200, with a hash of its bytes as entity tag.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self::json_bytes(to_json(value).into())
    }

    pub(crate) fn json_bytes(body: Bytes) -> Self {
        let etag = Some(format!("{:016x}", hash(&body)).into());
        Self { etag, cache_control: PRIVATE, ..Self::of(StatusCode::OK, body, Some(JSON)) }
    }

    /// The same with a given entity tag.
    pub(crate) fn tagged(body: Bytes, etag: String) -> Self {
        Self { etag: Some(etag.into()), cache_control: PRIVATE, ..Self::of(StatusCode::OK, body, Some(JSON)) }
    }

    /// A cached resource of this version, in the coding that the client prefers.
    pub(crate) fn cached(
        cache: &mut BodyCache,
        key: &Key,
        version: Seq,
        request: &HeaderMap,
    ) -> Option<Self> {
        let found = cache.get(key, version)?;
        let accepted = request.get(header::ACCEPT_ENCODING);
        let coding = match found.length() {
            0..COMPRESS_FROM => Coding::Identity,
            _ => preferred(accepted, false),
        };
        let (etag, link) = (found.etag(coding), found.link.clone());
        let body = cache.coded(key, coding, if coding == Coding::Brotli { brotli } else { gzip })?;
        let mut reply = Self::of(StatusCode::OK, body, Some(JSON));
        reply.cache_control = PRIVATE;
        reply.etag = Some(Tag::Whole(etag));
        reply.coding = Some(coding);
        reply.headers.extend(link.map(|link| (header::LINK, link)));
        Some(reply)
    }

    /// The result of a write: no entity tag, not cached.
    pub(crate) fn written(status: StatusCode, value: &impl Serialize) -> Self {
        Self::written_bytes(status, to_json(value).into())
    }

    pub(crate) fn written_bytes(status: StatusCode, body: Bytes) -> Self {
        Self::of(status, body, Some(JSON))
    }

    /// A posted message: 201, or 200 if its `client_message_id` was posted before.
    pub(crate) fn posted(posted: Posted) -> Self {
        let status = if posted.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Self::written_bytes(status, posted.json)
    }

    pub(crate) fn no_content() -> Self {
        Self::of(StatusCode::NO_CONTENT, Bytes::new(), None)
    }

    /// 302: what is asked for is at another path of this server.
    pub(crate) fn redirect(path: &str) -> Result<Self, Problem> {
        let path = HeaderValue::try_from(path).map_err(|_| Problem::not_found())?;
        Ok(Self::of(StatusCode::FOUND, Bytes::new(), None).with(header::LOCATION, path))
    }

    /// 202: queued.
    pub(crate) fn accepted() -> Self {
        Self::of(StatusCode::ACCEPTED, Bytes::new(), None)
    }

    pub(crate) fn text(body: impl Into<Bytes>, content_type: &'static str) -> Self {
        Self::of(StatusCode::OK, body.into(), Some(HeaderValue::from_static(content_type)))
    }

    /// A picture or a sound, with a hash of its bytes as entity tag.
    pub(crate) fn picture(body: Bytes, content_type: HeaderValue) -> Self {
        let etag = Some(format!("{:016x}", hash(&body)).into());
        Self { etag, ..Self::of(StatusCode::OK, body, Some(content_type)) }
    }

    /// A body that is read or made while it is sent.
    pub(crate) fn streamed(status: StatusCode, body: Body, content_type: HeaderValue) -> Self {
        Self { stream: Some(body), ..Self::of(status, Bytes::new(), Some(content_type)) }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn cache_control(mut self, cache_control: &'static str) -> Self {
        self.cache_control = HeaderValue::from_static(cache_control);
        self
    }

    /// Whether its bytes are those of a cache, which many responses share.
    pub(crate) fn is_shared(&self) -> bool {
        self.coding.is_some()
    }

    /// The response: 304 if the client has the resource, compressed if the client accepts that.
    pub(crate) fn into_response(self, request: &Conditions) -> Response<Body> {
        let coding = self.coding.unwrap_or_else(|| self.coding_for(request));
        let unchanged = self.status == StatusCode::OK
            && self
                .etag
                .as_ref()
                .is_some_and(|tag| request.if_none_match.iter().any(|value| tag.is_named(value.as_bytes())));
        let compressible = self.body.len() >= COMPRESS_FROM;
        let body = match (unchanged, coding) {
            (true, _) => Bytes::new(),
            (false, Coding::Identity) => self.body,
            (false, _) if self.coding.is_some() => self.body,
            (false, Coding::Gzip) => self.gzip.unwrap_or_else(|| gzip(&self.body)),
            (false, Coding::Brotli) => self.br.unwrap_or_else(|| brotli(&self.body)),
        };
        let body = match self.stream {
            Some(stream) if !unchanged => stream,
            _ => body.into(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = if unchanged { StatusCode::NOT_MODIFIED } else { self.status };
        let headers = response.headers_mut();
        headers.reserve(10);
        if let Some(content_type) = self.content_type
            && !unchanged
        {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        let named = match coding {
            _ if unchanged => None,
            Coding::Identity => None,
            Coding::Gzip => Some("gzip"),
            Coding::Brotli => Some("br"),
        };
        if let Some(named) = named {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(named));
        }
        if compressible || self.etag.is_some() {
            headers.insert(header::VARY, VARY);
        }
        if let Some(tag) = self.etag {
            headers.insert(header::ETAG, tag.into_value(coding));
        }
        headers.insert(header::CACHE_CONTROL, self.cache_control);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }

    fn coding_for(&self, request: &Conditions) -> Coding {
        if self.body.len() < COMPRESS_FROM || !self.is_text() {
            return Coding::Identity;
        }
        preferred(request.accept_encoding.as_ref(), self.br.is_some())
    }

    fn is_text(&self) -> bool {
        self.content_type.as_ref().and_then(|value| value.to_str().ok()).is_some_and(|kind| {
            kind.starts_with("text/")
                || ["json", "javascript", "xml", "svg", "manifest"].iter().any(|word| kind.contains(word))
        })
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Self::of(status, problem.json().into(), Some(PROBLEM));
        if let Some(seconds) = problem.retry_after_s() {
            reply.headers.push((header::RETRY_AFTER, seconds.into()));
        }
        if let Some(allow) = problem.allow {
            reply
                .headers
                .push((header::ALLOW, HeaderValue::try_from(&*allow).expect("methods are printable")));
        }
        if problem.status == 426 {
            // RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
            reply.headers.push((header::CONNECTION, HeaderValue::from_static("Upgrade")));
            reply.headers.push((header::UPGRADE, HeaderValue::from_static("websocket")));
            reply.headers.push((header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        }
        if problem.status == 401 {
            reply.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        reply
    }
}

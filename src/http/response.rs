//! Answers, and what every one of them carries.

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde::Serialize;
use smallvec::SmallVec;

use super::body::Body;
use crate::{
    store::Posted,
    types::Seq,
    wire::{Problem, to_json},
    worker::cache::{BodyCache, Coding, Key, etag},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding, cookie, authorization");

/// Texts smaller than this are not worth compressing.
const COMPRESS_FROM: usize = 1024;

/// What of a request decides how its answer is put on the wire.
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

/// A strong entity tag.
#[derive(Clone, Debug)]
pub(crate) enum Tag {
    /// Its opaque part; the coding is added to it.
    Opaque(String),
    /// The whole of it.
    Whole(HeaderValue),
}

impl From<String> for Tag {
    fn from(tag: String) -> Self {
        Self::Opaque(tag)
    }
}

impl Tag {
    fn is_named(&self, if_none_match: &[u8]) -> bool {
        match self {
            Self::Opaque(tag) => names(if_none_match, tag),
            Self::Whole(value) => names(if_none_match, opaque(value.as_bytes()).unwrap_or_default()),
        }
    }

    fn into_value(self, coding: Coding) -> HeaderValue {
        match self {
            Self::Opaque(tag) => etag(&tag, coding),
            Self::Whole(value) => value,
        }
    }
}

/// What a handler answers.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) etag: Option<Tag>,
    pub(crate) cache_control: HeaderValue,
    /// Made before, so as not to be made at each request.
    pub(crate) gzip: Option<Bytes>,
    pub(crate) br: Option<Bytes>,
    /// How `body` is encoded already; None if that is still to be seen.
    coding: Option<Coding>,
    /// Sent in place of `body`, as it is.
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

    /// A resource: 200, with an entity tag made of its bytes.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self::json_bytes(to_json(value).into())
    }

    pub(crate) fn json_bytes(body: Bytes) -> Self {
        let etag = Some(format!("{:016x}", hash(&body)).into());
        Self { etag, cache_control: PRIVATE, ..Self::of(StatusCode::OK, body, Some(JSON)) }
    }

    /// The same when the tag is known without looking at the bytes.
    pub(crate) fn tagged(body: Bytes, etag: String) -> Self {
        Self { etag: Some(etag.into()), cache_control: PRIVATE, ..Self::of(StatusCode::OK, body, Some(JSON)) }
    }

    /// What is cached under a key for that version, in the coding that the caller takes: nothing is made anew but a coding
    /// that nobody has asked for before.
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

    /// The answer to a write.
    pub(crate) fn written(status: StatusCode, value: &impl Serialize) -> Self {
        Self::written_bytes(status, to_json(value).into())
    }

    pub(crate) fn written_bytes(status: StatusCode, body: Bytes) -> Self {
        Self::of(status, body, Some(JSON))
    }

    /// A posted message: 201, or 200 if it had been posted before.
    pub(crate) fn posted(posted: Posted) -> Self {
        let status = if posted.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Self::written_bytes(status, posted.json)
    }

    pub(crate) fn no_content() -> Self {
        Self::of(StatusCode::NO_CONTENT, Bytes::new(), None)
    }

    /// It will be done.
    pub(crate) fn accepted() -> Self {
        Self::of(StatusCode::ACCEPTED, Bytes::new(), None)
    }

    pub(crate) fn text(body: impl Into<Bytes>, content_type: &'static str) -> Self {
        Self::of(StatusCode::OK, body.into(), Some(HeaderValue::from_static(content_type)))
    }

    /// A small thing that is no JSON, with an entity tag made of its bytes.
    pub(crate) fn picture(body: Bytes, content_type: HeaderValue) -> Self {
        let etag = Some(format!("{:016x}", hash(&body)).into());
        Self { etag, ..Self::of(StatusCode::OK, body, Some(content_type)) }
    }

    /// An answer that is sent as it is made or read.
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

    /// Puts the answer on the wire: conditional, compressed if the caller takes that.
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
            reply.headers.push((header::ALLOW, HeaderValue::try_from(allow).expect("methods are printable")));
        }
        if problem.status == 401 {
            reply.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        reply
    }
}

/// Brotli where it is made already, otherwise gzip, which costs a tenth of it.
fn preferred(accepted: Option<&HeaderValue>, has_br: bool) -> Coding {
    let Some(accepted) = accepted.and_then(|value| value.to_str().ok()) else { return Coding::Identity };
    let (gzip, br) = (accepts(accepted, "gzip"), accepts(accepted, "br"));
    match (gzip, br) {
        (_, true) if has_br || !gzip => Coding::Brotli,
        (true, _) => Coding::Gzip,
        _ => Coding::Identity,
    }
}

/// Whether `Accept-Encoding` takes a coding: named, and not with a weight of zero (RFC 9110, section 12.5.3).
fn accepts(accepted: &str, coding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';');
        let name = parts.next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case(coding)
            && !parts.any(|weight| {
                weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q == 0.0)
            })
    })
}

/// Whether `If-None-Match` names this tag, in whichever encoding; `W/` is of no account for a GET (RFC 9110, 13.1.2).
pub(crate) fn names(if_none_match: &[u8], tag: impl AsRef<[u8]>) -> bool {
    let tag = tag.as_ref();
    if_none_match.split(|byte| *byte == b',').any(|item| {
        let item = item.trim_ascii();
        let item = item.strip_prefix(b"W/").unwrap_or(item);
        item == b"*" || opaque(item) == Some(tag)
    })
}

/// What an entity tag has between its quotes, but for the coding.
fn opaque(tag: &[u8]) -> Option<&[u8]> {
    let tag = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(tag.strip_suffix(b"-gz").or_else(|| tag.strip_suffix(b"-br")).unwrap_or(tag))
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn gzip(body: &[u8]) -> Bytes {
    use std::io::Write;
    // Level 1: three quarters of what level 9 saves, in a tenth of the time, and this is on a worker.
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes any bytes").into()
}

fn brotli(body: &[u8]) -> Bytes {
    let mut packed = Vec::with_capacity(body.len() / 4);
    let params = brotli::enc::BrotliEncoderParams { quality: 3, lgwin: 18, ..Default::default() };
    brotli::BrotliCompress(&mut &*body, &mut packed, &params).expect("memory takes any bytes");
    packed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_with_weight_zero_is_not_accepted() {
        assert!(accepts("gzip, br;q=0.5", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("identity", "gzip"));
        assert!(accepts("GZIP", "gzip"));
    }

    #[test]
    fn a_tag_is_found_among_others_in_any_encoding() {
        assert!(names(b"\"a\", W/\"b-gz\"", "b"));
        assert!(names(b"*", "b"));
        assert!(!names(b"\"a\"", "b"));
        assert!(!names(b"b", "b"));
    }
}

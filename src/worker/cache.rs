//! A worker's cache of response bodies. It is bounded in bytes, and a body is valid for one version of its source only.

use std::collections::HashMap;

use bytes::Bytes;
use hyper::header::HeaderValue;

use crate::types::{RoomId, Seq, UserId};

/// Bytes cached by one worker. Beyond it, the half of the entries used least recently is dropped.
const BUDGET: usize = 16 << 20;

/// Bytes of one body with its compressed forms. A larger one is not cached: it would take the place of many others.
const MAX_ENTRY: usize = BUDGET / 8;

/// What a body answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The newest messages of a room.
    Newest(RoomId),
    /// A user's search, by the query string of its URL.
    Search(UserId, Box<str>),
}

/// The approximate size of an entry without its body, in bytes.
const ENTRY: usize = 512;

impl Key {
    fn size(&self) -> usize {
        match self {
            Self::Newest(_) => ENTRY,
            Self::Search(_, query) => ENTRY + query.len(),
        }
    }
}

/// Content codings (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
    Brotli,
}

/// A response body with the values of its headers.
#[derive(Clone, Debug)]
pub struct CachedBody {
    pub version: Seq,
    body: Bytes,
    /// Made on first use.
    gzip: Option<Bytes>,
    br: Option<Bytes>,
    /// `ETag`, in the order of [`Coding`].
    etags: [HeaderValue; 3],
    /// `Link`, if there are more pages.
    pub link: Option<HeaderValue>,
}

impl CachedBody {
    pub fn new(version: Seq, body: Bytes, tag: &str, link: Option<HeaderValue>) -> Self {
        let etags = [Coding::Identity, Coding::Gzip, Coding::Brotli].map(|coding| etag(tag, coding));
        Self { version, body, gzip: None, br: None, etags, link }
    }

    fn size(&self) -> usize {
        let compressed = |body: &Option<Bytes>| body.as_ref().map_or(0, Bytes::len);
        self.body.len() + compressed(&self.gzip) + compressed(&self.br)
    }

    /// Bytes of the uncompressed body.
    pub fn length(&self) -> usize {
        self.body.len()
    }

    pub fn etag(&self, coding: Coding) -> HeaderValue {
        self.etags[coding as usize].clone()
    }
}

/// A strong entity tag, which differs for each coding of a body (RFC 9110, section 8.8.3).
pub fn etag(tag: &str, coding: Coding) -> HeaderValue {
    let suffix = match coding {
        Coding::Identity => "",
        Coding::Gzip => "-gz",
        Coding::Brotli => "-br",
    };
    HeaderValue::try_from(format!("\"{tag}{suffix}\"")).expect("a tag is printable")
}

#[derive(Debug, Default)]
pub struct BodyCache {
    bodies: HashMap<Key, (u64, CachedBody)>,
    bytes: usize,
    clock: u64,
}

impl BodyCache {
    /// The body for a key, if it was made of this version.
    pub fn get(&mut self, key: &Key, version: Seq) -> Option<&CachedBody> {
        self.clock += 1;
        let (used, found) = self.bodies.get_mut(key)?;
        *used = self.clock;
        (found.version == version).then_some(found)
    }

    /// A body in a coding; `compress` makes it on first use.
    pub fn coded(
        &mut self,
        key: &Key,
        coding: Coding,
        compress: impl FnOnce(&[u8]) -> Bytes,
    ) -> Option<Bytes> {
        let (_, found) = self.bodies.get_mut(key)?;
        let place = match coding {
            Coding::Identity => return Some(found.body.clone()),
            Coding::Gzip => &mut found.gzip,
            Coding::Brotli => &mut found.br,
        };
        if place.is_none() {
            let compressed = compress(&found.body);
            self.bytes += compressed.len();
            *place = Some(compressed);
        }
        place.clone()
    }

    pub fn put(&mut self, key: Key, body: CachedBody) {
        if key.size() + body.size() > MAX_ENTRY {
            return self.remove(&key);
        }
        self.clock += 1;
        let key_size = key.size();
        self.bytes += key_size + body.size();
        if let Some((_, old)) = self.bodies.insert(key, (self.clock, body)) {
            self.bytes -= key_size + old.size();
        }
        if self.bytes > BUDGET {
            let mut ages: Vec<u64> = self.bodies.values().map(|(used, _)| *used).collect();
            ages.sort_unstable();
            let median = ages[ages.len() / 2];
            self.bodies.retain(|_, (used, _)| *used >= median);
            self.bytes = self.bodies.iter().map(|(key, (_, body))| key.size() + body.size()).sum();
        }
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some((_, body)) = self.bodies.remove(key) {
            self.bytes -= key.size() + body.size();
        }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(version: i64, size: usize) -> CachedBody {
        CachedBody::new(Seq(version), Bytes::from(vec![0; size]), "tag", None)
    }

    fn room(id: i64) -> Key {
        Key::Newest(RoomId(id))
    }

    #[test]
    fn body_is_found_only_for_its_version() {
        let mut cache = BodyCache::default();
        cache.put(room(1), body(5, 10));
        assert!(cache.get(&room(1), Seq(5)).is_some());
        assert!(cache.get(&room(1), Seq(6)).is_none());
        assert!(cache.get(&room(2), Seq(5)).is_none());
    }

    #[test]
    fn body_is_compressed_once_and_counted() {
        let mut cache = BodyCache::default();
        cache.put(room(1), body(5, 10));
        let compress = |_: &[u8]| Bytes::from_static(b"zip");
        assert_eq!(cache.coded(&room(1), Coding::Gzip, compress).as_deref(), Some(&b"zip"[..]));
        let again = cache.coded(&room(1), Coding::Gzip, |_| panic!("it is compressed already"));
        assert_eq!(again.as_deref(), Some(&b"zip"[..]));
        assert_eq!(cache.bytes(), 13 + ENTRY);
        cache.remove(&room(1));
        assert_eq!(cache.bytes(), 0);
    }

    /// B19.
    #[test]
    fn large_body_is_not_cached_and_replaces_what_was() {
        let mut cache = BodyCache::default();
        cache.put(room(1), body(1, MAX_ENTRY - ENTRY));
        assert!(cache.get(&room(1), Seq(1)).is_some());
        cache.put(room(1), body(2, MAX_ENTRY - ENTRY + 1));
        assert!(cache.get(&room(1), Seq(2)).is_none());
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn cache_over_its_budget_drops_the_least_recently_used() {
        let mut cache = BodyCache::default();
        for id in 1..=20 {
            cache.put(room(id), body(1, 1 << 20));
            cache.get(&room(1), Seq(1));
        }
        assert!(cache.bytes() <= BUDGET);
        assert!(cache.get(&room(1), Seq(1)).is_some());
        assert!(cache.get(&room(20), Seq(1)).is_some());
        assert!(cache.get(&room(2), Seq(1)).is_none());
    }
}

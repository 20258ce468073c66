//! A worker's cache of finished answers, with a budget and valid only for the version that they were made of.

use std::collections::HashMap;

use bytes::Bytes;
use hyper::header::HeaderValue;

use crate::types::{RoomId, Seq, UserId};

/// Bytes of bodies a worker keeps at most; past it the half that was used least recently goes.
const BUDGET: usize = 16 << 20;

/// What an answer is to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The newest messages of a room.
    Newest(RoomId),
    /// A person's search, as the query of its address says it.
    Search(UserId, Box<str>),
}

/// What an entry costs beside its body, roughly.
const ENTRY: usize = 512;

impl Key {
    fn size(&self) -> usize {
        match self {
            Self::Newest(_) => ENTRY,
            Self::Search(_, query) => ENTRY + query.len(),
        }
    }
}

/// How a body is encoded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
    Brotli,
}

/// A finished answer, with the values of its headers made too.
#[derive(Clone, Debug)]
pub struct CachedBody {
    pub version: Seq,
    body: Bytes,
    /// Made when somebody first takes them.
    gzip: Option<Bytes>,
    br: Option<Bytes>,
    /// `ETag`, in the order of the codings.
    etags: [HeaderValue; 3],
    /// The `Link` header, if there is more than this page.
    pub link: Option<HeaderValue>,
}

impl CachedBody {
    pub fn new(version: Seq, body: Bytes, tag: &str, link: Option<HeaderValue>) -> Self {
        let etags = [Coding::Identity, Coding::Gzip, Coding::Brotli].map(|coding| etag(tag, coding));
        Self { version, body, gzip: None, br: None, etags, link }
    }

    fn size(&self) -> usize {
        let packed = |body: &Option<Bytes>| body.as_ref().map_or(0, Bytes::len);
        self.body.len() + packed(&self.gzip) + packed(&self.br)
    }

    /// Bytes of the body as it is.
    pub fn length(&self) -> usize {
        self.body.len()
    }

    pub fn etag(&self, coding: Coding) -> HeaderValue {
        self.etags[coding as usize].clone()
    }
}

/// A strong entity tag: each coding of a body has one of its own (RFC 9110, section 8.8.3).
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
    pub fn get(&mut self, key: &Key, version: Seq) -> Option<&CachedBody> {
        self.clock += 1;
        let (used, found) = self.bodies.get_mut(key)?;
        *used = self.clock;
        (found.version == version).then_some(found)
    }

    /// The body of what was just got, packed by `pack` if it had not been.
    pub fn coded(&mut self, key: &Key, coding: Coding, pack: impl FnOnce(&[u8]) -> Bytes) -> Option<Bytes> {
        let (_, found) = self.bodies.get_mut(key)?;
        let place = match coding {
            Coding::Identity => return Some(found.body.clone()),
            Coding::Gzip => &mut found.gzip,
            Coding::Brotli => &mut found.br,
        };
        if place.is_none() {
            let packed = pack(&found.body);
            self.bytes += packed.len();
            *place = Some(packed);
        }
        place.clone()
    }

    pub fn put(&mut self, key: Key, body: CachedBody) {
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
    fn a_body_is_found_only_for_the_version_it_was_made_of() {
        let mut cache = BodyCache::default();
        cache.put(room(1), body(5, 10));
        assert!(cache.get(&room(1), Seq(5)).is_some());
        assert!(cache.get(&room(1), Seq(6)).is_none());
        assert!(cache.get(&room(2), Seq(5)).is_none());
    }

    #[test]
    fn a_body_is_packed_once_and_counted() {
        let mut cache = BodyCache::default();
        cache.put(room(1), body(5, 10));
        let pack = |_: &[u8]| Bytes::from_static(b"zip");
        assert_eq!(cache.coded(&room(1), Coding::Gzip, pack).as_deref(), Some(&b"zip"[..]));
        let again = cache.coded(&room(1), Coding::Gzip, |_| panic!("it is packed already"));
        assert_eq!(again.as_deref(), Some(&b"zip"[..]));
        assert_eq!(cache.bytes(), 13 + ENTRY);
        cache.remove(&room(1));
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn past_its_budget_the_cache_drops_what_was_used_least_recently() {
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

//! The newest page of each busy room, as finished bodies. One per worker.

use bytes::Bytes;

use crate::types::{IdMap, RoomId, Seq};

/// Bytes of bodies a worker keeps at most; past it the half that was used least recently goes.
const BUDGET: usize = 16 << 20;

/// A finished body, valid as long as the room's messages have not changed.
#[derive(Clone, Debug)]
pub struct CachedPage {
    pub version: Seq,
    pub body: Bytes,
    pub gzip: Option<Bytes>,
    /// The `Link` header, if the room has more than this page.
    pub link: Option<String>,
}

impl CachedPage {
    fn size(&self) -> usize {
        self.body.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }
}

#[derive(Debug, Default)]
pub struct PageCache {
    pages: IdMap<RoomId, (u64, CachedPage)>,
    bytes: usize,
    clock: u64,
}

impl PageCache {
    pub fn get(&mut self, room: RoomId, version: Seq) -> Option<&mut CachedPage> {
        self.clock += 1;
        let (used, page) = self.pages.get_mut(&room)?;
        *used = self.clock;
        (page.version == version).then_some(page)
    }

    pub fn put(&mut self, room: RoomId, page: CachedPage) {
        self.clock += 1;
        self.bytes += page.size();
        if let Some((_, old)) = self.pages.insert(room, (self.clock, page)) {
            self.bytes -= old.size();
        }
        if self.bytes > BUDGET {
            let mut ages: Vec<u64> = self.pages.values().map(|(used, _)| *used).collect();
            ages.sort_unstable();
            let median = ages[ages.len() / 2];
            self.pages.retain(|_, (used, _)| *used >= median);
            self.bytes = self.pages.values().map(|(_, page)| page.size()).sum();
        }
    }

    /// Takes an encoding in that was made for a page after it was put.
    pub fn grew(&mut self, by: usize) {
        self.bytes += by;
    }

    pub fn remove(&mut self, room: RoomId) {
        if let Some((_, page)) = self.pages.remove(&room) {
            self.bytes -= page.size();
        }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(version: i64, size: usize) -> CachedPage {
        CachedPage { version: Seq(version), body: Bytes::from(vec![0; size]), gzip: None, link: None }
    }

    #[test]
    fn a_page_is_found_only_for_the_version_it_was_made_of() {
        let mut cache = PageCache::default();
        cache.put(RoomId(1), page(5, 10));
        assert!(cache.get(RoomId(1), Seq(5)).is_some());
        assert!(cache.get(RoomId(1), Seq(6)).is_none());
        assert!(cache.get(RoomId(2), Seq(5)).is_none());
    }

    #[test]
    fn past_its_budget_the_cache_drops_what_was_used_least_recently() {
        let mut cache = PageCache::default();
        for room in 1..=20 {
            cache.put(RoomId(room), page(1, 1 << 20));
            cache.get(RoomId(1), Seq(1));
        }
        assert!(cache.bytes() <= BUDGET);
        assert!(cache.get(RoomId(1), Seq(1)).is_some());
        assert!(cache.get(RoomId(20), Seq(1)).is_some());
        assert!(cache.get(RoomId(2), Seq(1)).is_none());
    }
}

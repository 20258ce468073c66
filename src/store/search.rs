//! Searching messages.

use super::{Reader, messages::bytes};
use crate::{
    text::{HIT_END, HIT_START},
    types::{MessageId, RoomId, Timestamp, UserId},
};
use bytes::Bytes;
use rusqlite::OptionalExtension;

/// Hits probed, newest first, before the rooms are made part of the FTS5 expression. For a member of most rooms so few
/// contain a page of hits. For a member of few rooms of a large history the index has to intersect: probing every hit of
/// a common word took 70 to 190 ms per million messages.
const PROBES: usize = 400;

/// The same for few rooms, which the index intersects fast. Probing first pays for rare words, and mostly for one person's
/// messages: intersecting with the posting list of a large room takes 30 µs for each hit.
const PROBES_OF_FEW_ROOMS: usize = 32;
const PROBES_OF_A_PERSON: usize = 128;

/// After every message.
const AFTER_ALL: MessageId = MessageId(i64::MAX);

/// Rooms that count as few.
const FEW_ROOMS: usize = 2;

/// Words that a prefix is expanded to. If there are more, FTS5 searches for the prefix itself.
const MAX_WORDS: usize = 64;

/// Words in a snippet.
const SNIPPET_TOKENS: i64 = 24;

/// What to search for, and where.
#[derive(Debug)]
pub struct SearchQuery<'a> {
    /// An FTS5 expression over the words alone, as `text::Query` makes it.
    pub words: Option<&'a str>,
    /// The rooms to search, in ascending order.
    pub rooms: &'a [RoomId],
    /// The number of all rooms: a search over all of them needs no filter.
    pub room_total: usize,
    /// The authors; empty for all.
    pub creators: &'a [UserId],
    /// Tags of the index that each message has to have.
    pub has: &'a [&'a str],
    /// The oldest message to search.
    pub from: MessageId,
    /// Only messages older than this one.
    pub before: Option<MessageId>,
    pub limit: usize,
}

/// A message that was found.
#[derive(Debug)]
pub struct Hit {
    pub json: Bytes,
    /// Plain text, with each hit between `HIT_START` and `HIT_END`.
    pub snippet: String,
}

/// A page of hits, the newest first.
#[derive(Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub has_before: bool,
}

impl Reader {
    /// Searches messages, the newest first. FTS5 yields hits in the order of their ids by itself; ranking took 45 to 760 ms.
    pub fn search(&self, query: &SearchQuery<'_>) -> rusqlite::Result<Found> {
        if query.rooms.is_empty() {
            return Ok(Found::default());
        }
        let before = query.before.unwrap_or(MessageId(i64::MAX));
        let wanted = without_rooms(query);
        let within_rooms = |query: &SearchQuery<'_>| {
            let rooms: Vec<String> = query.rooms.iter().map(|room| format!("r{room}")).collect();
            let rooms = format!("room : ({})", rooms.join(" OR "));
            wanted.iter().cloned().chain([rooms]).collect::<Vec<_>>().join(" AND ")
        };
        let mut hits = match &wanted {
            Some(wanted) if query.rooms.len() == query.room_total => {
                self.hits(wanted, before, query.from, query)?
            }
            // The newest hits may contain a whole page from these rooms. If not, the index has to intersect.
            Some(wanted) => {
                let down_to = self.probe(query, wanted, before)?.max(query.from);
                let found = match down_to == AFTER_ALL {
                    true => Vec::new(),
                    false => self.hits(wanted, before, down_to, query)?,
                };
                match found.len() > query.limit || down_to == query.from {
                    true => found,
                    false => self.hits(&within_rooms(query), before, query.from, query)?,
                }
            }
            None => self.hits(&within_rooms(query), before, query.from, query)?,
        };
        let has_before = hits.len() > query.limit;
        hits.truncate(query.limit);
        Ok(Found { hits, has_before })
    }

    /// Probes the newest hits for those in one of the rooms. Returns the message down to which a scan probably has a page of
    /// them: the last one probed if it found a page; twice the extrapolated distance if at least a quarter of the probes
    /// were in the rooms; else `AFTER_ALL`.
    fn probe(&self, query: &SearchQuery<'_>, words: &str, before: MessageId) -> rusqlite::Result<MessageId> {
        let mut statement = self.statement(
            "select messages_fts.rowid, messages.room_id
             from messages_fts cross join messages on messages.id = messages_fts.rowid
             where messages_fts match ? and messages_fts.rowid < ? order by messages_fts.rowid desc",
        )?;
        let mut rows = statement.query((words, before))?;
        let max_probes = match query.rooms.len() {
            0..=FEW_ROOMS if query.creators.is_empty() => PROBES_OF_FEW_ROOMS,
            0..=FEW_ROOMS => PROBES_OF_A_PERSON,
            _ => PROBES,
        };
        let (mut probes, mut found, mut newest) = (0, 0, None);
        while let Some(row) = rows.next()? {
            let (id, room): (MessageId, RoomId) = (row.get(0)?, row.get(1)?);
            let newest = newest.get_or_insert(id).0;
            if query.rooms.binary_search(&room).is_ok() {
                found += 1;
                if found > query.limit {
                    return Ok(id);
                }
            }
            probes += 1;
            if probes == max_probes {
                if found < max_probes / 4 {
                    return Ok(AFTER_ALL);
                }
                let times = 2 * (query.limit + 1).div_ceil(found) as i64;
                return Ok(MessageId(id.0.saturating_sub((newest - id.0).saturating_mul(times)).max(0)));
            }
        }
        Ok(MessageId(0))
    }

    /// The hits of an expression from `from` on and before `before`, one more than the limit. They are read in one scan:
    /// snippets of one message at a time took 0.1 to 0.2 ms each. The rooms are always checked, since the index has the
    /// messages of a deleted room until they are purged.
    fn hits(
        &self,
        expression: &str,
        before: MessageId,
        from: MessageId,
        query: &SearchQuery<'_>,
    ) -> rusqlite::Result<Vec<Hit>> {
        let rooms = query.rooms.iter().map(RoomId::to_string).collect::<Vec<_>>().join(",");
        let mut statement = self.statement(
            "select messages.json, snippet(messages_fts, 0, ?4, ?5, '…', ?6)
             from messages_fts cross join messages on messages.id = messages_fts.rowid
             where messages_fts match ?1 and messages_fts.rowid < ?2 and messages_fts.rowid >= ?3
               and messages.room_id in (select value from json_each(?7))
             order by messages_fts.rowid desc limit ?8",
        )?;
        statement
            .query_map(
                (
                    expression,
                    before,
                    from,
                    HIT_START,
                    HIT_END,
                    SNIPPET_TOKENS,
                    format!("[{rooms}]"),
                    query.limit + 1,
                ),
                |row| Ok(Hit { json: bytes(row, 0)?, snippet: row.get(1)? }),
            )?
            .collect()
    }

    /// The index's words (stems) with this prefix; None if there are more than 64. Each takes one seek in the index.
    pub fn words_beginning_with(&self, beginning: &str) -> rusqlite::Result<Option<Vec<String>>> {
        let mut next = self.statement("select term from messages_words where term >= ? limit 1")?;
        let mut words: Vec<String> = Vec::new();
        let mut from = beginning.to_owned();
        while let Some(word) = next.query_row((&from,), |row| row.get::<_, String>(0)).optional()? {
            if !word.starts_with(beginning) {
                return Ok(Some(words));
            }
            if words.len() == MAX_WORDS {
                return Ok(None);
            }
            // The smallest greater string: no word contains U+0001.
            from = format!("{word}\u{1}");
            words.push(word);
        }
        Ok(Some(words))
    }
}

impl Reader {
    /// The first message posted at `at` or later; past the last one if there is none. A binary search: ids are in the
    /// order of time.
    pub fn first_since(&self, at: Timestamp) -> rusqlite::Result<MessageId> {
        let mut newest = self.statement("select ifnull(max(id), 0) from messages")?;
        let (mut low, mut high) = (1, newest.query_row((), |row| row.get::<_, i64>(0))? + 1);
        let mut next =
            self.statement("select id, created_at from messages where id >= ? order by id limit 1")?;
        while low < high {
            let middle = low + (high - low) / 2;
            let (id, created_at): (i64, Timestamp) =
                next.query_row((middle,), |row| Ok((row.get(0)?, row.get(1)?)))?;
            if created_at < at {
                low = id + 1;
            } else {
                high = middle;
            }
        }
        Ok(MessageId(low))
    }
}

/// The FTS5 expression for words, authors and tags, whose posting lists the index intersects; without the rooms. None if
/// the query has none of them.
fn without_rooms(query: &SearchQuery<'_>) -> Option<String> {
    let mut parts: Vec<String> =
        query.words.map(|words| format!("(plain : ({words}))")).into_iter().collect();
    if !query.creators.is_empty() {
        let creators: Vec<String> = query.creators.iter().map(|creator| format!("u{creator}")).collect();
        parts.push(format!("creator : ({})", creators.join(" OR ")));
    }
    parts.extend(query.has.iter().map(|tag| format!("room : {tag}")));
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

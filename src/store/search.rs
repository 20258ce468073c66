//! Searching messages.

use super::{Reader, messages::bytes};
use crate::{
    text::{HIT_END, HIT_START},
    types::{MessageId, RoomId, Timestamp, UserId},
};
use bytes::Bytes;
use rusqlite::OptionalExtension;

/// Candidates looked at, newest first, before the rooms are put into the query itself. Somebody who is in max_probes rooms
/// finds a page of hits among so few; for somebody who is in few rooms of a large history the index has
/// to do it: probing every hit of a common word took 70 to 190 ms per million messages.
const PROBES: usize = 400;

/// The same in few rooms, which the index intersects at once: what is rare is found without that, and what one person
/// said too, max_probes likely. Meeting the list of a large room takes 30 µs for each hit.
const PROBES_OF_FEW_ROOMS: usize = 32;
const PROBES_OF_A_PERSON: usize = 128;

/// After every message.
const AFTER_ALL: MessageId = MessageId(i64::MAX);

/// Rooms that the index intersects at once.
const FEW_ROOMS: usize = 2;

/// Words that a beginning may stand for; FTS5 has to merge what there is of more.
const MAX_WORDS: usize = 64;

/// Words around a hit in a snippet.
const SNIPPET_TOKENS: i64 = 24;

#[derive(Debug)]
pub struct SearchQuery<'a> {
    /// An FTS5 expression over the words alone, as `text::Query` makes it.
    pub words: Option<&'a str>,
    /// The rooms to look in.
    pub rooms: &'a [RoomId],
    /// Of all the rooms there are, so that a search over all of them is not filtered.
    pub room_total: usize,
    /// Whose messages; empty for everybody's.
    pub creators: &'a [UserId],
    /// What each has, as tags of the index.
    pub has: &'a [&'a str],
    /// Not before this one.
    pub from: MessageId,
    pub before: Option<MessageId>,
    pub limit: usize,
}

#[derive(Debug)]
pub struct Hit {
    pub json: Bytes,
    /// Text with the hits between `HIT_START` and `HIT_END`.
    pub snippet: String,
}

#[derive(Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub has_before: bool,
}

impl Reader {
    /// Newest first. Ordered by rowid, which the index yields by itself: ranking took 45 to 760 ms.
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
            // Among the newest hits there may be enough of one's own rooms. Where they are far between, the index has to
            // intersect.
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

    /// Looks through the newest candidates for those in one of the rooms. Answers down to where one has to go for a page of
    /// them: as far as it went itself, or, if a quarter of them were, twice as far as the rest should be; AFTER_ALL if that
    /// is too far to tell.
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

    /// The hits of an expression within a stretch of the history, one more than wanted. In one scan: asking the index
    /// for the snippet of one message at a time cost 0.1 to 0.2 ms each. The rooms are checked whatever the expression
    /// says of them: the index also has the messages of a deleted room, which go bit by bit.
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

    /// The index's words (their stems) that begin so; None if there are too many. Each costs one seek in the index.
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
            // The least that is greater: no word has a character like that.
            from = format!("{word}\u{1}");
            words.push(word);
        }
        Ok(Some(words))
    }
}

impl Reader {
    /// The first message that was posted at a time or after it; past the last one if there is none. Found by halving:
    /// messages are in the order of their time.
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

/// What is looked for, in whatever room: the posting lists of the words meet those of the authors and the kinds inside the
/// index. None if rooms are all that it is narrowed down by.
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

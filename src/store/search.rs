//! Searching messages.

use super::{Reader, messages::bytes};
use crate::types::{MessageId, RoomId, Timestamp, UserId};
use bytes::Bytes;
use std::borrow::Cow;

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

/// Messages of a room or a person whose texts are read instead of the index.
const FEW_MESSAGES: usize = 128;

/// Words that a prefix is expanded to. If there are more, FTS5 searches for the prefix itself.
const MAX_WORDS: usize = 64;

/// Rows of a word that are passed over; a seek takes as long as about so many.
const STEPS: usize = 16;

/// Bytes of hits on a page, which ends before the hit that would exceed them.
pub const MAX_PAGE_BYTES: usize = 2 << 20;

/// What to search for, and where.
#[derive(Debug)]
pub struct SearchQuery<'a> {
    /// An FTS5 expression over the tokens of texts, as `text::Query` makes it.
    pub words: Option<&'a str>,
    /// Another one, whose hits are left out.
    pub except: Option<&'a str>,
    /// The rooms to search, in ascending order.
    pub rooms: &'a [RoomId],
    /// The number of all rooms: a search over all of them needs no filter.
    pub room_total: usize,
    /// The authors; empty for all.
    pub creators: &'a [UserId],
    /// Tags of the index that each message has to have.
    pub has: &'a [&'a str],
    /// Only messages from this time on, and from before this one.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only messages older than this one.
    pub before: Option<MessageId>,
    pub limit: usize,
    /// Bytes of hits at most, but for the first one.
    pub max_bytes: usize,
}

/// A message that was found.
#[derive(Debug)]
pub struct Hit {
    pub message: MessageId,
    pub json: Bytes,
    pub plain: String,
    /// The addresses of its links that are not in the text.
    pub addresses: String,
}

impl Hit {
    pub fn size(&self) -> usize {
        self.json.len()
    }
}

/// A page of hits, the newest first.
#[derive(Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub has_before: bool,
}

impl Found {
    /// Bytes of the hits.
    pub fn size(&self) -> usize {
        self.hits.iter().map(Hit::size).sum()
    }
}

impl Reader {
    /// Searches messages, the newest first. FTS5 yields hits in the order of their ids by itself; ranking took 45 to 760 ms.
    pub fn search(&self, query: &SearchQuery<'_>) -> rusqlite::Result<Found> {
        if query.rooms.is_empty() {
            return Ok(Found::default());
        }
        let (from, until) = self.bounds(query.from, query.until)?;
        let before = query.before.unwrap_or(MessageId(i64::MAX)).min(until);
        let wanted = without_rooms(query);
        let within_rooms = |query: &SearchQuery<'_>| {
            let rooms: Vec<String> = query.rooms.iter().map(|room| format!("r{room}")).collect();
            let rooms = format!("room : ({})", rooms.join(" OR "));
            wanted.iter().cloned().chain([rooms]).collect::<Vec<_>>().join(" AND ")
        };
        match &wanted {
            Some(wanted) if query.rooms.len() == query.room_total => self.hits(wanted, before, from, query),
            // Most hits may be among those that are left out: probing would go through all of them.
            Some(_) if query.except.is_some() => self.hits(&within_rooms(query), before, from, query),
            // The newest hits may contain a whole page from these rooms. If not, the index has to intersect.
            Some(wanted) => {
                let down_to = self.probe(query, wanted, before)?.max(from);
                let found = match down_to == AFTER_ALL {
                    true => Found::default(),
                    false => self.hits(wanted, before, down_to, query)?,
                };
                match found.has_before || down_to == from {
                    true => Ok(found),
                    false => self.hits(&within_rooms(query), before, from, query),
                }
            }
            None => self.hits(&within_rooms(query), before, from, query),
        }
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

    /// The hits of an expression from `from` on and before `before`, in one scan. The rooms are always checked, since the
    /// index has the messages of a deleted room until they are purged.
    fn hits(
        &self,
        expression: &str,
        before: MessageId,
        from: MessageId,
        query: &SearchQuery<'_>,
    ) -> rusqlite::Result<Found> {
        let rooms = query.rooms.iter().map(RoomId::to_string).collect::<Vec<_>>().join(",");
        // The time stands behind the JSON in a row, and is read only for it.
        let times = match (query.from, query.until) {
            (None, None) => "?5 is ?6",
            _ => {
                "messages.created_at >= ifnull(?5, messages.created_at) and messages.created_at < ifnull(?6, messages.created_at + 1)"
            }
        };
        let mut statement = self.statement(&format!(
            "select messages_fts.rowid, messages.json, messages.plain, messages.addresses
             from messages_fts cross join messages on messages.id = messages_fts.rowid
             where messages_fts match ?1 and messages_fts.rowid < ?2 and messages_fts.rowid >= ?3
               and messages.room_id in (select value from json_each(?4)) and {times}
             order by messages_fts.rowid desc"
        ))?;
        let rooms = format!("[{rooms}]");
        // Without a limit: SQLite prepares a statement anew whenever the limit of a virtual table is bound.
        let expression = all_but(expression, query.except);
        let mut rows = statement.query((expression, before, from, rooms, query.from, query.until))?;
        let (mut found, mut size) = (Found::default(), 0);
        while let Some(row) = rows.next()? {
            if found.hits.len() == query.limit {
                found.has_before = true;
                break;
            }
            let hit = hit(row)?;
            size += hit.size();
            if size > query.max_bytes && !found.hits.is_empty() {
                found.has_before = true;
                break;
            }
            found.hits.push(hit);
        }
        Ok(found)
    }

    /// All messages of a query's only room or only author, the newest first, if they are few: their texts are read sooner than
    /// posting lists are intersected, which takes about 40 µs for each message and form of a word. None if they are many, or
    /// if there are other conditions.
    pub fn few(&self, query: &SearchQuery<'_>) -> rusqlite::Result<Option<Vec<Hit>>> {
        if !query.has.is_empty() || query.from.is_some() || query.until.is_some() {
            return Ok(None);
        }
        let (column, id) = match (query.rooms, query.creators) {
            (_, [creator]) => ("creator_id", creator.0),
            ([room], []) => ("room_id", room.0),
            _ => return Ok(None),
        };
        let count: usize = self
            .statement(&format!("select count(*) from (select 1 from messages where {column} = ? limit ?)"))?
            .query_row((id, FEW_MESSAGES + 1), |row| row.get(0))?;
        if count > FEW_MESSAGES {
            return Ok(None);
        }
        let mut statement = self.statement(&format!(
            "select id, json, plain, addresses, room_id from messages where {column} = ? order by id desc"
        ))?;
        let mut rows = statement.query((id,))?;
        let mut found = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            if query.rooms.binary_search(&row.get(4)?).is_ok() {
                found.push(hit(row)?);
            }
        }
        Ok(Some(found))
    }

    /// Whether a message is a hit of an expression, in any room.
    pub fn is_hit(&self, expression: &str, message: MessageId) -> rusqlite::Result<bool> {
        // From the newest on, as everywhere: with `rowid = ?` FTS5 goes through all that is older.
        self.statement(
            "select 1 from messages_fts where messages_fts match ?1 and rowid <= ?2 and rowid >= ?2
             order by rowid desc",
        )?
        .exists((expression, message))
    }

    pub fn has_message(&self, message: MessageId) -> rusqlite::Result<bool> {
        self.statement("select 1 from messages where id = ?")?.exists((message,))
    }

    /// The index's tokens with this prefix; None if there are more than 64. Each takes one seek in the index at most.
    pub fn tokens_beginning_with(&self, beginning: &str) -> rusqlite::Result<Option<Vec<String>>> {
        let mut next = self.statement("select term from messages_words where term >= ?")?;
        let mut words: Vec<String> = Vec::new();
        let mut from = beginning.to_owned();
        loop {
            let mut rows = next.query((&from,))?;
            let mut stepped = 0;
            loop {
                let Some(row) = rows.next()? else { return Ok(Some(words)) };
                let word = row.get_ref(0)?.as_str()?;
                if !word.starts_with(beginning) {
                    return Ok(Some(words));
                }
                // There is a row for each time that the index has it. Of rare words they are passed over; of others the next
                // word is looked up.
                if words.last().is_some_and(|last| last == word) {
                    stepped += 1;
                    if stepped < STEPS {
                        continue;
                    }
                    // The smallest greater string: no token contains U+0001.
                    from = format!("{word}\u{1}");
                    break;
                }
                if words.len() == MAX_WORDS {
                    return Ok(None);
                }
                stepped = 0;
                words.push(word.to_owned());
            }
        }
    }
}

impl Reader {
    /// Ids between which all messages of a time are: the first one, and the one after the last. Between them may be messages
    /// of other times: ids are in the order of time only as long as the clock is right.
    fn bounds(
        &self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> rusqlite::Result<(MessageId, MessageId)> {
        let bound = |sql: &str, at: Timestamp| self.statement(sql)?.query_row((at,), |row| row.get(0));
        // The sign keeps SQLite from walking the messages in order of their ids until one fits: it takes the index by time.
        let first = "select ifnull(min(+id), 9223372036854775807) from messages where created_at >= ?";
        let last = "select ifnull(max(+id), 0) + 1 from messages where created_at < ?";
        Ok((
            from.map_or(Ok(MessageId(0)), |at| bound(first, at))?,
            until.map_or(Ok(MessageId(i64::MAX)), |at| bound(last, at))?,
        ))
    }
}

fn hit(row: &rusqlite::Row<'_>) -> rusqlite::Result<Hit> {
    Ok(Hit { message: row.get(0)?, json: bytes(row, 1)?, plain: row.get(2)?, addresses: row.get(3)? })
}

/// An expression without the hits of another one. That stands outermost: within an intersection FTS5 would go through all hits
/// of both until it finds one of the first alone.
fn all_but<'e>(expression: &'e str, except: Option<&str>) -> Cow<'e, str> {
    match except {
        Some(except) => Cow::Owned(format!("({expression}) NOT ({except})")),
        None => Cow::Borrowed(expression),
    }
}

/// The FTS5 expression for words, authors and tags, whose posting lists the index intersects; without the rooms. None if
/// the query has none of them.
fn without_rooms(query: &SearchQuery<'_>) -> Option<String> {
    let mut parts: Vec<String> = query.words.map(|words| format!("({words})")).into_iter().collect();
    if !query.creators.is_empty() {
        let creators: Vec<String> = query.creators.iter().map(|creator| format!("u{creator}")).collect();
        parts.push(format!("creator : ({})", creators.join(" OR ")));
    }
    parts.extend(query.has.iter().map(|tag| format!("room : {tag}")));
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

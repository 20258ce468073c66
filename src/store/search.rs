//! Searching messages, and what was searched for.

use bytes::Bytes;
use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    messages::bytes,
};
use crate::{
    text::{HIT_END, HIT_START},
    types::{MessageId, RoomId, Timestamp, UserId},
};

/// Recent searches kept per person.
const RECENT: usize = 10;

/// Candidates looked at, newest first, before the rooms are put into the query itself. Somebody who is in most rooms
/// finds a page of hits among so few; for somebody who is in few rooms of a large history the index has
/// to do it: probing every hit of a common word took 70 to 190 ms per million messages.
const PROBES: usize = 400;

/// Words around a hit in a snippet.
const SNIPPET_TOKENS: i64 = 24;

#[derive(Debug)]
pub struct SearchQuery<'a> {
    /// An FTS5 expression over the words alone, as `text::match_query` makes it.
    pub words: &'a str,
    /// The rooms to look in.
    pub rooms: &'a [RoomId],
    /// Of all the rooms there are, so that a search over all of them is not filtered.
    pub room_total: usize,
    pub creator: Option<UserId>,
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
        let mut ids = Vec::with_capacity(query.limit + 1);
        let before = query.before.unwrap_or(MessageId(i64::MAX));
        // A person's messages, or few rooms: let the index intersect. Otherwise probe the newest hits first.
        let rest = if query.creator.is_some() || query.rooms.len() <= 2 {
            Some(before)
        } else {
            self.probe(query, before, &mut ids)?
        };
        if let Some(before) = rest {
            self.intersect(query, before, &mut ids)?;
        }
        let has_before = ids.len() > query.limit;
        ids.truncate(query.limit);
        let mut hits = Vec::with_capacity(ids.len());
        let expression = format!("plain : ({})", query.words);
        let mut snippet = self.statement(
            "select messages.json, snippet(messages_fts, 0, ?1, ?2, '…', ?3), messages.room_id
             from messages_fts join messages on messages.id = messages_fts.rowid
             where messages_fts match ?4 and messages_fts.rowid = ?5",
        )?;
        for id in ids {
            let hit = snippet
                .query_row((HIT_START, HIT_END, SNIPPET_TOKENS, &expression, id), |row| {
                    Ok((row.get::<_, RoomId>(2)?, Hit { json: bytes(row, 0)?, snippet: row.get(1)? }))
                })
                .optional()?;
            // Not every hit is of a room there is: the messages of a deleted one go bit by bit.
            hits.extend(hit.filter(|(room, _)| query.rooms.binary_search(room).is_ok()).map(|(_, hit)| hit));
        }
        Ok(Found { hits, has_before })
    }

    /// Takes the newest hits that are in one of the rooms. Answers where to go on if that was not enough.
    fn probe(&self, query: &SearchQuery<'_>, before: MessageId, ids: &mut Vec<MessageId>) -> rusqlite::Result<Option<MessageId>> {
        let expression = format!("plain : ({})", query.words);
        let mut statement = self.statement(
            "select messages_fts.rowid, messages.room_id
             from messages_fts join messages on messages.id = messages_fts.rowid
             where messages_fts match ? and messages_fts.rowid < ? order by messages_fts.rowid desc",
        )?;
        let mut rows = statement.query((&expression, before))?;
        let mut probes = 0;
        while let Some(row) = rows.next()? {
            let (id, room): (MessageId, RoomId) = (row.get(0)?, row.get(1)?);
            if query.rooms.binary_search(&room).is_ok() {
                ids.push(id);
                if ids.len() > query.limit {
                    return Ok(None);
                }
            }
            probes += 1;
            if probes == PROBES {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Lets the posting lists of the words meet those of the rooms and the author inside the index.
    fn intersect(&self, query: &SearchQuery<'_>, before: MessageId, ids: &mut Vec<MessageId>) -> rusqlite::Result<()> {
        let mut expression = format!("(plain : ({}))", query.words);
        if let Some(creator) = query.creator {
            expression.push_str(&format!(" AND creator : u{creator}"));
        }
        if query.rooms.len() < query.room_total {
            let rooms: Vec<_> = query.rooms.iter().map(|room| format!("r{room}")).collect();
            expression.push_str(&format!(" AND room : ({})", rooms.join(" OR ")));
        }
        let mut statement = self.statement(
            "select rowid from messages_fts where messages_fts match ? and rowid < ? order by rowid desc limit ?",
        )?;
        let wanted = query.limit + 1 - ids.len();
        let mut rows = statement.query((&expression, before, wanted))?;
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
        }
        Ok(())
    }

    /// A person's recent searches, newest first.
    pub fn recent_searches(&self, user: UserId) -> rusqlite::Result<Vec<RecentSearch>> {
        self.statement("select id, query, searched_at from searches where user_id = ? order by id desc limit ?")?
            .query_map((user, RECENT), |row| {
                Ok(RecentSearch { id: row.get(0)?, query: row.get(1)?, created_at: row.get(2)? })
            })?
            .collect()
    }
}

#[derive(Debug, serde::Serialize)]
pub struct RecentSearch {
    pub id: i64,
    pub query: String,
    pub created_at: Timestamp,
}

/// Remembers what was searched for, or forgets it all.
#[derive(Debug)]
pub enum RememberSearch {
    Query(UserId, String),
    Forget(UserId),
}

impl Command for RememberSearch {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        match self {
            Self::Query(user, query) => {
                tx.statement(
                    // Replaced, not updated: its new id is its place, also among searches of the same millisecond.
                    "insert or replace into searches (user_id, query, searched_at) values (?, ?, ?)",
                )?
                .execute((user, &query, tx.now))?;
                tx.statement(
                    "delete from searches where user_id = ?1 and id not in
                       (select id from searches where user_id = ?1 order by id desc limit ?2)",
                )?
                .execute((user, RECENT))?;
            }
            Self::Forget(user) => {
                tx.statement("delete from searches where user_id = ?")?.execute((user,))?;
            }
        }
        Ok(())
    }
}

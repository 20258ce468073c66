//! Checks the integrity of a database, in a private copy of it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;

use super::{index, messages::entry_of};
use crate::text::{Analyzer, Languages};

/// Faults of one kind that are reported.
const MAX_FAULTS: usize = 20;

/// A database under examination.
pub struct Examined {
    db: Connection,
}

/// The members of a message's JSON that are compared with its columns.
#[derive(Deserialize)]
struct Finished {
    id: i64,
    room_id: i64,
}

/// References without a foreign key: table, column, referenced table, and a condition on the rows.
const POINTERS: &[(&str, &str, &str, &str)] = &[
    ("attachments", "message_id", "messages", "true"),
    ("boosts", "message_id", "messages", "true"),
    ("images", "message_id", "messages", "message_id is not null"),
    ("mentions", "message_id", "messages", "true"),
];

impl Examined {
    /// Opens a copy. It is not trusted: its views and triggers cannot use functions with side effects (`trusted_schema`).
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.pragma_update(None, "trusted_schema", false)?;
        Ok(Self { db })
    }

    /// The schema's version (`PRAGMA user_version`).
    pub fn schema_version(&self) -> rusqlite::Result<i64> {
        self.db.query_row("PRAGMA user_version", (), |row| row.get(0))
    }

    /// Whether it has campfire's main tables.
    pub fn is_ours(&self) -> rusqlite::Result<bool> {
        let tables = "select count(*) from sqlite_schema where type = 'table' and name in ('account', 'users', 'messages')";
        self.db.query_row(tables, (), |row| Ok(row.get::<_, i64>(0)? == 3))
    }

    /// Faults in the pages and trees, in SQLite's words. Empty for an intact database.
    pub fn faults(&self) -> rusqlite::Result<Vec<String>> {
        let mut check = self.db.prepare(&format!("PRAGMA integrity_check({MAX_FAULTS})"))?;
        let faults = check.query_map((), |row| row.get::<_, String>(0))?;
        faults.filter(|fault| !fault.as_ref().is_ok_and(|fault| fault == "ok")).collect()
    }

    /// Rows that refer to rows that do not exist.
    pub fn dangling(&self) -> rusqlite::Result<Vec<String>> {
        let mut check = self.db.prepare("PRAGMA foreign_key_check")?;
        let mut faults: Vec<String> = check
            .query_map((), |row| {
                let (table, id, parent): (String, Option<i64>, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                let which = id.map_or_else(String::new, |id| format!(" {id}"));
                Ok(format!("{table}{which} refers to a row of {parent} that does not exist"))
            })?
            .take(MAX_FAULTS)
            .collect::<rusqlite::Result<_>>()?;
        for (table, column, parent, which) in POINTERS {
            let exists: bool = self.db.query_row(
                "select exists (select 1 from pragma_table_info(?) where name = ?)",
                (table, column),
                |row| row.get(0),
            )?;
            if exists {
                let mut select = self.db.prepare(&format!(
                    "select {column} from {table} where {which} and {column} not in (select id from {parent}) limit ?"
                ))?;
                let rows = select.query_map((MAX_FAULTS as i64,), |row| row.get::<_, i64>(0))?;
                for id in rows {
                    faults.push(format!("{table} has a row for {} of {parent}, which does not exist", id?));
                }
            }
        }
        faults.truncate(MAX_FAULTS);
        Ok(faults)
    }

    /// Whether the full-text index matches the messages. Reads all of them.
    pub fn index_is_right(&self) -> rusqlite::Result<bool> {
        is_right(&self.db)
    }

    /// The number of messages, and those whose JSON is invalid or has another id or room than the row.
    pub fn messages(&self) -> rusqlite::Result<(u64, Vec<String>)> {
        let (mut count, mut faults) = (0, Vec::new());
        let mut select = self.db.prepare("select id, room_id, json from messages")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            count += 1;
            let (id, room): (i64, i64) = (row.get(0)?, row.get(1)?);
            let fault = match serde_json::from_slice::<Finished>(row.get_ref(2)?.as_bytes()?) {
                Ok(finished) if finished.id == id && finished.room_id == room => continue,
                Ok(_) => "has the JSON of another message".to_owned(),
                Err(error) => format!("is not JSON ({error})"),
            };
            if faults.len() < MAX_FAULTS {
                faults.push(format!("message {id} {fault}"));
            }
        }
        Ok((count, faults))
    }

    /// The last position in the history, and positions that are used twice or are not positive.
    pub fn numbers(&self) -> rusqlite::Result<(i64, Vec<String>)> {
        let last = super::writer::last_seq(&self.db)?;
        let mut faults = Vec::new();
        for (sql, fault) in [
            ("select id from messages join events on seq = id limit ?", "is both a message and an event"),
            ("select id from messages where id < 1 limit ?", "is not a valid position for a message"),
            ("select seq from events where seq < 1 limit ?", "is not a valid position for an event"),
        ] {
            let mut select = self.db.prepare(sql)?;
            for id in select.query_map((MAX_FAULTS as i64,), |row| row.get::<_, i64>(0))? {
                faults.push(format!("{} {fault}", id?));
            }
        }
        faults.truncate(MAX_FAULTS);
        Ok((last.0, faults))
    }
}

/// Whether the index has exactly the tokens of the messages that it is said to have. Reads all of both.
pub(super) fn is_right(db: &Connection) -> rusqlite::Result<bool> {
    // Its own structure, without the messages.
    match db.execute("insert into messages_fts (messages_fts, rank) values ('integrity-check', 0)", ()) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            return Ok(false);
        }
        checked => checked?,
    };
    let known = db.prepare("select 1 from sqlite_schema where name = 'search_index'")?.exists(())?;
    let Some((analysis, down_to)) = known.then(|| index::state(db)).transpose()?.flatten() else {
        return Ok(true);
    };
    let codes = analysis.split_once(' ').map_or("", |(_, codes)| codes);
    let languages = Languages::parse(codes).unwrap_or_default();
    if analysis != index::analysis_of(&languages) {
        // The next start makes it anew.
        return Ok(true);
    }
    // Sums of hashes, since the index has its tokens in another order than the messages.
    let (mut expected, mut found) = (0_u64, 0_u64);
    let analyzer = Analyzer::new(&languages);
    let mut select = db.prepare(
        "select id, room_id, creator_id, plain, addresses, tags from messages where id >= ? order by id",
    )?;
    let mut rows = select.query((down_to,))?;
    while let Some(row) = rows.next()? {
        let entry = entry_of(row)?;
        for (name, tokens) in
            ["words", "more", "room", "creator"].iter().zip(index::columns(&analyzer, &entry))
        {
            for (offset, token) in tokens.split(' ').filter(|token| !token.is_empty()).enumerate() {
                expected = expected.wrapping_add(hash(entry.message.0, name, offset as i64, token));
            }
        }
    }
    let mut select = db.prepare("select doc, col, offset, term from messages_words")?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let (column, token) = (row.get_ref(1)?.as_str()?, row.get_ref(3)?.as_str()?);
        found = found.wrapping_add(hash(row.get(0)?, column, row.get(2)?, token));
    }
    Ok(expected == found)
}

fn hash(message: i64, column: &str, offset: i64, token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (message, column, offset, token).hash(&mut hasher);
    hasher.finish()
}

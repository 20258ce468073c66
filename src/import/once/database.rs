//! The database of ONCE Campfire, of any of its versions and ports: columns are read by the names that are there.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, Row};

use crate::import::{Error, archive::Archive};

/// Where the database lies below the volume, and the copy that its backup hook makes.
const LIVE: &str = "db/production.sqlite3";
const CLEAN: &str = "backups/production.sqlite3";

/// Rows before 2024-01-15, in which the role 2 was an owner; bots came after.
const BOTS_SINCE: &str = "20240115124901";

pub(super) struct Database {
    pub(super) db: Connection,
    /// The folder of the volume within the archive, with its slash; empty for the archive itself.
    pub(super) volume: String,
    /// The newest migration.
    pub(super) version: String,
    /// Which file was read, and why not the other.
    pub(super) remark: Option<String>,
}

impl Database {
    /// Finds and opens the database. It is never written to: one with a log beside it is copied, with the log.
    pub(super) fn open(archive: &Archive, scratch: &Path) -> Result<Self, Error> {
        let live = found(archive, LIVE);
        let clean = found(archive, CLEAN);
        let newest = |name: &str| -> Result<(Connection, i64), Error> {
            let db = open(archive, name, scratch)?;
            let newest = db.query_row("select ifnull(max(id), 0) from messages", (), |row| row.get(0))?;
            Ok((db, newest))
        };
        let (db, name, remark) = match (live, clean) {
            (Some(live), Some(clean)) => match (newest(&live), newest(&clean)) {
                (Ok((_, of_live)), Ok((db, of_clean))) if of_live < of_clean => {
                    let remark = format!("{clean} was read, since it is newer than {live}.");
                    (db, clean, Some(remark))
                }
                (Ok((db, _)), _) => (db, live, None),
                (Err(error), Ok((db, _))) => {
                    let remark = format!("{clean} was read, since {live} cannot be read ({error}).");
                    (db, clean, Some(remark))
                }
                (Err(error), Err(_)) => return Err(error),
            },
            (Some(live), None) => (open(archive, &live, scratch)?, live, None),
            (None, Some(clean)) => {
                let remark = format!("{clean} was read, a backup that may be old: there is no {LIVE}.");
                (open(archive, &clean, scratch)?, clean, Some(remark))
            }
            (None, None) => {
                return Err(Error(format!(
                    "there is no {LIVE} in it; name the storage directory of ONCE Campfire, or a backup of it"
                )));
            }
        };
        let tables = ["accounts", "users", "rooms", "memberships", "messages", "action_text_rich_texts"];
        for table in tables {
            if columns(&db, table)?.is_empty() {
                return Err(Error(format!(
                    "{name} has no table {table}: it is no database of ONCE Campfire"
                )));
            }
        }
        let version = db
            .query_row("select max(version) from schema_migrations", (), |row| {
                row.get::<_, Option<String>>(0)
            })
            .ok()
            .flatten()
            .unwrap_or_default();
        let volume =
            name.strip_suffix(LIVE).or_else(|| name.strip_suffix(CLEAN)).unwrap_or_default().to_owned();
        Ok(Self { db, volume, version, remark })
    }

    /// The expressions for some columns of a table, each `null` if the table does not have it.
    pub(super) fn select(&self, table: &str, alias: &str, wanted: &[&str]) -> Result<String, Error> {
        let there = columns(&self.db, table)?;
        let one = |column: &&str| match there.contains(*column) {
            true => format!("{alias}.{column}"),
            false => "null".to_owned(),
        };
        Ok(wanted.iter().map(one).collect::<Vec<_>>().join(", "))
    }

    pub(super) fn has(&self, table: &str) -> Result<bool, Error> {
        Ok(!columns(&self.db, table)?.is_empty())
    }

    pub(super) fn count(&self, table: &str) -> Result<u64, Error> {
        Ok(self.db.query_row(&format!("select count(*) from {table}"), (), |row| row.get(0))?)
    }

    /// Whether role 2 is a bot.
    pub(super) fn has_bots(&self) -> Result<bool, Error> {
        let there = columns(&self.db, "users")?;
        Ok(there.contains("bot_token") && (self.version.is_empty() || self.version.as_str() >= BOTS_SINCE))
    }
}

/// The file with this name at the archive's top, or up to two folders below.
fn found(archive: &Archive, name: &str) -> Option<String> {
    let mut all: Vec<&str> = archive
        .files()
        .map(|(path, _)| path)
        .filter(|path| {
            path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        })
        .filter(|path| path.matches('/').count() <= 3)
        .collect();
    all.sort_unstable_by_key(|path| path.len());
    all.first().map(|path| (*path).to_owned())
}

fn open(archive: &Archive, name: &str, scratch: &Path) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| Error(format!("cannot read {name} ({error})"));
    let log = format!("{name}-wal");
    let in_place = archive.path(name).filter(|_| archive.size(&log).unwrap_or_default() == 0);
    let (path, query) = match in_place {
        // Nobody writes to it: no lock and no file beside it are needed.
        Some(path) => (path, "immutable=1"),
        None => (copied(archive, name, scratch)?, "mode=rw"),
    };
    let uri = format!("file:{}?{query}", encoded(&path));
    let flags = OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = flags
        | match query {
            "mode=rw" => OpenFlags::SQLITE_OPEN_READ_WRITE,
            _ => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
    let db = Connection::open_with_flags(uri, flags).map_err(failed)?;
    db.execute_batch("pragma cache_size = -16384; pragma temp_store = file; pragma trusted_schema = off")
        .map_err(failed)?;
    let _: i64 = db.query_row("select count(*) from sqlite_schema", (), |row| row.get(0)).map_err(failed)?;
    Ok(db)
}

/// Copies a database with its log. SQLite makes the index of the log anew.
fn copied(archive: &Archive, name: &str, scratch: &Path) -> Result<PathBuf, Error> {
    let place = scratch.join(name.replace('/', "-"));
    for end in ["", "-wal"] {
        let source = format!("{name}{end}");
        let target = scratch.join(format!("{}{end}", name.replace('/', "-")));
        if archive.has(&source) {
            archive.read(&source, |reader| {
                let mut output = fs::File::create(&target)?;
                std::io::copy(reader, &mut output)?;
                Ok(())
            })?;
        }
    }
    Ok(place)
}

/// A path in a URI of SQLite.
fn encoded(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn columns(db: &Connection, table: &str) -> Result<HashSet<String>, Error> {
    let mut select = db.prepare_cached("select name from pragma_table_info(?)")?;
    let names = select.query_map((table,), |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// A text, whatever type its column has; None for null.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    })
}

/// A number, also where it is written as a text; None for anything else.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<i64>> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Real(number) => Some(number as i64),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| match text {
            "true" | "t" => Some(1),
            "false" | "f" => Some(0),
            text => text.trim().parse().ok(),
        }),
        _ => None,
    })
}

/// A time in microseconds since the Unix epoch: `2026-08-21 14:03:09`, with any number of digits behind the second, in UTC.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<i64>> {
    Ok(text(row, column)?.and_then(|text| moment(&text)))
}

pub(super) fn moment(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches("UTC").trim_end();
    if let Ok(zoned) = text.parse::<jiff::Timestamp>() {
        return Some(zoned.as_microsecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(civil).ok()?.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trap 5.
    #[test]
    fn times_have_any_number_of_digits() {
        for (text, micros) in [
            ("2026-08-21 14:03:09", 0),
            ("2026-08-21 14:03:09.123", 123_000),
            ("2026-08-21 14:03:09.123456", 123_456),
            ("2026-08-21T14:03:09.5Z", 500_000),
            ("2026-08-21 14:03:09.123456 UTC", 123_456),
        ] {
            assert_eq!(moment(text), Some(1_787_320_989_000_000 + micros), "{text}");
        }
        assert_eq!(moment("yesterday"), None);
        assert_eq!(moment(""), None);
    }
}

//! Keeps the full-text index: entries go in with their batch, and its segments are merged between batches.

use rusqlite::Connection;

use super::command::{Entry, Indexing};
use crate::config::Durability;

/// Pages merged in one go at most, about half a millisecond of work.
const STEP: usize = 16;

/// Pages that a batch makes to be merged, whatever is in it: its own, once for each level that it goes through.
const PAGES_PER_BATCH: usize = 6;

/// Entries in a page.
const ENTRIES_PER_PAGE: usize = 4;

pub(super) struct Index {
    durability: Durability,
    /// Pages to be merged, as far as can be guessed.
    due: usize,
}

impl Index {
    pub(super) fn new(durability: Durability) -> Self {
        Self { durability, due: 0 }
    }

    pub(super) fn write(&mut self, db: &Connection, indexing: &[Indexing]) -> rusqlite::Result<()> {
        for entry in indexing {
            match entry {
                Indexing::Add(Entry { message, room, creator, plain, tags }) => db
                    .prepare_cached(
                        "insert into messages_fts (rowid, plain, room, creator)
                         values (?, ?, 'r' || ? || ' ' || ?, 'u' || ?)",
                    )?
                    .execute((message, plain, room, tags, creator))?,
                Indexing::Remove(Entry { message, room, creator, plain, tags }) => db
                    .prepare_cached(
                        "insert into messages_fts (messages_fts, rowid, plain, room, creator)
                         values ('delete', ?, ?, 'r' || ? || ' ' || ?, 'u' || ?)",
                    )?
                    .execute((message, plain, room, tags, creator))?,
            };
        }
        if !indexing.is_empty() {
            self.due += PAGES_PER_BATCH + indexing.len() / ENTRIES_PER_PAGE;
        }
        Ok(())
    }

    /// Merges some pages, in a transaction of its own that nobody waits for: the next commit syncs it too.
    pub(super) fn optimize(&mut self, db: &Connection) {
        if self.due < STEP {
            return;
        }
        self.due -= STEP;
        let merge = || -> rusqlite::Result<bool> {
            if self.durability == Durability::Full {
                db.pragma_update(None, "synchronous", "normal")?;
            }
            let before = db.total_changes();
            let merged = db
                .prepare_cached("insert into messages_fts (messages_fts, rank) values ('merge', ?)")
                .and_then(|mut merge| merge.execute((STEP,)));
            if self.durability == Durability::Full {
                db.pragma_update(None, "synchronous", "full")?;
            }
            // One change is the command itself (https://sqlite.org/fts5.html#the_merge_command).
            merged.map(|_| db.total_changes() - before > 1)
        };
        match merge() {
            Ok(true) => {}
            Ok(false) => self.due = 0,
            // Another process holds the database. Too many segments are merged in a commit, at worst.
            Err(error) => tracing::debug!(%error, "the index was not merged"),
        }
    }
}

//! The full-text index: entries are written with their batch, segments are merged between batches.

use rusqlite::Connection;

use super::command::{Entry, Indexing};
use crate::config::Durability;

/// Pages merged at a time: about half a millisecond of work.
const STEP: usize = 16;

/// Pages to merge that each batch adds, whatever its size: its own pages, once for each level of the index.
const PAGES_PER_BATCH: usize = 6;

/// Entries that make one more page to merge.
const ENTRIES_PER_PAGE: usize = 4;

pub(super) struct Index {
    durability: Durability,
    /// Pages to merge, estimated.
    due: usize,
}

impl Index {
    pub(super) fn new(durability: Durability) -> Self {
        Self { durability, due: 0 }
    }

    /// Writes a batch's changes, within its transaction.
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

    /// Merges some pages, in a transaction of its own. It is not synced: the next commit syncs it too, and nothing is lost
    /// if it is undone.
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
            // Another process has locked the database. If too many segments gather, FTS5 merges them within a commit.
            Err(error) => tracing::debug!(%error, "the index was not merged"),
        }
    }
}

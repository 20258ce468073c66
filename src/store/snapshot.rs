//! A snapshot of the database, held by one read transaction while it is copied and its files are linked.
//!
//! SQLite's backup restarts whenever another connection writes, unless the source connection is inside a transaction: then
//! it copies that snapshot, and writers go on. What they write stays in the write-ahead log until the copy is complete, so
//! the copy is made first, and everything slow is done from it.

use std::path::Path;

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::{
    Reader,
    schema::{DataDir, OpenError},
};

/// Pages copied in one step: 256 KiB.
pub const PAGES_PER_STEP: i32 = 64;

/// The page cache of either database during the copy, in KiB: small, since no page is needed twice.
const COPY_CACHE_KIB: i64 = 1024;

/// The database as of one moment.
pub struct Snapshot {
    reader: Reader,
}

impl Snapshot {
    /// Begins a read transaction.
    pub fn take(data: &DataDir) -> Result<Self, OpenError> {
        let reader = Reader::open(data)?;
        let begin = || {
            let db = reader.connection();
            db.pragma_update(None, "cache_size", -COPY_CACHE_KIB)?;
            db.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))?;
            db.execute_batch("begin")?;
            // A transaction begins with its first read.
            reader.schema_version()
        };
        begin().map_err(|error| OpenError::Database(data.database(), error))?;
        Ok(Self { reader })
    }

    /// Reads within the transaction.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Copies the database to a single file, without a log. `after_step` gets the number of pages copied and the total after
    /// each step; it may wait, or end the copy with an error. The copy is not synced.
    pub fn copy_to<E: From<rusqlite::Error>>(
        self,
        path: &Path,
        mut after_step: impl FnMut(u64, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut copy = Connection::open(path)?;
        copy.pragma_update(None, "cache_size", -COPY_CACHE_KIB)?;
        // A copy that fails is thrown away, and the caller syncs a complete one.
        copy.pragma_update(None, "synchronous", "off")?;
        copy.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        {
            let backup = Backup::new(self.reader.connection(), &mut copy)?;
            loop {
                let step = backup.step(PAGES_PER_STEP)?;
                let progress = backup.progress();
                let pages = u64::try_from(progress.pagecount).unwrap_or(0);
                after_step(pages.saturating_sub(u64::try_from(progress.remaining).unwrap_or(0)), pages)?;
                match step {
                    StepResult::Done => break,
                    StepResult::More => {}
                    _ => return Err(busy().into()),
                }
            }
        }
        drop((self, copy));
        let copy = Connection::open(path)?;
        // Its header has the original's WAL mode, and in that mode even reading needs a log file.
        copy.pragma_update_and_check(None, "locking_mode", "exclusive", |_| Ok(()))?;
        copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
        Ok(())
    }
}

/// Not expected: nothing else opens the copy, and in WAL mode writers do not block readers.
fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// An uploaded file or a thumbnail, by its row.
#[derive(Debug)]
pub struct KnownFile {
    /// The attachment's id.
    pub id: i64,
    pub filename: String,
    pub key: String,
    /// None for a thumbnail: its row does not say.
    pub byte_size: Option<u64>,
    /// None for a thumbnail, and for a file from before checksums were taken.
    pub sha256: Option<[u8; 32]>,
}

impl Reader {
    /// The schema's version (`PRAGMA user_version`).
    pub fn schema_version(&self) -> rusqlite::Result<i64> {
        self.connection().query_row("PRAGMA user_version", (), |row| row.get(0))
    }

    /// Pages of the database.
    pub fn page_count(&self) -> rusqlite::Result<u64> {
        let count: i64 = self.connection().query_row("PRAGMA page_count", (), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Calls `visit` with every file that has a row, and every thumbnail. Old schemas are read too: without attachments, or
    /// without checksums.
    pub fn each_file<E: From<rusqlite::Error>>(
        &self,
        mut visit: impl FnMut(KnownFile) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns: Vec<String> = self
            .statement("select name from pragma_table_info('attachments')")?
            .query_map((), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if columns.is_empty() {
            return Ok(());
        }
        let sha256 = if columns.iter().any(|name| name == "sha256") { "sha256" } else { "null" };
        let mut select = self.connection().prepare(&format!(
            "select id, filename, key, byte_size, {sha256}, thumbnail_key from attachments order by id"
        ))?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            let (id, filename) = (row.get(0)?, row.get::<_, String>(1)?);
            if let Some(key) = row.get(5)? {
                visit(KnownFile { id, filename: filename.clone(), key, byte_size: None, sha256: None })?;
            }
            let byte_size = u64::try_from(row.get::<_, i64>(3)?).ok();
            visit(KnownFile { id, filename, key: row.get(2)?, byte_size, sha256: row.get(4)? })?;
        }
        Ok(())
    }
}

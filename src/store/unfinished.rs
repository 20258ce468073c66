//! An import that was begun and not ended: its database lacks marks of what was read, and its index.

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{DataDir, Import, OpenError};

impl Import {
    /// The source of an import that was begun and not ended. Leaves no files beside the database.
    pub fn unfinished(data: &DataDir) -> Result<Option<String>, OpenError> {
        let failed = |error| OpenError::Database(data.database(), error);
        let db = match data.path().join("campfire.db-wal").exists() {
            true => data.readable()?,
            false => {
                // All of it is in the database itself.
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                    | OpenFlags::SQLITE_OPEN_URI
                    | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let path = data.database();
                let path = percent_encoding::percent_encode(
                    path.as_os_str().as_encoded_bytes(),
                    percent_encoding::NON_ALPHANUMERIC,
                );
                Connection::open_with_flags(format!("file:{path}?immutable=1"), flags).map_err(failed)?
            }
        };
        let found = || -> rusqlite::Result<Option<String>> {
            // Databases from before imports have no such table.
            if !db.table_exists(None, "imports")? {
                return Ok(None);
            }
            db.query_row("select source from imports where finished_at is null", (), |row| row.get(0))
                .optional()
        };
        found().map_err(failed)
    }
}

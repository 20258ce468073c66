//! The data directory and its database: locking, opening and migrating it.

use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{index, migrations::MIGRATIONS};
use crate::{config::Durability, memory, text::Languages};

/// The newest version of the schema that this binary knows.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// How long a statement waits while another process (such as `campfire admin`) has locked the database.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The page cache of a reading connection in KiB: this, or a 64th of the machine's memory if that is less (16 MiB of
/// 1 GiB).
const CACHE_KIB: u64 = 80 * 1024;

/// The same for the writer, which reuses few pages. SQLite walks its whole cache at most commits (a page that a tree moves
/// gets the number of the page at 1 GiB for a moment, and the cache is truncated from there), so a large one is slow.
const WRITER_CACHE_KIB: u64 = 16 * 1024;
const CACHE_SHARE_OF_MEMORY: u64 = 64;
/// Bytes of the database that a connection maps into memory, to be read without a copy into the page cache.
const MMAP_BYTES: u64 = 1 << 30;

/// The same where addresses have 32 bits: 3 GB are left for all connections (one for each worker, the writer, the
/// checkpointer, the jobs, a backup) and for everything else.
const MMAP_BYTES_32: u64 = 64 << 20;

/// The directory of certificates and their keys, within the data directory.
pub const CERTIFICATES: &str = "certificates";

/// Why a data directory cannot be used. Displays as one sentence that says what to do.
#[derive(Debug)]
pub enum OpenError {
    Unwritable(PathBuf, io::Error),
    InUse(PathBuf),
    Missing(PathBuf),
    Newer {
        found: i64,
        known: usize,
    },
    /// The database is of an older version, and a server of that version runs on it.
    Older {
        found: usize,
        known: usize,
    },
    Database(PathBuf, rusqlite::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(path, error) => {
                write!(
                    f,
                    "cannot write to the data directory {} ({error}); choose another with --data or give this user access to it",
                    path.display()
                )
            }
            Self::InUse(path) => {
                write!(
                    f,
                    "another campfire is running on the data directory {}; stop it first or choose another with --data",
                    path.display()
                )
            }
            Self::Missing(path) => {
                write!(
                    f,
                    "there is no campfire data in {}; name its directory with --data, or start `campfire serve` there first",
                    path.display()
                )
            }
            Self::Newer { found, known } => {
                write!(
                    f,
                    "the database was written by a newer campfire (its schema is version {found}, this binary knows {known}); install that version or a later one"
                )
            }
            Self::Older { found, known } => {
                write!(
                    f,
                    "the running server is an older campfire than this one (its schema is version {found}, this binary has {known}); restart the server with this version first, or stop it"
                )
            }
            Self::Database(path, error) => {
                write!(
                    f,
                    "cannot open the database {} ({error}); check the disk, or restore a backup",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// A data directory. One that was claimed is locked against other servers until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    durability: Durability,
    _lock: Option<File>,
}

impl DataDir {
    /// Makes the directory if it does not exist, locks it, and migrates the database. `InUse` if another server has the
    /// lock.
    pub fn claim(path: &Path, durability: Durability) -> Result<Self, OpenError> {
        let unwritable = |error| OpenError::Unwritable(path.to_owned(), error);
        // Messages and password hashes must not be readable by other users of the machine.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
        let lock = lock(path)?;
        let data = Self { path: path.to_owned(), durability, _lock: Some(lock) };
        data.migrate()?;
        Ok(data)
    }

    /// Opens the data of a server that may be running. Migrates it only if none runs, else an older schema is `Older`:
    /// the server does not know the new one. `Missing` if there is no database.
    pub fn visit(path: &Path) -> Result<Self, OpenError> {
        if !path.join("campfire.db").is_file() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let data = Self { path: path.to_owned(), durability: Durability::Full, _lock: None };
        let found = data.known_version(&data.writable()?)?;
        if found < MIGRATIONS.len() {
            let _lock = lock(path).map_err(|error| match error {
                OpenError::InUse(_) => OpenError::Older { found, known: MIGRATIONS.len() },
                error => error,
            })?;
            data.migrate()?;
        }
        Ok(data)
    }

    /// The same without migrating, for backups and checks, which change nothing.
    pub fn look(path: &Path) -> Result<Self, OpenError> {
        if !path.join("campfire.db").is_file() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        Ok(Self { path: path.to_owned(), durability: Durability::Full, _lock: None })
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    /// The path of the database.
    pub fn database(&self) -> PathBuf {
        self.path.join("campfire.db")
    }

    /// The version of the schema; `Newer` if it is not known.
    fn known_version(&self, db: &Connection) -> Result<usize, OpenError> {
        let found: i64 =
            db.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(|error| self.failed(error))?;
        usize::try_from(found)
            .ok()
            .filter(|version| *version <= MIGRATIONS.len())
            .ok_or(OpenError::Newer { found, known: MIGRATIONS.len() })
    }

    fn migrate(&self) -> Result<(), OpenError> {
        let mut db = self.writable()?;
        let failed = |error| self.failed(error);
        let version = self.known_version(&db)?;
        if version == MIGRATIONS.len() {
            return Ok(());
        }
        if version > 0 {
            self.copy_before_migration(&db, version).map_err(failed)?;
        }
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Again, since another process may have migrated it before the transaction began.
        for migration in &MIGRATIONS[self.known_version(&tx)?..] {
            tx.execute_batch(migration).map_err(failed)?;
        }
        tx.pragma_update(None, "user_version", MIGRATIONS.len()).map_err(failed)?;
        tx.commit().map_err(failed)
    }

    /// Rebuilds the full-text index from the messages.
    pub fn rebuild_index(&self) -> Result<(), OpenError> {
        index::rebuild(&self.writable()?).map_err(|error| self.failed(error))
    }

    /// Sets the languages of search. If they are others than before, the writer makes the index anew.
    pub fn search_in(&self, languages: &Languages) -> Result<(), OpenError> {
        index::set_languages(&self.writable()?, languages).map_err(|error| self.failed(error))
    }

    /// Copies the database to a file beside it, so that one can go back to the version from before the migration.
    fn copy_before_migration(&self, db: &Connection, version: usize) -> rusqlite::Result<()> {
        let copy = self.path.join(format!("campfire-before-schema-{}.db", version + 1));
        // A copy from an earlier attempt may be incomplete.
        let _ = std::fs::remove_file(&copy);
        db.execute("vacuum into ?", (copy.to_string_lossy(),)).map(drop)
    }

    /// A connection that can write.
    pub(super) fn writable(&self) -> Result<Connection, OpenError> {
        let open = || -> rusqlite::Result<Connection> {
            let db = Connection::open_with_flags(
                self.database(),
                OpenFlags::SQLITE_OPEN_READ_WRITE
                    | OpenFlags::SQLITE_OPEN_CREATE
                    | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?;
            db.busy_timeout(BUSY_TIMEOUT)?;
            // Readers never wait for the writer, and a commit is one append to the log.
            db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
            // FULL syncs the log at each commit, so what was acknowledged survives a power cut; one commit
            // serves a whole batch. NORMAL leaves that to the checkpoint, for SD cards that sync slowly.
            db.pragma_update(
                None,
                "synchronous",
                match self.durability {
                    Durability::Full => "full",
                    Durability::Normal => "normal",
                },
            )?;
            db.pragma_update(None, "foreign_keys", true)?;
            // The checkpointer and the writer run the checkpoints.
            db.pragma_update(None, "wal_autocheckpoint", 0)?;
            tune(&db, WRITER_CACHE_KIB)?;
            Ok(db)
        };
        open().map_err(|error| self.failed(error))
    }

    /// A connection that can only read.
    pub(super) fn readable(&self) -> Result<Connection, OpenError> {
        let open = || -> rusqlite::Result<Connection> {
            let db = Connection::open_with_flags(
                self.database(),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?;
            db.busy_timeout(BUSY_TIMEOUT)?;
            db.pragma_update(None, "query_only", true)?;
            tune(&db, CACHE_KIB)?;
            Ok(db)
        };
        open().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: rusqlite::Error) -> OpenError {
        match error.sqlite_error_code() {
            Some(
                rusqlite::ErrorCode::CannotOpen
                | rusqlite::ErrorCode::ReadOnly
                | rusqlite::ErrorCode::PermissionDenied,
            ) => OpenError::Unwritable(self.path.clone(), io::Error::other(error.to_string())),
            _ => OpenError::Database(self.database(), error),
        }
    }
}

/// Locks a data directory against other servers until the file is closed.
fn lock(path: &Path) -> Result<File, OpenError> {
    let unwritable = |error| OpenError::Unwritable(path.to_owned(), error);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join("campfire.lock"))
        .map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

fn tune(db: &Connection, cache_kib: u64) -> rusqlite::Result<()> {
    let cache = cache_kib.min((memory::limit() >> 10) / CACHE_SHARE_OF_MEMORY);
    // Negative means KiB; the cache grows to it only as pages are used.
    db.pragma_update(None, "cache_size", -i64::try_from(cache).unwrap_or(i64::MAX))?;
    db.pragma_update(None, "temp_store", "memory")?;
    let mmap = mmap_bytes(usize::BITS, memory::limit());
    db.pragma_update_and_check(None, "mmap_size", i64::try_from(mmap).unwrap_or(0), |_| Ok(()))?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// How much a connection maps, by the width of addresses and the memory of the machine. More than that could not stay in
/// memory anyway.
fn mmap_bytes(address_bits: u32, memory: u64) -> u64 {
    let most = if address_bits < 64 { MMAP_BYTES_32 } else { MMAP_BYTES };
    most.min(memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B18.
    #[test]
    fn mapped_memory_fits_the_addresses_and_the_machine() {
        assert_eq!(mmap_bytes(32, 8 << 30), 64 << 20);
        assert_eq!(mmap_bytes(32, 16 << 20), 16 << 20);
        assert_eq!(mmap_bytes(64, 8 << 30), 1 << 30);
        assert_eq!(mmap_bytes(64, 512 << 20), 512 << 20);
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let mapped: i64 =
            data.readable().unwrap().query_row("PRAGMA mmap_size", (), |row| row.get(0)).unwrap();
        assert_eq!(mapped as u64, mmap_bytes(usize::BITS, memory::limit()), "it is what SQLite uses");
    }

    /// A database as an earlier version left it, with what `sql` adds.
    fn database_of_version(version: usize, dir: &Path, sql: &str) {
        let db = Connection::open(dir.join("campfire.db")).unwrap();
        MIGRATIONS[..version].iter().for_each(|migration| db.execute_batch(migration).unwrap());
        db.pragma_update(None, "user_version", version).unwrap();
        db.execute_batch(sql).unwrap();
    }

    /// B17.
    #[test]
    fn database_is_not_migrated_under_a_running_server() {
        let dir = tempfile::tempdir().unwrap();
        database_of_version(4, dir.path(), "");
        let version = || {
            let db = Connection::open(dir.path().join("campfire.db")).unwrap();
            db.query_row("PRAGMA user_version", (), |row| row.get::<_, usize>(0)).unwrap()
        };
        let running = lock(dir.path()).unwrap();
        let refused = DataDir::visit(dir.path()).unwrap_err();
        assert!(matches!(refused, OpenError::Older { found: 4, .. }), "{refused:?}");
        assert!(refused.to_string().contains("restart the server with this version first"), "{refused}");
        assert_eq!(version(), 4);
        drop(running);
        let data = DataDir::visit(dir.path()).unwrap();
        assert_eq!(version(), SCHEMA_VERSION);
        let running = lock(dir.path()).expect("it is locked no longer than the migration takes");
        DataDir::visit(dir.path()).expect("a database of this version may be visited while a server runs");
        drop((data, running));
        let db = Connection::open(dir.path().join("campfire.db")).unwrap();
        db.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
        assert!(matches!(DataDir::visit(dir.path()), Err(OpenError::Newer { .. })));
    }

    #[test]
    fn messages_get_their_columns_and_flags_from_their_objects() {
        let dir = tempfile::tempdir().unwrap();
        let message = |id: i64, kind: &str, html: &str| {
            format!(
                r#"insert into messages (id, room_id, creator_id, json, plain) values ({id}, 1, 1, cast('{{"id":{id},"created_at":"2026-11-24T08:00:00.12{id}Z","room_id":1,"kind":"{kind}","content":"\u00fc","html":"{html}","mentions":[],"attachment":{{"duration_s":1.50}},"embeds":[]}}' as blob), 'x');"#
            )
        };
        let sql = [
            "insert into users (id, name, role, created_at) values (1, 'Ada', 'admin', 0);".to_owned(),
            "insert into rooms (id, kind, creator_id, created_at, updated_at) values (1, 'open', 1, 0, 0);"
                .into(),
            message(1, "text", "<p>here</p>"),
            message(2, "sound", "<p>x</p>"),
            message(3, "text", "<p class=\\\"jumbo\\\">x</p>"),
            "insert into mentions (user_id, room_id, message_id) values (0, 1, 1), (1, 1, 2);".into(),
        ];
        database_of_version(4, dir.path(), &sql.concat());
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let db = data.readable().unwrap();
        let row = |id: i64| {
            db.query_row(
                "select kind, created_at, cast(json as text) from messages where id = ?",
                (id,),
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?)),
            )
            .unwrap()
        };
        let (kind, created_at, json) = row(1);
        assert_eq!((&*kind, created_at), ("text", 1_795_507_200_121));
        assert!(json.ends_with(r#""embeds":[],"everyone":true}"#), "{json}");
        assert!(json.contains(r#""content":"\u00fc""#) && json.contains("1.50"), "the rest stays: {json}");
        let (kind, created_at, json) = row(2);
        assert_eq!((&*kind, created_at), ("sound", 1_795_507_200_122));
        assert!(!json.contains("everyone") && !json.contains("is_emoji_only"), "{json}");
        assert!(row(3).2.ends_with(r#""embeds":[],"is_emoji_only":true}"#));
        assert!(dir.path().join("campfire-before-schema-5.db").is_file(), "a copy of before is kept");
    }

    /// B2, B3, B8, 25
    #[test]
    fn devices_and_links_of_before_get_their_session_and_direct_rooms_their_people() {
        let dir = tempfile::tempdir().unwrap();
        let sql = "
            insert into users (id, name, role, status, created_at) values
              (1, 'Ada', 'admin', 'active', 0), (2, 'Bob', 'member', 'deactivated', 0), (3, 'Hook', 'bot', 'active', 0);
            insert into sessions (id, token_hash, user_id, user_agent, ip_address, created_at, last_active_at) values
              (1, x'01', 1, 'Firefox', '::1', 0, 5), (2, x'02', 1, 'Firefox', '::1', 5, 9), (3, x'03', 1, 'Safari', '::1', 7, 9);
            insert into sessions (id, token_hash, user_id, user_agent, ip_address, created_at, last_active_at, kind) values
              (4, x'04', 1, 'Chrome', '::1', 0, 9, 'token'), (5, x'08', 2, 'Chrome', '::1', 0, 9, 'token');
            insert into push_subscriptions (id, user_id, endpoint, p256dh, auth, user_agent, created_at) values
              (1, 1, 'a', '', '', 'Firefox', 6), (2, 1, 'b', '', '', 'Chrome', 8), (3, 1, 'c', '', '', 'Firefox', 3),
              (4, 2, 'd', '', '', 'Chrome', 8);
            insert into one_time_tokens (token_hash, user_id, purpose, expires_at) values
              (x'05', 1, 'transfer', 9), (x'06', 1, 'reset', 9);
            insert into rooms (id, kind, creator_id, members_key, created_at, updated_at) values
              (1, 'direct', 1, '1,2', 0, 0), (2, 'open', 1, null, 0, 0), (3, 'open', 1, null, 0, 0), (4, 'open', 1, null, 0, 0);
            insert into hooks (user_id, room_id, token_hash, creator_id, created_at) values (3, 2, x'07', 1, 0);
            insert into messages (id, room_id, creator_id, json, plain) values (7, 1, 1, x'7b7d', ''), (8, 4, 3, x'7b7d', '');
            insert into memberships (room_id, user_id, involvement) values
              (1, 1, 'mentions'), (2, 1, 'mentions'), (2, 3, 'mentions'), (3, 3, 'mentions'), (4, 3, 'mentions');";
        database_of_version(5, dir.path(), sql);
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let db = data.readable().unwrap();
        let all = |sql: &str| -> Vec<String> {
            db.prepare(sql).unwrap().query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(all("select endpoint || session_id from push_subscriptions"), ["a2", "b3", "c1"]);
        assert_eq!(all("select purpose from one_time_tokens"), ["reset"]);
        assert_eq!(all("select distinct scope from sessions"), ["admin"], "what tokens may stays");
        assert_eq!(
            all(
                "select room_id || ' ' || user_id || ' ' || last_read_message_id from memberships order by 1"
            ),
            ["1 1 0", "1 2 7", "2 1 0", "2 3 0", "4 3 0"]
        );
    }
}

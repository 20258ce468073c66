//! A read-only connection, used by one thread, with cached statements and a deadline.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{CachedStatement, Connection};

use super::schema::{DataDir, OpenError};
use crate::{
    store::State,
    types::event::Session,
    types::{Account, MessageId, Room, RoomId, Seq, Settings, User, UserId, person::initials},
};

/// SQLite checks the deadline once in so many instructions of its virtual machine: about every 50 µs.
const INSTRUCTIONS_PER_CHECK: i32 = 4_000;

/// A read-only connection. Its methods are in the modules of the tables that they read.
pub struct Reader {
    db: Connection,
    /// Nanoseconds after `started` at which a statement is interrupted; MAX for never.
    deadline: Arc<AtomicU64>,
    started: Instant,
}

impl Reader {
    /// Opens a connection to the database of a data directory.
    pub fn open(data: &DataDir) -> Result<Self, OpenError> {
        let mut db = data.readable()?;
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let started = Instant::now();
        let watched = Arc::clone(&deadline);
        db.progress_handler(
            INSTRUCTIONS_PER_CHECK,
            Some(move || started.elapsed().as_nanos() as u64 > watched.load(Ordering::Relaxed)),
        )
        .map_err(|error| OpenError::Database(data.database(), error))?;
        Ok(Self { db, deadline, started })
    }

    /// Runs reads with a time limit: a statement that exceeds it fails with SQLITE_INTERRUPT.
    pub fn within<T>(
        &self,
        limit: Duration,
        reads: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.deadline.store((self.started.elapsed() + limit).as_nanos() as u64, Ordering::Relaxed);
        let outcome = reads(self);
        self.deadline.store(u64::MAX, Ordering::Relaxed);
        outcome
    }

    pub(super) fn statement(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.db.prepare_cached(sql)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }

    /// Begins a read transaction: until it is dropped, all reads see the database as of the position that is returned.
    pub fn begin(&self) -> rusqlite::Result<(rusqlite::Transaction<'_>, Seq)> {
        let tx = self.db.unchecked_transaction()?;
        // A transaction begins with its first read.
        let seq = super::writer::last_seq(&self.db)?;
        Ok((tx, seq))
    }

    /// Fails unless the database can be read.
    pub fn ping(&self) -> rusqlite::Result<()> {
        self.statement("select 1 from users limit 1")?.exists(()).map(drop)
    }

    /// Size of the database in bytes.
    pub fn size(&self) -> rusqlite::Result<i64> {
        self.db.query_row(
            "select page_count * page_size from pragma_page_count, pragma_page_size",
            (),
            |row| row.get(0),
        )
    }

    /// The state that each worker has in memory.
    pub fn state(&self) -> rusqlite::Result<State> {
        // One transaction, so that the parts are of one moment.
        let tx = self.db.unchecked_transaction()?;
        let mut state = State::at(super::writer::last_seq(&self.db)?);
        state.epochs = self.epochs()?;
        let mut accounts = self.statement(&format!("select {ACCOUNT} from account"))?;
        let mut rows = accounts.query(())?;
        if let Some(row) = rows.next()? {
            state.account = Some(account(row)?);
        }
        let mut users = self.statement(&format!("select {USER} from users"))?;
        for found in users.query_map((), user)? {
            state.add_user(found?);
        }
        let pruned = self.pruned_up_to()?;
        let mut rooms = self.statement(&format!(
            "select {ROOM}, (select max(id) from messages where room_id = rooms.id),
               (select max(seq) from events where room_id = rooms.id) from rooms where deleted_at is null"
        ))?;
        let mut rows = rooms.query(())?;
        while let Some(row) = rows.next()? {
            let (message, event): (Option<MessageId>, Option<Seq>) = (row.get(6)?, row.get(7)?);
            // Pruned events may have been in this room.
            let version = event.into_iter().chain(message.map(|id| Seq(id.0))).fold(pruned, Seq::max);
            state.add_room(room(row)?, message, version);
        }
        let mut memberships = self.statement("select room_id, user_id, involvement from memberships")?;
        let mut rows = memberships.query(())?;
        while let Some(row) = rows.next()? {
            state.add_member(row.get(0)?, row.get(1)?, row.get(2)?);
        }
        let mut sessions =
            self.statement("select id, token_hash, user_id, kind, scope, last_active_at from sessions")?;
        let mut rows = sessions.query(())?;
        while let Some(row) = rows.next()? {
            state.add_session(Session {
                id: row.get(0)?,
                token_hash: row.get(1)?,
                user_id: row.get(2)?,
                kind: row.get(3)?,
                scope: row.get(4)?,
                last_active_at: row.get(5)?,
            });
        }
        let mut bots = self.statement("select user_id from bots where webhook_url is not null")?;
        state.webhooks = bots.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut pushed = self.statement("select distinct user_id from push_subscriptions")?;
        state.pushed = pushed.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        state.mail_waits = self.mail_waits()?.into_iter().collect();
        state.languages = self.languages()?.into_iter().collect();
        state.block(&super::bans::blocked_addresses(&self.db)?);
        drop(rows);
        tx.commit()?;
        Ok(state)
    }
}

/// A hook posts only, and so does the system user, whose id is a secret of eight bytes. Unclaimed is who has neither a password
/// nor an account at an identity provider, but not who was deactivated here.
pub(super) const USER: &str = "id, name, email, bio, role, status, avatar_version, created_at,
    ifnull(role = 'bot' and (id in (select user_id from hooks)
      or printf('%016X', id) = (select hex(value) from secrets where name = 'voice')), 0),
    role <> 'bot' and password_hash is null and id not in (select user_id from identities) and (status = 'active'
      or status = 'deactivated' and id in (select id from import_origins where kind = 'person'))";

pub(super) fn user(row: &rusqlite::Row<'_>) -> rusqlite::Result<User> {
    let name: Arc<str> = row.get(1)?;
    Ok(User {
        id: row.get::<_, UserId>(0)?,
        initials: initials(&name),
        name,
        email: row.get(2)?,
        bio: row.get(3)?,
        role: row.get(4)?,
        status: row.get(5)?,
        avatar: row.get(6)?,
        created_at: row.get(7)?,
        posts_only: row.get(8)?,
        is_unclaimed: row.get(9)?,
    })
}

pub(super) const ROOM: &str = "id, name, kind, creator_id, created_at, updated_at";

pub(super) fn room(row: &rusqlite::Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: row.get::<_, RoomId>(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        creator_id: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}

pub(super) const ACCOUNT: &str = "name, custom_css, join_code, settings, logo_version, emoji_version";

pub(super) fn account(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    let settings: String = row.get(3)?;
    Ok(Account {
        name: row.get(0)?,
        custom_css: row.get(1)?,
        join_code: row.get(2)?,
        settings: serde_json::from_str::<Settings>(&settings).unwrap_or_default(),
        logo: row.get(4)?,
        emoji: row.get(5)?,
    })
}

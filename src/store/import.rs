//! Writing a history that comes from another chat, while no server runs: rows as they are, without events.

mod extra;
mod messages;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{
    DataDir, OpenError,
    files::{Image, put_image},
    index,
    rooms::members_key,
    writer::last_seq,
};
use crate::types::{
    Involvement, MessageId, Role, RoomId, RoomKind, Scope, SessionKind, Status, Timestamp, TokenHash, UserId,
    random_join_code, random_token,
};

pub use extra::OldPush;
pub use messages::NewMessage;

/// A database that is imported into.
pub struct Import {
    pub(super) db: Connection,
    source: &'static str,
}

/// A person to insert.
#[derive(Debug)]
pub struct NewPerson<'a> {
    pub id: UserId,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub bio: &'a str,
    pub role: Role,
    pub status: Status,
    pub password_hash: Option<&'a str>,
    pub created_at: Timestamp,
}

/// A room to insert.
#[derive(Debug)]
pub struct NewRoom<'a> {
    pub id: RoomId,
    pub name: Option<&'a str>,
    pub kind: RoomKind,
    pub creator: UserId,
    pub created_at: Timestamp,
}

/// An import goes over everything once, so that neither a large cache nor mapped memory saves anything.
fn frugal(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))?;
    db.pragma_update(None, "cache_size", -16_384)
}

impl Import {
    /// Opens the database of a claimed directory, and notes that an import is under way.
    pub fn open(data: &DataDir, source: &'static str) -> Result<Self, OpenError> {
        let db = data.writable()?;
        let failed = |error| OpenError::Database(data.database(), error);
        db.pragma_update(None, "foreign_keys", false).map_err(failed)?;
        // The log is copied into the database as it grows, since nobody else does it.
        db.pragma_update(None, "wal_autocheckpoint", 4_000).map_err(failed)?;
        frugal(&db).map_err(failed)?;
        Ok(Self { db, source })
    }

    /// Opens it to look only.
    pub fn look(data: &DataDir, source: &'static str) -> Result<Self, OpenError> {
        let db = data.readable()?;
        frugal(&db).map_err(|error| OpenError::Database(data.database(), error))?;
        Ok(Self { db, source })
    }

    /// Whether an import from this source was begun here before.
    pub fn is_known(&self) -> rusqlite::Result<bool> {
        self.db.prepare_cached("select 1 from imports where source = ?")?.exists((self.source,))
    }

    /// Whether nobody has been here yet.
    pub fn is_empty(&self) -> rusqlite::Result<bool> {
        Ok(!self.db.prepare_cached("select 1 from users limit 1")?.exists(())?
            && !self.db.prepare_cached("select 1 from account")?.exists(())?
            && last_seq(&self.db)?.0 == 0)
    }

    /// The newest message of the last import, if it is older than the newest of all: somebody has written since.
    pub fn has_newer(&self) -> rusqlite::Result<bool> {
        let last: Option<i64> = self.db.query_row(
            "select max(last_id) from imports where source = ?",
            (self.source,),
            |row| row.get(0),
        )?;
        let newest: Option<i64> = self.db.query_row("select max(id) from messages", (), |row| row.get(0))?;
        Ok(matches!((last, newest), (Some(last), Some(newest)) if newest > last && last > 0))
    }

    /// Begins an import. True if it goes on with one that was not finished.
    pub fn start(&self) -> rusqlite::Result<bool> {
        let goes_on = self
            .db
            .prepare_cached("select 1 from imports where source = ? and finished_at is null")?
            .exists((self.source,))?;
        self.db.execute(
            "insert into imports (source, started_at, last_id) values (?1, ?2, 0)
             on conflict (source) do update set finished_at = null",
            (self.source, Timestamp::now()),
        )?;
        index::suspend(&self.db)?;
        Ok(goes_on)
    }

    /// Ends it. Clients that were here before start afresh.
    pub fn finish(&self) -> rusqlite::Result<()> {
        let last = last_seq(&self.db)?;
        self.db.execute(
            "update imports set finished_at = ?, last_id = (select ifnull(max(id), 0) from messages) where source = ?",
            (Timestamp::now(), self.source),
        )?;
        self.db.execute("insert or replace into pruned (id, seq) values (1, ?)", (last,))?;
        self.db.execute_batch("pragma wal_checkpoint(truncate); pragma optimize")
    }

    /// Runs writes in one transaction.
    pub fn transaction<T, E: From<rusqlite::Error>>(
        &self,
        write: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let done = write(self)?;
        tx.commit()?;
        Ok(done)
    }

    /// What a record of the source has become here.
    pub fn origin(&self, kind: &str, key: &str) -> rusqlite::Result<Option<i64>> {
        self.db
            .prepare_cached("select id from import_origins where source = ? and kind = ? and key = ?")?
            .query_row((self.source, kind, key), |row| row.get(0))
            .optional()
    }

    pub fn set_origin(&self, kind: &str, key: &str, id: i64) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "insert or replace into import_origins (source, kind, key, id) values (?, ?, ?, ?)",
            )?
            .execute((self.source, kind, key, id))
            .map(drop)
    }

    /// The person with an e-mail address.
    pub fn user_by_email(&self, email: &str) -> rusqlite::Result<Option<UserId>> {
        self.db
            .prepare_cached("select id from users where email = ?")?
            .query_row((email,), |row| row.get(0))
            .optional()
    }

    /// The ids of the next person and of the next room.
    pub fn next_ids(&self) -> rusqlite::Result<(i64, i64)> {
        let next = |table: &str| {
            // Also above those that were deleted.
            self.db.query_row(
                &format!(
                    "select max(ifnull((select seq from sqlite_sequence where name = '{table}'), 0),
                            ifnull((select max(id) from {table}), 0)) + 1"
                ),
                (),
                |row| row.get(0),
            )
        };
        Ok((next("users")?, next("rooms")?))
    }

    /// The id of the next message.
    pub fn next_message(&self) -> rusqlite::Result<MessageId> {
        Ok(MessageId(last_seq(&self.db)?.0 + 1))
    }

    pub fn has_message(&self, id: MessageId) -> rusqlite::Result<bool> {
        self.db.prepare_cached("select 1 from messages where id = ?")?.exists((id,))
    }

    /// The message that was imported with a key.
    pub fn message_by_client_id(
        &self,
        room: RoomId,
        creator: UserId,
        client_id: &str,
    ) -> rusqlite::Result<Option<MessageId>> {
        self.db
            .prepare_cached(
                "select id from messages where room_id = ? and creator_id = ? and client_message_id = ?",
            )?
            .query_row((room, creator, client_id), |row| row.get(0))
            .optional()
    }

    /// Makes the account, if there is none.
    pub fn put_account(
        &self,
        name: &str,
        join_code: Option<&str>,
        settings: Option<&str>,
    ) -> rusqlite::Result<bool> {
        let made = self.db.execute(
            "insert or ignore into account (id, name, join_code, settings, created_at) values (1, ?, ?, ?, ?)",
            (
                name,
                join_code.map_or_else(random_join_code, str::to_owned),
                settings.unwrap_or("{}"),
                Timestamp::now(),
            ),
        )?;
        Ok(made == 1)
    }

    pub fn put_person(&self, person: &NewPerson<'_>) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "insert into users (id, name, email, bio, role, status, password_hash, created_at)
                 values (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                person.id,
                person.name,
                person.email,
                person.bio,
                person.role,
                person.status,
                person.password_hash,
                person.created_at,
            ))
            .map(drop)
    }

    /// Makes a person a bot. `token` is what stands behind the id in its key; None for a new one.
    pub fn put_bot(
        &self,
        bot: UserId,
        webhook_url: Option<&str>,
        token: Option<&str>,
    ) -> rusqlite::Result<()> {
        let (key, hash) = match token {
            // Such a key is looked up whole.
            Some(token) => (token.to_owned(), TokenHash::of(&format!("{bot}-{token}"))),
            None => {
                let secret = random_token();
                let hash = TokenHash::of(&secret);
                (secret, hash)
            }
        };
        self.db
            .prepare_cached("insert or ignore into bots (user_id, webhook_url, key) values (?, ?, ?)")?
            .execute((bot, webhook_url, key))?;
        let now = Timestamp::now();
        self.db
            .prepare_cached(
                "insert or ignore into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at, kind, scope)
                 values (?, ?, '', '', ?, ?, ?, ?)",
            )?
            .execute((hash, bot, now, now, SessionKind::Bot, Scope::Write))
            .map(drop)
    }

    /// Inserts a room. False if it is a direct room of people who have one already: it stands beside that one.
    pub fn put_room(&self, room: &NewRoom<'_>, members: &[UserId]) -> rusqlite::Result<bool> {
        let key = (room.kind == RoomKind::Direct).then(|| members_key(members));
        let is_taken = match &key {
            Some(key) => {
                self.db.prepare_cached("select 1 from rooms where members_key = ?")?.exists((key,))?
            }
            None => false,
        };
        self.db
            .prepare_cached(
                "insert into rooms (id, name, kind, creator_id, members_key, created_at, updated_at)
                 values (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                room.id,
                room.name,
                room.kind,
                room.creator,
                key.filter(|_| !is_taken),
                room.created_at,
                room.created_at,
            ))?;
        Ok(!is_taken)
    }

    /// Makes somebody a member. False if they were one before.
    pub fn put_member(&self, room: RoomId, user: UserId, involvement: Involvement) -> rusqlite::Result<bool> {
        let inserted = self
            .db
            .prepare_cached(
                "insert or ignore into memberships (room_id, user_id, involvement) values (?, ?, ?)",
            )?
            .execute((room, user, involvement))?;
        Ok(inserted == 1)
    }

    /// Makes everybody active but guests a member of every open room, hidden where they were not before.
    pub fn fill_open_rooms(&self) -> rusqlite::Result<()> {
        self.db
            .execute(
                "insert or ignore into memberships (room_id, user_id, involvement, last_read_message_id)
                 select rooms.id, users.id, ?, ifnull((select max(id) from messages where room_id = rooms.id), 0)
                 from rooms, users
                 where rooms.kind = ? and rooms.deleted_at is null and users.status = ? and users.role <> 'guest'
                   and users.id not in (select user_id from hooks)",
                (Involvement::Invisible, RoomKind::Open, Status::Active),
            )
            .map(drop)
    }

    /// Marks every room of an import read to its end, for all members.
    pub fn mark_all_read(&self) -> rusqlite::Result<()> {
        self.db
            .execute(
                "update memberships set last_read_message_id =
                   ifnull((select max(id) from messages where messages.room_id = memberships.room_id), 0)
                 where last_read_message_id = 0
                   and room_id in (select id from import_origins where source = ? and kind = 'room')",
                (self.source,),
            )
            .map(drop)
    }

    /// Marks messages from a time on unread for members of a room, each with their own time, the latest first.
    pub fn mark_unread(&self, room: RoomId, members: &[(UserId, Timestamp)]) -> rusqlite::Result<()> {
        let mut members = members.iter().peekable();
        // One walk for all, from the newest message to the oldest that is unread.
        let mut select = self
            .db
            .prepare_cached("select id, created_at from messages where room_id = ? order by id desc")?;
        let mut update = self.db.prepare_cached(
            "update memberships set last_read_message_id = ? where room_id = ? and user_id = ?",
        )?;
        let mut rows = select.query((room,))?;
        while members.peek().is_some()
            && let Some(row) = rows.next()?
        {
            let (id, at): (i64, Timestamp) = (row.get(0)?, row.get(1)?);
            while let Some((user, _)) = members.next_if(|(_, unread_from)| at < *unread_from) {
                update.execute((id, room, user))?;
            }
        }
        for (user, _) in members {
            update.execute((0, room, user))?;
        }
        Ok(())
    }

    /// Hides a room from everybody's list.
    pub fn hide(&self, room: RoomId) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("update memberships set involvement = ? where room_id = ?")?
            .execute((Involvement::Invisible, room))
            .map(drop)
    }

    pub fn has_messages(&self) -> rusqlite::Result<bool> {
        self.db.prepare_cached("select 1 from messages limit 1")?.exists(())
    }

    pub fn message_count(&self) -> rusqlite::Result<u64> {
        self.db.query_row("select count(*) from messages", (), |row| row.get(0))
    }

    /// The members of a room.
    pub fn members_of(&self, room: RoomId) -> rusqlite::Result<Vec<UserId>> {
        self.db
            .prepare_cached("select user_id from memberships where room_id = ?")?
            .query_map((room,), |row| row.get(0))?
            .collect()
    }

    /// Stores a small picture: an avatar (`user-5`), or the logo.
    pub fn put_picture(&self, key: &str, image: &Image) -> rusqlite::Result<()> {
        put_image(&self.db, key, None, Some(image))
    }

    pub fn has_avatar(&self, user: UserId) -> rusqlite::Result<bool> {
        self.db
            .prepare_cached("select 1 from users where id = ? and avatar_version is not null")?
            .exists((user,))
    }

    /// Notes that somebody has a picture.
    pub fn set_avatar(&self, user: UserId) -> rusqlite::Result<()> {
        self.db.execute("update users set avatar_version = 1 where id = ?", (user,)).map(drop)
    }

    /// Builds the index of all messages. `watch` hears how many are in it.
    pub fn build_index(&self, watch: &mut dyn FnMut(u64)) -> rusqlite::Result<()> {
        index::build(&self.db, watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Durability;

    #[test]
    fn rooms_that_were_here_before_stay_unread() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let import = Import::open(&data, "slack").unwrap();
        import
            .db
            .execute_batch(
                "insert into users (id, name, role, created_at) values (1, 'Ada', 'admin', 0);
                 insert into rooms (id, kind, creator_id, created_at, updated_at)
                   values (1, 'closed', 1, 0, 0), (2, 'closed', 1, 0, 0);
                 insert into memberships (room_id, user_id, involvement) values (1, 1, 'mentions'), (2, 1, 'mentions');
                 insert into messages (id, room_id, creator_id, json, plain) values (7, 1, 1, x'7b7d', ''), (8, 2, 1, x'7b7d', '');",
            )
            .unwrap();
        import.set_origin("room", "C2", 2).unwrap();
        import.mark_all_read().unwrap();
        let read =
            "select group_concat(last_read_message_id) from (select * from memberships order by room_id)";
        let read: String = import.db.query_row(read, (), |row| row.get(0)).unwrap();
        assert_eq!(read, "0,8");
    }
}

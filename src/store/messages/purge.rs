//! Removing messages: one, those of deleted rooms, those of a banned person, those past the retention.
//!
//! Nothing here parses a message's JSON: all that is needed stands in columns of its row.

use super::{authorise, mentions, unmention};
use crate::{
    store::{
        Deactivate,
        account::retention_days,
        command::{Audience, Command, Entry, Indexing, Refusal, Tx},
        files::remove_files,
    },
    types::event::Change,
    types::{MessageId, Timestamp, UserId},
    wire,
};

/// Messages of deleted rooms removed by one command. Bounds how long other commands wait.
const PURGE_STEP: usize = 500;

/// The same where each removal is an event of its own.
const REMOVE_STEP: usize = 100;

/// The columns of an [`Entry`], for [`entry`].
const ENTRY: &str =
    "messages.id, messages.room_id, messages.creator_id, messages.plain, messages.addresses, messages.tags";

pub(in crate::store) fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        message: row.get(0)?,
        room: row.get(1)?,
        creator: row.get(2)?,
        plain: row.get(3)?,
        addresses: row.get(4)?,
        tags: row.get(5)?,
    })
}

/// Deletes a message. Refused with `NotFound`, or with `Forbidden` if the editor is neither its author nor an
/// administrator.
#[derive(Debug)]
pub struct DeleteMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub is_admin: bool,
}

impl Command for DeleteMessage {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let entry = tx
            .statement(&format!("select {ENTRY} from messages where id = ?"))?
            .query_row((self.message,), entry)?;
        authorise(entry.creator, self.editor, self.is_admin)?;
        delete(tx, entry)
    }
}

/// Removes a message and records the event.
fn delete(tx: &mut Tx<'_>, entry: Entry) -> Result<(), Refusal> {
    let (room, id, creator) = (entry.room, entry.message, entry.creator);
    let mentions = mentions(tx, id)?;
    remove(tx, entry)?;
    let last_message = tx
        .statement("select max(id) from messages where room_id = ?")?
        .query_row((room,), |row| row.get(0))?;
    let event = wire::Event::MessageDeleted {
        room_id: room,
        message_id: id,
        mentions: &mentions.users,
        everyone: mentions.everyone,
    };
    Ok(tx.record(Audience::Room(room), Some(id), &event, |json| Change::MessageDeleted {
        room,
        message: id,
        creator,
        mentions: mentions.clone(),
        last_message,
        json,
    })?)
}

/// Removes a message with everything that belongs to it. Each of these tables has an index by message.
fn remove(tx: &mut Tx<'_>, entry: Entry) -> rusqlite::Result<()> {
    let id = entry.message;
    unmention(tx, id)?;
    tx.statement("delete from boosts where message_id = ?")?.execute((id,))?;
    tx.statement("delete from images where message_id = ?")?.execute((id,))?;
    remove_files(tx, id)?;
    tx.statement("delete from messages where id = ?")?.execute((id,))?;
    tx.indexing.push(Indexing::Remove(entry));
    Ok(())
}

/// Removes up to 500 messages of deleted rooms, without events: the room's own deletion was one. Then what else there is of
/// these rooms, and their rows. True if there may be more.
#[derive(Debug)]
pub struct PurgeRooms;

impl Command for PurgeRooms {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let entries: Vec<Entry> = tx
            .statement(&format!(
                "select {ENTRY} from rooms join messages on messages.room_id = rooms.id
                 where rooms.deleted_at is not null limit ?"
            ))?
            .query_map((PURGE_STEP,), entry)?
            .collect::<rusqlite::Result<_>>()?;
        let may_have_more = entries.len() == PURGE_STEP;
        for entry in entries {
            remove(tx, entry)?;
        }
        if may_have_more {
            return Ok(true);
        }
        // Rooms that an earlier version deleted left their webhooks, each of which is a user.
        let hooks: Vec<UserId> = tx
            .statement(
                "select user_id from hooks join rooms on rooms.id = room_id where deleted_at is not null",
            )?
            .query_map((), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for user in hooks {
            Deactivate { user }.apply(tx)?;
        }
        // Events of the room go with all others of their week.
        let rooms = tx
            .statement(
                "delete from rooms where id in (
                   select id from rooms where deleted_at is not null
                     and not exists (select 1 from messages where room_id = rooms.id)
                     and not exists (select 1 from hooks where room_id = rooms.id)
                   limit ?)",
            )?
            .execute((PURGE_STEP,))?;
        Ok(rooms == PURGE_STEP)
    }
}

/// Removes up to 100 of a person's messages, the newest first, each with an event. True if there may be more.
#[derive(Debug)]
pub struct RemoveMessagesOf {
    pub user: UserId,
}

impl Command for RemoveMessagesOf {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let entries: Vec<Entry> = tx
            .statement(&format!(
                "select {ENTRY} from messages where creator_id = ? order by id desc limit ?"
            ))?
            .query_map((self.user, REMOVE_STEP), entry)?
            .collect::<rusqlite::Result<_>>()?;
        let may_have_more = entries.len() == REMOVE_STEP;
        for entry in entries {
            delete(tx, entry)?;
        }
        Ok(may_have_more)
    }
}

/// Removes up to 100 messages that are older than the account's retention, each with an event. True if there may be
/// more.
#[derive(Debug)]
pub struct RetireMessages;

impl Command for RetireMessages {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let Some(days) = retention_days(tx)? else { return Ok(false) };
        let horizon = tx.now.hours_ago(i64::from(days) * 24);
        let expired = expired(tx, horizon)?;
        let may_have_more = expired.len() == REMOVE_STEP;
        for entry in expired {
            delete(tx, entry)?;
        }
        Ok(may_have_more)
    }
}

/// The oldest messages from before `horizon`, by their time: ids are in the order of time only as long as the clock is
/// right.
fn expired(tx: &Tx<'_>, horizon: Timestamp) -> rusqlite::Result<Vec<Entry>> {
    tx.statement(&format!("select {ENTRY} from messages where created_at < ? order by created_at limit ?"))?
        .query_map((horizon, REMOVE_STEP), entry)?
        .collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::{
        config::Durability,
        store::{
            ChangeAccount, DataDir, DeleteRoom, NewFile, NewSession, PostMessage, SetUp, SetUpDone, Text,
            index::Index, writer::last_seq,
        },
        types::{MessageKind, TokenHash},
    };

    /// Rows that belong to messages, besides the message's own.
    const BELONGINGS: [&str; 4] = ["mentions", "boosts", "attachments", "images"];

    /// Applies a command with what it has for the full-text index.
    fn run<C: Command>(db: &Connection, command: C) -> C::Output {
        let mut seq = last_seq(db).unwrap();
        let (mut events, mut indexing) = (Vec::new(), Vec::new());
        let now = Timestamp::now();
        let mut tx = Tx { db, now, seq: &mut seq, events: &mut events, indexing: &mut indexing };
        let output = command.apply(&mut tx).unwrap();
        Index::open(db, Durability::Normal).unwrap().write(db, &indexing).unwrap();
        output
    }

    /// Posts a message that mentions its author and everybody, with a file, a boost and a preview's image, and then
    /// makes its JSON unreadable.
    fn post(db: &Connection, to: &SetUpDone, at: Timestamp) -> MessageId {
        let text = Text {
            content: "words".into(),
            html: "<p>words</p>".into(),
            plain: "words".into(),
            tags: "link".into(),
            mentions: [to.user].into_iter().collect(),
            everyone: true,
            is_emoji_only: false,
        };
        let key = crate::types::random_token();
        let file = NewFile {
            key: key.clone(),
            filename: "a.txt".into(),
            content_type: "text/plain".into(),
            byte_size: 1,
            sha256: [0; 32],
            width: None,
            height: None,
            duration_s: None,
            is_animated: false,
            thumbnail: None,
            is_own_thumbnail: false,
        };
        let message = PostMessage::new(to.room, to.user, None, None, MessageKind::Text, text);
        let id = run(db, message.with_file(file).at(at)).id;
        let boost = "insert into boosts (message_id, user_id, content, created_at) values (?, ?, '!', 0)";
        db.execute(boost, (id, to.user)).unwrap();
        let image =
            "insert into images (key, message_id, content_type, bytes) values (?, ?, 'image/png', x'00')";
        db.execute(image, (key, id)).unwrap();
        db.execute("update messages set json = x'00' where id = ?", (id,)).unwrap();
        id
    }

    fn count(db: &Connection, table: &str) -> i64 {
        db.query_row(&format!("select count(*) from {table}"), (), |row| row.get(0)).unwrap()
    }

    fn set_up(directory: &std::path::Path) -> (DataDir, Connection, SetUpDone) {
        let data = DataDir::claim(directory, Durability::Normal).unwrap();
        let db = data.writable().unwrap();
        let session =
            NewSession { token: TokenHash([1; 32]), user_agent: String::new(), ip_address: String::new() };
        let done = run(
            &db,
            SetUp {
                account_name: "Camp".into(),
                join_code: "code".into(),
                name: "Ada".into(),
                email: "ada@example.org".into(),
                password_hash: String::new(),
                session,
            },
        );
        (data, db, done)
    }

    /// Fails unless the index has exactly the words of the messages that are left.
    fn check_index(db: &Connection) {
        assert!(crate::store::check::is_right(db).unwrap());
    }

    /// 29: a message from before, behind one that stays, as a clock that was wrong for a while leaves it.
    #[test]
    fn retention_removes_old_messages_whatever_their_json_and_order() {
        let directory = tempfile::tempdir().unwrap();
        let (_data, db, done) = set_up(directory.path());
        post(&db, &done, Timestamp(1));
        post(&db, &done, Timestamp(2));
        let recent = post(&db, &done, Timestamp::now());
        post(&db, &done, Timestamp(3));
        let ahead = post(&db, &done, Timestamp(Timestamp::now().0 + 86_400_000));
        assert!(!run(&db, RetireMessages), "without a retention nothing is removed");
        assert_eq!(count(&db, "messages"), 5);
        run(&db, ChangeAccount { retention_days: Some(Some(30)), ..ChangeAccount::default() });
        assert!(!run(&db, RetireMessages));
        let mut left = db.prepare("select id from messages order by id").unwrap();
        let left: Vec<MessageId> =
            left.query_map((), |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        assert_eq!(left, [recent, ahead]);
        assert_eq!(BELONGINGS.map(|table| count(&db, table)), [4, 2, 2, 2]);
        assert_eq!(count(&db, "jobs where kind = 'remove_files'"), 3);
        assert_eq!(count(&db, "events where kind = 'message.deleted'"), 3);
        check_index(&db);
    }

    #[test]
    fn deleted_rooms_lose_their_messages_without_an_event_for_each() {
        let directory = tempfile::tempdir().unwrap();
        let (_data, db, done) = set_up(directory.path());
        for _ in 0..=PURGE_STEP {
            post(&db, &done, Timestamp::now());
        }
        assert!(!run(&db, PurgeRooms), "a room that is not deleted keeps its messages");
        assert_eq!(count(&db, "messages"), PURGE_STEP as i64 + 1);
        run(&db, DeleteRoom { room: done.room });
        assert!(run(&db, PurgeRooms));
        assert_eq!(count(&db, "messages"), 1);
        // As an earlier version left it.
        db.execute_batch("insert into users (name, role, created_at) values ('CI', 'bot', 0)").unwrap();
        let hook = "insert into hooks (user_id, room_id, token_hash, creator_id, created_at) values (?, ?, x'00', ?, 0)";
        db.execute(hook, (db.last_insert_rowid(), done.room, done.user)).unwrap();
        assert!(!run(&db, PurgeRooms));
        assert_eq!(count(&db, "messages"), 0);
        assert_eq!((count(&db, "rooms"), count(&db, "hooks")), (0, 0), "38: the rows of the room go too");
        assert_eq!(count(&db, "users where name = 'CI' and status = 'deactivated'"), 1);
        assert_eq!(BELONGINGS.map(|table| count(&db, table)), [0; 4]);
        assert_eq!(count(&db, "events where kind = 'message.deleted'"), 0);
        check_index(&db);
    }

    #[test]
    fn a_persons_messages_are_removed_with_an_event_for_each() {
        let directory = tempfile::tempdir().unwrap();
        let (_data, db, done) = set_up(directory.path());
        for _ in 0..=REMOVE_STEP {
            post(&db, &done, Timestamp::now());
        }
        assert!(run(&db, RemoveMessagesOf { user: done.user }));
        assert_eq!(count(&db, "messages"), 1);
        assert!(!run(&db, RemoveMessagesOf { user: done.user }));
        assert_eq!(BELONGINGS.map(|table| count(&db, table)), [0; 4]);
        assert_eq!(count(&db, "events where kind = 'message.deleted'"), REMOVE_STEP as i64 + 1);
        check_index(&db);
    }
}

//! The full-text index: entries are written with their batch, segments are merged between batches, and after a change of
//! how tokens are made all messages are indexed anew, some at a time.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use serde::Deserialize;

use super::{
    command::{Entry, Indexing},
    messages::entry_of,
    writer::last_seq,
};
use crate::{
    config::Durability,
    text::{self, Analyzer, INDEX_VERSION, Languages},
    types::MessageId,
};

/// Pages merged at a time: about half a millisecond of work.
const STEP: usize = 16;

/// Pages to merge that each batch adds, whatever its size: its own pages, once for each level of the index.
const PAGES_PER_BATCH: usize = 6;

/// Entries that make one more page to merge.
const ENTRIES_PER_PAGE: usize = 4;

/// How long older messages are indexed at a time. Commands wait for it.
const CATCH_UP_FOR: Duration = Duration::from_millis(3);

/// Messages, and bytes of them, that are indexed at a time.
const MAX_CATCH_UP: usize = 512;
const MAX_CATCH_UP_BYTES: usize = 64 << 10;

/// The same while no server runs.
const BUILT_AT_ONCE: usize = 20_000;
const BUILT_BYTES: usize = 8 << 20;

/// After an error in that.
const RETRY_DELAY: Duration = Duration::from_secs(1);

pub(super) struct Index {
    durability: Durability,
    analyzer: Analyzer,
    /// Messages before this one are not in the index; 0 if all are in it.
    down_to: MessageId,
    /// Messages to index in the next step, by how long the last one took.
    step: usize,
    retry_at: Option<Instant>,
    /// Pages to merge, estimated.
    due: usize,
}

impl Index {
    /// Opens the index of a database. If its tokens were made in another way than now, all of it is made anew.
    pub(super) fn open(db: &Connection, durability: Durability) -> rusqlite::Result<Self> {
        let found = state(db)?;
        let languages = found.as_ref().map_or_else(Languages::default, |(analysis, _)| {
            let codes = analysis.split_once(' ').map_or("", |(_, codes)| codes);
            Languages::parse(codes).unwrap_or_default()
        });
        let down_to = match found {
            Some((analysis, down_to)) if analysis == analysis_of(&languages) => down_to,
            _ => restart(db, &languages)?,
        };
        Ok(Self {
            durability,
            analyzer: Analyzer::new(&languages),
            down_to,
            step: 32,
            retry_at: None,
            due: 0,
        })
    }

    /// Writes a batch's changes, within its transaction. Messages that are still to be indexed get their entries then.
    pub(super) fn write(&mut self, db: &Connection, indexing: &[Indexing]) -> rusqlite::Result<()> {
        for change in indexing {
            let (Indexing::Add(entry) | Indexing::Remove(entry)) = change;
            if entry.message >= self.down_to {
                self.put(db, entry, matches!(change, Indexing::Remove(_)))?;
            }
        }
        if !indexing.is_empty() {
            self.due += PAGES_PER_BATCH + indexing.len() / ENTRIES_PER_PAGE;
        }
        Ok(())
    }

    fn put(&self, db: &Connection, entry: &Entry, is_removal: bool) -> rusqlite::Result<()> {
        let columns = columns(&self.analyzer, entry);
        let [words, more, room, creator] = &columns;
        let sql = match is_removal {
            true => {
                "insert into messages_fts (messages_fts, rowid, words, more, room, creator) values ('delete', ?, ?, ?, ?, ?)"
            }
            false => "insert into messages_fts (rowid, words, more, room, creator) values (?, ?, ?, ?, ?)",
        };
        db.prepare_cached(sql)?.execute((entry.message, words, more, room, creator)).map(drop)
    }

    /// Whether older messages are still to be indexed.
    pub(super) fn is_incomplete(&self) -> bool {
        self.down_to > MessageId(0)
    }

    /// Whether some of them can be indexed now.
    pub(super) fn can_catch_up(&self) -> bool {
        self.is_incomplete() && self.retry_at.is_none_or(|at| at <= Instant::now())
    }

    /// Indexes some older messages, in a transaction of its own, and merges what that makes. It is not synced: if it is
    /// undone, it is done again.
    pub(super) fn catch_up(&mut self, db: &Connection) {
        self.retry_at = None;
        if let Err(error) = self.without_sync(db, Self::catch_up_in_transaction) {
            tracing::warn!(%error, "could not index older messages");
            self.retry_at = Some(Instant::now() + RETRY_DELAY);
        }
        while self.due >= STEP {
            self.optimize(db);
        }
    }

    fn catch_up_in_transaction(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let began = Instant::now();
        let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
        let (entries, is_last) = older(&tx, self.down_to, self.step, MAX_CATCH_UP_BYTES)?;
        // FTS5 writes a segment whenever a message is older than the one before.
        for entry in entries.iter().rev() {
            self.put(&tx, entry, false)?;
        }
        self.reach(tx, &entries, is_last)?;
        self.due += PAGES_PER_BATCH + entries.len() / ENTRIES_PER_PAGE;
        let took = began.elapsed();
        if took > CATCH_UP_FOR {
            self.step = (self.step / 2).max(1);
        } else if took < CATCH_UP_FOR / 2 {
            self.step = (self.step * 2).min(MAX_CATCH_UP);
        }
        if !self.is_incomplete() {
            tracing::info!("all messages are indexed for search");
        }
        Ok(())
    }

    /// Notes down to which message the index is complete with these entries, and commits.
    fn reach(&mut self, tx: Transaction<'_>, entries: &[Entry], is_last: bool) -> rusqlite::Result<()> {
        let down_to = match entries.last() {
            Some(oldest) if !is_last => oldest.message,
            _ => MessageId(0),
        };
        tx.prepare_cached("update search_index set down_to = ?")?.execute((down_to,))?;
        tx.commit()?;
        self.down_to = down_to;
        Ok(())
    }

    /// Merges some pages, in a transaction of its own. It is not synced: the next commit syncs it too, and nothing is lost
    /// if it is undone.
    pub(super) fn optimize(&mut self, db: &Connection) {
        if self.due < STEP {
            return;
        }
        self.due -= STEP;
        let merged = self.without_sync(db, |_, db| {
            let before = db.total_changes();
            let mut merge =
                db.prepare_cached("insert into messages_fts (messages_fts, rank) values ('merge', ?)")?;
            merge.execute((STEP,))?;
            // One change is the command itself (https://sqlite.org/fts5.html#the_merge_command).
            Ok(db.total_changes() - before > 1)
        });
        match merged {
            Ok(true) => {}
            Ok(false) => self.due = 0,
            // Another process has locked the database. If too many segments gather, FTS5 merges them within a commit.
            Err(error) => tracing::debug!(%error, "the index was not merged"),
        }
    }

    fn without_sync<T>(
        &mut self,
        db: &Connection,
        write: impl FnOnce(&mut Self, &Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        if self.durability == Durability::Normal {
            return write(self, db);
        }
        db.pragma_update(None, "synchronous", "normal")?;
        let written = write(self, db);
        db.pragma_update(None, "synchronous", "full")?;
        written
    }
}

/// Has the index made anew if these are not its languages.
pub(super) fn set_languages(db: &Connection, languages: &Languages) -> rusqlite::Result<()> {
    match state(db)? {
        Some((analysis, _)) if analysis == analysis_of(languages) => Ok(()),
        _ => restart(db, languages).map(drop),
    }
}

/// Makes the index anew while no server runs.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    let (analysis, _) = state(db)?.unwrap_or_default();
    let codes = analysis.split_once(' ').map_or("", |(_, codes)| codes);
    restart(db, &Languages::parse(codes).unwrap_or_default())?;
    build(db, &mut |_| ())
}

/// Empties the index until [`build`], or until a server fills it: messages are inserted in large numbers.
pub(super) fn suspend(db: &Connection) -> rusqlite::Result<()> {
    let analysis = state(db)?.map_or_else(|| analysis_of(&Languages::default()), |(analysis, _)| analysis);
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    empty(tx, &analysis, MessageId(i64::MAX))
}

/// Builds what is missing of the index in large steps, while no server runs. `watch` hears how many messages are in it.
pub(super) fn build(db: &Connection, watch: &mut dyn FnMut(u64)) -> rusqlite::Result<()> {
    let mut index = Index::open(db, Durability::Normal)?;
    let mut done = 0;
    while index.is_incomplete() {
        let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
        let (entries, is_last) = older(&tx, index.down_to, BUILT_AT_ONCE, BUILT_BYTES)?;
        for entry in entries.iter().rev() {
            index.put(&tx, entry, false)?;
        }
        index.reach(tx, &entries, is_last)?;
        done += entries.len() as u64;
        watch(done);
    }
    // One segment is the fastest to search.
    db.execute("insert into messages_fts (messages_fts) values ('optimize')", ()).map(drop)
}

/// How tokens are made: what they depend on besides the text.
pub(super) fn analysis_of(languages: &Languages) -> String {
    format!("{INDEX_VERSION} {languages}")
}

pub(super) fn state(db: &Connection) -> rusqlite::Result<Option<(String, MessageId)>> {
    db.query_row("select analysis, down_to from search_index", (), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Empties the index. Returns the message down to which it is complete: the next one.
fn restart(db: &Connection, languages: &Languages) -> rusqlite::Result<MessageId> {
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let has_messages = tx.prepare("select 1 from messages limit 1")?.exists(())?;
    let down_to = if has_messages { MessageId(last_seq(&tx)?.0 + 1) } else { MessageId(0) };
    empty(tx, &analysis_of(languages), down_to)?;
    Ok(down_to)
}

/// Empties the index, notes how its tokens will be made and from which message on it is complete, and commits.
fn empty(tx: Transaction<'_>, analysis: &str, down_to: MessageId) -> rusqlite::Result<()> {
    tx.execute("insert into messages_fts (messages_fts) values ('delete-all')", ())?;
    tx.execute(
        "insert or replace into search_index (id, analysis, down_to) values (1, ?, ?)",
        (analysis, down_to),
    )?;
    tx.commit()
}

/// The newest messages before one, and whether there are no more.
fn older(
    tx: &Connection,
    before: MessageId,
    limit: usize,
    max_bytes: usize,
) -> rusqlite::Result<(Vec<Entry>, bool)> {
    let mut select = tx.prepare_cached(
        "select id, room_id, creator_id, plain, addresses, tags, json from messages where id < ? order by id desc limit ?",
    )?;
    let (mut entries, mut size) = (Vec::new(), 0);
    let mut rows = select.query((before, limit))?;
    while let Some(row) = rows.next()? {
        let mut entry = entry_of(row)?;
        // Messages of earlier versions have no addresses yet.
        let json = row.get_ref(6)?.as_blob()?;
        if entry.addresses.is_empty() && memchr::memmem::find(json, b"href=").is_some() {
            entry.addresses = addresses(json);
            if !entry.addresses.is_empty() {
                tx.prepare_cached("update messages set addresses = ? where id = ?")?
                    .execute((&entry.addresses, entry.message))?;
            }
        }
        size += entry.plain.len() + entry.addresses.len();
        entries.push(entry);
        if size > max_bytes {
            return Ok((entries, false));
        }
    }
    let is_last = entries.len() < limit;
    Ok((entries, is_last))
}

/// The addresses of a stored message's links.
fn addresses(json: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Rendered {
        html: String,
    }
    serde_json::from_slice::<Rendered>(json).map_or_else(|_| String::new(), |it| text::addresses(&it.html))
}

/// What the index has of a message, by column.
pub(super) fn columns(analyzer: &Analyzer, entry: &Entry) -> [String; 4] {
    let Entry { room, creator, plain, addresses, tags, .. } = entry;
    let tokens = match addresses.is_empty() {
        true => analyzer.tokens(plain),
        false => analyzer.tokens(&[plain, "\n", addresses].concat()),
    };
    // The room and the author are tokens of columns of their own, so that a search within one small room of a large
    // history intersects two lists instead of probing every hit of a common word.
    [tokens.words, tokens.more, format!("r{room} {tags}"), format!("u{creator}")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{DataDir, check::is_right},
        types::{RoomId, UserId},
    };

    fn database(messages: i64) -> (tempfile::TempDir, DataDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Full).unwrap();
        let db = data.writable().unwrap();
        db.execute_batch(&format!(
            "insert into users (id, name, role, created_at) values (1, 'Ada', 'admin', 0);
             insert into rooms (id, kind, creator_id, created_at, updated_at) values (1, 'open', 1, 0, 0);
             with recursive n (id) as (select 1 union all select id + 1 from n where id < {messages})
             insert into messages (id, room_id, creator_id, json, plain, tags)
               select 2 * id, 1, 1, cast('{{\"html\":\"<p><a href=\\\"https://a.example/' || id || '\\\">x</a></p>\"}}' as blob),
                 'running dogs ' || id, 'link' from n"
        ))
        .unwrap();
        (dir, data, db)
    }

    fn entry(message: i64, plain: &str) -> Entry {
        Entry {
            message: MessageId(message),
            room: RoomId(1),
            creator: UserId(1),
            plain: plain.into(),
            addresses: String::new(),
            tags: String::new(),
        }
    }

    fn found(db: &Connection, expression: &str) -> i64 {
        db.query_row("select count(*) from messages_fts where messages_fts match ?", (expression,), |row| {
            row.get(0)
        })
        .unwrap()
    }

    #[test]
    fn index_is_made_in_steps_that_go_on_after_a_restart() {
        let (_dir, _data, db) = database(2_000);
        let mut index = Index::open(&db, Durability::Full).unwrap();
        assert!(index.can_catch_up());
        let (mut steps, mut before) = (0, 0);
        while index.is_incomplete() {
            index.catch_up(&db);
            steps += 1;
            let now = found(&db, "words : dogs");
            assert!(now > before, "each step adds some");
            assert!(is_right(&db).unwrap(), "what it says is what it has");
            before = now;
            // As after a crash.
            index = Index::open(&db, Durability::Full).unwrap();
        }
        assert!(steps > 4, "{steps} steps");
        assert_eq!((before, found(&db, "more : run AND more : dog AND room : link")), (2_000, 2_000));
        assert_eq!(found(&db, "words : \"a example 77\""), 1, "addresses of before were found");
        assert!(!Index::open(&db, Durability::Full).unwrap().is_incomplete());
        db.execute("update messages set plain = 'cats' where id = 40", ()).unwrap();
        assert!(!is_right(&db).unwrap());
        rebuild(&db).unwrap();
        assert!(is_right(&db).unwrap());
    }

    #[test]
    fn changes_while_the_index_is_made_are_in_it_once() {
        let (_dir, _data, db) = database(600);
        let mut index = Index::open(&db, Durability::Normal).unwrap();
        index.catch_up(&db);
        let old = MessageId(2);
        assert!(index.down_to > old && index.is_incomplete());
        let row = "insert into messages (id, room_id, creator_id, json, plain) values (?, 1, 1, x'7b7d', ?)";
        db.execute(row, (5_000, "a whale")).unwrap();
        index.write(&db, &[Indexing::Add(entry(5_000, "a whale"))]).unwrap();
        assert_eq!(found(&db, "words : whale"), 1, "at once");
        let all = |message: i64| {
            db.query_row(
                "select id, room_id, creator_id, plain, addresses, tags from messages where id = ?",
                (message,),
                entry_of,
            )
            .unwrap()
        };
        // One that is not in the index yet, and one that is, are changed and removed.
        for message in [2, 1_200] {
            let removed = Indexing::Remove(all(message));
            db.execute("update messages set plain = 'a seal' where id = ?", (message,)).unwrap();
            index.write(&db, &[removed, Indexing::Add(all(message))]).unwrap();
        }
        for message in [4, 1_198] {
            let removed = Indexing::Remove(all(message));
            db.execute("delete from messages where id = ?", (message,)).unwrap();
            index.write(&db, &[removed]).unwrap();
        }
        while index.is_incomplete() {
            index.catch_up(&db);
        }
        assert!(is_right(&db).unwrap());
        assert_eq!((found(&db, "words : dogs"), found(&db, "words : seal")), (596, 2));
    }

    #[test]
    fn other_languages_make_the_index_anew_and_the_same_do_not() {
        let (_dir, data, db) = database(10);
        let complete = || {
            let mut index = Index::open(&db, Durability::Normal).unwrap();
            let was_incomplete = index.is_incomplete();
            while index.is_incomplete() {
                index.catch_up(&db);
            }
            was_incomplete
        };
        assert!(complete());
        data.search_in(&Languages::default()).unwrap();
        assert!(!complete());
        data.search_in(&Languages::parse("de").unwrap()).unwrap();
        assert!(complete());
        assert_eq!((found(&db, "words : dogs"), found(&db, "more : run")), (10, 0));
        assert!(is_right(&db).unwrap());
    }
}

//! Emoji of the team's own.

use rusqlite::{Connection, OptionalExtension};

use super::{
    Import, Reader,
    account::record_account_update,
    command::{Command, Refusal, Tx},
    files::{Image, put_image},
};
use crate::types::Timestamp;

/// Emoji of an account, at most.
const MAX_EMOJI: i64 = 10_000;

/// The key of a picture among the images.
fn key(name: &str) -> String {
    format!("emoji-{name}")
}

fn put(db: &Connection, name: &str, image: &Image, version: Timestamp) -> rusqlite::Result<()> {
    put_image(db, &key(name), None, Some(image))?;
    db.prepare_cached("insert or replace into emoji (name, version) values (?, ?)")?
        .execute((name, version))?;
    db.prepare_cached("update account set emoji_version = max(ifnull(emoji_version, 0) + 1, ?)")?
        .execute((version,))
        .map(drop)
}

/// Adds an emoji, or replaces its picture. Returns its version. Refused with `Conflict` if there are too many.
#[derive(Debug)]
pub struct PutEmoji {
    pub name: String,
    pub image: Image,
}

impl Command for PutEmoji {
    type Output = i64;

    fn apply(self, tx: &mut Tx<'_>) -> Result<i64, Refusal> {
        let others: i64 = tx
            .statement("select count(*) from emoji where name <> ?")?
            .query_row((&self.name,), |row| row.get(0))?;
        if others >= MAX_EMOJI {
            return Err(Refusal::Conflict("There are 10,000 emoji already: remove one first."));
        }
        put(tx.db, &self.name, &self.image, tx.now)?;
        record_account_update(tx)?;
        Ok(tx.now.0)
    }
}

/// Removes an emoji. Its name is shown again where it was written. `NotFound` if there is none.
#[derive(Debug)]
pub struct RemoveEmoji {
    pub name: String,
}

impl Command for RemoveEmoji {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        if tx.statement("delete from emoji where name = ?")?.execute((&self.name,))? == 0 {
            return Err(Refusal::NotFound);
        }
        put_image(tx.db, &key(&self.name), None, None)?;
        tx.statement("update account set emoji_version = iif(exists (select 1 from emoji), max(emoji_version + 1, ?), null)")?
            .execute((tx.now,))?;
        record_account_update(tx)?;
        Ok(())
    }
}

impl Reader {
    /// The names and versions of all emoji, by name.
    pub fn emoji(&self) -> rusqlite::Result<Vec<(String, i64)>> {
        self.statement("select name, version from emoji order by name")?
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// The picture of an emoji.
    pub fn emoji_picture(&self, name: &str) -> rusqlite::Result<Option<Image>> {
        self.image(&key(name))
    }
}

impl Import {
    /// Adds an emoji, whose name and picture were checked by `text::is_emoji_name` and `media::picture::emoji`. False if there
    /// is one of this name, which stays, or no room for more.
    pub fn put_emoji(&self, name: &str, image: &Image) -> rusqlite::Result<bool> {
        let is_free = self
            .db
            .prepare_cached(
                "select 1 where not exists (select 1 from emoji where name = ?) and (select count(*) from emoji) < ?",
            )?
            .query_row((name, MAX_EMOJI), |_| Ok(()))
            .optional()?;
        if is_free.is_some() {
            put(&self.db, name, image, Timestamp::now())?;
        }
        Ok(is_free.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Durability, store::DataDir};

    #[test]
    fn import_adds_emoji_once_and_keeps_those_that_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let import = Import::open(&data, "slack").unwrap();
        import.put_account("Team", None, Some("{}")).unwrap();
        let image = |bytes: &[u8]| Image { content_type: "image/png".into(), bytes: bytes.to_vec() };
        assert!(import.put_emoji("parrot", &image(b"one")).unwrap());
        assert!(!import.put_emoji("parrot", &image(b"two")).unwrap());
        let reader = Reader::open(&data).unwrap();
        assert_eq!(reader.emoji_picture("parrot").unwrap().unwrap().bytes, b"one");
        assert_eq!(reader.emoji().unwrap()[0].0, "parrot");
        assert_eq!(reader.state().unwrap().account.unwrap().emoji, Some(reader.emoji().unwrap()[0].1));
    }
}

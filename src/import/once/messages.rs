//! Messages, their files and their boosts.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Statement};

use super::{
    GONE, body,
    database::{Database, number, text, time},
};
use crate::import::{
    Error, Progress,
    model::{Body, Boost, FileRef, Message, Place},
    report::Kind,
    staging::Staging,
};

/// Reads all messages in the order of their ids.
pub(super) fn read(
    source: &Database,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let total = source.count("messages")?;
    let texts = source.select("action_text_rich_texts", "t", &["body", "created_at", "updated_at"])?;
    let sql = format!(
        "select m.id, m.room_id, m.creator_id, m.created_at, {texts}
         from messages m left join action_text_rich_texts t
           on t.record_type = 'Message' and t.record_id = m.id and t.name = 'body'
         order by m.id"
    );
    let db = &source.db;
    let mut select = db.prepare(&sql)?;
    let mut rows = select.query(())?;
    let mut files = Files::new(source)?;
    let mut all_boosts = source
        .has("boosts")?
        .then(|| {
            db.prepare(
                "select message_id, booster_id, content, created_at from boosts order by message_id, id",
            )
        })
        .transpose()?;
    let mut boosts = Boosts::new(all_boosts.as_mut())?;
    let mut in_room = db.prepare("select 1 from messages where id = ? and room_id = ?")?;
    let mut room_there = db.prepare("select 1 from rooms where id = ?")?;
    let (in_room, room_there) =
        (std::cell::RefCell::new(&mut in_room), std::cell::RefCell::new(&mut room_there));
    let is_in = |room: i64, message: Option<i64>| match message {
        Some(message) => in_room.borrow_mut().exists((message, room)).unwrap_or(false),
        None => room_there.borrow_mut().exists((room,)).unwrap_or(false),
    };
    let (mut done, mut last): (u64, HashMap<i64, i64>) = (0, HashMap::new());
    let mut last_at = 0;
    while let Some(row) = rows.next()? {
        done += 1;
        if done.is_multiple_of(1_024) {
            watch(Progress { stage: "reading", done, total });
        }
        let id: i64 = row.get(0)?;
        let room = number(row, 1)?.unwrap_or_default();
        let of_message = boosts.of(id)?;
        let at = match time(row, 3)? {
            Some(at) => at,
            None => {
                staging.report.changed(
                    "messages without a time: they have that of the message before",
                    &format!("message {id}"),
                );
                last_at
            }
        };
        last_at = at;
        if last.get(&room).is_some_and(|before| *before > at) {
            staging.report.changed(
                "messages that are older than one with a smaller id in the room: here they stand in the order of their ids",
                &format!("message {id}"),
            );
        }
        last.insert(room, at);
        let creator = number(row, 2)?.unwrap_or_default().to_string();
        let author = match staging.known_person(&creator) {
            Some(_) => creator,
            None => {
                staging.report.changed(
                    "messages of people who are gone: their author is \"Somebody who left\"",
                    &format!("message {id}"),
                );
                GONE.to_owned()
            }
        };
        let found = text(row, 4)?.unwrap_or_default();
        // A boost touches the message, so that only the text says whether it was edited.
        let edited_at = match (time(row, 5)?, time(row, 6)?) {
            (Some(created), Some(updated)) if updated - created > 1_000_000 => Some(updated / 1_000),
            _ => None,
        };
        let read = body::read(&found, room, &is_in);
        let file = files.attached("Message", id, "attachment", staging)?;
        staging.message(Message {
            key: id.to_string(),
            id: Some(id),
            room: room.to_string(),
            author,
            at,
            reply_to: read.reply_to.map(|id| id.to_string()),
            body: Body::Html(read.html.into_owned()),
            edited_at,
            preview: file.as_ref().and_then(|file| file.preview.clone()),
            files: file.into_iter().map(|file| file.file).collect(),
            boosts: of_message
                .into_iter()
                .map(|mut boost| {
                    if staging.known_person(&boost.person).is_none() {
                        boost.person = GONE.to_owned();
                    }
                    boost
                })
                .collect(),
            ..Message::default()
        })?;
    }
    let orphans = boosts.rest()?;
    staging.report.found(Kind::Boosts, orphans);
    for _ in 0..orphans {
        staging.report.left_out(Kind::Boosts, "of messages that are gone", "");
    }
    Ok(())
}

/// The files of messages, from Active Storage.
pub(super) struct Files<'a> {
    of_record: Option<Statement<'a>>,
    preview: Option<Statement<'a>>,
    volume: &'a str,
}

impl<'a> Files<'a> {
    pub(super) fn new(source: &'a Database) -> Result<Self, Error> {
        if !source.has("active_storage_attachments")? || !source.has("active_storage_blobs")? {
            return Ok(Self { of_record: None, preview: None, volume: &source.volume });
        }
        let blob = source.select("active_storage_blobs", "b", &["id", "key", "filename", "service_name"])?;
        let of_record = source.db.prepare(&format!(
            "select {blob} from active_storage_attachments a join active_storage_blobs b on b.id = a.blob_id
             where a.record_type = ? and a.record_id = ? and a.name = ? order by a.id limit 1"
        ))?;
        let has_variants = source.has("active_storage_variant_records")?;
        let variants = match has_variants {
            true => {
                "select a.blob_id, 1 as rank from active_storage_variant_records v
                   join active_storage_attachments a
                     on a.record_type = 'ActiveStorage::VariantRecord' and a.name = 'image' and a.record_id = v.id
                   where v.blob_id = ?1 union all"
            }
            false => "",
        };
        let preview = source.db.prepare(&format!(
            "select b.key from ({variants} select blob_id, 0 as rank from active_storage_attachments
               where record_type = 'ActiveStorage::Blob' and name = 'preview_image' and record_id = ?1) as found
             join active_storage_blobs b on b.id = found.blob_id order by rank limit 1"
        ))?;
        Ok(Self { of_record: Some(of_record), preview: Some(preview), volume: &source.volume })
    }

    /// The file of a record, with the picture that was made of it.
    pub(super) fn attached(
        &mut self,
        record: &str,
        id: i64,
        name: &str,
        staging: &mut Staging<'_>,
    ) -> Result<Option<Attached>, Error> {
        let Some(select) = &mut self.of_record else { return Ok(None) };
        let found = select
            .query_row((record, id, name), |row| {
                Ok((row.get::<_, i64>(0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?))
            })
            .optional()?;
        let Some((blob, key, filename, service)) = found else { return Ok(None) };
        let filename = filename.unwrap_or_else(|| "file".into());
        if service.as_deref().is_some_and(|service| service != "local") {
            staging.report.changed(
                "files that another service than the disk had: their messages say that they are not in the export",
                &filename,
            );
        }
        let preview = match &mut self.preview {
            Some(preview) => preview.query_row((blob,), |row| text(row, 0)).optional()?.flatten(),
            None => None,
        };
        let place = |key: &str| format!("{}files/{}/{}/{key}", self.volume, part(key, 0), part(key, 2));
        Ok(Some(Attached {
            file: FileRef { place: Place::Archive(place(&key.unwrap_or_default())), name: filename },
            preview: preview.map(|key| place(&key)),
        }))
    }
}

/// A file, and the path of the picture that was made of it.
pub(super) struct Attached {
    pub(super) file: FileRef,
    pub(super) preview: Option<String>,
}

/// Two letters of a key, by which Active Storage makes folders.
fn part(key: &str, from: usize) -> &str {
    key.get(from..from + 2).unwrap_or("__")
}

/// All boosts in the order of their messages, read beside the messages.
struct Boosts<'s> {
    rows: Option<rusqlite::Rows<'s>>,
    next: Option<(i64, Boost)>,
    /// Of messages that are not there.
    orphans: u64,
}

impl<'s> Boosts<'s> {
    fn new(select: Option<&'s mut Statement<'_>>) -> Result<Self, Error> {
        let rows = select.map(|select| select.query(())).transpose()?;
        let mut boosts = Self { rows, next: None, orphans: 0 };
        boosts.step()?;
        Ok(boosts)
    }

    fn step(&mut self) -> Result<(), Error> {
        self.next = match &mut self.rows {
            None => None,
            Some(rows) => match rows.next()? {
                None => None,
                Some(row) => {
                    let message = number(row, 0)?.unwrap_or_default();
                    let person = number(row, 1)?.unwrap_or_default().to_string();
                    let content = text(row, 2)?.unwrap_or_default();
                    let at = time(row, 3)?.map(|at| at / 1_000);
                    Some((message, Boost { person, content, at }))
                }
            },
        };
        Ok(())
    }

    /// Those of a message. Messages are asked for in the order of their ids.
    fn of(&mut self, message: i64) -> Result<Vec<Boost>, Error> {
        let mut found = Vec::new();
        while let Some((of, boost)) = self.next.take_if(|(of, _)| *of <= message) {
            match of == message {
                true => found.push(boost),
                false => self.orphans += 1,
            }
            self.step()?;
        }
        Ok(found)
    }

    /// How many had no message.
    fn rest(&mut self) -> Result<u64, Error> {
        while self.next.is_some() {
            self.orphans += 1;
            self.step()?;
        }
        Ok(self.orphans)
    }
}

/// Texts and files without a message, for the report.
pub(super) fn orphans(db: &Connection) -> Result<u64, Error> {
    Ok(db.query_row(
        "select count(*) from action_text_rich_texts t where record_type = 'Message'
           and not exists (select 1 from messages where messages.id = t.record_id)",
        (),
        |row| row.get(0),
    )?)
}

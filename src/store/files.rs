//! Rows of uploaded files, whose bytes are in the folder, and of small images, whose bytes are in the database.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Reader,
    command::{NewJob, Tx},
};
use crate::types::{Attachment, AttachmentId, JobKind, MessageId, RoomId};

/// A stored and synced file that has no row yet.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Its name in the folder.
    pub key: String,
    pub filename: String,
    pub content_type: String,
    pub byte_size: u64,
    pub sha256: [u8; 32],
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration_s: Option<f64>,
    pub is_animated: bool,
    /// The thumbnail's key and content type.
    pub thumbnail: Option<(String, &'static str)>,
    /// The file is small enough to be shown in the place of a thumbnail.
    pub is_own_thumbnail: bool,
}

impl NewFile {
    pub(super) fn tags(&self) -> String {
        tags_of(&self.content_type)
    }
}

/// The index's tags for a file of this type.
pub(super) fn tags_of(content_type: &str) -> String {
    match content_type.split('/').next() {
        Some(kind @ ("image" | "video" | "audio")) => format!("file {kind}"),
        _ => "file".to_owned(),
    }
}

/// Inserts the row of a message's file.
pub(super) fn add_file(
    db: &Connection,
    file: &NewFile,
    message: MessageId,
    room: RoomId,
) -> rusqlite::Result<Attachment> {
    let (thumbnail_key, thumbnail_type) = file.thumbnail.as_ref().map(|(key, kind)| (key, kind)).unzip();
    db.prepare_cached(
        "insert into attachments (message_id, room_id, key, filename, content_type, byte_size, sha256, thumbnail_key, thumbnail_type)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute((
        message,
        room,
        &file.key,
        &file.filename,
        &file.content_type,
        i64::try_from(file.byte_size).unwrap_or(i64::MAX),
        file.sha256,
        thumbnail_key,
        thumbnail_type,
    ))?;
    let id = AttachmentId(db.last_insert_rowid());
    let url = format!("/files/{id}/{}", percent_encoded(&file.filename));
    let thumbnail_url = match &file.thumbnail {
        Some(_) => Some(format!("/files/{id}/thumbnail")),
        None => file.is_own_thumbnail.then(|| url.clone()),
    };
    Ok(Attachment {
        id,
        filename: file.filename.clone(),
        content_type: file.content_type.clone(),
        byte_size: file.byte_size,
        width: file.width,
        height: file.height,
        duration_s: file.duration_s,
        is_animated: file.is_animated,
        url,
        thumbnail_url,
    })
}

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path (RFC 3986, section 3.3).
fn percent_encoded(name: &str) -> String {
    let encoded = utf8_percent_encode(name, RESERVED).to_string();
    // Browsers resolve the segments `.` and `..`.
    if encoded.bytes().all(|byte| byte == b'.') { encoded.replace('.', "%2E") } else { encoded }
}

/// Removes the rows of a message's files, and queues the job that removes the files after the commit.
pub(super) fn remove_files(tx: &mut Tx<'_>, message: MessageId) -> rusqlite::Result<()> {
    let keys: Vec<(String, Option<String>)> = tx
        .statement("delete from attachments where message_id = ? returning key, thumbnail_key")?
        .query_map((message,), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let keys: Vec<String> =
        keys.into_iter().flat_map(|(key, thumbnail)| [Some(key), thumbnail]).flatten().collect();
    if keys.is_empty() {
        return Ok(());
    }
    tx.add_job(&NewJob { kind: JobKind::RemoveFiles, target: None, payload: Some(keys.join(" ")) }, None)
}

/// An uploaded file, as it is served.
#[derive(Debug)]
pub struct StoredFile {
    pub room: RoomId,
    pub key: String,
    pub filename: String,
    pub content_type: String,
    pub byte_size: u64,
    pub thumbnail: Option<(String, String)>,
}

/// A small image: an avatar, the logo, a picture of a preview.
#[derive(Clone, Debug)]
pub struct Image {
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// Stores an image under a key, or removes it.
pub(super) fn put_image(
    db: &Connection,
    key: &str,
    message: Option<MessageId>,
    image: Option<&Image>,
) -> rusqlite::Result<()> {
    match image {
        Some(image) => db
            .prepare_cached(
                "insert or replace into images (key, message_id, content_type, bytes) values (?, ?, ?, ?)",
            )?
            .execute((key, message, &image.content_type, &image.bytes)),
        None => db.prepare_cached("delete from images where key = ?")?.execute((key,)),
    }
    .map(drop)
}

impl Reader {
    /// An uploaded file.
    pub fn file(&self, id: AttachmentId) -> rusqlite::Result<Option<StoredFile>> {
        self.statement(
            "select room_id, key, filename, content_type, byte_size, thumbnail_key, thumbnail_type from attachments where id = ?",
        )?
        .query_row((id,), |row| {
            let thumbnail: Option<String> = row.get(5)?;
            let thumbnail_type: Option<String> = row.get(6)?;
            Ok(StoredFile {
                room: row.get(0)?,
                key: row.get(1)?,
                filename: row.get(2)?,
                content_type: row.get(3)?,
                byte_size: row.get::<_, i64>(4)? as u64,
                thumbnail: thumbnail.zip(thumbnail_type),
            })
        })
        .optional()
    }

    /// A small image.
    pub fn image(&self, key: &str) -> rusqlite::Result<Option<Image>> {
        self.statement("select content_type, bytes from images where key = ?")?
            .query_row((key,), |row| Ok(Image { content_type: row.get(0)?, bytes: row.get(1)? }))
            .optional()
    }

    /// Whether a row has a file or a thumbnail with this key.
    pub fn knows_file(&self, key: &str) -> rusqlite::Result<bool> {
        self.statement("select 1 from attachments where key = ?1 union all select 1 from attachments where thumbnail_key = ?1")?
            .exists((key,))
    }
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn encoded_names_are_one_segment_of_a_path() {
        assert_eq!(percent_encoded("a b/ü.png"), "a%20b%2F%C3%BC.png");
        assert_eq!(percent_encoded(".."), "%2E%2E");
        assert_eq!(percent_encoded("a..b"), "a..b");
    }
}

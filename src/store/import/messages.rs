//! Messages of a history.

use super::Import;
use crate::{
    store::{
        Text,
        files::{NewFile, add_file},
        messages::mention,
    },
    types::{Boost, BoostId, Embed, Message, MessageId, MessageKind, RoomId, Timestamp, UserId},
};

/// A message to insert, with what is derived from its text.
#[derive(Debug)]
pub struct NewMessage {
    pub id: MessageId,
    pub room: RoomId,
    pub creator: UserId,
    /// By which it is found again.
    pub client_message_id: Option<String>,
    pub kind: MessageKind,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub reply_to: Option<MessageId>,
    pub thread_root: Option<MessageId>,
    pub text: Text,
    pub addresses: String,
    pub file: Option<NewFile>,
    pub boosts: Vec<(UserId, String, Timestamp)>,
    pub embeds: Vec<Embed>,
}

impl Import {
    /// Inserts a message with its file, boosts and mentions. It is not in the index yet.
    pub fn put_message(&self, new: NewMessage) -> rusqlite::Result<()> {
        let NewMessage { id, room, creator, text, .. } = new;
        let attachment = match &new.file {
            Some(file) => Some(add_file(&self.db, file, id, room)?),
            None => None,
        };
        let mut boosts: Vec<Boost> = Vec::with_capacity(new.boosts.len());
        for (user, content, at) in new.boosts {
            self.db
                .prepare_cached(
                    "insert into boosts (message_id, user_id, content, created_at) values (?, ?, ?, ?)",
                )?
                .execute((id, user, &content, at))?;
            boosts.push(Boost { id: BoostId(self.db.last_insert_rowid()), user_id: user, content });
        }
        let mut tags = text.tags;
        let mut plain = text.plain;
        if let Some(file) = &new.file {
            let of_file = file.tags();
            tags = if tags.is_empty() { of_file } else { format!("{tags} {of_file}") };
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.push_str(&file.filename);
        }
        mention(&self.db, room, id, &text.mentions, text.everyone)?;
        let message = Message {
            id,
            created_at: new.created_at,
            room_id: room,
            creator_id: creator,
            client_message_id: new.client_message_id,
            kind: new.kind,
            content: text.content,
            html: text.html,
            edited_at: new.edited_at,
            reply_to_id: new.reply_to,
            thread_root_id: new.thread_root,
            mentions: text.mentions.to_vec(),
            everyone: text.everyone,
            is_emoji_only: text.is_emoji_only,
            boosts,
            attachment,
            embeds: new.embeds,
        };
        let json = serde_json::to_vec(&message).expect("a message serialises to JSON");
        self.db
            .prepare_cached(
                "insert into messages (id, room_id, creator_id, client_message_id, kind, created_at, json, plain, tags, addresses, thread_root_id)
                 values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                id,
                room,
                creator,
                &message.client_message_id,
                new.kind,
                new.created_at,
                json,
                plain,
                tags,
                new.addresses,
                new.thread_root,
            ))
            .map(drop)
    }
}

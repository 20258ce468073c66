//! The JSON of a message, made in two steps: a worker serializes what it knows, and the writer thread adds the id,
//! the time and the attachment.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use crate::types::{Attachment, Boost, Embed, MessageId, MessageKind, RoomId, Timestamp, UserId};

/// A new message without its id, its time and its attachment.
#[derive(Debug)]
pub struct Unfinished<'a> {
    pub room_id: RoomId,
    pub creator_id: UserId,
    pub client_message_id: Option<&'a str>,
    pub kind: MessageKind,
    pub content: &'a str,
    pub html: &'a str,
    pub reply_to_id: Option<MessageId>,
    pub mentions: &'a [UserId],
    pub everyone: bool,
    pub is_emoji_only: bool,
}

/// The end of the JSON of a message without an attachment.
const WITHOUT: &[u8] = br#""attachment":null,"embeds":[]}"#;

impl Unfinished<'_> {
    /// The known members as a JSON object, for [`finished`].
    pub fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            room_id: RoomId,
            creator_id: UserId,
            client_message_id: Option<&'a str>,
            kind: MessageKind,
            content: &'a str,
            html: &'a str,
            edited_at: Option<Timestamp>,
            reply_to_id: Option<MessageId>,
            mentions: &'a [UserId],
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            everyone: bool,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            is_emoji_only: bool,
            boosts: &'a [Boost],
            attachment: Option<Attachment>,
            embeds: &'a [Embed],
        }
        let Self {
            room_id,
            creator_id,
            client_message_id,
            kind,
            content,
            html,
            reply_to_id,
            mentions,
            everyone,
            is_emoji_only,
        } = *self;
        super::to_json(&Wire {
            room_id,
            creator_id,
            client_message_id,
            kind,
            content,
            html,
            edited_at: None,
            reply_to_id,
            mentions,
            everyone,
            is_emoji_only,
            boosts: &[],
            attachment: None,
            embeds: &[],
        })
    }
}

/// The complete JSON of a message: `rest` is what [`Unfinished::json`] returned.
pub fn finished(rest: &[u8], id: MessageId, created_at: Timestamp, attachment: Option<&Attachment>) -> Bytes {
    use std::fmt::Write;
    let mut json = BytesMut::with_capacity(rest.len() + 64);
    write!(json, r#"{{"id":{id},"created_at":"{created_at}","#).expect("memory takes any text");
    json.put_slice(&rest[1..]);
    if let Some(attachment) = attachment {
        debug_assert!(json.ends_with(WITHOUT));
        json.truncate(json.len() - WITHOUT.len());
        json.put_slice(b"\"attachment\":");
        json.put_slice(&super::to_json(attachment));
        json.put_slice(b",\"embeds\":[]}");
    }
    json.freeze()
}

//! A message's object, made in two steps: all but what only the writer knows before it is queued, the rest at its turn.

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

/// How an object without an attachment ends.
const WITHOUT: &[u8] = br#""attachment":null,"embeds":[]}"#;

impl Unfinished<'_> {
    /// Its members as an object of their own, for [`finished`].
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

/// The finished object: `rest` is what [`Unfinished::json`] made.
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

//! The events that the server sends on sockets and by `/api/sync`: one enum, tagged by `type`.

use serde::Serialize;
use serde_json::Value;

use super::{AccountView, Membership, RoomView, UserView};
use crate::types::{
    Boost, BoostId, MessageId, RoomId, Seq, UserId,
    event::{self, Change},
};

/// An event as sent to clients. Durable ones also have `seq`, after `type`: see [`durable_json`].
#[derive(Serialize)]
#[serde(tag = "type")]
pub enum Event<'a> {
    // Durable. `message.created` and `message.updated` contain the stored JSON of a message: see [`message_json`].
    #[serde(rename = "message.deleted")]
    MessageDeleted { room_id: RoomId, message_id: MessageId, mentions: &'a [UserId], everyone: bool },
    #[serde(rename = "boost.created")]
    BoostCreated { room_id: RoomId, message_id: MessageId, boost: &'a Boost },
    #[serde(rename = "boost.deleted")]
    BoostDeleted { room_id: RoomId, message_id: MessageId, boost_id: BoostId },
    #[serde(rename = "room.created")]
    RoomCreated { room: &'a RoomView<'a> },
    #[serde(rename = "room.updated")]
    RoomUpdated { room: &'a RoomView<'a> },
    #[serde(rename = "room.deleted")]
    RoomDeleted { room_id: RoomId },
    /// `membership` and `room` are null for a user who is no longer a member.
    #[serde(rename = "membership.updated")]
    MembershipUpdated {
        room_id: RoomId,
        user_id: UserId,
        membership: Option<Membership>,
        room: Option<&'a RoomView<'a>>,
    },
    #[serde(rename = "user.updated")]
    UserUpdated { user: UserView<'a> },
    #[serde(rename = "account.updated")]
    AccountUpdated { account: AccountView<'a> },

    // Ephemeral.
    #[serde(rename = "hello")]
    Hello { user_id: UserId, seq: Seq, history: &'a str, heartbeat_s: u32 },
    #[serde(rename = "joined")]
    Joined { room_id: RoomId, seq: Seq, present: &'a [UserId] },
    #[serde(rename = "left")]
    Left { room_id: RoomId },
    #[serde(rename = "pong")]
    Pong { t: Option<Value> },
    #[serde(rename = "error")]
    Error {
        code: &'a str,
        detail: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_message_id: Option<&'a str>,
        /// The largest accepted size in bytes, if something was too large.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    #[serde(rename = "unread")]
    Unread { room_id: RoomId, message_id: MessageId, mention: bool },
    /// What changes in the counts of a room that the socket has not joined, if the message is not read: it was deleted,
    /// or an edit changed whom it mentions.
    #[serde(rename = "unread_changed")]
    UnreadChanged { room_id: RoomId, message_id: MessageId, unread: i8, mentions: i8 },
    #[serde(rename = "read")]
    Read { room_id: RoomId, message_id: MessageId },
    #[serde(rename = "typing")]
    Typing { room_id: RoomId, user_id: UserId, active: bool },
    #[serde(rename = "presence")]
    Presence { room_id: RoomId, user_id: UserId, online: bool },
    #[serde(rename = "resync")]
    Resync { seq: Seq },
}

impl Event<'_> {
    pub fn json(&self) -> Vec<u8> {
        match self {
            // The members of these two are in alphabetical order.
            Self::Error { .. } | Self::Pong { .. } => serde_json::json!(self).to_string().into_bytes(),
            _ => super::to_json(self),
        }
    }

    /// A durable event as the history stores it: its `type`, and the members after it as JSON without the braces.
    pub fn stored(&self) -> (String, String) {
        // `{"type":"KIND",MEMBERS}`: a type has no character that JSON escapes.
        let json = String::from_utf8(self.json()).expect("JSON is UTF-8");
        let (kind, members) = json["{\"type\":\"".len()..json.len() - 1]
            .split_once("\",")
            .expect("a durable event has a type and members");
        (kind.to_owned(), members.to_owned())
    }
}

/// The reason in a close frame of code 1001, at most 123 bytes: `{"reason":"going away","retry_after_ms":…}`.
pub fn going_away_json(retry_after_ms: u32) -> String {
    #[derive(Serialize)]
    struct Reason {
        reason: &'static str,
        retry_after_ms: u32,
    }
    let reason = Reason { reason: "going away", retry_after_ms };
    serde_json::to_string(&reason).expect("our own types serialize")
}

/// The JSON of a committed event; None for a change that is not sent to clients.
pub fn committed_json(event: &event::Event) -> Option<Vec<u8>> {
    let (kind, json) = match &event.change {
        Change::MessageCreated { json, .. } => return Some(message_json("message.created", event.seq, json)),
        Change::MessageUpdated { json, .. } => return Some(message_json("message.updated", event.seq, json)),
        Change::MessageDeleted { json, .. } => ("message.deleted", json),
        Change::BoostChanged { kind, json, .. } => (*kind, json),
        Change::RoomCreated { json, .. } => ("room.created", json),
        Change::RoomUpdated { json, .. } => ("room.updated", json),
        Change::RoomDeleted { json, .. } => ("room.deleted", json),
        Change::MembershipUpdated { json, .. } => ("membership.updated", json),
        Change::UserUpdated { json, .. } | Change::UserShown { json, .. } => ("user.updated", json),
        Change::AccountUpdated { json, .. } => ("account.updated", json),
        Change::SessionStarted { .. }
        | Change::SessionEnded { .. }
        | Change::SessionTouched { .. }
        | Change::ReadMarked { .. }
        | Change::WebhookSet { .. }
        | Change::PushSet { .. }
        | Change::MailWaits { .. }
        | Change::LanguageNoted { .. }
        | Change::AddressesBlocked { .. }
        | Change::JobsWaiting
        | Change::Reloaded => return None,
    };
    Some(durable_json(kind, event.seq, json))
}

/// The JSON of a durable event, made of its type and its members.
pub fn durable_json(kind: &str, seq: Seq, members: &[u8]) -> Vec<u8> {
    put(kind, seq, b"", members)
}

/// The JSON of a durable event about a message, around the stored JSON of the message.
pub fn message_json(kind: &str, seq: Seq, message: &[u8]) -> Vec<u8> {
    put(kind, seq, b"\"message\":", message)
}

fn put(kind: &str, seq: Seq, name: &[u8], rest: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut json = Vec::with_capacity(rest.len() + 64);
    write!(json, r#"{{"type":"{kind}","seq":{seq},"#).expect("memory takes any text");
    json.extend_from_slice(name);
    json.extend_from_slice(rest);
    json.push(b'}');
    json
}

/// The acknowledgement of a message posted on a socket, around the stored JSON of the message.
pub fn ack_json(client_message_id: Option<&str>, message: &[u8]) -> Vec<u8> {
    let mut json = br#"{"type":"ack","client_message_id":"#.to_vec();
    serde_json::to_writer(&mut json, &client_message_id).expect("memory takes any text");
    json.extend_from_slice(b",\"message\":");
    json.extend_from_slice(message);
    json.push(b'}');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_is_stored_without_its_seq_and_comes_back_with_it() {
        let deleted = Event::MessageDeleted {
            room_id: RoomId(3),
            message_id: MessageId(7),
            mentions: &[UserId(5)],
            everyone: false,
        };
        let (kind, members) = deleted.stored();
        assert_eq!(
            (&*kind, &*members),
            ("message.deleted", r#""room_id":3,"message_id":7,"mentions":[5],"everyone":false"#)
        );
        let json = durable_json(&kind, Seq(9), members.as_bytes());
        assert_eq!(json, br#"{"type":"message.deleted","seq":9,"room_id":3,"message_id":7,"mentions":[5],"everyone":false}"#);
    }

    #[test]
    fn ack_names_what_it_answers() {
        let json = ack_json(Some("a\"b"), br#"{"id":1}"#);
        assert_eq!(json, br#"{"type":"ack","client_message_id":"a\"b","message":{"id":1}}"#);
        assert!(ack_json(None, b"{}").starts_with(br#"{"type":"ack","client_message_id":null,"#));
    }
}

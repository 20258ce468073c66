//! What a reader of another chat's export passes on.

use serde::{Deserialize, Serialize};

use crate::types::{Embed, Involvement, Role, RoomId, RoomKind, Status, UserId};

/// A person or a bot. Without an e-mail address and a password nobody can sign in as them until they are invited.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// The source's own id.
    pub(super) key: String,
    /// The id to have here; None for the next free one.
    pub(super) id: Option<UserId>,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) bio: String,
    pub(super) role: Role,
    pub(super) status: Status,
    pub(super) password_hash: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub(super) created_at: Option<i64>,
    pub(super) avatar: Option<FileRef>,
    pub(super) bot: Option<Bot>,
}

impl Person {
    /// An active member of whom only the name is known.
    pub(super) fn named(key: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            id: None,
            name: name.into(),
            email: None,
            bio: String::new(),
            role: Role::Member,
            status: Status::Active,
            password_hash: None,
            created_at: None,
            avatar: None,
            bot: None,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bot {
    pub(super) webhook_url: Option<String>,
    /// What stands behind the id in the bot's key; None for a new one.
    pub(super) token: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) key: String,
    pub(super) id: Option<RoomId>,
    /// None for direct rooms.
    pub(super) name: Option<String>,
    pub(super) kind: RoomKind,
    /// The key of a person.
    pub(super) creator: Option<String>,
    /// Milliseconds since the Unix epoch; None for the time of its first message.
    pub(super) created_at: Option<i64>,
    pub(super) members: Vec<Member>,
    /// Nobody writes here any more: it is hidden from everybody's list of rooms, and found by search.
    pub(super) is_archived: bool,
}

impl Room {
    /// A direct room of which only the members are known.
    pub(super) fn direct(key: &str, members: Vec<Member>) -> Self {
        Self {
            key: key.to_owned(),
            id: None,
            name: None,
            kind: RoomKind::Direct,
            creator: None,
            created_at: None,
            members,
            is_archived: false,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The key of a person.
    pub(super) person: String,
    /// None for the default of the room's kind.
    pub(super) involvement: Option<Involvement>,
    /// Messages from this time on are unread, in milliseconds since the Unix epoch; None if all are read.
    pub(super) unread_from: Option<i64>,
}

impl Member {
    pub(super) fn of(person: impl Into<String>) -> Self {
        Self { person: person.into(), involvement: None, unread_from: None }
    }
}

/// A message. Readers pass them on in any order; they are written in the order of `at`, then `order`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Message {
    /// Unique within its room.
    pub(super) key: String,
    /// The id to have here, if the source's ids are kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) id: Option<i64>,
    /// The keys of a room and of a person.
    pub(super) room: String,
    pub(super) author: String,
    /// Microseconds since the Unix epoch.
    pub(super) at: i64,
    /// Among messages of one microsecond.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub(super) order: i64,
    pub(super) body: Body,
    /// Milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) edited_at: Option<i64>,
    /// The key of the first message of its thread, in the same room. It may come later, or never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) thread: Option<String>,
    /// The key of the message that it answers, in the same room.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) reply_to: Option<String>,
    /// Each beyond the first becomes a message of its own behind this one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) files: Vec<FileRef>,
    /// The path of a picture that the source made of the first file; for formats that are not read here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) preview: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) boosts: Vec<Boost>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) embeds: Vec<Embed>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A text as it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Body {
    /// Ours. Mentions are `@[Name](user:ID)` with an id from [`Staging::person`](super::staging::Staging::person), links
    /// to rooms `[#name](/rooms/ID)`, links to messages [`link_to`].
    Markdown(String),
    /// Of ONCE Campfire, with ids that are kept.
    Html(String),
}

impl Default for Body {
    fn default() -> Self {
        Self::Markdown(String::new())
    }
}

/// The address of a message whose id is not known yet, for a link.
pub(super) fn link_to(room: RoomId, key: &str) -> String {
    let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
    format!("/rooms/{room}/@key:{key}")
}

/// A reaction: content and the key of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Boost {
    pub(super) person: String,
    pub(super) content: String,
    /// Milliseconds since the Unix epoch; None for the time of the message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) at: Option<i64>,
}

/// A file of the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRef {
    pub(super) place: Place,
    /// As it was called.
    pub(super) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// In the archive, by its path there.
    Archive(String),
    /// Put together from parts: a file in the staging folder.
    Staged(String),
}

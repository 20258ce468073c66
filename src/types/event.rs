//! Committed changes, which the writer thread sends to every worker, and ephemeral events between workers.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    Account, Involvement, Language, MessageId, Room, RoomId, Scope, Seq, SessionId, SessionKind, Timestamp,
    TokenHash, User, UserId,
};

/// A committed change. `seq` is 0 for one that is not in the durable history (sessions, read marks).
#[derive(Debug)]
pub struct Event {
    pub seq: Seq,
    pub change: Change,
}

#[derive(Debug)]
pub enum Change {
    MessageCreated {
        room: RoomId,
        message: MessageId,
        creator: UserId,
        mentions: Mentions,
        json: Bytes,
    },
    MessageUpdated {
        room: RoomId,
        message: MessageId,
        /// If it mentions others than before.
        mentions: Option<Box<ChangedMentions>>,
        json: Bytes,
    },
    MessageDeleted {
        room: RoomId,
        message: MessageId,
        creator: UserId,
        mentions: Mentions,
        /// The room's newest message after the deletion.
        last_message: Option<MessageId>,
        json: Bytes,
    },
    /// A boost was added to a message or removed; `kind` is the type of the event.
    BoostChanged {
        room: RoomId,
        message: MessageId,
        kind: &'static str,
        json: Bytes,
    },
    RoomCreated {
        room: Room,
        members: Vec<(UserId, Involvement)>,
        json: Bytes,
    },
    /// The name or the kind changed; `added` are the users who became members by the new kind.
    RoomUpdated {
        room: Room,
        added: Vec<UserId>,
        json: Bytes,
    },
    RoomDeleted {
        room: RoomId,
        json: Bytes,
    },
    /// `involvement` is None when the user is no longer a member.
    MembershipUpdated {
        room: RoomId,
        user: UserId,
        involvement: Option<Involvement>,
        json: Bytes,
    },
    /// `rooms` are the open rooms that a new user is a member of.
    UserUpdated {
        user: User,
        rooms: Vec<RoomId>,
        json: Bytes,
    },
    /// What guests are told of somebody whom they see from now on: see [`State::sees`](crate::store::State::sees).
    UserShown {
        to: Vec<UserId>,
        json: Bytes,
    },
    AccountUpdated {
        account: Account,
        json: Bytes,
    },
    SessionStarted {
        session: Session,
    },
    SessionEnded {
        token_hash: TokenHash,
        session: SessionId,
        why: SessionEnd,
    },
    SessionTouched {
        token_hash: TokenHash,
        at: Timestamp,
    },
    ReadMarked {
        user: UserId,
        room: RoomId,
        message: MessageId,
    },
    /// A bot got a webhook, or no longer has one.
    WebhookSet {
        bot: UserId,
        on: bool,
    },
    /// A user has subscriptions to pushes, or no longer has any.
    PushSet {
        user: UserId,
        on: bool,
    },
    /// A mail is to tell a user of something, or no longer is.
    MailWaits {
        user: UserId,
        on: bool,
    },
    /// The language of the page that a user has open.
    LanguageNoted {
        user: UserId,
        language: Language,
    },
    /// All blocked addresses.
    AddressesBlocked {
        addresses: Vec<IpAddr>,
    },
    /// Jobs were queued.
    JobsWaiting,
    /// Another process wrote to the database, as the `admin` commands do: the state has to be read again.
    Reloaded,
}

impl Change {
    /// Whether it leaves everybody's memberships as they are, being about a message.
    pub fn is_of_message(&self) -> bool {
        matches!(
            self,
            Self::MessageCreated { .. }
                | Self::MessageUpdated { .. }
                | Self::MessageDeleted { .. }
                | Self::BoostChanged { .. }
        )
    }
}

/// Whom a message mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    pub users: SmallVec<[UserId; 4]>,
    /// `@here` or `@room`: everybody in the room is mentioned.
    pub everyone: bool,
}

impl Mentions {
    pub fn include(&self, user: UserId) -> bool {
        self.everyone || self.users.contains(&user)
    }
}

/// Whom an edited message mentioned, and whom it mentions now.
#[derive(Clone, Debug)]
pub struct ChangedMentions {
    pub creator: UserId,
    pub before: Mentions,
    pub after: Mentions,
}

/// What a secret grants access to: see [`SessionKind`].
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub token_hash: TokenHash,
    pub user_id: UserId,
    pub kind: SessionKind,
    pub scope: Scope,
    pub last_active_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    SignedOut,
    Deactivated,
    Banned,
}

/// An event between workers that is not stored.
#[derive(Clone, Copy, Debug)]
pub enum EphemeralEvent {
    Typing {
        room: RoomId,
        user: UserId,
        active: bool,
    },
    /// A worker's count of this user's sockets in the room changed by `change`.
    Present {
        room: RoomId,
        user: UserId,
        change: i32,
    },
    /// The same for all sockets of the user.
    Online {
        user: UserId,
        change: i32,
    },
}

/// The events of one commit, shared by all workers.
pub type Batch = Arc<[Event]>;

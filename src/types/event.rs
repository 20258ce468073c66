//! What happened: the committed changes that the writer hands to every worker.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    Account, Involvement, MessageId, Room, RoomId, Seq, SessionId, SessionKind, Timestamp, TokenHash, User,
    UserId,
};

/// A committed change. `seq` is zero for what is not part of the durable history (sessions, read marks).
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
        mentions: SmallVec<[UserId; 4]>,
        /// `@here` or `@room`: everybody in the room is meant.
        everyone: bool,
        json: Bytes,
    },
    MessageUpdated {
        room: RoomId,
        message: MessageId,
        json: Bytes,
    },
    MessageDeleted {
        room: RoomId,
        message: MessageId,
        /// The room's newest message now.
        last_message: Option<MessageId>,
        json: Bytes,
    },
    /// A boost was given to a message or taken back.
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
    /// Renamed, or another kind; `added` are the people whom the new kind lets in.
    RoomUpdated {
        room: Room,
        added: Vec<UserId>,
        json: Bytes,
    },
    RoomDeleted {
        room: RoomId,
        json: Bytes,
    },
    /// `involvement` is None when the person is no longer a member.
    MembershipUpdated {
        room: RoomId,
        user: UserId,
        involvement: Option<Involvement>,
        json: Bytes,
    },
    /// `rooms` are the open rooms that a new person is in from the start.
    UserUpdated {
        user: User,
        rooms: Vec<RoomId>,
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
    /// A bot that gets its messages by a webhook, or no longer does.
    WebhookSet {
        bot: UserId,
        on: bool,
    },
    /// Somebody who wants pushes, or no longer does.
    PushSet {
        user: UserId,
        on: bool,
    },
    /// All the addresses that may not write.
    AddressesBlocked {
        addresses: Vec<IpAddr>,
    },
    /// There is something to do for the job runner.
    JobsWaiting,
    /// Another process wrote to the database (the `admin` commands do): read the small tables anew.
    Reloaded,
}

/// A signed-in device.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub token_hash: TokenHash,
    pub user_id: UserId,
    pub kind: SessionKind,
    pub last_active_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    SignedOut,
    Deactivated,
    Banned,
}

/// What is told once and kept nowhere.
#[derive(Clone, Copy, Debug)]
pub enum EphemeralEvent {
    Typing {
        room: RoomId,
        user: UserId,
        active: bool,
    },
    /// A worker's count of this person's sockets in the room changed by `change`.
    Present {
        room: RoomId,
        user: UserId,
        change: i32,
    },
    /// The same for sockets at all, in any room or none.
    Online {
        user: UserId,
        change: i32,
    },
}

/// The events of one commit, shared by all workers.
pub type Batch = Arc<[Event]>;

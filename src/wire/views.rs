//! The objects of the API: users, rooms, memberships, the account. A message is a [`crate::types::Message`], whose
//! JSON is stored.

use serde::{Serialize, Serializer};

use crate::types::{
    Account, Involvement, MessageId, Role, Room, RoomId, RoomKind, Settings, Status, Timestamp, User, UserId,
    person::color,
};

impl User {
    /// As everybody may see it.
    pub fn public(&self) -> UserView<'_> {
        self.view(false)
    }

    /// As the user and administrators may see it.
    pub fn private(&self) -> UserView<'_> {
        self.view(true)
    }

    pub fn view(&self, with_email: bool) -> UserView<'_> {
        UserView { user: self, with_email }
    }
}

/// A user as clients receive it.
#[derive(Clone, Copy, Debug)]
pub struct UserView<'a> {
    user: &'a User,
    with_email: bool,
}

impl Serialize for UserView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            id: UserId,
            name: &'a str,
            bio: &'a str,
            role: Role,
            status: Status,
            avatar_url: Option<String>,
            initials: &'a str,
            color: &'static str,
            created_at: Timestamp,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            posts_only: bool,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            is_unclaimed: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            email: Option<Option<&'a str>>,
        }
        let User {
            id,
            name,
            initials,
            email,
            bio,
            role,
            status,
            avatar,
            created_at,
            posts_only,
            is_unclaimed,
        } = self.user;
        Wire {
            id: *id,
            name,
            bio,
            role: *role,
            status: *status,
            avatar_url: avatar.map(|version| format!("/avatars/{id}?v={version}")),
            initials,
            color: color(*id),
            created_at: *created_at,
            posts_only: *posts_only,
            is_unclaimed: *is_unclaimed,
            email: self.with_email.then_some(email.as_deref()),
        }
        .serialize(serializer)
    }
}

/// A room as clients receive it.
#[derive(Debug)]
pub struct RoomView<'a> {
    pub room: &'a Room,
    pub last_message_id: Option<MessageId>,
    pub member_count: usize,
    /// In a direct room.
    pub member_ids: Option<Vec<UserId>>,
    /// The caller's own, where there is one caller.
    pub membership: Option<Membership>,
}

impl Serialize for RoomView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            id: RoomId,
            name: Option<&'a str>,
            kind: RoomKind,
            creator_id: UserId,
            created_at: Timestamp,
            updated_at: Timestamp,
            last_message_id: Option<MessageId>,
            member_count: usize,
            #[serde(skip_serializing_if = "Option::is_none")]
            member_ids: Option<&'a [UserId]>,
            #[serde(skip_serializing_if = "Option::is_none")]
            membership: Option<Membership>,
        }
        let Room { id, name, kind, creator_id, created_at, updated_at } = self.room;
        Wire {
            id: *id,
            name: name.as_deref(),
            kind: *kind,
            creator_id: *creator_id,
            created_at: *created_at,
            updated_at: *updated_at,
            last_message_id: self.last_message_id,
            member_count: self.member_count,
            member_ids: self.member_ids.as_deref(),
            membership: self.membership,
        }
        .serialize(serializer)
    }
}

/// A user's own membership of a room, as clients receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    pub involvement: Involvement,
    pub unread_count: i64,
    pub mention_count: i64,
    pub last_read_message_id: Option<MessageId>,
}

impl Account {
    /// As everybody may see it.
    pub fn public(&self) -> AccountView<'_> {
        self.view(false)
    }

    /// As administrators may see it.
    pub fn private(&self) -> AccountView<'_> {
        self.view(true)
    }

    pub fn view(&self, with_join_code: bool) -> AccountView<'_> {
        AccountView { account: self, with_join_code }
    }
}

/// The account as clients receive it.
#[derive(Clone, Copy, Debug)]
pub struct AccountView<'a> {
    account: &'a Account,
    with_join_code: bool,
}

impl Serialize for AccountView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            name: &'a str,
            custom_css: &'a str,
            logo_url: Option<String>,
            emoji_version: Option<i64>,
            settings: Settings,
            #[serde(skip_serializing_if = "Option::is_none")]
            join_code: Option<&'a str>,
        }
        let Account { name, custom_css, join_code, settings, logo, emoji } = self.account;
        let join_code = self.with_join_code.then_some(&**join_code);
        Wire {
            name,
            custom_css,
            logo_url: logo.map(|version| format!("/api/account/logo?v={version}")),
            emoji_version: *emoji,
            settings: *settings,
            join_code,
        }
        .serialize(serializer)
    }
}

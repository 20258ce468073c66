//! The types of the domain: ids, users, rooms, messages, the account, secrets. They import no other module.

pub mod event;
mod id_map;
pub mod person;

use std::{fmt, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};
use strum::{EnumString, IntoStaticStr, VariantNames};

pub use id_map::{IdHasher, IdMap};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )*};
}

ids! {
    UserId,
    RoomId,
    /// A message's id is the `seq` of its `message.created` event: it increases over the whole server and is never
    /// reused.
    MessageId,
    SessionId,
    BoostId,
    AttachmentId,
    HookId,
    InvitationId,
    SubscriptionId,
    JobId,
    /// The position of a durable event in the history of the server.
    Seq,
}

/// Milliseconds since the Unix epoch. In JSON: RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// The same moment `hours` earlier.
    pub fn hours_ago(self, hours: i64) -> Self {
        Self(self.0 - hours * 3_600_000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{moment:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(moment.as_millisecond()))
    }
}

impl rusqlite::ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl rusqlite::types::FromSql for Timestamp {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// Enums that are stored and sent as the names of their variants in snake_case.
macro_rules! string_enums {
    ($($(#[$doc:meta])* $name:ident { $($(#[$mark:meta])* $variant:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize,
            EnumString, IntoStaticStr, VariantNames,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case", const_into_str)]
        pub enum $name { $($(#[$mark])* $variant),* }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                self.into_str().to_sql()
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|_| rusqlite::types::FromSqlError::InvalidType)
            }
        }
    )*};
}

mod mail;
pub use mail::{Language, MailWish};

string_enums! {
    /// A guest sees only the rooms that they are a member of, and only the people in them.
    Role { Member, Admin, Bot, Guest }
    Status { Active, Deactivated, Banned }
    RoomKind { Open, Closed, Direct }
    /// How much a member is notified of in a room; `invisible` also hides it from the list of rooms.
    Involvement { Invisible, Nothing, Mentions, Everything }
    /// What a session belongs to: a signed-in device, a personal API token, or a bot.
    SessionKind { Device, Token, Bot }
    /// How a device was signed in: by the password, by a link of another device or to choose a password, by the join code, by
    /// an invitation, or when the account was set up. `code` is the second step, of attempts that failed only.
    SignInMethod { Password, Transfer, Reset, Join, Invitation, Setup, Provider, Code }
    /// Of whom a second step is required when they sign in by a password.
    #[derive(Default)]
    SecondFactorOf { #[default] Nobody, Administrators, Everybody }
    /// What a secret may do: read; also write, without an administrator's rights; or all that its owner may.
    Scope { Read, Write, Admin }
    /// Kinds of background jobs.
    JobKind { Webhook, Notify, Push, Preview, RemoveFiles, RemoveMessages, RenameMentions, AwaitMail, MailUnread, Mail }
    MessageKind { Text, Attachment, Sound, System }
    /// How the texts that are sent to an incoming webhook are read; `auto` looks at each of them.
    HookFormat { Auto, Slack, Markdown }
}

impl SecondFactorOf {
    pub fn is_required_of(self, role: Role) -> bool {
        match self {
            Self::Nobody => false,
            Self::Administrators => role == Role::Admin,
            Self::Everybody => role != Role::Bot,
        }
    }
}

impl RoomKind {
    /// The involvement of a new member.
    pub fn default_involvement(self) -> Involvement {
        match self {
            Self::Direct => Involvement::Everything,
            Self::Open | Self::Closed => Involvement::Mentions,
        }
    }
}

/// A person or a bot. Strings are shared, since every worker holds all users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub name: Arc<str>,
    /// Derived from the name by [`person::initials`].
    pub initials: Arc<str>,
    pub email: Option<Arc<str>>,
    pub bio: Arc<str>,
    pub role: Role,
    pub status: Status,
    /// The version of the picture, which increases with each new one; None without a picture.
    pub avatar: Option<i64>,
    pub created_at: Timestamp,
    /// An incoming webhook or the system user: nobody can write to it.
    pub posts_only: bool,
    /// Somebody who was imported and has not signed in yet: by an invitation they can.
    pub is_unclaimed: bool,
}

impl User {
    pub fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin && self.is_active()
    }

    pub fn is_guest(&self) -> bool {
        self.role == Role::Guest
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub id: RoomId,
    /// None in direct rooms, which are shown by the names of the other members.
    pub name: Option<Arc<str>>,
    pub kind: RoomKind,
    pub creator_id: UserId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: Arc<str>,
    pub custom_css: Arc<str>,
    pub join_code: Arc<str>,
    pub settings: Settings,
    /// The version of the logo, which increases with each new one; None without a logo.
    pub logo: Option<i64>,
    /// Another with each change of the emoji; None if there are none.
    pub emoji: Option<i64>,
}

/// The settings of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default)]
    pub restrict_room_creation: bool,
    /// Days after which messages are deleted; None for never.
    #[serde(default)]
    pub retention_days: Option<u32>,
    /// Members make invitations too, not only administrators.
    #[serde(default)]
    pub members_may_invite: bool,
    /// Members see the join link too.
    #[serde(default)]
    pub members_see_join_link: bool,
    #[serde(default)]
    pub second_factor: SecondFactorOf,
}

/// A message as it is stored and sent: its row contains exactly this JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub created_at: Timestamp,
    pub room_id: RoomId,
    pub creator_id: UserId,
    pub client_message_id: Option<String>,
    pub kind: MessageKind,
    pub content: String,
    pub html: String,
    pub edited_at: Option<Timestamp>,
    pub reply_to_id: Option<MessageId>,
    /// The first message of its thread, where another chat had threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_root_id: Option<MessageId>,
    pub mentions: Vec<UserId>,
    /// `@here` or `@room`: it mentions everybody in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// A few emoji and nothing else; clients show them large.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_emoji_only: bool,
    pub boosts: Vec<Boost>,
    pub attachment: Option<Attachment>,
    pub embeds: Vec<Embed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Boost {
    pub id: BoostId,
    pub user_id: UserId,
    pub content: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    pub id: AttachmentId,
    pub filename: String,
    pub content_type: String,
    pub byte_size: u64,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration_s: Option<f64>,
    /// A picture of more than one frame.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_animated: bool,
    pub url: String,
    pub thumbnail_url: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Embed {
    pub url: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub image_url: Option<String>,
    pub site_name: Option<String>,
}

/// The SHA-256 of a secret token. Only this is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    pub fn of(token: &str) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(token.as_bytes()).into())
    }
}

impl rusqlite::ToSql for TokenHash {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl rusqlite::types::FromSql for TokenHash {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        bytes.try_into().map(Self).map_err(|_| rusqlite::types::FromSqlError::InvalidType)
    }
}

/// A new secret of 256 random bits, as 43 characters of unpadded base64url.
pub fn random_token() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes = random_bytes::<32>();
    let mut token = String::with_capacity(43);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            token.push(ALPHABET[(word >> (18 - 6 * place) & 63) as usize].into());
        }
    }
    token
}

/// A random join code, `xxxx-xxxx-xxxx`, of letters and digits that are easily told apart.
pub fn random_join_code() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut code = String::with_capacity(14);
    for (place, byte) in random_bytes::<12>().into_iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            code.push('-');
        }
        code.push(ALPHABET[usize::from(byte) % ALPHABET.len()].into());
    }
    code
}

pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness no secret can be made, so this panics.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The network that an address counts for, where addresses are blocked or limited: an IPv4 address alone, or the /64 of an
/// IPv6 address, which is usually one customer's.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

/// Bytes in hexadecimal, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc_with_milliseconds() {
        let moment = Timestamp(1_795_507_200_123);
        let wire = serde_json::to_string(&moment).unwrap();
        assert_eq!(wire, "\"2026-11-24T08:00:00.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&wire).unwrap(), moment);
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn enums_are_stored_and_sent_as_the_same_words() {
        let words = "webhook notify push preview remove_files remove_messages rename_mentions await_mail mail_unread mail";
        assert_eq!(JobKind::VARIANTS.join(" "), words);
        for word in JobKind::VARIANTS {
            let kind: JobKind = word.parse().unwrap();
            assert_eq!(
                (kind.into_str(), serde_json::to_string(&kind).unwrap()),
                (*word, format!("{word:?}"))
            );
        }
        assert!("Webhook".parse::<JobKind>().is_err());
    }

    #[test]
    fn tokens_are_43_url_safe_characters_and_never_the_same() {
        let (one, other) = (random_token(), random_token());
        assert_eq!(one.len(), 43);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_ne!(one, other);
    }

    #[test]
    fn join_codes_are_three_groups_of_four() {
        let code = random_join_code();
        let groups: Vec<_> = code.split('-').collect();
        assert_eq!(groups.len(), 3);
        assert!(
            groups.iter().all(|group| group.len() == 4 && group.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
    }
}

//! The application: what users, bots and jobs may do, and what follows from it. Functions take proofs of permissions
//! ([`Viewer`], [`RoomAccess`]), read from the worker's state and reader, and send commands to the writer. They know
//! neither HTTP nor sockets: errors are [`Problem`](crate::wire::Problem)s, which every edge can send to its client.

mod access;
pub(crate) mod account;
pub(crate) mod bots;
pub(crate) mod disk;
pub(crate) mod documents;
pub(crate) mod emoji;
mod errors;
pub(crate) mod files;
pub(crate) mod invitations;
pub(crate) mod jobs;
pub(crate) mod mail;
pub(crate) mod messages;
pub(crate) mod notifications;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod providers;
pub(crate) mod rooms;
pub(crate) mod search;
pub(crate) mod second_factors;
pub(crate) mod sessions;
pub(crate) mod sign_ins;
pub(crate) mod sync;
mod totp;

pub(crate) use access::{Admin, MessageAccess, RoomAccess, RoomChange, UserChange, Viewer, check_address};

/// Characters of the name of a person, a room, a bot, a webhook, a token or the account.
pub(crate) const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=100;

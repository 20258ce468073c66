//! What a person, a bot or a job may do, and what follows from it. Functions take proofs of who asks ([`Viewer`],
//! [`RoomAccess`]), read from the worker's state and reader, and give commands to the writer. They know nothing of HTTP
//! or sockets: what went wrong is a [`Problem`](crate::wire::Problem), which every edge can tell its client.

mod access;
pub(crate) mod account;
pub(crate) mod bots;
mod errors;
pub(crate) mod files;
pub(crate) mod messages;
pub(crate) mod notifications;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod rooms;
pub(crate) mod search;
pub(crate) mod sessions;

pub(crate) use access::{Admin, RoomAccess, Viewer};

/// Characters of the name of a person, a room, a bot, a webhook, a token or the account.
pub(crate) const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=100;

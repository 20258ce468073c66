//! Moving in: histories of other chats.
//!
//! A reader passes people, rooms and messages to the [`Staging`] database, in any order. From there they are written in the
//! order of time: people and rooms first, then messages with their files, then what each has read; at the end the index
//! is built. An import that was interrupted goes on where it stopped, and one that is run again adds nothing.

mod archive;
mod discord;
mod emoji;
mod history;
mod html;
mod json;
mod markup;
mod mattermost;
mod model;
mod names;
mod once;
mod report;
mod rocketchat;
mod rows;
mod slack;
mod staging;
mod telegram;
#[cfg(test)]
mod tests;
mod times;
mod write;
mod zulip;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use self::{archive::Archive, staging::Staging};
use crate::{
    config::Durability,
    store::{self, DataDir},
    types::random_token,
};

#[cfg(test)]
use self::report::Kind;
pub(crate) use self::report::{Report, grouped};

/// Why an import is refused or failed, in one sentence.
#[derive(Debug)]
pub(crate) struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full".into(),
            _ => error.to_string(),
        })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self(match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".into(),
            _ => format!("the database refused it ({error})"),
        })
    }
}

impl From<store::OpenError> for Error {
    fn from(error: store::OpenError) -> Self {
        Self(error.to_string())
    }
}

/// The chats whose exports can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chat {
    Once,
    Slack,
    Mattermost,
    Telegram,
    Discord,
    Zulip,
    Rocket,
}

impl Chat {
    pub(crate) const ALL: [Self; 7] =
        [Self::Once, Self::Slack, Self::Mattermost, Self::Telegram, Self::Discord, Self::Zulip, Self::Rocket];

    /// As it is called on the command line, and in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Slack => "slack",
            Self::Mattermost => "mattermost",
            Self::Telegram => "telegram",
            Self::Discord => "discord",
            Self::Zulip => "zulip",
            Self::Rocket => "rocketchat",
        }
    }

    /// What is to be given of it.
    pub(crate) fn export(self) -> &'static str {
        match self {
            Self::Once => "its storage directory, or a backup of it",
            Self::Slack => "the ZIP of an export of the workspace, or its folder",
            Self::Mattermost => "the ZIP of a bulk export, its folder, or its .jsonl file",
            Self::Telegram => "the folder of Telegram Desktop's export in JSON, or its result.json",
            Self::Discord => "JSON files of DiscordChatExporter: their folder, or one of them",
            Self::Zulip => "the export of an organization, as tar.gz or unpacked",
            Self::Rocket => "what mongodump made of its database: a folder, or an archive of it",
        }
    }

    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Once => "ONCE Campfire",
            Self::Slack => "Slack",
            Self::Mattermost => "Mattermost",
            Self::Telegram => "Telegram",
            Self::Discord => "Discord",
            Self::Zulip => "Zulip",
            Self::Rocket => "Rocket.Chat",
        }
    }
}

/// What to import.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) chat: Chat,
    pub(crate) path: &'a Path,
    pub(crate) data: &'a Path,
    /// Reads everything and changes nothing.
    pub(crate) is_check: bool,
    pub(crate) secrets: Secrets,
}

/// Secrets of ONCE Campfire that its data does not have. `SECRET_KEY_BASE` is not needed: sessions are in the database, and
/// mentions are read without their signature.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) vapid_private_key: Option<String>,
}

/// A part of the work, with what is done of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) stage: &'static str,
    pub(crate) done: u64,
    /// 0 if it is not known.
    pub(crate) total: u64,
}

/// Runs an import. `watch` is called often.
pub(crate) fn run(order: &Order<'_>, watch: &mut dyn FnMut(Progress)) -> Result<Report, Error> {
    let claimed = match order.is_check {
        true if !order.data.join("campfire.db").exists() => None,
        true => Some(DataDir::look(order.data)?),
        false => Some(DataDir::claim(order.data, Durability::Normal)?),
    };
    let scratch = Scratch::new(match order.is_check {
        true => std::env::temp_dir().join(format!("campfire-import-{}", random_token())),
        false => order.data.join("import"),
    })?;
    let archive = Archive::open(order.path, &scratch.0)?;
    let target = claimed
        .as_ref()
        .map(|data| match order.is_check {
            true => store::Import::look(data, order.chat.word()),
            false => store::Import::open(data, order.chat.word()),
        })
        .transpose()?;
    if let (Chat::Once, Some(target)) = (order.chat, &target) {
        once::check_target(target)?;
    }
    let mut staging = Staging::new(&scratch.0, target.as_ref())?;
    watch(Progress { stage: "reading", done: 0, total: 0 });
    match order.chat {
        Chat::Once => once::read(&archive, &mut staging, &order.secrets, &scratch.0, watch)?,
        Chat::Slack => slack::read(&archive, &mut staging, watch)?,
        Chat::Mattermost => mattermost::read(&archive, &mut staging, watch)?,
        Chat::Telegram => telegram::read(&archive, &mut staging, watch)?,
        Chat::Discord => discord::read(&archive, &mut staging, watch)?,
        Chat::Zulip => zulip::read(&archive, &mut staging, watch)?,
        Chat::Rocket => rocketchat::read(&archive, &mut staging, watch)?,
    }
    let report = match (&target, &claimed) {
        (Some(target), Some(data)) if !order.is_check => {
            write::write(staging, target, data, &archive, watch)?
        }
        _ => write::check(staging, &archive)?,
    };
    Ok(report)
}

/// What to know of guests.
fn guests(count: u64) -> String {
    let who = if count == 1 { "1 guest is a guest".to_owned() } else { format!("{count} guests are guests") };
    format!(
        "{who} here too: they see only the rooms that they were in and the people there, also once they are invited."
    )
}

/// A folder for what is needed during an import, which is removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> Result<Self, Error> {
        // Of an import that was killed.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path)
            .map_err(|error| Error(format!("cannot write to {} ({error})", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

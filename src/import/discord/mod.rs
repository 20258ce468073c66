//! What DiscordChatExporter writes as JSON: a file for each channel or thread, or for a part of one.

mod messages;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use self::messages::Messages;
use super::{
    Error, Progress,
    archive::Archive,
    json::{self, End, Flow, Step, Taker},
    model::Room,
    report::Kind,
    staging::Staging,
};
use crate::types::RoomKind;

const NOT_ONE: &str = "files that DiscordChatExporter did not write";
const DAMAGED: &str = "files that are damaged: what stood before the place was taken";

/// A file of the export.
#[derive(Debug)]
struct Channel {
    file: String,
    id: String,
    /// The key of its room: of the parent, if it is a thread.
    room: String,
    thread: Option<Thread>,
}

/// A thread lives in its parent's room, below its first message.
#[derive(Clone, Debug)]
struct Thread {
    root: String,
    /// It began with no message of the parent, so that its first one bears its name.
    title: Option<String>,
}

pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    // Rooms come before messages, which may link to any.
    let mut channels = Vec::new();
    let mut threads: HashMap<String, Thread> = HashMap::new();
    for (name, size) in archive.files().filter(|(name, _)| is_candidate(name)) {
        let mut head = Head::default();
        if size > 0 {
            archive.read(name, |input| json::each(input, &mut head))?;
        }
        match head.channel(name, staging)? {
            Some(channel) => {
                if let Some(thread) = &channel.thread {
                    // The first part of a thread says what it hangs on; names of parts are in no order.
                    let known = threads.entry(channel.id.clone()).or_insert_with(|| thread.clone());
                    let is_earlier = thread.title.is_none() || number(&thread.root) < number(&known.root);
                    if known.title.is_some() && is_earlier {
                        *known = thread.clone();
                    }
                }
                channels.push(channel);
            }
            None => staging.leave_out(Kind::Others, NOT_ONE, name),
        }
    }
    if channels.is_empty() {
        let is_html = archive.files().any(|(name, _)| name.ends_with(".html") || name.ends_with(".csv"));
        return Err(Error(match is_html {
            true => "this export is not JSON; export again with --format Json".into(),
            false => "there is no file of DiscordChatExporter in it".into(),
        }));
    }
    for channel in &mut channels {
        channel.thread = threads.get(&channel.id).cloned();
    }
    let mut messages = Messages::new(archive, staging, watch);
    let mut is_written_out = false;
    for channel in &channels {
        messages.begin(channel);
        let end = archive.read(&channel.file, |input| json::each(input, &mut messages))?;
        messages.end()?;
        is_written_out |= messages.is_written_out;
        if let End::Damaged(why) = end {
            messages.staging.leave_out(Kind::Others, DAMAGED, &channel.file);
            messages.staging.report.remark(format!("{} cannot be read to its end: {why}.", channel.file));
        }
    }
    let report = &mut staging.report;
    if is_written_out {
        report.remark(
            "Mentions, room links and times in the export are written out. With --markdown false and --utc DiscordChatExporter keeps what was typed.",
        );
    }
    report.remark(
        "Discord's export does not say who may read a channel: each is a closed room of those who wrote or reacted in it. Open the rooms that are for everybody.",
    );
    report.remark("Discord's people come without e-mail addresses and passwords: invite them in the settings, or with `campfire admin invite NAME`. Its bots are deactivated.");
    Ok(())
}

/// Media stand in a folder that ends in `_Files`, where somebody's JSON is no export.
fn is_candidate(name: &str) -> bool {
    name.ends_with(".json") && !name.split('/').rev().skip(1).any(|folder| folder.ends_with("_Files"))
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or(u64::MAX)
}

/// What stands before the messages of a file, and of a thread also where it begins.
#[derive(Default)]
struct Head {
    guild: Value,
    channel: Value,
    first: Option<u64>,
    starter: Option<String>,
}

impl Head {
    fn is_thread(&self) -> bool {
        let kind = json::id(&self.channel["type"]).unwrap_or_default();
        kind.ends_with("Thread") || ["10", "11", "12"].contains(&kind.as_str())
    }

    fn channel(&self, file: &str, staging: &mut Staging<'_>) -> Result<Option<Channel>, Error> {
        let Some(id) = json::id(&self.channel["id"]) else { return Ok(None) };
        let kind = json::id(&self.channel["type"]).unwrap_or_default();
        let is_direct = kind.starts_with("Direct") || ["1", "3"].contains(&kind.as_str());
        if staging.account.is_none() && !is_direct {
            staging.account = json::text(&self.guild["name"]).map(str::to_owned);
        }
        let own_name = json::text(&self.channel["name"]).unwrap_or("channel");
        let parent = json::id(&self.channel["categoryId"]).filter(|_| self.is_thread());
        let (room, name) = match &parent {
            Some(parent) => (parent.clone(), json::text(&self.channel["category"]).unwrap_or("channel")),
            None => (id.clone(), own_name),
        };
        if staging.known_room(&room).is_none() {
            staging.room(Room {
                key: room.clone(),
                id: None,
                name: (!is_direct).then(|| name.to_owned()),
                kind: if is_direct { RoomKind::Direct } else { RoomKind::Closed },
                creator: None,
                created_at: None,
                members: Vec::new(),
                is_archived: false,
            })?;
        }
        let thread = match (&parent, &self.starter, self.first) {
            (Some(_), Some(starter), _) => Some(Thread { root: starter.clone(), title: None }),
            (Some(_), None, Some(first)) => {
                Some(Thread { root: first.to_string(), title: Some(own_name.to_owned()) })
            }
            _ => None,
        };
        Ok(Some(Channel { file: file.to_owned(), id, room, thread }))
    }
}

impl Taker for Head {
    fn step(&self, path: &str) -> Step {
        match path {
            "" | "/messages" => Step::Enter,
            "/guild" | "/channel" | "/messages[]" => Step::Record,
            _ => Step::Skip,
        }
    }

    fn record(&mut self, path: &str, record: Option<Value>) -> Result<Flow, Error> {
        let record = record.unwrap_or_default();
        match path {
            "/guild" => self.guild = record,
            "/channel" => self.channel = record,
            _ if self.is_thread() => {
                if messages::is_starter(&record) {
                    self.starter = json::id(&record["reference"]["messageId"]);
                } else if let Some(id) = json::id(&record["id"]).and_then(|id| id.parse().ok()) {
                    self.first = Some(self.first.map_or(id, |first| first.min(id)));
                }
            }
            // Where it comes first, the rest is read later.
            _ if !self.channel.is_null() => return Ok(Flow::Stop),
            _ => {}
        }
        Ok(Flow::Continue)
    }
}

/// Who takes part in the room of a file, and ids that were seen.
#[derive(Default)]
struct Seen {
    members: HashSet<String>,
    emoji: HashSet<String>,
    roles: HashMap<String, String>,
}

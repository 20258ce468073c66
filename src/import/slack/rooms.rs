//! Channels, private ones, group talks and direct ones.

use std::collections::HashMap;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde_json::{Value, json};

use super::{
    LISTS, each, note_damage,
    people::{NOBODY, People},
};
use crate::{
    import::{
        Error,
        archive::Archive,
        json,
        model::{Member, Room},
        report::Kind,
        staging::Staging,
    },
    text::from_slack,
    types::{HookFormat, RoomId, RoomKind},
};

/// Later than this, a number is of milliseconds.
const LAST_SECOND: i64 = 100_000_000_000;

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) room: RoomId,
    /// By which the room is staged: an id of Slack.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) kind: RoomKind,
}

/// The rooms of an export.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    by_id: HashMap<String, Channel>,
    /// Direct rooms of the same people are one: the room that each has become a part of.
    merged: HashMap<String, String>,
    /// Ids by the place of the root and the folder's name.
    folders: HashMap<(usize, String), String>,
}

impl Rooms {
    /// Takes the rooms of all lists.
    pub(super) fn read(
        archive: &Archive,
        roots: &[String],
        staging: &mut Staging<'_>,
        people: &mut People,
    ) -> Result<Self, Error> {
        let mut rooms = Self::default();
        // Names of open and closed rooms with the first id of each, and the smallest id of the direct rooms of some people.
        let mut names: HashMap<String, (String, bool)> = HashMap::new();
        let mut direct: HashMap<Vec<String>, String> = HashMap::new();
        for_each(archive, roots, staging, &mut |staging, listed| {
            let listed = match listed {
                Found::Room(listed) => listed,
                Found::Fault => {
                    staging.leave_out(Kind::Rooms, "without an id", "");
                    return Ok(());
                }
                Found::Damage(path) => {
                    note_damage(path, staging);
                    return Ok(());
                }
            };
            match listed.kind {
                RoomKind::Direct if listed.members().is_empty() => {}
                RoomKind::Direct => {
                    let smallest = direct.entry(listed.members()).or_insert_with(|| listed.id.clone());
                    if listed.id < *smallest {
                        smallest.clone_from(&listed.id);
                    }
                }
                _ => {
                    let (first, is_shared) =
                        names.entry(listed.name.clone()).or_insert_with(|| (listed.id.clone(), false));
                    *is_shared |= *first != listed.id;
                }
            }
            let folder =
                if listed.kind == RoomKind::Direct && !listed.has_name { &listed.id } else { &listed.name };
            rooms.folders.insert((listed.root, same_form(folder)), listed.id.clone());
            Ok(())
        })?;
        for_each(archive, roots, staging, &mut |staging, listed| {
            let Found::Room(listed) = listed else { return Ok(()) };
            if rooms.by_id.contains_key(&listed.id) || rooms.merged.contains_key(&listed.id) {
                return Ok(());
            }
            if listed.kind == RoomKind::Direct
                && let Some(first) = direct.get(&listed.members()).filter(|first| **first != listed.id)
            {
                staging.report.changed("direct rooms of the same people: they are one here", &listed.name);
                rooms.merged.insert(listed.id.clone(), first.clone());
                return Ok(());
            }
            let is_shared = names.get(&listed.name).is_some_and(|(_, is_shared)| *is_shared);
            let name = match roots[listed.root].trim_end_matches('/').rsplit('/').next() {
                Some(team) if is_shared && listed.root > 0 => format!("{} ({team})", listed.name),
                _ => listed.name.clone(),
            };
            let channel = listed.stage(name, staging, people)?;
            rooms.by_id.insert(listed.id.clone(), channel);
            Ok(())
        })?;
        Ok(rooms)
    }

    /// A room by an id of Slack.
    pub(super) fn of(&self, id: &str) -> Option<&Channel> {
        self.by_id.get(self.merged.get(id).map_or(id, String::as_str))
    }

    /// The id and the room whose messages a folder has.
    pub(super) fn of_folder(&self, root: usize, folder: &str) -> Option<(&str, &Channel)> {
        let found = self.folders.get(&(root, same_form(folder))).map(String::as_str);
        // Some programs name all folders by ids.
        let id = found.or_else(|| Some(self.by_id.get_key_value(folder)?.0.as_str()))?;
        Some((id, self.of(id)?))
    }
}

/// What a list has.
enum Found<'r> {
    Room(&'r Listed<'r>),
    Fault,
    /// The path of the list.
    Damage(&'r str),
}

/// A room as a list has it.
struct Listed<'r> {
    root: usize,
    id: String,
    name: String,
    has_name: bool,
    kind: RoomKind,
    record: &'r Value,
}

impl Listed<'_> {
    /// The members in order, each once.
    fn members(&self) -> Vec<String> {
        let listed = json::list(&self.record["members"]).iter().filter_map(json::id);
        let mut members: Vec<String> = listed.filter(|id| id != NOBODY).collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    fn stage(&self, name: String, staging: &mut Staging<'_>, people: &mut People) -> Result<Channel, Error> {
        let mut members = Vec::new();
        for id in self.members() {
            members.push(Member::of(people.key(staging, &id, None)?));
        }
        let creator = match json::text(&self.record["creator"]).filter(|id| *id != NOBODY) {
            Some(id) => Some(people.key(staging, id, None)?),
            None => None,
        };
        let about = [("topic", &self.record["topic"]), ("purpose", &self.record["purpose"])];
        for (_, value) in about {
            if self.kind != RoomKind::Direct
                && let Some(words) = json::text(&value["value"])
            {
                let plain = from_slack(&json!({ "text": words }), HookFormat::Slack, |_| None)
                    .map_or_else(String::new, |read| read.document.plain_lines(|_| None));
                staging.leave_out(Kind::Others, "topics and purposes of rooms: rooms here have none", &plain);
            }
        }
        for _ in json::list(&self.record["pins"]) {
            staging.leave_out(Kind::Others, "pins: messages here cannot be pinned", &self.name);
        }
        // 1 stands for a time that is not known.
        let created = json::number(&self.record["created"]).filter(|at| *at > 1);
        let room = staging.room(Room {
            key: self.id.clone(),
            id: None,
            name: (self.kind != RoomKind::Direct).then(|| name.clone()),
            kind: self.kind,
            creator,
            created_at: created.map(|at| if at < LAST_SECOND { at * 1_000 } else { at }),
            members,
            is_archived: self.record["is_archived"] == true,
        })?;
        Ok(Channel { room, key: self.id.clone(), name, kind: self.kind })
    }
}

/// Passes on the rooms of all lists.
fn for_each(
    archive: &Archive,
    roots: &[String],
    staging: &mut Staging<'_>,
    take: &mut dyn FnMut(&mut Staging<'_>, Found<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    for (root, folder) in roots.iter().enumerate() {
        for list in LISTS {
            let path = format!("{folder}{list}");
            let is_whole = each(archive, &path, staging, &mut |staging, record| {
                let Some((record, id)) = record.as_ref().and_then(|it| Some((it, json::id(&it["id"])?)))
                else {
                    return take(staging, Found::Fault);
                };
                let is = |name: &str| record[name] == true;
                let kind = match list {
                    "mpims.json" | "dms.json" => RoomKind::Direct,
                    _ if is("is_im") || is("is_mpim") => RoomKind::Direct,
                    "groups.json" => RoomKind::Closed,
                    _ if is("is_private") => RoomKind::Closed,
                    _ => RoomKind::Open,
                };
                let name = json::text(&record["name"]);
                let (name, has_name) = (name.unwrap_or(&id).to_owned(), name.is_some());
                take(staging, Found::Room(&Listed { root, id, name, has_name, kind, record }))
            })?;
            if !is_whole {
                take(staging, Found::Damage(&path))?;
            }
        }
    }
    Ok(())
}

/// A name in one form: Slack writes half-width letters in one place and full-width ones in another.
fn same_form(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(name).into_owned()
}

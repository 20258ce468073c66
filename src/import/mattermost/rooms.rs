//! Teams, their channels, and direct channels.

use std::collections::HashMap;

use serde_json::Value;

use super::people::{person_key, unread_from};
use crate::{
    import::{
        Error, json,
        model::{Member, Room},
        report::Kind,
        staging::Staging,
    },
    types::{RoomId, RoomKind},
};

/// The key of a channel: each team has one of the same name.
pub(super) fn room_key(team: &str, channel: &str) -> String {
    format!("{}/{}", team.trim().to_lowercase(), channel.trim().to_lowercase())
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) room: RoomId,
    /// Of an open one, as people see it.
    pub(super) name: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// Names that people see, by those of teams.
    teams: HashMap<String, String>,
    listed: Vec<Listed>,
    direct: Vec<(Vec<String>, Vec<Member>)>,
    by_key: HashMap<String, Channel>,
}

#[derive(Debug)]
struct Listed {
    team: String,
    key: String,
    name: String,
    kind: RoomKind,
    is_archived: bool,
}

impl Rooms {
    pub(super) fn team(&mut self, record: &Value) {
        if let Some(name) = json::text(&record["name"]) {
            let shown = json::text(&record["display_name"]).unwrap_or(name);
            self.teams.insert(name.to_lowercase(), shown.to_owned());
        }
    }

    pub(super) fn channel(&mut self, record: &Value, staging: &mut Staging<'_>) {
        let (Some(team), Some(name)) = (json::text(&record["team"]), json::text(&record["name"])) else {
            return staging.leave_out(Kind::Rooms, "without a name", "");
        };
        for words in ["header", "purpose"].into_iter().filter_map(|about| json::text(&record[about])) {
            staging.leave_out(Kind::Others, "headers and purposes of rooms: rooms here have none", words);
        }
        self.listed.push(Listed {
            team: team.to_lowercase(),
            key: room_key(team, name),
            name: json::text(&record["display_name"]).unwrap_or(name).to_owned(),
            kind: if record["type"] == "O" { RoomKind::Open } else { RoomKind::Closed },
            is_archived: json::number(&record["deleted_at"]).is_some_and(|at| at > 0),
        });
    }

    pub(super) fn direct_channel(&mut self, record: &Value, staging: &mut Staging<'_>) {
        // Newer servers write participants, with what each has read.
        let participants = json::list(&record["participants"]).iter().filter_map(|one| {
            let unread_from = unread_from(&one["last_viewed_at"]);
            Some(Member { unread_from, ..Member::of(person_key(json::text(&one["username"])?)) })
        });
        let mut members: Vec<Member> = participants.collect();
        members.extend(names(&record["members"]).into_iter().map(Member::of));
        if members.is_empty() {
            return staging.leave_out(Kind::Rooms, "without anybody", "");
        }
        members.sort_by(|one, other| one.person.cmp(&other.person));
        members.dedup_by(|later, earlier| later.person == earlier.person);
        let people = members.iter().map(|member| member.person.clone()).collect();
        self.direct.push((people, members));
    }

    /// Takes all that were listed.
    pub(super) fn stage(&mut self, staging: &mut Staging<'_>) -> Result<(), Error> {
        let mut counts: HashMap<String, u32> = HashMap::new();
        self.listed.iter().for_each(|it| *counts.entry(it.name.clone()).or_default() += 1);
        for Listed { team, key, name, kind, is_archived } in std::mem::take(&mut self.listed) {
            let shown = match counts.get(&name) {
                Some(1) | None => name,
                Some(_) => format!("{name} ({})", self.teams.get(&team).unwrap_or(&team)),
            };
            let room = staging.room(Room {
                key: key.clone(),
                id: None,
                name: Some(shown.clone()),
                kind,
                creator: None,
                created_at: None,
                members: Vec::new(),
                is_archived,
            })?;
            let name = (kind == RoomKind::Open).then_some(shown);
            self.by_key.insert(key, Channel { room, name });
        }
        for (people, members) in std::mem::take(&mut self.direct) {
            direct_room(&people, members, staging)?;
        }
        Ok(())
    }

    pub(super) fn of(&self, team: &str, name: &str) -> Option<&Channel> {
        self.by_key.get(&room_key(team, name))
    }
}

/// The keys of people, in order and each once.
pub(super) fn names(list: &Value) -> Vec<String> {
    let mut names: Vec<String> = json::list(list).iter().filter_map(json::text).map(person_key).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The key of the direct room of some people, which is made if it is not known.
pub(super) fn direct_room(
    people: &[String],
    members: Vec<Member>,
    staging: &mut Staging<'_>,
) -> Result<String, Error> {
    let key = format!("@{}", people.join(","));
    if staging.known_room(&key).is_none() {
        for name in people {
            staging.person_or(name, || name.clone())?;
        }
        staging.room(Room::direct(&key, members))?;
    }
    Ok(key)
}

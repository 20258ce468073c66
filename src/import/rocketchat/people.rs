//! People, rooms, and who is in which.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    super::{
        Error, json,
        model::{Member, Person, Room},
        report::Kind,
        staging::Staging,
        times,
    },
    Dump, Known,
};
use crate::types::{Involvement, Role, RoomKind, Status};

/// Reads all three.
pub(super) fn read(dump: &Dump<'_>, staging: &mut Staging<'_>, known: &mut Known) -> Result<(), Error> {
    dump.each("users", staging, |staging, record| person(staging, known, &record))?;
    dump.each("rocketchat_room", staging, |staging, record| room(staging, known, &record))?;
    dump.each("rocketchat_subscription", staging, |staging, record| subscription(staging, known, &record))
}

fn id(record: &Value) -> String {
    json::id(record).unwrap_or_default()
}

/// Milliseconds.
fn at(moment: &Value) -> Option<i64> {
    times::of_milliseconds(json::number(moment)?).map(|at| at / 1_000)
}

fn person(staging: &mut Staging<'_>, known: &mut Known, record: &Value) -> Result<(), Error> {
    let id = id(&record["_id"]);
    let handle = json::text(&record["username"]);
    let name = json::text(&record["name"]).or(handle).unwrap_or("Somebody");
    if let Some(handle) = handle {
        known.handles.insert(handle.to_lowercase(), id.clone());
    }
    let roles: Vec<&str> = json::list(&record["roles"]).iter().filter_map(Value::as_str).collect();
    // They are taken when they wrote.
    if record["type"].as_str().is_some_and(|kind| kind != "user") {
        known.bots.insert(id, name.to_owned());
        return Ok(());
    }
    let role = match roles.as_slice() {
        roles if roles.contains(&"admin") => Role::Admin,
        roles if roles.contains(&"guest") => Role::Guest,
        _ => Role::Member,
    };
    known.guests += u64::from(role == Role::Guest);
    let email = json::list(&record["emails"]).iter().find_map(|email| json::text(&email["address"]));
    staging.person(Person {
        email: email.map(str::to_owned),
        bio: json::text(&record["bio"]).unwrap_or_default().to_owned(),
        role,
        status: if record["active"] == false { Status::Deactivated } else { Status::Active },
        created_at: at(&record["createdAt"]),
        ..Person::named(id, name)
    })?;
    Ok(())
}

fn room(staging: &mut Staging<'_>, known: &mut Known, record: &Value) -> Result<(), Error> {
    let id = id(&record["_id"]);
    let name = json::text(&record["fname"]).or_else(|| json::text(&record["name"]));
    let reason = match record["t"].as_str() {
        _ if record["encrypted"] == true => Some("end-to-end encrypted: nobody else can read it"),
        Some("c" | "p" | "d") => None,
        Some("l" | "v") => Some("of visitors of a website"),
        _ => Some("of a kind that is not known"),
    };
    if let Some(reason) = reason {
        staging.leave_out(Kind::Rooms, reason, name.unwrap_or(&id));
        known.left_out.insert(id, reason);
        return Ok(());
    }
    let kind = match record["t"].as_str() {
        Some("c") => RoomKind::Open,
        Some("d") => RoomKind::Direct,
        _ => RoomKind::Closed,
    };
    let mut members = Vec::new();
    if kind == RoomKind::Direct {
        let mut people: Vec<String> = json::list(&record["uids"]).iter().filter_map(json::id).collect();
        people.sort_unstable();
        people.dedup();
        for person in people {
            ensure(staging, known, &person, None)?;
            members.push(Member::of(person));
        }
    }
    if let Some(name) = json::text(&record["name"]) {
        known.addressed.insert(id.clone(), name.to_owned());
    }
    staging.room(Room {
        key: id,
        id: None,
        name: (kind != RoomKind::Direct).then(|| name.unwrap_or("room").to_owned()),
        kind,
        creator: json::id(&record["u"]["_id"]).filter(|key| staging.known_person(key).is_some()),
        created_at: at(&record["ts"]),
        members,
        is_archived: record["archived"] == true,
    })?;
    Ok(())
}

/// Makes sure that somebody is known: a bot by its name, or somebody who was deleted.
pub(super) fn ensure(
    staging: &mut Staging<'_>,
    known: &Known,
    key: &str,
    name: Option<&str>,
) -> Result<(), Error> {
    if staging.known_person(key).is_some() {
        return Ok(());
    }
    match known.bots.get(key) {
        Some(bot) => {
            let bot = Person { role: Role::Bot, status: Status::Deactivated, ..Person::named(key, bot) };
            staging.person(bot)?;
        }
        None => {
            staging.person_or(key, || name.unwrap_or("Somebody who left").to_owned())?;
        }
    }
    Ok(())
}

fn subscription(staging: &mut Staging<'_>, known: &Known, record: &Value) -> Result<(), Error> {
    let (room, person) = (id(&record["rid"]), id(&record["u"]["_id"]));
    // A room that is left out has no members, and a direct one lists its own.
    if known.left_out.contains_key(&room) || known.bots.contains_key(&person) {
        return Ok(());
    }
    if staging.known_room(&room).is_none() || person.is_empty() {
        staging.leave_out(Kind::Memberships, "in a room that the export does not have", &room);
        return Ok(());
    }
    if staging.room_name(&room).is_none() {
        return Ok(());
    }
    let involvement = match (&record["open"], record["desktopNotifications"].as_str()) {
        (Value::Bool(false), _) => Some(Involvement::Invisible),
        (_, Some("all")) => Some(Involvement::Everything),
        (_, Some("nothing")) => Some(Involvement::Nothing),
        _ => None,
    };
    let has_unread =
        record["alert"] == true || json::number(&record["unread"]).is_some_and(|unread| unread > 0);
    let unread_from = at(&record["ls"]).filter(|_| has_unread).map(|at| at + 1);
    ensure(staging, known, &person, json::text(&record["u"]["username"]))?;
    staging.add_member(&room, &Member { person, involvement, unread_from })
}

/// The reactions of a message: names of emoji, each with the handles of people.
pub(super) fn reactions(
    record: &Value,
    handles: &HashMap<String, String>,
) -> (Vec<(String, String)>, Vec<String>) {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    let Some(reactions) = record["reactions"].as_object() else { return (found, unknown) };
    for (name, reaction) in reactions {
        let inner = name.trim_matches(':');
        let content = super::text::emoji(inner).unwrap_or_else(|| format!(":{inner}:"));
        for handle in json::list(&reaction["usernames"]).iter().filter_map(json::text) {
            match handles.get(&handle.to_lowercase()) {
                Some(id) => found.push((id.clone(), content.clone())),
                None => unknown.push(handle.to_owned()),
            }
        }
    }
    (found, unknown)
}

//! People, bots, and who is a member of which channel.

use serde_json::Value;

use super::{attached, rooms::room_key};
use crate::{
    import::{
        Error,
        archive::Archive,
        json,
        model::{FileRef, Member, Person, Place},
        report::Kind,
        staging::Staging,
    },
    types::{Involvement, Role, Status},
};

/// The key of a person: names of users are the same in any case.
pub(super) fn person_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Takes a person. Whether it is a guest.
pub(super) fn user(
    record: &Value,
    archive: &Archive,
    lines: &str,
    staging: &mut Staging<'_>,
) -> Result<bool, Error> {
    let Some(handle) = json::text(&record["username"]) else {
        staging.leave_out(Kind::People, "without a name", "");
        return Ok(false);
    };
    let text = |name: &str| json::text(&record[name]).map(str::trim);
    let full = [text("first_name"), text("last_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = text("nickname").unwrap_or(if full.is_empty() { handle } else { &full });
    let mut person = Person::named(person_key(handle), name);
    person.email = text("email").map(str::to_owned);
    person.bio = text("position").unwrap_or_default().to_owned();
    person.avatar = avatar(record, archive, lines);
    let has = |role: &str| text("roles").is_some_and(|roles| roles.split_whitespace().any(|it| it == role));
    if is_deleted(record) {
        person.status = Status::Deactivated;
    }
    if has("system_admin") {
        person.role = Role::Admin;
    }
    let is_guest = has("system_guest");
    if is_guest {
        person.role = Role::Guest;
    }
    staging.person(person)?;
    Ok(is_guest)
}

/// Takes a bot.
pub(super) fn bot(
    record: &Value,
    archive: &Archive,
    lines: &str,
    staging: &mut Staging<'_>,
) -> Result<(), Error> {
    let Some(handle) = json::text(&record["username"]) else {
        staging.leave_out(Kind::People, "without a name", "");
        return Ok(());
    };
    let mut bot = Person::named(person_key(handle), json::text(&record["display_name"]).unwrap_or(handle));
    bot.role = Role::Bot;
    bot.bio = json::text(&record["description"]).unwrap_or_default().to_owned();
    bot.avatar = avatar(record, archive, lines);
    if is_deleted(record) {
        bot.status = Status::Deactivated;
    }
    staging.person(bot).map(drop)
}

/// 0 means that somebody is active.
fn is_deleted(record: &Value) -> bool {
    json::number(&record["delete_at"]).is_some_and(|at| at > 0)
}

fn avatar(record: &Value, archive: &Archive, lines: &str) -> Option<FileRef> {
    let path = json::text(&record["profile_image"])?;
    let place = attached(archive, lines, path)?;
    Some(FileRef { place: Place::Archive(place), name: "avatar".into() })
}

/// Makes a person a member of their channels.
pub(super) fn memberships(record: &Value, staging: &mut Staging<'_>) -> Result<(), Error> {
    let Some(handle) = json::text(&record["username"]) else { return Ok(()) };
    for team in json::list(&record["teams"]) {
        for channel in json::list(&team["channels"]) {
            let (Some(team), Some(name)) = (json::text(&team["name"]), json::text(&channel["name"])) else {
                staging.leave_out(Kind::Memberships, "of channels without a name", handle);
                continue;
            };
            let key = room_key(team, name);
            if staging.known_room(&key).is_none() {
                staging.leave_out(Kind::Memberships, "of channels that the export does not have", &key);
                continue;
            }
            let member = Member {
                person: person_key(handle),
                involvement: involvement(&channel["notify_props"]),
                unread_from: unread_from(&channel["last_viewed_at"]),
            };
            staging.add_member(&key, &member)?;
        }
    }
    Ok(())
}

/// A muted channel marks itself unread for mentions only.
fn involvement(props: &Value) -> Option<Involvement> {
    match (props["mark_unread"].as_str(), props["desktop"].as_str()) {
        (Some("mention"), _) | (_, Some("none")) => Some(Involvement::Nothing),
        (_, Some("all")) => Some(Involvement::Everything),
        (_, Some("mention")) => Some(Involvement::Mentions),
        _ => None,
    }
}

/// From when on messages are unread. Somebody who never looked is not met by all of them.
pub(super) fn unread_from(last_viewed_at: &Value) -> Option<i64> {
    json::number(last_viewed_at).filter(|at| *at > 0).map(|at| at.saturating_add(1))
}

//! Zulip's export of an organization.

mod messages;
mod realm;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;

use serde_json::Value;

use self::{
    messages::{Messages, Topics},
    realm::Realm,
};
use super::{
    Error, Progress,
    archive::Archive,
    json::{self, End, Flow, Step, Taker},
    model::{Member, Room},
    report::Kind,
    staging::Staging,
};
use crate::types::RoomKind;

const DAMAGED: &str = "files that are damaged: what stood before the place was taken";

pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let realm_file = archive
        .files()
        .map(|(name, _)| name)
        .filter(|name| *name == "realm.json" || name.ends_with("/realm.json"))
        .min_by_key(|name| name.matches('/').count())
        .ok_or_else(|| Error("there is no realm.json in it, as an export of Zulip has".into()))?;
    let prefix = &realm_file[..realm_file.len() - "realm.json".len()];
    let avatars = avatars(archive, prefix)?;
    let pictures = format!("{prefix}emoji/");
    let mut realm = Realm::new(staging, avatars)?;
    for (path, _) in archive.files_below(&pictures) {
        let name = path.rsplit('/').next().unwrap_or_default();
        realm.emoji.insert(name.to_owned(), path.to_owned());
    }
    let end = archive.read(realm_file, |input| json::each(input, &mut realm))?;
    if !realm.is_realm {
        return Err(Error(format!("{realm_file} is not of Zulip, or damaged")));
    }
    note(end, realm_file, realm.staging);
    rooms(&mut realm)?;
    realm.scratch.execute_batch("create index reactions_by_message on reactions (message)")?;
    if realm.guests > 0 {
        realm.staging.report.remark(super::guests(realm.guests));
    }
    let files: Vec<&str> =
        archive.files().map(|(name, _)| name).filter(|name| is_messages(name, prefix)).collect();
    // A topic begins with its oldest message, which may stand in the last file.
    let mut topics = Topics { realm: &mut realm };
    for name in &files {
        archive.read(name, |input| json::each(input, &mut topics))?;
    }
    let mut messages = Messages::new(&mut realm, prefix, watch);
    for name in &files {
        let end = archive.read(name, |input| json::each(input, &mut messages))?;
        note(end, name, messages.realm.staging);
    }
    let unused = messages.realm.reactions.saturating_sub(messages.reactions);
    if unused > 0 {
        staging.leave_out_some(Kind::Boosts, unused, "of messages that were left out", "");
    }
    staging.report.remark(
        "A topic is a thread below its first message, which bears its name. Passwords are not in the export: invite people in the settings, or with `campfire admin invite NAME`.",
    );
    Ok(())
}

fn note(end: End, file: &str, staging: &mut Staging<'_>) {
    if let End::Damaged(why) = end {
        staging.leave_out(Kind::Others, DAMAGED, file);
        staging.report.remark(format!("{file} cannot be read to its end: {why}."));
    }
}

fn is_messages(name: &str, prefix: &str) -> bool {
    let number = name
        .strip_prefix(prefix)
        .and_then(|name| name.strip_prefix("messages-"))
        .and_then(|name| name.strip_suffix(".json"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn stream_key(id: i64) -> String {
    format!("stream:{id}")
}

/// Makes a room of each stream. Direct ones are made when somebody wrote there.
fn rooms(realm: &mut Realm<'_, '_>) -> Result<(), Error> {
    let of_streams: HashMap<i64, i64> = realm
        .recipients
        .iter()
        .filter(|(_, (kind, _))| *kind == 2)
        .map(|(id, (_, stream))| (*stream, *id))
        .collect();
    for stream in std::mem::take(&mut realm.streams) {
        let mut members = Vec::new();
        if let Some(recipient) = of_streams.get(&stream.id) {
            let mut select = realm.scratch.prepare_cached(
                "select person from subscriptions where recipient = ? and is_active order by person",
            )?;
            let found = select.query_map((recipient,), |row| row.get::<_, i64>(0))?;
            for person in found {
                members.push(Member::of(person?.to_string()));
            }
        }
        realm.staging.room(Room {
            key: stream_key(stream.id),
            id: None,
            name: Some(stream.name),
            kind: if stream.is_private { RoomKind::Closed } else { RoomKind::Open },
            creator: None,
            created_at: stream.created_at,
            members,
            is_archived: stream.is_archived,
        })?;
    }
    Ok(())
}

/// Paths of people's pictures.
fn avatars(archive: &Archive, prefix: &str) -> Result<HashMap<i64, String>, Error> {
    struct Records<'a> {
        archive: &'a Archive,
        folder: String,
        found: HashMap<i64, String>,
    }
    impl Taker for Records<'_> {
        fn step(&self, path: &str) -> Step {
            match path {
                "" => Step::Enter,
                "[]" => Step::Record,
                _ => Step::Skip,
            }
        }

        fn record(&mut self, _path: &str, record: Option<Value>) -> Result<Flow, Error> {
            let record = record.unwrap_or_default();
            if let (Some(person), Some(path)) =
                (json::number(&record["user_profile_id"]), json::text(&record["path"]))
            {
                let path = Archive::beside(&self.folder, path);
                // Beside each is the picture as it was sent in.
                if !path.ends_with(".original") && self.archive.has(&path) {
                    self.found.insert(person, path);
                }
            }
            Ok(Flow::Continue)
        }
    }
    let folder = format!("{prefix}avatars/");
    let records = format!("{folder}records.json");
    let mut taker = Records { archive, folder, found: HashMap::new() };
    if archive.has(&records) {
        archive.read(&records, |input| json::each(input, &mut taker))?;
    }
    Ok(taker.found)
}

//! Rocket.Chat: what mongodump makes of its database.

mod files;
mod messages;
mod people;
mod records;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;

use serde_json::Value;

use self::{files::Files, messages::Messages, records::End};
use super::{Error, Progress, archive::Archive, json, report::Kind, staging::Staging};

/// The files of a dump.
struct Dump<'a> {
    archive: &'a Archive,
    /// Where they are, with a slash.
    folder: String,
}

/// What was read before the messages.
#[derive(Default)]
struct Known {
    /// Ids of people by their handles in lower case.
    handles: HashMap<String, String>,
    /// Names of bots and apps by id: they become people when they wrote.
    bots: HashMap<String, String>,
    /// Rooms whose messages nobody can read, or that are none of a team.
    left_out: HashMap<String, &'static str>,
    /// How an address calls a room, by id.
    addressed: HashMap<String, String>,
    guests: u64,
}

pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let dump = Dump::of(archive)?;
    let mut known = Known::default();
    dump.each("rocketchat_settings", staging, |staging, record| {
        if record["_id"] == "Site_Name" {
            staging.account = json::text(&record["value"]).map(str::to_owned);
        }
        Ok(())
    })?;
    people::read(&dump, staging, &mut known)?;
    dump.each("rocketchat_custom_emoji", staging, |staging, record| {
        const REASON: &str = "custom emoji of Rocket.Chat come without pictures: they stand as :name:";
        staging.leave_out(Kind::Emoji, REASON, record["name"].as_str().unwrap_or_default());
        Ok(())
    })?;
    let files = Files::open(&dump, staging)?;
    let mut messages = Messages::new(archive, &files, &mut known, watch);
    dump.each("rocketchat_message", staging, |staging, record| messages.take(staging, &record))?;
    if known.guests > 0 {
        staging.report.remark(super::guests(known.guests));
    }
    staging.report.remark(
        "Passwords do not come along, since Rocket.Chat hashes them in a way of its own: invite people in the settings, or with `campfire admin invite NAME`. Bots are deactivated.",
    );
    Ok(())
}

impl<'a> Dump<'a> {
    fn of(archive: &'a Archive) -> Result<Self, Error> {
        const MESSAGES: &str = "rocketchat_message.bson";
        let is_messages = |name: &str| {
            let name = name.strip_suffix(".gz").unwrap_or(name);
            name == MESSAGES || name.ends_with("/rocketchat_message.bson")
        };
        let found = archive.files().map(|(name, _)| name).find(|name| is_messages(name));
        let Some(name) = found else {
            let is_one = archive.files().any(|(name, _)| name.ends_with(".archive"));
            return Err(Error(match is_one {
                true => "an archive of mongodump cannot be read; dump again with --out FOLDER".into(),
                false => "there is no rocketchat_message.bson in it, as a dump of Rocket.Chat's database has"
                    .into(),
            }));
        };
        let folder = name[..name.rfind('/').map_or(0, |slash| slash + 1)].to_owned();
        let dump = Self { archive, folder };
        for needed in ["users", "rocketchat_room", "rocketchat_subscription"] {
            if dump.file(needed).is_none() {
                return Err(Error(format!("there is no {needed}.bson in it; dump the whole database")));
            }
        }
        Ok(dump)
    }

    /// The file of a collection.
    fn file(&self, collection: &str) -> Option<String> {
        let name = format!("{}{collection}.bson", self.folder);
        let packed = format!("{name}.gz");
        [name, packed].into_iter().find(|name| self.archive.has(name))
    }

    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&mut dyn std::io::Read) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.archive.read(name, |reader| files::unpacked(name, reader, read))
    }

    /// Takes each record of a collection, if the dump has it.
    fn each(
        &self,
        collection: &str,
        staging: &mut Staging<'_>,
        mut take: impl FnMut(&mut Staging<'_>, Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(name) = self.file(collection) else { return Ok(()) };
        let end = self.read(&name, |reader| {
            records::each(reader, |document, _| {
                let record = records::json(document);
                match record["_id"].is_null() {
                    true => {
                        staging.leave_out(Kind::Others, "records that are damaged", &name);
                        Ok(())
                    }
                    false => take(staging, record),
                }
            })
        })?;
        if let End::Damaged(why) = end {
            self.damaged(staging, &name, &why);
        }
        Ok(())
    }

    fn damaged(&self, staging: &mut Staging<'_>, name: &str, why: &str) {
        staging.leave_out(
            Kind::Others,
            "files that are damaged: what stood before the place was taken",
            name,
        );
        staging.report.remark(format!("{name} cannot be read to its end: {why}."));
    }
}

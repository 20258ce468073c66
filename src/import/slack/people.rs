//! People and bots, also those whom only messages name.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{USERS, each, note_damage};
use crate::{
    import::{Error, archive::Archive, json, model::Person, report::Kind, staging::Staging},
    types::{Role, Status},
};

/// Slack's own bot, which no list has.
const SLACKBOT: &str = "USLACKBOT";

/// The author of lines that nobody wrote.
pub(super) const NOBODY: &str = "U00";

/// The bot of messages that name no other.
const UNNAMED_BOT: &str = "bot";

#[derive(Debug, Default)]
pub(super) struct People {
    /// Bots by their bot ids (`B…`), where they are people of the list too.
    bots: HashMap<String, String>,
    are_bots: HashSet<String>,
    /// Of those whom no list has.
    names: HashMap<String, String>,
    pub(super) guests: u64,
}

impl People {
    /// Takes the people of all lists.
    pub(super) fn read(
        archive: &Archive,
        roots: &[String],
        staging: &mut Staging<'_>,
    ) -> Result<Self, Error> {
        let mut people = Self::default();
        let mut listed: Vec<(Person, String)> = Vec::new();
        let mut seen = HashSet::new();
        for path in roots.iter().flat_map(|root| USERS.map(|name| format!("{root}{name}"))) {
            let is_whole = each(archive, &path, staging, &mut |staging, record| {
                let Some((record, id)) = record.as_ref().and_then(|it| Some((it, json::id(&it["id"])?)))
                else {
                    staging.leave_out(Kind::People, "without an id", &path);
                    return Ok(());
                };
                // The workspaces of a grid list the same people again.
                if seen.insert(id.clone()) {
                    listed.push(people.person(id, record));
                }
                Ok(())
            })?;
            if !is_whole {
                note_damage(&path, staging);
            }
        }
        let mut shared: HashMap<String, u32> = HashMap::new();
        listed.iter().for_each(|(person, _)| *shared.entry(person.name.clone()).or_default() += 1);
        for (mut person, handle) in listed {
            if shared.get(&person.name).is_some_and(|count| *count > 1) && !handle.is_empty() {
                staging
                    .report
                    .changed("names that several people have: their handles stand behind them", &person.name);
                person.name = format!("{} ({handle})", person.name);
            }
            staging.person(person)?;
        }
        Ok(people)
    }

    /// A person of a list, and their handle.
    fn person(&mut self, id: String, record: &Value) -> (Person, String) {
        let profile = &record["profile"];
        let is = |name: &str| record[name] == true;
        let handle = json::text(&record["name"]).unwrap_or_default().to_owned();
        let name = name_of(profile)
            .or_else(|| json::text(&record["real_name"]))
            .or_else(|| json::text(&record["name"]))
            .unwrap_or(&id);
        let mut person = Person::named(id.clone(), name);
        person.email = json::text(&profile["email"]).map(str::to_owned);
        person.bio = json::text(&profile["title"]).unwrap_or_default().to_owned();
        if is("deleted") {
            person.status = Status::Deactivated;
        }
        if is("is_bot") || id == SLACKBOT {
            person.role = Role::Bot;
            self.are_bots.insert(id.clone());
            if let Some(bot) = json::text(&profile["bot_id"]) {
                self.bots.insert(bot.to_owned(), id);
            }
        } else if is("is_admin") || is("is_owner") || is("is_primary_owner") {
            person.role = Role::Admin;
        } else if is("is_restricted") || is("is_ultra_restricted") {
            person.role = Role::Guest;
            self.guests += 1;
        }
        (person, handle)
    }

    /// Remembers the names that a message has of strangers. The first one of each counts.
    pub(super) fn look_at(&mut self, record: &Value) {
        let mut keep = |id: &Value, name: Option<&str>| {
            if let (Some(id), Some(name)) = (json::text(id), name)
                && !self.names.contains_key(id)
            {
                self.names.insert(id.to_owned(), name.to_owned());
            }
        };
        let profile = &record["user_profile"];
        if profile.is_object() {
            keep(&record["user"], name_of(profile).or_else(|| json::text(&profile["name"])));
        }
        if record["bot_id"].is_string() {
            let name = json::text(&record["username"]).or_else(|| json::text(&record["bot_profile"]["name"]));
            keep(&record["bot_id"], name);
        }
    }

    pub(super) fn is_bot(&self, key: &str) -> bool {
        self.are_bots.contains(key)
    }

    /// The key of somebody by an id of Slack. Who is in no list is made up. `label` is the name that a text has.
    pub(super) fn key(
        &mut self,
        staging: &mut Staging<'_>,
        id: &str,
        label: Option<&str>,
    ) -> Result<String, Error> {
        if let Some(key) = self.bots.get(id) {
            return Ok(key.clone());
        }
        if staging.known_person(id).is_some() {
            return Ok(id.to_owned());
        }
        let is_bot = id.starts_with('B') || id == SLACKBOT || id == UNNAMED_BOT;
        let name = match (self.names.get(id).map(String::as_str).or(label), is_bot) {
            (Some(name), _) => name.to_owned(),
            (None, _) if id == SLACKBOT => "Slackbot".to_owned(),
            (None, true) if id == UNNAMED_BOT => "Bot".to_owned(),
            (None, true) => format!("Bot {id}"),
            (None, false) => format!("Somebody who left ({id})"),
        };
        staging.person_or(id, || name.clone())?;
        if is_bot {
            self.are_bots.insert(id.to_owned());
            let status = Status::Deactivated;
            staging.person(Person { role: Role::Bot, status, ..Person::named(id, name) })?;
        }
        Ok(id.to_owned())
    }

    /// The key of a message's author; None if it is nobody's.
    pub(super) fn author(
        &mut self,
        staging: &mut Staging<'_>,
        record: &Value,
    ) -> Result<Option<String>, Error> {
        let of_comment = &record["comment"]["user"];
        let of_huddle = &record["room"]["created_by"];
        let is_of = |subtype: &str| record["subtype"] == subtype;
        let id = match () {
            () if is_of("file_comment") && of_comment.is_string() => json::text(of_comment),
            () if is_of("huddle_thread") && of_huddle.is_string() => json::text(of_huddle),
            () => json::text(&record["user"]).or_else(|| json::text(&record["bot_id"])),
        };
        match id {
            Some(NOBODY) => Ok(None),
            Some(id) => self.key(staging, id, None).map(Some),
            None => self.key(staging, UNNAMED_BOT, None).map(Some),
        }
    }
}

/// The name that somebody chose, or their real one.
fn name_of(profile: &Value) -> Option<&str> {
    json::text(&profile["display_name"]).or_else(|| json::text(&profile["real_name"]))
}

//! Who and what is in an organization: `realm.json`.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use serde_json::Value;

use super::super::{
    Error,
    json::{self, Flow, Step, Taker},
    model::{FileRef, Person, Place},
    report::Kind,
    staging::Staging,
    times,
};
use super::text::Names;
use crate::types::{Role, Status};

/// A stream.
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) is_private: bool,
    pub(super) is_archived: bool,
    pub(super) created_at: Option<i64>,
}

/// What a message is sent to: type and id.
pub(super) type Recipients = HashMap<i64, (i64, i64)>;

pub(super) struct Realm<'a, 'b> {
    pub(super) staging: &'a mut Staging<'b>,
    /// What there may be too much of for memory: `subscriptions`, `reactions` and `topics`.
    pub(super) scratch: Connection,
    /// Paths of pictures by person.
    pub(super) avatars: HashMap<i64, String>,
    /// Paths of custom emoji by the names of their files.
    pub(super) emoji: HashMap<String, String>,
    pub(super) names: Names,
    pub(super) streams: Vec<Stream>,
    pub(super) recipients: Recipients,
    /// Bots of Zulip itself, by key.
    pub(super) system: HashSet<String>,
    pub(super) guests: u64,
    pub(super) reactions: u64,
    pub(super) is_realm: bool,
}

impl Taker for Realm<'_, '_> {
    fn step(&self, path: &str) -> Step {
        match path {
            ""
            | "/zerver_realm"
            | "/zerver_userprofile"
            | "/zerver_userprofile_crossrealm"
            | "/zerver_userprofile_mirrordummy"
            | "/zerver_stream"
            | "/zerver_recipient"
            | "/zerver_subscription"
            | "/zerver_reaction"
            | "/zerver_realmemoji" => Step::Enter,
            _ if path.ends_with("[]") && self.step(&path[..path.len() - 2]) == Step::Enter => Step::Record,
            _ => Step::Skip,
        }
    }

    fn record(&mut self, path: &str, record: Option<Value>) -> Result<Flow, Error> {
        let Some(record) = record else {
            self.staging.leave_out(Kind::Others, "records that are not valid JSON", path);
            return Ok(Flow::Continue);
        };
        let taken = match path {
            "/zerver_realm[]" => {
                self.staging.account = json::text(&record["name"]).map(str::to_owned);
                Some(())
            }
            "/zerver_userprofile[]" => self.person(&record, false)?,
            "/zerver_userprofile_mirrordummy[]" => self.person(&record, true)?,
            "/zerver_userprofile_crossrealm[]" => json::id(&record["id"]).map(|id| self.system.extend([id])),
            "/zerver_stream[]" => self.stream(&record),
            "/zerver_recipient[]" => self.recipient(&record),
            "/zerver_subscription[]" => self.subscription(&record)?,
            "/zerver_reaction[]" => self.reaction(&record)?,
            _ => {
                let name = record["name"].as_str().unwrap_or_default();
                let file = record["file_name"].as_str().unwrap_or_default();
                // Without a picture the name stays.
                let path = self.emoji.get(file).cloned().unwrap_or_default();
                self.staging.emoji(name, Place::Archive(path));
                Some(())
            }
        };
        if taken.is_none() {
            self.staging.leave_out(Kind::Others, "records without what they need", path);
        }
        self.is_realm = true;
        Ok(Flow::Continue)
    }
}

impl<'a, 'b> Realm<'a, 'b> {
    pub(super) fn new(staging: &'a mut Staging<'b>, avatars: HashMap<i64, String>) -> Result<Self, Error> {
        let scratch = staging.scratch_db()?;
        scratch.execute_batch(
            "create table subscriptions (recipient integer, person integer, is_active integer,
               primary key (recipient, person)) strict, without rowid;
             create table reactions (message integer, person integer, content text) strict;
             create table topics (recipient integer, topic text, at integer, id integer,
               primary key (recipient, topic)) strict, without rowid;",
        )?;
        Ok(Self {
            staging,
            scratch,
            avatars,
            emoji: HashMap::new(),
            names: Names::default(),
            streams: Vec::new(),
            recipients: HashMap::new(),
            system: HashSet::new(),
            guests: 0,
            reactions: 0,
            is_realm: false,
        })
    }

    fn person(&mut self, record: &Value, is_dummy: bool) -> Result<Option<()>, Error> {
        let Some(id) = json::id(&record["id"]) else { return Ok(None) };
        let name = json::text(&record["full_name"]).unwrap_or("Somebody");
        let role = json::number(&record["role"]);
        let is_bot = record["is_bot"] == true;
        let is_admin = matches!(role, Some(100 | 200)) || record["is_realm_admin"] == true;
        let is_guest = role == Some(600) || record["is_guest"] == true;
        let role = match (is_bot, is_admin) {
            (true, _) => Role::Bot,
            (_, true) => Role::Admin,
            _ if is_guest => Role::Guest,
            _ => Role::Member,
        };
        self.guests += u64::from(role == Role::Guest);
        // `email` is a made-up one, unless the export is older than `delivery_email`.
        let email = match &record["delivery_email"] {
            Value::Null => json::text(&record["email"]),
            email => json::text(email),
        };
        let is_active = !is_dummy && record["is_active"] != false && record["is_mirror_dummy"] != true;
        self.names
            .people
            .entry(name.to_owned())
            .and_modify(|key| *key = None)
            .or_insert_with(|| Some(id.clone()));
        let avatar = json::number(&record["id"])
            .and_then(|id| self.avatars.get(&id))
            .map(|path| FileRef { place: Place::Archive(path.clone()), name: String::new() });
        self.staging.person(Person {
            email: email.filter(|_| !is_bot && !is_dummy).map(str::to_owned),
            role,
            status: if is_active { Status::Active } else { Status::Deactivated },
            created_at: at(&record["date_joined"]),
            avatar,
            ..Person::named(id, name)
        })?;
        Ok(Some(()))
    }

    fn stream(&mut self, record: &Value) -> Option<()> {
        let id = json::number(&record["id"])?;
        let typed = json::text(&record["name"]).unwrap_or("stream");
        self.names.streams.insert(typed.to_owned(), id);
        // Older versions rename what is archived.
        let name = typed.trim_start_matches('!').trim_start_matches("DEACTIVATED:");
        let is_private = record["invite_only"] == true;
        if is_private && record["history_public_to_subscribers"] == false {
            const REASON: &str = "streams whose history new subscribers do not see: here all members see it";
            self.staging.report.changed(REASON, name);
        }
        self.streams.push(Stream {
            id,
            name: name.to_owned(),
            is_private,
            is_archived: record["deactivated"] == true,
            created_at: at(&record["date_created"]),
        });
        Some(())
    }

    fn recipient(&mut self, record: &Value) -> Option<()> {
        let [id, kind, of] = ["id", "type", "type_id"].map(|name| json::number(&record[name]));
        self.recipients.insert(id?, (kind?, of?));
        Some(())
    }

    fn subscription(&mut self, record: &Value) -> Result<Option<()>, Error> {
        let [recipient, person] = ["recipient", "user_profile"].map(|name| json::number(&record[name]));
        let (Some(recipient), Some(person)) = (recipient, person) else { return Ok(None) };
        self.scratch
            .prepare_cached(
                "insert or replace into subscriptions (recipient, person, is_active) values (?, ?, ?)",
            )?
            .execute((recipient, person, record["active"] != false))?;
        Ok(Some(()))
    }

    fn reaction(&mut self, record: &Value) -> Result<Option<()>, Error> {
        let [message, person] = ["message", "user_profile"].map(|name| json::number(&record[name]));
        let (Some(message), Some(person)) = (message, person) else { return Ok(None) };
        let name = json::text(&record["emoji_name"]).unwrap_or_default();
        let is_standard = record["reaction_type"].as_str().unwrap_or("unicode_emoji") == "unicode_emoji";
        let emoji = record["emoji_code"].as_str().filter(|_| is_standard).and_then(of_code_points);
        let content = emoji.unwrap_or_else(|| format!(":{name}:"));
        self.scratch
            .prepare_cached("insert into reactions (message, person, content) values (?, ?, ?)")?
            .execute((message, person, content))?;
        self.reactions += 1;
        Ok(Some(()))
    }
}

fn at(seconds: &Value) -> Option<i64> {
    times::of_fraction(seconds.as_f64()?).map(|at| at / 1_000)
}

/// The emoji of code points in hexadecimal, joined by dashes.
fn of_code_points(text: &str) -> Option<String> {
    const MAX_POINTS: usize = 16;
    let emoji: String = text
        .split('-')
        .take(MAX_POINTS)
        .map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?))
        .collect::<Option<_>>()?;
    Some(emoji).filter(|emoji| !emoji.is_empty() && !emoji.chars().any(char::is_control))
}

//! Messages: `messages-000001.json` and further ones, in no order.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    super::{
        Error, Progress,
        json::{self, Flow, Step, Taker},
        markup,
        model::{Body, Boost, Member, Message, Room},
        report::Kind,
        times,
    },
    realm::Realm,
    stream_key, text,
};
use crate::text::{Block, Document, Inline};

/// Messages between two reports of the progress.
const WATCHED: u64 = 4_096;

/// Types of recipients.
const PERSON: i64 = 1;
const STREAM: i64 = 2;
const GROUP: i64 = 3;

fn step(path: &str) -> Step {
    match path {
        "" | "/zerver_message" => Step::Enter,
        "/zerver_message[]" => Step::Record,
        _ => Step::Skip,
    }
}

/// Exports before mid-2018 call it `pub_date`.
fn at(record: &Value) -> Option<i64> {
    let seconds = record["date_sent"].as_f64().or_else(|| record["pub_date"].as_f64())?;
    times::of_fraction(seconds)
}

/// The topic of a message in a stream, if it has one, as it is compared.
fn topic(record: &Value) -> Option<(String, String)> {
    let shown = record["subject"].as_str()?.replace(char::is_control, "");
    let shown = shown.trim();
    (!shown.is_empty()).then(|| (shown.to_owned(), shown.to_lowercase()))
}

/// Finds the first message of each topic.
pub(super) struct Topics<'a, 'b, 'c> {
    pub(super) realm: &'a mut Realm<'b, 'c>,
}

impl Taker for Topics<'_, '_, '_> {
    fn step(&self, path: &str) -> Step {
        step(path)
    }

    fn record(&mut self, _path: &str, record: Option<Value>) -> Result<Flow, Error> {
        let record = record.unwrap_or_default();
        let [id, recipient] = ["id", "recipient"].map(|name| json::number(&record[name]));
        let is_system = json::id(&record["sender"]).is_some_and(|sender| self.realm.system.contains(&sender));
        let (Some(id), Some(recipient), Some(at), Some((_, topic)), false) =
            (id, recipient, at(&record), topic(&record), is_system)
        else {
            return Ok(Flow::Continue);
        };
        if self.realm.recipients.get(&recipient).is_some_and(|(kind, _)| *kind == STREAM)
            && json::text(&record["content"]).is_some()
        {
            self.realm
                .scratch
                .prepare_cached(
                    "insert into topics (recipient, topic, at, id) values (?, ?, ?, ?)
                     on conflict (recipient, topic) do update set at = excluded.at, id = excluded.id
                     where (excluded.at, excluded.id) < (topics.at, topics.id)",
                )?
                .execute((recipient, topic, at, id))?;
        }
        Ok(Flow::Continue)
    }
}

pub(super) struct Messages<'a, 'b, 'c> {
    pub(super) realm: &'a mut Realm<'b, 'c>,
    prefix: &'a str,
    watch: &'a mut dyn FnMut(Progress),
    /// Members of groups by recipient.
    groups: HashMap<i64, Vec<i64>>,
    messages: u64,
    /// Reactions that were passed on.
    pub(super) reactions: u64,
}

impl Taker for Messages<'_, '_, '_> {
    fn step(&self, path: &str) -> Step {
        step(path)
    }

    fn record(&mut self, _path: &str, record: Option<Value>) -> Result<Flow, Error> {
        match record {
            Some(record) => self.message(&record)?,
            None => self.realm.staging.leave_out(Kind::Messages, "records that are not valid JSON", ""),
        }
        Ok(Flow::Continue)
    }
}

impl<'a, 'b, 'c> Messages<'a, 'b, 'c> {
    pub(super) fn new(
        realm: &'a mut Realm<'b, 'c>,
        prefix: &'a str,
        watch: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self { realm, prefix, watch, groups: HashMap::new(), messages: 0, reactions: 0 }
    }

    fn message(&mut self, record: &Value) -> Result<(), Error> {
        self.messages += 1;
        if self.messages.is_multiple_of(WATCHED) {
            (self.watch)(Progress { stage: "reading", done: self.messages, total: 0 });
        }
        let id = json::number(&record["id"]);
        let example = id.map_or_else(String::new, |id| id.to_string());
        let [sender, recipient] = ["sender", "recipient"].map(|name| json::number(&record[name]));
        let (Some(id), Some(at), Some(sender), Some(recipient)) = (id, at(record), sender, recipient) else {
            self.realm.staging.leave_out(
                Kind::Messages,
                "without an id, a time, a sender or a recipient",
                &example,
            );
            return Ok(());
        };
        let author = sender.to_string();
        if self.realm.system.contains(&author) {
            let what = record["content"].as_str().unwrap_or_default();
            self.realm.staging.leave_out(Kind::Messages, "lines of the system, by Zulip's own bots", what);
            return Ok(());
        }
        let Some(room) = self.room(sender, recipient)? else {
            self.realm.staging.leave_out(Kind::Messages, "in a room that the export does not have", &example);
            return Ok(());
        };
        let typed = record["content"].as_str().unwrap_or_default();
        self.realm.staging.person_or(&author, || "Somebody who left".into())?;
        let name =
            self.realm.staging.known_person(&author).map_or(String::new(), |(_, name)| name.to_owned());
        let text::Read { mut blocks, files, quotes, mut links } =
            text::read(typed, self.realm.staging, &self.realm.names, self.prefix, &name);
        if files.is_empty() && Document::of(blocks.clone()).is_empty() {
            self.realm.staging.leave_out(Kind::Messages, "without a content", &example);
            return Ok(());
        }
        let mut thread = None;
        if let Some((shown, topic)) = topic(record)
            && let Some(root) = self.root(recipient, &topic)?
        {
            match root == id {
                true => blocks.insert(0, Block::Paragraph(vec![Inline::Strong(vec![Inline::Text(shown)])])),
                false => thread = Some(root.to_string()),
            }
        }
        let mut body = markup::body(blocks, typed);
        links.sort_unstable();
        links.dedup();
        if let Body::Markdown(content) = &mut body {
            links.iter().for_each(|(from, to)| *content = content.replace(from, to));
        }
        let boosts = self.boosts(id)?;
        self.realm.staging.message(Message {
            key: id.to_string(),
            room,
            author,
            at,
            order: id,
            body,
            edited_at: record["last_edit_time"].as_f64().and_then(times::of_fraction).map(|at| at / 1_000),
            thread,
            reply_to: quotes,
            files,
            boosts,
            ..Message::default()
        })
    }

    fn root(&self, recipient: i64, topic: &str) -> Result<Option<i64>, Error> {
        let mut select =
            self.realm.scratch.prepare_cached("select id from topics where recipient = ? and topic = ?")?;
        let mut rows = select.query((recipient, topic))?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    fn boosts(&mut self, message: i64) -> Result<Vec<Boost>, Error> {
        let mut select =
            self.realm.scratch.prepare_cached("select person, content from reactions where message = ?")?;
        let found = select.query_map((message,), |row| {
            Ok(Boost { person: row.get::<_, i64>(0)?.to_string(), content: row.get(1)?, at: None })
        })?;
        let boosts = found.collect::<rusqlite::Result<Vec<_>>>()?;
        self.reactions += boosts.len() as u64;
        Ok(boosts)
    }

    /// The key of the room that a message is sent to. The same people have one, in whichever way it is exported.
    fn room(&mut self, sender: i64, recipient: i64) -> Result<Option<String>, Error> {
        let mut people = match self.realm.recipients.get(&recipient) {
            Some((STREAM, stream)) => {
                let key = stream_key(*stream);
                return Ok(self.realm.staging.known_room(&key).map(|_| key));
            }
            Some((PERSON, person)) => vec![sender, *person],
            Some((GROUP, _)) => self.members(recipient)?,
            _ => return Ok(None),
        };
        people.push(sender);
        people.sort_unstable();
        people.dedup();
        let people: Vec<String> = people.iter().map(i64::to_string).collect();
        let key = format!("direct:{}", people.join(","));
        if self.realm.staging.known_room(&key).is_none() {
            let members = people.into_iter().map(Member::of).collect();
            self.realm.staging.room(Room::direct(&key, members))?;
        }
        Ok(Some(key))
    }

    fn members(&mut self, recipient: i64) -> Result<Vec<i64>, Error> {
        if let Some(members) = self.groups.get(&recipient) {
            return Ok(members.clone());
        }
        let mut select =
            self.realm.scratch.prepare_cached("select person from subscriptions where recipient = ?")?;
        let members =
            select.query_map((recipient,), |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        self.groups.insert(recipient, members.clone());
        Ok(members)
    }
}

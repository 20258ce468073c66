//! `campfire demo`: a team that never was, for an evening.

use std::{ffi::OsString, fs::DirBuilder, io::ErrorKind, os::unix::fs::DirBuilderExt, path::PathBuf};

use super::{Failure, Given, help};
use crate::{
    config::{Config, Durability},
    http::hash_password,
    log,
    server::{self, Nobody},
    store::{
        CreateRoom, CreateUser, DataDir, Join, MarkRead, NewSession, PostMessage, Refusal, SetUp, SignIn,
        Text, WriteError, Writer, WriterHandle,
    },
    text,
    types::{
        MessageId, MessageKind, Role, RoomId, RoomKind, Timestamp, TokenHash, UserId, random_join_code,
        random_token,
    },
};

/// Who is there: a line each, the first one is the visitor.
const PEOPLE: &str = include_str!("people.txt");
/// What they said: `room: name: text`, `~` for a new line within it, an empty line for a night.
const TALK: &str = include_str!("talk.txt");

/// Everybody in the demo has it, so that a second window can sign in as somebody else.
const PASSWORD: &str = "campfire";

/// Settings that are the demo's own business: where its data is, and that a power cut may take it.
pub(super) const OWN: [&str; 2] = ["data", "durability"];

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::demo(), &[])? else { return Ok(()) };
    given.no_words()?;
    if let Some((key, _)) = given.settings.iter().find(|(key, _)| OWN.contains(&key.as_str())) {
        return Err(Failure::Usage(format!("a demo keeps nothing, so there is no --{key} for it")));
    }
    let given = given.config()?;
    let scratch = Scratch::new()?;
    let config = Config { data: scratch.0.clone(), durability: Durability::Normal, ..given };
    log::init(config.log_format, &config.log_level);
    let data = DataDir::claim(&config.data, config.durability)?;
    let token = {
        let (_writer, handle) = Writer::start(&data, 16, Box::new(Nobody))?;
        seed(&handle).map_err(|error| Failure::Failed(format!("cannot make the demo up ({error:?})")))?
    };
    eprintln!(
        "A demo: all of it is gone when it stops (Ctrl+C). Open the address below and you are signed in as Ana; in a
second browser, sign in as mara@example.org with the password \"{PASSWORD}\"."
    );
    Ok(server::serve_from(config, &data, Some(token))?)
}

/// A directory of our own that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let stem = std::env::temp_dir().join(format!("campfire-demo-{}", std::process::id()));
        let mut path = stem.clone();
        // Only ours: it must not be there yet, and nobody else may look in. One that was killed may have left its
        // directory behind, and in a container our id is the same every time.
        for place in 2.. {
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && place < 1000 => {
                    path = stem.with_extension(place.to_string());
                }
                Err(error) => {
                    let shown = path.display();
                    return Err(Failure::Failed(format!(
                        "cannot make {shown} ({error}); set TMPDIR to another place"
                    )));
                }
                Ok(()) => break,
            }
        }
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn session() -> (String, NewSession) {
    let token = random_token();
    let session = NewSession {
        token: TokenHash::of(&token),
        user_agent: "demo".into(),
        ip_address: "127.0.0.1".into(),
    };
    (token, session)
}

/// Makes the team up; answers the token of the visitor's session.
fn seed(writer: &WriterHandle) -> Result<String, WriteError> {
    // One hash for all: hashing is meant to take long.
    let password_hash = hash_password(PASSWORD);
    let join_code = random_join_code();
    let mut people: Vec<(UserId, &str)> = Vec::new();
    let mut rooms: Vec<(&str, RoomId)> = Vec::new();
    for line in PEOPLE.lines() {
        let (name, first) = (line, line.split(' ').next().unwrap_or(line));
        let email = format!("{}@example.org", first.to_lowercase());
        let (_, session) = session();
        let user = if people.is_empty() {
            let setup = SetUp {
                account_name: "Northwind".into(),
                join_code: join_code.clone(),
                name: name.into(),
                email,
                password_hash: password_hash.clone(),
                session,
            };
            let done = writer.write_blocking(setup)?;
            rooms.push(("All Talk", done.room));
            done.user
        } else {
            let user = CreateUser {
                name: name.into(),
                email,
                password_hash: password_hash.clone(),
                role: Role::Member,
            };
            writer.write_blocking(Join { code: join_code.clone(), user, session })?
        };
        people.push((user, name));
    }
    talk(writer, &people, &mut rooms)?;
    let (token, session) = session();
    writer.write_blocking(SignIn { user: people[0].0, session, password_hash: None })?;
    Ok(token)
}

fn talk<'t>(
    writer: &WriterHandle,
    people: &[(UserId, &'t str)],
    rooms: &mut Vec<(&'t str, RoomId)>,
) -> Result<(), WriteError> {
    let named = |name: &str| {
        people.iter().find(|(_, known)| known.starts_with(name)).map_or(people[0].0, |(id, _)| *id)
    };
    let now = Timestamp::now().0;
    let lines: Vec<&str> = TALK.lines().collect();
    // The last word was said a few minutes ago; nights lie between the paragraphs.
    let total: i64 = lines.iter().map(|line| pause(line)).sum();
    let mut at = now - total - 4 * MINUTE;
    let mut last: Vec<(RoomId, MessageId)> = Vec::new();
    for line in lines {
        at += pause(line);
        let Some((room, rest)) = line.split_once(": ") else { continue };
        let Some((name, words)) = rest.split_once(": ") else { continue };
        let creator = named(name);
        let room = match rooms.iter().find(|(known, _)| *known == room) {
            Some((_, id)) => *id,
            None => {
                let id = make_room(writer, room, creator, &named)?;
                rooms.push((room, id));
                id
            }
        };
        let (words, is_reply) = words.strip_prefix("> ").map_or((words, false), |words| (words, true));
        let reply_to = last.iter().find(|(known, _)| *known == room && is_reply).map(|(_, id)| *id);
        let content = mentions(words, people).replace('~', "\n");
        let rendered =
            text::render(&content, |id| people.iter().find(|(known, _)| *known == id).map(|(_, name)| *name));
        let everyone = rendered.everyone.is_some();
        let text = Text {
            html: rendered.html,
            plain: rendered.plain,
            mentions: rendered.mentions,
            everyone,
            tags: String::new(),
            content,
        };
        let posted = writer.write_blocking(
            PostMessage::new(room, creator, None, reply_to, MessageKind::Text, text).at(Timestamp(at)),
        )?;
        last.retain(|(known, _)| *known != room);
        last.push((room, posted.id));
    }
    read_most(writer, people[0].0, &last)
}

const MINUTE: i64 = 60_000;

/// Time before a line was said. After a night it is about the same hour again: now's, whenever the demo runs.
fn pause(line: &str) -> i64 {
    if line.is_empty() { 23 * 60 * MINUTE } else { MINUTE + (line.len() as i64 % 7) * 25_000 }
}

/// `@one+other` is the direct room of the two; others are open.
fn make_room(
    writer: &WriterHandle,
    room: &str,
    creator: UserId,
    named: &impl Fn(&str) -> UserId,
) -> Result<RoomId, WriteError> {
    let made = match room.strip_prefix('@') {
        Some(pair) => {
            let members = pair.split('+').map(named).collect();
            CreateRoom { creator, kind: RoomKind::Direct, name: None, members }
        }
        None => {
            CreateRoom { creator, kind: RoomKind::Open, name: Some(room.to_owned()), members: Vec::new() }
        }
    };
    Ok(writer.write_blocking(made)?.room)
}

/// `@Name` becomes the mention as it is stored.
fn mentions(words: &str, people: &[(UserId, &str)]) -> String {
    let mut words = words.to_owned();
    for (id, name) in people {
        let first = name.split(' ').next().unwrap_or(name);
        words = words.replace(&format!("@{first}"), &format!("@[{name}](user:{id})"));
    }
    words
}

/// The visitor has read most rooms; what is left shows what unread looks like.
fn read_most(writer: &WriterHandle, visitor: UserId, last: &[(RoomId, MessageId)]) -> Result<(), WriteError> {
    for (place, (room, message)) in last.iter().rev().enumerate() {
        if place % 3 != 1 {
            let read = writer.write_blocking(MarkRead { room: *room, user: visitor, message: *message });
            // A direct room of two others is not the visitor's.
            if !matches!(read, Ok(()) | Err(WriteError::Refused(Refusal::NotFound))) {
                read?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_talk_has_a_room_a_known_person_and_words() {
        let mut count = 0;
        for line in TALK.lines().filter(|line| !line.is_empty()) {
            let (_, rest) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            let (name, words) = rest.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            assert!(PEOPLE.lines().any(|person| person.starts_with(name)), "{line}");
            assert!(!words.is_empty(), "{line}");
            count += 1;
        }
        assert!(count >= 200, "{count}");
    }

    #[test]
    fn every_demo_has_a_directory_of_its_own_that_goes_with_it() {
        let (one, other) = (Scratch::new().ok().unwrap(), Scratch::new().ok().unwrap());
        assert!(one.0.is_dir() && other.0.is_dir() && one.0 != other.0);
        let path = one.0.clone();
        drop(one);
        assert!(!path.exists());
    }
}

//! Who is in the demo: people, a bot, and an incoming webhook.

use super::paint::Picture;
use crate::{
    chat::passwords::hash_password,
    media::picture,
    store::{
        ChangeUser, CreateBot, CreateHook, CreateUser, Image, Join, NewSession, PutAvatar, Reader, Refusal,
        SetUp, SignIn, WriteError, WriterHandle,
    },
    types::{Role, RoomId, TokenHash, UserId, random_join_code, random_token},
};

/// Who is there: a line each with what they say of themselves, the first one is the visitor.
pub(super) const PEOPLE: &str = include_str!("people.txt");

/// Everybody in the demo has it, so that a second window can sign in as somebody else.
pub(in crate::cli) const PASSWORD: &str = "campfire";

/// Says what goes out.
pub(super) const BOT: &str = "Deploy bot";

/// Feels the pulse, from outside, in this room.
pub(super) const HOOK: (&str, &str) = ("Uptime", "Deploys");

pub(super) struct Cast {
    everybody: Vec<(UserId, &'static str)>,
    /// The room that every account starts with.
    pub(super) first_room: RoomId,
}

/// Everybody's name and bio.
pub(super) fn people() -> impl Iterator<Item = (&'static str, &'static str)> {
    PEOPLE.lines().map(|line| line.split_once(" | ").unwrap_or((line, "")))
}

pub(super) fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

pub(super) fn email(name: &str) -> String {
    format!("{}@example.org", first_name(name).to_lowercase())
}

impl Cast {
    /// Lets everybody in, and makes the bot.
    pub(super) fn enter(writer: &WriterHandle) -> Result<Self, WriteError> {
        // One hash for all: hashing is meant to take long.
        let password_hash = hash_password(PASSWORD);
        let join_code = random_join_code();
        let mut cast = Self { everybody: Vec::new(), first_room: RoomId(0) };
        for (name, bio) in people() {
            let email = email(name);
            let (_, session) = session();
            let (code, password_hash) = (join_code.clone(), password_hash.clone());
            let id = if cast.everybody.is_empty() {
                let account_name = "Northwind".to_owned();
                let name = name.to_owned();
                let setup = SetUp { account_name, join_code: code, name, email, password_hash, session };
                let done = writer.write_blocking(setup)?;
                cast.first_room = done.room;
                done.user
            } else {
                let user = CreateUser { name: name.to_owned(), email, password_hash, role: Role::Member };
                writer.write_blocking(Join { code, user, session })?
            };
            cast.everybody.push((id, name));
            say_of(writer, id, bio)?;
        }
        let (secret, key) = session();
        let bot =
            writer.write_blocking(CreateBot { name: BOT.to_owned(), webhook_url: None, secret, key })?;
        cast.everybody.push((bot, BOT));
        say_of(writer, bot, "Tells what goes out, and when.")?;
        Ok(cast)
    }

    /// Makes the webhook of a room, which has to be there for it.
    pub(super) fn hook(
        &mut self,
        writer: &WriterHandle,
        reader: &Reader,
        room: RoomId,
    ) -> Result<(), WriteError> {
        let token = TokenHash::of(&random_token());
        let name = HOOK.0.to_owned();
        writer.write_blocking(CreateHook { name, room, creator: self.visitor(), token })?;
        let hooks = reader.hooks().map_err(Refusal::from)?;
        for hook in &hooks {
            self.everybody.push((hook.user_id, HOOK.0));
            say_of(writer, hook.user_id, "Looks in every minute, from outside.")?;
        }
        Ok(())
    }

    pub(super) fn visitor(&self) -> UserId {
        self.everybody[0].0
    }

    /// By the first name, or a bot's whole name.
    pub(super) fn named(&self, name: &str) -> UserId {
        self.everybody.iter().find(|(_, known)| known.starts_with(name)).map_or(self.visitor(), |(id, _)| *id)
    }

    pub(super) fn name_of(&self, id: UserId) -> Option<&'static str> {
        self.everybody.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
    }

    /// `@Name` becomes the mention as it is stored.
    pub(super) fn with_mentions(&self, words: &str) -> String {
        self.everybody.iter().fold(words.to_owned(), |words, (id, name)| {
            words.replace(&format!("@{}", first_name(name)), &format!("@[{name}](user:{id})"))
        })
    }

    /// Hangs the portraits up.
    pub(super) fn show_faces(&self, writer: &WriterHandle, faces: Vec<Face>) -> Result<(), WriteError> {
        for (name, image) in faces {
            writer.write_blocking(PutAvatar { user: self.named(name), image: Some(image) })?;
        }
        Ok(())
    }

    /// Signs the visitor in; the token of that session.
    pub(super) fn sign_in(&self, writer: &WriterHandle) -> Result<String, WriteError> {
        let (token, session) = session();
        writer.write_blocking(SignIn { user: self.visitor(), session, password_hash: None })?;
        Ok(token)
    }
}

/// Somebody's portrait.
pub(super) type Face = (&'static str, Image);

/// Draws a portrait and makes of it what an upload would have become.
pub(super) fn face(portrait: &Picture) -> Option<Face> {
    let made = picture::avatar(&portrait.bytes())?;
    Some((portrait.name, Image { content_type: made.content_type.into(), bytes: made.bytes }))
}

fn say_of(writer: &WriterHandle, user: UserId, bio: &str) -> Result<(), WriteError> {
    let bio = Some(bio.to_owned());
    let change =
        ChangeUser { user, name: None, bio, email: None, password_hash: None, role: None, session: None };
    writer.write_blocking(change).map(drop)
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

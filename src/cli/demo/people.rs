//! The users of the demo: people, a bot, and an incoming webhook.

use super::paint::Picture;
use crate::{
    chat::passwords::hash_password,
    media::picture,
    store::{
        ChangeUser, CreateBot, CreateHook, CreateUser, Image, Join, NewSession, PutAvatar, Reader, Refusal,
        SetUp, StartSession, WriteError, WriterHandle,
    },
    types::{HookFormat, Role, RoomId, TokenHash, UserId, random_join_code, random_token},
};

/// One line per person, `Name | bio`. The first is the visitor.
const PEOPLE: &str = include_str!("people.txt");

/// The password of every person in the demo, so that a second window can sign in as another.
pub(in crate::cli) const PASSWORD: &str = "campfire";

/// Posts each release.
pub(super) const BOT: &str = "Deploy bot";

/// The webhook that monitors the service from outside, and its room.
pub(super) const HOOK: (&str, &str) = ("Uptime", "Deploys");

/// The seeded users, with their ids.
pub(super) struct People {
    ids: Vec<(UserId, &'static str)>,
    /// The room that every new account has.
    pub(super) first_room: RoomId,
}

/// Each person's name and bio.
pub(super) fn profiles() -> impl Iterator<Item = (&'static str, &'static str)> {
    PEOPLE.lines().map(|line| line.split_once(" | ").unwrap_or((line, "")))
}

pub(super) fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

pub(super) fn email(name: &str) -> String {
    format!("{}@example.org", first_name(name).to_lowercase())
}

impl People {
    /// Creates the people and the bot.
    pub(super) fn create(writer: &WriterHandle) -> Result<Self, WriteError> {
        // One hash for all, because hashing is slow on purpose.
        let password_hash = hash_password(PASSWORD);
        let join_code = random_join_code();
        let mut people = Self { ids: Vec::new(), first_room: RoomId(0) };
        for (name, bio) in profiles() {
            let email = email(name);
            let (_, session) = session();
            let (code, password_hash) = (join_code.clone(), password_hash.clone());
            let id = if people.ids.is_empty() {
                let account_name = "Northwind".to_owned();
                let name = name.to_owned();
                let setup = SetUp { account_name, join_code: code, name, email, password_hash, session };
                let done = writer.write_blocking(setup)?;
                people.first_room = done.room;
                done.user
            } else {
                let user = CreateUser { name: name.to_owned(), email, password_hash, role: Role::Member };
                writer.write_blocking(Join { code, user, session })?
            };
            people.ids.push((id, name));
            set_bio(writer, id, bio)?;
        }
        let (secret, key) = session();
        let bot =
            writer.write_blocking(CreateBot { name: BOT.to_owned(), webhook_url: None, secret, key })?;
        people.ids.push((bot, BOT));
        set_bio(writer, bot, "Tells what goes out, and when.")?;
        Ok(people)
    }

    /// Creates the webhook, whose room has to exist.
    pub(super) fn create_hook(
        &mut self,
        writer: &WriterHandle,
        reader: &Reader,
        room: RoomId,
    ) -> Result<(), WriteError> {
        let token = TokenHash::of(&random_token());
        let name = HOOK.0.to_owned();
        writer.write_blocking(CreateHook {
            name,
            room,
            creator: self.visitor(),
            token,
            format: HookFormat::Auto,
        })?;
        let hooks = reader.hooks().map_err(Refusal::from)?;
        for hook in &hooks {
            self.ids.push((hook.user_id, HOOK.0));
            set_bio(writer, hook.user_id, "Looks in every minute, from outside.")?;
        }
        Ok(())
    }

    pub(super) fn visitor(&self) -> UserId {
        self.ids[0].0
    }

    /// The user with this first name, or the bot with this whole name.
    pub(super) fn id_of(&self, name: &str) -> UserId {
        self.ids.iter().find(|(_, known)| known.starts_with(name)).map_or(self.visitor(), |(id, _)| *id)
    }

    pub(super) fn name_of(&self, id: UserId) -> Option<&'static str> {
        self.ids.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
    }

    /// Replaces `@Name` by a mention as it is stored.
    pub(super) fn with_mentions(&self, content: &str) -> String {
        self.ids.iter().fold(content.to_owned(), |content, (id, name)| {
            content.replace(&format!("@{}", first_name(name)), &format!("@[{name}](user:{id})"))
        })
    }

    /// Stores the portraits as avatars.
    pub(super) fn set_avatars(&self, writer: &WriterHandle, avatars: Vec<Avatar>) -> Result<(), WriteError> {
        for (name, image) in avatars {
            writer.write_blocking(PutAvatar { user: self.id_of(name), image: Some(image) })?;
        }
        Ok(())
    }

    /// Signs the visitor in and returns the token of the session.
    pub(super) fn sign_in(&self, writer: &WriterHandle) -> Result<String, WriteError> {
        let (token, session) = session();
        writer.write_blocking(StartSession { user: self.visitor(), session })?;
        Ok(token)
    }
}

/// A name and the avatar of its user.
pub(super) type Avatar = (&'static str, Image);

/// Draws a portrait and scales it as an upload would be.
pub(super) fn avatar(portrait: &Picture) -> Option<Avatar> {
    let made = picture::avatar(&portrait.bytes())?;
    Some((portrait.name, Image { content_type: made.content_type.into(), bytes: made.bytes }))
}

fn set_bio(writer: &WriterHandle, user: UserId, bio: &str) -> Result<(), WriteError> {
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

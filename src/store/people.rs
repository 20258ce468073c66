//! People: joining, changing and deactivating them, and their avatars.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    account::join_code_is,
    command::{Audience, Command, NewJob, Refusal, Tx},
    files::{Image, put_image},
    invitations::end_invitations_by,
    links::remove_links,
    mail,
    memberships::{enter_silently, leave},
    reader::{USER, user},
    second_factors::remove_factor,
    sessions::{NewSession, end_sessions},
};
use crate::{
    types::event::{Change, SessionEnd},
    types::{JobKind, Role, RoomId, RoomKind, SessionId, SignInMethod, Status, User, UserId},
    wire::Event,
};

/// Makes a person and a member of every open room. Refused with `Conflict` if the e-mail address is taken, with
/// `Unclaimed` if it is that of somebody who was imported.
#[derive(Debug)]
pub struct CreateUser {
    pub name: String,
    pub email: String,
    pub password_hash: String,
    pub role: Role,
}

impl Command for CreateUser {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        self.join(tx, Vec::new())
    }
}

impl CreateUser {
    /// Makes the person and a member of these rooms too, which are the only ones of a guest.
    pub(super) fn join(self, tx: &mut Tx<'_>, rooms: Vec<RoomId>) -> Result<UserId, Refusal> {
        let other: Option<UserId> = tx
            .statement("select id from users where email = ?")?
            .query_row((&self.email,), |row| row.get(0))
            .optional()?;
        if let Some(other) = other {
            return Err(if load(tx, other)?.is_unclaimed { Refusal::Unclaimed } else { EMAIL_TAKEN });
        }
        tx.statement(
            "insert into users (name, email, role, password_hash, created_at) values (?, ?, ?, ?, ?)",
        )?
        .execute((&self.name, &self.email, self.role, &self.password_hash, tx.now))?;
        let id = UserId(tx.db.last_insert_rowid());
        join_rooms(tx, id, rooms)?;
        Ok(id)
    }
}

/// Makes a user a member of every open room, unless they are a guest, and records the event.
pub(super) fn join_open_rooms(tx: &mut Tx<'_>, id: UserId) -> Result<(), Refusal> {
    join_rooms(tx, id, Vec::new()).map(drop)
}

/// The same, and a member of these rooms too.
fn join_rooms(tx: &mut Tx<'_>, id: UserId, mut rooms: Vec<RoomId>) -> Result<User, Refusal> {
    if !load(tx, id)?.is_guest() {
        let open: Vec<RoomId> = tx
            .statement("select id from rooms where kind = ? and deleted_at is null")?
            .query_map((RoomKind::Open,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        rooms.extend(open);
    }
    rooms.sort_unstable();
    rooms.dedup();
    let mut entered = Vec::with_capacity(rooms.len());
    for room in rooms {
        // As in a closed room.
        if enter_silently(tx, room, id, RoomKind::Open.default_involvement())? {
            entered.push(room);
        }
    }
    record_user_update(tx, id, entered)
}

const EMAIL_TAKEN: Refusal =
    Refusal::Conflict("Somebody here has this e-mail address already: sign in instead.");

pub(super) fn email_taken(tx: &Tx<'_>, email: &str, by_another_than: UserId) -> rusqlite::Result<bool> {
    tx.statement("select 1 from users where email = ? and id <> ?")?.exists((email, by_another_than))
}

pub(super) fn load(tx: &Tx<'_>, id: UserId) -> rusqlite::Result<User> {
    tx.statement(&format!("select {USER} from users where id = ?"))?.query_row((id,), user)
}

/// Records that a user has changed. `rooms` are those that they joined with it.
pub(super) fn record_user_update(tx: &mut Tx<'_>, id: UserId, rooms: Vec<RoomId>) -> Result<User, Refusal> {
    let user = load(tx, id)?;
    let event = Event::UserUpdated { user: user.public() };
    tx.record(Audience::Everybody, None, &event, |json| Change::UserUpdated {
        user: user.clone(),
        rooms,
        json,
    })?;
    Ok(user)
}

/// Makes a person by the join code and signs them in. `NotFound` for a wrong code.
#[derive(Debug)]
pub struct Join {
    pub code: String,
    pub user: CreateUser,
    pub session: NewSession,
}

impl Command for Join {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        if !join_code_is(tx, &self.code)? {
            return Err(Refusal::NotFound);
        }
        let user = self.user.apply(tx)?;
        self.session.start_by(tx, user, SignInMethod::Join)?;
        Ok(user)
    }
}

/// Changes the fields that are given. Who ceases to be a guest becomes a member of every open room. Refused with `Conflict`
/// for a taken e-mail address, and for taking the role from the last administrator.
#[derive(Debug)]
pub struct ChangeUser {
    pub user: UserId,
    pub name: Option<String>,
    pub bio: Option<String>,
    pub email: Option<String>,
    pub password_hash: Option<String>,
    pub role: Option<Role>,
    /// The session that stays when a new password ends all others, and all tokens.
    pub session: Option<SessionId>,
}

impl Command for ChangeUser {
    type Output = User;

    fn apply(self, tx: &mut Tx<'_>) -> Result<User, Refusal> {
        let before = load(tx, self.user)?;
        if let Some(email) = &self.email
            && email_taken(tx, email, self.user)?
        {
            return Err(Refusal::Conflict("Somebody here has this e-mail address already."));
        }
        if before.role == Role::Admin && self.role.is_some_and(|role| role != Role::Admin) {
            require_another_administrator(tx, self.user)?;
        }
        tx.statement(
            "update users set name = ifnull(?, name), bio = ifnull(?, bio), email = ifnull(?, email),
               password_hash = ifnull(?, password_hash), role = ifnull(?, role) where id = ?",
        )?
        .execute((&self.name, &self.bio, &self.email, &self.password_hash, self.role, self.user))?;
        if self.email.is_some_and(|email| before.email.as_deref() != Some(&*email)) {
            mail::remove_refusal(tx, self.user)?;
        }
        if self.password_hash.is_some() {
            // Whoever knew the old password may have made any of them.
            remove_links(tx, self.user)?;
            end_sessions(tx, self.user, None, self.session, SessionEnd::SignedOut)?;
        }
        if self.name.is_some_and(|name| *name != *before.name) {
            rename_mentions(tx, self.user)?;
        }
        match self.role {
            Some(Role::Guest) => end_invitations_by(tx, self.user)?,
            Some(_) if before.is_guest() && before.status != Status::Deactivated => {
                return join_rooms(tx, self.user, Vec::new());
            }
            _ => {}
        }
        record_user_update(tx, self.user, Vec::new())
    }
}

/// Queues the job that puts a user's new name into the messages that mention them.
pub(super) fn rename_mentions(tx: &mut Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.add_job(&NewJob { kind: JobKind::RenameMentions, target: Some(user.0), payload: None }, None)
}

/// A command of somebody whose password was verified. Refused with `Invalid` if it was replaced meanwhile.
#[derive(Debug)]
pub struct Verified<C> {
    pub user: UserId,
    /// The hash that the password was verified with; None if the command needs none.
    pub verified_hash: Option<String>,
    pub command: C,
}

impl<C: Command> Command for Verified<C> {
    type Output = C::Output;

    fn apply(self, tx: &mut Tx<'_>) -> Result<C::Output, Refusal> {
        if let Some(hash) = &self.verified_hash
            && !tx
                .statement("select 1 from users where id = ? and password_hash = ?")?
                .exists((self.user, hash))?
        {
            return Err(Refusal::Invalid("current_password", "is wrong"));
        }
        self.command.apply(tx)
    }
}

/// Refused with `Conflict` if no other active user is an administrator.
pub(super) fn require_another_administrator(tx: &Tx<'_>, leaving: UserId) -> Result<(), Refusal> {
    let another = tx.statement("select 1 from users where role = ? and status = ? and id <> ?")?.exists((
        Role::Admin,
        Status::Active,
        leaving,
    ))?;
    if another {
        Ok(())
    } else {
        Err(Refusal::Conflict("The last administrator has to stay: make somebody else one first."))
    }
}

/// Deactivates a user: ends all sessions, and removes searches, the e-mail address, all that is on record of mail, and the
/// memberships of shared rooms. Direct rooms keep their members, and messages stay. Does nothing unless the user is active.
#[derive(Debug)]
pub struct Deactivate {
    pub user: UserId,
}

impl Command for Deactivate {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let before = load(tx, self.user)?;
        if before.status != Status::Active {
            return Ok(());
        }
        if before.role == Role::Admin {
            require_another_administrator(tx, self.user)?;
        }
        tx.statement("update users set status = ?, email = null, password_hash = null where id = ?")?
            .execute((Status::Deactivated, self.user))?;
        // The identities stay, so that nobody comes in by them.
        tx.statement("update identities set email = null where user_id = ?")?.execute((self.user,))?;
        remove_factor(tx, self.user)?;
        end_sessions(tx, self.user, None, None, SessionEnd::Deactivated)?;
        let rooms: Vec<RoomId> = tx
            .statement(
                "select room_id from memberships join rooms on rooms.id = room_id where user_id = ? and kind <> ?",
            )?
            .query_map((self.user, RoomKind::Direct), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for room in rooms {
            leave(tx, room, self.user)?;
        }
        tx.statement("delete from searches where user_id = ?")?.execute((self.user,))?;
        mail::remove(tx, self.user)?;
        if before.role == Role::Bot {
            super::bots::remove_key_and_hooks(tx, self.user)?;
        }
        remove_links(tx, self.user)?;
        end_invitations_by(tx, self.user)?;
        record_user_update(tx, self.user, Vec::new())?;
        Ok(())
    }
}

/// Sets or removes a person's avatar.
#[derive(Debug)]
pub struct PutAvatar {
    pub user: UserId,
    pub image: Option<Image>,
}

impl Command for PutAvatar {
    type Output = User;

    fn apply(self, tx: &mut Tx<'_>) -> Result<User, Refusal> {
        put_image(tx.db, &format!("user-{}", self.user), None, self.image.as_ref())?;
        put_image(tx.db, &small_avatar(self.user), None, None)?;
        tx.statement("update users set avatar_version = ? where id = ?")?
            .execute((self.image.map(|_| tx.now), self.user))?;
        record_user_update(tx, self.user, Vec::new())
    }
}

/// The key of a small avatar among the images.
pub fn small_avatar(user: UserId) -> String {
    format!("user-{user}-small")
}

/// Stores an avatar in the size for lists, made at the first request.
#[derive(Debug)]
pub struct PutSmallAvatar {
    pub user: UserId,
    /// The version of the avatar that it was made from. Nothing is stored if there is another by now.
    pub version: i64,
    pub image: Image,
}

impl Command for PutSmallAvatar {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let is_current = tx
            .statement("select 1 from users where id = ? and avatar_version = ?")?
            .exists((self.user, self.version))?;
        if is_current {
            put_image(tx.db, &small_avatar(self.user), None, Some(&self.image))?;
        }
        Ok(())
    }
}

impl Reader {
    /// A user, whatever their status.
    pub fn user(&self, id: UserId) -> rusqlite::Result<Option<User>> {
        self.statement(&format!("select {USER} from users where id = ?"))?.query_row((id,), user).optional()
    }
}

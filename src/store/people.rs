//! People, their sessions and their passwords.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    account::join_code_is,
    command::{Audience, Command, Refusal, Tx},
    files::{Image, put_image},
    reader::{USER, user},
    rooms::{enter, leave},
};
use crate::{
    types::event::{Change, Session, SessionEnd},
    types::{Role, RoomId, RoomKind, SessionId, SessionKind, Status, Timestamp, TokenHash, User, UserId},
    wire::Event,
};

/// How long a link that works once does.
const LINK_HOURS: i64 = 4;

/// Makes a person, who is in every open room at once.
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
        if email_taken(tx, &self.email, UserId(0))? {
            return Err(EMAIL_TAKEN);
        }
        tx.statement(
            "insert into users (name, email, role, password_hash, created_at) values (?, ?, ?, ?, ?)",
        )?
        .execute((&self.name, &self.email, self.role, &self.password_hash, tx.now))?;
        arrived(tx)
    }
}

/// Lets whose row was just made into every open room.
pub(super) fn arrived(tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
    let id = UserId(tx.db.last_insert_rowid());
    let rooms: Vec<RoomId> = tx
        .statement("select id from rooms where kind = ? and deleted_at is null")?
        .query_map((RoomKind::Open,), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for room in &rooms {
        enter(tx, *room, id, RoomKind::Open.default_involvement())?;
    }
    updated(tx, id, rooms)?;
    Ok(id)
}

const EMAIL_TAKEN: Refusal =
    Refusal::Conflict("Somebody here has this e-mail address already: sign in instead.");

fn email_taken(tx: &Tx<'_>, email: &str, by_another_than: UserId) -> rusqlite::Result<bool> {
    tx.statement("select 1 from users where email = ? and id <> ?")?.exists((email, by_another_than))
}

pub(super) fn load(tx: &Tx<'_>, id: UserId) -> rusqlite::Result<User> {
    tx.statement(&format!("select {USER} from users where id = ?"))?.query_row((id,), user)
}

pub(super) fn updated(tx: &mut Tx<'_>, id: UserId, rooms: Vec<RoomId>) -> Result<User, Refusal> {
    let user = load(tx, id)?;
    let event = Event::UserUpdated { user: user.public() };
    tx.record(Audience::Everybody, None, &event, |json| Change::UserUpdated {
        user: user.clone(),
        rooms,
        json,
    })?;
    Ok(user)
}

/// A device that signs in. Only the token's hash is kept.
#[derive(Debug)]
pub struct NewSession {
    pub token: TokenHash,
    pub user_agent: String,
    pub ip_address: String,
}

impl NewSession {
    pub(super) fn start(self, tx: &mut Tx<'_>, user: UserId) -> Result<SessionId, Refusal> {
        self.start_as(tx, user, SessionKind::Device, None)
    }

    /// The same for a secret that is no device's.
    pub(super) fn start_as(
        self,
        tx: &mut Tx<'_>,
        user: UserId,
        kind: SessionKind,
        name: Option<&str>,
    ) -> Result<SessionId, Refusal> {
        tx.statement(
            "insert into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at, kind, name)
             values (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
        )?
        .execute((self.token, user, &self.user_agent, &self.ip_address, tx.now, kind, name))?;
        let id = SessionId(tx.db.last_insert_rowid());
        let session = Session { id, token_hash: self.token, user_id: user, kind, last_active_at: tx.now };
        tx.tell(Change::SessionStarted { session });
        Ok(id)
    }
}

/// Joins by the account's code and signs in.
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
        self.session.start(tx, user)?;
        Ok(user)
    }
}

/// Starts a session for somebody whose password was right.
#[derive(Debug)]
pub struct SignIn {
    pub user: UserId,
    pub session: NewSession,
    /// The password's hash made anew, where the stored one is of an older kind.
    pub password_hash: Option<String>,
}

impl Command for SignIn {
    type Output = SessionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SessionId, Refusal> {
        if !load(tx, self.user)?.is_active() {
            return Err(Refusal::NotFound);
        }
        if let Some(hash) = &self.password_hash {
            tx.statement("update users set password_hash = ? where id = ?")?.execute((hash, self.user))?;
        }
        self.session.start(tx, self.user)
    }
}

/// Ends one of a person's sessions, or takes one of the tokens back.
#[derive(Debug)]
pub struct EndSession {
    pub user: UserId,
    pub session: SessionId,
    pub kind: SessionKind,
}

impl Command for EndSession {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let token_hash = tx
            .statement("delete from sessions where id = ? and user_id = ? and kind = ? returning token_hash")?
            .query_row((self.session, self.user, self.kind), |row| row.get(0))?;
        tx.tell(Change::SessionEnded { token_hash, session: self.session, why: SessionEnd::SignedOut });
        Ok(())
    }
}

/// Signs every device of a person out, but one.
#[derive(Debug)]
pub struct EndOtherSessions {
    pub user: UserId,
    pub but: SessionId,
}

impl Command for EndOtherSessions {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(end_sessions(tx, self.user, Some(SessionKind::Device), Some(self.but), SessionEnd::SignedOut)?)
    }
}

/// Ends a person's sessions of one kind, or of every kind, but one.
pub(super) fn end_sessions(
    tx: &mut Tx<'_>,
    user: UserId,
    kind: Option<SessionKind>,
    but: Option<SessionId>,
    why: SessionEnd,
) -> rusqlite::Result<()> {
    let ended: Vec<(SessionId, TokenHash)> = tx
        .statement(
            "delete from sessions where user_id = ? and kind = ifnull(?, kind) and id is not ? returning id, token_hash",
        )?
        .query_map((user, kind, but), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (session, token_hash) in ended {
        tx.tell(Change::SessionEnded { token_hash, session, why });
    }
    Ok(())
}

/// Notes that a device was used.
#[derive(Debug)]
pub struct TouchSession {
    pub session: SessionId,
    pub token: TokenHash,
    pub ip_address: String,
}

impl Command for TouchSession {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.statement("update sessions set last_active_at = ?, ip_address = ? where id = ?")?.execute((
            tx.now,
            &self.ip_address,
            self.session,
        ))?;
        tx.tell(Change::SessionTouched { token_hash: self.token, at: tx.now });
        Ok(())
    }
}

/// Changes what is given, leaves the rest.
#[derive(Debug)]
pub struct ChangeUser {
    pub user: UserId,
    pub name: Option<String>,
    pub bio: Option<String>,
    pub email: Option<String>,
    pub password_hash: Option<String>,
    pub role: Option<Role>,
    /// With a new password every other device is signed out.
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
            keep_an_administrator(tx, self.user)?;
        }
        tx.statement(
            "update users set name = ifnull(?, name), bio = ifnull(?, bio), email = ifnull(?, email),
               password_hash = ifnull(?, password_hash), role = ifnull(?, role) where id = ?",
        )?
        .execute((&self.name, &self.bio, &self.email, &self.password_hash, self.role, self.user))?;
        if self.password_hash.is_some() {
            // A link that was asked for before must not undo it.
            tx.statement("delete from one_time_tokens where user_id = ?")?.execute((self.user,))?;
            end_sessions(tx, self.user, Some(SessionKind::Device), self.session, SessionEnd::SignedOut)?;
        }
        updated(tx, self.user, Vec::new())
    }
}

/// Without an administrator nobody could let anybody in again.
pub(super) fn keep_an_administrator(tx: &Tx<'_>, leaving: UserId) -> Result<(), Refusal> {
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

/// Ends somebody's time here: sessions, memberships, searches and the e-mail go, messages stay.
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
            keep_an_administrator(tx, self.user)?;
        }
        tx.statement("update users set status = ?, email = null, password_hash = null where id = ?")?
            .execute((Status::Deactivated, self.user))?;
        end_sessions(tx, self.user, None, None, SessionEnd::Deactivated)?;
        let rooms: Vec<RoomId> = tx
            .statement("select room_id from memberships where user_id = ?")?
            .query_map((self.user,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for room in rooms {
            leave(tx, room, self.user)?;
        }
        tx.statement("delete from searches where user_id = ?")?.execute((self.user,))?;
        super::push::forget(tx, self.user)?;
        if before.role == Role::Bot {
            super::bots::forget(tx, self.user)?;
        }
        tx.statement("delete from one_time_tokens where user_id = ?")?.execute((self.user,))?;
        updated(tx, self.user, Vec::new())?;
        Ok(())
    }
}

/// Makes a link that works once, for a while: to choose a new password, or to sign another device in.
#[derive(Debug)]
pub struct StartReset {
    pub email: String,
    pub token: TokenHash,
}

impl Command for StartReset {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let user = tx
            .statement("select id from users where email = ? and status = ?")?
            .query_row((&self.email, Status::Active), |row| row.get(0))?;
        open_link(tx, user, "reset", self.token)?;
        Ok(user)
    }
}

/// Makes a link that signs another device of the same person in.
#[derive(Debug)]
pub struct StartTransfer {
    pub user: UserId,
    pub token: TokenHash,
}

impl Command for StartTransfer {
    /// When the link ceases to work.
    type Output = Timestamp;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Timestamp, Refusal> {
        open_link(tx, self.user, "transfer", self.token)
    }
}

/// The newest link of a kind is the one that works.
fn open_link(tx: &Tx<'_>, user: UserId, purpose: &str, token: TokenHash) -> Result<Timestamp, Refusal> {
    let expires = Timestamp(tx.now.0 + LINK_HOURS * 3_600_000);
    tx.statement("delete from one_time_tokens where user_id = ? and purpose = ? or expires_at < ?")?
        .execute((user, purpose, tx.now))?;
    tx.statement(
        "insert into one_time_tokens (token_hash, user_id, purpose, expires_at) values (?, ?, ?, ?)",
    )?
    .execute((token, user, purpose, expires))?;
    Ok(expires)
}

/// Uses it up.
fn use_link(tx: &Tx<'_>, purpose: &str, token: TokenHash) -> rusqlite::Result<UserId> {
    tx.statement("delete from one_time_tokens where token_hash = ? and purpose = ? and expires_at > ? returning user_id")?
        .query_row((token, purpose, tx.now), |row| row.get(0))
}

/// Signs a device in by the link that another one showed.
#[derive(Debug)]
pub struct Transfer {
    pub token: TokenHash,
    pub session: NewSession,
}

impl Command for Transfer {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let user = use_link(tx, "transfer", self.token)?;
        SignIn { user, session: self.session, password_hash: None }.apply(tx)?;
        Ok(user)
    }
}

/// Gives somebody a picture, or takes it away.
#[derive(Debug)]
pub struct PutAvatar {
    pub user: UserId,
    pub image: Option<Image>,
}

impl Command for PutAvatar {
    type Output = User;

    fn apply(self, tx: &mut Tx<'_>) -> Result<User, Refusal> {
        put_image(tx, &format!("user-{}", self.user), None, self.image.as_ref())?;
        put_image(tx, &small_avatar(self.user), None, None)?;
        tx.statement("update users set avatar_version = ? where id = ?")?
            .execute((self.image.map(|_| tx.now), self.user))?;
        updated(tx, self.user, Vec::new())
    }
}

/// Where the small one is kept.
pub fn small_avatar(user: UserId) -> String {
    format!("user-{user}-small")
}

/// Keeps an avatar in the size of lists, made when it was first wanted.
#[derive(Debug)]
pub struct PutSmallAvatar {
    pub user: UserId,
    /// Of the avatar that it was made of: there may be another by now.
    pub version: i64,
    pub image: Image,
}

impl Command for PutSmallAvatar {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let is_of_now = tx
            .statement("select 1 from users where id = ? and avatar_version = ?")?
            .exists((self.user, self.version))?;
        if is_of_now {
            put_image(tx, &small_avatar(self.user), None, Some(&self.image))?;
        }
        Ok(())
    }
}

/// Uses such a link: sets the password, signs every device out and this one in.
#[derive(Debug)]
pub struct ResetPassword {
    pub token: TokenHash,
    pub password_hash: String,
    pub session: NewSession,
}

impl Command for ResetPassword {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let user = use_link(tx, "reset", self.token)?;
        tx.statement("update users set password_hash = ? where id = ?")?
            .execute((&self.password_hash, user))?;
        end_sessions(tx, user, Some(SessionKind::Device), None, SessionEnd::SignedOut)?;
        self.session.start(tx, user)?;
        Ok(user)
    }
}

/// What signing in is checked against.
#[derive(Debug)]
pub struct Credentials {
    pub user: UserId,
    pub password_hash: String,
}

/// A line of the list of devices.
#[derive(Debug, serde::Serialize)]
pub struct SessionRow {
    pub id: SessionId,
    pub user_agent: String,
    pub ip_address: String,
    pub created_at: Timestamp,
    pub last_active_at: Timestamp,
}

/// A line of the list of personal API tokens.
#[derive(Debug, serde::Serialize)]
pub struct TokenRow {
    pub id: SessionId,
    pub name: String,
    pub created_at: Timestamp,
    pub last_active_at: Timestamp,
}

/// Personal API tokens of one person.
const MAX_TOKENS: i64 = 100;

/// Makes a token that stands for a person until it is taken back.
#[derive(Debug)]
pub struct CreateToken {
    pub user: UserId,
    pub name: String,
    pub session: NewSession,
}

impl Command for CreateToken {
    type Output = SessionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SessionId, Refusal> {
        let count: i64 = tx
            .statement("select count(*) from sessions where user_id = ? and kind = 'token'")?
            .query_row((self.user,), |row| row.get(0))?;
        if count >= MAX_TOKENS {
            return Err(Refusal::Conflict("That are as many tokens as one can have: take one back first."));
        }
        self.session.start_as(tx, self.user, SessionKind::Token, Some(&self.name))
    }
}

impl Reader {
    pub fn user(&self, id: UserId) -> rusqlite::Result<Option<User>> {
        self.statement(&format!("select {USER} from users where id = ?"))?.query_row((id,), user).optional()
    }

    /// By e-mail, in whatever case; None for an unknown address or one without a password.
    pub fn credentials(&self, email: &str) -> rusqlite::Result<Option<Credentials>> {
        self.statement("select id, password_hash from users where email = ? and status = ? and password_hash is not null")?
            .query_row((email, Status::Active), |row| Ok(Credentials { user: row.get(0)?, password_hash: row.get(1)? }))
            .optional()
    }

    pub fn password_hash(&self, user: UserId) -> rusqlite::Result<Option<String>> {
        self.statement("select password_hash from users where id = ?")?
            .query_row((user,), |row| row.get(0))
            .optional()
            .map(Option::flatten)
    }

    /// Whether a link of this kind still works.
    pub fn link_is_open(&self, token: &TokenHash, purpose: &str, now: Timestamp) -> rusqlite::Result<bool> {
        self.statement(
            "select 1 from one_time_tokens where token_hash = ? and purpose = ? and expires_at > ?",
        )?
        .exists((token, purpose, now))
    }

    /// A person's personal API tokens, the newest first.
    pub fn tokens(&self, user: UserId) -> rusqlite::Result<Vec<TokenRow>> {
        self.statement(
            "select id, ifnull(name, ''), created_at, last_active_at from sessions
             where user_id = ? and kind = 'token' order by id desc",
        )?
        .query_map((user,), |row| {
            Ok(TokenRow {
                id: row.get(0)?,
                name: row.get(1)?,
                created_at: row.get(2)?,
                last_active_at: row.get(3)?,
            })
        })?
        .collect()
    }

    /// A person's devices, the one used last first.
    pub fn sessions(&self, user: UserId) -> rusqlite::Result<Vec<SessionRow>> {
        self.statement(
            "select id, user_agent, ip_address, created_at, last_active_at from sessions
             where user_id = ? and kind = 'device' order by last_active_at desc, id desc",
        )?
        .query_map((user,), |row| {
            Ok(SessionRow {
                id: row.get(0)?,
                user_agent: row.get(1)?,
                ip_address: row.get(2)?,
                created_at: row.get(3)?,
                last_active_at: row.get(4)?,
            })
        })?
        .collect()
    }
}

//! People, their sessions and their passwords.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    account::join_code_is,
    command::{Audience, Command, Refusal, Tx},
    reader::{USER, user},
    rooms::{enter, leave},
};
use crate::{
    event::{Change, Session, SessionEnd},
    types::{Role, RoomId, RoomKind, SessionId, Status, Timestamp, TokenHash, User, UserId},
};

/// How long a password reset link works.
const RESET_HOURS: i64 = 4;

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
}

const EMAIL_TAKEN: Refusal =
    Refusal::Conflict("Somebody here has this e-mail address already: sign in instead.");

fn email_taken(tx: &Tx<'_>, email: &str, by_another_than: UserId) -> rusqlite::Result<bool> {
    tx.statement("select 1 from users where email = ? and id <> ?")?.exists((email, by_another_than))
}

fn load(tx: &Tx<'_>, id: UserId) -> rusqlite::Result<User> {
    tx.statement(&format!("select {USER} from users where id = ?"))?.query_row((id,), user)
}

fn updated(tx: &mut Tx<'_>, id: UserId, rooms: Vec<RoomId>) -> Result<User, Refusal> {
    let user = load(tx, id)?;
    let json = format!(
        r#""user":{}"#,
        serde_json::to_string(&user.public()).expect("a user has nothing that JSON cannot say")
    );
    let change = Change::UserUpdated { user: user.clone(), rooms, json: json.clone().into() };
    tx.record("user.updated", Audience::Everybody, None, &json, change)?;
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
        tx.statement(
            "insert into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at)
             values (?1, ?2, ?3, ?4, ?5, ?5)",
        )?
        .execute((self.token, user, &self.user_agent, &self.ip_address, tx.now))?;
        let id = SessionId(tx.db.last_insert_rowid());
        let session = Session { id, token_hash: self.token, user_id: user, last_active_at: tx.now };
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
}

impl Command for SignIn {
    type Output = SessionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SessionId, Refusal> {
        if !load(tx, self.user)?.is_active() {
            return Err(Refusal::NotFound);
        }
        self.session.start(tx, self.user)
    }
}

/// Ends one of a person's sessions.
#[derive(Debug)]
pub struct EndSession {
    pub user: UserId,
    pub session: SessionId,
}

impl Command for EndSession {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let token_hash = tx
            .statement("delete from sessions where id = ? and user_id = ? returning token_hash")?
            .query_row((self.session, self.user), |row| row.get(0))?;
        tx.tell(Change::SessionEnded { token_hash, session: self.session, why: SessionEnd::SignedOut });
        Ok(())
    }
}

fn end_sessions(
    tx: &mut Tx<'_>,
    user: UserId,
    but: Option<SessionId>,
    why: SessionEnd,
) -> rusqlite::Result<()> {
    let ended: Vec<(SessionId, TokenHash)> = tx
        .statement("delete from sessions where user_id = ? and id is not ? returning id, token_hash")?
        .query_map((user, but), |row| Ok((row.get(0)?, row.get(1)?)))?
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
            end_sessions(tx, self.user, self.session, SessionEnd::SignedOut)?;
        }
        updated(tx, self.user, Vec::new())
    }
}

/// Without an administrator nobody could let anybody in again.
fn keep_an_administrator(tx: &Tx<'_>, leaving: UserId) -> Result<(), Refusal> {
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
        end_sessions(tx, self.user, None, SessionEnd::Deactivated)?;
        let rooms: Vec<RoomId> = tx
            .statement("select room_id from memberships where user_id = ?")?
            .query_map((self.user,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for room in rooms {
            leave(tx, room, self.user)?;
        }
        tx.statement("delete from searches where user_id = ?")?.execute((self.user,))?;
        tx.statement("delete from one_time_tokens where user_id = ?")?.execute((self.user,))?;
        updated(tx, self.user, Vec::new())?;
        Ok(())
    }
}

/// Makes a link with which somebody can choose a new password, once.
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
        let expires = Timestamp(tx.now.0 + RESET_HOURS * 3_600_000);
        tx.statement("delete from one_time_tokens where user_id = ? or expires_at < ?")?
            .execute((user, tx.now))?;
        tx.statement(
            "insert into one_time_tokens (token_hash, user_id, purpose, expires_at) values (?, ?, 'reset', ?)",
        )?
        .execute((self.token, user, expires))?;
        Ok(user)
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
        let user = tx
            .statement("delete from one_time_tokens where token_hash = ? and purpose = 'reset' and expires_at > ? returning user_id")?
            .query_row((self.token, tx.now), |row| row.get(0))?;
        tx.statement("update users set password_hash = ? where id = ?")?
            .execute((&self.password_hash, user))?;
        end_sessions(tx, user, None, SessionEnd::SignedOut)?;
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

impl Reader {
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

    /// Whether a reset link still works.
    pub fn reset_is_open(&self, token: &TokenHash, now: Timestamp) -> rusqlite::Result<bool> {
        self.statement(
            "select 1 from one_time_tokens where token_hash = ? and purpose = 'reset' and expires_at > ?",
        )?
        .exists((token, now))
    }

    /// A person's devices, the one used last first.
    pub fn sessions(&self, user: UserId) -> rusqlite::Result<Vec<SessionRow>> {
        self.statement(
            "select id, user_agent, ip_address, created_at, last_active_at from sessions
             where user_id = ? order by last_active_at desc, id desc",
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

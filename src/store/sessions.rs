//! Sessions: signing in, signing out, and the list of devices.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    people::load,
};
use crate::{
    types::event::{Change, Session, SessionEnd},
    types::{SessionId, SessionKind, Status, Timestamp, TokenHash, UserId},
};

/// A session to start. Only the token's hash is stored.
#[derive(Debug)]
pub struct NewSession {
    pub token: TokenHash,
    pub user_agent: String,
    pub ip_address: String,
}

impl NewSession {
    /// Starts the session of a device.
    pub(super) fn start(self, tx: &mut Tx<'_>, user: UserId) -> Result<SessionId, Refusal> {
        self.start_as(tx, user, SessionKind::Device, None)
    }

    /// Starts a session of any kind.
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
        tx.notify(Change::SessionStarted { session });
        Ok(id)
    }
}

/// Starts a session for a person whose password was verified. `NotFound` unless they are active.
#[derive(Debug)]
pub struct SignIn {
    pub user: UserId,
    pub session: NewSession,
    /// A new hash of the password, if the stored one has outdated parameters.
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

/// Ends one of a person's sessions, or revokes one of their tokens. `NotFound` if there is none with this id and kind.
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
        tx.notify(Change::SessionEnded { token_hash, session: self.session, why: SessionEnd::SignedOut });
        Ok(())
    }
}

/// Signs out all devices of a person but one.
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

/// Ends a person's sessions, of one kind or (None) of every kind, except `but`.
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
        tx.notify(Change::SessionEnded { token_hash, session, why });
    }
    Ok(())
}

/// Records when and from where a session was last used.
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
        tx.notify(Change::SessionTouched { token_hash: self.token, at: tx.now });
        Ok(())
    }
}

/// A person's password hash.
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

    /// A person's password hash; None if there is no password.
    pub fn password_hash(&self, user: UserId) -> rusqlite::Result<Option<String>> {
        self.statement("select password_hash from users where id = ?")?
            .query_row((user,), |row| row.get(0))
            .optional()
            .map(Option::flatten)
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

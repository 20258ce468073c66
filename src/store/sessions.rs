//! Sessions: signing in, signing out, and the list of devices.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    invitations::remove_invitations,
    links::remove_links,
    people::load,
    push::remove_subscriptions_of_session,
    second_factors::{NextStep, next_step},
};
use crate::{
    types::event::{Change, Session, SessionEnd},
    types::{Role, Scope, SessionId, SessionKind, SignInMethod, Status, Timestamp, TokenHash, UserId},
};

/// A session to start. Only the token's hash is stored.
#[derive(Debug)]
pub struct NewSession {
    pub token: TokenHash,
    pub user_agent: String,
    pub ip_address: String,
}

impl NewSession {
    /// Starts the session of a device. An invitation to sign in is not needed any more.
    pub(super) fn start(self, tx: &mut Tx<'_>, user: UserId) -> Result<SessionId, Refusal> {
        remove_invitations(tx, user)?;
        self.start_as(tx, user, SessionKind::Device, Scope::Admin, None)
    }

    /// The same, and notes how it was begun.
    pub(super) fn start_by(
        self,
        tx: &mut Tx<'_>,
        user: UserId,
        method: SignInMethod,
    ) -> Result<SessionId, Refusal> {
        let session = self.start(tx, user)?;
        tx.statement("update sessions set method = ? where id = ?")?.execute((method, session))?;
        Ok(session)
    }

    /// Starts a session of any kind.
    pub(super) fn start_as(
        self,
        tx: &mut Tx<'_>,
        user: UserId,
        kind: SessionKind,
        scope: Scope,
        name: Option<&str>,
    ) -> Result<SessionId, Refusal> {
        tx.statement(
            "insert into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at, kind, scope, name)
             values (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
        )?
        .execute((self.token, user, &self.user_agent, &self.ip_address, tx.now, kind, scope, name))?;
        let id = SessionId(tx.db.last_insert_rowid());
        let (token_hash, last_active_at) = (self.token, tx.now);
        if kind == SessionKind::Device {
            tx.statement("update users set last_seen_at = ? where id = ?")?.execute((tx.now, user))?;
        }
        let session = Session { id, token_hash, user_id: user, kind, scope, last_active_at };
        tx.notify(Change::SessionStarted { session });
        Ok(id)
    }
}

/// Starts a session for a person without a password. `NotFound` unless they are active.
#[derive(Debug)]
pub struct StartSession {
    pub user: UserId,
    pub session: NewSession,
}

impl Command for StartSession {
    type Output = SessionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SessionId, Refusal> {
        if !load(tx, self.user)?.is_active() {
            return Err(Refusal::NotFound);
        }
        self.session.start(tx, self.user)
    }
}

/// Starts a session for a person whose password was verified, unless a second step is asked of them. `NotFound` unless they are
/// active and the password is still the same: it may have been replaced while it was verified.
#[derive(Debug)]
pub struct SignIn {
    pub user: UserId,
    pub session: NewSession,
    /// The hash that the password was verified with.
    pub verified_hash: String,
    /// A new hash of the password, if that one has outdated parameters.
    pub new_hash: Option<String>,
}

impl Command for SignIn {
    type Output = NextStep;

    fn apply(self, tx: &mut Tx<'_>) -> Result<NextStep, Refusal> {
        let is_current = tx
            .statement("select 1 from users where id = ? and status = ? and password_hash = ?")?
            .exists((self.user, Status::Active, &self.verified_hash))?;
        if !is_current {
            return Err(Refusal::NotFound);
        }
        if let Some(hash) = &self.new_hash {
            tx.statement("update users set password_hash = ? where id = ?")?.execute((hash, self.user))?;
        }
        let next = next_step(tx, self.user)?;
        if next == NextStep::None {
            self.session.start_by(tx, self.user, SignInMethod::Password)?;
        }
        Ok(next)
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
        Ok(end(tx, self.user, &[(self.session, token_hash)], SessionEnd::SignedOut)?)
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

/// Ends all sessions and tokens of a person, as an administrator does.
#[derive(Debug)]
pub struct EndAllSessions {
    pub user: UserId,
}

impl Command for EndAllSessions {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let user = load(tx, self.user)?;
        if user.role == Role::Bot {
            return Err(Refusal::Conflict("A bot has a key: renew it, or remove the bot."));
        }
        remove_links(tx, self.user)?;
        Ok(end_sessions(tx, self.user, None, None, SessionEnd::SignedOut)?)
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
    end(tx, user, &ended, why)
}

/// Ends the sessions that a person started by an identity, except `but`.
pub(super) fn end_sessions_by(
    tx: &mut Tx<'_>,
    user: UserId,
    identity: i64,
    but: Option<SessionId>,
) -> rusqlite::Result<()> {
    let ended: Vec<(SessionId, TokenHash)> = tx
        .statement(
            "delete from sessions where user_id = ? and identity_id = ? and id is not ? returning id, token_hash",
        )?
        .query_map((user, identity, but), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    end(tx, user, &ended, SessionEnd::SignedOut)
}

/// What ends with sessions whose rows are deleted: their sockets, their push subscriptions and the links they made.
fn end(
    tx: &mut Tx<'_>,
    user: UserId,
    sessions: &[(SessionId, TokenHash)],
    why: SessionEnd,
) -> rusqlite::Result<()> {
    for (session, token_hash) in sessions {
        tx.statement("delete from one_time_tokens where user_id = ? and session_id = ?")?
            .execute((user, session))?;
        remove_subscriptions_of_session(tx, user, *session)?;
        tx.notify(Change::SessionEnded { token_hash: *token_hash, session: *session, why });
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
        tx.statement(
            "update users set last_seen_at = ?1 where id = (select user_id from sessions where id = ?2 and kind = 'device')",
        )?
        .execute((tx.now, self.session))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Durability,
        store::{
            ChangeUser, CreateToken, CreateUser, DataDir, StartReset, Verified, WriteError, Writer,
            links::ResetPassword, writer::NoFanout,
        },
        types::{Role, random_token},
    };

    fn session() -> NewSession {
        let token = TokenHash::of(&random_token());
        NewSession { token, user_agent: String::new(), ip_address: "::1".into() }
    }

    /// B24
    #[test]
    fn sign_in_with_a_password_that_was_replaced_meanwhile_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let (_writer, handle) = Writer::start(&data, 64, Box::new(NoFanout)).unwrap();
        let (name, email) = ("Ada".to_owned(), "ada@example.com".to_owned());
        let create =
            CreateUser { name, email: email.clone(), password_hash: "imported".into(), role: Role::Admin };
        let user = handle.write_blocking(create).unwrap();
        let sign_in = |verified: &str, new: Option<&str>| {
            let (verified_hash, new_hash) = (verified.to_owned(), new.map(str::to_owned));
            handle.write_blocking(SignIn { user, session: session(), verified_hash, new_hash })
        };
        sign_in("imported", Some("rehashed")).unwrap();
        let link = TokenHash::of("link");
        handle.write_blocking(StartReset { email, token: link, hours: 1 }).unwrap();
        let password_hash = "chosen".to_owned();
        handle.write_blocking(ResetPassword { token: link, password_hash, session: session() }).unwrap();
        let late = sign_in("rehashed", Some("the old password again"));
        assert!(matches!(late, Err(WriteError::Refused(Refusal::NotFound))), "{late:?}");
        let reader = Reader::open(&data).unwrap();
        assert_eq!(reader.password_hash(user).unwrap().as_deref(), Some("chosen"));
        let sessions = reader.sessions(user).unwrap();
        assert_eq!(sessions.len(), 1, "that of the reset");
        // A change that began with the password of before.
        let change = |verified: &str| {
            let password_hash = Some("a thief's".to_owned());
            let command = ChangeUser {
                user,
                name: None,
                bio: None,
                email: None,
                password_hash,
                role: None,
                session: None,
            };
            handle.write_blocking(Verified { user, verified_hash: Some(verified.to_owned()), command })
        };
        assert!(matches!(
            change("rehashed"),
            Err(WriteError::Refused(Refusal::Invalid("current_password", _)))
        ));
        assert_eq!(reader.password_hash(user).unwrap().as_deref(), Some("chosen"));
        // A token that a session which has ended was about to make.
        let token = |by| {
            let name = "late".to_owned();
            handle.write_blocking(CreateToken { user, by, name, scope: Scope::Read, session: session() })
        };
        token(sessions[0].id).unwrap();
        assert!(matches!(token(SessionId(999)), Err(WriteError::Refused(Refusal::NotFound))));
        change("chosen").unwrap();
    }
}

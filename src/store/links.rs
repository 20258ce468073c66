//! Links that work once, for some time: to set a new password, or to sign another device in. See also `invitations`.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    invitations::remove_invitations,
    people::{load, record_user_update},
    second_factors::{NextStep, next_step},
    sessions::{NewSession, end_sessions},
};
use crate::{
    types::event::SessionEnd,
    types::{Role, SessionId, SignInMethod, Status, Timestamp, TokenHash, UserId},
};

/// Hours for which a link works that is made on a device or on the host.
pub const LINK_HOURS: i64 = 4;

/// The same for one to choose a new password that is mailed.
pub const MAILED_HOURS: i64 = 1;

/// Makes a link to choose a new password. `NotFound` if no active person has the e-mail address.
#[derive(Debug)]
pub struct StartReset {
    pub email: String,
    pub token: TokenHash,
    /// For how many hours it works.
    pub hours: i64,
}

impl Command for StartReset {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let user = tx
            .statement("select id from users where email = ? and status = ?")?
            .query_row((&self.email, Status::Active), |row| row.get(0))?;
        create_link(tx, user, "reset", self.token, None, self.hours)?;
        Ok(user)
    }
}

/// Hours for which a link works that an administrator makes for somebody else.
const SIGN_IN_HOURS: i64 = 1;

/// Makes a link by which somebody who lost the password chooses a new one and is signed in. Refused with `Conflict` for
/// everybody but an active person who has signed in before.
#[derive(Debug)]
pub struct StartSignIn {
    pub user: UserId,
    pub token: TokenHash,
}

impl Command for StartSignIn {
    /// When the link expires.
    type Output = Timestamp;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Timestamp, Refusal> {
        let user = load(tx, self.user)?;
        let why = match (user.role, user.status) {
            (Role::Bot, _) => "A bot has a key and does not sign in.",
            (_, Status::Banned) => "This person is banned: lift the ban first.",
            (_, Status::Deactivated) => "This person was deactivated.",
            (_, Status::Active) if user.is_unclaimed => "This person has not signed in yet: invite them.",
            (_, Status::Active) => {
                return create_link(tx, self.user, "reset", self.token, None, SIGN_IN_HOURS);
            }
        };
        Err(Refusal::Conflict(why))
    }
}

/// Makes a link that signs another device of the same person in. It ends with the session that makes it; `NotFound` if that
/// has ended.
#[derive(Debug)]
pub struct StartTransfer {
    pub user: UserId,
    pub session: SessionId,
    pub token: TokenHash,
}

impl Command for StartTransfer {
    /// When the link expires.
    type Output = Timestamp;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Timestamp, Refusal> {
        if !tx
            .statement("select 1 from sessions where id = ? and user_id = ?")?
            .exists((self.session, self.user))?
        {
            return Err(Refusal::NotFound);
        }
        create_link(tx, self.user, "transfer", self.token, Some(self.session), LINK_HOURS)
    }
}

/// Makes a link and returns when it expires. Earlier links of the person for the same purpose stop working.
pub(super) fn create_link(
    tx: &Tx<'_>,
    user: UserId,
    purpose: &str,
    token: TokenHash,
    session: Option<SessionId>,
    hours: i64,
) -> Result<Timestamp, Refusal> {
    let expires = Timestamp(tx.now.0 + hours * 3_600_000);
    tx.statement("delete from one_time_tokens where user_id = ? and purpose = ? or expires_at < ?")?
        .execute((user, purpose, tx.now))?;
    tx.statement(
        "insert into one_time_tokens (token_hash, user_id, purpose, expires_at, session_id) values (?, ?, ?, ?, ?)",
    )?
    .execute((token, user, purpose, expires, session))?;
    Ok(expires)
}

/// Removes all links of a person, and invitations for them: each would undo a new password or a ban.
pub(super) fn remove_links(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    remove_invitations(tx, user)?;
    tx.statement("delete from one_time_tokens where user_id = ?")?.execute((user,)).map(drop)
}

/// Deletes a link and returns whose it is. No row if it is unknown or has expired.
fn consume_link(tx: &Tx<'_>, purpose: &str, token: TokenHash) -> rusqlite::Result<UserId> {
    tx.statement("delete from one_time_tokens where token_hash = ? and purpose = ? and expires_at > ? returning user_id")?
        .query_row((token, purpose, tx.now), |row| row.get(0))
}

/// Signs a device in by a link that was made on another device.
#[derive(Debug)]
pub struct Transfer {
    pub token: TokenHash,
    pub session: NewSession,
}

impl Command for Transfer {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let user = consume_link(tx, "transfer", self.token)?;
        if !load(tx, user)?.is_active() {
            return Err(Refusal::NotFound);
        }
        self.session.start_by(tx, user, SignInMethod::Transfer)?;
        Ok(user)
    }
}

/// Sets a new password by a link, ends every other session, link and token of the person, and signs this device in unless a
/// second step is asked of them: who reads somebody's mail would get around it.
#[derive(Debug)]
pub struct ResetPassword {
    pub token: TokenHash,
    pub password_hash: String,
    pub session: NewSession,
}

impl Command for ResetPassword {
    type Output = (UserId, NextStep);

    fn apply(self, tx: &mut Tx<'_>) -> Result<(UserId, NextStep), Refusal> {
        let user = consume_link(tx, "reset", self.token)?;
        let is_claimed = load(tx, user)?.is_unclaimed;
        tx.statement("update users set password_hash = ? where id = ?")?
            .execute((&self.password_hash, user))?;
        remove_links(tx, user)?;
        end_sessions(tx, user, None, None, SessionEnd::SignedOut)?;
        if is_claimed {
            // Somebody who was imported has a password now.
            record_user_update(tx, user, Vec::new())?;
        }
        let next = next_step(tx, user)?;
        if next == NextStep::None {
            self.session.start_by(tx, user, SignInMethod::Reset)?;
        }
        Ok((user, next))
    }
}

impl Reader {
    /// Whether a link for this purpose works.
    pub fn link_is_open(&self, token: &TokenHash, purpose: &str, now: Timestamp) -> rusqlite::Result<bool> {
        self.statement(
            "select 1 from one_time_tokens where token_hash = ? and purpose = ? and expires_at > ?",
        )?
        .exists((token, purpose, now))
    }

    /// Whose link it is; None if it does not work.
    pub fn owner_of_link(
        &self,
        token: &TokenHash,
        purpose: &str,
        now: Timestamp,
    ) -> rusqlite::Result<Option<UserId>> {
        self.statement(
            "select user_id from one_time_tokens where token_hash = ? and purpose = ? and expires_at > ?",
        )?
        .query_row((token, purpose, now), |row| row.get(0))
        .optional()
    }
}

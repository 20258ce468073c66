//! Invitations: links by which somebody takes over the account that an import has made for them. An e-mail address alone
//! takes over none, since nobody has checked whose it is.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    links::{create_link, remove_links},
    people::{email_taken, join_open_rooms, load, record_user_update},
    sessions::{NewSession, end_sessions},
};
use crate::{
    types::event::SessionEnd,
    types::{Role, Status, Timestamp, TokenHash, UserId},
};

const PURPOSE: &str = "invitation";

/// Hours for which an invitation works.
const INVITATION_HOURS: i64 = 7 * 24;

/// Makes an invitation; earlier ones of the person stop working. Refused with `Conflict` for everybody but an active person
/// without a password, and a deactivated one who was imported.
#[derive(Debug)]
pub struct Invite {
    pub user: UserId,
    pub token: TokenHash,
}

impl Command for Invite {
    /// When the invitation expires.
    type Output = Timestamp;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Timestamp, Refusal> {
        let user = load(tx, self.user)?;
        if user.is_unclaimed {
            return create_link(tx, self.user, PURPOSE, self.token, None, INVITATION_HOURS);
        }
        Err(Refusal::Conflict(match (user.role, user.status) {
            (Role::Bot, _) => "A bot has a key and needs no invitation.",
            (_, Status::Active) => "This person has a password and can sign in.",
            (_, Status::Banned) => "This person is banned: lift the ban first.",
            (_, Status::Deactivated) => "This person was deactivated here: they can join again.",
        }))
    }
}

/// Takes an account over by an invitation: sets e-mail address and password, makes the person active, and signs this device
/// in. `NotFound` if the invitation does not work, `Invalid` if somebody else has the address.
#[derive(Debug)]
pub struct Claim {
    pub token: TokenHash,
    pub email: String,
    pub password_hash: String,
    pub session: NewSession,
}

impl Command for Claim {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let user: UserId =
            tx.statement(INVITED)?.query_row((self.token, PURPOSE, tx.now), |row| row.get(0))?;
        let before = load(tx, user)?;
        if email_taken(tx, &self.email, user)? {
            return Err(Refusal::Invalid("email", "is that of somebody else here"));
        }
        tx.statement("update users set email = ?, password_hash = ?, status = ? where id = ?")?.execute((
            &self.email,
            &self.password_hash,
            Status::Active,
            user,
        ))?;
        remove_links(tx, user)?;
        end_sessions(tx, user, None, None, SessionEnd::SignedOut)?;
        match before.is_active() {
            true => record_user_update(tx, user, Vec::new()).map(drop)?,
            false => join_open_rooms(tx, user)?,
        }
        self.session.start(tx, user)?;
        Ok(user)
    }
}

const INVITED: &str =
    "select user_id from one_time_tokens where token_hash = ? and purpose = ? and expires_at > ?";

/// Ends the invitation of somebody who has signed in otherwise.
pub(super) fn remove_invitations(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.statement("delete from one_time_tokens where user_id = ? and purpose = ?")?
        .execute((user, PURPOSE))
        .map(drop)
}

impl Reader {
    /// Who is invited by a link; None if it does not work.
    pub fn invited(&self, token: &TokenHash, now: Timestamp) -> rusqlite::Result<Option<UserId>> {
        self.statement(INVITED)?.query_row((token, PURPOSE, now), |row| row.get(0)).optional()
    }
}

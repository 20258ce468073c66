//! Accounts of people at identity providers: signing in by one, linking and unlinking them.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    audit::{Act, record_act},
    command::{Command, Refusal, Tx},
    links::remove_links,
    people::{join_open_rooms, load, record_user_update, require_another_administrator},
    sessions::{NewSession, end_sessions, end_sessions_by},
};
use crate::{
    types::event::SessionEnd,
    types::{Role, SessionId, SessionKind, SignInMethod, Status, Timestamp, User, UserId},
};

/// Identities of one person, at most.
const MAX_IDENTITIES: i64 = 20;

/// Somebody who was let in by a provider: what of it was checked.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The provider's name in the settings.
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    /// Their e-mail address, if the provider gives one.
    pub email: Option<String>,
    /// Whether it counts as their own.
    pub is_verified: bool,
    pub ip_address: String,
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetIn {
    /// They have been here by this identity before.
    Known,
    /// They were here already, and the identity is theirs from now on.
    Linked,
    /// They were imported, and have signed in for the first time.
    Claimed,
    Made,
}

/// Why somebody is not let in, whom the provider knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotLetIn {
    /// Deactivated or banned here.
    Out,
    /// Somebody here has the address, and the provider does not say that it is theirs.
    Unverified,
    /// Whoever has the address here signs in by another account of the same provider: there it was given to somebody else.
    Reassigned,
    /// The provider gives no address by which they could be found here.
    NoEmail,
    /// The address is of none of the allowed domains.
    Domain,
    /// In none of the allowed groups, or the provider gives no groups.
    Group,
    /// There is no account, and none is made at first sign-in.
    NoAccount,
}

/// Signs somebody in by a provider: to the account with this identity; else to the one with their verified address, which
/// has it from then on; else to a new one.
#[derive(Debug)]
pub struct SignInByProvider {
    pub arrival: Arrival,
    /// For a new account.
    pub name: String,
    /// Whether the settings let in who has not been here by this identity, and why not.
    pub newcomers: Result<(), NotLetIn>,
    /// Whether an account is made for who has none.
    pub may_make: bool,
    /// Whether they are to be an administrator; None: as they are.
    pub is_admin: Option<bool>,
    pub session: NewSession,
}

impl Command for SignInByProvider {
    type Output = Result<(UserId, LetIn), NotLetIn>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Output, Refusal> {
        let arrival = &self.arrival;
        let known: Option<UserId> = tx
            .statement("select user_id from identities where issuer = ? and subject = ?")?
            .query_row((&arrival.issuer, &arrival.subject), |row| row.get(0))
            .optional()?;
        let (user, done) = match known {
            Some(user) => {
                if !may_come_in(&load(tx, user)?) {
                    return Ok(Err(NotLetIn::Out));
                }
                (user, LetIn::Known)
            }
            None => match self.find_or_make(tx)? {
                Ok(found) => found,
                Err(why) => return Ok(Err(why)),
            },
        };
        let identity: i64 = tx
            .statement(
                "update identities set last_used_at = ?, provider = ?, email = ifnull(?, email)
                 where issuer = ? and subject = ? returning id",
            )?
            .query_row(
                (tx.now, &arrival.provider, &arrival.email, &arrival.issuer, &arrival.subject),
                |row| row.get(0),
            )?;
        if self.complete(tx, user)? | self.set_role(tx, user)? {
            record_user_update(tx, user, Vec::new())?;
        }
        arrival.audit(tx, user, "user.sign_in", "")?;
        let session = self.session.start_by(tx, user, SignInMethod::Provider)?;
        tx.statement("update sessions set identity_id = ? where id = ?")?.execute((identity, session))?;
        Ok(Ok((user, done)))
    }
}

/// Bots and those who were sent away stay out. Whoever was deactivated in the chat that they were imported from comes in by an
/// invitation only.
fn may_come_in(user: &User) -> bool {
    user.is_active() && user.role != Role::Bot
}

impl SignInByProvider {
    /// For an identity that is new here.
    fn find_or_make(&self, tx: &mut Tx<'_>) -> Result<Result<(UserId, LetIn), NotLetIn>, Refusal> {
        let arrival = &self.arrival;
        if let Err(why) = self.newcomers {
            return Ok(Err(why));
        }
        let Some(email) = &arrival.email else { return Ok(Err(NotLetIn::NoEmail)) };
        let found: Option<UserId> = tx
            .statement("select id from users where email = ?")?
            .query_row((email,), |row| row.get(0))
            .optional()?;
        let Some(user) = found else {
            if !self.may_make {
                return Ok(Err(NotLetIn::NoAccount));
            }
            return self.make(tx).map(|user| Ok((user, LetIn::Made)));
        };
        // Anybody could have written the address into their profile there.
        if !arrival.is_verified {
            return Ok(Err(NotLetIn::Unverified));
        }
        let before = load(tx, user)?;
        if !may_come_in(&before) {
            return Ok(Err(NotLetIn::Out));
        }
        let has_another = tx
            .statement("select 1 from identities where user_id = ? and issuer = ?")?
            .exists((user, &arrival.issuer))?;
        if has_another {
            return Ok(Err(NotLetIn::Reassigned));
        }
        arrival.link(tx, user)?;
        if !before.is_unclaimed {
            arrival.audit(tx, user, "user.link", "")?;
            return Ok(Ok((user, LetIn::Linked)));
        }
        remove_links(tx, user)?;
        end_sessions(tx, user, None, None, SessionEnd::SignedOut)?;
        record_user_update(tx, user, Vec::new())?;
        arrival.audit(tx, user, "user.claim", "")?;
        Ok(Ok((user, LetIn::Claimed)))
    }

    fn make(&self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let arrival = &self.arrival;
        // An address that may be somebody else's is not taken from them.
        let email = arrival.email.as_ref().filter(|_| arrival.is_verified);
        let role = if self.is_admin == Some(true) { Role::Admin } else { Role::Member };
        tx.statement("insert into users (name, email, role, created_at) values (?, ?, ?, ?)")?
            .execute((&self.name, email, role, tx.now))?;
        let user = UserId(tx.db.last_insert_rowid());
        // First, as without an identity they would wait for an invitation.
        arrival.link(tx, user)?;
        join_open_rooms(tx, user)?;
        arrival.audit(tx, user, "user.create", &format!("role {}", role.into_str()))?;
        Ok(user)
    }

    /// Gives an account without an address the one that the provider has verified, if nobody else has it. True if it did.
    fn complete(&self, tx: &Tx<'_>, user: UserId) -> rusqlite::Result<bool> {
        let Some(email) = self.arrival.email.as_ref().filter(|_| self.arrival.is_verified) else {
            return Ok(false);
        };
        let changed = tx
            .statement(
                "update users set email = ?1
                 where id = ?2 and email is null and not exists (select 1 from users where email = ?1)",
            )?
            .execute((email, user))?;
        Ok(changed > 0)
    }

    /// Gives or takes the administrator's role, but never takes it from the last one, and never gives it to a guest: whose rooms
    /// they are to see is for people to decide. True if it did.
    fn set_role(&self, tx: &Tx<'_>, user: UserId) -> Result<bool, Refusal> {
        let before = load(tx, user)?.role;
        let role = match (self.is_admin, before) {
            (Some(true), Role::Member) => Role::Admin,
            (Some(false), Role::Admin) => Role::Member,
            _ => return Ok(false),
        };
        if role != Role::Admin {
            match require_another_administrator(tx, user) {
                Ok(()) => {}
                Err(Refusal::Conflict(_)) => {
                    tracing::warn!(
                        user = user.0,
                        "not in the administrators' group of the provider, and still one: the last has to stay"
                    );
                    return Ok(false);
                }
                Err(refusal) => return Err(refusal),
            }
        }
        tx.statement("update users set role = ? where id = ?")?.execute((role, user))?;
        self.arrival.audit(tx, user, "user.change", &format!("role {}, by group", role.into_str()))?;
        Ok(true)
    }
}

impl Arrival {
    fn link(&self, tx: &Tx<'_>, user: UserId) -> rusqlite::Result<()> {
        tx.statement(
            "insert into identities (issuer, subject, user_id, provider, email, created_at, last_used_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        )?
        .execute((&self.issuer, &self.subject, user, &self.provider, &self.email, tx.now))
        .map(drop)
    }

    fn audit(&self, tx: &Tx<'_>, user: UserId, action: &'static str, more: &str) -> rusqlite::Result<()> {
        let comma = if more.is_empty() { "" } else { ", " };
        let act = Act {
            actor: Some(user),
            ip_address: Some(self.ip_address.clone()),
            action,
            subject: format!("user {user}"),
            detail: format!("by provider {}{comma}{more}", self.provider),
        };
        record_act(tx, &act)
    }
}

/// Links an identity to somebody who is signed in. Refused with `Conflict` if it is somebody else's, and with `NotFound` if
/// their session has ended meanwhile.
#[derive(Debug)]
pub struct LinkIdentity {
    pub arrival: Arrival,
    pub user: UserId,
    /// The session in which it began.
    pub session: SessionId,
}

impl Command for LinkIdentity {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let is_signed_in = tx
            .statement("select 1 from sessions where id = ? and user_id = ? and kind = ?")?
            .exists((self.session, self.user, SessionKind::Device))?;
        if !is_signed_in {
            return Err(Refusal::NotFound);
        }
        let whose: Option<UserId> = tx
            .statement("select user_id from identities where issuer = ? and subject = ?")?
            .query_row((&self.arrival.issuer, &self.arrival.subject), |row| row.get(0))
            .optional()?;
        match whose {
            Some(user) if user == self.user => return Ok(()),
            Some(_) => return Err(Refusal::Conflict("Somebody else here signs in by this account.")),
            None => {}
        }
        let count: i64 = tx
            .statement("select count(*) from identities where user_id = ?")?
            .query_row((self.user,), |row| row.get(0))?;
        if count >= MAX_IDENTITIES {
            return Err(Refusal::Conflict("One person can have 20 accounts at providers at most."));
        }
        self.arrival.link(tx, self.user)?;
        self.arrival.audit(tx, self.user, "user.link", "")?;
        record_user_update(tx, self.user, Vec::new())?;
        Ok(())
    }
}

/// Unlinks an identity, and ends the sessions that were started by it, but the one that asks. Refused with `Conflict` if its
/// owner could not sign in any more.
#[derive(Debug)]
pub struct UnlinkIdentity {
    pub user: UserId,
    pub identity: i64,
    /// The session that asks, if it is the owner's.
    pub session: Option<SessionId>,
    /// Whether it may be the last way in: an administrator decides that for others.
    pub may_lock_out: bool,
    /// Whether a password is another way in.
    pub has_passwords: bool,
}

impl Command for UnlinkIdentity {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let is_theirs = tx
            .statement("select 1 from identities where id = ? and user_id = ?")?
            .exists((self.identity, self.user))?;
        if !is_theirs {
            return Err(Refusal::NotFound);
        }
        let has_another = tx
            .statement(
                "select 1 from users where id = ?1 and (?2 and password_hash is not null
                   or exists (select 1 from identities where user_id = ?1 and id <> ?3))",
            )?
            .exists((self.user, self.has_passwords, self.identity))?;
        if !has_another && !self.may_lock_out {
            return Err(Refusal::Conflict("This is your only way to sign in: add another one first."));
        }
        tx.statement("delete from identities where id = ?")?.execute((self.identity,))?;
        end_sessions_by(tx, self.user, self.identity, self.session)?;
        record_user_update(tx, self.user, Vec::new())?;
        Ok(())
    }
}

/// An account at a provider, for its owner and for administrators.
#[derive(Debug, serde::Serialize)]
pub struct Identity {
    pub id: i64,
    /// Its name in the settings.
    pub provider: String,
    pub email: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

impl Reader {
    /// A person's accounts at providers, the one used last first.
    pub fn identities(&self, user: UserId) -> rusqlite::Result<Vec<Identity>> {
        self.statement(
            "select id, provider, email, created_at, last_used_at from identities
             where user_id = ? order by last_used_at desc, id desc",
        )?
        .query_map((user,), |row| {
            Ok(Identity {
                id: row.get(0)?,
                provider: row.get(1)?,
                email: row.get(2)?,
                created_at: row.get(3)?,
                last_used_at: row.get(4)?,
            })
        })?
        .collect()
    }

    /// The provider by which a session was started, by its name in the settings; and when that was.
    pub fn provider_of(&self, session: SessionId) -> rusqlite::Result<Option<(String, Timestamp)>> {
        self.statement(
            "select provider, sessions.created_at from sessions
             join identities on identities.id = identity_id where sessions.id = ?",
        )?
        .query_row((session,), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
    }

    /// Whether an administrator has signed in by a provider.
    pub fn administrator_has_identity(&self) -> rusqlite::Result<bool> {
        self.statement(
            "select 1 from identities join users on users.id = user_id where role = ? and status = ? limit 1",
        )?
        .exists((Role::Admin, Status::Active))
    }
}

//! Invitations: links by which somebody joins, or takes over the account that an import has made for them. An e-mail address
//! alone takes over none, since nobody has checked whose it is.

use rusqlite::OptionalExtension;

use super::{
    Act, Reader,
    account::settings,
    audit::record_act,
    command::{Command, Refusal, Tx},
    links::remove_links,
    people::{CreateUser, email_taken, join_open_rooms, load, record_user_update},
    sessions::{NewSession, end_sessions},
};
use crate::{
    types::event::SessionEnd,
    types::{InvitationId, Role, RoomId, SignInMethod, Status, Timestamp, TokenHash, UserId},
};

/// Days for which the invitation of somebody who was imported works.
const CLAIM_DAYS: i64 = 7;

/// Invitations that work at the same time, and those that one member has made of them.
const MAX_OPEN: i64 = 1_000;
const MAX_OPEN_OF_A_MEMBER: i64 = 50;

/// Days for which an invitation is listed after its end.
const LISTED_DAYS: i64 = 30;

/// Invitations after which one that was revoked is not listed any more.
const MAX_LISTED: i64 = 1_000;

const DAY: i64 = 24 * 3_600_000;

/// Invites somebody who was imported; earlier invitations of the person stop working. Refused with `Conflict` for everybody but
/// an active person without a password, and a deactivated one who was imported.
#[derive(Debug)]
pub struct Invite {
    /// None for the command line.
    pub creator: Option<UserId>,
    pub user: UserId,
    pub token: TokenHash,
}

impl Command for Invite {
    /// When the invitation expires.
    type Output = Timestamp;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Timestamp, Refusal> {
        let user = load(tx, self.user)?;
        if user.is_unclaimed {
            remove_invitations(tx, self.user)?;
            let expires_at = Timestamp(tx.now.0 + CLAIM_DAYS * DAY);
            insert(tx, self.token, self.creator, Some(self.user), user.role, "", 1, expires_at)?;
            return Ok(expires_at);
        }
        Err(Refusal::Conflict(match (user.role, user.status) {
            (Role::Bot, _) => "A bot has a key and needs no invitation.",
            (_, Status::Active) => "This person has a password and can sign in.",
            (_, Status::Banned) => "This person is banned: lift the ban first.",
            (_, Status::Deactivated) => "This person was deactivated here: they can join again.",
        }))
    }
}

#[allow(clippy::too_many_arguments)] // as many as the table has columns
fn insert(
    tx: &Tx<'_>,
    token: TokenHash,
    creator: Option<UserId>,
    user: Option<UserId>,
    role: Role,
    note: &str,
    max_uses: u32,
    expires_at: Timestamp,
) -> rusqlite::Result<InvitationId> {
    tx.statement(
        "delete from invitations where min(expires_at, ifnull(revoked_at, expires_at)) < ?
           or revoked_at is not null and id < (select max(id) from invitations) - ?",
    )?
    .execute((Timestamp(tx.now.0 - LISTED_DAYS * DAY), MAX_LISTED))?;
    tx.statement(
        "insert into invitations (token_hash, creator_id, user_id, role, note, max_uses, created_at, expires_at)
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute((token, creator, user, role, note, max_uses, tx.now, expires_at))?;
    Ok(InvitationId(tx.db.last_insert_rowid()))
}

/// Makes an invitation for whoever opens it. Refused with `Forbidden` unless by an administrator, or a member where these may
/// invite; with `Invalid` for a room that its creator may not choose members for, and for a guest without a room; with
/// `Conflict` if too many work.
#[derive(Debug)]
pub struct CreateInvitation {
    pub token: TokenHash,
    pub creator: UserId,
    pub role: Role,
    /// All rooms of a guest; of a member, those besides the open ones.
    pub rooms: Vec<RoomId>,
    pub note: String,
    pub max_uses: u32,
    pub days: u32,
    /// For the audit log; its subject is the invitation.
    pub act: Act,
}

impl Command for CreateInvitation {
    type Output = InvitationId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<InvitationId, Refusal> {
        let creator = load(tx, self.creator)?;
        let may_invite = creator.is_admin()
            || creator.is_active() && creator.role == Role::Member && settings(tx)?.members_may_invite;
        if !may_invite {
            return Err(Refusal::Forbidden("Only administrators may invite."));
        }
        if self.role == Role::Guest && self.rooms.is_empty() {
            return Err(Refusal::Invalid(
                "room_ids",
                "is empty: a guest sees only the rooms of the invitation",
            ));
        }
        let count = |creator: Option<UserId>| -> rusqlite::Result<i64> {
            tx.statement(&format!(
                "select count(*) from invitations where {OPEN} and ifnull(?2, creator_id) is creator_id"
            ))?
            .query_row((tx.now, creator), |row| row.get(0))
        };
        if count(None)? >= MAX_OPEN {
            return Err(Refusal::Conflict("There are 1,000 invitations that work: revoke some first."));
        }
        if !creator.is_admin() && count(Some(self.creator))? >= MAX_OPEN_OF_A_MEMBER {
            return Err(Refusal::Conflict("You have 50 invitations that work: revoke some first."));
        }
        let expires_at = Timestamp(tx.now.0 + i64::from(self.days) * DAY);
        let id = insert(
            tx,
            self.token,
            Some(self.creator),
            None,
            self.role,
            &self.note,
            self.max_uses,
            expires_at,
        )?;
        for room in &self.rooms {
            tx.statement("insert or ignore into invitation_rooms (invitation_id, room_id) select ?, id from rooms where id = ?")?
                .execute((id, room))?;
        }
        let named = rooms_of(tx.db, id)?;
        if self.rooms.iter().any(|room| !named.iter().any(|(named, _)| named == room)) {
            return Err(Refusal::Invalid("room_ids", "contains a room that you cannot invite to"));
        }
        record_act(tx, &Act { subject: format!("invitation {id}"), ..self.act })?;
        Ok(id)
    }
}

/// Invitations that work at a time (?1). Whoever made one has to be somebody who may.
const OPEN: &str = "expires_at > ?1 and revoked_at is null and uses < max_uses and (creator_id is null or user_id is not null
    or exists (select 1 from users where users.id = creator_id and status = 'active'
      and (role = 'admin' or role = 'member'
        and (select json_extract(settings, '$.members_may_invite') from account))))";

/// The rooms that an invitation leads to now. An administrator chooses the members of every shared room; a member of open
/// rooms, and of closed ones that they have made.
fn rooms_of(db: &rusqlite::Connection, invitation: InvitationId) -> rusqlite::Result<Vec<(RoomId, String)>> {
    db.prepare_cached(
        "select rooms.id, ifnull(rooms.name, '') from invitation_rooms
         join rooms on rooms.id = room_id
         join invitations on invitations.id = invitation_id
         join users on users.id = invitations.creator_id
         where invitation_id = ? and kind <> 'direct' and deleted_at is null
           and (users.role = 'admin'
             or exists (select 1 from memberships where memberships.room_id = rooms.id and memberships.user_id = users.id)
               and (kind = 'open' or rooms.creator_id = users.id))
         order by rooms.id",
    )?
    .query_map((invitation,), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Who joins by an invitation.
#[derive(Debug)]
pub struct Newcomer {
    /// None to keep the name of the account that was imported.
    pub name: Option<String>,
    pub email: String,
    pub password_hash: String,
}

/// Joins by an invitation, or takes an account over by it, and signs this device in. `NotFound` if the invitation does not
/// work, `Conflict` or `Invalid` if somebody else has the e-mail address.
#[derive(Debug)]
pub struct UseInvitation {
    pub token: TokenHash,
    pub newcomer: Newcomer,
    pub session: NewSession,
}

impl Command for UseInvitation {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let Self { token, newcomer, session } = self;
        let found = open(tx.db, &token, tx.now)?.ok_or(Refusal::NotFound)?;
        tx.statement("update invitations set uses = uses + 1 where id = ?")?.execute((found.id,))?;
        let ip_address = Some(session.ip_address.clone());
        let user = match found.user {
            Some(user) => claim(tx, user, &newcomer)?,
            None => join(tx, &found, newcomer)?,
        };
        session.start_by(tx, user, SignInMethod::Invitation)?;
        let act = Act {
            actor: Some(user),
            ip_address,
            action: "invitation.use",
            subject: format!("invitation {}", found.id),
            detail: found.role.into_str().to_owned(),
        };
        record_act(tx, &act)?;
        Ok(user)
    }
}

fn join(tx: &mut Tx<'_>, invitation: &Invitation, newcomer: Newcomer) -> Result<UserId, Refusal> {
    let Newcomer { name, email, password_hash } = newcomer;
    let name = name.ok_or(Refusal::Invalid("name", "is missing"))?;
    let rooms = invitation.rooms.iter().map(|(room, _)| *room).collect();
    CreateUser { name, email, password_hash, role: invitation.role }.join(tx, rooms)
}

/// Sets e-mail address and password of somebody who was imported, and makes them active.
fn claim(tx: &mut Tx<'_>, user: UserId, newcomer: &Newcomer) -> Result<UserId, Refusal> {
    let before = load(tx, user)?;
    if email_taken(tx, &newcomer.email, user)? {
        return Err(Refusal::Invalid("email", "is that of somebody else here"));
    }
    tx.statement("update users set email = ?, password_hash = ?, status = ? where id = ?")?.execute((
        &newcomer.email,
        &newcomer.password_hash,
        Status::Active,
        user,
    ))?;
    remove_links(tx, user)?;
    end_sessions(tx, user, None, None, SessionEnd::SignedOut)?;
    match before.is_active() {
        true => record_user_update(tx, user, Vec::new()).map(drop)?,
        false => join_open_rooms(tx, user)?,
    }
    Ok(user)
}

/// Ends the invitations of somebody who has signed in otherwise, or may not sign in.
pub(super) fn remove_invitations(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.statement(
        "update invitations set revoked_at = ? where user_id = ? and revoked_at is null and uses < max_uses",
    )?
    .execute((tx.now, user))
    .map(drop)
}

/// Ends the invitations that somebody has made who may make no more.
pub(super) fn end_invitations_by(tx: &Tx<'_>, creator: UserId) -> rusqlite::Result<()> {
    tx.statement("update invitations set revoked_at = ? where creator_id = ? and revoked_at is null")?
        .execute((tx.now, creator))
        .map(drop)
}

/// Ends an invitation. `NotFound` if there is none, or if it is another's and `only_of` says whose it has to be.
#[derive(Debug)]
pub struct RevokeInvitation {
    pub invitation: InvitationId,
    pub only_of: Option<UserId>,
}

impl Command for RevokeInvitation {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let revoked = tx
            .statement("update invitations set revoked_at = ifnull(revoked_at, ?) where id = ? and ifnull(?3, creator_id) is creator_id")?
            .execute((tx.now, self.invitation, self.only_of))?;
        if revoked == 0 { Err(Refusal::NotFound) } else { Ok(()) }
    }
}

/// An invitation that works.
#[derive(Debug)]
pub struct Invitation {
    pub id: InvitationId,
    pub creator: Option<UserId>,
    /// Whose account it gives.
    pub user: Option<UserId>,
    pub role: Role,
    /// The rooms that it leads to, with their names.
    pub rooms: Vec<(RoomId, String)>,
    pub expires_at: Timestamp,
}

fn open(
    db: &rusqlite::Connection,
    token: &TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<Invitation>> {
    let found = db
        .prepare_cached(&format!(
            "select id, creator_id, user_id, role, expires_at from invitations where token_hash = ?2 and {OPEN}"
        ))?
        .query_row((now, token), |row| {
            Ok(Invitation {
                id: row.get(0)?,
                creator: row.get(1)?,
                user: row.get(2)?,
                role: row.get(3)?,
                rooms: Vec::new(),
                expires_at: row.get(4)?,
            })
        })
        .optional()?;
    let Some(mut found) = found else { return Ok(None) };
    found.rooms = rooms_of(db, found.id)?;
    // Its rooms were deleted since, and others it does not open.
    let leads_nowhere = found.role == Role::Guest && found.user.is_none() && found.rooms.is_empty();
    Ok(Some(found).filter(|_| !leads_nowhere))
}

/// A line of the list of invitations.
#[derive(Debug, serde::Serialize)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub creator_id: Option<UserId>,
    /// Whose account it gives; None for whoever opens it.
    pub user_id: Option<UserId>,
    pub role: Role,
    pub room_ids: Vec<RoomId>,
    pub note: String,
    pub uses: u32,
    pub max_uses: u32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// Whether it works.
    pub is_open: bool,
}

impl Reader {
    /// The invitation with this token, if it works.
    pub fn invitation(&self, token: &TokenHash, now: Timestamp) -> rusqlite::Result<Option<Invitation>> {
        open(self.connection(), token, now)
    }

    /// Invitations, the newest first: of one creator, or all.
    pub fn invitations(
        &self,
        creator: Option<UserId>,
        now: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<Vec<InvitationRow>> {
        let mut rows: Vec<InvitationRow> = self
            .statement(&format!(
                "select id, creator_id, user_id, role, note, uses, max_uses, created_at, expires_at, revoked_at, {OPEN}
                 from invitations where ifnull(?2, creator_id) is creator_id order by id desc limit ?3"
            ))?
            .query_map((now, creator, limit), |row| {
                Ok(InvitationRow {
                    id: row.get(0)?,
                    creator_id: row.get(1)?,
                    user_id: row.get(2)?,
                    role: row.get(3)?,
                    room_ids: Vec::new(),
                    note: row.get(4)?,
                    uses: row.get(5)?,
                    max_uses: row.get(6)?,
                    created_at: row.get(7)?,
                    expires_at: row.get(8)?,
                    revoked_at: row.get(9)?,
                    is_open: row.get::<_, Option<bool>>(10)?.unwrap_or(false),
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut rooms =
            self.statement("select room_id from invitation_rooms where invitation_id = ? order by room_id")?;
        for row in &mut rows {
            row.room_ids = rooms.query_map((row.id,), |it| it.get(0))?.collect::<rusqlite::Result<_>>()?;
        }
        Ok(rows)
    }
}

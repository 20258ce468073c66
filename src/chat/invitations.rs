//! Invitations: making and revoking them, and joining by one.

use std::net::IpAddr;

use super::{
    Admin, Viewer,
    passwords::{self, check_passwords},
    sessions::{Device, SignedIn, check_may_make_secrets},
};
use crate::{
    store::{
        Act, Audited, CreateInvitation, Invitation, InvitationRow, Invite, Newcomer, RevokeInvitation,
        UseInvitation,
    },
    types::{InvitationId, Role, RoomId, Timestamp, TokenHash, User, random_token},
    wire::Problem,
    worker::Worker,
};

/// Rooms of one invitation.
pub(crate) const MAX_ROOMS: usize = 100;

/// People who may join by one invitation.
pub(crate) const MAX_USES: u32 = 1_000;

/// Days for which an invitation works.
pub(crate) const MAX_DAYS: u32 = 90;

/// Characters of a note.
pub(crate) const MAX_NOTE: usize = 200;

/// Invitations in one list.
const MAX_LISTED: usize = 2_000;

/// What an invitation is to be.
pub(crate) struct Wanted {
    pub(crate) role: Role,
    pub(crate) rooms: Vec<RoomId>,
    pub(crate) note: String,
    pub(crate) max_uses: u32,
    pub(crate) days: u32,
}

/// 403 for guests and bots, and for members unless they may invite.
fn check_may_invite(worker: &Worker, viewer: &Viewer) -> Result<(), Problem> {
    check_may_make_secrets(viewer)?;
    let state = worker.state.borrow();
    let is_allowed = state.account.as_ref().is_some_and(|account| account.settings.members_may_invite);
    match viewer.is_admin || is_allowed && !viewer.is_guest {
        true => Ok(()),
        false => Err(Problem::forbidden("Only administrators may invite.")),
    }
}

/// Makes an invitation for whoever opens it. Returns it and its token, which cannot be shown again.
pub(crate) async fn create(
    worker: &Worker,
    viewer: &Viewer,
    wanted: Wanted,
) -> Result<(InvitationRow, String), Problem> {
    check_may_invite(worker, viewer)?;
    let Wanted { role, rooms, note, max_uses, days } = wanted;
    let token = random_token();
    let named: Vec<String> = rooms.iter().map(RoomId::to_string).collect();
    let detail = format!("{}, rooms {}, uses {max_uses}, days {days}", role.into_str(), named.join(" "));
    let act = Act { detail, ..viewer.act("invitation.create", "") };
    let (token_hash, creator) = (TokenHash::of(&token), viewer.user);
    let command = CreateInvitation { token: token_hash, creator, role, rooms, note, max_uses, days, act };
    let id = worker.writer.write(command).await?;
    let mine = worker.reader.invitations(Some(viewer.user), Timestamp::now(), MAX_LISTED)?;
    let row = mine.into_iter().find(|row| row.id == id).ok_or_else(Problem::not_found)?;
    Ok((row, token))
}

/// All invitations, or one's own, the newest first. 403 for those who may make none.
pub(crate) fn list(worker: &Worker, viewer: &Viewer) -> Result<Vec<InvitationRow>, Problem> {
    check_may_invite(worker, viewer)?;
    let creator = (!viewer.is_admin).then_some(viewer.user);
    Ok(worker.reader.invitations(creator, Timestamp::now(), MAX_LISTED)?)
}

/// Ends an invitation: one's own, or any as an administrator.
pub(crate) async fn revoke(
    worker: &Worker,
    viewer: &Viewer,
    invitation: InvitationId,
) -> Result<(), Problem> {
    check_may_invite(worker, viewer)?;
    let act = viewer.act("invitation.revoke", format_args!("invitation {invitation}"));
    let only_of = (!viewer.is_admin).then_some(viewer.user);
    let command = RevokeInvitation { invitation, only_of };
    Ok(worker.writer.write(Audited { command, act }).await?)
}

/// Creates a link by which somebody takes over the account that was imported for them. Returns its token and when it expires.
/// 409 unless they have not signed in yet.
pub(crate) async fn invite(
    worker: &Worker,
    admin: &Admin,
    user: &User,
) -> Result<(String, Timestamp), Problem> {
    let token = random_token();
    let command = Invite { creator: Some(admin.0.user), user: user.id, token: TokenHash::of(&token) };
    let act = admin.act("user.invite", format_args!("user {}", user.id));
    let expires_at = worker.writer.write(Audited { command, act }).await?;
    Ok((token, expires_at))
}

/// The invitation with this token. 404 if it does not work; 429 after too many that do not.
pub(crate) fn find(worker: &Worker, address: IpAddr, link: &TokenHash) -> Result<Invitation, Problem> {
    let mut read = Ok(None);
    let works = || {
        read = worker.reader.invitation(link, Timestamp::now());
        // A failed read is no guess.
        read.as_ref().map_or(true, Option::is_some)
    };
    worker.shared.limits.guess(address, works).map_err(Problem::rate_limited)?;
    read?.ok_or_else(Problem::not_found)
}

/// Joins by an invitation, or takes an account over by it, and signs in. 403 where there are no passwords, 429 after too many who join from one address.
pub(crate) async fn accept(
    worker: &Worker,
    device: &Device<'_>,
    link: TokenHash,
    name: Option<String>,
    email: String,
    password: String,
) -> Result<SignedIn, Problem> {
    check_passwords(worker, false)?;
    worker.shared.limits.join(device.address).map_err(Problem::rate_limited)?;
    let password_hash = passwords::hash(worker, password).await?;
    let (token, session) = device.new_session();
    let newcomer = Newcomer { name, email, password_hash };
    let user = worker.writer.write(UseInvitation { token: link, newcomer, session }).await?;
    Ok((user, token))
}

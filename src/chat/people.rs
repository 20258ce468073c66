//! Users: profiles, roles, deactivating, banning.

use super::{
    Admin, UserChange, Viewer,
    passwords::{self, check_fresh, check_passwords},
};
use crate::{
    store::{
        Act, Audited, Ban, BecomeGuest, ChangeUser, Command, Deactivate, Image, LiftBan, PutAvatar,
        RecordFailedSignIn, Verified,
    },
    types::{Role, RoomId, SessionKind, SignInMethod, User, UserId},
    wire::{Problem, UserView},
    worker::Worker,
};

/// The fields of a profile to change.
pub(crate) struct ProfileChange {
    pub(crate) name: Option<String>,
    pub(crate) bio: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) password: Option<String>,
    /// Required to change one's own e-mail address or password.
    pub(crate) current_password: Option<String>,
    pub(crate) role: Option<Role>,
    /// The rooms that somebody keeps who becomes a guest.
    pub(crate) rooms: Option<Vec<RoomId>>,
}

/// Whether any word of a name starts with `wanted`, which is in lower case.
pub(crate) fn has_word_prefix(name: &str, wanted: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let name = name.to_lowercase();
    name.match_indices(wanted)
        .any(|(place, _)| !name[..place].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// A user. 404 for one of whom the viewer may not know, as for one who does not exist.
pub(crate) fn find(worker: &Worker, viewer: &Viewer, id: UserId) -> Result<User, Problem> {
    let state = worker.state.borrow();
    state.users.get(&id).filter(|_| state.sees(viewer.user, id)).cloned().ok_or_else(Problem::not_found)
}

/// A user as the viewer may see them: with the e-mail address for administrators and for oneself.
pub(crate) fn view<'a>(viewer: &Viewer, user: &'a User) -> UserView<'a> {
    user.view(viewer.is_admin || viewer.user == user.id)
}

/// Sets somebody's picture, or removes it.
pub(crate) async fn set_avatar(
    worker: &Worker,
    UserChange(user): UserChange,
    image: Option<Image>,
) -> Result<User, Problem> {
    Ok(worker.writer.write(PutAvatar { user: user.id, image }).await?)
}

/// Changes a profile, and returns the new one. 403 for a role unless by an administrator; 422 for a guest-to-be without a list
/// of rooms.
pub(crate) async fn change(
    worker: &Worker,
    viewer: &Viewer,
    UserChange(user): UserChange,
    change: ProfileChange,
) -> Result<User, Problem> {
    let ProfileChange { name, bio, email, password, current_password, role, rooms } = change;
    if role.is_some_and(|role| role != user.role) {
        if !viewer.is_admin {
            return Err(Problem::forbidden("Only administrators may change roles."));
        }
        if role == Some(Role::Bot) || user.role == Role::Bot {
            return Err(Problem::invalid_field("role", "cannot be changed from or to bot"));
        }
    }
    if password.is_some() {
        check_passwords(worker, user.is_admin())?;
    }
    let is_self = viewer.user == user.id;
    let verified_hash = match is_self && (email.is_some() || password.is_some()) {
        // Otherwise anybody at an unlocked screen could take the account over.
        true => check_password(worker, viewer, &user, current_password).await?,
        false => None,
    };
    let password_hash = match password {
        Some(password) => Some(passwords::hash(worker, password).await?),
        None => None,
    };
    // A token that changes the password ends with all others.
    let session = (is_self && viewer.kind == SessionKind::Device).then_some(viewer.session);
    let becomes_guest = role == Some(Role::Guest) && !user.is_guest();
    let change = ChangeUser { user: user.id, name, bio, email, password_hash, role, session };
    let mut act = viewer.act("user.change", format_args!("user {}", user.id));
    act.detail = role.map_or_else(String::new, |role| format!("role {}", role.into_str()));
    let act = (!is_self || role.is_some()).then_some(act);
    match rooms {
        Some(rooms) if becomes_guest => {
            write(worker, user.id, verified_hash, act, BecomeGuest { rooms, change }).await
        }
        None if becomes_guest => {
            Err(Problem::invalid_field("room_ids", "is missing: the rooms that a guest keeps"))
        }
        _ => write(worker, user.id, verified_hash, act, change).await,
    }
}

async fn write<C: Command>(
    worker: &Worker,
    user: UserId,
    verified_hash: Option<String>,
    act: Option<Act>,
    command: C,
) -> Result<C::Output, Problem> {
    let command = Verified { user, verified_hash, command };
    Ok(match act {
        Some(act) => worker.writer.write(Audited { command, act }).await?,
        None => worker.writer.write(command).await?,
    })
}

/// Verifies the current password, and returns the hash that it fits; None for somebody without a password who has signed in by
/// a provider a moment ago. Attempts are limited like signing in.
pub(crate) async fn check_password(
    worker: &Worker,
    viewer: &Viewer,
    user: &User,
    current: Option<String>,
) -> Result<Option<String>, Problem> {
    let hash = worker.reader.password_hash(user.id)?;
    if hash.is_none() && !user.is_unclaimed {
        return check_fresh(worker, viewer).map(|()| None);
    }
    let Some(current) = current else {
        return Err(Problem::invalid_field("current_password", "is missing"));
    };
    let (limits, email) = (&worker.shared.limits, user.email.as_deref().unwrap_or_default());
    limits.try_sign_in(viewer.address, email).map_err(Problem::rate_limited)?;
    let verified = passwords::verify(worker, current, hash.clone()).await;
    let is_right = verified.inspect_err(|_| limits.give_back(viewer.address, email))?.is_some();
    let Some(hash) = hash.filter(|_| is_right) else {
        let (user, address) = (Some(user.id), viewer.address);
        worker.writer.submit_later(RecordFailedSignIn { user, address, method: SignInMethod::Password });
        return Err(Problem::invalid_field("current_password", "is wrong"));
    };
    limits.give_back(viewer.address, email);
    Ok(Some(hash))
}

/// Deactivates a user. One who deactivates themselves gives their password: an unlocked screen is not enough.
pub(crate) async fn deactivate(
    worker: &Worker,
    viewer: &Viewer,
    UserChange(user): UserChange,
    current_password: Option<String>,
) -> Result<(), Problem> {
    let verified_hash = match viewer.user == user.id {
        true => check_password(worker, viewer, &user, current_password).await?,
        false => None,
    };
    let command = Verified { user: user.id, verified_hash, command: Deactivate { user: user.id } };
    let act = viewer.act("user.deactivate", format_args!("user {}", user.id));
    Ok(worker.writer.write(Audited { command, act }).await?)
}

pub(crate) async fn ban(worker: &Worker, admin: &Admin, user: User) -> Result<(), Problem> {
    if user.id == admin.0.user {
        return Err(Problem::conflict("You cannot ban yourself."));
    }
    if user.role == Role::Bot {
        return Err(Problem::conflict("A bot cannot be banned: remove it instead."));
    }
    let act = admin.act("user.ban", format_args!("user {}", user.id));
    Ok(worker.writer.write(Audited { command: Ban { user: user.id }, act }).await?)
}

pub(crate) async fn lift_ban(worker: &Worker, admin: &Admin, user: UserId) -> Result<(), Problem> {
    let act = admin.act("user.lift_ban", format_args!("user {user}"));
    Ok(worker.writer.write(Audited { command: LiftBan { user }, act }).await?)
}

#[cfg(test)]
mod tests {
    use super::has_word_prefix;

    #[test]
    fn people_are_found_by_the_start_of_any_word_of_their_name() {
        assert!(has_word_prefix("Ana Silva", "sil"));
        assert!(has_word_prefix("Ana Silva", "ana s"));
        assert!(has_word_prefix("Jean-Luc", "luc"));
        assert!(!has_word_prefix("Ana Silva", "ilva"));
        assert!(has_word_prefix("Ana Silva", ""));
    }
}

//! People.

use hyper::StatusCode;
use serde::Serialize;

use super::{
    account::NAME_LENGTH,
    form::{looks_like_email, required_password},
    password::{hash_aside, verify_aside},
    problem::Problem,
    request::{Admin, Call, Viewer},
    response::Reply,
    router::{Answer, Later},
};
use crate::{
    store::{Audited, Ban, ChangeUser, Deactivate, LiftBan},
    types::{Role, User, UserId, UserView},
};

const BIO_LENGTH: usize = 500;

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Answer {
    #[derive(Serialize)]
    struct Users<'a> {
        users: Vec<UserView<'a>>,
    }
    let query = call.query();
    let wanted = query.text("q").unwrap_or_default().trim().to_lowercase();
    let state = call.worker.state.borrow();
    let mut users: Vec<_> = state.users.values().filter(|user| starts_a_word(&user.name, &wanted)).collect();
    users.sort_unstable_by_key(|user| user.id);
    let users = users.into_iter().map(|user| view(user, viewer)).collect();
    Ok(Reply::json(&Users { users }))
}

/// Whether a name, or any later word of it, starts like this.
pub(crate) fn starts_a_word(name: &str, wanted: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let name = name.to_lowercase();
    name.match_indices(wanted)
        .any(|(place, _)| !name[..place].chars().next_back().is_some_and(char::is_alphanumeric))
}

fn view<'a>(user: &'a User, viewer: &Viewer) -> UserView<'a> {
    if viewer.is_admin || viewer.user == user.id { user.private() } else { user.public() }
}

fn found(call: &Call) -> Result<User, Problem> {
    let id = UserId(call.id(0)?);
    call.worker.state.borrow().users.get(&id).cloned().ok_or_else(Problem::not_found)
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Answer {
    Ok(Reply::json(&view(&found(call)?, viewer)))
}

/// The same, if the viewer may change it.
pub(crate) fn found_to_change(call: &Call, viewer: &Viewer) -> Result<User, Problem> {
    let user = found(call)?;
    may_change(&user, viewer)?;
    Ok(user)
}

/// Oneself, or an administrator.
fn may_change(user: &User, viewer: &Viewer) -> Result<(), Problem> {
    if viewer.is_admin || viewer.user == user.id {
        Ok(())
    } else {
        Err(Problem::forbidden("Only they themselves or an administrator may change this."))
    }
}

pub(crate) fn change(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let user = found(&call)?;
        may_change(&user, &viewer)?;
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let bio = form.text("bio").map(|bio| bio.trim().to_owned());
        if bio.as_ref().is_some_and(|bio| bio.chars().count() > BIO_LENGTH) {
            form.refuse("bio", format!("has to have {BIO_LENGTH} characters or fewer"));
        }
        let email = form.line("email", 1..=254);
        if email.as_ref().is_some_and(|email| !looks_like_email(email)) {
            form.refuse("email", "does not look like an e-mail address");
        }
        let password =
            if form.has("password") { Some(required_password(&mut form, "password")) } else { None };
        let current = form.text("current_password");
        let role: Option<Role> = form.word("role");
        form.finish()?;
        if role.is_some_and(|role| role != user.role) {
            if !viewer.is_admin {
                return Err(Problem::forbidden("Only administrators may change roles."));
            }
            if role == Some(Role::Bot) || user.role == Role::Bot {
                return Err(Problem::invalid_field("role", "a bot stays a bot, and nobody else becomes one"));
            }
        }
        let is_self = viewer.user == user.id;
        if is_self && (email.is_some() || password.is_some()) {
            // Who finds an unlocked screen must not be able to lock its owner out.
            let hash = call.worker.reader.password_hash(user.id)?;
            let Some(current) = current else {
                return Err(Problem::invalid_field("current_password", "is missing"));
            };
            // Guessing it is limited like signing in.
            let (limits, email) = (&call.worker.shared.limits, user.email.as_deref().unwrap_or_default());
            limits.try_sign_in(call.address, email).map_err(Problem::rate_limited)?;
            if verify_aside(&call.worker, current, hash).await?.is_none() {
                return Err(Problem::invalid_field("current_password", "is not right"));
            }
            limits.signed_in(call.address, email);
        }
        let password_hash = match password {
            Some(password) => Some(hash_aside(&call.worker, password).await?),
            None => None,
        };
        let session = is_self.then_some(viewer.session);
        let command = ChangeUser { user: user.id, name, bio, email, password_hash, role, session };
        let changed = if is_self && role.is_none() {
            call.worker.writer.write(command).await?
        } else {
            let mut act = viewer.act(&call, "user.change", format_args!("user {}", user.id));
            act.detail = role.map_or_else(String::new, |role| format!("role {}", role.into_str()));
            call.worker.writer.write(Audited { command, act }).await?
        };
        Ok(Reply::written(StatusCode::OK, &changed.private()))
    })
}

pub(crate) fn deactivate(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let user = found_to_change(&call, &viewer)?;
        let act = viewer.act(&call, "user.deactivate", format_args!("user {}", user.id));
        call.worker.writer.write(Audited { command: Deactivate { user: user.id }, act }).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn ban(call: Call, admin: Admin) -> Later {
    Box::pin(async move {
        let user = found(&call)?;
        if user.id == admin.0.user {
            return Err(Problem::conflict("Nobody bans him- or herself."));
        }
        if user.role == Role::Bot {
            return Err(Problem::conflict("A bot is not banned, it is removed."));
        }
        let act = admin.act(&call, "user.ban", format_args!("user {}", user.id));
        call.worker.writer.write(Audited { command: Ban { user: user.id }, act }).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn lift_ban(call: Call, admin: Admin) -> Later {
    Box::pin(async move {
        let user = found(&call)?;
        let act = admin.act(&call, "user.lift_ban", format_args!("user {}", user.id));
        call.worker.writer.write(Audited { command: LiftBan { user: user.id }, act }).await?;
        Ok(Reply::no_content())
    })
}

#[cfg(test)]
mod tests {
    use super::starts_a_word;

    #[test]
    fn people_are_found_by_the_start_of_any_word_of_their_name() {
        assert!(starts_a_word("Ana Silva", "sil"));
        assert!(starts_a_word("Ana Silva", "ana s"));
        assert!(starts_a_word("Jean-Luc", "luc"));
        assert!(!starts_a_word("Ana Silva", "ilva"));
        assert!(starts_a_word("Ana Silva", ""));
    }
}

//! Users.

use hyper::StatusCode;
use serde::Serialize;

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
    session::link_reply,
};
use crate::{
    chat::{
        Admin, NAME_LENGTH, UserChange, Viewer, invitations,
        people::{self, ProfileChange},
    },
    types::{Role, RoomId, User, UserId},
    wire::{Problem, UserView, looks_like_email, required_password},
};

/// Rooms that somebody keeps who becomes a guest.
const MAX_ROOMS: usize = 1_000;

/// Characters of a bio.
const BIO_LENGTH: usize = 500;

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    #[derive(Serialize)]
    struct Users<'a> {
        users: Vec<UserView<'a>>,
    }
    let query = call.query();
    let wanted = query.text("q").unwrap_or_default().trim().to_lowercase();
    let state = call.worker.state.borrow();
    let mut users: Vec<_> = state
        .users_seen_by(viewer.user)
        .into_iter()
        .filter(|user| people::has_word_prefix(&user.name, &wanted))
        .collect();
    users.sort_unstable_by_key(|user| user.id);
    let users = users.into_iter().map(|user| people::view(viewer, user)).collect();
    Ok(Reply::json(&Users { users }))
}

pub(super) fn found(call: &Call, viewer: &Viewer) -> Result<User, Problem> {
    people::find(&call.worker, viewer, UserId(call.id(0)?))
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&people::view(viewer, &found(call, viewer)?)))
}

/// The user in the path; 403 unless the viewer may change them.
pub(crate) fn found_to_change(call: &Call, viewer: &Viewer) -> Result<UserChange, Problem> {
    UserChange::of(&call.worker, UserId(call.id(0)?), viewer)
}

pub(crate) fn change(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let user = found_to_change(&call, &viewer)?;
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let bio = form.text("bio").map(|bio| bio.trim().to_owned());
        if bio.as_ref().is_some_and(|bio| bio.chars().count() > BIO_LENGTH) {
            form.refuse("bio", format!("must have at most {BIO_LENGTH} characters"));
        }
        let email = form.line("email", 1..=254);
        if email.as_ref().is_some_and(|email| !looks_like_email(email)) {
            form.refuse("email", "does not look like an e-mail address");
        }
        let password =
            if form.has("password") { Some(required_password(&mut form, "password")) } else { None };
        let current_password = form.text("current_password");
        let role = form.word::<Role>("role");
        let rooms = form.ids("room_ids", MAX_ROOMS).map(|ids| ids.into_iter().map(RoomId).collect());
        form.finish()?;
        let change = ProfileChange { name, bio, email, password, current_password, role, rooms };
        let changed = people::change(&call.worker, &viewer, user, change).await?;
        Ok(Reply::written(StatusCode::OK, &changed.private()))
    })
}

pub(crate) fn deactivate(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let user = found_to_change(&call, &viewer)?;
        let current_password = if call.body.is_empty() {
            None
        } else {
            let mut form = call.form()?;
            let password = form.text("current_password").or_else(|| form.text("password"));
            form.finish()?;
            password
        };
        people::deactivate(&call.worker, &viewer, user, current_password).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn invite(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let (token, expires_at) = invitations::invite(&call.worker, &admin, &found(&call, &admin.0)?).await?;
        Ok(link_reply(&call, "invite", &token, expires_at))
    })
}

pub(crate) fn ban(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        people::ban(&call.worker, &admin, found(&call, &admin.0)?).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn lift_ban(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        people::lift_ban(&call.worker, &admin, found(&call, &admin.0)?.id).await?;
        Ok(Reply::no_content())
    })
}

//! Invitations: the list of those who may make them, and the links for whoever is invited.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    account::{qr_svg, shown},
    mail::language,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
    session::signed_in,
};
use crate::{
    chat::{
        NAME_LENGTH, Viewer, account,
        invitations::{self, MAX_DAYS, MAX_NOTE, MAX_ROOMS, MAX_USES, Wanted},
        mail::{self, Invitation as Mailed},
    },
    types::{InvitationId, Role, RoomId, TokenHash},
    wire::{Form, required_email, required_password},
};

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&json!({ "invitations": invitations::list(&call.worker, viewer)? })))
}

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let wanted = wanted(&mut form);
        let address = form.has("email").then(|| required_email(&mut form, "email"));
        form.finish()?;
        if address.is_some() {
            mail::check_is_on(&call.worker)?;
        }
        let (row, token) = invitations::create(&call.worker, &viewer, wanted).await?;
        let url = format!("{}/invite/{token}", call.base_url());
        if let Some(address) = address {
            let (by, expires_at, language) = (viewer.user, row.expires_at, language(&call));
            // A mail leads to the server's own address, whichever way this request came.
            let url = format!("{}/invite/{token}", call.worker.config().base_url());
            let mailed = Mailed { address, user: None, by, url, expires_at, language };
            mail::mail_invitation(&call.worker, mailed).await?;
        }
        let mut made = json!(row);
        made["qr_svg"] = qr_svg(&url).into();
        made["url"] = url.into();
        made["token"] = token.into();
        Ok(Reply::written(StatusCode::CREATED, &made))
    })
}

fn wanted(form: &mut Form) -> Wanted {
    let role = match form.word("role") {
        Some(role @ (Role::Member | Role::Guest)) => role,
        Some(Role::Admin | Role::Bot) => {
            form.refuse("role", "must be one of member, guest");
            Role::Member
        }
        None => Role::Member,
    };
    let rooms = form.ids("room_ids", MAX_ROOMS).unwrap_or_default();
    let note = form.text("note").map(|note| note.trim().to_owned()).unwrap_or_default();
    if note.chars().count() > MAX_NOTE {
        form.refuse("note", format!("must have at most {MAX_NOTE} characters"));
    }
    let max_uses = form.nullable_number("max_uses", 1..=MAX_USES).flatten().unwrap_or(1);
    let days = form.nullable_number("days", 1..=MAX_DAYS).flatten().unwrap_or(7);
    Wanted { role, rooms: rooms.into_iter().map(RoomId).collect(), note, max_uses, days }
}

/// Revokes the invitation whose id is in the path.
pub(crate) fn revoke(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        invitations::revoke(&call.worker, &viewer, InvitationId(call.id(0)?)).await?;
        Ok(Reply::no_content())
    })
}

/// What whoever opens the link is invited to, and what is known of them.
pub(crate) fn show(call: &Call) -> Response {
    let invitation = invitations::find(&call.worker, call.address, &TokenHash::of(&call.param(0)))?;
    let account = account::account(&call.worker)?;
    let state = call.worker.state.borrow();
    let user = invitation.user.and_then(|user| state.users.get(&user));
    let inviter = invitation.creator.and_then(|creator| state.users.get(&creator));
    let rooms: Vec<Value> = invitation.rooms.iter().map(|(_, name)| name.as_str().into()).collect();
    let body = json!({
        "account": shown(&account),
        "inviter": inviter.map(|inviter| &*inviter.name),
        "role": invitation.role,
        "rooms": rooms,
        "expires_at": invitation.expires_at,
        "name": user.map(|user| &*user.name),
        "email": user.and_then(|user| user.email.as_deref()),
    });
    Ok(Reply::json(&body).cache_control("no-store"))
}

/// Joins, or takes the account over that the invitation is for.
pub(crate) fn accept(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let link = TokenHash::of(&call.param(0));
        let invitation = invitations::find(&call.worker, call.address, &link)?;
        let mut form = call.form()?;
        // An account that was imported keeps its name.
        let name = invitation.user.is_none().then(|| form.required_line("name", NAME_LENGTH));
        let email = required_email(&mut form, "email");
        let password = required_password(&mut form, "password");
        form.finish()?;
        signed_in(
            &call,
            invitations::accept(&call.worker, &call.device(), link, name, email, password).await?,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Problem;

    fn asked(fields: Value) -> Result<Wanted, Problem> {
        let Value::Object(fields) = fields else { unreachable!("an object was given") };
        let mut form = Form::of(fields);
        let wanted = wanted(&mut form);
        form.finish().map(|()| wanted)
    }

    #[test]
    fn invitation_is_for_one_member_and_a_week_unless_more_is_asked() {
        let wanted = asked(json!({})).unwrap();
        assert_eq!((wanted.role, wanted.max_uses, wanted.days), (Role::Member, 1, 7));
        for (field, value) in [
            ("role", json!("admin")),
            ("role", json!("bot")),
            ("max_uses", json!(0)),
            ("max_uses", json!(1_001)),
            ("days", json!(0)),
            ("days", json!(91)),
            ("note", json!("x".repeat(201))),
            ("room_ids", json!(vec![1; 101])),
        ] {
            let problem = asked(json!({ field: value })).err().unwrap_or_else(|| panic!("{field} is taken"));
            assert_eq!((problem.status, problem.fields[0].0), (422, field));
        }
        let most = asked(json!({"max_uses": 1_000, "days": 90, "role": "guest"})).unwrap();
        assert_eq!((most.role, most.max_uses, most.days), (Role::Guest, 1_000, 90));
    }
}

//! Addresses that ONCE Campfire has for people, on the host that it was moved from: bookmarks, links in messages and installed
//! apps lead there. Each leads to its counterpart.

use hyper::Uri;

use super::{request::Call, response::Reply, router::Response};
use crate::{text::signed_value, wire::Problem};

pub(crate) fn sign_in(_: &Call) -> Response {
    Reply::redirect("/signin")
}

pub(crate) fn set_up(_: &Call) -> Response {
    Reply::redirect("/setup")
}

/// People have no page here.
pub(crate) fn home(_: &Call) -> Response {
    Reply::redirect("/")
}

pub(crate) fn search(call: &Call) -> Response {
    Reply::redirect(&with_query("/search", &call.uri))
}

fn with_query(path: &str, uri: &Uri) -> String {
    uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// A picture, by the signed id of its user. The signature is not checked: whoever is signed in may see every picture, and
/// everybody else is refused where this leads.
pub(crate) fn avatar(call: &Call) -> Response {
    let id = call.id(0).ok().or_else(|| {
        let value = String::from_utf8(signed_value(&call.param(0))?).ok()?;
        value.parse().ok().filter(|id: &i64| *id > 0)
    });
    Reply::redirect(&format!("/avatars/{}", id.ok_or_else(Problem::not_found)?))
}

/// A page of one's own, below `/users/me`.
pub(crate) fn mine(call: &Call) -> Response {
    Reply::redirect(match &*call.param(1) {
        "profile" => "/settings/profile",
        "push_subscriptions" => "/settings/notifications",
        "sidebar" => "/",
        _ => return Err(Problem::not_found()),
    })
}

pub(crate) fn message(call: &Call) -> Response {
    let (room, message) = (call.id(0)?, call.id(1)?);
    Reply::redirect(&format!("/rooms/{room}/@{message}"))
}

/// The settings of a room, which are in a dialog here.
pub(crate) fn room(call: &Call) -> Response {
    Reply::redirect(&format!("/rooms/{}", call.id(1)?))
}

pub(crate) fn account(call: &Call) -> Response {
    let page = if call.params.is_empty() { "edit".into() } else { call.param(0) };
    Reply::redirect(match &*page {
        "edit" => "/settings/account",
        "users" => "/settings/people",
        "bots" => "/settings/bots",
        "custom_styles" => "/settings/css",
        "logo" => "/api/account/logo",
        _ => return Err(Problem::not_found()),
    })
}

//! Mail: what the viewer wants of it, links to choose a new password, invitations, and ending mails with one click.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;

use super::{
    incoming::{MAX_JSON_OF_ANYBODY, RequestBody, read_body},
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{Admin, Viewer, mail, people},
    types::{Language, MailWish, UserId},
    wire::{Problem, required_email},
};

const HTML: &str = "text/html; charset=utf-8";

/// Only its own form.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The language that the client asks for.
pub(super) fn accepted(call: &Call) -> &str {
    let header = call.headers.get(header::ACCEPT_LANGUAGE);
    header.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(super) fn language(call: &Call) -> Language {
    Language::accepted(accepted(call)).unwrap_or(Language::En)
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&mail::settings(&call.worker, viewer)?))
}

pub(crate) fn change(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let wish = form.word::<MailWish>("wish");
        if wish.is_none() && !form.is_wrong() {
            form.refuse("wish", "is missing");
        }
        form.finish()?;
        mail::set_wish(&call.worker, &viewer, wish.unwrap_or(MailWish::USUAL)).await?;
        Ok(Reply::written(StatusCode::OK, &mail::settings(&call.worker, &viewer)?))
    })
}

/// Forgets that the viewer's address was refused.
pub(crate) fn trust(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        mail::trust_address(&call.worker, &viewer).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn test(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        mail::send_test(&call.worker, &viewer).await?;
        Ok(Reply::accepted())
    })
}

/// Has a link to choose a new password mailed, if somebody has the address; the answer does not tell.
pub(crate) fn reset(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let email = required_email(&mut form, "email");
        form.finish()?;
        mail::request_reset(&call.worker, call.address, email, language(&call)).await?;
        Ok(Reply::accepted())
    })
}

/// Mails an invitation to somebody who was imported.
pub(crate) fn invite(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let user = people::find(&call.worker, &admin.0, UserId(call.id(0)?))?;
        let expires_at = mail::invite(&call.worker, &admin, &user, language(&call)).await?;
        Ok(Reply::written(StatusCode::ACCEPTED, &json!({ "expires_at": expires_at })))
    })
}

/// The page that a link in a mail leads to. It changes nothing until its button is pressed: programs open links in advance.
pub(crate) fn ask_to_end(call: &Call) -> Response {
    let known = call.worker.reader.mail_token(&call.param(0))?.ok_or_else(Problem::not_found)?;
    let (title, words, button) = match known.unwrap_or_else(|| language(call)) {
        Language::En => (
            "No more mails?",
            "You would no longer be told by mail of mentions and direct messages. In the settings, below “Notifications”, you can turn these mails on again.",
            "No more mails",
        ),
        Language::De => (
            "Keine Mails mehr?",
            "Du würdest nicht mehr per Mail von Erwähnungen und direkten Nachrichten erfahren. In den Einstellungen, unter „Mitteilungen“, kannst du diese Mails wieder einschalten.",
            "Keine Mails mehr",
        ),
    };
    let form = format!("<p>{words}</p>\n<form method=\"post\"><button>{button}</button></form>");
    Ok(page(known.unwrap_or_else(|| language(call)), title, &form))
}

/// Ends the mails of the person whom the address stands for: one click of a mail program (RFC 8058), which has no cookie and
/// follows no redirect, or the button of the page. Once or again, with whatever in the body.
pub(crate) fn end(call: Call, mut body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        read_body(&call, &mut body, MAX_JSON_OF_ANYBODY).await?;
        let token = call.param(0).into_owned();
        mail::end(&call.worker, &token).await?;
        let known = call.worker.reader.mail_token(&token)?.flatten().unwrap_or_else(|| language(&call));
        let (title, words) = match known {
            Language::En => ("No more mails", "You get no more mails about mentions and direct messages."),
            Language::De => {
                ("Keine Mails mehr", "Du bekommst keine Mails mehr über Erwähnungen und direkte Nachrichten.")
            }
        };
        Ok(page(known, title, &format!("<p>{words}</p>")))
    })
}

/// A small page without anything from elsewhere. Its texts are ours.
fn page(language: Language, title: &str, content: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title></head>\n<body><main><h1>{title}</h1>\n{content}</main></body></html>\n",
        language.into_str()
    );
    Reply::text(html, HTML)
        .with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY))
        .with(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
        .cache_control("no-store")
}

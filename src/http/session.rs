//! Signing in and out, sessions, and the data that a client starts with.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    account::qr_svg,
    mail::accepted,
    request::{COOKIE, Call, ONCE_COOKIE, cookie},
    response::Reply,
    router::{Response, ResponseFuture},
    second_factors::entered,
};
use crate::{
    chat::{
        Viewer,
        account::sees_join_code,
        mail,
        messages::MAX_CONTENT,
        providers, rooms,
        sessions::{self, SignedIn},
        sync::AsOf,
    },
    store::SessionRow,
    types::{Seq, SessionId, SessionKind, Timestamp, TokenHash, UserId},
    wire::{AccountView, Problem, RoomView, UserView, required_password},
    worker::Worker,
};

/// Seconds that a browser stores the cookie: 400 days, the most that RFC 6265bis allows. The server ends sessions.
const COOKIE_SECONDS: u64 = 400 * 24 * 3600;

pub(crate) fn session_cookie(call: &Call, token: &str) -> HeaderValue {
    set_cookie(call, COOKIE, token, COOKIE_SECONDS)
}

fn set_cookie(call: &Call, name: &str, token: &str, max_age: u64) -> HeaderValue {
    let secure = if call.is_secure() { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}"
    ))
    .expect("a token is printable")
}

/// Gives a browser that comes with the cookie of ONCE Campfire ours for the same session, instead of that one.
pub(crate) fn with_our_cookie(call: &Call, reply: Reply) -> Reply {
    let Some(token) = call.moved_token() else { return reply };
    let reply = reply.with(header::SET_COOKIE, session_cookie(call, &token)).cache_control("no-store");
    without_once_cookie(call, reply)
}

/// Removes the cookie of ONCE Campfire from a browser that has it.
fn without_once_cookie(call: &Call, reply: Reply) -> Reply {
    match cookie(&call.headers, ONCE_COOKIE) {
        Some(_) => reply.with(header::SET_COOKIE, set_cookie(call, ONCE_COOKIE, "", 0)),
        None => reply,
    }
}

/// A user as they see themselves.
pub(crate) fn user_value(worker: &Worker, user: UserId) -> Value {
    let state = worker.state.borrow();
    state.users.get(&user).map_or(Value::Null, |user| json!(user.private()))
}

pub(crate) fn create(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let email = form.required_line("email", 1..=254);
        // Not validated further: any wrong value gets the same answer.
        let password = form.text("password");
        if password.is_none() && !form.has("password") {
            form.refuse("password", "is missing");
        }
        form.finish()?;
        let password = password.unwrap_or_default();
        entered(&call, sessions::sign_in(&call.worker, &call.device(), &email, password).await?)
    })
}

/// The response to signing in: 201 with the user, the token and the cookie.
pub(crate) fn signed_in(call: &Call, (user, token): SignedIn) -> Response {
    let body = json!({ "user": user_value(&call.worker, user), "token": token });
    Ok(Reply::written(StatusCode::CREATED, &body).with(header::SET_COOKIE, session_cookie(call, &token)))
}

/// Sets a password by a link of `campfire admin reset-password`.
pub(crate) fn reset(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let link = TokenHash::of(&call.param(0));
        sessions::check_reset(&call.worker, call.address, &link)?;
        let mut form = call.form()?;
        let password = required_password(&mut form, "password");
        form.finish()?;
        entered(&call, sessions::reset_password(&call.worker, &call.device(), link, password).await?)
    })
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    #[derive(Serialize)]
    struct Start<'a> {
        user: UserView<'a>,
        account: Option<AccountView<'a>>,
        rooms: Vec<RoomView<'a>>,
        users: Vec<UserView<'a>>,
        seq: Seq,
        history: &'a str,
        online: Vec<UserId>,
        limits: Limits,
    }
    /// Sizes are in bytes.
    #[derive(Serialize)]
    struct Limits {
        upload_limit: u64,
        content_limit: usize,
        /// Whether this server sends mail; missing if not.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        sends_mail: bool,
    }
    let worker = &call.worker;
    mail::note_language(worker, viewer, accepted(call));
    let now = AsOf::now(worker)?;
    let state = worker.state.borrow();
    let me = state.users.get(&viewer.user).ok_or_else(Problem::not_signed_in)?;
    let account = state.account.as_ref();
    let start = Reply::json(&Start {
        user: me.private(),
        account: account.map(|account| account.view(sees_join_code(account, viewer))),
        rooms: rooms::rooms_of(worker, &state, viewer.user)?,
        users: state.users_seen_by(viewer.user).iter().map(|user| user.view(viewer.is_admin)).collect(),
        seq: now.seq,
        history: state.epochs.current(),
        online: worker.hub.borrow().online_partners(&state, viewer.user),
        limits: Limits {
            upload_limit: worker.config().upload_limit,
            content_limit: MAX_CONTENT,
            sends_mail: worker.config().smtp_url.is_some(),
        },
    });
    Ok(with_our_cookie(call, start))
}

/// Creates a single-use link that signs another device in.
pub(crate) fn start_transfer(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let (token, expires_at) = sessions::start_transfer(&call.worker, &viewer).await?;
        Ok(link_reply(&call, "transfer", &token, expires_at))
    })
}

/// The response with a link that works once: 201.
pub(crate) fn link_reply(call: &Call, page: &str, token: &str, expires_at: Timestamp) -> Reply {
    let url = format!("{}/{page}/{token}", call.base_url());
    let body = json!({ "url": url, "token": token, "qr_svg": qr_svg(&url), "expires_at": expires_at });
    Reply::written(StatusCode::CREATED, &body)
}

/// Signs in by such a link.
pub(crate) fn transfer(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let link = TokenHash::of(&call.param(0));
        signed_in(&call, sessions::transfer(&call.worker, &call.device(), link).await?)
    })
}

/// Signs out all of the viewer's other devices.
pub(crate) fn destroy_others(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        sessions::end_others(&call.worker, &viewer).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let return_to = format!("{}/signin", call.base_url());
        let url = providers::sign_out_url(&call.worker, &viewer, return_to).await;
        sessions::sign_out(&call.worker, &viewer).await?;
        let reply = match url {
            Some(url) => Reply::written(StatusCode::OK, &json!({ "sign_out_url": url })),
            None => Reply::no_content(),
        };
        let reply = reply.with(header::SET_COOKIE, set_cookie(&call, COOKIE, "", 0));
        Ok(without_once_cookie(&call, reply))
    })
}

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    #[derive(Serialize)]
    struct Device {
        #[serde(flatten)]
        session: SessionRow,
        current: bool,
    }
    let sessions = call.worker.reader.sessions(viewer.user)?;
    let devices: Vec<_> = sessions
        .into_iter()
        .map(|session| Device { current: session.id == viewer.session, session })
        .collect();
    Ok(Reply::json(&json!({ "sessions": devices })))
}

pub(crate) fn destroy_other(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let session = SessionId(call.id(0)?);
        sessions::end(&call.worker, &viewer, session, SessionKind::Device).await?;
        Ok(Reply::no_content())
    })
}

//! Signing in and out, and all that a client needs to start.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    account::qr_svg,
    form::{looks_like_email, required_password},
    password::{hash_aside, verify_aside},
    problem::Problem,
    request::{COOKIE, Call, Viewer},
    response::Reply,
    rooms::my_rooms,
    router::{Answer, Later},
};
use crate::{
    store::{EndOtherSessions, EndSession, ResetPassword, SessionRow, SignIn, StartTransfer, Transfer},
    types::{
        AccountView, RoomView, Seq, SessionId, SessionKind, Timestamp, TokenHash, UserId, UserView,
        random_token,
    },
    worker::Worker,
};

/// A browser keeps the cookie as long as it lets any (RFC 6265bis caps it at 400 days); the session ends on the server.
const COOKIE_SECONDS: u64 = 400 * 24 * 3600;

pub(crate) fn session_cookie(call: &Call, token: &str) -> HeaderValue {
    cookie(call, token, COOKIE_SECONDS)
}

fn cookie(call: &Call, token: &str, max_age: u64) -> HeaderValue {
    let secure = if call.is_secure() { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}"
    ))
    .expect("a token is printable")
}

/// A person as he or she sees him- or herself.
pub(crate) fn user_value(worker: &Worker, user: UserId) -> Value {
    let state = worker.state.borrow();
    state.users.get(&user).map_or(Value::Null, |user| json!(user.private()))
}

pub(crate) fn create(call: Call) -> Later {
    Box::pin(async move {
        let mut form = call.form()?;
        let email = form.required_line("email", 1..=254);
        // Neither what looks wrong nor what is too short can be right, but it is answered like any wrong password.
        let password = form.text("password");
        if password.is_none() && !form.has("password") {
            form.refuse("password", "is missing");
        }
        form.finish()?;
        let password = password.unwrap_or_default();
        let limits = &call.worker.shared.limits;
        limits.try_sign_in(call.address, &email).map_err(Problem::rate_limited)?;
        let credentials =
            if looks_like_email(&email) { call.worker.reader.credentials(&email)? } else { None };
        let (user, hash) = credentials.map(|found| (found.user, found.password_hash)).unzip();
        let is_right = verify_aside(&call.worker, password, hash).await?;
        let Some(user) = user.filter(|_| is_right.is_some()) else { return Err(Problem::wrong_password()) };
        let password_hash = is_right.flatten();
        let (token, session) = call.new_session();
        call.worker.writer.write(SignIn { user, session, password_hash }).await?;
        limits.signed_in(call.address, &email);
        signed_in(&call, user, &token)
    })
}

fn signed_in(call: &Call, user: UserId, token: &str) -> Answer {
    let body = json!({ "user": user_value(&call.worker, user), "token": token });
    Ok(Reply::written(StatusCode::CREATED, &body).with(header::SET_COOKIE, session_cookie(call, token)))
}

/// Uses a link of `campfire admin reset-password`.
pub(crate) fn reset(call: Call) -> Later {
    Box::pin(async move {
        let reset = TokenHash::of(&call.param(0));
        if !call.worker.reader.link_is_open(&reset, "reset", Timestamp::now())? {
            return Err(Problem::not_found());
        }
        let mut form = call.form()?;
        let password = required_password(&mut form, "password");
        form.finish()?;
        let password_hash = hash_aside(&call.worker, password).await?;
        let (token, session) = call.new_session();
        let user = call.worker.writer.write(ResetPassword { token: reset, password_hash, session }).await?;
        signed_in(&call, user, &token)
    })
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Answer {
    #[derive(Serialize)]
    struct Start<'a> {
        user: UserView<'a>,
        account: Option<AccountView<'a>>,
        rooms: Vec<RoomView<'a>>,
        users: Vec<UserView<'a>>,
        seq: Seq,
        online: Vec<UserId>,
    }
    let worker = &call.worker;
    let state = worker.state.borrow();
    let me = state.users.get(&viewer.user).ok_or_else(Problem::not_signed_in)?;
    let account = state.account.as_ref();
    Ok(Reply::json(&Start {
        user: me.private(),
        account: account.map(|account| if viewer.is_admin { account.private() } else { account.public() }),
        rooms: my_rooms(worker, &state, viewer.user)?,
        users: state.users.values().map(|user| user.seen_by_admin(viewer.is_admin)).collect(),
        seq: state.seq,
        online: worker.hub.borrow().online_partners(&state, viewer.user),
    }))
}

/// Makes a link that signs another device in, once.
pub(crate) fn start_transfer(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let token = random_token();
        let command = StartTransfer { user: viewer.user, token: TokenHash::of(&token) };
        let expires_at = call.worker.writer.write(command).await?;
        let url = format!("{}/transfer/{token}", call.base_url());
        let body = json!({ "url": url, "token": token, "qr_svg": qr_svg(&url), "expires_at": expires_at });
        Ok(Reply::written(StatusCode::CREATED, &body))
    })
}

/// Uses such a link.
pub(crate) fn transfer(call: Call) -> Later {
    Box::pin(async move {
        let transfer = TokenHash::of(&call.param(0));
        let (token, session) = call.new_session();
        let user = call.worker.writer.write(Transfer { token: transfer, session }).await?;
        signed_in(&call, user, &token)
    })
}

/// Signs all other devices out.
pub(crate) fn destroy_others(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        call.worker.writer.write(EndOtherSessions { user: viewer.user, but: viewer.session }).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        if viewer.kind == SessionKind::Bot {
            return Err(Problem::forbidden("A bot's key is taken back by an administrator."));
        }
        call.worker
            .writer
            .write(EndSession { user: viewer.user, session: viewer.session, kind: viewer.kind })
            .await?;
        Ok(Reply::no_content().with(header::SET_COOKIE, cookie(&call, "", 0)))
    })
}

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Answer {
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

pub(crate) fn destroy_other(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let session = SessionId(call.id(0)?);
        call.worker
            .writer
            .write(EndSession { user: viewer.user, session, kind: SessionKind::Device })
            .await?;
        Ok(Reply::no_content())
    })
}

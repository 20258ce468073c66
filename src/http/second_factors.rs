//! The second step of signing in.

use hyper::{StatusCode, header};
use serde_json::{Value, json};

use super::{
    account::qr_svg,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
    session::{session_cookie, signed_in, user_value},
    users::found,
};
use crate::{
    chat::{
        Admin, Viewer,
        second_factors::{self, Challenge},
        sessions::Entered,
    },
    wire::Form,
};

/// Characters of a code or of the token that belongs to it.
const LENGTH: std::ops::RangeInclusive<usize> = 1..=64;

/// The response to a password or a link: 201 as who has signed in, or 202 with what is asked next.
pub(crate) fn entered(call: &Call, entered: Entered) -> Response {
    match entered {
        Entered::In(user) => signed_in(call, user),
        Entered::Asked(challenge) => {
            let body = json!({ "second_factor": shown(&challenge) });
            Ok(Reply::written(StatusCode::ACCEPTED, &body).cache_control("no-store"))
        }
    }
}

fn shown(challenge: &Challenge) -> Value {
    let mut shown = json!({ "token": challenge.token, "expires_at": challenge.expires_at });
    if let Some(app) = &challenge.set_up {
        shown["set_up"] = json!({ "key": app.key, "uri": app.uri, "qr_svg": qr_svg(&app.uri) });
    }
    shown
}

/// Signs in by a code.
pub(crate) fn finish(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let (token, code) = token_and_code(&call)?;
        let ((user, token), recovery_codes) =
            second_factors::finish(&call.worker, &call.device(), &token, &code).await?;
        let mut body = json!({ "user": user_value(&call.worker, user), "token": token });
        if let Some(codes) = recovery_codes {
            body["recovery_codes"] = codes.into();
        }
        let reply = Reply::written(StatusCode::CREATED, &body).cache_control("no-store");
        Ok(reply.with(header::SET_COOKIE, session_cookie(&call, &token)))
    })
}

fn token_and_code(call: &Call) -> Result<(String, String), crate::wire::Problem> {
    let mut form = call.form()?;
    let token = form.required_line("token", LENGTH);
    let code = form.required_line("code", LENGTH);
    form.finish()?;
    Ok((token, code))
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&second_factors::status(&call.worker, viewer)?))
}

/// The password of now and a code, of which either may be needed.
fn proofs(call: &Call) -> Result<(Option<String>, Option<String>), crate::wire::Problem> {
    let mut form = if call.body.is_empty() { Form::of(serde_json::Map::new()) } else { call.form()? };
    let current_password = form.text("current_password");
    let code = form.line("code", LENGTH);
    form.finish()?;
    Ok((current_password, code))
}

pub(crate) fn begin(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let (password, code) = proofs(&call)?;
        let begun = second_factors::begin(&call.worker, &viewer, password, code.as_deref()).await?;
        Ok(Reply::written(StatusCode::CREATED, &shown(&begun)).cache_control("no-store"))
    })
}

pub(crate) fn turn_on(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let (token, code) = token_and_code(&call)?;
        let codes = second_factors::turn_on(&call.worker, &viewer, &token, &code).await?;
        Ok(Reply::written(StatusCode::OK, &json!({ "recovery_codes": codes })).cache_control("no-store"))
    })
}

pub(crate) fn turn_off(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let (password, code) = proofs(&call)?;
        second_factors::turn_off(&call.worker, &viewer, password, code.as_deref()).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn renew_codes(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let (password, code) = proofs(&call)?;
        let codes = second_factors::renew_codes(&call.worker, &viewer, password, code.as_deref()).await?;
        Ok(Reply::written(StatusCode::CREATED, &json!({ "recovery_codes": codes })).cache_control("no-store"))
    })
}

pub(crate) fn remove_of(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        second_factors::remove_of(&call.worker, &admin, &found(&call, &admin.0)?).await?;
        Ok(Reply::no_content())
    })
}

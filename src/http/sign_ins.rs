//! Who signs in how, who failed to, and everybody's sessions: for administrators.

use serde_json::json;

use super::{
    READ_DEADLINE,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
    session::link_reply,
    users::found,
};
use crate::{
    chat::{Admin, sign_ins},
    store::Reader,
    types::SessionId,
};

pub(crate) fn list(call: &Call, _: &Admin) -> Response {
    let people = call.worker.reader.within(READ_DEADLINE, Reader::sign_ins)?;
    Ok(Reply::json(&json!({ "people": people })))
}

pub(crate) fn failed(call: &Call, _: &Admin) -> Response {
    let query = call.query();
    let (before, limit) = (query.id("before")?, query.limit()?);
    let (failed, has_before) = call.worker.reader.failed_sign_ins(before, limit)?;
    Ok(Reply::json(&json!({ "failed": failed, "has_before": has_before })))
}

pub(crate) fn sessions(call: &Call, admin: &Admin) -> Response {
    let user = found(call, &admin.0)?;
    Ok(Reply::json(&json!({ "sessions": call.worker.reader.all_sessions(user.id)? })))
}

pub(crate) fn end_all(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        sign_ins::end_all(&call.worker, &admin, &found(&call, &admin.0)?).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn end(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let session = SessionId(call.id(1)?);
        sign_ins::end(&call.worker, &admin, &found(&call, &admin.0)?, session).await?;
        Ok(Reply::no_content())
    })
}

/// A link for somebody who lost the password.
pub(crate) fn start(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let (token, expires_at) = sign_ins::start(&call.worker, &admin, &found(&call, &admin.0)?).await?;
        Ok(link_reply(&call, "reset", &token, expires_at))
    })
}

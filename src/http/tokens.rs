//! Personal API tokens.

use hyper::StatusCode;
use serde_json::json;

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{NAME_LENGTH, Viewer, sessions},
    types::{SessionId, SessionKind},
};

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&json!({ "tokens": call.worker.reader.tokens(viewer.user)? })))
}

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        sessions::check_may_have_tokens(&viewer)?;
        let mut form = call.form()?;
        let name = form.required_line("name", NAME_LENGTH);
        form.finish()?;
        let device = call.device();
        let (id, token) = sessions::create_token(&call.worker, &viewer, &device, name.clone()).await?;
        Ok(Reply::written(StatusCode::CREATED, &json!({ "id": id, "name": name, "token": token })))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let session = SessionId(call.id(0)?);
        sessions::end(&call.worker, &viewer, session, SessionKind::Token).await?;
        Ok(Reply::no_content())
    })
}

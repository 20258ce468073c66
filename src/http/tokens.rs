//! Personal API tokens: the secret is shown once, its hash is kept.

use hyper::StatusCode;
use serde_json::json;

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{NAME_LENGTH, Viewer, sessions},
    store::CreateToken,
    types::{SessionId, SessionKind},
    wire::Problem,
};

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&json!({ "tokens": call.worker.reader.tokens(viewer.user)? })))
}

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        if viewer.kind == SessionKind::Bot {
            return Err(Problem::forbidden("A bot has its key."));
        }
        let mut form = call.form()?;
        let name = form.required_line("name", NAME_LENGTH);
        form.finish()?;
        let (token, session) = call.device().new_session();
        let command = CreateToken { user: viewer.user, name: name.clone(), session };
        let id = call.worker.writer.write(command).await?;
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

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
    types::{Scope, SessionId, SessionKind},
};

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    Ok(Reply::json(&json!({ "tokens": call.worker.reader.tokens(viewer.user)? })))
}

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        sessions::check_may_make_secrets(&viewer)?;
        let mut form = call.form()?;
        let name = form.required_line("name", NAME_LENGTH);
        // Without a scope it may do what its owner may, as before there were scopes.
        let scope = if form.has("scope") { form.word("scope") } else { Some(Scope::Admin) };
        form.finish()?;
        let scope = scope.unwrap_or(Scope::Read);
        let device = call.device();
        let (id, token) = sessions::create_token(&call.worker, &viewer, &device, name.clone(), scope).await?;
        let body = json!({ "id": id, "name": name, "scope": scope, "token": token });
        Ok(Reply::written(StatusCode::CREATED, &body))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let session = SessionId(call.id(0)?);
        sessions::end(&call.worker, &viewer, session, SessionKind::Token).await?;
        Ok(Reply::no_content())
    })
}

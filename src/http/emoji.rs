//! Emoji of the team's own: the list, their pictures, adding and removing them.

use hyper::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    incoming::RequestBody,
    pictures::{receive_picture, reply},
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{Admin, Viewer, emoji},
    media::picture,
    text::is_emoji_name,
    wire::Problem,
};

fn view(name: &str, version: i64) -> Value {
    let path = utf8_percent_encode(name, NON_ALPHANUMERIC);
    json!({ "name": name, "url": format!("/emoji/{path}?v={version}") })
}

pub(crate) fn list(call: &Call, _: &Viewer) -> Response {
    let all: Vec<Value> =
        call.worker.reader.emoji()?.iter().map(|(name, version)| view(name, *version)).collect();
    Ok(Reply::json(&json!({ "emoji": all })))
}

pub(crate) fn show(call: &Call, _: &Viewer) -> Response {
    reply(call, call.worker.reader.emoji_picture(&call.param(0))?.ok_or_else(Problem::not_found)?)
}

pub(crate) fn put(call: Call, viewer: Viewer, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let admin = Admin::of(viewer)?;
        let name = call.param(0).into_owned();
        if !is_emoji_name(&name) {
            return Err(Problem::invalid_field(
                "name",
                "must have 1 to 64 small letters, digits and the signs _ - +",
            ));
        }
        let image = receive_picture(&call, body, picture::emoji).await?;
        let version = emoji::put(&call.worker, &admin, name.clone(), image).await?;
        Ok(Reply::written(StatusCode::OK, &view(&name, version)))
    })
}

pub(crate) fn remove(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        emoji::remove(&call.worker, &admin, call.param(0).into_owned()).await?;
        Ok(Reply::no_content())
    })
}

//! Incoming webhooks: programs post messages to a room in Slack's format.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    incoming::{MAX_JSON, RequestBody, read_body},
    query::Query,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{Admin, NAME_LENGTH, bots},
    text,
    types::{HookId, RoomId, TokenHash},
    wire::Problem,
};

pub(crate) fn list(call: &Call, _: &Admin) -> Response {
    Ok(Reply::json(&json!({ "hooks": call.worker.reader.hooks()? })))
}

pub(crate) fn create(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let name = form.required_line("name", NAME_LENGTH);
        let room = RoomId(form.required_id("room_id"));
        form.finish()?;
        let (id, token) = bots::create_hook(&call.worker, &admin, name.clone(), room).await?;
        let url = format!("{}/hooks/{token}", call.base_url());
        let body = json!({ "id": id, "name": name, "room_id": room, "url": url });
        Ok(Reply::written(StatusCode::CREATED, &body))
    })
}

pub(crate) fn destroy(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let hook = HookId(call.id(0)?);
        bots::remove_hook(&call.worker, &admin, hook).await?;
        Ok(Reply::no_content())
    })
}

/// Accepts what Slack's incoming webhooks accept, and responds as they do.
pub(crate) fn receive(call: Call, mut body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let hook = bots::find_hook(&call.worker, &TokenHash::of(&call.param(0)))?;
        let body = read_body(&call, &mut body, MAX_JSON).await?;
        let payload = payload(&call, &body)?;
        let sent = text::from_slack(&payload).ok_or_else(no_text)?;
        bots::post_by_hook(&call.worker, &hook, &sent).await?;
        Ok(Reply::text("ok", "text/plain; charset=utf-8"))
    })
}

fn no_text() -> Problem {
    Problem::of_hook(400, "no_text")
}

/// JSON, or a form with the JSON in its field `payload`.
fn payload(call: &Call, body: &[u8]) -> Result<Value, Problem> {
    let parse = |text: &[u8]| {
        serde_json::from_slice(text)
            .map_err(|error| Problem::malformed(format!("The payload is not JSON: {error}.")))
    };
    if call.content_type().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        let form = Query::parse(&String::from_utf8_lossy(body));
        return match form.text("payload") {
            Some(payload) => parse(payload.as_bytes()),
            None => Err(no_text()),
        };
    }
    // Some senders send JSON without its content type.
    parse(body)
}

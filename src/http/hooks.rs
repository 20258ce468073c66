//! Incoming webhooks: programs that speak Slack's format say something in a room.

use hyper::{StatusCode, body::Incoming, header};
use serde_json::{Value, json};

use super::{
    request::{Call, MAX_JSON, Query, read_body},
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{
        Admin, NAME_LENGTH, bots,
        messages::{self, Draft},
    },
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

/// Takes what Slack's incoming webhooks take, and answers what they answer.
pub(crate) fn receive(call: Call, body: Incoming) -> ResponseFuture {
    Box::pin(async move {
        let token = TokenHash::of(&call.param(0));
        let hook = call.worker.reader.hook_of(&token)?.ok_or_else(|| refusal(403, "invalid_token"))?;
        let is_in = call.worker.state.borrow().involvement(hook.room_id, hook.user_id).is_some();
        if !is_in {
            return Err(refusal(403, "invalid_token"));
        }
        let body = read_body(&call.worker, body, MAX_JSON).await?;
        let payload = payload(&call, &body)?;
        let said = text::from_slack(&payload).ok_or_else(|| refusal(400, "no_text"))?;
        call.worker.shared.limits.post(hook.user_id).map_err(Problem::rate_limited)?;
        // Slack lets a sender choose its name for each message; ours keeps the hook's, with the other above the text.
        let mut content = String::new();
        match (&said.username, &said.icon_emoji) {
            (Some(name), icon) if *name != hook.name => {
                let icon = icon.as_deref().map(|icon| format!("{icon} ")).unwrap_or_default();
                content = format!("{icon}**{name}**\n\n");
            }
            _ => {}
        }
        content.push_str(&said.markdown);
        let command = messages::post(&call.worker, hook.user_id, hook.room_id, Draft::of(content));
        call.worker.writer.write(command).await?;
        Ok(Reply::text("ok", "text/plain; charset=utf-8"))
    })
}

fn refusal(status: u16, code: &'static str) -> Problem {
    Problem::of_hook(status, code)
}

/// JSON, or a form with the JSON in its field `payload`.
fn payload(call: &Call, body: &[u8]) -> Result<Value, Problem> {
    let kind =
        call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parse = |text: &[u8]| {
        serde_json::from_slice(text)
            .map_err(|error| Problem::malformed(format!("The payload is not JSON: {error}.")))
    };
    if kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        let form = Query::parse(&String::from_utf8_lossy(body));
        return match form.text("payload") {
            Some(payload) => parse(payload.as_bytes()),
            None => Err(refusal(400, "no_text")),
        };
    }
    // Some senders forget to say that it is JSON.
    parse(body)
}

//! Incoming webhooks: programs post messages to a room in Slack's format.

use std::{borrow::Cow, io::Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use hyper::{StatusCode, header};
use serde_json::{Value, json};

use super::{
    incoming::{MAX_JSON, RequestBody, read_body, reserve},
    multipart::{Multipart, Part},
    query::Query,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{Admin, NAME_LENGTH, bots},
    text,
    types::{HookFormat, HookId, RoomId, TokenHash},
    wire::{Problem, parse_json},
};

const TEXT: &str = "text/plain; charset=utf-8";

pub(crate) fn list(call: &Call, _: &Admin) -> Response {
    Ok(Reply::json(&json!({ "hooks": call.worker.reader.hooks()? })))
}

pub(crate) fn create(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let name = form.required_line("name", NAME_LENGTH);
        let room = RoomId(form.required_id("room_id"));
        let format = form.word("format").unwrap_or(HookFormat::Auto);
        form.finish()?;
        let (id, token) = bots::create_hook(&call.worker, &admin, name.clone(), room, format).await?;
        let url = format!("{}/hooks/{token}", call.base_url());
        let body = json!({ "id": id, "name": name, "room_id": room, "format": format, "url": url });
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

pub(crate) fn change(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let hook = HookId(call.id(0)?);
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let format = form.word("format");
        form.finish()?;
        let hook = bots::change_hook(&call.worker, &admin, hook, name, format).await?;
        Ok(Reply::written(StatusCode::OK, &hook))
    })
}

/// Accepts what Slack's incoming webhooks accept, and responds as they do: in bare words.
pub(crate) fn receive(call: Call, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let problem = match received(&call, body).await {
            Ok(()) => return Ok(Reply::text("ok", TEXT)),
            Err(problem) => problem,
        };
        let mut reply = Reply::text(problem.code, TEXT);
        reply.status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(seconds) = problem.retry_after_s() {
            reply = reply.with(header::RETRY_AFTER, seconds.into());
        }
        Ok(reply)
    })
}

async fn received(call: &Call, body: RequestBody) -> Result<(), Problem> {
    let hook = bots::find_hook(&call.worker, &TokenHash::of(&call.param(0)))?;
    let payload = payload(call, body).await?;
    bots::post_by_hook(&call.worker, &hook, &payload).await
}

fn invalid() -> Problem {
    Problem::of_hook(400, "invalid_payload")
}

/// JSON, or a form with the JSON in its field `payload`. Some senders send JSON under another type, or under none.
async fn payload(call: &Call, mut body: RequestBody) -> Result<Value, Problem> {
    let kind = call.content_type().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "multipart/form-data" {
        return parse(&payload_part(call, body).await?);
    }
    let body = read_body(call, &mut body, MAX_JSON).await?;
    let body = decompressed(call, &body)?;
    // Never refused for its charset: a sender would not try again.
    let text = match text::decoded(&body, call.content_type()) {
        Ok((text, false)) => text,
        _ => text::decoded(&body, "; charset=windows-1252").map(|(text, _)| text).unwrap_or_default(),
    };
    if kind == "application/x-www-form-urlencoded" && !text.trim_start().starts_with('{') {
        let form = Query::parse(&text);
        let payload = form.text("payload").ok_or_else(|| Problem::of_hook(400, "no_text"))?;
        // `curl -d payload=…` encodes nothing: what stands in the JSON may end the field.
        return parse(payload).or_else(|problem| match text.trim_start().strip_prefix("payload=") {
            Some(raw) => parse(raw),
            None => Err(problem),
        });
    }
    parse(&text)
}

fn parse(text: &str) -> Result<Value, Problem> {
    parse_json(text.trim().as_bytes()).map_err(|_| invalid())
}

/// The field `payload` of a multipart form.
async fn payload_part(call: &Call, body: RequestBody) -> Result<String, Problem> {
    let timeout = call.worker.config().body_timeout;
    let mut form = Multipart::new(body, call.content_type(), timeout)?;
    let _memory = reserve(call, MAX_JSON)?;
    let mut found = None;
    let mut length = 0;
    while let Some(Part { name, .. }) = form.next_part().await? {
        let mut text = Vec::new();
        while let Some(chunk) = form.chunk().await? {
            length += chunk.len();
            if length > MAX_JSON {
                return Err(Problem::too_large(MAX_JSON));
            }
            text.extend_from_slice(&chunk);
        }
        if name == "payload" {
            found = Some(String::from_utf8_lossy(&text).into_owned());
        }
    }
    found.ok_or_else(|| Problem::of_hook(400, "no_text"))
}

/// The body without its content coding. 413 if it is too large, 400 if it is not in the coding that is named, or that is
/// not known.
fn decompressed<'b>(call: &Call, body: &'b [u8]) -> Result<Cow<'b, [u8]>, Problem> {
    let coding =
        call.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut out = Vec::new();
    let most = MAX_JSON as u64 + 1;
    let read = match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => return Ok(body.into()),
        "gzip" | "x-gzip" => MultiGzDecoder::new(body).take(most).read_to_end(&mut out),
        "deflate" => ZlibDecoder::new(body).take(most).read_to_end(&mut out),
        _ => return Err(invalid()),
    };
    read.map_err(|_| invalid())?;
    if out.len() > MAX_JSON { Err(Problem::too_large(MAX_JSON)) } else { Ok(out.into()) }
}

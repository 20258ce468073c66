//! Delivers a message to the webhook of a bot, and posts the reply.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use hyper::{
    Method,
    header::{self, HeaderName, HeaderValue},
};

use super::{Done, Failure, Runner};
use crate::{
    chat::{
        RoomAccess,
        bots::Delivery,
        files::{commit, keep_bytes},
        messages::{Draft, post, post_file},
    },
    outbound::{Call, Redirects, Scope},
    store::Job,
    text,
    types::UserId,
    worker::Worker,
};

/// For connecting, and again for the reply.
const TIMEOUT: Duration = Duration::from_secs(7);

/// Bytes of a reply; a longer one is dropped.
const MAX_ANSWER: usize = 10 << 20;

/// Bytes of a text reply; a longer one is truncated to fit into a message.
const MAX_TEXT: usize = 64 << 10;

pub(super) async fn deliver(runner: &Rc<Runner>, job: &Job) -> Done {
    let (Some(bot), Some(message)) = (job.target.map(UserId), job.message) else { return Ok(Vec::new()) };
    let delivery = Delivery::of(&runner.reader, bot, message)?;
    // The message, the bot or its webhook no longer exists.
    let Some(Delivery { url, body, room }) = delivery else { return Ok(Vec::new()) };
    let key =
        HeaderValue::try_from(&job.key).map_err(|_| Failure::Permanent("its key is unprintable".into()))?;
    let call = Call {
        method: Method::POST,
        url,
        headers: vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            // The same for every retry (draft-ietf-httpapi-idempotency-key-header).
            (HeaderName::from_static("idempotency-key"), key),
        ],
        body: Bytes::from(body),
        scope: Scope::Anywhere,
        redirects: Redirects::SameHost(3),
        connect: TIMEOUT,
        total: 2 * TIMEOUT,
        max_body: MAX_ANSWER,
    };
    let answer = runner.outside.call(&call).await?;
    match answer.status.as_u16() {
        200 => {}
        201..=299 => return Ok(Vec::new()),
        status @ (408 | 425 | 429 | 500..) => return Err(Failure::Retry(format!("it answered {status}"))),
        status => return Err(Failure::Permanent(format!("it answered {status}"))),
    }
    if answer.truncated {
        return Err(Failure::Permanent("its answer is too large".into()));
    }
    let kind = answer.content_type().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let content = match kind.as_str() {
        "text/plain" | "text/html" => {
            let mut reply = String::from_utf8_lossy(&answer.body).into_owned();
            if kind == "text/html" {
                reply = text::from_html(&reply);
            }
            reply.truncate(reply.floor_char_boundary(MAX_TEXT));
            reply.trim().to_owned()
        }
        _ => String::new(),
    };
    let is_text = kind.starts_with("text/plain") || kind == "text/html";
    if answer.body.is_empty() || is_text && content.is_empty() {
        return Ok(Vec::new());
    }
    // If the server crashes before the job is finished, the id keeps a second reply from being posted.
    let draft = Draft { content, client_message_id: Some(format!("webhook-{}", job.key)), reply_to: None };
    if is_text {
        let command = move |worker: &Rc<Worker>| {
            RoomAccess::of(worker, room, bot).ok().map(|_| post(worker, bot, room, draft))
        };
        if let Some(command) = runner.ask(command).await? {
            runner.writer.write(command).await?;
        }
        return Ok(Vec::new());
    }
    let name = format!("answer.{}", kind.rsplit('/').next().unwrap_or("bin"));
    let folder = runner.shared.folder.clone();
    let stored = tokio::task::spawn_blocking(move || keep_bytes(&folder, &answer.body, &name)).await;
    let (file, kept) = stored
        .map_err(|error| Failure::Retry(error.to_string()))?
        .map_err(|error| Failure::Retry(error.to_string()))?;
    let command = move |worker: &Rc<Worker>| {
        RoomAccess::of(worker, room, bot).ok().map(|_| post_file(worker, bot, room, draft, file))
    };
    if let Some(command) = runner.ask(command).await? {
        commit(runner.writer.clone(), command, kept).await?;
    }
    Ok(Vec::new())
}

//! Tells a bot of a message that is for it, and posts what it answers.

use std::{rc::Rc, time::Duration};

use super::{Done, Failure, Runner};
use crate::{
    chat::{
        bots::Delivery,
        files::keep_bytes,
        messages::{Draft, post, post_file},
    },
    outbound::{Call, Redirects, Scope},
    store::Job,
    text,
    types::{RoomId, UserId},
    worker::Worker,
};
use bytes::Bytes;
use hyper::{
    Method,
    header::{self, HeaderName, HeaderValue},
};

/// To connect, and then to answer.
const PATIENCE: Duration = Duration::from_secs(7);

/// Bytes of an answer. A longer one is given up: half a file is none.
const MAX_ANSWER: usize = 10 << 20;

/// A text longer than this is cut: it is to be a message.
const MAX_TEXT: usize = 64 << 10;

pub(super) async fn deliver(runner: &Rc<Runner>, job: &Job) -> Done {
    let (Some(bot), Some(message)) = (job.target.map(UserId), job.message) else { return Ok(Vec::new()) };
    let delivery = Delivery::of(&runner.reader, bot, message)?;
    // The message, the bot or its webhook is gone: there is nothing to tell.
    let Some(Delivery { url, body, room }) = delivery else { return Ok(Vec::new()) };
    let key = HeaderValue::try_from(&job.key).map_err(|_| Failure::Never("its key is unprintable".into()))?;
    let call = Call {
        method: Method::POST,
        url,
        headers: vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            // The same at every try (draft-ietf-httpapi-idempotency-key-header).
            (HeaderName::from_static("idempotency-key"), key),
        ],
        body: Bytes::from(body),
        scope: Scope::Anywhere,
        redirects: Redirects::SameHost(3),
        connect: PATIENCE,
        total: 2 * PATIENCE,
        max_body: MAX_ANSWER,
    };
    let answer = runner.outside.call(&call).await?;
    match answer.status.as_u16() {
        200 => {}
        201..=299 => return Ok(Vec::new()),
        status @ (408 | 425 | 429 | 500..) => return Err(Failure::Later(format!("it answered {status}"))),
        status => return Err(Failure::Never(format!("it answered {status}"))),
    }
    if answer.truncated {
        return Err(Failure::Never("its answer is too large".into()));
    }
    let kind = answer.content_type().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let content = match kind.as_str() {
        "text/plain" | "text/html" => {
            let mut said = String::from_utf8_lossy(&answer.body).into_owned();
            if kind == "text/html" {
                said = text::from_html(&said);
            }
            said.truncate(said.floor_char_boundary(MAX_TEXT));
            said.trim().to_owned()
        }
        _ => String::new(),
    };
    let is_text = kind.starts_with("text/plain") || kind == "text/html";
    if answer.body.is_empty() || is_text && content.is_empty() {
        return Ok(Vec::new());
    }
    // If we crash before the job is noted as done, the second reply finds the first.
    let draft = Draft { content, client_message_id: Some(format!("webhook-{}", job.key)), reply_to: None };
    let command = if is_text {
        runner.ask(move |worker| is_in(worker, room, bot).then(|| post(worker, bot, room, draft))).await?
    } else {
        let name = format!("answer.{}", kind.rsplit('/').next().unwrap_or("bin"));
        let folder = runner.shared.folder.clone();
        let kept = tokio::task::spawn_blocking(move || keep_bytes(&folder, &answer.body, &name)).await;
        let file = kept
            .map_err(|error| Failure::Later(error.to_string()))?
            .map_err(|error| Failure::Later(error.to_string()))?;
        runner
            .ask(move |worker| is_in(worker, room, bot).then(|| post_file(worker, bot, room, draft, file)))
            .await?
    };
    if let Some(command) = command {
        runner.writer.write(command).await?;
    }
    Ok(Vec::new())
}

fn is_in(worker: &Worker, room: RoomId, bot: UserId) -> bool {
    worker.state.borrow().involvement(room, bot).is_some()
}

//! Delivers a message to the webhook of a bot, and posts the reply, as ONCE Campfire does.

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
        documents::{self, Body},
        files::{commit, keep_bytes},
        notifications::Calls,
    },
    outbound::{Answer, Call, CallError, Redirects, Scope},
    store::Job,
    text,
    types::{RoomId, UserId},
    worker::Worker,
};

/// For the whole call.
const TIMEOUT: Duration = Duration::from_secs(7);

/// What the room reads after that.
const TIMED_OUT: &str = "Failed to respond within 7 seconds";

/// Bytes of a reply; a longer one is dropped.
const MAX_ANSWER: usize = 10 << 20;

/// A bot in a room that it answers in.
struct Reply<'r> {
    runner: &'r Rc<Runner>,
    bot: UserId,
    room: RoomId,
    /// If the server crashes before the job is finished, the id keeps a second reply from being posted.
    client_message_id: String,
}

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
        total: TIMEOUT,
        max_body: MAX_ANSWER,
    };
    let reply = Reply { runner, bot, room, client_message_id: format!("webhook-{}", job.key) };
    match runner.outside.call(&call).await {
        Ok(answer) => take(reply, answer).await,
        Err(CallError::Timeout) => reply.text(Body::Markdown(TIMED_OUT.into())).await,
        // A bot that has the message may have acted on it: it is not told twice.
        Err(CallError::Broken(why)) => Err(Failure::Permanent(why)),
        Err(error) => Err(error.into()),
    }
}

/// Posts an answer: text if the status is 200, a file of another type with any status.
async fn take(reply: Reply<'_>, answer: Answer) -> Done {
    let status = answer.status.as_u16();
    // The bot says that it has not done it yet.
    if matches!(status, 425 | 429 | 503) {
        return Err(Failure::Retry(format!("it answered {status}")));
    }
    if answer.truncated {
        return Err(Failure::Permanent("its answer is too large".into()));
    }
    let content_type = answer.content_type().to_owned();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = matches!(kind.as_str(), "" | "text/plain" | "text/html" | "text/markdown");
    if !is_text && !answer.body.is_empty() {
        return reply.file(answer.body, file_name(&kind)).await;
    }
    if !answer.status.is_success() {
        return Err(Failure::Permanent(format!("it answered {status}")));
    }
    if status != 200 || kind.is_empty() {
        return Ok(Vec::new());
    }
    let text = match text::decoded(&answer.body, &content_type) {
        Ok((text, false)) => text,
        // Its author is not there to be told.
        _ => text::decoded_as(&answer.body, "windows-1252").map(|(text, _)| text).unwrap_or_default(),
    };
    let body = Body::of(&kind, text.trim().to_owned()).cut();
    if body.is_empty() { Ok(Vec::new()) } else { reply.text(body).await }
}

impl Reply<'_> {
    async fn text(self, body: Body) -> Done {
        let Self { runner, bot, room, client_message_id } = self;
        let command = move |worker: &Rc<Worker>| {
            RoomAccess::of(worker, room, bot)
                .ok()
                .map(|_| documents::post(worker, bot, room, body, Some(client_message_id), Calls::Nobody))
        };
        if let Some(command) = runner.ask(command).await? {
            runner.writer.write(command).await?;
        }
        Ok(Vec::new())
    }

    async fn file(self, bytes: Bytes, name: String) -> Done {
        let Self { runner, bot, room, client_message_id } = self;
        let folder = runner.shared.folder.clone();
        let stored = tokio::task::spawn_blocking(move || keep_bytes(&folder, &bytes, &name)).await;
        let (file, kept) = stored
            .map_err(|error| Failure::Retry(error.to_string()))?
            .map_err(|error| Failure::Retry(error.to_string()))?;
        let command = move |worker: &Rc<Worker>| {
            RoomAccess::of(worker, room, bot).ok().map(|_| {
                documents::post_file(worker, bot, room, file, Some(client_message_id), Calls::Nobody)
            })
        };
        if let Some(command) = runner.ask(command).await? {
            commit(runner.writer.clone(), command, kept).await?;
        }
        Ok(Vec::new())
    }
}

/// `attachment.EXT`, by the media type.
fn file_name(kind: &str) -> String {
    let extension = match kind {
        "application/gzip" | "application/x-gzip" => "gz",
        "application/javascript" | "text/javascript" => "js",
        "application/msword" => "doc",
        "application/octet-stream" => "bin",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/x-tar" => "tar",
        "application/x-www-form-urlencoded" | "multipart/form-data" => "txt",
        "application/x-yaml" | "application/yaml" | "text/yaml" => "yaml",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "audio/aac" | "audio/mp4" | "audio/x-m4a" => "m4a",
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "image/svg+xml" => "svg",
        "image/vnd.microsoft.icon" | "image/x-icon" => "ico",
        "text/calendar" => "ics",
        "text/tab-separated-values" => "tsv",
        "text/vcard" | "text/x-vcard" => "vcf",
        "video/quicktime" => "mov",
        "video/x-matroska" => "mkv",
        _ => {
            let (_, name) = kind.split_once('/').unwrap_or_default();
            // `application/problem+json` is JSON.
            let name = name.rsplit('+').next().unwrap_or_default();
            let name = name.strip_prefix("x-").unwrap_or(name);
            let is_short =
                (1..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_short { name } else { "bin" }
        }
    };
    format!("attachment.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_media_type() {
        for (kind, name) in [
            ("image/jpeg", "attachment.jpeg"),
            ("image/svg+xml", "attachment.svg"),
            ("application/problem+json", "attachment.json"),
            ("application/pdf", "attachment.pdf"),
            ("audio/mpeg", "attachment.mp3"),
            ("text/csv", "attachment.csv"),
            ("application/vnd.example.thing", "attachment.bin"),
            ("../../etc/passwd", "attachment.bin"),
            ("nonsense", "attachment.bin"),
        ] {
            assert_eq!(file_name(kind), name, "{kind}");
        }
    }
}

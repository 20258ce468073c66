//! Messages: pages of them, and writing them.

use bytes::{BufMut, Bytes, BytesMut};
use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};

use super::{
    form::Form,
    problem::Problem,
    request::{Call, RoomAccess, Viewer},
    response::{Reply, gzip},
    router::{Answer, Later},
};
use crate::{
    cache::CachedPage,
    store::{DeleteMessage, EditMessage, Page, PostMessage, Select, Text},
    text,
    types::{MessageId, RoomId, UserId},
    worker::Worker,
};

/// Bytes of Markdown in a message, once trimmed.
pub(crate) const MAX_CONTENT: usize = 64 << 10;

const MAX_CLIENT_MESSAGE_ID: usize = 128;

const DEFAULT_LIMIT: usize = 50;

pub(crate) fn page(call: &Call, viewer: &Viewer) -> Answer {
    let access = RoomAccess::of(&call.worker, RoomId(call.id(0)?), viewer.user)?;
    let query = call.query();
    let limit = query.limit()?;
    let edges = [
        query.message("before")?.map(Select::Before),
        query.message("after")?.map(Select::After),
        query.message("around")?.map(Select::Around),
    ];
    let mut given = edges.into_iter().flatten();
    let select = given.next().unwrap_or(Select::Newest);
    if given.next().is_some() {
        return Err(Problem::malformed("Only one of `before`, `after` and `around` can be given."));
    }
    let version =
        call.worker.state.borrow().rooms.get(&access.room).map(|room| room.version).unwrap_or_default();
    // A page of a room is the same until something happens to a message of it.
    let etag = format!("{}-{version}", super::boot_tag());
    if (select, limit) == (Select::Newest, DEFAULT_LIMIT) {
        let mut pages = call.worker.pages.borrow_mut();
        if let Some(page) = pages.get(access.room, version) {
            call.worker.metrics.page_hits.add(1);
            let wants_gzip = page.gzip.is_none() && Reply::would_gzip(page.body.len(), &call.headers);
            if wants_gzip {
                page.gzip = Some(gzip(&page.body));
            }
            let mut reply = Reply::tagged(page.body.clone(), etag);
            reply.gzip = page.gzip.clone();
            let grown = page.gzip.as_ref().filter(|_| wants_gzip).map_or(0, Bytes::len);
            let link = page.link.clone();
            pages.grew(grown);
            return Ok(with_link(reply, link));
        }
    }
    let found =
        call.worker.reader.within(super::READ_DEADLINE, |reader| reader.page(access.room, select, limit))?;
    let body = body(&found);
    let link = link(&found, access.room, limit);
    if (select, limit) == (Select::Newest, DEFAULT_LIMIT) {
        call.worker.metrics.page_misses.add(1);
        let cached = CachedPage { version, body: body.clone(), gzip: None, link: link.clone() };
        let mut pages = call.worker.pages.borrow_mut();
        pages.put(access.room, cached);
        call.worker.metrics.page_bytes.set(pages.bytes() as u64);
    }
    Ok(with_link(Reply::tagged(body, etag), link))
}

fn body(page: &Page) -> Bytes {
    let size: usize = page.messages.iter().map(|(_, json)| json.len() + 1).sum();
    let mut body = BytesMut::with_capacity(size + 64);
    body.put_slice(b"{\"messages\":[");
    for (place, (_, json)) in page.messages.iter().enumerate() {
        if place > 0 {
            body.put_u8(b',');
        }
        body.put_slice(json);
    }
    body.put_slice(
        format!("],\"has_before\":{},\"has_after\":{}}}", page.has_before, page.has_after).as_bytes(),
    );
    body.freeze()
}

/// Where the neighbouring pages are (RFC 8288).
fn link(page: &Page, room: RoomId, limit: usize) -> Option<String> {
    let address = |edge: &str, id: MessageId, rel: &str| {
        format!("</api/rooms/{room}/messages?{edge}={id}&limit={limit}>; rel=\"{rel}\"")
    };
    let first =
        page.messages.first().filter(|_| page.has_before).map(|(id, _)| address("before", *id, "prev"));
    let last = page.messages.last().filter(|_| page.has_after).map(|(id, _)| address("after", *id, "next"));
    let links: Vec<_> = first.into_iter().chain(last).collect();
    (!links.is_empty()).then(|| links.join(", "))
}

fn with_link(reply: Reply, link: Option<String>) -> Reply {
    match link.and_then(|link| HeaderValue::try_from(link).ok()) {
        Some(link) => reply.with(header::LINK, link),
        None => reply,
    }
}

/// What a person wants to say, by whichever way it came in.
pub(crate) struct Draft {
    pub(crate) content: String,
    pub(crate) client_message_id: Option<String>,
    pub(crate) reply_to: Option<MessageId>,
}

impl Draft {
    /// Takes the fields of a message out of a form; the rest of the form is the caller's.
    pub(crate) fn take(form: &mut Form) -> Self {
        let content = content(form);
        let client_message_id = form.text("client_message_id");
        if client_message_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > MAX_CLIENT_MESSAGE_ID) {
            form.refuse("client_message_id", "has to have 1 to 128 bytes");
        }
        let reply_to = form.id("reply_to_id").map(MessageId);
        Self { content, client_message_id, reply_to }
    }
}

fn content(form: &mut Form) -> String {
    if !form.has("content") {
        form.refuse("content", "is missing");
        return String::new();
    }
    let Some(content) = form.text("content") else { return String::new() };
    let trimmed = content.trim();
    if trimmed.is_empty() {
        form.refuse("content", "cannot be blank");
    } else if trimmed.len() > MAX_CONTENT {
        form.refuse("content", format!("has to have {MAX_CONTENT} bytes or fewer"));
    }
    if trimmed.len() == content.len() { content } else { trimmed.to_owned() }
}

/// Renders a text with the names of a room's members.
fn rendered(worker: &Worker, room: RoomId, content: String) -> Text {
    let state = worker.state.borrow();
    let name_of = |id: UserId| {
        state.involvement(room, id)?;
        state.users.get(&id).map(|user| &*user.name)
    };
    let text::Rendered { html, plain, mentions, everyone } = text::render(&content, name_of);
    Text { content, html, plain, mentions, everyone: everyone.is_some() }
}

/// Checks and renders a draft: what is left is the writer's.
pub(crate) fn compose(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    draft: Draft,
) -> Result<PostMessage, Problem> {
    RoomAccess::of(worker, room, user)?;
    worker.shared.limits.post(user).map_err(Problem::rate_limited)?;
    let text = rendered(worker, room, draft.content);
    Ok(PostMessage::new(room, user, draft.client_message_id, draft.reply_to, text))
}

pub(crate) fn create(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let mut form = call.form()?;
        let room = RoomId(form.required_id("room_id"));
        let draft = Draft::take(&mut form);
        form.finish()?;
        let command = compose(&call.worker, viewer.user, room, draft)?;
        let posted = call.worker.writer.write(command).await?;
        let status = if posted.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written_bytes(status, posted.json))
    })
}

/// A message that the viewer may see: its room and its finished object.
fn visible(call: &Call, viewer: &Viewer) -> Result<(RoomAccess, Bytes), Problem> {
    let id = MessageId(call.id(0)?);
    let (room, _, json) = call.worker.reader.message(id)?.ok_or_else(Problem::not_found)?;
    Ok((RoomAccess::of(&call.worker, room, viewer.user)?, json))
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Answer {
    let (_, json) = visible(call, viewer)?;
    Ok(Reply::json_bytes(json))
}

pub(crate) fn edit(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let (access, _) = visible(&call, &viewer)?;
        let mut form = call.form()?;
        let content = content(&mut form);
        form.finish()?;
        let text = rendered(&call.worker, access.room, content);
        let message = MessageId(call.id(0)?);
        let command = EditMessage { message, editor: viewer.user, is_admin: viewer.is_admin, text };
        let json = call.worker.writer.write(command).await?;
        Ok(Reply::written_bytes(StatusCode::OK, json))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        visible(&call, &viewer)?;
        let message = MessageId(call.id(0)?);
        let command = DeleteMessage { message, editor: viewer.user, is_admin: viewer.is_admin };
        call.worker.writer.write(command).await?;
        Ok(Reply::no_content())
    })
}

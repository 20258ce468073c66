//! Messages: pages of them, and writing them.

use bytes::{BufMut, Bytes, BytesMut};
use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};

use smallvec::SmallVec;

use super::{
    form::Form,
    problem::Problem,
    request::{Call, RoomAccess, Viewer},
    response::Reply,
    router::{Answer, Later},
};
use crate::{
    cache::{CachedBody, Key},
    sounds,
    store::{DeleteMessage, EditMessage, NewFile, NewJob, Page, PostMessage, Select, Text},
    text::{self, Everyone},
    types::{Involvement, JobKind, Message, MessageId, MessageKind, RoomId, RoomKind, UserId},
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
    let kept = (select, limit) == (Select::Newest, DEFAULT_LIMIT);
    let key = Key::Newest(access.room);
    if kept
        && let Some(reply) = Reply::kept(&mut call.worker.bodies.borrow_mut(), &key, version, &call.headers)
    {
        call.worker.metrics.page_hits.add(1);
        return Ok(reply);
    }
    let found =
        call.worker.reader.within(super::READ_DEADLINE, |reader| reader.page(access.room, select, limit))?;
    let body = body(&found);
    let link = link(&found, access.room, limit);
    // A page of a room is the same until something happens to a message of it.
    let tag = format!("{}-{version}", super::boot_tag());
    if kept {
        call.worker.metrics.page_misses.add(1);
        call.worker.keep(key, CachedBody::new(version, body.clone(), &tag, link.clone()));
    }
    let reply = Reply::tagged(body, tag);
    Ok(match link {
        Some(link) => reply.with(header::LINK, link),
        None => reply,
    })
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
fn link(page: &Page, room: RoomId, limit: usize) -> Option<HeaderValue> {
    let address = |edge: &str, id: MessageId, rel: &str| {
        format!("</api/rooms/{room}/messages?{edge}={id}&limit={limit}>; rel=\"{rel}\"")
    };
    let first =
        page.messages.first().filter(|_| page.has_before).map(|(id, _)| address("before", *id, "prev"));
    let last = page.messages.last().filter(|_| page.has_after).map(|(id, _)| address("after", *id, "next"));
    let links: Vec<_> = first.into_iter().chain(last).collect();
    (!links.is_empty()).then(|| HeaderValue::try_from(links.join(", ")).expect("addresses are printable"))
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
        Self::with(form, content)
    }

    /// The same beside a file, which needs no words.
    pub(crate) fn beside_a_file(form: &mut Form) -> Self {
        let is_silent = !form.has("content") || form.is_blank("content");
        let content = if is_silent { String::new() } else { content(form) };
        Self::with(form, content)
    }

    fn with(form: &mut Form, content: String) -> Self {
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

/// Renders a text with the names of a room's members; also says whether all who are here, or all of the room, are meant.
pub(crate) fn rendered(worker: &Worker, room: RoomId, content: String) -> (Text, Option<Everyone>) {
    let state = worker.state.borrow();
    written(content, |id| {
        state.involvement(room, id)?;
        state.users.get(&id).map(|user| &*user.name)
    })
}

/// The same, with the names from wherever they are.
pub(crate) fn written<'a>(
    content: String,
    name_of: impl Fn(UserId) -> Option<&'a str>,
) -> (Text, Option<Everyone>) {
    let text::Rendered { html, plain, mentions, everyone } = text::render(&content, name_of);
    let tags = if has_link(&html) { "link".to_owned() } else { String::new() };
    (Text { content, html, plain, tags, mentions, everyone: everyone.is_some() }, everyone)
}

/// The text of a message that plays a sound, if that is what it asks for.
pub(crate) fn played(content: &str) -> Option<Text> {
    let sound = sounds::find(content.strip_prefix("/play ")?.trim())?;
    let html = format!("<p>{} <em>{}</em></p>", sound.emoji, sound.title);
    let (plain, tags) = (sound.title.to_owned(), "sound".to_owned());
    Some(Text { content: content.to_owned(), html, plain, tags, mentions: SmallVec::new(), everyone: false })
}

fn has_link(html: &str) -> bool {
    html.contains("href=\"http")
}

/// Looks for the pages behind a message's links, if that is wanted and there are any.
fn preview(worker: &Worker, html: &str) -> Option<NewJob> {
    let wanted = worker.config().link_previews && has_link(html);
    wanted.then_some(NewJob { kind: JobKind::Preview, target: None, payload: None })
}

/// What has to be done once a message is posted: bots hear of it, people who do not look are told, links are looked at.
fn with_consequences(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    text: &Text,
    everyone: Option<Everyone>,
) -> SmallVec<[NewJob; 1]> {
    let mut jobs: SmallVec<[NewJob; 1]> = preview(worker, &text.html).into_iter().collect();
    let state = worker.state.borrow();
    if state.webhooks.is_empty() && state.pushed.is_empty() {
        return jobs;
    }
    let Some(found) = state.rooms.get(&room) else { return jobs };
    let is_direct = found.room.kind == RoomKind::Direct;
    let is_meant = |bot: &&UserId| {
        **bot != user && found.members.contains_key(bot) && (is_direct || text.mentions.contains(bot))
    };
    for bot in state.webhooks.iter().filter(is_meant) {
        jobs.push(NewJob { kind: JobKind::Webhook, target: Some(bot.0), payload: None });
    }
    let hub = worker.hub.borrow();
    let wants = |person: &&UserId| {
        let Some(involvement) = found.members.get(person) else { return false };
        let is_mentioned = text.mentions.contains(person)
            || everyone == Some(Everyone::Room)
            || everyone == Some(Everyone::Here) && hub.is_online(**person);
        **person != user
            && match involvement {
                Involvement::Everything => true,
                Involvement::Mentions => is_mentioned,
                Involvement::Nothing | Involvement::Invisible => false,
            }
            // Who reads the room sees it there.
            && !hub.is_reading(room, **person)
    };
    let people: Vec<String> = state.pushed.iter().filter(wants).map(UserId::to_string).collect();
    if !people.is_empty() {
        jobs.push(NewJob { kind: JobKind::Notify, target: None, payload: Some(people.join(",")) });
    }
    jobs
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
    Ok(post(worker, user, room, draft))
}

/// Renders a draft of somebody who may post, with what follows from it.
pub(crate) fn post(worker: &Worker, user: UserId, room: RoomId, draft: Draft) -> PostMessage {
    let Draft { content, client_message_id, reply_to } = draft;
    if let Some(text) = played(&content) {
        return PostMessage::new(room, user, client_message_id, reply_to, MessageKind::Sound, text);
    }
    let (text, everyone) = rendered(worker, room, content);
    let jobs = with_consequences(worker, user, room, &text, everyone);
    let message = PostMessage::new(room, user, client_message_id, reply_to, MessageKind::Text, text);
    jobs.into_iter().fold(message, PostMessage::with_job)
}

/// The same for a file, which may come without a word.
pub(crate) fn post_file(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    draft: Draft,
    file: NewFile,
) -> PostMessage {
    let (text, everyone) = match draft.content.is_empty() {
        true => (Text::default(), None),
        false => rendered(worker, room, draft.content),
    };
    let jobs = with_consequences(worker, user, room, &text, everyone);
    let message =
        PostMessage::new(room, user, draft.client_message_id, draft.reply_to, MessageKind::Attachment, text);
    jobs.into_iter().fold(message.with_file(file), PostMessage::with_job)
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
pub(crate) fn visible(call: &Call, viewer: &Viewer) -> Result<(RoomAccess, Bytes), Problem> {
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
        let (access, json) = visible(&call, &viewer)?;
        let mut form = call.form()?;
        let has_file =
            serde_json::from_slice::<Message>(&json).is_ok_and(|message| message.attachment.is_some());
        // What is said to a file may be taken back; the file itself says enough.
        let content = if has_file && form.is_blank("content") { String::new() } else { content(&mut form) };
        form.finish()?;
        let text = match content.is_empty() {
            true => Text::default(),
            false => rendered(&call.worker, access.room, content).0,
        };
        let preview = preview(&call.worker, &text.html);
        let message = MessageId(call.id(0)?);
        let command = EditMessage { message, editor: viewer.user, is_admin: viewer.is_admin, text, preview };
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

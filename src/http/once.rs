//! The bot API of ONCE Campfire, for bots that were written for it. The key of the bot is in the path.

use hyper::{
    StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{
    READ_DEADLINE,
    incoming::{RequestBody, read_body},
    request::{Call, authenticate},
    response::Reply,
    router::{Response, ResponseFuture},
    upload::receive_message,
};
use crate::{
    chat::{
        MessageAccess, RoomAccess, Viewer,
        documents::{self, Body},
        messages::{self, MAX_CONTENT},
        sessions,
    },
    store::{Boosted, Select},
    text,
    types::{BoostId, Message, MessageId, MessageKind, Role, RoomId, SessionKind, UserId},
    wire::{Form, Problem},
};

/// Messages on a page.
const PAGE: usize = 40;

/// The bot whose key is in the path: 401 if the key is wrong, 404 unless the bot is in the room.
fn bot(call: &Call) -> Result<(Viewer, RoomId), Problem> {
    let viewer = sessions::by_token(&call.worker, &call.param(1), call.address)
        .filter(|viewer| viewer.kind == SessionKind::Bot)
        .ok_or_else(Problem::not_signed_in)?;
    let room = RoomId(call.id(0)?);
    RoomAccess::of(&call.worker, room, viewer.user)?;
    Ok((viewer, room))
}

/// A message as ONCE Campfire shows it to bots.
fn view(call: &Call, json: &[u8]) -> Result<Value, Problem> {
    let message: Message = serde_json::from_slice(json).map_err(|_| Problem::internal())?;
    let (room, id) = (message.room_id, message.id);
    Ok(json!({
        "id": id,
        "created_at": message.created_at,
        "body": { "plain_text": plain_text(call, &message), "html": message.html },
        "creator": user(call, message.creator_id),
        "room": { "id": room },
        "url": address(call, id),
    }))
}

fn address(call: &Call, message: MessageId) -> String {
    format!("{}/messages/{message}", call.base_url())
}

fn user(call: &Call, id: UserId) -> Option<Value> {
    let state = call.worker.state.borrow();
    let user = state.users.get(&id)?;
    let role = match user.role {
        Role::Admin => "administrator",
        // ONCE Campfire has no guests.
        Role::Guest => Role::Member.into_str(),
        role => role.into_str(),
    };
    let version = user.avatar.map(|version| format!("?v={version}")).unwrap_or_default();
    let avatar = format!("{}/avatars/{id}{version}", call.base_url());
    Some(json!({ "id": id, "name": &*user.name, "role": role, "avatar_url": avatar }))
}

/// The text with its line breaks; of a sound what was typed, and of a file without text its name.
fn plain_text(call: &Call, message: &Message) -> String {
    if message.kind == MessageKind::Sound {
        return message.content.clone();
    }
    let state = call.worker.state.borrow();
    let plain = text::from_html(&message.html).plain_lines(|id| state.users.get(&id).map(|user| &*user.name));
    match &message.attachment {
        Some(file) if plain.is_empty() => file.filename.clone(),
        _ => plain,
    }
}

pub(crate) fn list(call: Call, _: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (_, room) = bot(&call)?;
        let query = call.query();
        // Of both, `before` counts.
        let select = match (query.message("before")?, query.message("after")?) {
            (Some(id), _) => Select::Before(id),
            (None, Some(id)) => Select::After(id),
            (None, None) => Select::Newest,
        };
        let (page, total) = call.worker.reader.within(READ_DEADLINE, |reader| {
            Ok((reader.page(room, select, PAGE)?, reader.message_count(room)?))
        })?;
        let messages: Vec<Value> =
            page.messages.iter().map(|(_, json)| view(&call, json)).collect::<Result<_, _>>()?;
        let mut reply = Reply::json(&messages).with(HeaderName::from_static("x-total-count"), total.into());
        let next = match select {
            Select::After(_) => page.messages.last().filter(|_| page.has_after).map(|(id, _)| ("after", id)),
            _ => page.messages.first().filter(|_| page.has_before).map(|(id, _)| ("before", id)),
        };
        if let Some((edge, id)) = next {
            let link = format!("<{}{}?{edge}={id}>; rel=\"next\"", call.base_url(), call.uri.path());
            reply = reply.with(header::LINK, HeaderValue::try_from(link).map_err(|_| Problem::internal())?);
        }
        Ok(reply)
    })
}

/// The address of a message for people: it leads to the message on the page.
pub(crate) fn show(call: &Call) -> Response {
    let id = MessageId(call.id(0)?);
    let target = match authenticate(&call.worker, &call.headers, call.address) {
        Some((viewer, _)) => {
            let room = MessageAccess::of(&call.worker, id, viewer.user)?.row().room;
            format!("/rooms/{room}/@{id}")
        }
        // The page goes on there after signing in.
        None => format!("/signin?to=/messages/{id}"),
    };
    Reply::redirect(&target)
}

fn is_multipart(call: &Call) -> bool {
    call.content_type().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// The body as text. 400 if its charset is not known, or if it is not valid in it; 413 if it is too large.
async fn text(call: &Call, mut body: RequestBody) -> Result<String, Problem> {
    let body = read_body(call, &mut body, 2 * MAX_CONTENT).await?;
    match text::decoded(&body, call.content_type()) {
        Ok((text, false)) => Ok(text),
        Ok((_, true)) => Err(Problem::malformed(
            "The body is not UTF-8, or not in the charset that its Content-Type names.",
        )),
        Err(text::UnknownCharset(name)) => {
            Err(Problem::malformed(format!("The charset {name:?} is not known.")))
        }
    }
}

/// The text of a message, which is the whole body.
async fn content(call: &Call, body: RequestBody) -> Result<Body, Problem> {
    Body::checked(call.content_type(), &text(call, body).await?)
}

pub(crate) fn create(call: Call, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (viewer, room) = bot(&call)?;
        let posted = if is_multipart(&call) {
            receive_message(&call, viewer.user, room, body).await?
        } else {
            let content = content(&call, body).await?;
            documents::send(&call.worker, viewer.user, room, content).await?
        };
        let location = HeaderValue::try_from(address(&call, posted.id)).map_err(|_| Problem::internal())?;
        let view = view(&call, &posted.json)?;
        Ok(Reply::written(StatusCode::CREATED, &view).with(header::LOCATION, location))
    })
}

/// The message in the path; 404 unless it is in the room.
fn message(call: &Call, bot: &Viewer, room: RoomId) -> Result<MessageAccess, Problem> {
    let message = MessageAccess::of(&call.worker, MessageId(call.id(2)?), bot.user)?;
    if message.row().room == room { Ok(message) } else { Err(Problem::not_found()) }
}

pub(crate) fn edit(call: Call, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (viewer, room) = bot(&call)?;
        let message = message(&call, &viewer, room)?;
        let content = content(&call, body).await?;
        let json = documents::edit(&call.worker, &viewer, &message, content).await?;
        Ok(Reply::written(StatusCode::OK, &view(&call, &json)?))
    })
}

pub(crate) fn destroy(call: Call, _: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (viewer, room) = bot(&call)?;
        messages::delete(&call.worker, &viewer, &message(&call, &viewer, room)?).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn boost(call: Call, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (viewer, room) = bot(&call)?;
        let message = message(&call, &viewer, room)?;
        let content = text(&call, body).await?;
        let fields = [("content".to_owned(), content.into())].into_iter().collect();
        let mut form = Form::of(fields);
        let content = messages::take_boost(&mut form);
        form.finish()?;
        let Boosted { boost, created_at, .. } =
            messages::boost(&call.worker, viewer.user, &message, content).await?;
        let id = message.row().id;
        let view = json!({
            "id": boost.id,
            "content": boost.content,
            "created_at": created_at,
            "booster": user(&call, boost.user_id),
            "message": { "id": id, "url": address(&call, id) },
        });
        Ok(Reply::written(StatusCode::CREATED, &view))
    })
}

pub(crate) fn remove_boost(call: Call, _: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (viewer, room) = bot(&call)?;
        let message = message(&call, &viewer, room)?.row().id;
        let boost = BoostId(call.id(3)?);
        messages::remove_boost(&call.worker, viewer.user, boost, Some(message)).await?;
        Ok(Reply::no_content())
    })
}

//! The bot API of ONCE Campfire, for bots that were written for it. The key of the bot is in the path.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{
    READ_DEADLINE,
    incoming::{RequestBody, read_body},
    request::Call,
    response::Reply,
    router::ResponseFuture,
    upload::receive_message,
};
use crate::{
    chat::{
        MessageAccess, RoomAccess, Viewer,
        messages::{self, Draft, MAX_CONTENT},
        sessions,
    },
    store::Select,
    types::{BoostId, Message, MessageId, RoomId, SessionKind},
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

/// A message that was just written.
fn written(call: &Call, id: MessageId, json: &[u8]) -> Result<Value, Problem> {
    view(call, json, &call.worker.reader.plain(id)?.unwrap_or_default())
}

fn view(call: &Call, json: &[u8], plain: &str) -> Result<Value, Problem> {
    let message: Message = serde_json::from_slice(json).map_err(|_| Problem::internal())?;
    let state = call.worker.state.borrow();
    let creator = state.users.get(&message.creator_id).map(|user| json!(user.public()));
    let (room, id) = (message.room_id, message.id);
    Ok(json!({
        "id": id,
        "created_at": message.created_at,
        "body": { "plain_text": plain, "html": message.html },
        "creator": creator,
        "room": { "id": room },
        "url": format!("{}/rooms/{room}/@{id}", call.base_url()),
    }))
}

pub(crate) fn list(call: Call, _: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (_, room) = bot(&call)?;
        let query = call.query();
        let select = match (query.message("before")?, query.message("after")?) {
            (Some(_), Some(_)) => {
                return Err(Problem::malformed("Give only one of `before` and `after`."));
            }
            (Some(id), None) => Select::Before(id),
            (None, Some(id)) => Select::After(id),
            (None, None) => Select::Newest,
        };
        let (page, plains, total) = call.worker.reader.within(READ_DEADLINE, |reader| {
            let page = reader.page(room, select, PAGE)?;
            let ids: Vec<_> = page.messages.iter().map(|(id, _)| *id).collect();
            Ok((page, reader.plains(&ids)?, reader.message_count(room)?))
        })?;
        // Both are in the order of ids, and of the same moment but for what was deleted in between.
        let plain = |id: &MessageId| plains.binary_search_by_key(id, |(id, _)| *id).map(|at| &*plains[at].1);
        let view = |(id, json): &(_, Bytes)| view(&call, json, plain(id).unwrap_or_default());
        let messages: Vec<Value> = page.messages.iter().map(view).collect::<Result<_, _>>()?;
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

fn is_multipart(call: &Call) -> bool {
    call.content_type().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// The text of a message, which is the whole body.
async fn content(call: &Call, mut body: RequestBody) -> Result<String, Problem> {
    let body = read_body(call, &mut body, 2 * MAX_CONTENT).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Problem::malformed("The body is not UTF-8."))?;
    let text = messages::checked_content(text);
    text.map(str::to_owned).map_err(|reason| Problem::invalid_field("content", reason))
}

pub(crate) fn create(call: Call, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let (viewer, room) = bot(&call)?;
        let posted = if is_multipart(&call) {
            receive_message(&call, viewer.user, room, body).await?
        } else {
            let content = content(&call, body).await?;
            messages::send(&call.worker, viewer.user, room, Draft::of(content)).await?
        };
        let view = written(&call, posted.id, &posted.json)?;
        let location = view["url"].as_str().unwrap_or_default().to_owned();
        let location = HeaderValue::try_from(location).map_err(|_| Problem::internal())?;
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
        let id = message.row().id;
        let json = messages::edit(&call.worker, &viewer, &message, content, false).await?;
        Ok(Reply::written(StatusCode::OK, &written(&call, id, &json)?))
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
        let content = content(&call, body).await?;
        let fields = [("content".to_owned(), content.into())].into_iter().collect();
        let mut form = Form::of(fields);
        let content = messages::take_boost(&mut form);
        form.finish()?;
        let boosted = messages::boost(&call.worker, viewer.user, &message, content).await?;
        Ok(Reply::written(StatusCode::CREATED, &boosted.boost))
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

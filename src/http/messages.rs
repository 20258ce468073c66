//! Messages: pages, and posting, editing, deleting.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};

use super::{
    query::DEFAULT_LIMIT,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{
        MessageAccess, RoomAccess, Viewer,
        messages::{self, Draft},
    },
    store::{Page, Select},
    types::{MessageId, RoomId},
    wire::{Problem, page_json},
    worker::cache::{CachedBody, Key},
};

pub(crate) fn page(call: &Call, viewer: &Viewer) -> Response {
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
        return Err(Problem::malformed("Give only one of `before`, `after` and `around`."));
    }
    let version =
        call.worker.state.borrow().rooms.get(&access.room).map(|room| room.version).unwrap_or_default();
    let is_cacheable = (select, limit) == (Select::Newest, DEFAULT_LIMIT);
    let key = Key::Newest(access.room);
    if is_cacheable
        && let Some(reply) = Reply::cached(&mut call.worker.bodies.borrow_mut(), &key, version, &call.headers)
    {
        call.worker.metrics.page_hits.add(1);
        return Ok(reply);
    }
    let found =
        call.worker.reader.within(super::READ_DEADLINE, |reader| reader.page(access.room, select, limit))?;
    let body = page_json(found.messages.iter().map(|(_, json)| json), found.has_before, found.has_after);
    let link = link(&found, access.room, limit);
    // A page stays the same until a message of the room changes.
    let tag = {
        let state = call.worker.state.borrow();
        format!("{}-{}-{version}", super::version_tag(), state.epochs.tag(version))
    };
    if is_cacheable {
        call.worker.metrics.page_misses.add(1);
        call.worker.cache(key, CachedBody::new(version, body.clone(), &tag, link.clone()));
    }
    let reply = Reply::tagged(body, tag);
    Ok(match link {
        Some(link) => reply.with(header::LINK, link),
        None => reply,
    })
}

/// The `Link` header with the pages before and after (RFC 8288).
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

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let room = RoomId(form.required_id("room_id"));
        let draft = Draft::take(&mut form);
        form.finish()?;
        Ok(Reply::posted(messages::send(&call.worker, viewer.user, room, draft).await?))
    })
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    let message = MessageAccess::of(&call.worker, MessageId(call.id(0)?), viewer.user)?;
    Ok(Reply::json_bytes(message.row().json.clone()))
}

pub(crate) fn edit(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let message = MessageAccess::of(&call.worker, MessageId(call.id(0)?), viewer.user)?;
        let mut form = call.form()?;
        let content = messages::take_edit(&mut form, &message);
        form.finish()?;
        let json = messages::edit(&call.worker, &viewer, &message, content, true).await?;
        Ok(Reply::written_bytes(StatusCode::OK, json))
    })
}

pub(crate) fn remove_embed(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let message = MessageAccess::of(&call.worker, MessageId(call.id(0)?), viewer.user)?;
        let place = call.param(1).parse().map_err(|_| Problem::not_found())?;
        messages::remove_embed(&call.worker, viewer.user, &message, place).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let message = MessageAccess::of(&call.worker, MessageId(call.id(0)?), viewer.user)?;
        messages::delete(&call.worker, &viewer, &message).await?;
        Ok(Reply::no_content())
    })
}

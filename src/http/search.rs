//! Search and recent searches.

use serde_json::json;

use super::{
    READ_DEADLINE,
    etag::Tag,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{
        RoomAccess, Viewer,
        search::{self, Search},
    },
    types::{RoomId, UserId},
    wire::search_json,
    worker::cache::{CachedBody, Key},
};

pub(crate) fn search(call: &Call, viewer: &Viewer) -> Response {
    let query = call.query();
    let limit = query.limit()?;
    let before = query.message("before")?;
    let creator = query.id("creator_id")?.map(UserId);
    let (from, until) = (query.moment("from")?, query.moment("until")?);
    let typed = search::trimmed(query.text("q").unwrap_or_default());
    let room = query.id("room_id")?.map(RoomId);
    if let Some(room) = room {
        RoomAccess::of(&call.worker, room, viewer.user)?;
    }
    // The result stays the same until the next event, to messages or to memberships.
    let version = call.worker.state.borrow().seq;
    let key = Key::Search(viewer.user, call.uri.query().unwrap_or_default().into());
    let is_first_page = query.text("before").is_none();
    if let Some(reply) = Reply::cached(&mut call.worker.bodies.borrow_mut(), &key, version, &call.headers) {
        call.worker.metrics.search_hits.add(1);
        if is_first_page {
            search::remember(&call.worker, viewer.user, &typed);
        }
        return Ok(reply);
    }
    call.worker.metrics.search_misses.add(1);
    let search = Search { user: viewer.user, typed, room, creator, before, from, until, limit };
    let Some(found) = search.run(&call.worker, READ_DEADLINE)? else {
        return Ok(Reply::json_bytes(search_json(&[], false, false)));
    };
    let body = search_json(&found.hits, found.has_before, found.is_indexing);
    if is_first_page {
        search::remember(&call.worker, viewer.user, &search.typed);
    }
    let reply = Reply::json_bytes(body.clone());
    // While the index is being made, the same search finds more a moment later.
    if let Some(Tag::Opaque(tag)) = &reply.etag
        && !found.is_indexing
    {
        call.worker.cache(key, CachedBody::new(version, body, tag, None));
    }
    Ok(reply)
}

pub(crate) fn recent(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let searches = search::recent(&call.worker, viewer.user).await?;
        Ok(Reply::json(&json!({ "searches": searches })))
    })
}

pub(crate) fn forget(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        search::forget(&call.worker, viewer.user).await?;
        Ok(Reply::no_content())
    })
}

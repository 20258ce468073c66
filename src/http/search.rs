//! Searching.

use serde_json::json;

use super::{
    problem::Problem,
    request::{Call, RoomAccess, Viewer},
    response::Reply,
    router::{Answer, Later},
};
use crate::{
    store::{Found, RememberSearch, SearchQuery},
    text,
    types::{RoomId, UserId},
};

/// Longer questions are cut here: nobody types them, and each word costs.
const MAX_QUERY: usize = 256;

pub(crate) fn search(call: &Call, viewer: &Viewer) -> Answer {
    let query = call.query();
    let limit = query.limit()?;
    let before = query.message("before")?;
    let creator = query.id("creator_id")?.map(UserId);
    let asked: String = query.text("q").unwrap_or_default().trim().chars().take(MAX_QUERY).collect();
    let room = query.id("room_id")?.map(RoomId);
    if let Some(room) = room {
        RoomAccess::of(&call.worker, room, viewer.user)?;
    }
    let (mut rooms, room_total) = {
        let state = call.worker.state.borrow();
        (room.map_or_else(|| state.rooms_of(viewer.user).to_vec(), |room| vec![room]), state.rooms.len())
    };
    rooms.sort_unstable();
    let found = match text::Query::parse(&asked) {
        Some(words) => {
            let mut query =
                SearchQuery { words: &words.exact, rooms: &rooms, room_total, creator, before, limit };
            let look = |query: &SearchQuery<'_>| {
                call.worker.reader.within(super::READ_DEADLINE, |reader| reader.search(query))
            };
            let mut found = look(&query)?;
            if let Some(prefix) = words.prefix.as_deref().filter(|_| found.hits.is_empty()) {
                query.words = prefix;
                found = look(&query)?;
            }
            if before.is_none() {
                // Nobody waits for it; a search that is not remembered is still a search.
                drop(call.worker.writer.submit(RememberSearch::Query(viewer.user, asked)));
            }
            found
        }
        None => Found::default(),
    };
    Ok(Reply::json_bytes(body(&found).into()))
}

fn body(found: &Found) -> Vec<u8> {
    let mut body = b"{\"results\":[".to_vec();
    for (place, hit) in found.hits.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(b"{\"message\":");
        body.extend_from_slice(&hit.json);
        body.extend_from_slice(b",\"snippet\":");
        body.extend_from_slice(json!(text::snippet_html(&hit.snippet)).to_string().as_bytes());
        body.push(b'}');
    }
    body.extend_from_slice(format!("],\"has_before\":{}}}", found.has_before).as_bytes());
    body
}

pub(crate) fn recent(call: &Call, viewer: &Viewer) -> Answer {
    let searches = call.worker.reader.recent_searches(viewer.user)?;
    Ok(Reply::json(&json!({ "searches": searches })))
}

pub(crate) fn forget(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        call.worker.writer.write(RememberSearch::Forget(viewer.user)).await.map_err(Problem::from)?;
        Ok(Reply::no_content())
    })
}

//! Searching.

use bytes::Bytes;
use serde_json::json;

use super::{
    problem::Problem,
    request::{Call, RoomAccess, Viewer},
    response::{Reply, Tag},
    router::{Answer, Later},
    users::starts_a_word,
};
use crate::{
    cache::{CachedBody, Key},
    store::{Found, RememberSearch, SearchQuery, Settle},
    text,
    types::{RoomId, Timestamp, UserId},
    worker::Worker,
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
    // The answer is the same until anything happens: to the messages, or to who may see them.
    let version = call.worker.state.borrow().seq;
    let key = Key::Search(viewer.user, call.uri.query().unwrap_or_default().into());
    let remember = || {
        if query.text("before").is_none() && call.worker.shared.is_new_search(viewer.user, &asked) {
            call.worker.writer.submit_later(RememberSearch::Query(viewer.user, asked.clone()));
        }
    };
    if let Some(reply) = Reply::kept(&mut call.worker.bodies.borrow_mut(), &key, version, &call.headers) {
        call.worker.metrics.search_hits.add(1);
        remember();
        return Ok(reply);
    }
    call.worker.metrics.search_misses.add(1);
    let typed = text::Asked::parse(&asked);
    if typed.is_empty() {
        return Ok(Reply::json_bytes(body(&Found::default()).into()));
    }
    let (mut rooms, room_total) = {
        let state = call.worker.state.borrow();
        (room.map_or_else(|| state.rooms_of(viewer.user).to_vec(), |room| vec![room]), state.rooms.len())
    };
    let mut creators: Vec<UserId> = creator.into_iter().collect();
    let is_nobody = !narrow(&call.worker, &typed, &mut rooms, &mut creators);
    rooms.sort_unstable();
    let edge = |moment: Option<i64>| {
        moment.map(|moment| call.worker.reader.first_since(Timestamp(moment))).transpose()
    };
    let (from, until) = (edge(typed.from)?.unwrap_or_default(), edge(typed.before)?);
    let before = before.into_iter().chain(until).min();
    let look = |words: Option<&str>| {
        let query = SearchQuery {
            words,
            rooms: &rooms,
            room_total,
            creators: &creators,
            has: &typed.has,
            from,
            before,
            limit,
        };
        call.worker.reader.within(super::READ_DEADLINE, |reader| reader.search(&query))
    };
    let expression = |words: &text::Query, goes_on| {
        words.expression(goes_on, |beginning| call.worker.reader.words_beginning_with(beginning))
    };
    let found = match &typed.words {
        _ if is_nobody => Found::default(),
        None => look(None)?,
        Some(words) => {
            let found = look(Some(&expression(words, false)?))?;
            if found.hits.is_empty() && words.may_go_on() {
                look(Some(&expression(words, true)?))?
            } else {
                found
            }
        }
    };
    remember();
    let body = Bytes::from(body(&found));
    let reply = Reply::json_bytes(body.clone());
    if let Some(Tag::Opaque(tag)) = &reply.etag {
        call.worker.keep(key, CachedBody::new(version, body, tag, None));
    }
    Ok(reply)
}

/// People named by one filter. A name that fits more than that narrows nothing down.
const MAX_PEOPLE: usize = 50;

/// Leaves the rooms and the people that the filters name; false if they name nobody, and so nothing can be found.
fn narrow(worker: &Worker, typed: &text::Asked, rooms: &mut Vec<RoomId>, creators: &mut Vec<UserId>) -> bool {
    let state = worker.state.borrow();
    if !typed.rooms.is_empty() {
        let wanted: Vec<String> = typed.rooms.iter().map(|name| name.to_lowercase()).collect();
        rooms.retain(|room| {
            let name = state.rooms.get(room).and_then(|found| found.room.name.as_deref());
            name.is_some_and(|name| wanted.iter().any(|wanted| starts_a_word(name, wanted)))
        });
    }
    if !typed.people.is_empty() {
        let wanted: Vec<String> = typed.people.iter().map(|name| name.to_lowercase()).collect();
        let named =
            state.users.values().filter(|user| wanted.iter().any(|wanted| starts_a_word(&user.name, wanted)));
        let named: Vec<UserId> = named.map(|user| user.id).take(MAX_PEOPLE).collect();
        match creators.is_empty() {
            true => *creators = named,
            false => creators.retain(|creator| named.contains(creator)),
        }
        return !creators.is_empty();
    }
    true
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

pub(crate) fn recent(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        // The last search may still be on its way.
        call.worker.writer.write(Settle).await?;
        let searches = call.worker.reader.recent_searches(viewer.user)?;
        Ok(Reply::json(&json!({ "searches": searches })))
    })
}

pub(crate) fn forget(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        call.worker.shared.forget_last_search(viewer.user);
        call.worker.writer.write(RememberSearch::Forget(viewer.user)).await.map_err(Problem::from)?;
        Ok(Reply::no_content())
    })
}

//! Search: a query as a user typed it, over the rooms that they are a member of.

use std::time::Duration;

use super::people::has_word_prefix;
use crate::{
    store::{Barrier, Found, Reader, RecentSearch, RememberSearch, SearchQuery},
    text,
    types::{MessageId, RoomId, Timestamp, UserId},
    wire::Problem,
    worker::Worker,
};

/// Characters of a query; a longer one is truncated, since each word costs time.
const MAX_QUERY: usize = 256;

/// Users that one filter may match; further ones are ignored.
const MAX_PEOPLE: usize = 50;

/// A search.
pub(crate) struct Search {
    pub(crate) user: UserId,
    /// The query as typed, from [`trimmed`].
    pub(crate) typed: String,
    /// None for all rooms of the user. The caller checks membership.
    pub(crate) room: Option<RoomId>,
    pub(crate) creator: Option<UserId>,
    pub(crate) before: Option<MessageId>,
    /// Only messages from this time on, and only those from before `until`, in milliseconds since the Unix epoch. They
    /// take the place of the query's days, which are days in UTC.
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) limit: usize,
}

/// A query without surrounding white space, truncated.
pub(crate) fn trimmed(query: &str) -> String {
    query.trim().chars().take(MAX_QUERY).collect()
}

impl Search {
    /// The hits, newest first; None if the query has neither words nor filters. 503 after `deadline`.
    pub(crate) fn run(&self, worker: &Worker, deadline: Duration) -> Result<Option<Found>, Problem> {
        let mut asked = text::Asked::parse(&self.typed);
        asked.from = self.from.or(asked.from);
        asked.before = self.until.or(asked.before);
        if asked.is_empty() {
            return Ok(None);
        }
        let (mut rooms, room_total) = {
            let state = worker.state.borrow();
            let rooms = self.room.map_or_else(|| state.rooms_of(self.user).to_vec(), |room| vec![room]);
            (rooms, state.rooms.len())
        };
        let mut creators: Vec<UserId> = self.creator.into_iter().collect();
        if !apply_filters(worker, &asked, &mut rooms, &mut creators) {
            return Ok(Some(Found::default()));
        }
        rooms.sort_unstable();
        let run = |reader: &Reader, words: Option<&str>| {
            reader.search(&SearchQuery {
                words,
                rooms: &rooms,
                room_total,
                creators: &creators,
                has: &asked.has,
                from: asked.from.map(Timestamp),
                until: asked.before.map(Timestamp),
                before: self.before,
                limit: self.limit,
            })
        };
        // One deadline for all of it, since all of it blocks the worker.
        let found = worker.reader.within(deadline, |reader| {
            let Some(words) = &asked.words else { return run(reader, None) };
            let expression =
                |goes_on| words.expression(goes_on, |beginning| reader.words_beginning_with(beginning));
            let found = run(reader, Some(&expression(false)?))?;
            if found.hits.is_empty() && words.may_go_on() {
                return run(reader, Some(&expression(true)?));
            }
            Ok(found)
        })?;
        Ok(Some(found))
    }
}

/// Reduces rooms and authors to those that the filters name. False if no user matches, so that nothing can be found.
fn apply_filters(
    worker: &Worker,
    asked: &text::Asked,
    rooms: &mut Vec<RoomId>,
    creators: &mut Vec<UserId>,
) -> bool {
    let state = worker.state.borrow();
    if !asked.rooms.is_empty() {
        let wanted: Vec<String> = asked.rooms.iter().map(|name| name.to_lowercase()).collect();
        rooms.retain(|room| {
            let name = state.rooms.get(room).and_then(|found| found.room.name.as_deref());
            name.is_some_and(|name| wanted.iter().any(|wanted| has_word_prefix(name, wanted)))
        });
    }
    if !asked.people.is_empty() {
        let wanted: Vec<String> = asked.people.iter().map(|name| name.to_lowercase()).collect();
        let named = state
            .users
            .values()
            .filter(|user| wanted.iter().any(|wanted| has_word_prefix(&user.name, wanted)));
        let named: Vec<UserId> = named.map(|user| user.id).take(MAX_PEOPLE).collect();
        match creators.is_empty() {
            true => *creators = named,
            false => creators.retain(|creator| named.contains(creator)),
        }
        return !creators.is_empty();
    }
    true
}

/// Adds a query to the user's recent searches, unless it repeats the last one. It is written with the next commit.
pub(crate) fn remember(worker: &Worker, user: UserId, typed: &str) {
    if worker.shared.is_new_search(user, typed) {
        worker.writer.submit_later(RememberSearch::Query(user, typed.to_owned()));
    }
}

pub(crate) async fn recent(worker: &Worker, user: UserId) -> Result<Vec<RecentSearch>, Problem> {
    // Waits until the last search is written.
    worker.writer.write(Barrier).await?;
    Ok(worker.reader.recent_searches(user)?)
}

pub(crate) async fn forget(worker: &Worker, user: UserId) -> Result<(), Problem> {
    worker.shared.forget_last_search(user);
    Ok(worker.writer.write(RememberSearch::Forget(user)).await?)
}

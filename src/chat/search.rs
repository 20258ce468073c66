//! Search: a query as somebody typed it, over the rooms that they are in.

use std::time::Duration;

use super::people::starts_a_word;
use crate::{
    store::{Barrier, Found, RecentSearch, RememberSearch, SearchQuery},
    text,
    types::{MessageId, RoomId, Timestamp, UserId},
    wire::Problem,
    worker::Worker,
};

/// Characters of a query; what comes after is cut off, since each word costs.
const MAX_QUERY: usize = 256;

/// People named by one filter. A name that fits more than that narrows nothing down.
const MAX_PEOPLE: usize = 50;

/// What is searched for.
pub(crate) struct Search {
    pub(crate) user: UserId,
    /// As it was typed, without what is too long of it.
    pub(crate) typed: String,
    /// Of all the person's rooms if none is given; membership is proved by the caller.
    pub(crate) room: Option<RoomId>,
    pub(crate) creator: Option<UserId>,
    pub(crate) before: Option<MessageId>,
    pub(crate) limit: usize,
}

/// The part of a query that counts.
pub(crate) fn trimmed(query: &str) -> String {
    query.trim().chars().take(MAX_QUERY).collect()
}

impl Search {
    /// Whether it asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        text::Asked::parse(&self.typed).is_empty()
    }

    /// The hits, the newest first. Gives up after `deadline`.
    pub(crate) fn run(&self, worker: &Worker, deadline: Duration) -> Result<Found, Problem> {
        let asked = text::Asked::parse(&self.typed);
        if asked.is_empty() {
            return Ok(Found::default());
        }
        let (mut rooms, room_total) = {
            let state = worker.state.borrow();
            let rooms = self.room.map_or_else(|| state.rooms_of(self.user).to_vec(), |room| vec![room]);
            (rooms, state.rooms.len())
        };
        let mut creators: Vec<UserId> = self.creator.into_iter().collect();
        if !narrow(worker, &asked, &mut rooms, &mut creators) {
            return Ok(Found::default());
        }
        rooms.sort_unstable();
        let edge = |moment: Option<i64>| {
            moment.map(|moment| worker.reader.first_since(Timestamp(moment))).transpose()
        };
        let (from, until) = (edge(asked.from)?.unwrap_or_default(), edge(asked.before)?);
        let before = self.before.into_iter().chain(until).min();
        let look = |words: Option<&str>| {
            let query = SearchQuery {
                words,
                rooms: &rooms,
                room_total,
                creators: &creators,
                has: &asked.has,
                from,
                before,
                limit: self.limit,
            };
            worker.reader.within(deadline, |reader| reader.search(&query))
        };
        let Some(words) = &asked.words else { return Ok(look(None)?) };
        let expression =
            |goes_on| words.expression(goes_on, |beginning| worker.reader.words_beginning_with(beginning));
        let found = look(Some(&expression(false)?))?;
        if found.hits.is_empty() && words.may_go_on() {
            return Ok(look(Some(&expression(true)?))?);
        }
        Ok(found)
    }
}

/// Leaves the rooms and the people that the filters name; false if they name nobody, and so nothing can be found.
fn narrow(worker: &Worker, asked: &text::Asked, rooms: &mut Vec<RoomId>, creators: &mut Vec<UserId>) -> bool {
    let state = worker.state.borrow();
    if !asked.rooms.is_empty() {
        let wanted: Vec<String> = asked.rooms.iter().map(|name| name.to_lowercase()).collect();
        rooms.retain(|room| {
            let name = state.rooms.get(room).and_then(|found| found.room.name.as_deref());
            name.is_some_and(|name| wanted.iter().any(|wanted| starts_a_word(name, wanted)))
        });
    }
    if !asked.people.is_empty() {
        let wanted: Vec<String> = asked.people.iter().map(|name| name.to_lowercase()).collect();
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

/// Adds a query to the person's recent ones, unless it is the last one again. Costs no commit of its own.
pub(crate) fn remember(worker: &Worker, user: UserId, typed: &str) {
    if worker.shared.is_new_search(user, typed) {
        worker.writer.submit_later(RememberSearch::Query(user, typed.to_owned()));
    }
}

pub(crate) async fn recent(worker: &Worker, user: UserId) -> Result<Vec<RecentSearch>, Problem> {
    // The last search may still wait for the writer.
    worker.writer.write(Barrier).await?;
    Ok(worker.reader.recent_searches(user)?)
}

pub(crate) async fn forget(worker: &Worker, user: UserId) -> Result<(), Problem> {
    worker.shared.forget_last_search(user);
    Ok(worker.writer.write(RememberSearch::Forget(user)).await?)
}

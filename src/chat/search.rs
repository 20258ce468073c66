//! Search: a query as a user typed it, over the rooms that they are a member of.

use std::time::Duration;

use bytes::Bytes;

use super::people::has_word_prefix;
use crate::{
    store::{Barrier, Found, Hit, MAX_PAGE_BYTES, Reader, RecentSearch, RememberSearch, SearchQuery},
    text::{self, Rank},
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

/// A page of what was found: messages that have the words as they were typed, the newest first, then messages that have
/// other forms of them, the newest of those first.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// The message's JSON, and a snippet of it as HTML.
    pub(crate) hits: Vec<(Bytes, String)>,
    pub(crate) has_before: bool,
    /// Whether the index is being made, so that older messages may be missing.
    pub(crate) is_indexing: bool,
}

/// A query without surrounding white space, truncated.
pub(crate) fn trimmed(query: &str) -> String {
    query.trim().chars().take(MAX_QUERY).collect()
}

impl Search {
    /// The hits; None if the query has neither words nor filters. 503 after `deadline`.
    pub(crate) fn run(&self, worker: &Worker, deadline: Duration) -> Result<Option<Results>, Problem> {
        // Before the search: if the index is complete now, the search sees all of it.
        let is_indexing = worker.writer.is_indexing();
        let mut asked = text::Asked::parse(&self.typed, &worker.analyzer);
        asked.from = self.from.or(asked.from);
        asked.before = self.until.or(asked.before);
        if asked.is_empty() {
            return Ok(None);
        }
        let (mut rooms, room_total, before) = {
            let state = worker.state.borrow();
            let rooms = self.room.map_or_else(|| state.rooms_of(self.user).to_vec(), |room| vec![room]);
            // Before a message that does not exist yet is everything.
            let before = self.before.filter(|before| before.0 <= state.seq.0);
            (rooms, state.rooms.len(), before)
        };
        let mut creators: Vec<UserId> = self.creator.into_iter().collect();
        if !apply_filters(worker, self.user, &asked, &mut rooms, &mut creators) {
            return Ok(Some(Results { is_indexing, ..Results::default() }));
        }
        rooms.sort_unstable();
        let query = SearchQuery {
            words: None,
            except: None,
            rooms: &rooms,
            room_total,
            creators: &creators,
            has: &asked.has,
            from: asked.from.map(Timestamp),
            until: asked.before.map(Timestamp),
            before,
            limit: self.limit,
            max_bytes: MAX_PAGE_BYTES,
        };
        // One deadline for all of it, since all of it blocks the worker.
        let page = worker.reader.within(deadline, |reader| match &asked.words {
            None => {
                let found = reader.search(&query)?;
                Ok(page(&found, |hit| text::beginning(&hit.plain)))
            }
            Some(words) => by_rank(reader, words, &query, &mut words.snippets(&worker.analyzer)),
        })?;
        Ok(Some(Results { is_indexing, ..page }))
    }
}

/// The exact hits, then the similar ones. `before` is the last hit of a page, and so says which of the two go on.
fn by_rank(
    reader: &Reader,
    words: &text::Query,
    query: &SearchQuery<'_>,
    snippets: &mut text::Snippets<'_>,
) -> rusqlite::Result<Results> {
    if let Some(few) = reader.few(query)?
        && let Some(page) = page_of_few(&few, query, snippets)
    {
        return Ok(page);
    }
    let found = by_index(reader, words, query)?;
    Ok(page(&found, |hit| snippets.of(&hit.plain, &hit.addresses)))
}

fn page(found: &Found, mut snippet: impl FnMut(&Hit) -> String) -> Results {
    let hits = found.hits.iter().map(|hit| (hit.json.clone(), snippet(hit))).collect();
    Results { hits, has_before: found.has_before, is_indexing: false }
}

/// A page of a few messages, by their texts. None if `before` is none of the hits: what was shown then is not known.
fn page_of_few(few: &[Hit], query: &SearchQuery<'_>, snippets: &mut text::Snippets<'_>) -> Option<Results> {
    let mut hits: Vec<(&Hit, String, Rank)> = few
        .iter()
        .filter_map(|hit| {
            let (snippet, rank) = snippets.ranked(&hit.plain, &hit.addresses)?;
            Some((hit, snippet, rank))
        })
        .collect();
    hits.sort_by_key(|(_, _, rank)| *rank != Rank::Exact);
    let first = match query.before {
        Some(last) => hits.iter().position(|(hit, ..)| hit.message == last)? + 1,
        None => 0,
    };
    let mut page = Results::default();
    let mut size = 0;
    for (hit, snippet, _) in hits.into_iter().skip(first) {
        size += hit.size();
        if page.hits.len() == query.limit || size > query.max_bytes && !page.hits.is_empty() {
            page.has_before = true;
            break;
        }
        page.hits.push((hit.json.clone(), snippet));
    }
    Some(page)
}

fn by_index(reader: &Reader, words: &text::Query, query: &SearchQuery<'_>) -> rusqlite::Result<Found> {
    let expression = |rank| words.expression(rank, |beginning| reader.tokens_beginning_with(beginning));
    let exact = expression(Rank::Exact)?;
    let has_similar = words.has_similar();
    let mut any = None;
    let (has_exact, similar_before) = match query.before {
        Some(last) if has_similar && !reader.is_hit(&exact, last)? => {
            if reader.is_hit(any.insert(expression(Rank::Any)?), last)? {
                (false, Some(last))
            } else {
                // Of a message that is no hit, all that is older. One that was deleted may have been either: what was not
                // shown yet must not be left out.
                (true, reader.has_message(last)?.then_some(last))
            }
        }
        _ => (true, None),
    };
    let mut found = match has_exact {
        true => reader.search(&SearchQuery { words: Some(&exact), ..*query })?,
        false => Found::default(),
    };
    if found.has_before || !has_similar {
        return Ok(found);
    }
    let any = any.map_or_else(|| expression(Rank::Any), Ok)?;
    let max_bytes = query.max_bytes.saturating_sub(found.size());
    let similar = reader.search(&SearchQuery {
        words: Some(&any),
        except: Some(&exact),
        before: similar_before,
        limit: query.limit - found.hits.len(),
        max_bytes,
        ..*query
    })?;
    found.has_before = similar.has_before;
    if found.hits.is_empty() || similar.size() <= max_bytes {
        found.hits.extend(similar.hits);
    } else {
        found.has_before = true;
    }
    Ok(found)
}

/// Reduces rooms and authors to those that the filters name. False if no user matches, so that nothing can be found.
fn apply_filters(
    worker: &Worker,
    user: UserId,
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
            .users_seen_by(user)
            .into_iter()
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

//! Who is told of a message, and how: which jobs follow from it, and what a push says.

use serde::Serialize;
use smallvec::SmallVec;

use crate::{
    config::Config,
    store::{NewJob, Reader, Text},
    text::Everyone,
    types::{Involvement, JobKind, MessageId, RoomId, RoomKind, UserId},
    worker::Worker,
};

/// Bytes of a message's text in a push.
const MAX_BODY: usize = 3_000;

pub(crate) fn has_link(html: &str) -> bool {
    html.contains("href=\"http")
}

/// Looks for the pages behind a message's links, if that is wanted and there are any.
pub(crate) fn preview(config: &Config, html: &str) -> Option<NewJob> {
    let wanted = config.link_previews && has_link(html);
    wanted.then_some(NewJob { kind: JobKind::Preview, target: None, payload: None })
}

/// What has to be done once a message is posted: its links are looked at, bots get it by their webhooks, and members who
/// are not reading the room get a push.
pub(super) fn jobs(
    worker: &Worker,
    author: UserId,
    room: RoomId,
    text: &Text,
    everyone: Option<Everyone>,
) -> SmallVec<[NewJob; 1]> {
    let mut jobs: SmallVec<[NewJob; 1]> = preview(worker.config(), &text.html).into_iter().collect();
    let state = worker.state.borrow();
    if state.webhooks.is_empty() && state.pushed.is_empty() {
        return jobs;
    }
    let Some(found) = state.rooms.get(&room) else { return jobs };
    let is_direct = found.room.kind == RoomKind::Direct;
    let is_meant = |bot: &&UserId| {
        **bot != author && found.members.contains_key(bot) && (is_direct || text.mentions.contains(bot))
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
        **person != author
            && match involvement {
                Involvement::Everything => true,
                Involvement::Mentions => is_mentioned,
                Involvement::Nothing | Involvement::Invisible => false,
            }
            && !hub.is_reading(room, **person)
    };
    let people: Vec<String> = state.pushed.iter().filter(wants).map(UserId::to_string).collect();
    if !people.is_empty() {
        jobs.push(NewJob { kind: JobKind::Notify, target: None, payload: Some(people.join(",")) });
    }
    jobs
}

/// What a device shows.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    // In the order of the alphabet, as `serde_json::Value` wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    badge: Option<usize>,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<MessageId>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<RoomId>,
    title: String,
}

impl Notice {
    /// Says that pushes arrive.
    pub(crate) fn test() -> Self {
        Self {
            badge: None,
            body: "Notifications work on this device.".into(),
            message_id: None,
            path: "/".into(),
            room_id: None,
            title: "Campfire".into(),
        }
    }

    /// Of a message, for one of the room's members; None if either is gone.
    pub(crate) fn of(reader: &Reader, user: UserId, message: MessageId) -> rusqlite::Result<Option<Self>> {
        let Some(row) = reader.message(message)? else { return Ok(None) };
        let is_member =
            reader.user(user)?.is_some_and(|user| user.is_active()) && reader.is_member(row.room, user)?;
        let Some(room) = reader.room(row.room)?.filter(|_| is_member) else { return Ok(None) };
        let name = reader.user(row.creator)?.map_or_else(String::new, |user| user.name.to_string());
        // Of a file without words it is the name.
        let mut said = reader.plain(message)?.unwrap_or_default();
        if said.len() > MAX_BODY {
            said.truncate(said.floor_char_boundary(MAX_BODY - "…".len()));
            said.push('…');
        }
        let (title, body) = match room.name.filter(|_| room.kind != RoomKind::Direct) {
            Some(room_name) => (room_name.to_string(), format!("{name}: {said}")),
            None => (name, said),
        };
        Ok(Some(Self {
            badge: Some(badge(reader, user)?),
            body,
            message_id: Some(message),
            path: format!("/rooms/{}/@{message}", row.room),
            room_id: Some(row.room),
            title,
        }))
    }
}

/// Rooms in which something waits that the person wants to hear of.
fn badge(reader: &Reader, user: UserId) -> rusqlite::Result<usize> {
    let memberships = reader.memberships(user, |room, message| {
        reader.newest_message(room).is_ok_and(|newest| newest.is_some_and(|newest| newest > message))
    })?;
    let waits = memberships.values().filter(|membership| match membership.involvement {
        Involvement::Everything => membership.unread_count > 0,
        Involvement::Mentions => membership.mention_count > 0,
        Involvement::Nothing | Involvement::Invisible => false,
    });
    Ok(waits.count())
}

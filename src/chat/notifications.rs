//! Notifications: the jobs that follow from a message, push subscriptions, and the payload of a push.

use serde::Serialize;
use smallvec::SmallVec;

use super::Viewer;
use crate::{
    config::Config,
    store::{NewJob, QueueJob, Reader, Subscribe, Subscription, Text, Unsubscribe},
    text::Everyone,
    types::{Involvement, JobKind, MessageId, RoomId, RoomKind, SubscriptionId, UserId},
    wire::Problem,
    worker::Worker,
};

/// Bytes of a message's text in a push.
const MAX_BODY: usize = 3_000;

pub(crate) fn has_link(html: &str) -> bool {
    html.contains("href=\"http")
}

/// The job that makes link previews, if they are enabled and the message has links.
pub(crate) fn preview(config: &Config, html: &str) -> Option<NewJob> {
    let wanted = config.link_previews && has_link(html);
    wanted.then_some(NewJob { kind: JobKind::Preview, target: None, payload: None })
}

/// The jobs that follow from a new message: link previews, deliveries to the webhooks of bots, and pushes to members
/// who do not have the room open.
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
    let is_addressed = |bot: &&UserId| {
        **bot != author && found.members.contains_key(bot) && (is_direct || text.mentions.contains(bot))
    };
    for bot in state.webhooks.iter().filter(is_addressed) {
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

/// Subscribes a device to pushes.
pub(crate) async fn subscribe(worker: &Worker, device: Subscribe) -> Result<Subscription, Problem> {
    let id = worker.writer.write(device).await?;
    worker.reader.subscription(id)?.ok_or_else(Problem::not_found)
}

/// Removes one of the viewer's subscriptions.
pub(crate) async fn unsubscribe(
    worker: &Worker,
    viewer: &Viewer,
    subscription: SubscriptionId,
) -> Result<(), Problem> {
    Ok(worker.writer.write(Unsubscribe { subscription, user: Some(viewer.user) }).await?)
}

/// Queues a test push to one of the viewer's devices.
pub(crate) async fn send_test(worker: &Worker, viewer: &Viewer, id: SubscriptionId) -> Result<(), Problem> {
    let device = worker.reader.subscription(id)?.filter(|device| device.user == viewer.user);
    device.ok_or_else(Problem::not_found)?;
    worker.shared.limits.test_push(viewer.user).map_err(Problem::rate_limited)?;
    let job = NewJob { kind: JobKind::Push, target: Some(id.0), payload: None };
    Ok(worker.writer.write(QueueJob(job)).await?)
}

/// The payload of a push, which the service worker shows. Members are in alphabetical order.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
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
    /// A test push.
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

    /// About a message, for a user; None if it was deleted or the user is no longer a member.
    pub(crate) fn of(reader: &Reader, user: UserId, message: MessageId) -> rusqlite::Result<Option<Self>> {
        let Some(row) = reader.message(message)? else { return Ok(None) };
        let is_member =
            reader.user(user)?.is_some_and(|user| user.is_active()) && reader.is_member(row.room, user)?;
        let Some(room) = reader.room(row.room)?.filter(|_| is_member) else { return Ok(None) };
        let name = reader.user(row.creator)?.map_or_else(String::new, |user| user.name.to_string());
        // For a file without text this is its name.
        let mut text = reader.plain(message)?.unwrap_or_default();
        if text.len() > MAX_BODY {
            text.truncate(text.floor_char_boundary(MAX_BODY - "…".len()));
            text.push('…');
        }
        let (title, body) = match room.name.filter(|_| room.kind != RoomKind::Direct) {
            Some(room_name) => (room_name.to_string(), format!("{name}: {text}")),
            None => (name, text),
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

/// The number of rooms with unread messages that the user wants to be notified of.
fn badge(reader: &Reader, user: UserId) -> rusqlite::Result<usize> {
    let memberships = reader.memberships(user, |room, message| {
        reader.newest_message(room).is_ok_and(|newest| newest.is_some_and(|newest| newest > message))
    })?;
    let unread = memberships.values().filter(|membership| match membership.involvement {
        Involvement::Everything => membership.unread_count > 0,
        Involvement::Mentions => membership.mention_count > 0,
        Involvement::Nothing | Involvement::Invisible => false,
    });
    Ok(unread.count())
}

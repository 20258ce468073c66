//! Notifications: the jobs that follow from a message, push subscriptions, and the payload of a push.

use std::time::Instant;

use serde::Serialize;
use smallvec::SmallVec;
use unicode_segmentation::UnicodeSegmentation;

use super::{Viewer, mail};
use crate::{
    config::Config,
    store::{NewJob, QueueJob, Reader, Subscribe, Subscription, Text, Unsubscribe},
    text::Everyone,
    types::{Involvement, JobKind, MessageId, Role, RoomId, RoomKind, SubscriptionId, UserId},
    wire::{Problem, to_json},
    worker::Worker,
};

/// Bytes of a message's text in a push. JSON may need up to six times as many: see [`Notice::json`].
const MAX_BODY: usize = 3_000;

/// What stands where a text was cut.
const CUT: &str = "…";

pub(crate) fn has_link(html: &str) -> bool {
    html.contains("href=\"http")
}

/// The job that makes link previews, if they are enabled and the message has links.
pub(crate) fn preview(config: &Config, html: &str) -> Option<NewJob> {
    let wanted = config.link_previews && has_link(html);
    wanted.then_some(NewJob { kind: JobKind::Preview, target: None, payload: None })
}

/// Whether a message calls the webhooks of bots. Answers to webhooks call none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    Bots,
    Nobody,
}

/// The jobs that follow from a new message: link previews, deliveries to the webhooks of bots, and pushes and mails to
/// members who do not have the room open.
pub(super) fn jobs(
    worker: &Worker,
    author: UserId,
    room: RoomId,
    text: &Text,
    everyone: Option<Everyone>,
    calls: Calls,
) -> SmallVec<[NewJob; 1]> {
    let mut jobs: SmallVec<[NewJob; 1]> = preview(worker.config(), &text.html).into_iter().collect();
    jobs.extend(mail::awaiting(worker, author, room, text, everyone));
    let state = worker.state.borrow();
    if state.webhooks.is_empty() && state.pushed.is_empty() {
        return jobs;
    }
    let Some(found) = state.rooms.get(&room) else { return jobs };
    let is_direct = found.room.kind == RoomKind::Direct;
    let is_addressed = |bot: &&UserId| {
        **bot != author && found.members.contains_key(bot) && (is_direct || text.mentions.contains(bot))
    };
    let by_bot = state.users.get(&author).is_some_and(|author| author.role == Role::Bot);
    let chains = &worker.shared.limits.chains;
    if !by_bot {
        chains.end(room);
    }
    // Bots that answer one another come to an end.
    let may_call = calls == Calls::Bots
        && state.webhooks.iter().any(|bot| is_addressed(&bot))
        && (!by_bot || chains.take(room, Instant::now()));
    for bot in state.webhooks.iter().filter(is_addressed).filter(|_| may_call) {
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
    badge: Option<i64>,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<MessageId>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<RoomId>,
    title: String,
}

impl Notice {
    /// A test push, from the account of this name.
    pub(crate) fn test(account: &str) -> Self {
        Self {
            badge: None,
            body: "Notifications work on this device.".into(),
            message_id: None,
            path: "/".into(),
            room_id: None,
            title: account.to_owned(),
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
            text = shortened(&text, MAX_BODY, str::len);
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

    /// The notice as JSON of at most `most` bytes: the body is cut where what it takes in JSON would be too long, and then
    /// the title, whose characters are few.
    pub(crate) fn json(mut self, most: usize) -> Vec<u8> {
        let parts: [fn(&mut Self) -> &mut String; 2] = [|it| &mut it.body, |it| &mut it.title];
        for part in parts {
            let json = to_json(&self);
            if json.len() <= most {
                return json;
            }
            let text = part(&mut self);
            let rest = json.len() - escaped_length(text);
            *text = shortened(text, most.saturating_sub(rest), escaped_length);
        }
        to_json(&self)
    }
}

/// Bytes of a text within a JSON string.
fn escaped_length(text: &str) -> usize {
    let bytes = |character: char| match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    };
    text.chars().map(bytes).sum()
}

/// The beginning of a text that takes at most `most` bytes by this measure, with a sign that it was cut. No character as people
/// see it is torn apart.
fn shortened(text: &str, most: usize, length: fn(&str) -> usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(length(CUT));
    let mut kept = String::new();
    for character in text.graphemes(true) {
        let bytes = length(character);
        if bytes > left {
            break;
        }
        left -= bytes;
        kept.push_str(character);
    }
    if length(CUT) <= most {
        kept.push_str(CUT);
    }
    kept
}

/// How often the user was called and has not looked: mentions, and the messages of direct rooms, as the page counts them.
fn badge(reader: &Reader, user: UserId) -> rusqlite::Result<i64> {
    let memberships = reader.memberships(user, |room, message| {
        reader.newest_message(room).is_ok_and(|newest| newest.is_some_and(|newest| newest > message))
    })?;
    let mut calls = 0;
    for (room, membership) in &memberships {
        calls += match membership.involvement {
            Involvement::Nothing | Involvement::Invisible => 0,
            Involvement::Everything if membership.unread_count > membership.mention_count => {
                let is_direct = reader.room(*room)?.is_some_and(|room| room.kind == RoomKind::Direct);
                if is_direct { membership.unread_count } else { membership.mention_count }
            }
            Involvement::Everything | Involvement::Mentions => membership.mention_count,
        };
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::outbound::push::MAX_PLAINTEXT;

    fn notice(title: &str, body: &str) -> Notice {
        Notice {
            badge: Some(1_000),
            body: body.into(),
            message_id: Some(MessageId(i64::MAX)),
            path: format!("/rooms/{}/@{}", i64::MAX, i64::MAX),
            room_id: Some(RoomId(i64::MAX)),
            title: title.into(),
        }
    }

    /// What a browser gets, which fits and can be read.
    fn read(title: &str, body: &str, most: usize) -> (String, String) {
        let json = notice(title, body).json(most);
        assert!(json.len() <= most, "{} of {most} bytes", json.len());
        let read: Value = serde_json::from_slice(&json).unwrap();
        let text = |name: &str| read[name].as_str().unwrap().to_owned();
        assert_eq!(read["room_id"], i64::MAX);
        (text("title"), text("body"))
    }

    /// C3
    #[test]
    fn notice_that_json_makes_too_long_is_cut_by_its_length_in_json() {
        for unit in ["\"", "\\", "\u{1}", "\n", "é", "語", "👨‍👩‍👧‍👦", "🇩🇪", "e\u{301}", "\"k\":\"v\","]
        {
            let body = unit.repeat(MAX_BODY / unit.len());
            let (title, shown) = read("Kitchen", &body, MAX_PLAINTEXT);
            assert_eq!(title, "Kitchen");
            let cut = shown.strip_suffix(CUT).unwrap_or(&shown);
            assert!(body.starts_with(cut) && cut.len() % unit.len() == 0, "{unit:?} is torn apart");
            // As much as fits.
            assert!(shown == body || escaped_length(&shown) + escaped_length(unit) > MAX_PLAINTEXT - 300);
        }
        let (title, body) = read(&"\u{1}".repeat(100), "words", 600);
        assert!(title.ends_with(CUT) && body.len() <= CUT.len());
    }

    proptest! {
        /// C3
        #[test]
        fn notice_of_any_text_fits_and_can_be_read(
            title in "\\PC{0,100}",
            body in prop_oneof![".{0,3000}", "[\"\\\\\u{0}-\u{1f}a👩‍🚀🇫🇷e\u{301}]{0,2500}"],
            most in 400_usize..MAX_PLAINTEXT,
        ) {
            let (_, shown) = read(&title, &body, most);
            let cut = shown.strip_suffix(CUT).unwrap_or(&shown);
            prop_assert!(shown == body || body.starts_with(cut));
            let ends = body.grapheme_indices(true).map(|(at, _)| at).chain([body.len()]);
            prop_assert!(shown == body || ends.into_iter().any(|end| end == cut.len()), "{cut:?}");
            prop_assert_eq!(escaped_length(&body), serde_json::to_string(&body).unwrap().len() - 2);
        }
    }
}

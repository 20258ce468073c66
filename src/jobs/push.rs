//! Web Push: from a message to every device of those who want to know and do not look.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use hyper::{
    Method,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use url::Url;

use super::{Done, Failure, Runner};
use crate::{
    outside::{Call, Redirects, Scope, push},
    store::{Job, NewJob, Subscription, Unsubscribe},
    types::{
        Involvement, JobKind, Message, MessageId, MessageKind, RoomKind, SubscriptionId, Timestamp, UserId,
    },
    worker::Worker,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a message's text in a push.
const MAX_BODY: usize = 3_000;

/// Seconds that a push service keeps a push for a device that is off: a day-old message is in the app.
const TTL: &str = "86400";

/// How long a push service may know us by one token (RFC 8292 allows a day).
const TOKEN_S: i64 = 12 * 3600;

/// One job for each device: they fail and are tried again by themselves.
pub(super) fn spread(runner: &Runner, job: &Job) -> Done {
    let people = job.payload.as_deref().unwrap_or_default();
    let mut pushes = Vec::new();
    for person in people.split(',').filter_map(|id| id.parse().ok().map(UserId)) {
        for device in runner.reader.subscriptions(person)? {
            let push = NewJob { kind: JobKind::Push, target: Some(device.id.0), payload: None };
            pushes.push((push, job.message));
        }
    }
    Ok(pushes)
}

pub(super) async fn send(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(id) = job.target.map(SubscriptionId) else { return Ok(Vec::new()) };
    let Some(device) = runner.reader.subscription(id)? else { return Ok(Vec::new()) };
    let user = device.user;
    let notice = match job.message {
        Some(message) => runner.ask(move |worker| notice(worker, user, message)).await??,
        None => {
            Some(json!({ "title": "Campfire", "body": "Notifications work on this device.", "path": "/" }))
        }
    };
    // The message is gone, or the person is.
    let Some(notice) = notice else { return Ok(Vec::new()) };
    let call = call(runner, &device, notice.to_string().as_bytes())?;
    let answer = runner.outside.call(&call).await?;
    match answer.status.as_u16() {
        200..=299 => Ok(Vec::new()),
        404 | 410 => {
            runner.writer.write(Unsubscribe { subscription: id, user: None }).await?;
            Ok(Vec::new())
        }
        status @ (408 | 425 | 429 | 500..) => {
            Err(Failure::Later(format!("the push service answered {status}")))
        }
        status => Err(Failure::Never(format!("the push service answered {status}"))),
    }
}

fn call(runner: &Runner, device: &Subscription, notice: &[u8]) -> Result<Call, Failure> {
    let never = |why: &str| Failure::Never(why.to_owned());
    let record = push::encrypt(notice, &device.p256dh, &device.auth)
        .map_err(|_| never("the device's keys are none"))?;
    let origin = Url::parse(&device.endpoint).map_err(|_| never("the endpoint is no address"))?.origin();
    let subject = runner.shared.config.public_url.clone().filter(|url| url.starts_with("https://"));
    // Push services want somebody to write to; without a public address there is only the project.
    let subject = subject.unwrap_or_else(|| "mailto:campfire@localhost.localdomain".into());
    let expires = Timestamp::now().0 / 1000 + TOKEN_S;
    let token = runner.vapid.authorization(&origin.ascii_serialization(), &subject, expires);
    let token = HeaderValue::try_from(token).map_err(|_| never("the token is unprintable"))?;
    Ok(Call {
        method: Method::POST,
        url: device.endpoint.clone(),
        headers: vec![
            (header::AUTHORIZATION, token),
            (header::CONTENT_ENCODING, HeaderValue::from_static("aes128gcm")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (HeaderName::from_static("ttl"), HeaderValue::from_static(TTL)),
            (HeaderName::from_static("urgency"), HeaderValue::from_static("high")),
        ],
        body: Bytes::from(record),
        // Whoever subscribes says where to: it must not be a way into the house.
        scope: Scope::Public,
        redirects: Redirects::Refuse,
        connect: PATIENCE,
        total: 2 * PATIENCE,
        max_body: 4 << 10,
    })
}

/// What the device shows; None if there is nothing to show any more.
fn notice(worker: &Worker, user: UserId, message: MessageId) -> Result<Option<Value>, Failure> {
    let Some((room, creator, json)) = worker.reader.message(message)? else { return Ok(None) };
    let Ok(message) = serde_json::from_slice::<Message>(&json) else { return Ok(None) };
    let plain = worker.reader.plain(message.id)?.unwrap_or_default();
    let badge = badge(worker, user)?;
    let state = worker.state.borrow();
    let is_gone = !state.users.get(&user).is_some_and(|user| user.is_active());
    if is_gone || state.involvement(room, user).is_none() {
        return Ok(None);
    }
    let name = state.users.get(&creator).map_or_else(String::new, |user| user.name.to_string());
    let in_room = state.rooms.get(&room);
    let is_direct = in_room.is_some_and(|found| found.room.kind == RoomKind::Direct);
    let room_name = in_room.and_then(|found| found.room.name.clone());
    let mut said = match (message.kind, &message.attachment) {
        (MessageKind::Attachment, Some(file)) if message.content.is_empty() => file.filename.clone(),
        _ => plain,
    };
    if said.len() > MAX_BODY {
        said.truncate(said.floor_char_boundary(MAX_BODY - "…".len()));
        said.push('…');
    }
    let (title, body) = match room_name.filter(|_| !is_direct) {
        Some(room_name) => (room_name.to_string(), format!("{name}: {said}")),
        None => (name, said),
    };
    Ok(Some(json!({
        "title": title,
        "body": body,
        "path": format!("/rooms/{room}/@{}", message.id),
        "room_id": room,
        "message_id": message.id,
        "badge": badge,
    })))
}

/// Rooms in which something waits that the person wants to know of.
fn badge(worker: &Worker, user: UserId) -> Result<usize, Failure> {
    let memberships =
        worker.reader.memberships(user, |room, message| worker.state.borrow().has_after(room, message))?;
    let waits = memberships.values().filter(|membership| match membership.involvement {
        Involvement::Everything => membership.unread_count > 0,
        Involvement::Mentions => membership.mention_count > 0,
        Involvement::Nothing | Involvement::Invisible => false,
    });
    Ok(waits.count())
}

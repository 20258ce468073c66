//! Web Push (RFC 8030, 8188, 8291, 8292): from a message to the devices of the users to notify.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use hyper::{
    Method,
    header::{self, HeaderName, HeaderValue},
};
use url::Url;

use super::{Done, Failure, Runner};
use crate::{
    chat::notifications::Notice,
    outbound::{Call, Redirects, Scope, push},
    store::{Job, NewJob, Subscription, Unsubscribe},
    types::{JobKind, SubscriptionId, Timestamp, UserId},
    wire::to_json,
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds that a push service stores a push for a device that is off: a day.
const TTL: &str = "86400";

/// Seconds until a VAPID token expires; RFC 8292, section 2, allows a day.
const TOKEN_S: i64 = 12 * 3600;

/// Queues one job for each device, so that each is retried on its own.
pub(super) fn fan_out(runner: &Runner, job: &Job) -> Done {
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
    let notice = match job.message {
        Some(message) => Notice::of(&runner.reader, device.user, message)?,
        None => Some(Notice::test()),
    };
    // The message was deleted, or the user is no longer a member.
    let Some(notice) = notice else { return Ok(Vec::new()) };
    let call = call(runner, &device, &to_json(&notice))?;
    let answer = runner.outside.call(&call).await?;
    match answer.status.as_u16() {
        200..=299 => Ok(Vec::new()),
        404 | 410 => {
            runner.writer.write(Unsubscribe { subscription: id, user: None }).await?;
            Ok(Vec::new())
        }
        status @ (408 | 425 | 429 | 500..) => {
            Err(Failure::Retry(format!("the push service answered {status}")))
        }
        status => Err(Failure::Permanent(format!("the push service answered {status}"))),
    }
}

fn call(runner: &Runner, device: &Subscription, notice: &[u8]) -> Result<Call, Failure> {
    let permanent = |why: &str| Failure::Permanent(why.to_owned());
    let record = push::encrypt(notice, &device.p256dh, &device.auth)
        .map_err(|_| permanent("the device's keys are none"))?;
    let origin = Url::parse(&device.endpoint).map_err(|_| permanent("the endpoint is no address"))?.origin();
    let subject = runner.shared.config.public_url.clone().filter(|url| url.starts_with("https://"));
    // RFC 8292, section 2.1, asks for a contact; without a public URL there is only a placeholder.
    let subject = subject.unwrap_or_else(|| "mailto:campfire@localhost.localdomain".into());
    let expires = Timestamp::now().0 / 1000 + TOKEN_S;
    let token = runner.shared.vapid.authorization(&origin.ascii_serialization(), &subject, expires);
    let token = HeaderValue::try_from(token).map_err(|_| permanent("the token is unprintable"))?;
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
        // The subscriber chooses the URL, so it must not reach the private network.
        scope: Scope::Public,
        redirects: Redirects::Refuse,
        connect: TIMEOUT,
        total: 2 * TIMEOUT,
        max_body: 4 << 10,
    })
}

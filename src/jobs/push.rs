//! Web Push: from a message to every device of those who want to know and do not look.

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

const PATIENCE: Duration = Duration::from_secs(10);

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
    let notice = match job.message {
        Some(message) => Notice::of(&runner.reader, device.user, message)?,
        None => Some(Notice::test()),
    };
    // The message is gone, or the person is.
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

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
    store::{Job, NewJob, RecordPushError, Subscription, Unsubscribe},
    types::{JobKind, SubscriptionId, Timestamp, UserId},
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds that a push service stores a push for a device that is off: a day.
const TTL: &str = "86400";

/// Characters of a push service's refusal that are stored.
const MAX_DETAIL: usize = 200;

/// Seconds until a VAPID token expires; RFC 8292, section 2, allows a day.
const TOKEN_S: i64 = 12 * 3600;

/// Jobs that one command queues. The writer is held for as long as it takes.
const MOST_AT_ONCE: usize = 200;

/// Queues one job for each device, so that each is retried on its own.
pub(super) fn fan_out(runner: &Runner, job: &Job) -> Done {
    let people = job.payload.as_deref().unwrap_or_default();
    let jobs = jobs_for(people, |person| {
        let devices = runner.reader.subscriptions(person)?;
        Ok(devices.into_iter().map(|device| device.id).collect())
    })?;
    Ok(jobs.into_iter().map(|next| (next, job.message)).collect())
}

/// The jobs for these people's devices; if they are too many for one command, the last one is for the rest of the people.
fn jobs_for(
    people: &str,
    devices_of: impl Fn(UserId) -> Result<Vec<SubscriptionId>, Failure>,
) -> Result<Vec<NewJob>, Failure> {
    let mut jobs = Vec::new();
    let mut rest = people;
    while !rest.is_empty() {
        if jobs.len() >= MOST_AT_ONCE {
            jobs.push(NewJob { kind: JobKind::Notify, target: None, payload: Some(rest.to_owned()) });
            break;
        }
        let (person, others) = rest.split_once(',').unwrap_or((rest, ""));
        rest = others;
        let Ok(person) = person.parse().map(UserId) else { continue };
        for device in devices_of(person)? {
            jobs.push(NewJob { kind: JobKind::Push, target: Some(device.0), payload: None });
        }
    }
    Ok(jobs)
}

pub(super) async fn send(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(id) = job.target.map(SubscriptionId) else { return Ok(Vec::new()) };
    let Some(device) = runner.reader.subscription(id)? else { return Ok(Vec::new()) };
    let notice = match job.message {
        Some(message) => Notice::of(&runner.reader, device.user, message)?,
        None => Some(Notice::test(&runner.reader.account_name()?)),
    };
    // The message was deleted, or the user is no longer a member.
    let Some(notice) = notice else { return Ok(Vec::new()) };
    let call = call(runner, &device, &notice.json(push::MAX_PLAINTEXT))?;
    let answer = runner.outside.call(&call).await?;
    match answer.status.as_u16() {
        200..=299 => {
            if device.last_error.is_some() {
                runner.writer.write(RecordPushError { subscription: id, error: None }).await?;
            }
            Ok(Vec::new())
        }
        404 | 410 => {
            runner.writer.write(Unsubscribe { subscription: id, user: None }).await?;
            Ok(Vec::new())
        }
        status @ (408 | 425 | 429 | 500..) => {
            Err(Failure::Retry(format!("the push service answered {status}")))
        }
        status => {
            let said = String::from_utf8_lossy(&answer.body);
            let said: String = said.chars().filter(|it| !it.is_control()).take(MAX_DETAIL).collect();
            let service = Url::parse(&device.endpoint).ok();
            let service = service.as_ref().and_then(Url::host_str).unwrap_or_default();
            tracing::warn!(service, status, said, "a push service refuses the pushes to a device");
            let error = Some((status, said));
            runner.writer.write(RecordPushError { subscription: id, error }).await?;
            Err(Failure::Permanent(format!("the push service answered {status}")))
        }
    }
}

/// The contact that push services ask for (RFC 8292, section 2.1): this server's https URL, by its settings or as the
/// device reached it. Apple's service refuses names that only exist in a private network; without any there is only a
/// placeholder.
fn subject(configured: &str, seen: Option<&str>) -> String {
    let is_named = |url: &&str| {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "https");
        url.is_some_and(|url| url.domain().is_some_and(|name| name.contains('.')))
    };
    let named = [Some(configured), seen].into_iter().flatten().find(is_named);
    named.map_or_else(|| "mailto:campfire@localhost.localdomain".into(), str::to_owned)
}

fn call(runner: &Runner, device: &Subscription, notice: &[u8]) -> Result<Call, Failure> {
    let permanent = |why: &str| Failure::Permanent(why.to_owned());
    let record =
        push::encrypt(notice, &device.p256dh, &device.auth).map_err(|error| permanent(&error.to_string()))?;
    let origin = Url::parse(&device.endpoint).map_err(|_| permanent("the endpoint is no address"))?.origin();
    let subject = subject(&runner.shared.config.base_url(), device.origin.as_deref());
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

#[cfg(test)]
mod tests {
    use super::*;

    /// C2
    #[test]
    fn subject_is_the_servers_https_url_whatever_setting_gave_it() {
        assert_eq!(subject("https://chat.example.org", None), "https://chat.example.org");
        assert_eq!(
            subject("https://chat.example.org:8443", Some("https://b.example")),
            "https://chat.example.org:8443"
        );
        // A proxy encrypts, and no setting says so.
        assert_eq!(subject("http://127.0.0.1:3000", Some("https://b.example")), "https://b.example");
        // Certificates without a domain: the settings know an address only.
        assert_eq!(subject("https://0.0.0.0:443", Some("https://b.example")), "https://b.example");
        for (configured, seen) in [
            ("http://127.0.0.1:3000", None),
            ("https://localhost", Some("https://raspberrypi")),
            ("https://10.0.0.2", Some("https://[::1]")),
        ] {
            assert_eq!(subject(configured, seen), "mailto:campfire@localhost.localdomain");
        }
    }

    /// 30.
    #[test]
    fn pushes_to_many_are_queued_in_pieces() {
        let all: Vec<i64> = (1..=1_000).collect();
        let mut rest = all.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let (mut devices, mut commands) = (Vec::new(), 0);
        while !rest.is_empty() {
            let jobs = jobs_for(&rest, |person| {
                Ok((0..person.0 % 3).map(|device| SubscriptionId(10 * person.0 + device)).collect())
            })
            .unwrap();
            assert!(jobs.len() <= MOST_AT_ONCE + 2, "{} at once", jobs.len());
            commands += 1;
            rest = String::new();
            for job in jobs {
                match job.kind {
                    JobKind::Push => devices.push(job.target.unwrap()),
                    _ => rest = job.payload.unwrap(),
                }
            }
        }
        let wanted: Vec<i64> =
            all.iter().flat_map(|person| (0..person % 3).map(move |device| 10 * person + device)).collect();
        assert_eq!(devices, wanted, "each once");
        assert_eq!(commands, 5);
        assert!(jobs_for("", |_| panic!("nobody")).unwrap().is_empty());
    }
}

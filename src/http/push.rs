//! Web Push: the key to subscribe with, and the devices that did.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::Viewer,
    outbound::push::are_keys,
    store::{NewJob, QueueJob, Subscribe, Subscription, Unsubscribe},
    types::{JobKind, SubscriptionId},
    wire::Problem,
};

const MAX_ENDPOINT: usize = 2_000;

pub(crate) fn key(call: &Call, _: &Viewer) -> Response {
    Ok(Reply::json(&json!({ "public_key": call.worker.shared.vapid.public() })))
}

fn view(device: &Subscription) -> Value {
    json!({
        "id": device.id,
        "endpoint": device.endpoint,
        "user_agent": device.user_agent,
        "created_at": device.created_at,
    })
}

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    let devices: Vec<_> = call.worker.reader.subscriptions(viewer.user)?.iter().map(view).collect();
    Ok(Reply::json(&json!({ "subscriptions": devices })))
}

/// Takes what `PushSubscription.toJSON()` gives: `{endpoint, keys: {p256dh, auth}}`.
pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let endpoint = form.required_line("endpoint", 1..=MAX_ENDPOINT);
        let is_web = url::Url::parse(&endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !endpoint.is_empty() && !is_web {
            form.refuse("endpoint", "has to be an address that starts with https://");
        }
        let keys = form.object("keys").unwrap_or_default();
        let key = |name: &str| keys.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (p256dh, auth) = (key("p256dh"), key("auth"));
        if !are_keys(&p256dh, &auth) {
            form.refuse("keys", "has to have a browser's p256dh and auth");
        }
        form.finish()?;
        let (user, user_agent) = (viewer.user, call.device().name());
        let id = call.worker.writer.write(Subscribe { user, endpoint, p256dh, auth, user_agent }).await?;
        let device = call.worker.reader.subscription(id)?.ok_or_else(Problem::not_found)?;
        Ok(Reply::written(StatusCode::CREATED, &view(&device)))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let subscription = SubscriptionId(call.id(0)?);
        call.worker.writer.write(Unsubscribe { subscription, user: Some(viewer.user) }).await?;
        Ok(Reply::no_content())
    })
}

/// Sends something to one of the viewer's own devices.
pub(crate) fn test(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let id = SubscriptionId(call.id(0)?);
        let device = call.worker.reader.subscription(id)?.filter(|device| device.user == viewer.user);
        device.ok_or_else(Problem::not_found)?;
        let job = NewJob { kind: JobKind::Push, target: Some(id.0), payload: None };
        call.worker.writer.write(QueueJob(job)).await?;
        Ok(Reply::accepted())
    })
}

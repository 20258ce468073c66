//! Web Push: the public key, and the subscriptions of the viewer.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{Viewer, notifications},
    outbound::push::are_keys,
    store::{Subscribe, Subscription},
    types::SubscriptionId,
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
        "last_error": device.last_error,
    })
}

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    let devices: Vec<_> = call.worker.reader.subscriptions(viewer.user)?.iter().map(view).collect();
    Ok(Reply::json(&json!({ "subscriptions": devices })))
}

/// Adds a subscription, as `PushSubscription.toJSON()` returns it: `{endpoint, keys: {p256dh, auth}}`.
pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let endpoint = form.required_line("endpoint", 1..=MAX_ENDPOINT);
        let is_web = url::Url::parse(&endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !endpoint.is_empty() && !is_web {
            form.refuse("endpoint", "must be a URL that starts with http:// or https://");
        }
        let keys = form.object("keys").unwrap_or_default();
        let key = |name: &str| keys.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (p256dh, auth) = (key("p256dh"), key("auth"));
        if !are_keys(&p256dh, &auth) {
            form.refuse("keys", "must contain the p256dh and auth of a browser");
        }
        form.finish()?;
        let (user, session, user_agent) = (viewer.user, viewer.session, call.device().name());
        let origin = Some(call.base_url()).filter(|url| url.starts_with("https://"));
        let device = Subscribe { user, session, endpoint, p256dh, auth, user_agent, origin };
        let device = notifications::subscribe(&call.worker, device).await?;
        Ok(Reply::written(StatusCode::CREATED, &view(&device)))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        notifications::unsubscribe(&call.worker, &viewer, SubscriptionId(call.id(0)?)).await?;
        Ok(Reply::no_content())
    })
}

/// Sends a test push to one of the viewer's devices.
pub(crate) fn test(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        notifications::send_test(&call.worker, &viewer, SubscriptionId(call.id(0)?)).await?;
        Ok(Reply::accepted())
    })
}

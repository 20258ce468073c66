//! The page and its assets, from the binary.

use std::sync::PoisonError;

use hyper::header::{self, HeaderName, HeaderValue};

use super::{
    assets::{self, Asset},
    request::Call,
    response::Reply,
    router::Response,
    session::{session_cookie, with_our_cookie},
};
use crate::wire::Problem;

/// The policy of the page: scripts, styles and connections from this host only, no framing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

pub(crate) fn page(call: &Call) -> Response {
    let reply = reply(assets::page())
        .with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY))
        .with(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"))
        .with(
            PERMISSIONS_POLICY,
            HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        );
    Ok(match demo_token(call) {
        Some(token) => reply.with(header::SET_COOKIE, session_cookie(call, &token)),
        None => with_our_cookie(call, reply),
    })
}

/// The session token for the first visitor of a demo from loopback.
fn demo_token(call: &Call) -> Option<String> {
    if !call.is_from_here() {
        return None;
    }
    call.worker.shared.demo_token.lock().unwrap_or_else(PoisonError::into_inner).take()
}

pub(crate) fn asset(call: &Call) -> Response {
    asset_at(call.uri.path())
}

fn asset_at(path: &str) -> Response {
    assets::asset(path).map(reply).ok_or_else(Problem::not_found)
}

/// The service worker. A browser whose worker is that of ONCE Campfire asks for it at that one's path, at the latest a day
/// after the last time, and then replaces it.
pub(crate) fn service_worker(_: &Call) -> Response {
    asset_at("/sw.js")
}

fn reply(asset: &'static Asset) -> Reply {
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut reply = Reply::text(asset.identity(), asset.content_type).cache_control(cache);
    reply.etag = Some(asset.etag.to_string().into());
    reply.gzip = asset.gzip.clone();
    reply.br = asset.br.clone();
    reply
}

//! The icons and the manifest of the installed app: with the account's name and logo, once there are any.

use std::sync::PoisonError;

use bytes::Bytes;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use super::{
    assets, pages,
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::files::run_blocking,
    media::icon::{Shape, app_icon},
    wire::Problem,
};

/// The icons that show the logo: path, side in pixels, shape. The one for the status bar of phones is a silhouette, and stays.
const ICONS: [(&str, u32, Shape); 4] = [
    ("/icons/icon-192.png", 192, Shape::Any),
    ("/icons/icon-512.png", 512, Shape::Any),
    ("/icons/maskable-512.png", 512, Shape::Maskable),
    ("/apple-touch-icon.png", 180, Shape::Opaque),
];

/// Characters of `short_name`: more would be cut under an icon.
const SHORT: usize = 30;

fn png(bytes: Bytes) -> Reply {
    Reply::picture(bytes, HeaderValue::from_static("image/png")).cache_control("no-cache")
}

/// An icon: the logo, or the flame.
pub(crate) fn icon(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let version = call.worker.state.borrow().account.as_ref().and_then(|account| account.logo);
        let found = ICONS.iter().position(|(path, ..)| *path == call.uri.path());
        let (Some(version), Some(place)) = (version, found) else { return pages::asset(&call) };
        let made = || call.worker.shared.icons.lock().unwrap_or_else(PoisonError::into_inner)[place].clone();
        let current = || made().filter(|(of, _)| *of == version);
        if let Some((_, bytes)) = current() {
            return Ok(png(bytes));
        }
        let _turn = call.worker.shared.imaging.acquire().await;
        // Another request may have made it meanwhile.
        if let Some((_, bytes)) = current() {
            return Ok(png(bytes));
        }
        let Some(logo) = call.worker.reader.image("logo")? else { return pages::asset(&call) };
        let (_, side, shape) = ICONS[place];
        let made = run_blocking(move || Ok(app_icon(&logo.bytes, side, shape))).await?;
        let Some(made) = made.map(Bytes::from) else { return pages::asset(&call) };
        call.worker.shared.icons.lock().unwrap_or_else(PoisonError::into_inner)[place] =
            Some((version, made.clone()));
        Ok(png(made))
    })
}

/// The manifest. The addresses of icons that show the logo change with it: systems look at an icon again only then.
pub(crate) fn manifest(call: &Call) -> Response {
    let plain = assets::asset("/manifest.webmanifest").ok_or_else(Problem::not_found)?.identity();
    let state = call.worker.state.borrow();
    let Some(account) = &state.account else { return Ok(manifest_of(plain)) };
    let mut manifest: Value = serde_json::from_slice(&plain).map_err(|_| Problem::internal())?;
    manifest["name"] = json!(&*account.name);
    manifest["short_name"] = account.name.chars().take(SHORT).collect::<String>().trim().into();
    if let Some(version) = account.logo {
        let icons = manifest["icons"].as_array_mut().into_iter().flatten();
        // The flame as a drawing would be taken before the logo.
        let icons = icons.filter(|icon| icon["type"] != "image/svg+xml").map(|icon| {
            let mut icon = icon.take();
            let path = icon["src"].as_str().unwrap_or_default().to_owned();
            if ICONS.iter().any(|(known, ..)| *known == path) {
                icon["src"] = format!("{path}?v={version}").into();
            }
            icon
        });
        manifest["icons"] = icons.collect::<Vec<_>>().into();
    }
    let body = serde_json::to_vec(&manifest).map_err(|_| Problem::internal())?;
    Ok(manifest_of(body.into()))
}

fn manifest_of(body: Bytes) -> Reply {
    Reply::picture(body, HeaderValue::from_static("application/manifest+json")).cache_control("no-cache")
}

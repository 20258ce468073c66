//! Avatars, the logo, pictures of link previews, and sounds: from the database or generated.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;

use super::{
    incoming::{RequestBody, read_body},
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
    users::found_to_change,
};
use crate::{
    chat::{Admin, Viewer, account, files::run_blocking, people},
    media::{
        picture::{self, Picture},
        sounds,
    },
    store::{Image, PutSmallAvatar, small_avatar},
    types::{User, UserId, person::color},
    wire::Problem,
};

/// Bytes of an uploaded avatar or logo.
const MAX_PICTURE: usize = 10 << 20;

/// A URL with a version names a picture that never changes; one without is cached for five minutes.
fn cache(call: &Call) -> &'static str {
    let is_versioned = call.query().text("v").is_some();
    if is_versioned { "private, max-age=31536000, immutable" } else { "private, max-age=300" }
}

pub(super) fn reply(call: &Call, image: Image) -> Response {
    let content_type = HeaderValue::try_from(image.content_type).map_err(|_| Problem::internal())?;
    Ok(Reply::picture(image.bytes.into(), content_type).cache_control(cache(call)).with(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ))
}

pub(crate) fn avatar(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let id = UserId(call.id(0)?);
        let user = people::find(&call.worker, &viewer, id)?;
        let Some(version) = user.avatar else { return reply(&call, initials(&user)) };
        let is_small = call.query().text("size") == Some("small");
        if is_small && let Some(stored) = call.worker.reader.image(&small_avatar(id))? {
            return reply(&call, stored);
        }
        let stored = call.worker.reader.image(&format!("user-{id}"))?;
        let image = match stored {
            Some(whole) if is_small => make_small(&call, id, version, whole).await?,
            Some(whole) => whole,
            None => initials(&user),
        };
        reply(&call, image)
    })
}

/// Makes and stores the small copy of an avatar, on first use.
async fn make_small(call: &Call, user: UserId, version: i64, whole: Image) -> Result<Image, Problem> {
    let _turn = call.worker.shared.imaging.acquire().await;
    // Another request may have made it meanwhile.
    if let Some(made) = call.worker.reader.image(&small_avatar(user))? {
        return Ok(made);
    }
    let small = move || match picture::small_avatar(&whole.bytes) {
        Some(Picture { content_type, bytes }) => Image { content_type: content_type.into(), bytes },
        None => whole,
    };
    let image = run_blocking(move || Ok(small())).await?;
    call.worker.writer.write(PutSmallAvatar { user, version, image: image.clone() }).await?;
    Ok(image)
}

/// A user's initials as an SVG image.
fn initials(user: &User) -> Image {
    // Initials are letters and digits only, so they need no escaping.
    let (letters, color) = (&user.initials, color(user.id));
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64"><rect width="64" height="64" fill="{color}"/><text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="26" font-weight="600" text-anchor="middle" dominant-baseline="central">{letters}</text></svg>"##
    );
    Image { content_type: "image/svg+xml".into(), bytes: svg.into_bytes() }
}

/// Receives a picture and converts it. 413 if it is too large, 415 if it is none.
pub(super) async fn receive_picture(
    call: &Call,
    mut body: RequestBody,
    make: fn(&[u8]) -> Option<Picture>,
) -> Result<Image, Problem> {
    let bytes = read_body(call, &mut body, MAX_PICTURE).await?;
    // The semaphore is never closed.
    let _turn = call.worker.shared.imaging.acquire().await;
    let picture = run_blocking(move || Ok(std::panic::catch_unwind(|| make(&bytes)).ok().flatten())).await?;
    let picture = picture.ok_or_else(Problem::not_an_image)?;
    Ok(Image { content_type: picture.content_type.into(), bytes: picture.bytes })
}

pub(crate) fn put_avatar(call: Call, viewer: Viewer, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let user = found_to_change(&call, &viewer)?;
        let image = receive_picture(&call, body, picture::avatar).await?;
        let user = people::set_avatar(&call.worker, user, Some(image)).await?;
        Ok(Reply::written(StatusCode::OK, &user.private()))
    })
}

pub(crate) fn remove_avatar(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let user = found_to_change(&call, &viewer)?;
        people::set_avatar(&call.worker, user, None).await?;
        Ok(Reply::no_content())
    })
}

/// The logo, which is public since the sign-in form shows it.
pub(crate) fn logo(call: &Call) -> Response {
    reply(call, call.worker.reader.image("logo")?.ok_or_else(Problem::not_found)?)
}

pub(crate) fn put_logo(call: Call, viewer: Viewer, body: RequestBody) -> ResponseFuture {
    Box::pin(async move {
        let admin = Admin::of(viewer)?;
        let image = receive_picture(&call, body, picture::logo).await?;
        let account = account::set_logo(&call.worker, &admin, Some(image)).await?;
        Ok(Reply::written(StatusCode::OK, &account.private()))
    })
}

pub(crate) fn remove_logo(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        account::set_logo(&call.worker, &admin, None).await?;
        Ok(Reply::no_content())
    })
}

/// The stored copy of the picture of a link preview.
pub(crate) fn embed(call: &Call, _: &Viewer) -> Response {
    let key = call.param(0);
    if !key.starts_with("embed-") {
        return Err(Problem::not_found());
    }
    reply(call, call.worker.reader.image(&key)?.ok_or_else(Problem::not_found)?)
}

pub(crate) fn sounds(_: &Call, _: &Viewer) -> Response {
    let list: Vec<_> = sounds::SOUNDS
        .iter()
        .map(|sound| {
            let url = format!("/sounds/{}.wav", sound.name);
            json!({ "name": sound.name, "title": sound.title, "emoji": sound.emoji, "url": url })
        })
        .collect();
    Ok(Reply::json(&json!({ "sounds": list })).cache_control("private, max-age=86400"))
}

pub(crate) fn sound(call: &Call) -> Response {
    let sound = call.param(0).strip_suffix(".wav").and_then(sounds::find).ok_or_else(Problem::not_found)?;
    Ok(Reply::picture(sound.wav(), HeaderValue::from_static("audio/wav"))
        .cache_control("public, max-age=86400"))
}

//! Link previews: fetches the pages that a message links to and adds their titles and pictures to it.

use std::{rc::Rc, time::Duration};

use super::{Done, Runner};
use crate::{
    media::picture,
    outbound::{Answer, Call, Redirects, Scope, page},
    store::{Image, Job, SetEmbeds},
    text,
    types::{Embed, random_token},
};
use bytes::Bytes;
use hyper::{
    Method,
    header::{self, HeaderValue},
};

const REDIRECTS: u32 = 5;
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(10);

/// Bytes of a page, and of a picture.
const MAX_PAGE: usize = 5 << 20;

/// Content types of pictures that are decoded.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

pub(super) async fn fetch(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(id) = job.message else { return Ok(Vec::new()) };
    let Some(words) = runner.reader.words(id)? else { return Ok(Vec::new()) };
    let (mut embeds, mut images) = (Vec::new(), Vec::new());
    let links = text::previewed_links(&words.html);
    for link in &links {
        // A page that cannot be fetched has no preview; the job is not retried for it.
        let Ok(answer) = runner.outside.call(&get(link, "text/html,image/*;q=0.5")).await else { continue };
        if !answer.status.is_success() {
            continue;
        }
        if let Some(embed) = embed(runner, link, answer, &mut images).await {
            embeds.push(embed);
        }
    }
    if !embeds.is_empty() {
        runner.writer.write(SetEmbeds { message: id, links, embeds, images }).await?;
    }
    Ok(Vec::new())
}

async fn embed(
    runner: &Runner,
    link: &str,
    answer: Answer,
    images: &mut Vec<(String, Image)>,
) -> Option<Embed> {
    let kind = answer.content_type().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let preview = if kind == "text/html" || kind == "application/xhtml+xml" {
        page::preview(&answer.body, answer.content_type(), &answer.url)
    } else if PICTURES.contains(&kind.as_str()) {
        page::Preview { image_url: Some(link.to_owned()), ..page::Preview::default() }
    } else {
        return None;
    };
    let image = match &preview.image_url {
        Some(url) if PICTURES.contains(&kind.as_str()) && url == link => shrink(runner, answer).await,
        Some(url) => match runner.outside.call(&get(url, "image/*")).await {
            Ok(answer) if answer.status.is_success() => shrink(runner, answer).await,
            _ => None,
        },
        None => None,
    };
    let image_url = image.map(|image| {
        let key = format!("embed-{}", random_token());
        let url = format!("/embeds/{key}");
        images.push((key, image));
        url
    });
    if preview.title.is_none() && image_url.is_none() {
        return None;
    }
    let page::Preview { title, description, site_name, .. } = preview;
    Some(Embed { url: link.to_owned(), title, description, image_url, site_name })
}

/// A smaller copy of a picture, served from here so that the other site does not learn the addresses of readers.
async fn shrink(runner: &Runner, answer: Answer) -> Option<Image> {
    if answer.truncated || !PICTURES.contains(&picture::sniff(&answer.body)) {
        return None;
    }
    // The semaphore is never closed.
    let _turn = runner.shared.imaging.acquire().await;
    let made = tokio::task::spawn_blocking(move || picture::preview(&answer.body)).await.ok().flatten()?;
    Some(Image { content_type: made.content_type.into(), bytes: made.bytes })
}

fn get(url: &str, accept: &'static str) -> Call {
    Call {
        method: Method::GET,
        url: url.to_owned(),
        headers: vec![(header::ACCEPT, HeaderValue::from_static(accept))],
        body: Bytes::new(),
        scope: Scope::Public,
        redirects: Redirects::Follow(REDIRECTS),
        connect: CONNECT,
        total: TOTAL,
        max_body: MAX_PAGE,
    }
}

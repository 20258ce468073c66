//! Looks at the pages behind a message's links and adds what they say of themselves.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use hyper::{
    Method,
    header::{self, HeaderValue},
};
use url::Url;

use super::{Done, Runner};
use crate::{
    media::picture,
    outbound::{Answer, Call, Redirects, Scope, page},
    store::{Image, Job, SetEmbeds},
    types::{Embed, random_token},
};

/// Links of one message that are looked at.
const MAX_LINKS: usize = 3;

const REDIRECTS: u32 = 5;
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(10);

/// Bytes of a page, and of a picture.
const MAX_PAGE: usize = 5 << 20;

/// What a page's picture may be; anything else is not even decoded.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

pub(super) async fn look(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(id) = job.message else { return Ok(Vec::new()) };
    let Some(words) = runner.reader.words(id)? else { return Ok(Vec::new()) };
    let (mut embeds, mut images) = (Vec::new(), Vec::new());
    for link in links(&words.html) {
        // A page that cannot be had has no preview; that is no reason to ask for it again and again.
        let Ok(answer) = runner.outside.call(&get(&link, "text/html,image/*;q=0.5")).await else { continue };
        if !answer.status.is_success() {
            continue;
        }
        if let Some(embed) = embed(runner, &link, answer, &mut images).await {
            embeds.push(embed);
        }
    }
    if !embeds.is_empty() {
        runner.writer.write(SetEmbeds { message: id, html: words.html, embeds, images }).await?;
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
        Some(url) if PICTURES.contains(&kind.as_str()) && url == link => shrunk(runner, answer).await,
        Some(url) => match runner.outside.call(&get(url, "image/*")).await {
            Ok(answer) if answer.status.is_success() => shrunk(runner, answer).await,
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

/// A picture of our own making, so that readers' addresses stay with us.
async fn shrunk(runner: &Runner, answer: Answer) -> Option<Image> {
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

/// The first links of a message, each once. The HTML is our own, so its links look all alike.
fn links(html: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in html.split("<a href=\"").skip(1) {
        let Some((address, _)) = part.split_once('"') else { continue };
        let address = address.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\"");
        let is_web = Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_web && !found.contains(&address) && found.len() < MAX_LINKS {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn the_first_three_links_are_looked_at_each_once() {
        let html = |address: &str| format!("<p><a href=\"{address}\" rel=\"x\">y</a></p>");
        let all = [
            "http://a.b/?x=1&amp;y=2",
            "mailto:a@b.c",
            "http://a.b/?x=1&amp;y=2",
            "https://c.d/",
            "http://e.f/",
            "http://g.h/",
        ];
        let html: String = all.iter().map(|address| html(address)).collect();
        assert_eq!(links(&html), ["http://a.b/?x=1&y=2", "https://c.d/", "http://e.f/"]);
    }
}

//! Attachments of Action Text in a body: mentions, and previews of links.

use serde_json::Value;

use super::from_html;
use crate::{text::signed_value, types::UserId};

/// What an attachment stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Attachment {
    User { id: Option<UserId>, name: String },
    Link { address: String, title: String },
}

/// Reads the attributes of an attachment, by name.
pub(super) fn read(attribute: impl Fn(&str) -> Option<String>) -> Option<Attachment> {
    let kind = attribute("content-type").unwrap_or_default();
    if kind.contains("opengraph") || attribute("sgid").is_none() && attribute("href").is_some() {
        let title = attribute("filename").unwrap_or_default();
        return attribute("href").map(|address| Attachment::Link { address, title });
    }
    let id = attribute("sgid").and_then(|sgid| user_of(&sgid));
    if id.is_none() && !kind.contains("mention") {
        return None;
    }
    // The name as it was then.
    let content = attribute("content").unwrap_or_default();
    let name = from_html(&content).plain_lines(|_| None).split_whitespace().collect::<Vec<_>>().join(" ");
    let name = name.trim_start_matches('@').chars().take(100).collect();
    Some(Attachment::User { id, name })
}

/// The same of Trix's JSON, in `data-trix-attachment`.
pub(super) fn read_trix(json: &str) -> Option<Attachment> {
    let value: Value = serde_json::from_str(json).ok()?;
    read(|name| {
        let name = if name == "content-type" { "contentType" } else { name };
        value[name].as_str().map(str::to_owned)
    })
}

/// The user of a signed global id. Its signature is not checked, as ONCE Campfire does not: the secret may have changed, and
/// whoever may post may mention anybody.
fn user_of(sgid: &str) -> Option<UserId> {
    user_of_gid(&String::from_utf8_lossy(&signed_value(sgid)?))
}

/// The user of `gid://APP/User/ID`, wherever it stands in a text.
fn user_of_gid(text: &str) -> Option<UserId> {
    let (_, after) = text.split_once("gid://")?;
    let (_, path) = after.split_once('/')?;
    let digits = path.strip_prefix("User/")?;
    let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
    digits.parse().ok().filter(|id: &i64| *id > 0).map(UserId)
}

//! Attachments of Action Text in a body: mentions, and previews of links.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use crate::types::UserId;

use super::from_html;

/// With padding or without.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

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
    let payload = sgid.split_once("--").map_or(sgid, |(payload, _)| payload);
    let decoded: Value = serde_json::from_slice(&base64(payload)?).ok()?;
    let inner = &decoded["_rails"];
    match inner["data"].as_str() {
        Some(gid) => user_of_gid(gid),
        // Rails 7: a string in Ruby's Marshal format.
        None => user_of_gid(&String::from_utf8_lossy(&base64(inner["message"].as_str()?)?)),
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let with = |alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text);
    with(&STANDARD).or_else(|_| with(&URL_SAFE)).ok()
}

/// The user of `gid://APP/User/ID`, wherever it stands in a text.
fn user_of_gid(text: &str) -> Option<UserId> {
    let (_, after) = text.split_once("gid://")?;
    let (_, path) = after.split_once('/')?;
    let digits = path.strip_prefix("User/")?;
    let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
    digits.parse().ok().filter(|id: &i64| *id > 0).map(UserId)
}

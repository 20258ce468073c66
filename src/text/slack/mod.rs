//! Converts payloads of Slack's incoming webhooks to Markdown: mrkdwn, attachments and blocks.

mod blocks;
mod emoji;
mod mrkdwn;
#[cfg(test)]
mod tests;

use serde_json::Value;

use blocks::{attachment_text, blocks, list, push};
use emoji::emoji_of;
use mrkdwn::{mrkdwn, plain};

/// Bytes of Markdown made from a payload; the rest is cut off.
const MAX_MARKDOWN: usize = 60 << 10;

/// A converted payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackMessage {
    pub markdown: String,
    /// One line without markup, 80 characters at most.
    pub username: Option<String>,
    /// The emoji itself.
    pub icon_emoji: Option<String>,
}

/// Converts a payload. None if there is no text in it.
pub fn from_slack(payload: &Value) -> Option<SlackMessage> {
    let mut parts = Vec::new();
    let is_plain = payload["mrkdwn"] == false;
    let blocks = blocks(&payload["blocks"]);
    // With blocks, the text is only a fallback.
    if blocks.is_empty() {
        push(
            &mut parts,
            payload["text"].as_str().map(|text| if is_plain { plain(text) } else { mrkdwn(text) }),
        );
    }
    parts.extend(blocks);
    for attachment in list(&payload["attachments"]) {
        push(&mut parts, attachment_text(attachment));
    }
    let mut markdown = parts.join("\n\n");
    markdown.truncate(markdown.floor_char_boundary(MAX_MARKDOWN));
    let markdown = markdown.trim().to_owned();
    let line = |name: &str| {
        let text = payload[name].as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().filter(|c| !"*_`[]<>@\\".contains(*c)).take(80).collect();
        (!text.is_empty()).then_some(text)
    };
    let icon = payload["icon_emoji"].as_str().and_then(emoji_of).map(str::to_owned);
    (!markdown.is_empty()).then(|| SlackMessage { markdown, username: line("username"), icon_emoji: icon })
}

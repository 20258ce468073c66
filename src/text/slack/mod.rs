//! From what programs send to Slack's incoming webhooks to Markdown: its mrkdwn, its attachments, its blocks.

mod blocks;
mod emoji;
mod mrkdwn;
#[cfg(test)]
mod tests;

use serde_json::Value;

use blocks::{attachment_text, blocks, list, push};
use emoji::emoji_of;
use mrkdwn::{mrkdwn, plain};

/// Bytes of a message made of a payload.
const MAX_MARKDOWN: usize = 60 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackMessage {
    pub markdown: String,
    pub username: Option<String>,
    pub icon_emoji: Option<String>,
}

/// None if there is nothing to say in it.
pub fn from_slack(payload: &Value) -> Option<SlackMessage> {
    let mut parts = Vec::new();
    let is_plain = payload["mrkdwn"] == false;
    let blocks = blocks(&payload["blocks"]);
    // With blocks, the text is only for where blocks cannot be shown.
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

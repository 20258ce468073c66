//! Converts Slack's attachments and blocks to Markdown.

use serde_json::Value;

use super::mrkdwn::{address, escaped, is_web, mrkdwn, mrkdwn_label, plain};

/// Elements of each list in a payload, by Slack's own limits; further ones are ignored.
const MAX_PARTS: usize = 100;

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten().take(MAX_PARTS)
}

pub(super) fn push(parts: &mut Vec<String>, part: Option<String>) {
    parts.extend(part.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
}

/// Converts a legacy attachment, which most monitoring tools still send.
pub(super) fn attachment_text(attachment: &Value) -> Option<String> {
    let text = |name: &str| attachment[name].as_str().filter(|text| !text.trim().is_empty());
    let mut lines = Vec::new();
    push(&mut lines, text("pretext").map(mrkdwn));
    let marker = match text("color").map(str::to_ascii_lowercase).as_deref() {
        Some("danger" | "#a30200" | "#d63232" | "#e01e5a" | "red") => "🔴 ",
        Some("warning" | "#daa038" | "#ecb22e" | "yellow") => "🟡 ",
        Some("good" | "#2eb886" | "#2eb67d" | "#36a64f" | "green") => "🟢 ",
        _ => "",
    };
    push(&mut lines, text("author_name").map(plain));
    let title = text("title").map(|title| match text("title_link").filter(|link| is_web(link)) {
        Some(link) => format!("{marker}**[{}](<{}>)**", mrkdwn_label(title), address(link)),
        None => format!("{marker}**{}**", mrkdwn_label(title)),
    });
    let untitled = title.is_none();
    push(&mut lines, title);
    push(
        &mut lines,
        text("text").map(|text| format!("{}{}", if untitled { marker } else { "" }, mrkdwn(text))),
    );
    push(&mut lines, {
        let fields: Vec<String> = list(&attachment["fields"]).filter_map(field).collect();
        (!fields.is_empty()).then(|| fields.join("\n"))
    });
    lines.extend(blocks(&attachment["blocks"]));
    push(&mut lines, text("image_url").filter(|url| is_web(url)).map(|url| format!("<{}>", address(url))));
    push(&mut lines, text("footer").map(|footer| format!("_{}_", mrkdwn_label(footer))));
    if lines.is_empty() {
        push(&mut lines, text("fallback").map(plain));
    }
    (!lines.is_empty()).then(|| lines.join("\n\n"))
}

fn field(field: &Value) -> Option<String> {
    let value = match &field["value"] {
        Value::String(value) => mrkdwn(value),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return field["title"].as_str().map(|title| format!("- **{}**", mrkdwn_label(title))),
    };
    let value = value.replace('\n', "\n  ");
    Some(match field["title"].as_str().filter(|title| !title.trim().is_empty()) {
        Some(title) => format!("- **{}**: {value}", mrkdwn_label(title)),
        None => format!("- {value}"),
    })
}

pub(super) fn blocks(blocks: &Value) -> Vec<String> {
    let mut parts = Vec::new();
    for block in list(blocks) {
        let part = match block["type"].as_str().unwrap_or_default() {
            "header" => text_object(&block["text"]).map(|text| format!("### {}", text.replace('\n', " "))),
            "section" => {
                let mut lines = Vec::new();
                push(&mut lines, text_object(&block["text"]));
                let fields = list(&block["fields"]).filter_map(text_object);
                let fields: Vec<String> =
                    fields.map(|field| format!("- {}", field.replace('\n', "\n  "))).collect();
                push(&mut lines, (!fields.is_empty()).then(|| fields.join("\n")));
                Some(lines.join("\n\n"))
            }
            "divider" => Some("---".to_owned()),
            "context" => {
                let words: Vec<String> = list(&block["elements"]).filter_map(text_object).collect();
                Some(words.join(" "))
            }
            "image" => image(block),
            "rich_text" => {
                Some(list(&block["elements"]).map(|part| rich(part, 0)).collect::<Vec<_>>().join("\n"))
            }
            _ => None,
        };
        push(&mut parts, part);
    }
    // Dividers alone are no content.
    if parts.iter().all(|part| part == "---") { Vec::new() } else { parts }
}

/// Converts a text object: plain text, or mrkdwn.
fn text_object(text: &Value) -> Option<String> {
    if text["type"] == "image" {
        return image(text);
    }
    let words = text["text"].as_str().or_else(|| text.as_str())?;
    Some(if text["type"] == "plain_text" { plain(words) } else { mrkdwn(words) })
}

fn image(block: &Value) -> Option<String> {
    let url = block["image_url"].as_str().filter(|url| is_web(url))?;
    let label = block["alt_text"].as_str().filter(|label| !label.trim().is_empty()).unwrap_or("image");
    Some(format!("[{}](<{}>)", escaped(label), address(url)))
}

/// Converts the simple elements of rich text, down to a depth of 8.
fn rich(part: &Value, depth: usize) -> String {
    if depth > 8 {
        return String::new();
    }
    let inner = || list(&part["elements"]).map(|part| rich(part, depth + 1));
    match part["type"].as_str().unwrap_or_default() {
        "text" => {
            let text = plain(part["text"].as_str().unwrap_or_default());
            let style = |name: &str| part["style"][name] == true;
            if style("code") {
                format!("`{}`", part["text"].as_str().unwrap_or_default().replace('`', "'"))
            } else if style("bold") {
                format!("**{text}**")
            } else {
                text
            }
        }
        "link" => {
            let url = part["url"].as_str().filter(|url| is_web(url)).unwrap_or_default();
            let label = part["text"].as_str().unwrap_or(url);
            format!("[{}](<{}>)", escaped(label), address(url))
        }
        "emoji" => format!(":{}:", part["name"].as_str().unwrap_or_default()),
        "rich_text_list" => inner().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n"),
        "rich_text_quote" => format!("> {}", inner().collect::<String>().replace('\n', "\n> ")),
        "rich_text_preformatted" => {
            let code: String = list(&part["elements"]).filter_map(|part| part["text"].as_str()).collect();
            format!("```\n{}\n```", code.replace("```", "'''"))
        }
        _ => inner().collect(),
    }
}

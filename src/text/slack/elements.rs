//! Elements of blocks: texts, pictures, buttons and other controls.

use serde_json::Value;

use super::{Reader, list, mrkdwn, text_of};
use crate::text::document::{Block, Inline, is_allowed};

/// The link of a value, if people may follow it.
pub(super) fn address(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|address| is_allowed(address))
}

pub(super) fn link(address: &str, label: Vec<Inline>) -> Inline {
    let label = if label.is_empty() { vec![Inline::Text(address.to_owned())] } else { label };
    Inline::Link { address: address.to_owned(), label }
}

/// A plain text that is a string or an object.
pub(super) fn words(value: &Value) -> Vec<Inline> {
    text_of(&value["text"]).or_else(|| text_of(value)).map(|text| mrkdwn::plain(&text)).unwrap_or_default()
}

/// Elements in one line, with a sign between them.
pub(super) fn joined(parts: impl IntoIterator<Item = Vec<Inline>>, sign: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push(Inline::Text(sign.to_owned()));
        }
        out.extend(part);
    }
    out
}

/// A picture as a link to it.
pub(super) fn image(value: &Value) -> Option<Inline> {
    let url = address(&value["image_url"])
        .or_else(|| address(&value["slack_file"]["url"]))
        .or_else(|| address(&value["slack_file"]["permalink"]))
        .or_else(|| address(value));
    let alt = text_of(&value["alt_text"]).map(|alt| vec![Inline::Text(alt.trim().to_owned())]);
    match (url, alt) {
        (Some(url), Some(alt)) => Some(link(url, alt)),
        (Some(url), None) => Some(link(url, vec![Inline::Text("image".into())])),
        (None, Some(mut alt)) => alt.pop(),
        (None, None) => None,
    }
}

impl Reader<'_, '_> {
    /// A text object: plain, or with marks.
    pub(super) fn text_object(&self, value: &Value) -> Vec<Block> {
        let Some(text) = text_of(&value["text"]).or_else(|| text_of(value)) else {
            return match &value["type"] {
                Value::String(_) => self.block(value),
                _ => Vec::new(),
            };
        };
        match value["type"].as_str() {
            Some("plain_text" | "raw_text") => vec![Block::Paragraph(mrkdwn::plain(&text))],
            Some("markdown") => self.markdown(&text),
            _ => self.text(&text),
        }
    }

    /// The same as one line.
    pub(super) fn text_line(&self, value: &Value) -> Vec<Inline> {
        let Some(text) = text_of(&value["text"]).or_else(|| text_of(value)) else { return Vec::new() };
        match value["type"].as_str() {
            Some("plain_text" | "raw_text") => mrkdwn::plain(&text.replace('\n', " ")),
            _ => self.line(&text),
        }
    }

    /// A control as far as it says something: a button with an address is a link, and nobody can press another one here.
    pub(super) fn element(&self, value: &Value) -> Vec<Inline> {
        let label = || {
            let label = words(&value["text"]);
            if label.is_empty() { words(&value["name"]) } else { label }
        };
        let url = address(&value["url"]).or_else(|| address(&value["workflow"]["trigger"]["url"]));
        match value["type"].as_str().unwrap_or_default() {
            "image" => image(value).into_iter().collect(),
            "mrkdwn" | "plain_text" | "markdown" => self.text_line(value),
            "feedback_buttons" => joined(
                [words(&value["positive_button"]["text"]), words(&value["negative_button"]["text"])],
                " · ",
            ),
            "url" => url.map(|url| link(url, label())).into_iter().collect(),
            _ if url.is_some() => url.map(|url| link(url, label())).into_iter().collect(),
            _ => {
                let shown = label();
                if shown.is_empty() { self.options(value) } else { shown }
            }
        }
    }

    /// What a menu, a list of boxes or a field offers: those chosen, or else all.
    fn options(&self, value: &Value) -> Vec<Inline> {
        let option = |option: &Value| match address(&option["url"]) {
            Some(url) => vec![link(url, words(&option["text"]))],
            None => self.text_line(&option["text"]),
        };
        let chosen = [
            &value["initial_options"],
            &value["initial_option"],
            &value["options"],
            &value["selected_options"],
        ];
        for options in chosen {
            let shown = joined(list(options).iter().map(option), " · ");
            if !shown.is_empty() {
                return shown;
            }
        }
        let groups = list(&value["option_groups"]);
        let of_groups =
            groups.iter().flat_map(|group| list(&group["options"]).iter().map(option).collect::<Vec<_>>());
        let shown = joined(of_groups, " · ");
        if !shown.is_empty() {
            return shown;
        }
        let given = ["initial_value", "initial_date", "initial_time", "initial_date_time", "placeholder"];
        given.into_iter().map(|name| words(&value[name])).find(|words| !words.is_empty()).unwrap_or_default()
    }
}

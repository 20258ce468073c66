//! Blocks of types that are not known: their text, wherever it stands.

use serde_json::Value;

use super::{
    Reader,
    elements::{address, link},
    mrkdwn, paragraph, text_of,
};
use crate::text::document::Block;

/// Members that hold text for people, in the order in which they are shown.
const TEXTS: [&str; 12] = [
    "title",
    "header",
    "label",
    "name",
    "subtitle",
    "text",
    "body",
    "description",
    "value",
    "caption",
    "alt_text",
    "hint",
];

impl Reader<'_, '_> {
    pub(super) fn walk(&self, value: &Value) -> Vec<Block> {
        match value {
            Value::Array(values) => values.iter().flat_map(|value| self.walked(value)).collect(),
            Value::Object(fields) => {
                let mut blocks = Vec::new();
                let url = ["url", "title_url", "title_link", "link", "image_url", "video_url"]
                    .into_iter()
                    .find_map(|name| address(&value[name]));
                let mut url = url;
                for name in TEXTS {
                    let field = &value[name];
                    match text_of(field).filter(|_| field.is_string()) {
                        // The address belongs to the first words.
                        Some(text) => match url.take() {
                            Some(url) => blocks.extend(paragraph(vec![link(url, mrkdwn::plain(&text))])),
                            None => blocks.extend(self.text(&text)),
                        },
                        None => blocks.extend(self.walked(field)),
                    }
                }
                blocks.extend(url.and_then(|url| paragraph(vec![link(url, Vec::new())])));
                let others = fields.iter().filter(|(name, _)| !TEXTS.contains(&name.as_str()));
                // Addresses, ids and settings are strings too, so only what has parts is looked into.
                blocks.extend(
                    others.filter(|(_, value)| !value.is_string()).flat_map(|(_, value)| self.walked(value)),
                );
                blocks
            }
            _ => Vec::new(),
        }
    }

    /// A value within: a block of a known type is read as such.
    fn walked(&self, value: &Value) -> Vec<Block> {
        match value {
            Value::Object(fields) if fields.contains_key("type") => self.block(value),
            Value::Object(_) | Value::Array(_) => self.walk(value),
            _ => Vec::new(),
        }
    }
}

//! Legacy attachments, which most monitoring tools still send.

use serde_json::Value;

use super::{
    Reader,
    blocks::with_sign,
    bracket,
    elements::{address, image, joined, link},
    list, mrkdwn, paragraph, text_of,
};
use crate::text::document::{Block, Document, Inline};

impl Reader<'_, '_> {
    pub(super) fn attachment(&self, attachment: &Value) -> Vec<Block> {
        let text = |name: &str| text_of(&attachment[name]);
        let url = |name: &str| address(&attachment[name]);
        let mut blocks = text("pretext").map(|pretext| self.text(&pretext)).unwrap_or_default();
        blocks.extend(paragraph(self.author(attachment)));
        let sign = sign(attachment["color"].as_str().unwrap_or_default());
        let title = text("title").map(|title| {
            let title = self.line(&title);
            let linked = match url("title_link") {
                Some(url) => vec![link(url, without_links(title))],
                None => title,
            };
            vec![Block::Paragraph(vec![Inline::Strong(linked)])]
        });
        let has_title = title.is_some();
        blocks.extend(with_sign(title.unwrap_or_default(), sign));
        let body = text("text").map(|text| self.text(&text)).unwrap_or_default();
        blocks.extend(with_sign(body, if has_title { "" } else { sign }));
        let fields: Vec<_> =
            list(&attachment["fields"]).iter().filter_map(|field| self.field(field)).collect();
        if !fields.is_empty() {
            blocks.push(Block::List { first: None, items: fields });
        }
        let has_words = has_title || attachment["text"].is_string();
        blocks.extend(with_sign(self.blocks(&attachment["blocks"]), if has_words { "" } else { sign }));
        for name in ["image_url", "thumb_url"] {
            let shown = url(name).map(|url| vec![link(url, vec![Inline::Text(url.to_owned())])]);
            blocks.extend(shown.and_then(paragraph));
        }
        // Pictures as their own objects have them.
        blocks.extend(
            Some(&attachment["image"])
                .filter(|it| it.is_object())
                .and_then(image)
                .map(|image| Block::Paragraph(vec![image])),
        );
        let actions = list(&attachment["actions"]);
        blocks.extend(paragraph(joined(actions.iter().map(|action| self.element(action)), " · ")));
        blocks.extend(self.footer(attachment));
        if Document::of(blocks.clone()).is_empty() {
            blocks = text("fallback").and_then(|text| paragraph(mrkdwn::plain(&text))).into_iter().collect();
        }
        blocks
    }

    fn author(&self, attachment: &Value) -> Vec<Inline> {
        let name = text_of(&attachment["author_name"]).map(|name| mrkdwn::plain(&name)).unwrap_or_default();
        let linked = match address(&attachment["author_link"]) {
            Some(url) if !name.is_empty() => vec![link(url, without_links(name))],
            _ => name,
        };
        let subname =
            text_of(&attachment["author_subname"]).map(|name| mrkdwn::plain(&name)).unwrap_or_default();
        joined([linked, subname], " ")
    }

    fn footer(&self, attachment: &Value) -> Option<Block> {
        let footer = text_of(&attachment["footer"]).map(|footer| self.line(&footer)).unwrap_or_default();
        // Seconds since 1970, as a number or a string, with a fraction or without.
        let seconds =
            text_of(&attachment["ts"]).and_then(|ts| ts.split('.').next()?.trim().parse::<i64>().ok());
        let moment = seconds.map(|seconds| bracket::formatted(seconds, "{date_num} {time}"));
        let shown = joined([footer, moment.map(Inline::Text).into_iter().collect()], " · ");
        (!shown.is_empty()).then(|| Block::Paragraph(vec![Inline::Emphasis(shown)]))
    }

    /// A field: its title, and its value, whatever that is.
    fn field(&self, field: &Value) -> Option<Vec<Block>> {
        let title = text_of(&field["title"]).map(|title| self.line(&title)).unwrap_or_default();
        let mut blocks = match &field["value"] {
            Value::Null => Vec::new(),
            Value::Array(values) => {
                let shown = values.iter().map(|value| match text_of(value) {
                    Some(text) => self.line(&text),
                    None => vec![Inline::Text(value.to_string())],
                });
                paragraph(joined(shown, ", ")).into_iter().collect()
            }
            value @ Value::Object(_) => match self.text_object(value) {
                blocks if blocks.is_empty() => vec![Block::Paragraph(vec![Inline::Text(value.to_string())])],
                blocks => blocks,
            },
            value => text_of(value).map(|text| self.text(&text)).unwrap_or_default(),
        };
        if title.is_empty() {
            return (!blocks.is_empty()).then_some(blocks);
        }
        let mut head = vec![Inline::Strong(title)];
        match blocks.first_mut() {
            Some(Block::Paragraph(inlines)) => {
                head.push(Inline::Text(": ".into()));
                inlines.splice(..0, head);
            }
            _ => blocks.insert(0, Block::Paragraph(head)),
        }
        Some(blocks)
    }
}

/// A sign for a colour that means something: Slack's names, and red, yellow and green however a monitor writes them.
fn sign(color: &str) -> &'static str {
    let color = color.trim().to_ascii_lowercase();
    match color.as_str() {
        "danger" | "red" => "🔴 ",
        "warning" | "yellow" | "orange" => "🟡 ",
        "good" | "green" => "🟢 ",
        _ => match hue(color.trim_start_matches('#')) {
            Some(0..20 | 335..) => "🔴 ",
            Some(20..70) => "🟡 ",
            Some(85..165) => "🟢 ",
            _ => "",
        },
    }
}

/// The hue of a colour of six or three hexadecimal digits, in degrees; None for one that is grey, or nearly.
fn hue(digits: &str) -> Option<u32> {
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [red, green, blue] = match digits.len() {
        6 => [value >> 16, value >> 8 & 255, value & 255],
        3 => [value >> 8, value >> 4 & 15, value & 15].map(|digit| digit * 17),
        _ => return None,
    };
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let range = most - least;
    if most < 80 || range * 100 < most * 35 {
        return None;
    }
    let part = |one: u32, other: u32, from: u32| (from * range + 60 * one - 60 * other) / range;
    Some(match most {
        _ if most == red => part(green, blue, 360) % 360,
        _ if most == green => part(blue, red, 120),
        _ => part(red, green, 240),
    })
}

/// The elements without links, for the label of one.
fn without_links(inlines: Vec<Inline>) -> Vec<Inline> {
    let mut out = Vec::new();
    for inline in inlines {
        match inline {
            Inline::Link { label, .. } => out.extend(label),
            inline => out.push(inline),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn colors_that_mean_something_have_a_sign() {
        for (color, expected) in [
            ("danger", "🔴 "),
            ("#D63232", "🔴 "),
            ("#e01e5a", "🔴 "),
            ("a30200", "🔴 "),
            ("#A32037", "🔴 "),
            ("#f00", "🔴 "),
            ("warning", "🟡 "),
            ("#daa038", "🟡 "),
            ("#ECB22E", "🟡 "),
            ("#CACF29", "🟡 "),
            ("#ff9900", "🟡 "),
            ("good", "🟢 "),
            ("#2eb886", "🟢 "),
            ("#36a64f", "🟢 "),
            ("#3AA337", "🟢 "),
            ("#439FE0", ""),
            ("#1f88e5", ""),
            ("#777777", ""),
            ("#345", ""),
            ("#000", ""),
            ("", ""),
            ("nonsense", ""),
            ("#é0é", ""),
        ] {
            assert_eq!(sign(color), expected, "{color}");
        }
    }
}

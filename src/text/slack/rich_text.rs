//! Rich text: what people write in Slack's composer, and bots that imitate it.

use serde_json::Value;

use super::{
    Ids, Reader, bracket,
    elements::{address, link},
    emoji, list, paragraph, text_of,
};
use crate::text::{
    Everyone,
    document::{Block, Inline, push_prose},
};

/// Levels of lists.
const MAX_INDENT: u64 = 8;

impl Reader<'_, '_> {
    pub(super) fn rich_text(&self, block: &Value) -> Vec<Block> {
        let mut blocks = Vec::new();
        for part in list(&block["elements"]).iter() {
            match part["type"].as_str().unwrap_or_default() {
                "rich_text_section" => blocks.extend(paragraph(self.line_of(part))),
                "rich_text_quote" => {
                    blocks
                        .extend(paragraph(self.line_of(part)).map(|paragraph| Block::Quote(vec![paragraph])));
                }
                "rich_text_preformatted" => preformatted(&mut blocks, part),
                "rich_text_list" => {
                    let indent = part["indent"].as_u64().unwrap_or_default().min(MAX_INDENT);
                    let items: Vec<Vec<Block>> = list(&part["elements"])
                        .iter()
                        .map(|item| self.item(item))
                        .filter(|item| !item.is_empty())
                        .collect();
                    let offset = part["offset"].as_u64().unwrap_or_default().min(999_999_998);
                    let first = (part["style"] == "ordered").then_some(offset + 1);
                    if !items.is_empty() {
                        push_list(&mut blocks, indent, first, items);
                    }
                }
                // An element that stands outside of a section.
                "text" | "link" | "emoji" | "user" | "usergroup" | "channel" | "broadcast" | "date"
                | "color" | "team" => {
                    let mut inlines = Vec::new();
                    self.styled_element(&mut inlines, part);
                    match blocks.last_mut() {
                        Some(Block::Paragraph(open)) => open.extend(inlines),
                        _ => blocks.extend(paragraph(inlines)),
                    }
                }
                _ => blocks.extend(self.walk(part)),
            }
        }
        blocks
    }

    fn item(&self, item: &Value) -> Vec<Block> {
        match item["type"].as_str() {
            Some("rich_text_section") | None => paragraph(self.line_of(item)).into_iter().collect(),
            Some(_) => self.rich_text(&serde_json::json!({ "elements": [item] })),
        }
    }

    /// The elements of a section, without the line ends around them.
    fn line_of(&self, part: &Value) -> Vec<Inline> {
        let mut inlines = Vec::new();
        for one in list(&part["elements"]).iter() {
            self.styled_element(&mut inlines, one);
        }
        while inlines.last() == Some(&Inline::Break) {
            inlines.pop();
        }
        let breaks = inlines.iter().take_while(|inline| **inline == Inline::Break).count();
        inlines.drain(..breaks);
        inlines
    }

    fn styled_element(&self, out: &mut Vec<Inline>, part: &Value) {
        let text = |name: &str| text_of(&part[name]);
        let named =
            |sign: &str, name: &str| text(name).map(|name| vec![Inline::Text(format!("{sign}{name}"))]);
        let known = |name: &str, find: &dyn Fn(&dyn Ids, &str) -> Option<Inline>| {
            Some(vec![find(self.ids?, part[name].as_str()?)?])
        };
        let inlines = match part["type"].as_str().unwrap_or_default() {
            "link" => {
                let url = part["url"].as_str().unwrap_or_default().trim();
                let label = text("text").map(|label| vec![Inline::Text(label)]);
                match address(&part["url"]) {
                    Some(url) => {
                        let own =
                            || vec![Inline::Text(url.strip_prefix("mailto:").unwrap_or(url).to_owned())];
                        vec![link(url, label.unwrap_or_else(own))]
                    }
                    None => label.unwrap_or_else(|| vec![Inline::Text(url.to_owned())]),
                }
            }
            "emoji" => {
                let name = part["name"].as_str().unwrap_or_default();
                let tone = part["skin_tone"].as_u64();
                let by_points = part["unicode"].as_str().and_then(emoji::of_code_points);
                let by_points = by_points.map(|emoji| emoji::toned(emoji, tone));
                let tone = tone.map(|tone| format!(":skin-tone-{tone}:")).unwrap_or_default();
                vec![Inline::Text(by_points.unwrap_or_else(|| emoji::emojified(&format!(":{name}:{tone}"))))]
            }
            "user" => known("user_id", &|ids, id| ids.user(id, None))
                .or_else(|| named("@", "user_id"))
                .unwrap_or_default(),
            "usergroup" => {
                known("usergroup_id", &|ids, id| Some(Inline::Text(format!("@{}", ids.group(id)?))))
                    .or_else(|| named("@", "usergroup_id"))
                    .unwrap_or_default()
            }
            "team" => named("@", "team_id").unwrap_or_default(),
            "channel" => known("channel_id", &|ids, id| ids.channel(id, None))
                .or_else(|| named("#", "channel_id"))
                .unwrap_or_default(),
            "broadcast" => match part["range"].as_str() {
                Some("here") => vec![Inline::Everyone(Everyone::Here)],
                _ => vec![Inline::Everyone(Everyone::Room)],
            },
            "date" => {
                let format = part["format"].as_str().unwrap_or("{date_num} {time}");
                let shown = part["timestamp"].as_i64().map(|seconds| bracket::formatted(seconds, format));
                let shown = text("fallback").or(shown).unwrap_or_default();
                bracket::dated(shown, part["url"].as_str())
            }
            "color" => named("", "value").unwrap_or_default(),
            _ => {
                let text = part["text"].as_str().unwrap_or_default();
                if part["style"]["code"] == true {
                    vec![Inline::Code(text.to_owned())]
                } else {
                    let mut inlines = Vec::new();
                    push_prose(&mut inlines, &emoji::emojified(text));
                    inlines
                }
            }
        };
        styled(out, inlines, &part["style"]);
    }
}

/// Marks elements; the blanks and line ends around them are left outside.
fn styled(out: &mut Vec<Inline>, mut inlines: Vec<Inline>, style: &Value) {
    let mut behind = Vec::new();
    let is_marked = ["bold", "italic", "strike"].iter().any(|name| style[*name] == true);
    if is_marked {
        while let Some(inline) = inlines.first() {
            match inline {
                Inline::Break => out.push(inlines.remove(0)),
                _ => break,
            }
        }
        while inlines.last() == Some(&Inline::Break) {
            behind.extend(inlines.pop());
        }
        if let Some(Inline::Text(text)) = inlines.first_mut() {
            let words = text.trim_start().to_owned();
            let blanks = text[..text.len() - words.len()].to_owned();
            *text = words;
            crate::text::document::push_text(out, &blanks);
        }
        if let Some(Inline::Text(text)) = inlines.last_mut() {
            let length = text.trim_end().len();
            let blanks = text.split_off(length);
            if !blanks.is_empty() {
                behind.push(Inline::Text(blanks));
            }
        }
        inlines.retain(|inline| !matches!(inline, Inline::Text(text) if text.is_empty()));
    }
    for (name, mark) in [
        ("strike", Inline::Struck as fn(Vec<Inline>) -> Inline),
        ("italic", Inline::Emphasis),
        ("bold", Inline::Strong),
    ] {
        if style[name] == true && !inlines.is_empty() {
            inlines = vec![mark(inlines)];
        }
    }
    for inline in inlines.into_iter().chain(behind.into_iter().rev()) {
        match inline {
            Inline::Text(text) => crate::text::document::push_text(out, &text),
            inline => out.push(inline),
        }
    }
}

/// A block of code, with its links below it.
fn preformatted(blocks: &mut Vec<Block>, part: &Value) {
    let mut code = String::new();
    let mut links = Vec::new();
    for one in list(&part["elements"]).iter() {
        let url = one["url"].as_str().unwrap_or_default();
        let text = one["text"].as_str().unwrap_or(url);
        code.push_str(text);
        if let Some(url) = address(&one["url"]) {
            links.push(vec![link(url, vec![Inline::Text(text.to_owned())])]);
        }
    }
    if !code.trim().is_empty() {
        blocks.push(Block::Code { language: String::new(), text: code.trim_end().to_owned() });
        blocks.extend(paragraph(super::elements::joined(links, " · ")));
    }
}

/// Puts a list below the last item of the list one level up, or behind the items of its own.
fn push_list(blocks: &mut Vec<Block>, indent: u64, first: Option<u64>, items: Vec<Vec<Block>>) {
    if let Some(Block::List { first: known, items: before }) = blocks.last_mut() {
        if indent > 0
            && let Some(item) = before.last_mut()
        {
            return push_list(item, indent - 1, first, items);
        }
        if known.is_some() == first.is_some() {
            return before.extend(items);
        }
    }
    blocks.push(Block::List { first, items });
}

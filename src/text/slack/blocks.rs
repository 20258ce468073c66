//! Blocks, of every type that Slack has; others by the text in them.

use serde_json::Value;

use super::{
    Reader,
    elements::{address, image, joined, link, words},
    list, paragraph, text_of,
};
use crate::text::document::{Block, Document, Inline};

impl Reader<'_, '_> {
    pub(super) fn blocks(&self, value: &Value) -> Vec<Block> {
        list(value).iter().flat_map(|block| self.block(block)).collect()
    }

    pub(super) fn block(&self, block: &Value) -> Vec<Block> {
        match block["type"].as_str().unwrap_or_default() {
            "header" => heading(words(&block["text"])),
            "section" => self.section(block),
            "divider" => vec![Block::Rule],
            "context" | "context_actions" => {
                let elements = list(&block["elements"]);
                let separator = if block["type"] == "context" { " " } else { " · " };
                let shown = elements.iter().map(|element| self.element(element));
                paragraph(joined(shown, separator)).into_iter().collect()
            }
            "actions" => {
                let elements = list(&block["elements"]);
                let shown = elements.iter().map(|element| self.element(element));
                paragraph(joined(shown, " · ")).into_iter().collect()
            }
            "image" => {
                let title = paragraph(words(&block["title"]));
                title.into_iter().chain(image(block).map(|image| Block::Paragraph(vec![image]))).collect()
            }
            "input" => {
                let mut label = words(&block["label"]);
                if !label.is_empty() {
                    label = vec![Inline::Strong(label)];
                }
                let parts = [label, self.element(&block["element"]), words(&block["hint"])];
                parts.into_iter().filter_map(paragraph).collect()
            }
            "markdown" => text_of(&block["text"])
                .or_else(|| text_of(&block["text"]["text"]))
                .map(|text| self.markdown(&text))
                .unwrap_or_default(),
            "rich_text" => self.rich_text(block),
            "table" | "data_table" => self.table(block),
            "data_visualization" => self.chart(block),
            "alert" => self.alert(block),
            "card" => self.card(block),
            "carousel" => self.blocks(&block["elements"]),
            "container" => self.container(block),
            "file" => self.file(block),
            "plan" => {
                let title = words(&block["title"]);
                let mut blocks: Vec<Block> = strong(title).into_iter().collect();
                blocks.extend(self.blocks(&block["tasks"]));
                blocks
            }
            "task_card" => self.task(block),
            "video" => self.video(block),
            // Those of texts, where a block is expected.
            "mrkdwn" | "plain_text" => self.text_object(block),
            "button" => paragraph(self.element(block)).into_iter().collect(),
            _ => self.walk(block),
        }
    }

    fn section(&self, block: &Value) -> Vec<Block> {
        let mut blocks = self.text_object(&block["text"]);
        let fields = list(&block["fields"]);
        let items: Vec<Vec<Block>> = fields
            .iter()
            .map(|field| self.text_object(field))
            .filter(|field| !Document::of(field.clone()).is_empty())
            .collect();
        if !items.is_empty() {
            blocks.push(Block::List { first: None, items });
        }
        blocks.extend(paragraph(self.element(&block["accessory"])));
        blocks
    }

    fn alert(&self, block: &Value) -> Vec<Block> {
        let sign = match block["level"].as_str().unwrap_or_default() {
            "info" => "ℹ️ ",
            "warning" => "⚠️ ",
            "error" => "🔴 ",
            "success" => "✅ ",
            _ => "",
        };
        with_sign(self.text_object(&block["text"]), sign)
    }

    fn card(&self, block: &Value) -> Vec<Block> {
        let mut blocks = Vec::new();
        blocks.extend(image(&block["hero_image"]).map(|image| Block::Paragraph(vec![image])));
        blocks.extend(strong(self.text_line(&block["title"])));
        blocks.extend(self.text_object(&block["subtitle"]));
        blocks.extend(self.text_object(&block["body"]));
        let actions = list(&block["actions"]);
        blocks.extend(paragraph(joined(actions.iter().map(|action| self.element(action)), " · ")));
        blocks
    }

    fn container(&self, block: &Value) -> Vec<Block> {
        let mut blocks: Vec<Block> = strong(self.text_line(&block["title"])).into_iter().collect();
        blocks.extend(self.block_if_any(&block["rich_text_title"]));
        blocks.extend(self.text_object(&block["subtitle"]));
        for name in ["child_blocks", "blocks", "elements"] {
            blocks.extend(self.blocks(&block[name]));
        }
        blocks
    }

    /// A block that may be missing.
    fn block_if_any(&self, block: &Value) -> Vec<Block> {
        if block.is_object() { self.block(block) } else { Vec::new() }
    }

    /// A remote file is known to Slack alone, so its name is all there is.
    fn file(&self, block: &Value) -> Vec<Block> {
        let file = &block["file"];
        let name = [&file["title"], &file["name"], &block["title"], &block["external_id"]]
            .into_iter()
            .find_map(text_of);
        let url = [&file["permalink"], &file["url_private"], &block["url"]].into_iter().find_map(address);
        let label: Vec<Inline> = name.map(|name| Inline::Text(format!("📄 {name}"))).into_iter().collect();
        let inlines = match url {
            Some(url) => vec![link(url, label)],
            None => label,
        };
        paragraph(inlines).into_iter().collect()
    }

    fn task(&self, block: &Value) -> Vec<Block> {
        let sign = match block["status"].as_str().unwrap_or_default() {
            "complete" => "✅ ",
            "in_progress" => "⏳ ",
            "error" => "❌ ",
            "pending" => "⚪ ",
            _ => "",
        };
        let mut blocks = with_sign(paragraph(words(&block["title"])).into_iter().collect(), sign);
        for name in ["details", "output"] {
            let part = &block[name];
            blocks.extend(if part.is_object() { self.block(part) } else { self.text_object(part) });
        }
        let sources = list(&block["sources"]);
        blocks.extend(paragraph(joined(sources.iter().map(|source| self.element(source)), " · ")));
        blocks
    }

    fn video(&self, block: &Value) -> Vec<Block> {
        let url = [&block["title_url"], &block["video_url"]].into_iter().find_map(address);
        let mut title = words(&block["title"]);
        if title.is_empty() {
            title = words(&block["alt_text"]);
        }
        let title = match url {
            Some(url) => vec![link(url, title)],
            None => title,
        };
        let by = joined([words(&block["author_name"]), words(&block["provider_name"])], " · ");
        [vec![Inline::Strong(title)], by, words(&block["description"])]
            .into_iter()
            .filter_map(paragraph)
            .collect()
    }
}

fn heading(inlines: Vec<Inline>) -> Vec<Block> {
    let inlines: Vec<Inline> = inlines
        .into_iter()
        .map(|inline| if inline == Inline::Break { Inline::Text(" ".into()) } else { inline })
        .collect();
    if inlines.is_empty() { Vec::new() } else { vec![Block::Heading(3, inlines)] }
}

/// A paragraph in bold, unless it is empty.
pub(super) fn strong(inlines: Vec<Inline>) -> Option<Block> {
    (!inlines.is_empty()).then(|| Block::Paragraph(vec![Inline::Strong(inlines)]))
}

/// Puts a sign before the first words, unless they have one.
pub(super) fn with_sign(mut blocks: Vec<Block>, sign: &str) -> Vec<Block> {
    let has_one = |inlines: &[Inline]| matches!(inlines.first(), Some(Inline::Text(text)) if text.starts_with(['🔴', '🟠', '🟡', '🟢', '🔵', '⚠', '✅', '❌']));
    if let Some(Block::Paragraph(inlines) | Block::Heading(_, inlines)) = blocks.first_mut()
        && !sign.is_empty()
        && !has_one(inlines)
    {
        inlines.insert(0, Inline::Text(sign.to_owned()));
    }
    blocks
}

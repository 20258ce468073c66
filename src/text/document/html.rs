//! Writes a document as a message's HTML, with what is derived from it.

use std::fmt::Write;

use super::{Alignment, Block, Inline, Table, are_blank};
use crate::{
    text::{Everyone, Rendered, clean, escape},
    types::UserId,
};

const LINK_ATTRIBUTES: &str = "\" rel=\"noopener noreferrer\" target=\"_blank\">";

struct Writer<'w, 'a> {
    name_of: &'w dyn Fn(UserId) -> Option<&'a str>,
    rendered: Rendered,
    /// Links are not nested.
    in_link: bool,
}

/// Writes blocks, sanitised like any message.
pub(super) fn write<'a>(blocks: &[Block], name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    let mut writer = Writer { name_of, rendered: Rendered::default(), in_link: false };
    writer.blocks(blocks);
    let mut rendered = writer.rendered;
    let length = rendered.plain.trim_end().len();
    rendered.plain.truncate(length);
    rendered.html = clean::clean(&rendered.html);
    rendered
}

impl Writer<'_, '_> {
    fn html(&mut self, html: &str) {
        self.rendered.html.push_str(html);
    }

    /// Separates the plain text of two blocks.
    fn space(&mut self) {
        let plain = &mut self.rendered.plain;
        if !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
            self.space();
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(inlines) => self.wrapped("<p>", inlines, "</p>"),
            Block::Heading(level, inlines) => {
                let level = (*level).clamp(1, 6);
                let _ = write!(self.rendered.html, "<h{level}>");
                self.inlines(inlines);
                let _ = write!(self.rendered.html, "</h{level}>");
            }
            Block::Code { language, text } => {
                if clean::is_language(language) {
                    let _ = write!(self.rendered.html, "<pre><code class=\"language-{language}\">");
                } else {
                    self.html("<pre><code>");
                }
                self.verbatim(text);
                self.html(if text.ends_with('\n') { "</code></pre>" } else { "\n</code></pre>" });
            }
            Block::Quote(blocks) => {
                self.html("<blockquote>");
                self.blocks(blocks);
                self.html("</blockquote>");
            }
            Block::List { first, items } => {
                let end = match first {
                    None => {
                        self.html("<ul>");
                        "</ul>"
                    }
                    Some(1) => {
                        self.html("<ol>");
                        "</ol>"
                    }
                    Some(first) => {
                        let _ = write!(self.rendered.html, "<ol start=\"{first}\">");
                        "</ol>"
                    }
                };
                for item in items {
                    self.html("<li>");
                    self.item(item);
                    self.html("</li>");
                    self.space();
                }
                self.html(end);
            }
            Block::Table(table) => self.table(table),
            Block::Rule => self.html("<hr>"),
        }
    }

    /// An item whose paragraphs are not set apart, as most are.
    fn item(&mut self, blocks: &[Block]) {
        let is_tight = blocks.iter().filter(|block| matches!(block, Block::Paragraph(_))).count() <= 1;
        for block in blocks {
            match block {
                Block::Paragraph(inlines) if is_tight => self.inlines(inlines),
                block => self.block(block),
            }
            self.space();
        }
    }

    fn table(&mut self, table: &Table) {
        self.html("<table>");
        for (number, row) in table.rows.iter().enumerate() {
            let is_head = number == 0 && table.has_head;
            let (element, before, after) = match number {
                0 if is_head => ("th", "<thead><tr>", "</tr></thead>"),
                0 => ("td", "<tbody><tr>", "</tr>"),
                1 if table.has_head => ("td", "<tbody><tr>", "</tr>"),
                _ => ("td", "<tr>", "</tr>"),
            };
            self.html(before);
            for (column, cell) in row.iter().enumerate() {
                let _ = write!(self.rendered.html, "<{element}");
                self.html(match table.alignments.get(column).copied().unwrap_or(Alignment::None) {
                    Alignment::None => ">",
                    Alignment::Left => " align=\"left\">",
                    Alignment::Center => " align=\"center\">",
                    Alignment::Right => " align=\"right\">",
                });
                self.inlines(cell);
                let _ = write!(self.rendered.html, "</{element}>");
                self.space();
            }
            self.html(after);
        }
        if table.rows.len() > usize::from(table.has_head) {
            self.html("</tbody>");
        }
        self.html("</table>");
    }

    fn wrapped(&mut self, before: &str, inlines: &[Inline], after: &str) {
        self.html(before);
        self.inlines(inlines);
        self.html(after);
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            self.inline(inline);
        }
    }

    fn inline(&mut self, inline: &Inline) {
        match inline {
            Inline::Text(text) => self.words(text),
            Inline::Break => {
                self.html("<br>");
                self.space();
            }
            Inline::Code(code) => {
                self.html("<code>");
                self.verbatim(code);
                self.html("</code>");
            }
            Inline::Strong(inner) => self.wrapped("<strong>", inner, "</strong>"),
            Inline::Emphasis(inner) => self.wrapped("<em>", inner, "</em>"),
            Inline::Struck(inner) => self.wrapped("<del>", inner, "</del>"),
            Inline::Link { address, label } => self.link(address, label),
            Inline::Checkbox(is_checked) => {
                let checked = if *is_checked { " checked=\"\"" } else { "" };
                let _ = write!(self.rendered.html, "<input type=\"checkbox\" disabled=\"\"{checked}> ");
            }
            Inline::Everyone(everyone) => self.everyone(*everyone),
            Inline::User { id, name } => self.user(*id, name),
        }
    }

    fn link(&mut self, address: &str, label: &[Inline]) {
        if self.in_link || !super::is_allowed(address) {
            return self.inlines(label);
        }
        self.html("<a href=\"");
        escape::address(&mut self.rendered.html, address);
        self.html(if super::links::is_inner(address) { "\">" } else { LINK_ATTRIBUTES });
        self.in_link = true;
        if are_blank(label) {
            self.words(address);
        } else {
            self.inlines(label);
        }
        self.in_link = false;
        self.html("</a>");
    }

    fn words(&mut self, text: &str) {
        let text: &str = &allowed(text);
        escape::text(&mut self.rendered.html, text);
        self.rendered.plain.extend(text.chars().map(|c| if c == '\u{A0}' { ' ' } else { c }));
    }

    fn verbatim(&mut self, code: &str) {
        let code: &str = &allowed(code);
        escape::text(&mut self.rendered.html, code);
        self.rendered.plain.extend(code.chars().map(|c| if c == '\n' { ' ' } else { c }));
    }

    fn everyone(&mut self, everyone: Everyone) {
        self.html("<span class=\"mention\">");
        self.html(everyone.word());
        self.html("</span>");
        self.rendered.plain.push_str(everyone.word());
        self.rendered.everyone = self.rendered.everyone.max(Some(everyone));
    }

    /// A mention of a member; anybody else is only named.
    fn user(&mut self, id: UserId, known_as: &str) {
        let Some(name) = (self.name_of)(id) else {
            if !known_as.is_empty() {
                self.words(&format!("@{known_as}"));
            }
            return;
        };
        let _ = write!(self.rendered.html, "<span class=\"mention\" data-user-id=\"{id}\">@");
        escape::text(&mut self.rendered.html, name);
        self.html("</span>");
        self.rendered.plain.push_str(name);
        if !self.rendered.mentions.contains(&id) {
            self.rendered.mentions.push(id);
        }
    }
}

/// The text without the characters that no message has.
pub(super) fn allowed(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(escape::is_foreign) { text.replace(escape::is_foreign, "").into() } else { text.into() }
}

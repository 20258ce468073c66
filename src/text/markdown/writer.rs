//! Writes the parser's events as HTML and as plain text.

use std::fmt::Write;

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, LinkType, Tag, TagEnd};

use crate::{
    text::{Rendered, clean, escape, links, mention},
    types::UserId,
};

/// Nested elements. Deeper ones are left out, but not their text. The sanitiser's time grows with the depth.
const MAX_DEPTH: usize = 16;

pub(super) struct Writer<'w, 'a> {
    name_of: &'w dyn Fn(UserId) -> Option<&'a str>,
    pub(super) rendered: Rendered,
    /// Text that is not written yet: the parser splits text at every character that could have been markup.
    pub(super) pending: String,
    /// What to write at the end of each open element; empty for those that were left out.
    open: Vec<&'static str>,
    depth: usize,
    /// The number of open links and images: links are not nested.
    pub(super) links: usize,
    /// The user whose mention is open. Its text goes to `pending`.
    mention: Option<UserId>,
    /// Whether each open list was written, innermost last. Items of a list that was left out are left out too.
    lists: Vec<bool>,
    table: Vec<Alignment>,
    column: usize,
    in_head: bool,
    pub(super) in_code: bool,
    /// Whether anything visible was written.
    pub(super) shows: bool,
}

impl<'w, 'a> Writer<'w, 'a> {
    pub(super) fn new(size: usize, name_of: &'w dyn Fn(UserId) -> Option<&'a str>) -> Self {
        let rendered = Rendered {
            html: String::with_capacity(size + size / 2 + 64),
            plain: String::with_capacity(size),
            ..Rendered::default()
        };
        Self {
            name_of,
            rendered,
            pending: String::new(),
            open: Vec::new(),
            depth: 0,
            links: 0,
            mention: None,
            lists: Vec::new(),
            table: Vec::new(),
            column: 0,
            in_head: false,
            in_code: false,
            shows: false,
        }
    }

    pub(super) fn finish(mut self) -> Rendered {
        let length = self.rendered.plain.trim_end().len();
        self.rendered.plain.truncate(length);
        self.rendered
    }

    /// Writes the source as text, line by line.
    pub(super) fn literal(&mut self, source: &str) {
        self.html("<p>");
        self.pending.push_str(source);
        self.flush();
        self.html("</p>");
    }

    pub(super) fn html(&mut self, html: &str) {
        self.rendered.html.push_str(html);
    }

    /// Separates the plain text of two blocks.
    pub(super) fn space(&mut self) {
        let plain = &mut self.rendered.plain;
        if !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>) {
        if self.mention.is_some() {
            return self.within_mention(event);
        }
        match event {
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => self.pending.push_str(&text),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(code) => {
                self.flush();
                self.html("<code>");
                self.verbatim(&code);
                self.html("</code>");
            }
            Event::SoftBreak | Event::HardBreak => {
                self.flush();
                self.html("<br>");
                self.space();
            }
            Event::Rule => {
                self.flush();
                self.html("<hr>");
                self.shows = true;
            }
            Event::TaskListMarker(done) => {
                let checked = if done { " checked=\"\"" } else { "" };
                self.html("<input type=\"checkbox\" disabled=\"\"");
                self.html(checked);
                self.html("> ");
                self.shows = true;
            }
            // Extensions that are not enabled.
            Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Link { dest_url, link_type, .. } => return self.start_link(&dest_url, link_type),
            Tag::Image { dest_url, link_type, .. } => return self.start_link(&dest_url, link_type),
            Tag::HtmlBlock => return self.element("<p>", "</p>"),
            _ => self.flush(),
        }
        let deep = self.depth >= MAX_DEPTH;
        match tag {
            Tag::Paragraph => self.element("<p>", "</p>"),
            Tag::Heading { level, .. } => {
                let (start, end) = HEADINGS[level as usize - 1];
                self.element(start, end);
            }
            Tag::CodeBlock(kind) => self.start_code(&kind),
            Tag::List(first) => {
                self.space();
                self.lists.push(!deep);
                match first {
                    _ if deep => self.element("", ""),
                    Some(first) if first != 1 => {
                        // Writing to a string cannot fail.
                        let _ = write!(self.rendered.html, "<ol start=\"{first}\">");
                        self.element("", "</ol>");
                    }
                    Some(_) => self.element("<ol>", "</ol>"),
                    None => self.element("<ul>", "</ul>"),
                }
            }
            Tag::Item if self.lists.last() == Some(&true) => self.element("<li>", "</li>"),
            Tag::Table(alignments) => {
                self.table = alignments;
                self.element("<table>", "</tbody></table>");
            }
            Tag::TableHead => {
                self.in_head = true;
                self.column = 0;
                self.element("<thead><tr>", "</tr></thead><tbody>");
            }
            Tag::TableRow => {
                self.column = 0;
                self.element("<tr>", "</tr>");
            }
            Tag::TableCell => self.start_cell(),
            Tag::BlockQuote(_) if !deep => self.element("<blockquote>", "</blockquote>"),
            Tag::Emphasis if !deep => self.element("<em>", "</em>"),
            Tag::Strong if !deep => self.element("<strong>", "</strong>"),
            Tag::Strikethrough if !deep => self.element("<del>", "</del>"),
            _ => self.element("", ""),
        }
    }

    /// Opens an element, or leaves it out if both are empty.
    fn element(&mut self, start: &str, end: &'static str) {
        self.html(start);
        self.open.push(end);
        self.depth += usize::from(!end.is_empty());
    }

    fn start_code(&mut self, kind: &CodeBlockKind<'_>) {
        self.in_code = true;
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split([' ', ',', '\t']).next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        if clean::is_language(language) {
            let _ = write!(self.rendered.html, "<pre><code class=\"language-{language}\">");
            self.element("", "</code></pre>");
        } else {
            self.element("<pre><code>", "</code></pre>");
        }
    }

    fn start_cell(&mut self) {
        let alignment = self.table.get(self.column).copied().unwrap_or(Alignment::None);
        self.column += 1;
        let (start, end) = if self.in_head { ("<th", "</th>") } else { ("<td", "</td>") };
        self.html(start);
        self.html(match alignment {
            Alignment::None => "",
            Alignment::Left => " align=\"left\"",
            Alignment::Center => " align=\"center\"",
            Alignment::Right => " align=\"right\"",
        });
        self.element(">", end);
    }

    /// Opens a link. An image becomes a link to it; a link to a user after an `@` becomes a mention.
    fn start_link(&mut self, address: &CowStr<'_>, kind: LinkType) {
        let user = mention::user_of(address).filter(|_| self.links == 0 && self.pending.ends_with('@'));
        if let Some(user) = user {
            self.pending.pop();
            self.flush();
            self.mention = Some(user);
            return;
        }
        self.flush();
        self.links += 1;
        let prefix = if kind == LinkType::Email { "mailto:" } else { "" };
        if self.links == 1 && self.depth < MAX_DEPTH && (!prefix.is_empty() || links::is_allowed(address)) {
            self.html("<a href=\"");
            self.html(prefix);
            escape::address(&mut self.rendered.html, address);
            self.element(LINK_ATTRIBUTES, "</a>");
        } else {
            self.element("", "");
        }
    }

    fn end(&mut self, tag: TagEnd) {
        self.flush();
        match tag {
            TagEnd::Link | TagEnd::Image => self.links -= 1,
            TagEnd::CodeBlock => self.in_code = false,
            TagEnd::TableHead => self.in_head = false,
            TagEnd::List(_) => drop(self.lists.pop()),
            _ => {}
        }
        let end = self.open.pop().unwrap_or_default();
        self.depth -= usize::from(!end.is_empty());
        self.html(end);
        if !matches!(
            tag,
            TagEnd::Link | TagEnd::Image | TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough
        ) {
            self.space();
        }
    }

    /// Handles an event inside a mention, of which only the text and the end matter.
    fn within_mention(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => self.pending.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.pending.push(' '),
            Event::End(TagEnd::Link) => {
                let Some(user) = self.mention.take() else { return };
                match (self.name_of)(user) {
                    Some(name) => {
                        self.pending.clear();
                        let _ =
                            write!(self.rendered.html, "<span class=\"mention\" data-user-id=\"{user}\">@");
                        escape::text(&mut self.rendered.html, name);
                        self.html("</span>");
                        self.rendered.plain.push_str(name);
                        self.shows = true;
                        if !self.rendered.mentions.contains(&user) {
                            self.rendered.mentions.push(user);
                        }
                    }
                    None => self.pending.insert(0, '@'),
                }
            }
            _ => {}
        }
    }
}

pub(super) const LINK_ATTRIBUTES: &str = "\" rel=\"noopener noreferrer\" target=\"_blank\">";

const HEADINGS: [(&str, &str); 6] = [
    ("<h1>", "</h1>"),
    ("<h2>", "</h2>"),
    ("<h3>", "</h3>"),
    ("<h4>", "</h4>"),
    ("<h5>", "</h5>"),
    ("<h6>", "</h6>"),
];

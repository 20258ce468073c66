//! Writes the parser's events as HTML and as plain text.

use std::{fmt::Write, ops::Range};

use pulldown_cmark::{Alignment, CodeBlockKind, Event, LinkType, Tag, TagEnd};

use super::masked::Pieces;
use crate::{
    text::{Rendered, clean, escape, links},
    types::UserId,
};

/// Nested elements. Deeper ones are left out, but not their text. The sanitiser's time grows with the depth.
const MAX_DEPTH: usize = 16;

pub(super) struct Writer<'w, 'a> {
    pub(super) name_of: &'w dyn Fn(UserId) -> Option<&'a str>,
    pub(super) pieces: &'w Pieces<'w>,
    pub(super) rendered: Rendered,
    /// Text that is not written yet: the parser splits text at every character that could have been markup.
    pub(super) pending: String,
    /// What to write at the end of each open element; empty for those that were left out.
    open: Vec<&'static str>,
    depth: usize,
    /// The number of open links and images: links are not nested.
    pub(super) links: usize,
    /// The open links and images, innermost last.
    targets: Vec<Target>,
    /// Where the last event ended in the text that is parsed.
    last_end: usize,
    /// The open lists, innermost last. Items of a list that was left out are left out too.
    lists: Vec<List>,
    table: Vec<Alignment>,
    column: usize,
    in_head: bool,
    pub(super) in_code: bool,
    /// Whether anything visible was written.
    pub(super) shows: bool,
    /// Whether the address of a link or picture was left out, as within a link.
    pub(super) leaves_out: bool,
}

/// An open link or image.
enum Target {
    /// Its address, to be shown if the link has no text, and the length of the HTML before that text.
    Link { address: String, before: usize },
    /// One within another.
    Inner,
    /// No link, since such an address is not allowed: it is shown as it was typed.
    Typed,
}

struct List {
    is_written: bool,
    /// Of an ordered list: the number of its last item as typed, and as shown.
    numbers: Option<(u64, u64)>,
}

impl<'w, 'a> Writer<'w, 'a> {
    pub(super) fn new(
        size: usize,
        name_of: &'w dyn Fn(UserId) -> Option<&'a str>,
        pieces: &'w Pieces<'w>,
    ) -> Self {
        let rendered = Rendered {
            html: String::with_capacity(size + size / 2 + 64),
            plain: String::with_capacity(size),
            ..Rendered::default()
        };
        Self {
            name_of,
            pieces,
            rendered,
            pending: String::new(),
            open: Vec::new(),
            depth: 0,
            links: 0,
            targets: Vec::new(),
            last_end: 0,
            lists: Vec::new(),
            table: Vec::new(),
            column: 0,
            in_head: false,
            in_code: false,
            shows: false,
            leaves_out: false,
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

    /// Writes an event of a text, of which it is a range.
    pub(super) fn event(&mut self, event: Event<'_>, text: &str, range: Range<usize>) {
        let end = match &event {
            Event::Start(_) => range.start,
            _ => range.end,
        };
        match event {
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => self.pending.push_str(&text),
            Event::Start(tag) => self.start(tag, text, range),
            Event::End(TagEnd::Link | TagEnd::Image) => self.end_link(text, range),
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
        self.last_end = end;
    }

    fn start(&mut self, tag: Tag<'_>, text: &str, range: Range<usize>) {
        match tag {
            Tag::Link { dest_url, link_type, title, .. } | Tag::Image { dest_url, link_type, title, .. } => {
                return self.start_link(&dest_url, link_type, &title, &text[range]);
            }
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
                self.lists.push(List {
                    is_written: !deep,
                    numbers: first.map(|first| (first, first.wrapping_sub(1))),
                });
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
            Tag::Item if self.lists.last().is_some_and(|list| list.is_written) => self.item(&text[range]),
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
            CodeBlockKind::Fenced(info) => {
                info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{')).next().unwrap_or_default()
            }
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

    /// Opens an item of a list. It has the number that was typed, also where that is not the next one; a list in which
    /// all have the same is counted.
    fn item(&mut self, source: &str) {
        let digits = source.trim_start_matches([' ', '\t', '>']).split(|c: char| !c.is_ascii_digit()).next();
        let typed = digits.and_then(|digits| digits.parse::<u64>().ok());
        let mut value = None;
        if let (Some(List { numbers: Some((last, shown)), .. }), Some(typed)) = (self.lists.last_mut(), typed)
        {
            let next = shown.wrapping_add(1);
            let is_counted = typed == next || typed == *last;
            value = (!is_counted).then_some(typed);
            (*last, *shown) = (typed, value.unwrap_or(next));
        }
        match value {
            Some(value) => {
                let _ = write!(self.rendered.html, "<li value=\"{value}\">");
                self.element("", "</li>");
            }
            None => self.element("<li>", "</li>"),
        }
    }

    /// Opens a link. An image becomes a link to it.
    fn start_link(&mut self, address: &str, kind: LinkType, title: &str, source: &str) {
        self.flush();
        let (address, title) = (self.pieces.target(address).into_owned(), self.pieces.target(title));
        let is_mail = kind == LinkType::Email;
        if self.links > 0 || self.depth >= MAX_DEPTH {
            self.leaves_out |= self.links > 0;
            self.element("", "");
            self.targets.push(Target::Inner);
        } else if is_mail || links::is_allowed(&address) {
            self.html(if is_mail { "<a href=\"mailto:" } else { "<a href=\"" });
            escape::address(&mut self.rendered.html, &address);
            if !title.is_empty() {
                self.html("\" title=\"");
                escape::attribute(&mut self.rendered.html, &title);
            }
            self.element(if links::is_inner(&address) { "\">" } else { LINK_ATTRIBUTES }, "</a>");
            self.targets.push(Target::Link { address, before: self.rendered.html.len() });
        } else {
            self.element("", "");
            let open = match source.as_bytes().first() {
                Some(b'!') => "![",
                Some(b'<') => "<",
                _ => "[",
            };
            self.pending.push_str(open);
            self.targets.push(Target::Typed);
            return;
        }
        self.links += 1;
    }

    fn end_link(&mut self, text: &str, range: Range<usize>) {
        match self.targets.pop() {
            Some(Target::Link { address, before }) => {
                self.flush();
                if self.rendered.html.len() == before {
                    self.words(&address);
                }
                self.links -= 1;
            }
            Some(Target::Inner) => {
                self.flush();
                self.links -= 1;
            }
            // Behind its text, or, if it has none, behind the bracket.
            _ => {
                let open = if text[range.clone()].starts_with('!') { 2 } else { 1 };
                let tail = &text[self.last_end.max(range.start + open)..range.end];
                self.pending.push_str(tail);
                self.flush();
            }
        }
        let end = self.open.pop().unwrap_or_default();
        self.depth -= usize::from(!end.is_empty());
        self.html(end);
    }

    fn end(&mut self, tag: TagEnd) {
        self.flush();
        match tag {
            TagEnd::CodeBlock => self.in_code = false,
            TagEnd::TableHead => self.in_head = false,
            TagEnd::List(_) => drop(self.lists.pop()),
            _ => {}
        }
        let end = self.open.pop().unwrap_or_default();
        self.depth -= usize::from(!end.is_empty());
        self.html(end);
        if !matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) {
            self.space();
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

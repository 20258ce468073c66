//! Markdown's events to HTML and to plain words, in one pass. Raw HTML comes out as the text that it is.

use std::fmt::Write;

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{
    Rendered, clean, escape, links,
    mention::{self, Everyone},
};
use crate::types::UserId;

/// Elements inside one another; what is deeper keeps its words and loses its element. The sanitiser's time grows with the depth.
const DEEPEST: usize = 16;

/// Quote and list marks at the start of one line; a line with more is nobody's quote, and parsing it takes time that
/// grows with the square of its length. Such a message is shown as it was typed.
const MOST_MARKS: usize = 32;

/// Bytes of HTML for a byte of Markdown, but for the first KiB, and in all. A table with a wide head has a cell for each of its
/// columns in every row, however short; a text of nothing but `&` takes five bytes for each.
const MOST_GROWTH: usize = 16;
const MOST_HTML: usize = 384 << 10;

const OPTIONS: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

pub(super) fn render<'a>(source: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    let owned;
    let source = if source.contains(escape::is_foreign) {
        owned = source.replace(escape::is_foreign, "");
        &owned
    } else {
        source
    };
    let mut writer = Writer::new(source.len(), name_of);
    let mut is_flood = !is_sane(source);
    if !is_flood {
        let most = (source.len() * MOST_GROWTH + 1024).min(MOST_HTML);
        for event in Parser::new_ext(source, OPTIONS) {
            writer.event(event);
            if writer.rendered.html.len() > most {
                is_flood = true;
                break;
            }
        }
        writer.flush();
    }
    // Nothing to see (a lone `#`, a link definition), or too much: then what was typed is what was meant.
    if is_flood || !writer.shows {
        writer = Writer::new(source.len(), name_of);
        // Not even links then.
        writer.links = usize::from(is_flood);
        writer.literally(source);
    }
    let mut rendered = writer.finish();
    // An entity spells what may not stand in a text as well.
    if rendered.plain.contains(escape::is_foreign) {
        rendered.plain.retain(|c| !escape::is_foreign(c));
        rendered.html.retain(|c| !escape::is_foreign(c));
    }
    rendered
}

/// Whether no line starts with a flood of quote and list marks.
fn is_sane(source: &str) -> bool {
    source.lines().all(|line| {
        let line = line.as_bytes();
        let mut marks = 0;
        for (place, byte) in line.iter().enumerate() {
            match byte {
                b'>' => marks += 1,
                // A list mark has white space behind it; otherwise it is a rule, or strong text.
                b'-' | b'+' | b'*' | b'.' | b')' => {
                    marks += usize::from(matches!(line.get(place + 1), None | Some(b' ' | b'\t')))
                }
                b' ' | b'\t' | b'0'..=b'9' => {}
                _ => break,
            }
        }
        marks <= MOST_MARKS
    })
}

struct Writer<'w, 'a> {
    name_of: &'w dyn Fn(UserId) -> Option<&'a str>,
    rendered: Rendered,
    /// Text that is not written yet: the parser cuts it at every character that might have meant something.
    pending: String,
    /// What to write at the end of each open element; empty for those that were left out.
    open: Vec<&'static str>,
    depth: usize,
    /// Links and images that are open around here: no link goes into a link.
    links: usize,
    /// Whose mention is open; its text goes to `pending`.
    mention: Option<UserId>,
    /// Whether lists that are open were written, innermost last: their items follow them.
    lists: Vec<bool>,
    table: Vec<Alignment>,
    column: usize,
    in_head: bool,
    in_code: bool,
    /// Whether there is anything to see.
    shows: bool,
}

impl<'w, 'a> Writer<'w, 'a> {
    fn new(size: usize, name_of: &'w dyn Fn(UserId) -> Option<&'a str>) -> Self {
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

    fn finish(mut self) -> Rendered {
        let length = self.rendered.plain.trim_end().len();
        self.rendered.plain.truncate(length);
        self.rendered
    }

    /// The text as it was typed, line by line.
    fn literally(&mut self, source: &str) {
        self.html("<p>");
        self.pending.push_str(source);
        self.flush();
        self.html("</p>");
    }

    fn html(&mut self, html: &str) {
        self.rendered.html.push_str(html);
    }

    /// Keeps the words of two blocks apart.
    fn space(&mut self) {
        let plain = &mut self.rendered.plain;
        if !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }

    fn event(&mut self, event: Event<'_>) {
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
            // Extensions that are not on.
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
        let deep = self.depth >= DEEPEST;
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

    /// Opens an element, or leaves it out where both are empty.
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

    /// An image becomes a link to it; a link to a person, behind an @, becomes a mention.
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
        if self.links == 1 && self.depth < DEEPEST && (!prefix.is_empty() || links::is_allowed(address)) {
            self.html("<a href=\"");
            self.html(prefix);
            escape::address(&mut self.rendered.html, address);
            self.element(LINK_REST, "</a>");
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

    /// Inside a mention only its words count, and its end.
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

    /// Writes code: nothing in it means anything.
    fn verbatim(&mut self, code: &str) {
        escape::text(&mut self.rendered.html, code);
        self.rendered.plain.extend(code.chars().map(|c| if c == '\n' { ' ' } else { c }));
        self.shows |= !code.trim().is_empty();
    }

    /// Writes the text that was gathered, with its bare addresses, `@here` and line ends.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.pending);
        if self.in_code {
            self.verbatim(&text);
        } else {
            self.prose(text.strip_suffix('\n').unwrap_or(&text));
        }
        self.pending = text;
        self.pending.clear();
    }

    fn prose(&mut self, text: &str) {
        self.shows |= !text.trim().is_empty();
        let mut written = 0;
        let mut from = 0;
        while let Some(place) = text[from..].find(['@', ':', '.', '\n']).map(|found| from + found) {
            from = place + 1;
            let (start, end) = match text.as_bytes()[place] {
                b'\n' => {
                    self.words(&text[written..place]);
                    self.html("<br>");
                    self.space();
                    written = from;
                    continue;
                }
                _ if self.links > 0 => continue,
                b'@' => match mention::everyone_at(text, place) {
                    Some(everyone) => {
                        self.words(&text[written..place]);
                        self.everyone(everyone);
                        written = place + everyone.word().len();
                        from = written;
                        continue;
                    }
                    None => continue,
                },
                sign => {
                    let Some((start, end)) = bare_link(text, written, place, sign) else { continue };
                    (start, end)
                }
            };
            self.words(&text[written..start]);
            self.bare(&text[start..end]);
            written = end;
            from = end;
        }
        self.words(&text[written..]);
    }

    fn words(&mut self, text: &str) {
        escape::text(&mut self.rendered.html, text);
        self.rendered.plain.push_str(text);
    }

    fn everyone(&mut self, everyone: Everyone) {
        self.html("<span class=\"mention\">");
        self.html(everyone.word());
        self.html("</span>");
        self.rendered.plain.push_str(everyone.word());
        self.rendered.everyone = self.rendered.everyone.max(Some(everyone));
    }

    fn bare(&mut self, address: &str) {
        self.html("<a href=\"");
        if !links::is_allowed(address) {
            self.html("https://");
        }
        escape::address(&mut self.rendered.html, address);
        self.html(LINK_REST);
        self.words(address);
        self.html("</a>");
    }
}

const LINK_REST: &str = "\" rel=\"noopener noreferrer\" target=\"_blank\">";

const HEADINGS: [(&str, &str); 6] = [
    ("<h1>", "</h1>"),
    ("<h2>", "</h2>"),
    ("<h3>", "</h3>"),
    ("<h4>", "</h4>"),
    ("<h5>", "</h5>"),
    ("<h6>", "</h6>"),
];

/// The bare address whose `:` or first `.` stands at `place`, if it starts at `written` or later.
fn bare_link(text: &str, written: usize, place: usize, sign: u8) -> Option<(usize, usize)> {
    let before: &[usize] = if sign == b':' { &["https".len(), "http".len()] } else { &["www".len()] };
    before.iter().find_map(|length| {
        let start =
            place.checked_sub(*length).filter(|start| *start >= written && text.is_char_boundary(*start))?;
        Some((start, links::bare_at(text, start)?))
    })
}

//! CommonMark with tables, strikethrough and task lists, as events, so that links, mentions and what is allowed at
//! all are ours to say; then ammonia, which holds the result against an allow-list once more.

use std::{collections::HashSet, sync::LazyLock};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::{Everyone, Rendered, escape};
use crate::types::UserId;

/// Quotes in lists in quotes deeper than this are no talk: the text is shown as it was typed.
const MAX_DEPTH: usize = 24;

pub(super) fn render<'a>(source: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    if is_flood(source) {
        return verbatim(source);
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut writing = Writing { name_of, out: Vec::new(), rendered: Rendered::default(), links: Vec::new(), in_code: false, mention: None };
    let mut depth = 0;
    for event in TextMergeStream::new(Parser::new_ext(source, options)) {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return verbatim(source);
        }
        writing.take(event);
    }
    let Writing { out, mut rendered, .. } = writing;
    let mut html = String::with_capacity(source.len() * 2);
    pulldown_cmark::html::push_html(&mut html, out.into_iter());
    rendered.html = SANITISER.clean(&html).to_string().trim_end().to_owned();
    rendered.plain = rendered.plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if rendered.html.is_empty() {
        // Only reference definitions, say: what was said must be seen.
        return verbatim(source);
    }
    rendered
}

/// Long runs of what opens something cost the parser more than anybody's talk is worth (its work on
/// nested openers is not linear), so such a text is shown as it was typed.
fn is_flood(source: &str) -> bool {
    const RUN: usize = 200;
    let bytes = source.as_bytes();
    let openers = bytes.iter().filter(|byte| b"[]<>*_`!~|\\".contains(byte)).count();
    if openers > 2_000 && openers * 3 > bytes.len() {
        return true;
    }
    let mut run = 0;
    for byte in bytes {
        match byte {
            b'[' | b'<' | b'>' | b'*' | b'_' | b'`' | b'!' | b'~' | b'(' => run += 1,
            b' ' | b'\n' if run > 0 => {}
            _ => run = 0,
        }
        if run > RUN {
            return true;
        }
    }
    false
}

/// The text as it was typed, lines kept.
fn verbatim(source: &str) -> Rendered {
    let mut html = String::from("<p>");
    for (place, line) in source.trim().lines().enumerate() {
        if place > 0 {
            html.push_str("<br>");
        }
        escape(&mut html, line);
    }
    html.push_str("</p>");
    Rendered { html, plain: source.split_whitespace().collect::<Vec<_>>().join(" "), ..Rendered::default() }
}

struct Writing<'s, 'n, 'a> {
    name_of: &'n dyn Fn(UserId) -> Option<&'a str>,
    out: Vec<Event<'s>>,
    rendered: Rendered,
    /// Of each link that is open: whether it is one in the output too.
    links: Vec<bool>,
    in_code: bool,
    /// A mention that is open: whose, and the name as it was typed.
    mention: Option<(UserId, String)>,
}

impl<'s> Writing<'s, '_, '_> {
    fn take(&mut self, event: Event<'s>) {
        if let Some((user, typed)) = &mut self.mention {
            match event {
                Event::End(TagEnd::Link) => {
                    let (user, typed) = (*user, std::mem::take(typed));
                    self.mention = None;
                    self.end_mention(user, &typed);
                }
                Event::Text(text) | Event::Code(text) => typed.push_str(&text),
                _ => {}
            }
            return;
        }
        match event {
            Event::Text(text) if self.in_code => {
                self.rendered.plain.push_str(&text);
                self.out.push(Event::Text(text));
            }
            Event::Text(text) => self.text(&text),
            Event::Code(code) => {
                self.rendered.plain.push_str(&code);
                self.out.push(Event::Code(code));
            }
            // Raw HTML is a text like any other.
            Event::Html(html) | Event::InlineHtml(html) => {
                self.rendered.plain.push_str(&html);
                self.out.push(Event::Text(html));
            }
            Event::Start(Tag::HtmlBlock) => self.out.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => self.end(TagEnd::Paragraph),
            Event::Start(Tag::Link { dest_url, .. }) => self.start_link(&dest_url),
            // Images of other hosts would tell them who reads: they become links.
            Event::Start(Tag::Image { dest_url, .. }) => self.start_link(&dest_url),
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if self.links.pop() == Some(true) {
                    self.html("</a>".into());
                }
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                self.in_code = true;
                // The first word of the info string names the language.
                let kind = match kind {
                    CodeBlockKind::Fenced(info) => {
                        let language = info.split_whitespace().next().unwrap_or_default().to_owned();
                        CodeBlockKind::Fenced(CowStr::from(language))
                    }
                    indented => indented,
                };
                self.out.push(Event::Start(Tag::CodeBlock(kind)));
            }
            Event::End(TagEnd::CodeBlock) => {
                self.in_code = false;
                self.end(TagEnd::CodeBlock);
            }
            // In chat a new line is meant.
            Event::SoftBreak | Event::HardBreak => {
                self.rendered.plain.push(' ');
                self.out.push(Event::HardBreak);
            }
            Event::End(tag) => self.end(tag),
            other => self.out.push(other),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        if !matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) {
            self.rendered.plain.push(' ');
        }
        self.out.push(Event::End(tag));
    }

    fn html(&mut self, html: String) {
        self.out.push(Event::InlineHtml(html.into()));
    }

    fn plain(&mut self, text: &str) {
        self.rendered.plain.push_str(text);
        self.out.push(Event::Text(CowStr::from(text.to_owned())));
    }

    fn start_link(&mut self, address: &str) {
        if let Some(user) = address.strip_prefix("user:").and_then(|id| id.parse().ok())
            && self.ends_with_at()
        {
            self.mention = Some((UserId(user), String::new()));
            return;
        }
        let is_link = has_allowed_scheme(address) && !self.links.contains(&true);
        if is_link {
            self.open(address);
        }
        self.links.push(is_link);
    }

    fn open(&mut self, address: &str) {
        let mut html = String::from("<a href=\"");
        escape(&mut html, address);
        html.push_str("\">");
        self.html(html);
    }

    /// Whether the text before ends in the `@` of a mention.
    fn ends_with_at(&self) -> bool {
        matches!(self.out.last(), Some(Event::Text(text)) if text.ends_with('@'))
    }

    fn end_mention(&mut self, user: UserId, typed: &str) {
        let Some(name) = (self.name_of)(user) else { return self.plain(typed) };
        if let Some(Event::Text(text)) = self.out.last_mut() {
            *text = CowStr::from(text.strip_suffix('@').unwrap_or(text).to_owned());
        }
        if self.rendered.plain.ends_with('@') {
            self.rendered.plain.pop();
        }
        let mut html = format!("<span class=\"mention\" data-user-id=\"{user}\">@");
        escape(&mut html, name);
        html.push_str("</span>");
        self.html(html);
        self.rendered.plain.push_str(name);
        if !self.rendered.mentions.contains(&user) {
            self.rendered.mentions.push(user);
        }
    }

    /// Text outside code: addresses become links, `@here` and `@room` mentions.
    fn text(&mut self, text: &str) {
        let in_link = self.links.contains(&true);
        let mut rest = text;
        let mut before = None;
        let mut start = 0;
        while let Some(c) = rest[start..].chars().next() {
            let here = &rest[start..];
            let at_word_start = !before.is_some_and(char::is_alphanumeric);
            let found = match c {
                'h' | 'H' | 'w' | 'W' if at_word_start && !in_link => address_at(here).map(Found::Address),
                '@' if at_word_start => everyone_at(here),
                _ => None,
            };
            let Some(found) = found else {
                before = Some(c);
                start += c.len_utf8();
                continue;
            };
            if start > 0 {
                self.plain(&rest[..start]);
            }
            let length = match found {
                Found::Address(length) => {
                    let shown = &here[..length];
                    let address = if shown.as_bytes()[0].eq_ignore_ascii_case(&b'w') { format!("https://{shown}") } else { shown.to_owned() };
                    self.open(&address);
                    self.plain(shown);
                    self.html("</a>".into());
                    length
                }
                Found::Everyone(everyone, word) => {
                    self.rendered.everyone = Some(everyone);
                    self.rendered.plain.push_str(word);
                    self.html(format!("<span class=\"mention\">{word}</span>"));
                    word.len()
                }
            };
            before = here[..length].chars().next_back();
            rest = &here[length..];
            start = 0;
        }
        if !rest.is_empty() {
            self.plain(rest);
        }
    }
}

enum Found {
    Address(usize),
    Everyone(Everyone, &'static str),
}

fn everyone_at(text: &str) -> Option<Found> {
    [("@here", Everyone::Here), ("@room", Everyone::Room)].into_iter().find_map(|(word, everyone)| {
        let after = text.strip_prefix(word)?.chars().next();
        (!after.is_some_and(|c| c.is_alphanumeric() || c == '_')).then_some(Found::Everyone(everyone, word))
    })
}

/// The length of an address at the start of a text. Punctuation at its end belongs to the sentence.
fn address_at(text: &str) -> Option<usize> {
    let head = |wanted: &str| text.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted));
    let scheme = ["https://", "http://", "www."].into_iter().find(|scheme| head(scheme))?;
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`')).unwrap_or(text.len());
    let mut address = &text[..end];
    while let Some(last) = address.chars().next_back() {
        let is_open = |open: char, close: char| address.matches(close).count() <= address.matches(open).count();
        let belongs = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => false,
            ')' => is_open('(', ')'),
            ']' => is_open('[', ']'),
            _ => true,
        };
        if belongs {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    let host = &address.get(scheme.len()..)?;
    let host_ok = host.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '[') && (scheme != "www." || host.contains('.'));
    host_ok.then_some(address.len())
}

fn has_allowed_scheme(address: &str) -> bool {
    let Some((scheme, _)) = address.split_once(':') else { return false };
    ["http", "https", "mailto"].iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed))
}

/// What may be in a message, whatever the code above does.
static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut sanitiser = ammonia::Builder::empty();
    sanitiser
        .tags(HashSet::from([
            "p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
            "table", "thead", "tbody", "tr", "th", "td", "a", "span", "input",
        ]))
        .tag_attributes(
            [
                ("a", HashSet::from(["href"])),
                ("ol", HashSet::from(["start"])),
                ("code", HashSet::from(["class"])),
                ("span", HashSet::from(["class", "data-user-id"])),
                ("input", HashSet::from(["type", "disabled", "checked"])),
            ]
            .into(),
        )
        .set_tag_attribute_value("a", "target", "_blank")
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .link_rel(Some("noopener noreferrer"))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("code", "class") => (value.starts_with("language-") && !value.contains(' ')).then(|| value.into()),
            ("span", "class") => (value == "mention").then(|| value.into()),
            _ => Some(value.into()),
        });
    sanitiser
});

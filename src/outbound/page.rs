//! What a page says of itself, for the preview of a link to it: OpenGraph, then Twitter's card, then its title.

use std::{cell::RefCell, collections::HashMap};

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind},
};
use url::Url;

/// Characters of each part at most.
const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 500;
const MAX_SITE: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub title: Option<String>,
    pub description: Option<String>,
    pub image_url: Option<String>,
    pub site_name: Option<String>,
}

/// Reads the head of a document. Any bytes are safe: what is no HTML says nothing.
pub fn preview(html: &[u8], content_type: &str, base: &Url) -> Preview {
    let text = text(html, content_type);
    let sink = Sink::default();
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(&*text));
    // Nothing of a page is run: a script in its head is passed over.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().preview(base)
}

/// Pages are in UTF-8, or in what browsers take for windows-1252. For the other charsets, encoding_rs would add 163 KB to
/// the binary.
fn text(html: &[u8], content_type: &str) -> String {
    if let Ok(text) = std::str::from_utf8(html) {
        return text.to_owned();
    }
    let head = String::from_utf8_lossy(&html[..html.len().min(1024)]).to_ascii_lowercase();
    let declares =
        |charset: &str| content_type.to_ascii_lowercase().contains(charset) || head.contains(charset);
    if declares("iso-8859-1") || declares("windows-1252") || declares("latin1") {
        html.iter().map(|byte| from_windows_1252(*byte)).collect()
    } else {
        String::from_utf8_lossy(html).into_owned()
    }
}

/// The bytes in which windows-1252 differs from ISO 8859-1 (index-windows-1252 of the Encoding Standard).
fn from_windows_1252(byte: u8) -> char {
    const FROM_0X80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => FROM_0X80[usize::from(byte) - 0x80],
        _ => char::from(byte),
    }
}

#[derive(Default)]
struct Head {
    /// By their lower-case names; the first of a name counts.
    metas: HashMap<String, String>,
    title: String,
    in_title: bool,
    titled: bool,
    ended: bool,
}

#[derive(Default)]
struct Sink(RefCell<Head>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut head = self.0.borrow_mut();
        if head.ended {
            return TokenSinkResult::Continue;
        }
        match token {
            Token::TagToken(tag) => return head.tag(&tag),
            Token::CharacterTokens(text) if head.in_title && head.title.len() < 4 * MAX_TITLE => {
                head.title.push_str(&text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Head {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let is_start = tag.kind == TagKind::StartTag;
        match &*tag.name {
            "title" if is_start && !self.titled => {
                self.in_title = true;
                self.titled = true;
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "title" => self.in_title = false,
            "meta" if is_start => self.meta(tag),
            "script" if is_start => return TokenSinkResult::RawData(RawKind::ScriptData),
            "style" if is_start => return TokenSinkResult::RawData(RawKind::Rawtext),
            // Some pages put their metas behind the head's end: only the body ends it.
            "body" if is_start => self.ended = true,
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn meta(&mut self, tag: &Tag) {
        let attribute = |name: &str| {
            tag.attrs
                .iter()
                .find(|attribute| &*attribute.name.local == name)
                .map(|found| found.value.to_string())
        };
        let name = attribute("property").or_else(|| attribute("name"));
        if let (Some(name), Some(content)) = (name, attribute("content"))
            && self.metas.len() < 200
        {
            self.metas.entry(name.to_ascii_lowercase()).or_insert(content);
        }
    }

    fn preview(self, base: &Url) -> Preview {
        let first = |names: &[&str], most: usize| {
            names.iter().filter_map(|name| tidy(self.metas.get(*name)?, most)).next()
        };
        let image = first(
            &["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"],
            2_000,
        );
        let image = image.and_then(|image| base.join(&image).ok());
        Preview {
            title: first(&["og:title", "twitter:title"], MAX_TITLE).or_else(|| tidy(&self.title, MAX_TITLE)),
            description: first(&["og:description", "twitter:description", "description"], MAX_DESCRIPTION),
            image_url: image.filter(|image| image.scheme().starts_with("http")).map(String::from),
            site_name: first(&["og:site_name", "application-name"], MAX_SITE),
        }
    }
}

/// One line without needless space, cut at a character.
fn tidy(text: &str, most: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(most).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(html: &str) -> Preview {
        preview(html.as_bytes(), "text/html", &Url::parse("https://example.org/a/b").unwrap())
    }

    #[test]
    fn opengraph_counts_before_twitter_before_the_title() {
        let found = of(
            r#"<!doctype html><head><title>Plain</title><script>"<meta name='og:title' content='no'>"</script>
            <meta name="twitter:title" content="Bird"><meta property="og:title" content="Open &amp;  shut">
            <meta name="description" content="What it is"><meta property="og:image" content="/i.png">
            <meta property="og:site_name" content="Example"></head><body><meta property="og:title" content="late">"#,
        );
        assert_eq!(found.title.as_deref(), Some("Open & shut"));
        assert_eq!(found.description.as_deref(), Some("What it is"));
        assert_eq!(found.image_url.as_deref(), Some("https://example.org/i.png"));
        assert_eq!(found.site_name.as_deref(), Some("Example"));
        assert_eq!(of("<title>Just &lt;this&gt;</title>").title.as_deref(), Some("Just <this>"));
        assert_eq!(of("<meta property=og:image content='javascript:alert(1)'>").image_url, None);
    }

    #[test]
    fn a_page_in_windows_1252_is_read() {
        let title = |html: &[u8], content_type: &str| {
            preview(html, content_type, &Url::parse("http://a.b").unwrap()).title.unwrap_or_default()
        };
        let html = b"<title>Gr\xfc\xdfe \x96 it\x92s 5 \x80\x9f</title>";
        assert_eq!(title(html, "text/html; charset=ISO-8859-1"), "Grüße – it’s 5 €Ÿ");
        assert_eq!(title(b"<meta charset=latin1><title>\xe4</title>", "text/html"), "ä");
        assert_eq!(title("<title>Größe</title>".as_bytes(), "text/html; charset=iso-8859-1"), "Größe");
        assert_eq!(title(b"<title>a\xff</title>", "text/html"), "a\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            preview(&bytes, "text/html", &Url::parse("http://a.b").unwrap());
        }

        #[test]
        fn any_markup_is_safe(html in "(<(meta|title|body|script|/title|!--|x) ?(property|content|name)?=?\"?|og:title|>|[a-z&;]){0,200}") {
            of(&html);
        }
    }
}

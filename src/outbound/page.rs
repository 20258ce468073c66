//! What a page says of itself, for the preview of a link to it: OpenGraph, then Twitter's card, then its title.

use std::{borrow::Cow, cell::RefCell, collections::HashMap};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
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
    read(&text(html, content_type, base)).preview(base)
}

/// Bytes in which a page declares its encoding. The standard has 1,024; browsers read on to the end of the head.
const DECLARES: usize = 256 << 10;

/// A page's text by its encoding, which is found as browsers find it: a byte order mark, the header, a `<meta>`, a guess.
fn text<'a>(html: &'a [u8], content_type: &str, base: &Url) -> Cow<'a, str> {
    let whole = match std::str::from_utf8(html) {
        // The end may be cut off.
        Err(error) if error.error_len().is_none() => &html[..error.valid_up_to()],
        _ => html,
    };
    let declared = || declared(html, content_type);
    let encoding = match Encoding::for_bom(html) {
        Some((encoding, _)) => encoding,
        None => match (std::str::from_utf8(whole), declared()) {
            // Nobody writes UTF-8 by chance, and many servers declare a single-byte encoding by default.
            (Ok(_), None) => UTF_8,
            (Ok(_), Some(encoding)) if encoding.is_single_byte() => UTF_8,
            (_, Some(encoding)) => encoding,
            (Err(_), None) => guessed(html, base),
        },
    };
    encoding.decode(whole).0
}

fn declared(html: &[u8], content_type: &str) -> Option<&'static Encoding> {
    if let Some(encoding) = charset(content_type).and_then(|label| Encoding::for_label(label.as_bytes())) {
        return Some(encoding);
    }
    // Any encoding that a page can declare within itself has the same ASCII letters.
    let (head, _) = WINDOWS_1252.decode_without_bom_handling(&html[..html.len().min(DECLARES)]);
    let encoding = Encoding::for_label(read(&head).charset?.as_bytes())?;
    // What reads as ASCII is not in UTF-16 (HTML, section 13.2.3.2).
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

/// The charset of a content type, in a header or in a `<meta>`.
fn charset(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let rest = lower.match_indices("charset").find_map(|(at, name)| {
        content_type[at + name.len()..].trim_start().strip_prefix('=').map(str::trim_start)
    })?;
    match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split_once(quote).map(|(value, _)| value),
        _ => rest.split([';', ',', ' ', '\t', '\n']).next(),
    }
}

/// A guess by the letters, as Firefox makes it, and by the country of the host.
fn guessed(html: &[u8], base: &Url) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(html, true);
    let country = base.domain().and_then(|host| host.rsplit('.').next());
    // Lower-case ASCII without dots is all that is allowed.
    let country = country.filter(|it| it.bytes().all(|byte| byte.is_ascii_lowercase()));
    detector.guess(country.map(str::as_bytes), Utf8Detection::Allow)
}

fn read(text: &str) -> Head {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(text));
    // Nothing of a page is run: a script in its head is passed over.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Head {
    /// By their lower-case names; the first of a name counts.
    metas: HashMap<String, String>,
    /// The encoding that the page declares first.
    charset: Option<String>,
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
        if self.charset.is_none() {
            let is_type =
                attribute("http-equiv").is_some_and(|it| it.trim().eq_ignore_ascii_case("content-type"));
            let content = || attribute("content").filter(|_| is_type);
            self.charset = attribute("charset").or_else(|| Some(charset(&content()?)?.to_owned()));
        }
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

    fn title(html: &[u8], content_type: &str) -> String {
        preview(html, content_type, &Url::parse("http://a.b").unwrap()).title.unwrap_or_default()
    }

    #[test]
    fn page_is_read_in_the_encoding_that_it_declares() {
        let words = [
            ("shift_jis", "日本語のページ"),
            ("Windows-31J", "①日本語のページ"),
            ("EUC-JP", "日本語のページ"),
            ("iso-2022-jp", "日本語のページ"),
            ("euc-kr", "한국어 문서"),
            ("gbk", "联通中文网页"),
            ("gb2312", "联通"),
            ("big5", "繁體中文網頁"),
            ("windows-1251", "Русская страница"),
            ("koi8-r", "Русская страница"),
            ("iso-8859-2", "Zażółć gęślą jaźń"),
            ("windows-1253", "Ελληνική σελίδα"),
            ("windows-1255", "דף בעברית"),
            ("windows-1256", "صفحة عربية"),
            ("windows-874", "หน้าภาษาไทย"),
            ("iso-8859-1", "Grüße – it’s 5 €"),
            ("utf-8", "Größe 页"),
        ];
        for (label, text) in words {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let page = |head: &str| encoding.encode(&format!("{head}<title>{text}</title>")).0.into_owned();
            let filler = format!("<script>{}</script>", "x = 1; ".repeat(9_000));
            let equiv = format!("<meta content='text/html; charset={label}' http-equiv=Content-Type>");
            for (head, content_type) in [
                (String::new(), format!("text/html; charset={label}")),
                (String::new(), format!("text/html;charset=\"{label}\"; x=y")),
                (format!("<meta charset={label}>"), "text/html".to_owned()),
                (equiv.clone(), "text/html".to_owned()),
                (format!("<!doctype html><head>{filler}{equiv}"), "text/html".to_owned()),
            ] {
                assert_eq!(title(&page(&head), &content_type), text, "{label} {content_type} {}", head.len());
            }
        }
    }

    #[test]
    fn encoding_that_is_not_declared_or_declared_wrong_is_found() {
        assert_eq!(title("<title>Größe</title>".as_bytes(), "text/html; charset=iso-8859-1"), "Größe");
        assert_eq!(title(b"<title>Gr\xfc\xdfe aus K\xf6ln</title>", "text/html"), "Grüße aus Köln");
        assert_eq!(title(b"\xff\xfe<\0t\0i\0t\0l\0e\0>\0\xe9\0", "text/html; charset=gbk"), "é");
        assert_eq!(title("\u{feff}<title>é</title>".as_bytes(), "text/html; charset=gbk"), "é");
        assert_eq!(title("<meta charset=utf-16><title>é</title>".as_bytes(), "text/html"), "é");
        assert_eq!(title("<meta charset=nonsense><title>é</title>".as_bytes(), "text/html"), "é");
        for (encoding, text) in [
            (encoding_rs::SHIFT_JIS, "これは日本語で書かれたページです"),
            (encoding_rs::WINDOWS_1251, "Это страница на русском языке"),
            (encoding_rs::EUC_KR, "이것은 한국어로 쓴 페이지입니다"),
        ] {
            let html = format!("<title>{text}</title>");
            assert_eq!(title(&encoding.encode(&html).0, "text/html"), text);
        }
        // A character that the end of the fetched part cut in two.
        let cut = "<title>a</title><p>é".as_bytes();
        assert_eq!(title(&cut[..cut.len() - 1], "text/html"), "a");
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

//! Previews of links that Trix and Lexxy keep in a body.

use std::cell::RefCell;

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

/// Characters of a title and of a description.
const MAX_TITLE: usize = 300;
const MAX_DESCRIPTION: usize = 1_000;

/// What is known of a page behind a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub address: String,
    pub title: String,
    pub description: String,
}

/// The previews in a body, in order: of addresses of the web only.
pub fn previews(html: &str) -> Vec<Preview> {
    let mut found = tokenized(html, Bodies::default()).0.into_inner();
    for preview in &mut found {
        preview.title = short(&preview.title, MAX_TITLE);
        preview.description = short(&preview.description, MAX_DESCRIPTION);
    }
    found.retain(|it| it.address.starts_with("http://") || it.address.starts_with("https://"));
    found
}

fn tokenized<S: TokenSink>(html: &str, sink: S) -> S {
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink
}

fn short(text: &str, most: usize) -> String {
    let one = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one.chars().take(most).collect()
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
    Some(found.value.to_string())
}

#[derive(Default)]
struct Bodies(RefCell<Vec<Preview>>);

impl TokenSink for Bodies {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
            && &*tag.name == "action-text-attachment"
            && attribute(&tag, "content-type").is_some_and(|kind| kind.contains("opengraph-embed"))
        {
            let text = |name| attribute(&tag, name).unwrap_or_default();
            let preview = match attribute(&tag, "href") {
                Some(address) => Preview { address, title: text("filename"), description: text("caption") },
                // Lexxy has what is shown, and nothing else.
                None => tokenized(&text("content"), Content::default()).0.into_inner().1,
            };
            self.0.borrow_mut().push(preview);
        }
        TokenSinkResult::Continue
    }
}

/// The part of a preview's content that is read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    None,
    Title,
    Description,
}

#[derive(Default)]
struct Content(RefCell<(Part, Preview)>);

impl TokenSink for Content {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let (part, preview) = &mut *self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let class = attribute(&tag, "class").unwrap_or_default();
                if class.contains("og-embed__") {
                    *part = match () {
                        () if class.contains("og-embed__title") => Part::Title,
                        () if class.contains("og-embed__description") => Part::Description,
                        () => Part::None,
                    };
                }
                if *part == Part::Title
                    && let Some(address) = attribute(&tag, "href")
                {
                    preview.address = address;
                }
            }
            Token::CharacterTokens(text) => match part {
                Part::Title => preview.title.push_str(&text),
                Part::Description => preview.description.push_str(&text),
                Part::None => {}
            },
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_of_trix_and_lexxy_are_read() {
        let trix = r#"<action-text-attachment content-type="application/vnd.actiontext.opengraph-embed" href="https://a.example/" url="https://a.example/p.png" filename="A" caption="B  c"></action-text-attachment>"#;
        let lexxy = r#"<p>x</p><action-text-attachment content-type="application/vnd.actiontext.opengraph-embed" content="&lt;div class=&quot;og-embed&quot;&gt;&lt;div class=&quot;og-embed__title&quot;&gt;&lt;a href=&quot;https://b.example/&quot;&gt;B &amp;amp; co&lt;/a&gt;&lt;/div&gt;&lt;div class=&quot;og-embed__description&quot;&gt;About&lt;/div&gt;&lt;div class=&quot;og-embed__image&quot;&gt;&lt;img src=&quot;https://b.example/p.png&quot;&gt;&lt;/div&gt;&lt;/div&gt;"></action-text-attachment>"#;
        let found = |html: &str| {
            let all = previews(html).into_iter().map(|it| [it.address, it.title, it.description]);
            all.collect::<Vec<_>>()
        };
        assert_eq!(
            found(&format!("{trix}{lexxy}")),
            [["https://a.example/", "A", "B c"], ["https://b.example/", "B & co", "About"]]
        );
        assert!(found(&trix.replace("https://a.example/\"", "javascript:x\"")).is_empty());
        assert!(
            found("<action-text-attachment content-type=\"application/vnd.campfire.mention\">").is_empty()
        );
    }
}

//! Converts simple HTML, which bots may answer with, to Markdown, which is then rendered like any message.

use std::cell::RefCell;

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

/// Converts text, links, emphasis, code, lists and line breaks. Of other elements only the text is left, and of scripts and
/// styles nothing.
pub fn from_html(html: &str) -> String {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().markdown
}

#[derive(Default)]
struct Writing {
    markdown: String,
    links: Vec<String>,
    /// The number of open scripts and styles, whose text is left out.
    hidden: usize,
}

#[derive(Default)]
struct Sink(RefCell<Writing>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut writing = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => writing.tag(&tag),
            Token::CharacterTokens(text) if writing.hidden == 0 => writing.markdown.push_str(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Writing {
    fn tag(&mut self, tag: &Tag) {
        let starts = tag.kind == TagKind::StartTag;
        match &*tag.name {
            "b" | "strong" => self.markdown.push_str("**"),
            "i" | "em" => self.markdown.push('_'),
            "code" => self.markdown.push('`'),
            "br" => self.markdown.push('\n'),
            "li" if starts => self.markdown.push_str("\n- "),
            "p" | "div" | "ul" | "ol" | "h1" | "h2" | "h3" if !self.markdown.is_empty() => {
                self.markdown.push_str(if starts { "" } else { "\n\n" });
            }
            "script" | "style" if starts => self.hidden += 1,
            "script" | "style" => self.hidden = self.hidden.saturating_sub(1),
            "a" if starts => {
                let href = tag.attrs.iter().find(|attribute| &*attribute.name.local == "href");
                self.links.push(href.map(|href| href.value.to_string()).unwrap_or_default());
                self.markdown.push('[');
            }
            "a" => {
                if let Some(link) = self.links.pop() {
                    self.markdown.push_str("](<");
                    self.markdown.extend(link.chars().filter(|c| !matches!(c, '<' | '>' | '\n' | '\\')));
                    self.markdown.push_str(">)");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::from_html;

    #[test]
    fn simple_html_becomes_markdown() {
        let html = "<p>Build <b>green</b>: <a href=\"https://ci.example/7\">#7</a></p><script>no()</script>a &lt; b<br>c";
        assert_eq!(from_html(html), "Build **green**: [#7](<https://ci.example/7>)\n\na < b\nc");
    }
}

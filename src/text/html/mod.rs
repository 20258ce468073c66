//! Reads HTML, which bots may post, into a document: what it means is kept, and how it looks is not. Reads what Trix and
//! Lexxy write for ONCE Campfire, mentions included.

mod attachment;
mod builder;
mod containers;
mod elements;
mod previews;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind},
};

pub use self::previews::{Preview, previews};

use self::builder::Builder;
use super::document::Document;

/// Reads HTML. Of elements that are not known only the text is kept, and of scripts and styles nothing.
pub fn from_html(html: &str) -> Document {
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Builder::new(html))), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

struct Sink(RefCell<Builder>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut builder = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                let is_start = tag.kind == TagKind::StartTag;
                builder.tag(&tag);
                if is_start {
                    return content_of(&tag);
                }
            }
            Token::CharacterTokens(text) => builder.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// How the tokenizer goes on behind a start tag: of some elements the content is no HTML.
fn content_of(tag: &Tag) -> TokenSinkResult<()> {
    match &*tag.name {
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        _ => TokenSinkResult::Continue,
    }
}

/// Whether a text is HTML rather than Markdown: it has a known element that is closed, or one that needs no end. What
/// stands in backticks does not count.
pub fn is_html(text: &str) -> bool {
    let mut started = 0_u64;
    for part in text.split('`').step_by(2) {
        let last = part.rfind('>').unwrap_or_default();
        for (place, _) in part.match_indices('<') {
            let after = &part[place + 1..];
            let (name, is_end) = match after.strip_prefix('/') {
                Some(name) => (name, true),
                None => (after, false),
            };
            let length =
                name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
            let Some(known) = elements::index_of(&name[..length]) else { continue };
            // `<b` has to be a whole tag.
            let rest = &name[length..];
            let is_tag = rest.starts_with(['>', '/', ' ', '\t', '\n', '\r']) && place < last;
            match is_end {
                _ if !is_tag => {}
                true if started & 1 << known != 0 => return true,
                true => {}
                false if elements::is_void(known) => return true,
                false => started |= 1 << known,
            }
        }
    }
    false
}

//! Snippets of search hits as HTML.

use super::escape;

/// Marks around each hit in a snippet: private-use characters, which are removed from messages.
pub const HIT_START: &str = "\u{E000}";
pub const HIT_END: &str = "\u{E001}";

/// A snippet as HTML: text, with the hits in `<mark>`.
pub fn snippet_html(snippet: &str) -> String {
    let mut html = String::with_capacity(snippet.len() + 32);
    let mut open = false;
    for part in snippet
        .split_inclusive([HIT_START.chars().next().unwrap_or('\0'), HIT_END.chars().next().unwrap_or('\0')])
    {
        let (text, mark) = match (part.strip_suffix(HIT_START), part.strip_suffix(HIT_END)) {
            (Some(text), _) => (text, Some(true)),
            (None, Some(text)) => (text, Some(false)),
            (None, None) => (part, None),
        };
        escape::text(&mut html, text);
        match mark {
            Some(true) if !open => html.push_str("<mark>"),
            Some(false) if open => html.push_str("</mark>"),
            _ => continue,
        }
        open = !open;
    }
    if open {
        html.push_str("</mark>");
    }
    html
}

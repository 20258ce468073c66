//! Snippets of search hits as HTML.

use super::escape;

/// Marks around each hit in a snippet: private-use characters, which are removed from messages.
pub const HIT_START: &str = "\u{E000}";
pub const HIT_END: &str = "\u{E001}";

/// Bytes of a snippet, at most.
const MAX_SNIPPET: usize = 1_000;

/// The beginning of a text with marked hits: some words before the first hit, and `words` in all, with an ellipsis where
/// something is left out.
pub fn cut_snippet(marked: &str, words: usize) -> String {
    let first = marked.find(HIT_START).unwrap_or(0);
    let mut from = first;
    for _ in 0..words / 3 {
        let before = marked[..from].trim_end();
        let space = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
        from = space.map_or(0, |(at, c)| at + c.len_utf8());
    }
    // Words may be long, and some scripts have no spaces.
    from = from.max(marked.floor_char_boundary(first.saturating_sub(MAX_SNIPPET / 3)));
    let rest = &marked[from..];
    let mut end = 0;
    for _ in 0..words {
        let word = rest.len() - rest[end..].trim_start().len();
        end = rest[word..].find(char::is_whitespace).map_or(rest.len(), |space| word + space);
    }
    // A hit of several words is not torn apart.
    let is_open = rest[..end].matches(HIT_START).count() > rest[..end].matches(HIT_END).count();
    if is_open {
        end = rest[end..].find(HIT_END).map_or(rest.len(), |close| end + close + HIT_END.len());
    }
    end = rest.floor_char_boundary(end.min(MAX_SNIPPET));
    let (before, after) = (if from > 0 { "…" } else { "" }, if end < rest.len() { "…" } else { "" });
    format!("{before}{}{after}", &rest[..end])
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The snippet of a text in which `[` and `]` stand for the marks.
    fn cut(text: &str) -> String {
        let marked = text.replace('[', HIT_START).replace(']', HIT_END);
        cut_snippet(&marked, 6).replace(HIT_START, "[").replace(HIT_END, "]")
    }

    #[test]
    fn snippet_has_some_words_around_the_first_hit() {
        assert_eq!(cut("a b c d e [f] g h i j k [f] l"), "…d e [f] g h i…");
        assert_eq!(cut("[f] a b c d e f g"), "[f] a b c d e…");
        assert_eq!(cut("a [f] b"), "a [f] b");
        assert_eq!(cut("a b c d [e f g h i j] k"), "…c d [e f g h i j]…");
        assert_eq!(cut("no hit at all in this text"), "no hit at all in this…");
        assert_eq!(cut(&format!("{} [f]", "x".repeat(100))), format!("{} [f]", "x".repeat(100)));
        assert_eq!(cut("ü  ü\n\tü [ü] ü"), "…ü\n\tü [ü] ü");
        assert_eq!(cut(""), "");
        let long = cut(&format!("{}[木]{}", "字".repeat(5_000), "字".repeat(5_000)));
        assert!(long.contains("字[木]字") && long.len() < MAX_SNIPPET + 10, "{} bytes", long.len());
    }
}

//! The last look at a rendered message: whether all letters that were typed are still there. What was not foreseen is then
//! shown as it was typed.

use std::collections::HashMap;

use super::fences::{container_end, fence_of};
use crate::text::chars::is_visible;

/// Whether each letter of a source stands in its HTML as often as it was typed: in the text, or in an address, a title or
/// the language of code. Not asked of texts whose marks have letters: entities and mentions.
pub(super) fn keeps_all(source: &str, html: &str) -> bool {
    if has_entity(source) || source.contains("](user:") {
        return true;
    }
    let mut missing = Letters::default();
    for line in source.lines() {
        let text = &line[container_end(line)..];
        // Details behind the language of code (`rust,no_run`) are marks.
        let shown = match fence_of(text) {
            Some(_) => &line[..line.find([',', '{']).unwrap_or(line.len())],
            None => line,
        };
        shown.chars().for_each(|c| missing.add(c, 1));
    }
    let (mut in_tag, mut in_value) = (false, false);
    for c in html.chars() {
        match c {
            '<' if !in_value => in_tag = true,
            '>' if !in_value => in_tag = false,
            '"' if in_tag => in_value = !in_value,
            _ if !in_tag || in_value => missing.add(c, -1),
            _ => {}
        }
    }
    missing.are_none()
}

/// How often each letter is missing. Digits are not counted, since those of lists are marks.
struct Letters {
    ascii: [i32; 128],
    others: HashMap<char, i32>,
}

impl Default for Letters {
    fn default() -> Self {
        Self { ascii: [0; 128], others: HashMap::new() }
    }
}

impl Letters {
    fn add(&mut self, c: char, times: i32) {
        match c {
            'a'..='z' | 'A'..='Z' => self.ascii[c as usize] += times,
            _ if c.is_ascii() || !is_visible(c) => {}
            _ => *self.others.entry(c).or_default() += times,
        }
    }

    fn are_none(&self) -> bool {
        self.ascii.iter().chain(self.others.values()).all(|missing| *missing <= 0)
    }
}

/// Whether it may have an entity (`&amp;`, `&#8364;`).
fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let name = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
        name > 1 && rest.as_bytes().get(name) == Some(&b';')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_looked_for_in_texts_and_values_but_not_in_tags() {
        assert!(keeps_all("**a** `b`", "<p><strong>a</strong> <code>b</code></p>"));
        assert!(!keeps_all("**a** `b`", "<p><strong>a</strong> <code></code></p>"));
        assert!(keeps_all("[x](https://a.b/c 'T')", "<a href=\"https://a.b/c\" title=\"T\">x</a>"));
        assert!(!keeps_all("p", "<p></p>"), "a tag's name");
        assert!(!keeps_all("重重", "<p>重</p>"));
        assert!(keeps_all("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"));
        assert!(keeps_all("```rust,no_run\nx\n```", "<pre><code class=\"language-rust\">x\n</code></pre>"));
        assert!(keeps_all("&copy;", "<p>©</p>") && keeps_all("@[Ana](user:5)", "<p>@Bea</p>"));
    }
}

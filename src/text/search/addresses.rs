//! Addresses of links that are not to be seen in a text: they can be searched for as well.

use crate::text::anchors::{anchors, unescaped};

/// Bytes of addresses at most.
const MAX_BYTES: usize = 4 << 10;

/// The addresses of a message's links that stand behind other words, separated by spaces. `html` is what a renderer of ours
/// wrote.
pub fn addresses(html: &str) -> String {
    let mut found = String::new();
    for (address, rest) in anchors(html) {
        let label = rest
            .split_once('>')
            .map_or("", |(_, inside)| &inside[..inside.find('<').unwrap_or(inside.len())]);
        if !is_seen(address, label) {
            let address = unescaped(address.strip_prefix("mailto:").unwrap_or(address));
            if found.len() + address.len() >= MAX_BYTES {
                break;
            }
            if !found.is_empty() {
                found.push(' ');
            }
            found.push_str(&address);
        }
    }
    found
}

/// Whether the words of a link are its address, but for what stands before the host and a slash at the end.
fn is_seen(address: &str, label: &str) -> bool {
    let (address, label) = (address.trim_end_matches('/'), label.trim_end_matches('/'));
    !label.is_empty() && address.ends_with(label) && address.len() - label.len() <= "https://".len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::render;

    #[test]
    fn addresses_behind_words_are_found_and_those_that_are_seen_are_not() {
        let of = |source: &str| addresses(&render(source, |_| None).html);
        assert_eq!(
            of("see [the docs](https://example.org/a?b=1&c=2) and [me](mailto:ana@example.org)"),
            "https://example.org/a?b=1&c=2 ana@example.org"
        );
        assert_eq!(of("see https://example.org/a and <https://example.org/>"), "");
        assert_eq!(of("nothing"), "");
        assert_eq!(of("[**bold**](https://example.org/x)"), "https://example.org/x");
        let many = "[x](https://example.org/some/long/path) ".repeat(1_000);
        assert!((MAX_BYTES - 100..MAX_BYTES).contains(&of(&many).len()));
    }
}

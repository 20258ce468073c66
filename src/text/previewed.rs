//! The links of a message that get a preview.

use url::Url;

use super::anchors::{anchors, unescaped};

/// Links of one message that get a preview.
const MAX_LINKS: usize = 3;

/// The first links of a message, each once.
pub fn previewed_links(html: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (address, _) in anchors(html) {
        let address = unescaped(address);
        let is_web = Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_web && !found.contains(&address) && found.len() < MAX_LINKS {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::previewed_links;

    #[test]
    fn links_are_the_first_three_each_once() {
        let html = |address: &str| format!("<p><a href=\"{address}\" rel=\"x\">y</a></p>");
        let all = [
            "http://a.b/?x=1&amp;y=2",
            "mailto:a@b.c",
            "http://a.b/?x=1&amp;y=2",
            "https://c.d/",
            "http://e.f/",
            "http://g.h/",
        ];
        let html: String = all.iter().map(|address| html(address)).collect();
        assert_eq!(previewed_links(&html), ["http://a.b/?x=1&y=2", "https://c.d/", "http://e.f/"]);
    }
}

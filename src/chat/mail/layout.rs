//! The two forms of a mail: plain text, and HTML that needs nothing from elsewhere.

/// Both forms of a text that grows block by block.
pub(super) struct Layout {
    text: String,
    html: String,
}

/// Texts are people's: each direction of writing, and nothing of HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            c => html.push(c),
        }
    }
    html
}

impl Layout {
    pub(super) fn new() -> Self {
        Self { text: String::new(), html: String::new() }
    }

    fn block(mut self, text: &str, html: &str) -> Self {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(text);
        self.html.push_str(html);
        self.html.push('\n');
        self
    }

    pub(super) fn words(self, words: &str) -> Self {
        self.block(words, &format!("<p dir=\"auto\">{}</p>", escaped(words)))
    }

    /// A link to press.
    pub(super) fn button(self, label: &str, url: &str) -> Self {
        let style = "display:inline-block;padding:.6em 1.2em;border-radius:.5em;background:#b3401f;color:#fff;text-decoration:none";
        let html = format!("<p><a href=\"{}\" style=\"{style}\">{}</a></p>", escaped(url), escaped(label));
        self.block(&format!("{label}:\n{url}"), &html)
    }

    /// What somebody wrote, and where to read it.
    pub(super) fn quote(self, title: &str, words: &str, url: &str) -> Self {
        let quoted: Vec<String> = words.lines().map(|line| format!("> {line}")).collect();
        let style = "margin:0 0 1.2em;padding:0 0 0 .9em;border-left:3px solid #b3401f";
        let html = format!(
            "<div style=\"{style}\"><p dir=\"auto\" style=\"margin:0\"><a href=\"{}\"><bdi>{}</bdi></a></p><p dir=\"auto\" style=\"margin:.2em 0\">{}</p></div>",
            escaped(url),
            escaped(title),
            escaped(words)
        );
        self.block(&format!("{title}\n{}\n{url}", quoted.join("\n")), &html)
    }

    /// Small print, behind a line. Each part is words and an address.
    pub(super) fn small(self, words: &str, links: &[(&str, &str)]) -> Self {
        let mut text = format!("-- \n{words}");
        let mut html = escaped(words);
        for (label, url) in links {
            text.push_str(&format!("\n{label}: {url}"));
            html.push_str(&format!("<br><a href=\"{}\">{}</a>", escaped(url), escaped(label)));
        }
        self.block(
            &text,
            &format!("<p dir=\"auto\" style=\"margin-top:2em;font-size:.85em;opacity:.75\">{html}</p>"),
        )
    }

    /// The plain text, and the whole page.
    pub(super) fn finish(self, language: &str) -> (String, String) {
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"></head>\n<body style=\"font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:0 auto;padding:1em\">\n{}</body></html>\n",
            self.html
        );
        (self.text + "\n", html)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_no_html() {
        let evil = "<script>alert(\"1\")</script> & 'x'\n</p>";
        let (text, html) = Layout::new()
            .words(evil)
            .button(evil, "https://chat.example/?a=\"><b>")
            .quote(evil, evil, "https://chat.example/rooms/1")
            .small(evil, &[(evil, "https://chat.example/'")])
            .finish("en");
        assert!(text.contains(evil), "the plain text is as it was");
        assert!(!html.contains("<script") && !html.contains("\"><b>") && !html.contains("'x'"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;").count(), 6, "{html}");
    }
}

//! Writes text: code as it is, other text with its bare addresses and mentions of everyone.

use super::writer::{LINK_ATTRIBUTES, Writer};
use crate::text::{
    escape, links,
    mention::{self, Everyone},
};

impl Writer<'_, '_> {
    /// Writes code, in which nothing is a link or a mention.
    pub(super) fn verbatim(&mut self, code: &str) {
        escape::text(&mut self.rendered.html, code);
        self.rendered.plain.extend(code.chars().map(|c| if c == '\n' { ' ' } else { c }));
        self.shows |= !code.trim().is_empty();
    }

    /// Writes the pending text, with its bare addresses, `@here` and line ends.
    pub(super) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.pending);
        if self.in_code {
            self.verbatim(&text);
        } else {
            self.prose(text.strip_suffix('\n').unwrap_or(&text));
        }
        self.pending = text;
        self.pending.clear();
    }

    fn prose(&mut self, text: &str) {
        self.shows |= !text.trim().is_empty();
        let mut written = 0;
        let mut from = 0;
        while let Some(place) = text[from..].find(['@', ':', '.', '\n']).map(|found| from + found) {
            from = place + 1;
            let (start, end) = match text.as_bytes()[place] {
                b'\n' => {
                    self.words(&text[written..place]);
                    self.html("<br>");
                    self.space();
                    written = from;
                    continue;
                }
                _ if self.links > 0 => continue,
                b'@' => match mention::everyone_at(text, place) {
                    Some(everyone) => {
                        self.words(&text[written..place]);
                        self.everyone(everyone);
                        written = place + everyone.word().len();
                        from = written;
                        continue;
                    }
                    None => continue,
                },
                sign => {
                    let Some((start, end)) = bare_link(text, written, place, sign) else { continue };
                    (start, end)
                }
            };
            self.words(&text[written..start]);
            self.bare(&text[start..end]);
            written = end;
            from = end;
        }
        self.words(&text[written..]);
    }

    fn words(&mut self, text: &str) {
        escape::text(&mut self.rendered.html, text);
        self.rendered.plain.push_str(text);
    }

    fn everyone(&mut self, everyone: Everyone) {
        self.html("<span class=\"mention\">");
        self.html(everyone.word());
        self.html("</span>");
        self.rendered.plain.push_str(everyone.word());
        self.rendered.everyone = self.rendered.everyone.max(Some(everyone));
    }

    fn bare(&mut self, address: &str) {
        self.html("<a href=\"");
        if !links::is_allowed(address) {
            self.html("https://");
        }
        escape::address(&mut self.rendered.html, address);
        self.html(LINK_ATTRIBUTES);
        self.words(address);
        self.html("</a>");
    }
}

/// The bare address whose `:` or first `.` stands at `place`, if it starts at `written` or later.
fn bare_link(text: &str, written: usize, place: usize, sign: u8) -> Option<(usize, usize)> {
    let before: &[usize] = if sign == b':' { &["https".len(), "http".len()] } else { &["www".len()] };
    before.iter().find_map(|length| {
        let start =
            place.checked_sub(*length).filter(|start| *start >= written && text.is_char_boundary(*start))?;
        Some((start, links::bare_at(text, start)?))
    })
}

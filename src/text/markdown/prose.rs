//! Writes text: code as it is, other text with its bare addresses and mentions of everyone.

use std::fmt::Write;

use super::{
    masked::{JOINER, Piece, TOKENS},
    writer::{LINK_ATTRIBUTES, Writer},
};
use crate::{
    text::{
        chars, escape, links,
        mention::{self, Everyone},
    },
    types::UserId,
};

/// Where prose may hold more than words. Addresses are masked already, but for those that looked like a link's.
const SIGNS: [char; 6] = ['@', ':', '.', '\n', TOKENS[0], TOKENS[1]];

impl Writer<'_, '_> {
    /// Writes code, in which nothing is a link or a mention.
    pub(super) fn verbatim(&mut self, code: &str) {
        let code = self.pieces.restore(code);
        escape::text(&mut self.rendered.html, &code);
        self.rendered.plain.extend(code.chars().map(|c| if c == '\n' { ' ' } else { c }));
        self.shows |= chars::has_visible(&code);
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
        let mut written = 0;
        let mut from = 0;
        while let Some(place) = text[from..].find(SIGNS).map(|found| from + found) {
            if let Some(length) = self.token(text, written, place) {
                from = place + length;
                written = from;
                continue;
            }
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
            self.bare("", &text[start..end]);
            written = end;
            from = end;
        }
        self.words(&text[written..]);
    }

    /// Writes the text before a token and the piece behind it, and returns the length of the token.
    fn token(&mut self, text: &str, written: usize, place: usize) -> Option<usize> {
        if !text[place..].starts_with(TOKENS) {
            return None;
        }
        self.words(&text[written..place]);
        let Some((piece, length)) = self.pieces.at(&text[place..]) else { return Some(JOINER.len_utf8()) };
        match piece {
            Piece::Address(address) if self.links == 0 => self.bare("", address),
            Piece::Mail(address) if self.links == 0 => self.bare("mailto:", address),
            Piece::Address(text) | Piece::Mail(text) | Piece::Literal(text) => self.words(text),
            Piece::Unescaped(text) => self.words(&text[1..]),
            Piece::Mention { user, label, .. } => self.person(user, label),
        }
        Some(length)
    }

    /// Writes a mention; that of somebody who is not in the room, or within a link, is text.
    fn person(&mut self, user: UserId, label: &str) {
        let name = (self.name_of)(user).filter(|_| self.links == 0);
        let Some(name) = name else {
            self.words("@");
            return self.words(&mention::unescaped(label));
        };
        // Writing to a string cannot fail.
        let _ = write!(self.rendered.html, "<span class=\"mention\" data-user-id=\"{user}\">@");
        escape::text(&mut self.rendered.html, name);
        self.html("</span>");
        self.rendered.plain.push_str(name);
        self.shows = true;
        if !self.rendered.mentions.contains(&user) {
            self.rendered.mentions.push(user);
        }
    }

    pub(super) fn words(&mut self, text: &str) {
        self.shows |= chars::has_visible(text);
        escape::text(&mut self.rendered.html, text);
        self.rendered.plain.push_str(text);
    }

    fn everyone(&mut self, everyone: Everyone) {
        self.shows = true;
        self.html("<span class=\"mention\">");
        self.html(everyone.word());
        self.html("</span>");
        self.rendered.plain.push_str(everyone.word());
        self.rendered.everyone = self.rendered.everyone.max(Some(everyone));
    }

    pub(super) fn bare(&mut self, scheme: &str, address: &str) {
        self.html("<a href=\"");
        self.html(scheme);
        if scheme.is_empty() && !links::has_scheme(address) {
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

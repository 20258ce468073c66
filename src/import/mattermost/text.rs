//! Texts of posts. They are Markdown already: names of people, channels and emoji are replaced, and all else stays as it was
//! typed.

use super::rooms::Rooms;
use crate::{import::staging::Staging, text::emoji_named};

/// Bytes of a text in which names are looked for: a longer one becomes a file in any case.
const MAX_TEXT: usize = 60 << 10;

/// Bytes of the name of a person, a channel or an emoji.
const MAX_NAME: usize = 64;

pub(super) struct Texts<'t, 's> {
    pub(super) staging: &'t Staging<'s>,
    pub(super) rooms: &'t Rooms,
    /// That of the post; empty in direct ones.
    pub(super) team: &'t str,
}

impl Texts<'_, '_> {
    pub(super) fn markdown(&self, text: &str) -> String {
        if text.len() > MAX_TEXT {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len() + 32);
        let mut fence: Option<(char, usize)> = None;
        let mut is_code_by_indent = false;
        let mut was_blank = true;
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let line = &rest[..end];
            let words = line.trim_start();
            let indent = line.len() - words.len();
            let mark = fence_of(words).filter(|_| indent < 4);
            is_code_by_indent =
                (was_blank || is_code_by_indent) && (line.starts_with("    ") || line.starts_with('\t'));
            was_blank = words.is_empty();
            let is_code = match (fence, mark) {
                (Some((sign, length)), Some((other, run, is_bare)))
                    if sign == other && run >= length && is_bare =>
                {
                    fence = None;
                    true
                }
                (Some(_), _) => true,
                (None, Some((sign, length, _))) => {
                    fence = Some((sign, length));
                    true
                }
                (None, None) => is_code_by_indent,
            };
            if is_code {
                out.push_str(line);
                rest = &rest[end..];
                continue;
            }
            // Code within a paragraph may go on in its next lines.
            let length = self.line(&mut out, rest, end);
            rest = &rest[length..];
        }
        out
    }

    /// Writes a line of a text, up to `end` or to the end of the code that begins in it. Returns the length of what it read.
    fn line(&self, out: &mut String, text: &str, mut end: usize) -> usize {
        let mut written = 0;
        let mut place = 0;
        while let Some(found) = text[place..end].find(['@', '~', ':', '`', '(', 'h']) {
            place += found;
            let rest = &text[place..];
            let before = text[..place].chars().next_back();
            let sign = rest.as_bytes()[0];
            let token = match sign {
                b'`' => {
                    let run = rest.bytes().take_while(|byte| *byte == b'`').count();
                    let within = &rest[run..rest.find("\n\n").unwrap_or(rest.len()).max(run)];
                    let length = code_end(within, run).map_or(run, |length| run + length);
                    place += length;
                    end = end.max(place);
                    continue;
                }
                // Addresses stay as they are.
                b'(' | b'h' => {
                    let is_target = sign == b'(' && before == Some(']');
                    let is_address = rest.starts_with("http://") || rest.starts_with("https://");
                    place += match is_target || is_address {
                        true => rest
                            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')'))
                            .unwrap_or(rest.len()),
                        false => 1,
                    };
                    place = place.min(end);
                    continue;
                }
                _ if before.is_some_and(|c| {
                    c.is_alphanumeric() || matches!(c, '\\' | '/' | '_' | '~' | '@' | '=')
                }) =>
                {
                    None
                }
                b'@' => self.person(rest),
                b'~' => self.channel(rest),
                _ => emoji(rest),
            };
            match token {
                Some((replacement, length)) => {
                    out.push_str(&text[written..place]);
                    out.push_str(&replacement);
                    place += length;
                    written = place;
                }
                None => place += 1,
            }
        }
        out.push_str(&text[written..end]);
        end
    }

    /// `@name`. Dots and dashes may belong to it, or to the sentence.
    fn person(&self, text: &str) -> Option<(String, usize)> {
        let name = name_at(&text[1..], |byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let mut name = &text[1..=name];
        while !name.is_empty() {
            let key = name.to_ascii_lowercase();
            let everyone = match key.as_str() {
                "channel" | "all" => Some("@room".to_owned()),
                "here" => Some("@here".to_owned()),
                _ => None,
            };
            if let Some(mention) = everyone.or_else(|| self.staging.mention(&key)) {
                return Some((mention, 1 + name.len()));
            }
            name = name.strip_suffix(['.', '-', '_'])?;
        }
        None
    }

    /// `~channel` of the same team. The name of a closed one is shown as it was typed.
    fn channel(&self, text: &str) -> Option<(String, usize)> {
        let length = name_at(&text[1..], |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let mut name = &text[1..=length];
        while !name.is_empty() {
            if let Some(channel) = self.rooms.of(self.team, name) {
                let label: String = channel
                    .name
                    .as_deref()
                    .unwrap_or(name)
                    .chars()
                    .flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c]))
                    .collect();
                return Some((format!("[#{label}](</rooms/{}>)", channel.room), 1 + name.len()));
            }
            name = name.strip_suffix(['-', '_'])?;
        }
        None
    }
}

/// `:name:` of an emoji that all know. Others stay names.
fn emoji(text: &str) -> Option<(String, usize)> {
    let length = name_at(&text[1..], |byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte));
    let name = &text[1..=length];
    if name.is_empty() || !text[1 + length..].starts_with(':') {
        return None;
    }
    Some((emoji_named(name)?, length + 2))
}

/// The length of the name at the start of a text.
fn name_at(text: &str, is_of_name: impl Fn(u8) -> bool) -> usize {
    text.bytes().take(MAX_NAME).take_while(|byte| is_of_name(*byte)).count()
}

/// The sign and length of a fence of code, and whether nothing stands behind it.
fn fence_of(words: &str) -> Option<(char, usize, bool)> {
    let sign = words.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let run = words.chars().take_while(|c| *c == sign).count();
    let rest = &words[run..];
    // Closed in its line, it is code within a line.
    (run >= 3 && !(sign == '`' && rest.contains('`'))).then(|| (sign, run, rest.trim().is_empty()))
}

/// The length up to the end of a run of so many backticks.
fn code_end(text: &str, run: usize) -> Option<usize> {
    let mut place = 0;
    while let Some(found) = text[place..].find('`') {
        place += found;
        let length = text[place..].bytes().take_while(|byte| *byte == b'`').count();
        place += length;
        if length == run {
            return Some(place);
        }
    }
    None
}

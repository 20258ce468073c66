//! Converts Slack's mrkdwn to Markdown, and escapes text without markup.

use super::emoji::emojified;

pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Encodes what would end an address between angle brackets.
pub(super) fn address(url: &str) -> String {
    url.chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            '\\' => "%5C".to_owned(),
            ' ' => "%20".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

/// Escapes text so that nothing in it is Markdown or a mention.
pub(super) fn plain(text: &str) -> String {
    emojified(&escaped(&decoded(text)))
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut starts_line = true;
    for c in text.chars() {
        let means_something =
            matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' | '&' | '!' | '@')
                || starts_line && matches!(c, '#' | '-' | '+' | '=');
        if means_something {
            out.push('\\');
        }
        out.push(c);
        starts_line = c == '\n' || starts_line && c == ' ';
    }
    out
}

/// Decodes the three characters that Slack encodes.
fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    // Only `<!here>` mentions everyone. The invisible word joiner (U+2060) keeps the word itself from doing so.
    text.replace("@here", "@\u{2060}here").replace("@room", "@\u{2060}room")
}

/// Converts a title to the label of a link, which contains no links.
pub(super) fn mrkdwn_label(text: &str) -> String {
    plain(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Converts mrkdwn to Markdown. Code is left as it is.
pub(super) fn mrkdwn(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(place) = rest.find('`') {
        out.push_str(&marked_up(&rest[..place]));
        let fence = if rest[place..].starts_with("```") { "```" } else { "`" };
        let after = &rest[place + fence.len()..];
        match after.find(fence) {
            Some(end) if end > 0 => {
                let code = decoded(&after[..end]);
                match fence {
                    "```" => out.push_str(&format!("\n```\n{}\n```\n", code.trim_matches('\n'))),
                    _ => out.push_str(&format!("`{code}`")),
                }
                rest = &after[end + fence.len()..];
            }
            _ => {
                out.push_str("\\`");
                rest = &rest[place + 1..];
            }
        }
    }
    out.push_str(&marked_up(rest));
    out
}

/// Replaces each `<…>` while the text around it is converted, since emphasis may span it.
const PLACEHOLDER: char = '\u{E010}';

/// The same for text without code in it.
fn marked_up(text: &str) -> String {
    let text = text.replace(PLACEHOLDER, "");
    let mut with_placeholders = String::with_capacity(text.len());
    let mut brackets = Vec::new();
    let mut rest = text.as_str();
    while let Some(place) = rest.find('<') {
        let Some(end) = rest[place..].find('>') else { break };
        with_placeholders.push_str(&rest[..place]);
        with_placeholders.push(PLACEHOLDER);
        brackets.push(bracketed(&rest[place + 1..place + end]));
        rest = &rest[place + end + 1..];
    }
    with_placeholders.push_str(rest);
    let prose = prose(&with_placeholders);
    let mut brackets = brackets.into_iter();
    let mut parts = prose.split(PLACEHOLDER);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&brackets.next().unwrap_or_default());
        out.push_str(part);
    }
    out
}

/// Converts what is between `<` and `>`: a link, a user, a room, a date.
fn bracketed(inside: &str) -> String {
    let (target, label) =
        inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    match target {
        "!here" => "@here".to_owned(),
        "!channel" | "!everyone" => "@room".to_owned(),
        _ if target.starts_with('!') => label.map(plain).unwrap_or_default(),
        _ if target.starts_with('@') => format!("\\@{}", plain(label.unwrap_or(&target[1..]))),
        _ if target.starts_with('#') => format!("\\#{}", plain(label.unwrap_or(&target[1..]))),
        _ if is_web(target) || target.starts_with("mailto:") => {
            let url = address(&decoded(target));
            match label.map(str::trim).filter(|label| !label.is_empty()) {
                Some(label) => format!("[{}](<{url}>)", mrkdwn_label(label)),
                None => format!("<{url}>"),
            }
        }
        _ => format!("\\<{}\\>", plain(inside)),
    }
}

/// Converts `*bold*`, `_italic_`, `~struck~` at the borders of words, quotes at a line's start; the rest is escaped.
fn prose(text: &str) -> String {
    let text = decoded(text);
    let mut out = String::with_capacity(text.len() + 16);
    let chars: Vec<char> = text.chars().collect();
    let mut open: Vec<char> = Vec::new();
    let mut starts_line = true;
    for (place, c) in chars.iter().copied().enumerate() {
        let before = place.checked_sub(1).map(|place| chars[place]);
        let after = chars.get(place + 1).copied();
        let is_space = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        match c {
            '*' | '_' | '~' => {
                let mark = match c {
                    '*' => "**",
                    '_' => "_",
                    _ => "~~",
                };
                let closes =
                    open.contains(&c) && before.is_some_and(|c| !c.is_whitespace()) && is_space(after);
                let has_end = || {
                    let mut rest = chars[place + 1..].iter().take_while(|c| **c != '\n');
                    rest.any(|other| *other == c)
                };
                let opens = is_space(before) && after.is_some_and(|c| !c.is_whitespace()) && has_end();
                if closes {
                    while let Some(last) = open.pop() {
                        if last == c {
                            break;
                        }
                    }
                    out.push_str(mark);
                } else if opens && !open.contains(&c) {
                    open.push(c);
                    out.push_str(mark);
                } else {
                    out.push('\\');
                    out.push(c);
                }
            }
            // A quote begins with the same character in Slack.
            '>' if starts_line => out.push('>'),
            '>' => out.push_str("\\>"),
            '\n' => {
                open.clear();
                out.push('\n');
            }
            '\\' | '[' | ']' | '|' | '<' | '&' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            '#' | '+' | '=' | '-' if starts_line && (c == '#' || after.is_none_or(|c| c != ' ')) => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        starts_line = c == '\n' || starts_line && c == ' ';
    }
    emojified(&out)
}

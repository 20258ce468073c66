//! The fast path for most messages: text without Markdown, links or mentions. Its result equals that of the full renderer
//! (a property test checks this), in a fraction of the time.

use smallvec::SmallVec;

use super::Rendered;

/// Bytes without a special meaning, except perhaps at the start of a line: letters, digits and this punctuation.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = byte >= 0x80 || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let punctuation = b" !\"#$%'(),-./:;=?^{}+";
    let mut place = 0;
    while place < punctuation.len() {
        plain[punctuation[place] as usize] = true;
        place += 1;
    }
    plain
};

/// None if the text needs the full renderer.
pub(super) fn render(source: &str) -> Option<Rendered> {
    // The full renderer trims white space, also other than ASCII's.
    if source.trim().len() < source.len() {
        return None;
    }
    let bytes = source.as_bytes();
    let mut line_start = 0;
    let mut breaks = 0;
    for (place, &byte) in bytes.iter().enumerate() {
        if byte == b'\n' {
            line(&bytes[line_start..place])?;
            line_start = place + 1;
            breaks += 1;
            continue;
        }
        if !PLAIN[byte as usize] {
            return None;
        }
        let special = match byte {
            b'/' => bytes[..place].ends_with(b":"),
            b'.' => ends_with_www(&bytes[..place]),
            0xA0 => bytes[..place].ends_with(b"\xC2"), // a no-break space has a name in HTML
            0x80 | 0x81 => bytes[..place].ends_with(b"\xEE\x80"), // the marks around hits
            0x90..=0xAF => bytes[..place].ends_with(b"\xEF\xB7"), // noncharacters
            _ => false,
        };
        if special {
            return None;
        }
    }
    line(&bytes[line_start..])?;
    let mut html = String::with_capacity(source.len() + 7 + 3 * breaks);
    html.push_str("<p>");
    let mut lines = source.split('\n');
    html.push_str(lines.next().unwrap_or_default());
    for line in lines {
        html.push_str("<br>");
        html.push_str(line);
    }
    html.push_str("</p>");
    let plain = if breaks == 0 { source.to_owned() } else { source.replace('\n', " ") };
    Some(Rendered { html, plain, mentions: SmallVec::new(), everyone: None, is_emoji_only: false })
}

/// Whether a line starts and ends as a paragraph's line does: no list, heading, rule, indent or trailing blank.
fn line(line: &[u8]) -> Option<()> {
    let (first, last) = (*line.first()?, *line.last()?);
    let starts_plainly = match first {
        b'#' | b'-' | b'+' | b'=' | b' ' | b':' => false,
        b'0'..=b'9' => {
            let after = line.iter().find(|byte| !byte.is_ascii_digit());
            !matches!(after, Some(b'.' | b')'))
        }
        _ => true,
    };
    (starts_plainly && last != b' ').then_some(())
}

fn ends_with_www(text: &[u8]) -> bool {
    text.len() >= 3 && text[text.len() - 3..].eq_ignore_ascii_case(b"www")
}

//! What stands between `<` and `>`: links, mentions, dates.

use jiff::Timestamp;

use super::inline::{self, Marks, decoded};
use crate::text::{
    Everyone,
    document::{Inline, is_allowed},
};

/// Reads what stands between the brackets. None if they are only signs of the text.
pub(super) fn read(inside: &str, marks: Marks<'_>) -> Option<Vec<Inline>> {
    let (target, label) =
        inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let label = label.filter(|label| !label.trim().is_empty());
    let text = |text: &str| vec![Inline::Text(decoded(text).into_owned())];
    if let Some(special) = target.strip_prefix('!') {
        return Some(match special.split('^').next().unwrap_or_default() {
            "here" => vec![Inline::Everyone(Everyone::Here)],
            "channel" | "everyone" => vec![Inline::Everyone(Everyone::Room)],
            "subteam" => {
                let id = special.split('^').nth(1);
                let known = id.and_then(|id| marks.ids?.group(id));
                text(&named('@', known.as_deref().or(label).or(id).unwrap_or("team")))
            }
            "date" => date(special, label),
            name if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
            {
                return None;
            }
            name => text(&named('@', label.unwrap_or(name))),
        });
    }
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    for sign in ['@', '#'] {
        if let Some(id) = target.strip_prefix(sign) {
            let known = || {
                let (ids, label) = (marks.ids?, label.map(decoded));
                match sign {
                    '@' => ids.user(id, label.as_deref()),
                    _ => ids.channel(id, label.as_deref()),
                }
            };
            let shown = || text(&named(sign, label.unwrap_or(id)));
            return is_id(id).then(|| known().map_or_else(shown, |inline| vec![inline]));
        }
    }
    let address = decoded(target);
    let address = address.trim();
    if is_allowed(address) {
        let label = match label {
            Some(label) => inline::read(label, marks.without_links()),
            None => vec![Inline::Text(address.strip_prefix("mailto:").unwrap_or(address).to_owned())],
        };
        return Some(vec![Inline::Link { address: address.to_owned(), label }]);
    }
    // A link that nobody can follow here: its target is shown.
    let (scheme, rest) = address.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace);
    let shown = match label {
        _ if !is_scheme => return None,
        None if scheme == "tel" => rest.to_owned(),
        None => return None,
        Some(label) if decoded(label) == rest => rest.to_owned(),
        Some(label) => format!("{} ({address})", decoded(label)),
    };
    Some(vec![Inline::Text(shown)])
}

fn named(sign: char, name: &str) -> String {
    if name.starts_with(sign) { name.to_owned() } else { format!("{sign}{name}") }
}

/// `date^SECONDS^FORMAT^LINK`, and what to show where that is not known.
fn date(special: &str, label: Option<&str>) -> Vec<Inline> {
    let mut parts = special.split('^').skip(1);
    let seconds = parts.next().and_then(|seconds| seconds.parse().ok());
    let format = parts.next().unwrap_or("{date_num} {time}");
    let shown = label.map(|label| decoded(label).into_owned());
    let shown =
        shown.or_else(|| Some(formatted(seconds?, &decoded(format)))).unwrap_or_else(|| special.to_owned());
    dated(shown, parts.next())
}

/// A date, which may be a link.
pub(super) fn dated(shown: String, link: Option<&str>) -> Vec<Inline> {
    let label = vec![Inline::Text(shown)];
    match link.map(decoded).filter(|link| is_allowed(link)) {
        Some(link) => vec![Inline::Link { address: link.into_owned(), label }],
        None => label,
    }
}

/// A moment in one of Slack's formats, in UTC: where the reader is, is not known here.
pub(super) fn formatted(seconds: i64, format: &str) -> String {
    let Ok(moment) = Timestamp::from_second(seconds) else { return seconds.to_string() };
    let mut out = String::new();
    let mut rest = format;
    let mut has_time = false;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((token, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let pattern = match token {
            "date_num" => "%Y-%m-%d",
            "date_slash" => "%m/%d/%Y",
            "date" | "date_pretty" | "day_divider_pretty" => "%B %-d, %Y",
            "date_short" | "date_short_pretty" => "%b %-d, %Y",
            "date_long" | "date_long_pretty" | "date_long_full" => "%A, %B %-d, %Y",
            "time" => "%H:%M",
            "time_secs" => "%H:%M:%S",
            "ago" => "%Y-%m-%d %H:%M",
            _ => "",
        };
        has_time |= pattern.contains("%H");
        if pattern.is_empty() {
            out.push_str(&format!("{{{token}}}"));
        } else {
            out.push_str(&moment.strftime(pattern).to_string());
        }
        rest = after;
    }
    out.push_str(rest);
    if has_time {
        out.push_str(" UTC");
    }
    out
}

//! Parsers and displays of values. An error continues a sentence that begins with the name of the setting.

use std::{fmt, path::PathBuf, time::Duration};

use url::Host;

/// The number of names in a certificate that Let's Encrypt allows.
pub(super) const MAX_DOMAINS: usize = 100;

pub(super) fn parse<T: std::str::FromStr>(text: &str, wanted: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("has to be {wanted}"))
}

pub(super) fn list<T: std::str::FromStr>(text: &str, wanted: &str) -> Result<Vec<T>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| item.parse().map_err(|_| format!("has {item:?}, which is not {wanted}"))).collect()
}

/// Names for a certificate, normalized: lower case, ASCII, each once.
pub(super) fn domains(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for given in text.split(',').map(|name| name.trim().trim_end_matches('.')).filter(|name| !name.is_empty())
    {
        if given.starts_with("*.") {
            return Err(format!(
                "has {given:?}, but wildcards are not offered; list the names, separated by commas"
            ));
        }
        let name = match Host::parse(given) {
            Ok(Host::Domain(name)) if is_name(&name) => name,
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) => {
                return Err(format!("has {given:?}, which is an address; a certificate is for names"));
            }
            _ => return Err(format!("has {given:?}, which is no name like chat.example.org")),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MAX_DOMAINS {
        return Err(format!("has {} names; one certificate holds {MAX_DOMAINS}", names.len()));
    }
    Ok(names)
}

/// Whether this is a host name (RFC 1123, section 2.1).
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

pub(super) fn is_email(text: &str) -> bool {
    // Characters that would add addresses or parameters to a `mailto:` URL are not allowed.
    let is_plain = |c: char| c.is_ascii_graphic() && !",?&%:<>".contains(c);
    text.chars().all(is_plain)
        && text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && is_name(&host.to_lowercase()))
}

pub(super) fn shown<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn set_path(path: &mut Option<PathBuf>, text: &str) -> Result<(), String> {
    *path = (!text.is_empty()).then(|| text.into());
    Ok(())
}

pub(super) fn shown_path(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or_else(String::new, |path| path.display().to_string())
}

pub(super) fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("has to be a whole number from {least} to {most}"))
}

/// `on` or `off`, or TOML's `true` or `false`.
pub(super) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("has to be on or off".into()),
    }
}

/// A time of day like 03:00.
pub(super) fn time_of_day(text: &str) -> Result<jiff::civil::Time, String> {
    let wanted = "has to be a time of day like 03:00";
    if text.len() != 5 {
        return Err(wanted.into());
    }
    jiff::civil::Time::strptime("%H:%M", text).map_err(|_| wanted.into())
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    number(text, 1, 86_400).map(|value| Duration::from_secs(value as u64))
}

/// Several lists as one, where `N` is the sum of their lengths.
pub(super) const fn joined<T: Copy, const N: usize>(parts: &[&[T]]) -> [T; N] {
    let mut all = [parts[0][0]; N];
    let (mut part, mut place) = (0, 0);
    while part < parts.len() {
        let mut within = 0;
        while within < parts[part].len() {
            all[place] = parts[part][within];
            (place, within) = (place + 1, within + 1);
        }
        part += 1;
    }
    all
}

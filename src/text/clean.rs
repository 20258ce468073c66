//! The sanitiser: whatever the renderer wrote, only the elements and attributes listed here are left.

use std::{borrow::Cow, sync::LazyLock};

use ammonia::{Builder, UrlRelative};

use super::links;

pub(super) const ELEMENTS: [&str; 27] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Attributes by element. Their values are checked by `value`.
pub(super) const ATTRIBUTES: [(&str, &[&str]); 9] = [
    ("a", &["href", "rel", "target", "title"]),
    ("code", &["class"]),
    ("input", &["type", "disabled", "checked"]),
    ("li", &["value"]),
    ("ol", &["start"]),
    ("p", &["class"]),
    ("span", &["class", "data-user-id"]),
    ("td", &["align"]),
    ("th", &["align"]),
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.into())
        .clean_content_tags(["script", "style"].into())
        .tag_attributes(
            ATTRIBUTES
                .into_iter()
                .map(|(element, names)| (element, names.iter().copied().collect()))
                .collect(),
        )
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(UrlRelative::Custom(Box::new(inner)))
        .link_rel(None)
        .attribute_filter(value);
    builder
});

/// Relative addresses lead to rooms and messages of this server only.
fn inner(address: &str) -> Option<Cow<'_, str>> {
    links::is_inner(address).then_some(Cow::Borrowed(address))
}

/// Allows the values that the renderer writes, and no others.
fn value<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let is_ours = match (element, attribute) {
        ("a", "href") => true, // the cleaner checks the scheme
        ("a", "title") => true,
        ("a", "rel") => value == "noopener noreferrer",
        ("a", "target") => value == "_blank",
        ("code", "class") => value.strip_prefix("language-").is_some_and(is_language),
        ("input", "type") => value == "checkbox",
        ("input", "disabled" | "checked") => value.is_empty(),
        ("p", "class") => value == "jumbo",
        ("span", "class") => value == "mention",
        ("ol", "start") | ("li", "value") | ("span", "data-user-id") => {
            value.bytes().all(|byte| byte.is_ascii_digit())
        }
        ("td" | "th", "align") => matches!(value, "left" | "center" | "right"),
        _ => false,
    };
    is_ours.then_some(Cow::Borrowed(value))
}

/// The name of a programming language, as it may stand in a class.
pub(super) fn is_language(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-#._".contains(&byte))
}

pub(super) fn clean(html: &str) -> String {
    if has_no_attributes(html) { html.to_owned() } else { with_ammonia(html) }
}

pub(super) fn with_ammonia(html: &str) -> String {
    CLEANER.clean(html).to_string()
}

/// Whether every `<` begins a listed element without attributes, so that there is nothing to remove. Most messages are
/// such, and the sanitiser takes tens of milliseconds for 64 KiB of `&`.
fn has_no_attributes(html: &str) -> bool {
    html.split('<').skip(1).all(|tag| {
        let name = tag.split_once('>').map(|(name, _)| name.strip_prefix('/').unwrap_or(name));
        name.is_some_and(|name| ELEMENTS.contains(&name))
    })
}

//! Entity tags and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2).

use hyper::header::HeaderValue;

use crate::worker::cache::{Coding, etag};

/// A strong entity tag.
#[derive(Clone, Debug)]
pub(super) enum Tag {
    /// Without quotes and without the suffix of a coding.
    Opaque(String),
    /// The value of the header.
    Whole(HeaderValue),
}

impl From<String> for Tag {
    fn from(tag: String) -> Self {
        Self::Opaque(tag)
    }
}

impl Tag {
    pub(super) fn is_named(&self, if_none_match: &[u8]) -> bool {
        match self {
            Self::Opaque(tag) => names(if_none_match, tag),
            Self::Whole(value) => names(if_none_match, opaque(value.as_bytes()).unwrap_or_default()),
        }
    }

    pub(super) fn into_value(self, coding: Coding) -> HeaderValue {
        match self {
            Self::Opaque(tag) => etag(&tag, coding),
            Self::Whole(value) => value,
        }
    }
}

/// Whether `If-None-Match` names a tag, in any coding; weak tags match too (RFC 9110, section 13.1.2).
pub(super) fn names(if_none_match: &[u8], tag: impl AsRef<[u8]>) -> bool {
    let tag = tag.as_ref();
    if_none_match.split(|byte| *byte == b',').any(|item| {
        let item = item.trim_ascii();
        let item = item.strip_prefix(b"W/").unwrap_or(item);
        item == b"*" || opaque(item) == Some(tag)
    })
}

/// An entity tag without quotes and without the suffix of a coding.
fn opaque(tag: &[u8]) -> Option<&[u8]> {
    let tag = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(tag.strip_suffix(b"-gz").or_else(|| tag.strip_suffix(b"-br")).unwrap_or(tag))
}

pub(super) fn hash(bytes: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_is_found_among_others_in_any_coding() {
        assert!(names(b"\"a\", W/\"b-gz\"", "b"));
        assert!(names(b"*", "b"));
        assert!(!names(b"\"a\"", "b"));
        assert!(!names(b"b", "b"));
    }
}

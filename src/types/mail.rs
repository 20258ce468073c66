//! What people may want of mail, and the languages that it has.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

string_enums! {
    /// When somebody is told by mail of unread mentions and direct messages.
    MailWish { AtOnce, Away, Daily, Never }
    /// The languages of the page, and of mails.
    Language { En, De }
}

impl MailWish {
    /// Of those who have not said.
    pub const USUAL: Self = Self::Away;
}

impl Language {
    /// The first of these that a header `Accept-Language` names (RFC 9110, section 12.5.4).
    pub fn accepted(header: &str) -> Option<Self> {
        header.split(',').find_map(|tag| tag.trim().get(..2)?.to_ascii_lowercase().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_the_first_accepted_one_that_mails_have() {
        for (header, expected) in [
            ("de-CH,de;q=0.9,en;q=0.8", Some(Language::De)),
            ("fr, EN-gb;q=0.8, de", Some(Language::En)),
            ("fr", None),
            ("", None),
            ("*", None),
            ("d\u{fc}e", None),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}

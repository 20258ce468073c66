//! Names and other short lines: what must not stand in them, since it would mislead or break a page. And boosts.

use icu_properties::{
    CodePointSetData,
    props::{DefaultIgnorableCodePoint, Emoji, EmojiModifier, EmojiPresentation},
};
use unicode_segmentation::UnicodeSegmentation;

use super::chars::{has_visible, is_combining};

/// Marks above, below or around one character. Those of all living languages have fewer.
const MAX_MARKS: usize = 6;

const AS_TEXT: char = '\u{FE0E}';
const AS_EMOJI: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';

/// What is wrong with a line, as the end of a sentence that begins with its name.
pub fn line_fault(line: &str) -> Option<String> {
    if !has_visible(line) {
        return Some("cannot be blank".to_owned());
    }
    if line.chars().any(char::is_control) {
        return Some("must be one line without control characters".to_owned());
    }
    if line.contains(
        |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'),
    ) {
        return Some("must not contain characters that turn the direction of writing".to_owned());
    }
    // The flags of England, Scotland and Wales spell their region in tags.
    let may_have_tags = line.contains('\u{1F3F4}');
    let is_hidden = |c: char| match c {
        // Joiners are letters' or emoji's; so are marks of direction between them.
        '\u{200C}'..='\u{200F}'
        | '\u{61C}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}'
        | '\u{180B}'..='\u{180F}'
        | '\u{34F}' => false,
        '\u{E0020}'..='\u{E007F}' => !may_have_tags,
        '\u{2800}' => true,
        _ => CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c),
    };
    if line.contains(is_hidden) {
        return Some("must not contain invisible characters".to_owned());
    }
    let mut marks = 0;
    for c in line.chars() {
        marks = if is_combining(c) || is_joiner(c) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Some(format!("must have at most {MAX_MARKS} marks on one character"));
        }
    }
    None
}

/// Characters that are passed over between marks.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}'..='\u{200F}' | '\u{61C}' | '\u{34F}')
}

/// Characters of the name of an emoji.
const EMOJI_NAME: usize = 64;

/// Whether an emoji of the team's own may have this name, which is written between colons.
pub fn is_emoji_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() && c.to_lowercase().eq([c]) || matches!(c, '_' | '-' | '+');
    !name.is_empty() && name.chars().count() <= EMOJI_NAME && name.chars().all(fits)
}

/// Whether a boost is such an emoji: `:name:`.
pub fn is_emoji_boost(content: &str) -> bool {
    let name = content.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    name.is_some_and(is_emoji_name)
}

/// A boost in the one form in which equal ones are the same: emoji as Unicode recommends them (fully qualified), so that `❤` is
/// `❤️`. A text that has more than emoji is left as it is.
pub fn same_boost(text: &str) -> String {
    let is_emoji = |c: char| CodePointSetData::new::<Emoji>().contains(c);
    let all_emoji = text.graphemes(true).all(|one| {
        let first = one.chars().next().unwrap_or_default();
        is_emoji(first) && (!first.is_ascii() || one.contains(KEYCAP))
    });
    if !all_emoji {
        return text.to_owned();
    }
    let mut same = String::with_capacity(text.len() + 4);
    let mut chars = text.chars().filter(|c| !matches!(*c, AS_TEXT | AS_EMOJI)).peekable();
    while let Some(c) = chars.next() {
        same.push(c);
        let is_toned =
            chars.peek().is_some_and(|next| CodePointSetData::new::<EmojiModifier>().contains(*next));
        if is_emoji(c) && !CodePointSetData::new::<EmojiPresentation>().contains(c) && !is_toned {
            same.push(AS_EMOJI);
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_names_are_small_letters_digits_and_three_signs() {
        for name in ["tada", "party_parrot", "+1-ok", "日本", "größe", "7", &"x".repeat(64)] {
            assert!(is_emoji_name(name) && is_emoji_boost(&format!(":{name}:")), "{name}");
        }
        for name in
            ["", "Tada", "a b", "a:b", "a/b", "..", "a.gif", "<b>", "🎉", "a\u{200B}", &"x".repeat(65)]
        {
            assert!(!is_emoji_name(name) && !is_emoji_boost(&format!(":{name}:")), "{name}");
        }
        assert!(!is_emoji_boost("tada") && !is_emoji_boost(":") && !is_emoji_boost("::"));
    }

    #[test]
    fn names_of_all_languages_are_right() {
        for name in [
            "Ada",
            "Zoë",
            "Łukasz",
            "O’Brien",
            "Nguyễn Thị Ánh",
            "田中さん",
            "민수",
            "王伟",
            "محمد",
            "مُحَمَّد",
            "علی‌رضا",
            "שָׁלוֹם",
            "प्रिया",
            "สมชาย ใจดี",
            "བསྒྲུབས",
            "🦊 Fox",
            "👩‍👩‍👧‍👦",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿 team",
            "❤️",
            "#general",
            "葛󠄀飾",
            "e\u{301}\u{323}",
        ] {
            assert_eq!(line_fault(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_mislead_are_refused() {
        for (name, reason) in [
            ("", "blank"),
            (" ", "blank"),
            ("\u{200B}", "blank"),
            ("\u{2800}", "blank"),
            ("\u{3164}", "blank"),
            ("\u{200D}", "blank"),
            ("\u{AD}\u{2060}", "blank"),
            ("\u{301}", "blank"),
            ("\u{FE0F}", "blank"),
            ("\u{E0041}", "blank"),
            ("a\u{202E}b", "direction"),
            ("a\u{2066}b", "direction"),
            ("A\u{200B}da", "invisible"),
            ("Ada\u{2060}", "invisible"),
            ("Ada\u{AD}", "invisible"),
            ("Ada\u{3164}", "invisible"),
            ("Ada\u{2800}", "invisible"),
            ("Ada\u{E0041}", "invisible"),
            ("Ada\u{FEFF}", "invisible"),
            ("a\nb", "line"),
            ("a\u{85}b", "line"),
        ] {
            assert!(
                line_fault(name).is_some_and(|fault| fault.contains(reason)),
                "{name:?}: {:?}",
                line_fault(name)
            );
        }
        let pile = |count| format!("e{}", "\u{301}".repeat(count));
        assert_eq!(line_fault(&pile(MAX_MARKS)), None);
        assert!(line_fault(&pile(MAX_MARKS + 1)).is_some());
        assert!(line_fault(&format!("e{}", "\u{301}\u{34F}".repeat(10))).is_some());
    }

    #[test]
    fn equal_emoji_are_one_boost() {
        for (text, same) in [
            ("❤", "❤️"),
            ("❤️", "❤️"),
            ("❤︎", "❤️"),
            ("👍️", "👍"),
            ("👍", "👍"),
            ("👍🏽", "👍🏽"),
            ("☝🏽", "☝🏽"),
            ("☝", "☝️"),
            ("❤‍🔥", "❤️‍🔥"),
            ("❤️‍🔥", "❤️‍🔥"),
            ("1⃣", "1️⃣"),
            ("1️⃣", "1️⃣"),
            ("🏳‍🌈", "🏳️‍🌈"),
            ("🇩🇪", "🇩🇪"),
            ("❤❤", "❤️❤️"),
            ("12", "12"),
            ("I ❤ it", "I ❤ it"),
            ("©", "©️"),
            ("© me", "© me"),
            ("ok", "ok"),
        ] {
            assert_eq!(same_boost(text), same, "{text}");
        }
    }
}

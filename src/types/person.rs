//! How a person without a picture is shown: initials on a colour.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use super::UserId;

/// The colours behind initials: white on each has a contrast of 5.07 or more (WCAG 2.2, 1.4.3 wants 4.5).
const COLORS: [&str; 8] =
    ["#7c5cbf", "#4f6d3a", "#7a4fb0", "#2a7280", "#b04a73", "#806334", "#3f63a8", "#9a4f38"];

/// The CSS colour of somebody, which stays theirs.
pub fn color(user: UserId) -> &'static str {
    COLORS[user.0.unsigned_abs() as usize % COLORS.len()]
}

/// The first letters of the first and the last word of a name, or the first two of the only word; one letter where there
/// is but one, `?` where there is none. A letter is what people count as one, and signs are none.
pub fn initials(name: &str) -> Arc<str> {
    let mut words =
        name.split_whitespace().map(letters).filter_map(|mut letters| Some((letters.next()?, letters)));
    let Some((first, mut rest)) = words.next() else { return "?".into() };
    let second = words.next_back().map(|(letter, _)| letter).or_else(|| rest.next());
    first.chars().chain(second.unwrap_or_default().chars()).collect::<String>().into()
}

/// In upper case, one of which can be several: of `ß`, the first.
fn letters(word: &str) -> impl Iterator<Item = String> {
    let letters = word.graphemes(true).filter(|letter| letter.chars().any(char::is_alphanumeric));
    letters.map(|letter| {
        let upper = letter.to_uppercase();
        upper.graphemes(true).next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, expected) in [
            ("Ana Maria Silva", "AS"),
            ("Ben", "BE"),
            ("X", "X"),
            ("łukasz", "ŁU"),
            ("(Ben) [ops]", "BO"),
            ("👩‍💻 Dev", "DE"),
            ("ßa", "SA"),
            ("王小明", "王小"),
            ("नमिता शर्मा", "नश"),
            ("e\u{301}mile zola", "E\u{301}Z"),
            ("</text><script>", "TE"),
            ("<>", "?"),
            ("", "?"),
        ] {
            assert_eq!(&*initials(name), expected, "{name}");
        }
    }

    #[test]
    fn color_is_of_the_palette_whatever_the_id() {
        assert_eq!(color(UserId(1)), COLORS[1]);
        assert_eq!(color(UserId(9)), COLORS[1]);
        assert!(COLORS.contains(&color(UserId(i64::MIN))));
    }
}

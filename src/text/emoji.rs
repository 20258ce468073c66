//! Messages of only emoji are shown large.

/// More than this many are talk again.
const MOST: usize = 12;

/// Whether a text is one to twelve emoji and nothing else but spaces. Sequences that are joined, coloured, or that
/// make a flag or a keycap count as one (UTS #51).
pub(super) fn is_only_emoji(text: &str) -> bool {
    let mut count = 0;
    let mut joined = false;
    let mut flag_half = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => flag_half = false,
            '\u{200D}' => joined = count > 0,
            // Variation selector, skin tones, the tags of subdivision flags.
            '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}' if count > 0 => {}
            '\u{1F1E6}'..='\u{1F1FF}' => {
                flag_half = !flag_half;
                count += usize::from(flag_half);
            }
            '0'..='9' | '#' | '*' => {
                // Only as a keycap: the selector may be left out.
                chars.next_if_eq(&'\u{FE0F}');
                if chars.next_if_eq(&'\u{20E3}').is_none() {
                    return false;
                }
                count += 1;
            }
            c if is_pictograph(c) => {
                count += usize::from(!joined);
                joined = false;
                flag_half = false;
            }
            _ => return false,
        }
    }
    (1..=MOST).contains(&count)
}

/// The blocks of characters that are pictures by themselves or with a selector.
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{1F300}'..='\u{1F64F}' | '\u{1F680}'..='\u{1F6FF}' | '\u{1F7E0}'..='\u{1F7F0}' | '\u{1F900}'..='\u{1F9FF}'
        | '\u{1FA70}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B05}'..='\u{2B07}' | '\u{2B1B}' | '\u{2B1C}'
        | '\u{2B50}' | '\u{2B55}' | '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23F3}' | '\u{23F8}'..='\u{23FA}'
        | '\u{25AA}' | '\u{25AB}' | '\u{25B6}' | '\u{25C0}' | '\u{25FB}'..='\u{25FE}' | '\u{1F004}' | '\u{1F0CF}'
        | '\u{1F18E}' | '\u{1F191}'..='\u{1F19A}' | '\u{203C}' | '\u{2049}' | '\u{2194}'..='\u{2199}'
        | '\u{21A9}' | '\u{21AA}' | '\u{3030}' | '\u{303D}')
}

#[cfg(test)]
mod tests {
    use super::is_only_emoji;

    #[test]
    fn sequences_count_as_one_and_thirteen_are_too_many() {
        for one in ["🎉", "👍🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🔥 🔥"] {
            assert!(is_only_emoji(one), "{one}");
        }
        assert!(is_only_emoji(&"👩‍👩‍👧".repeat(12)));
        assert!(!is_only_emoji(&"🎉".repeat(13)));
        for other in ["", " ", "1", "ok 🎉", "#", "\u{200D}"] {
            assert!(!is_only_emoji(other), "{other}");
        }
    }
}

//! What characters are: by Unicode's properties, and by what Markdown and addresses make of them.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        DefaultIgnorableCodePoint, EastAsianWidth, EmojiPresentation, GeneralCategory, GeneralCategoryGroup,
        Script,
    },
};

use super::escape;

fn is_in(c: char, group: GeneralCategoryGroup) -> bool {
    group.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Whether it is punctuation of any script (category P).
pub(super) fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~');
    }
    is_in(c, GeneralCategoryGroup::Punctuation)
}

/// Whether Markdown takes it for punctuation: ASCII's, or a mark or symbol of any script (categories P and S).
pub(super) fn is_mark(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    is_in(c, GeneralCategoryGroup::Punctuation.union(GeneralCategoryGroup::Symbol))
}

/// Whether it ends an address: white space, a control character, or one that the renderer keeps for itself.
pub(super) fn is_gap(c: char) -> bool {
    c.is_control() || escape::is_foreign(c) || is_in(c, GeneralCategoryGroup::Separator)
}

/// Whether it belongs to a script that sets no spaces between words, so that a mark of emphasis beside it always stands
/// within a run of letters: those of Chinese, Japanese and Korean with their punctuation (East Asian Width W, F and H, and
/// Hangul, but no emoji: the set of the CommonMark amendment for CJK), and of Thai, Lao, Khmer, Burmese and their kin.
pub(super) fn is_unspaced(c: char) -> bool {
    if c < '\u{0E00}' {
        return false;
    }
    let width = CodePointMapData::<EastAsianWidth>::new().get(c);
    if matches!(width, EastAsianWidth::Fullwidth | EastAsianWidth::Halfwidth) {
        return true;
    }
    if width == EastAsianWidth::Wide {
        return !CodePointSetData::new::<EmojiPresentation>().contains(c);
    }
    width == EastAsianWidth::Neutral
        && matches!(
            CodePointMapData::<Script>::new().get(c),
            Script::Hangul
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
                | Script::Tibetan
                | Script::Javanese
                | Script::Balinese
                | Script::TaiLe
                | Script::NewTaiLue
                | Script::TaiTham
                | Script::TaiViet
        )
}

/// Whether it is a letter or digit of a word that a sign before or behind it belongs to: not one of the unspaced scripts.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() && !is_unspaced(c)
}

/// Whether a person sees it: neither white space nor a control, nor a character without a shape of its own.
pub(super) fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    // The blanks of Braille and of Hangul take room, and show nothing in it.
    !matches!(c, '\u{2800}' | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}')
        && !c.is_whitespace()
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        && !matches!(
            CodePointMapData::<GeneralCategory>::new().get(c),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::Surrogate
                | GeneralCategory::Unassigned
        )
}

/// Whether a text shows anything. A combining mark alone has nothing to stand on.
pub fn has_visible(text: &str) -> bool {
    text.chars().any(|c| is_visible(c) && !is_combining(c))
}

/// Whether it stands above, below or around the character before it.
pub(super) fn is_combining(c: char) -> bool {
    !c.is_ascii() && is_in(c, GeneralCategoryGroup::Mark)
}

//! One form for all ways to write a letter: what is indexed and what is asked are folded alike.

use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed,
    properties::CanonicalCombiningClassMapBorrowed,
};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed, props::GeneralCategory};

const DECOMPOSED: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();
const COMBINING: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMapBorrowed::new();
const CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::new();

/// A word in small letters with its accents, composed, without what is not seen: as dictionaries and stemmers have it.
pub(super) fn lower(word: &str) -> String {
    let visible: String = word.chars().filter(|c| class(*c) != Class::Nothing).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&visible.to_lowercase()).into_owned()
}

/// What a character is to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Letters and digits of scripts that separate words.
    Word,
    /// Letters of Chinese and Japanese, each of which may begin a word.
    Letter,
    /// Letters of Thai, Lao, Khmer, Burmese and Javanese, which do not separate words either. Their marks belong to them.
    Cluster,
    /// Hangul syllables: words are separated, but particles and compounds are not.
    Hangul,
    /// A mark that continues whatever is before it.
    Mark,
    /// An emoji or another symbol that is a word by itself.
    Symbol,
    /// Continues an emoji: selectors, skin tones, joiners.
    Joiner,
    /// Not visible, as a soft hyphen: words go on across it.
    Nothing,
    Separator,
}

/// Zeros of the digits of other scripts; nine more follow each.
const ZEROS: [u32; 21] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20,
    0x1040, 0x17E0, 0x1810, 0x19D0, 0x1A80, 0xA9D0,
];

pub(super) fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Word } else { Class::Separator };
    }
    match c {
        '\u{C0}'..='\u{24F}' if !matches!(c, '×' | '÷') => return Class::Word,
        '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' => return Class::Letter,
        '\u{AC00}'..='\u{D7A3}' => return Class::Hangul,
        _ => {}
    }
    match CATEGORY.get(c) {
        GeneralCategory::UppercaseLetter
        | GeneralCategory::LowercaseLetter
        | GeneralCategory::TitlecaseLetter
        | GeneralCategory::OtherLetter
        | GeneralCategory::ModifierLetter
        | GeneralCategory::DecimalNumber
        | GeneralCategory::LetterNumber
        | GeneralCategory::OtherNumber
        | GeneralCategory::PrivateUse
        // Letters of scripts that are younger than our tables.
        | GeneralCategory::Unassigned => letter(c),
        // Before the voicing marks of kana, which are marks too, comes what they belong to.
        GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark => {
            if matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{180B}'..='\u{180F}' | '\u{34F}' | '\u{E0100}'..='\u{E01EF}') {
                Class::Joiner
            } else {
                Class::Mark
            }
        }
        GeneralCategory::EnclosingMark => Class::Joiner,
        GeneralCategory::Format if c == '\u{200D}' || c >= '\u{E0000}' => Class::Joiner,
        GeneralCategory::Format => Class::Nothing,
        // ㎏ and ㈱ are words, and ™ is not.
        GeneralCategory::OtherSymbol
            if !matches!(c, '™' | '℠' | '🅪' | '🅫') && DECOMPOSED.normalize_iter(std::iter::once(c)).any(|d| d != c && d.is_alphanumeric()) =>
        {
            DECOMPOSED
                .normalize_iter(std::iter::once(c))
                .find(|d| d.is_alphanumeric())
                .map_or(Class::Symbol, letter)
        }
        // Quotes that are drawn as ornaments.
        GeneralCategory::OtherSymbol if matches!(c, '❛'..='❠') => Class::Separator,
        GeneralCategory::OtherSymbol | GeneralCategory::MathSymbol | GeneralCategory::CurrencySymbol => Class::Symbol,
        GeneralCategory::ModifierSymbol if c >= '\u{1F3FB}' => Class::Joiner,
        _ => Class::Separator,
    }
}

/// The class of a letter or a digit, by its script.
fn letter(c: char) -> Class {
    match c {
        // Fillers without a form, which letters of Hangul would stand in.
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' => Class::Nothing,
        // An apostrophe that Unicode has among the letters.
        'ʼ' | 'ʹ' | 'ʻ' => Class::Separator,
        '\u{E00}'..='\u{EFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}'
        | '\u{1950}'..='\u{19DF}'
        | '\u{1A20}'..='\u{1AAF}'
        | '\u{1B00}'..='\u{1B7F}'
        | '\u{A980}'..='\u{A9FF}'
        | '\u{AA60}'..='\u{AADF}' => {
            if folded_digit(c).is_some() {
                Class::Word
            } else {
                Class::Cluster
            }
        }
        '\u{1100}'..='\u{11FF}'
        | '\u{3130}'..='\u{318F}'
        | '\u{A960}'..='\u{A97F}'
        | '\u{D7B0}'..='\u{D7FF}'
        | '\u{FFA1}'..='\u{FFDC}' => Class::Hangul,
        '\u{2E80}'..='\u{2FDF}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{3035}'
        | '\u{3038}'..='\u{303C}'
        | '\u{3041}'..='\u{312F}'
        | '\u{31A0}'..='\u{31FF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}'
        | '\u{1AFF0}'..='\u{1B2FF}'
        | '\u{20000}'..='\u{3FFFF}' => Class::Letter,
        _ => Class::Word,
    }
}

/// Whether a mark makes another letter, as vowel signs do, or may be left out, as accents and points.
fn is_kept_mark(c: char) -> bool {
    if matches!(c, '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}') {
        return true;
    }
    match COMBINING.get_u8(c) {
        // Without a class of their own, in order: vowel signs; voicing of kana, virama; vowel signs and tones from Telugu
        // to Tibetan.
        0 | 8 | 9 | 84..=199 => true,
        _ => false,
    }
}

fn folded_digit(c: char) -> Option<char> {
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&(c as u32)))?;
    char::from_digit(c as u32 - zero, 10)
}

/// Appends the folded form of a character that belongs to a word.
pub(super) fn fold(c: char, folded: &mut String) {
    if c.is_ascii() {
        folded.push(c.to_ascii_lowercase());
        return;
    }
    match c {
        // Composed or not depends on who types, so these are told apart by `mark`, and not by their decomposition.
        'й' | 'Й' => folded.push('й'),
        // As they are.
        '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{3130}'..='\u{318F}'
        | '\u{E00}'..='\u{E32}'
        | '\u{E34}'..='\u{E4F}' => folded.push(c),
        '\u{3041}'..='\u{3096}' => folded.push(c),
        // Katakana is looked for in hiragana and the other way round.
        '\u{30A1}'..='\u{30F6}' => folded.push(char::from_u32(c as u32 - 0x60).unwrap_or(c)),
        // Marks are not decomposed: each is what it is.
        _ => {
            if let Some(digit) = folded_digit(c) {
                folded.push(digit);
                return;
            }
            for part in DECOMPOSED.normalize_iter(std::iter::once(c)) {
                push(part, folded);
            }
        }
    }
}

/// Appends a decomposed character in lower case.
fn push(c: char, folded: &mut String) {
    match class(c) {
        Class::Mark => mark(c, folded),
        Class::Separator | Class::Nothing | Class::Joiner => {}
        _ => {
            for c in c.to_lowercase() {
                push_lower(c, folded);
            }
        }
    }
}

fn push_lower(c: char, folded: &mut String) {
    let alike = match c {
        'ß' => return folded.push_str("ss"),
        'æ' => return folded.push_str("ae"),
        'œ' => return folded.push_str("oe"),
        'þ' => return folded.push_str("th"),
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' | 'ɖ' | 'ɗ' => 'd',
        'ı' => 'i',
        'ħ' => 'h',
        'ŧ' => 't',
        'ŋ' => 'n',
        'ɓ' => 'b',
        'ƙ' => 'k',
        'ƴ' => 'y',
        'ɣ' => 'g',
        'ə' | 'ɛ' => 'e',
        'ɔ' => 'o',
        'ς' => 'σ',
        'ґ' => 'г',
        // Arabic: alefs, yehs, kafs and hehs of other keyboards, and teh marbuta as it is often typed. Hamza on its bearer is
        // a mark, and gone already.
        'ٱ' => 'ا',
        'ى' | 'ی' | 'ې' | 'ے' => 'ي',
        'ک' | 'ڪ' => 'ك',
        'ة' | 'ە' | 'ہ' | 'ھ' | 'ۃ' => 'ه',
        // Tatweel only lengthens.
        'ـ' => return,
        // Final forms are letters of their own in Hebrew, and stay.
        '\u{30A1}'..='\u{30F6}' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
        // A nasal as a sign of its own, however it is written.
        'ँ' => 'ं',
        '\u{1161}'..='\u{1175}' | '\u{11A8}'..='\u{11C2}' => return jamo(c, folded),
        // A nasal before a consonant is often written as a sign of its own: हिन्दी, हिंदी.
        '\u{915}'..='\u{939}' => {
            if NASALS.iter().any(|nasal| folded.ends_with(nasal)) {
                folded.truncate(folded.len() - NASALS[0].len());
                folded.push('ं');
            }
            c
        }
        _ => c,
    };
    folded.push(alike);
}

/// Nasal consonants of Devanagari without a vowel.
const NASALS: [&str; 5] = ["ङ्", "ञ्", "ण्", "न्", "म्"];

/// Appends a vowel or a final consonant of Hangul, composed with what is before it. File names of macOS are decomposed.
fn jamo(c: char, folded: &mut String) {
    let last = folded.chars().next_back().map_or(0, u32::from);
    let code = u32::from(c);
    let composed = match (last, code) {
        (0x1100..=0x1112, 0x1161..=0x1175) => Some(0xAC00 + ((last - 0x1100) * 21 + code - 0x1161) * 28),
        (0xAC00..=0xD7A3, 0x11A8..=0x11C2) if (last - 0xAC00).is_multiple_of(28) => {
            Some(last + code - 0x11A7)
        }
        _ => None,
    };
    match composed.and_then(char::from_u32) {
        Some(syllable) => {
            folded.pop();
            folded.push(syllable);
        }
        None => folded.push(c),
    }
}

/// Appends a mark, unless words are found without it.
pub(super) fn mark(c: char, folded: &mut String) {
    // `и` with a breve of its own is `й`, and voiced kana are letters.
    let last = folded.chars().next_back();
    let composed = match (last, c) {
        (Some('и'), '\u{306}') => Some('й'),
        (Some('う'), '\u{3099}') => Some('ゔ'),
        (Some(last @ ('か'..='ち' | 'つ'..='と' | 'は'..='ほ')), '\u{3099}') => {
            char::from_u32(last as u32 + 1)
        }
        (Some(last @ 'は'..='ほ'), '\u{309A}') => char::from_u32(last as u32 + 2),
        _ => None,
    };
    if let Some(composed) = composed {
        folded.pop();
        folded.push(composed);
    } else if c == 'ँ' {
        folded.push('ं');
    } else if is_kept_mark(c) {
        for part in DECOMPOSED.normalize_iter(std::iter::once(c)) {
            folded.push(part);
        }
    }
}

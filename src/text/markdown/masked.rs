//! Pieces of a message that the parser must not look into: addresses, mentions, and signs that are no marks.
//!
//! Each is replaced by a token of Unicode's noncharacters, which the parser takes for letters and which are removed from every
//! message first (`escape::is_foreign`), so that none can be forged. Whoever writes text that came from the parser puts the
//! piece back, exactly as it was typed: a token inside of code or of a link's address does no harm.

use std::{borrow::Cow, collections::HashMap};

use crate::types::UserId;

/// Around the number of a piece, whose digits are the 16 characters from `ZERO` on.
const START: char = '\u{FDE0}';
const END: char = '\u{FDE1}';
const ZERO: u32 = 0xFDD0;

/// A letter without a shape: it stands between a mark of emphasis and its neighbour, or keeps a mark from being one.
pub(super) const JOINER: char = '\u{FDE2}';

/// What prose looks for.
pub(super) const TOKENS: [char; 2] = [START, JOINER];

/// A piece, as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Piece<'a> {
    /// `https://…` or `www.…`, which becomes a link.
    Address(&'a str),
    Mail(&'a str),
    /// `@[Name](user:5)`.
    Mention {
        user: UserId,
        label: &'a str,
        source: &'a str,
    },
    /// Signs that stand for themselves.
    Literal(&'a str),
    /// An escaped sign of a mention: the backslash has done its work.
    Unescaped(&'a str),
}

impl<'a> Piece<'a> {
    pub(super) fn source(self) -> &'a str {
        match self {
            Self::Address(text) | Self::Mail(text) | Self::Literal(text) => text,
            Self::Mention { source, .. } | Self::Unescaped(source) => source,
        }
    }
}

/// A text with tokens in it.
#[derive(Debug, Default)]
pub(super) struct Masked<'a> {
    pub(super) text: String,
    pub(super) pieces: Pieces<'a>,
}

#[derive(Debug, Default)]
pub(super) struct Pieces<'a> {
    list: Vec<Piece<'a>>,
    /// Equal pieces have one number, so that equal labels of links stay equal.
    numbers: HashMap<Piece<'a>, usize>,
}

impl<'a> Masked<'a> {
    /// Appends the token of a piece.
    pub(super) fn push(&mut self, piece: Piece<'a>) {
        let list = &mut self.pieces.list;
        let number = *self.pieces.numbers.entry(piece).or_insert_with(|| {
            list.push(piece);
            list.len() - 1
        });
        self.text.push(START);
        let digits = (usize::BITS - number.leading_zeros()).div_ceil(4).max(1);
        for place in (0..digits).rev() {
            let digit = (number >> (4 * place)) & 15;
            self.text.extend(char::from_u32(ZERO + digit as u32));
        }
        self.text.push(END);
    }
}

impl<'a> Pieces<'a> {
    /// The piece whose token a text starts with, and the bytes of that token.
    pub(super) fn at(&self, text: &str) -> Option<(Piece<'a>, usize)> {
        let rest = text.strip_prefix(START)?;
        let mut number = 0;
        for (place, c) in rest.char_indices().take(8) {
            if c == END {
                let length = START.len_utf8() + place + END.len_utf8();
                return Some((*self.list.get(number)?, length));
            }
            number = number * 16 + u32::from(c).checked_sub(ZERO).filter(|digit| *digit < 16)? as usize;
        }
        None
    }

    /// The address or title of a link, in which a backslash before any sign is a mark.
    pub(super) fn target<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.restored(text, |piece| match piece {
            Piece::Literal(source) | Piece::Unescaped(source) if source.len() > 1 => {
                source.strip_prefix('\\').unwrap_or(source)
            }
            piece => piece.source(),
        })
    }

    /// A text with all pieces put back.
    pub(super) fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.restored(text, Piece::source)
    }

    fn restored<'t>(&self, text: &'t str, source_of: impl Fn(Piece<'a>) -> &'a str) -> Cow<'t, str> {
        let Some(first) = text.find(TOKENS) else { return Cow::Borrowed(text) };
        let mut restored = text[..first].to_owned();
        let mut rest = &text[first..];
        while let Some(c) = rest.chars().next() {
            let length = match self.at(rest) {
                Some((piece, length)) => {
                    restored.push_str(source_of(piece));
                    length
                }
                None => c.len_utf8(),
            };
            let next = rest[length..].find(TOKENS).map_or(rest.len(), |place| length + place);
            restored.push_str(&rest[length..next]);
            rest = &rest[next..];
        }
        Cow::Owned(restored)
    }
}

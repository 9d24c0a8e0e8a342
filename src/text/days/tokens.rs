//! Cutting a text into the words and numbers of a date.

use super::lexicon::{self, Word};
use crate::text::{fold, is_unspaced};
use std::ops::Range;

/// A word or number, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub bytes: Range<usize>,
    /// The character after it, which tells `7.5.2026` and `2026-05-07` from three numbers.
    pub after: Option<char>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word(Word),
    /// Digits, how many, and whether an ending makes it an ordinal (`7th`).
    Number {
        value: i64,
        n_digits: u8,
        is_ordinal: bool,
    },
    /// `first` to `fourth`.
    Ordinal(i64),
    /// A character of a script without spaces between words.
    Unspaced(char),
    Other,
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let kind = class(first);
        let rest = &text[start..];
        let len = match kind {
            Class::Unspaced | Class::Other => first.len_utf8(),
            _ => rest.find(|c| class(c) != kind).unwrap_or(rest.len()),
        };
        let bytes = start..start + len;
        let piece = &text[bytes.clone()];
        start = bytes.end;
        let after = text[start..].chars().next();
        let kind = match kind {
            Class::Other => continue,
            Class::Unspaced => Kind::Unspaced(first),
            Class::Digit => number(piece),
            Class::Letter => {
                if let Some(last) = tokens.last_mut()
                    && last.bytes.end == bytes.start
                    && let Kind::Number { is_ordinal, .. } = &mut last.kind
                    && ["st", "nd", "rd", "th"].contains(&piece)
                {
                    *is_ordinal = true;
                    last.bytes.end = bytes.end;
                    last.after = after;
                    continue;
                }
                letters(piece)
            }
        };
        tokens.push(Token { kind, bytes, after });
    }
    tokens
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Unspaced,
    Other,
}

fn class(c: char) -> Class {
    if is_unspaced(c) {
        Class::Unspaced
    } else if c.is_numeric() {
        Class::Digit
    } else if c.is_alphabetic() || is_mark(c) {
        Class::Letter
    } else {
        Class::Other
    }
}

/// Signs that are part of a word: vowels of Indic scripts, accents written as characters of their own.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn number(digits: &str) -> Kind {
    let folded = fold(digits);
    match folded.parse() {
        Ok(value) => Kind::Number {
            value,
            n_digits: folded.len() as u8,
            is_ordinal: false,
        },
        Err(_) => Kind::Other,
    }
}

fn letters(word: &str) -> Kind {
    let folded = fold(word);
    let ordinal = ["first", "second", "third", "fourth"]
        .iter()
        .position(|name| *name == folded);
    match ordinal {
        Some(place) => Kind::Ordinal(place as i64 + 1),
        None => lexicon::word(&folded).map_or(Kind::Other, Kind::Word),
    }
}

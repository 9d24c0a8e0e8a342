//! Finding a quote in the text it was taken from.

use std::cell::OnceCell;
use std::ops::Range;
use unicode_normalization::char::decompose_canonical;

/// A text in which quotes are looked for.
pub(crate) struct Source {
    pub text: String,
    folded: OnceCell<Folded>,
}

impl Source {
    pub fn new(text: String) -> Source {
        Source {
            text,
            folded: OnceCell::new(),
        }
    }

    /// The bytes of the first place where `quote` stands: as it is, or else with other typography
    /// (curly quotes, dashes, runs of white space, composed letters). Letters and their case must agree.
    pub fn find(&self, quote: &str) -> Option<Range<usize>> {
        let quote = quote.trim();
        if quote.is_empty() {
            return None;
        }
        if let Some(start) = self.text.find(quote) {
            return Some(start..start + quote.len());
        }
        let folded = self.folded.get_or_init(|| Folded::new(&self.text));
        folded.find(Folded::new(quote).text.trim())
    }

    /// The same range in UTF-16 code units, as JavaScript counts.
    pub fn utf16(&self, bytes: &Range<usize>) -> Range<u32> {
        let units = |part: &str| part.encode_utf16().count() as u32;
        let start = units(&self.text[..bytes.start]);
        start..start + units(&self.text[bytes.clone()])
    }
}

/// A text in plain typography, with the way back.
struct Folded {
    text: String,
    /// Where each piece begins: in the folded text, and in the source. Ends with the two lengths.
    pieces: Vec<(usize, usize)>,
}

impl Folded {
    fn new(source: &str) -> Folded {
        let mut text = String::with_capacity(source.len());
        let mut pieces = Vec::with_capacity(source.len() + 1);
        let mut in_space = false;
        for (at, c) in source.char_indices() {
            if is_invisible(c) {
                // It belongs to the piece before it.
                continue;
            }
            let is_space = c.is_whitespace();
            if !(is_space && in_space) {
                pieces.push((text.len(), at));
                match c {
                    _ if is_space => text.push(' '),
                    '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' | '`' | '´' => text.push('\''),
                    '“' | '”' | '„' | '‟' | '″' | '«' | '»' => text.push('"'),
                    '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => text.push('-'),
                    '…' => text.push_str("..."),
                    _ => decompose_canonical(c, |part| text.push(part)),
                }
            }
            in_space = is_space;
        }
        pieces.push((text.len(), source.len()));
        Folded { text, pieces }
    }

    fn find(&self, quote: &str) -> Option<Range<usize>> {
        let first = quote.chars().next()?;
        let mut from = 0;
        while let Some(found) = self.text[from..].find(quote) {
            let start = from + found;
            // Half of a piece, such as the first point of an ellipsis, has no place in the source.
            if let (Some(start), Some(end)) =
                (self.in_source(start), self.in_source(start + quote.len()))
            {
                return Some(start..end);
            }
            from = start + first.len_utf8();
        }
        None
    }

    fn in_source(&self, folded: usize) -> Option<usize> {
        let at = self
            .pieces
            .binary_search_by_key(&folded, |piece| piece.0)
            .ok()?;
        Some(self.pieces[at].1)
    }
}

/// Signs without ink that get lost in copying: soft hyphen, zero-width space, direction marks,
/// variation selectors, byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, quote: &str, expected: Option<&str>) {
        let source = Source::new(text.into());
        let found = source.find(quote).map(|range| &source.text[range]);
        assert_eq!(found, expected, "{quote:?} in {text:?}");
    }

    #[test]
    fn a_quote_is_the_texts_own_bytes() {
        let rows = [
            ("I like tea.", "like tea", Some("like tea")),
            ("I like tea.", " like tea \n", Some("like tea")),
            (
                "I don’t eat meat",
                "I don't eat meat",
                Some("I don’t eat meat"),
            ),
            (
                "I don't eat meat",
                "I don’t eat meat",
                Some("I don't eat meat"),
            ),
            ("a “b” c", "\"b\"", Some("“b”")),
            ("two\n\n  lines", "two lines", Some("two\n\n  lines")),
            ("10\u{a0}000 €", "10 000 €", Some("10\u{a0}000 €")),
            ("May–June", "May-June", Some("May–June")),
            ("well… yes", "well... yes", Some("well… yes")),
            ("cafe\u{301} au lait", "café au", Some("cafe\u{301} au")),
            ("café au lait", "cafe\u{301} au", Some("café au")),
            ("I ❤\u{fe0f} tea", "I ❤ tea", Some("I ❤\u{fe0f} tea")),
            ("私はビーガンです。", "ビーガンです", Some("ビーガンです")),
            ("I like tea.", "I like coffee", None),
            ("I like tea.", "i like tea", None),
            ("I like green tea.", "I like tea", None),
            ("well… yes", "well. yes", None),
            ("well…", "well..", None),
            ("anything", "", None),
            ("anything", " \n", None),
            ("anything", "\u{200b}", None),
            ("", "x", None),
        ];
        for (text, quote, expected) in rows {
            check(text, quote, expected);
        }
    }

    #[test]
    fn offsets_count_as_javascript_does() {
        let source = Source::new("👩‍🚀🚀 I moved to Zürich 😀!".into());
        let bytes = source.find("Zürich 😀").unwrap();
        let units: Vec<u16> = source.text.encode_utf16().collect();
        let range = source.utf16(&bytes);
        let slice = &units[range.start as usize..range.end as usize];
        assert_eq!(String::from_utf16(slice).unwrap(), "Zürich 😀");
        assert_eq!(range.start, 19);
    }
}

//! Cutting a long text into pieces that one vector can stand for.

use super::terms::is_unspaced;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// About how many tokens a piece has.
///
/// A mean over more words than a few sentences points nowhere in particular, and the small models read 128 tokens at most.
pub const PIECE_TOKENS: usize = 100;

/// A rest shorter than this stays with the piece before it: a closing `Hope that helps!` is no passage of its own.
const SMALLEST_REST_TOKENS: usize = 25;

/// A passage of a text, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PieceSpan {
    /// Bytes in the text.
    pub bytes: Range<usize>,
    /// UTF-16 code units in the text, as evidence offsets count.
    pub utf16: Range<u32>,
}

/// The pieces of a text, in its order: whole sentences, [`PIECE_TOKENS`] tokens or a little more, without the space around them.
///
/// A sentence that is too long is cut between words. A passage without a letter or digit gives no piece.
pub fn pieces(text: &str) -> Vec<PieceSpan> {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let mut tokens = 0;
    for part in parts(text) {
        let more = estimate(&text[part.clone()]);
        match cuts.last_mut() {
            Some(last) if tokens + more <= PIECE_TOKENS => {
                last.end = part.end;
                tokens += more;
            }
            _ => {
                cuts.push(part);
                tokens = more;
            }
        }
    }
    if tokens < SMALLEST_REST_TOKENS && cuts.len() > 1 {
        let end = text.len();
        cuts.pop();
        cuts.last_mut().expect("two cuts or more").end = end;
    }
    let said = cuts.into_iter().filter_map(|cut| trimmed(text, cut));
    let mut place = Utf16Place::default();
    said.map(|bytes| {
        let start = place.advance(text, bytes.start);
        let end = place.advance(text, bytes.end);
        PieceSpan {
            bytes,
            utf16: start..end,
        }
    })
    .collect()
}

/// Sentences, and the parts of those that are longer than a piece.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    for (start, sentence) in text.split_sentence_bound_indices() {
        let end = start + sentence.len();
        if estimate(sentence) <= PIECE_TOKENS {
            parts.push(start..end);
            continue;
        }
        let (mut from, mut tokens) = (start, 0);
        for (at, word) in sentence.split_word_bound_indices() {
            let more = estimate(word);
            if tokens > 0 && tokens + more > PIECE_TOKENS {
                parts.push(from..start + at);
                (from, tokens) = (start + at, 0);
            }
            tokens += more;
        }
        parts.push(from..end);
    }
    parts
}

/// About how many tokens of an embedding model (not of Claude) a text has: a character of a script without spaces each, four characters of the others.
fn estimate(text: &str) -> usize {
    let unspaced = text.chars().filter(|c| is_unspaced(*c)).count();
    unspaced + (text.chars().count() - unspaced).div_ceil(4)
}

fn trimmed(text: &str, cut: Range<usize>) -> Option<Range<usize>> {
    let part = &text[cut.clone()];
    part.contains(char::is_alphanumeric).then(|| {
        let start = cut.start + part.len() - part.trim_start().len();
        start..cut.start + part.trim_end().len()
    })
}

/// Counts UTF-16 code units while walking through a text once.
#[derive(Default)]
struct Utf16Place {
    byte: usize,
    unit: u32,
}

impl Utf16Place {
    fn advance(&mut self, text: &str, to_byte: usize) -> u32 {
        let passed = text[self.byte..to_byte].encode_utf16().count();
        self.unit = self.unit.saturating_add(passed as u32);
        self.byte = to_byte;
        self.unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_text_is_one_piece_without_the_space_around_it() {
        let [piece] = &pieces("  Hi 👍. It rains.\n")[..] else {
            panic!("one piece");
        };
        assert_eq!(
            &"  Hi 👍. It rains.\n"[piece.bytes.clone()],
            "Hi 👍. It rains."
        );
        assert_eq!(piece.utf16, 2..18);
    }

    #[test]
    fn nothing_said_gives_no_piece() {
        for text in ["", "  \n", "---", "👍👍"] {
            assert_eq!(pieces(text), []);
        }
    }

    #[test]
    fn long_texts_are_cut_where_sentences_end() {
        let text = "This sentence has exactly ten small words in it. ".repeat(30);
        let pieces = pieces(&text);
        assert!(pieces.len() > 2);
        for piece in &pieces {
            let part = &text[piece.bytes.clone()];
            assert!(part.starts_with("This") && part.ends_with("it."));
            assert!(estimate(part) <= PIECE_TOKENS + SMALLEST_REST_TOKENS);
        }
    }

    #[test]
    fn a_short_rest_is_not_a_piece_of_its_own() {
        let text = format!(
            "{}Bye!",
            "Nine words make this one sentence of the text. ".repeat(8)
        );
        assert_eq!(pieces(&text).len(), 1);
    }

    proptest! {
        #[test]
        fn pieces_follow_each_other_and_lose_no_word(
            words in prop::collection::vec("[a-zé猫👍]{1,12}|[0-9]{1,4}\\.|\n", 0..400)
        ) {
            let text = words.join(" ");
            let pieces = pieces(&text);
            let mut kept = String::new();
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut end = 0;
            for piece in &pieces {
                prop_assert!(piece.bytes.start >= end);
                end = piece.bytes.end;
                let part = &text[piece.bytes.clone()];
                prop_assert!(estimate(part) <= PIECE_TOKENS + SMALLEST_REST_TOKENS + 1);
                let utf16 = piece.utf16.start as usize..piece.utf16.end as usize;
                prop_assert_eq!(String::from_utf16(&units[utf16]).unwrap(), part);
                kept.push_str(part);
            }
            let said = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(said(&kept), said(&text));
        }
    }
}

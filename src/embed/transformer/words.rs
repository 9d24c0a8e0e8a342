//! The words of a text on axes of their own: from the last layer's rows to [`crate::embed::words`].
//!
//! Of a question every piece is asked for: even a "?" carries what the network makes of the sentence.
//! Of a passage only what can be the answer is kept, each word whole: words that say nothing about the subject are two thirds of
//! a turn.

use super::Kind;
use super::lanes::{LANES, Lanes};
use crate::embed::directions;
use crate::embed::wordpiece::WordPiece;
use crate::text::is_stop_word;
use std::ops::Range;

/// What an apostrophe cuts off an English word.
const ENDINGS: [&str; 7] = ["s", "t", "m", "d", "re", "ve", "ll"];

/// Directions in which the rows of the last layer differ most; a weight file may bring them.
#[derive(Clone)]
pub(super) struct Axes {
    /// What each measures at the middle of all rows.
    pub(super) offsets: Vec<f32>,
    /// `hidden` numbers per axis.
    pub(super) directions: Vec<f32>,
}

impl Axes {
    /// The words of a text; `rows` are those of its pieces, `hidden` numbers each, without the marks.
    pub(super) fn words(&self, rows: &[f32], words: &[Range<usize>]) -> Vec<u8> {
        let n = self.offsets.len();
        let hidden = self.directions.len() / n;
        let (mut piece, mut sums) = (vec![0.0; n], vec![0.0; n * words.len()]);
        for (word, sum) in words.iter().zip(sums.chunks_exact_mut(n)) {
            for row in rows[word.start * hidden..word.end * hidden].chunks_exact(hidden) {
                self.lay(row, &mut piece);
                let length = piece.iter().map(|x| x * x).sum::<f32>().sqrt();
                // A piece in the middle of all has no direction.
                if length > 0.0 {
                    let parts = sum.iter_mut().zip(&piece);
                    parts.for_each(|(sum, x)| *sum += x / length);
                }
            }
        }
        directions::pack(n, sums.chunks_exact(n))
    }

    fn lay(&self, row: &[f32], to: &mut [f32]) {
        let axes = self.directions.chunks_exact(row.len()).zip(&self.offsets);
        for ((direction, offset), to) in axes.zip(to) {
            let pairs = direction.chunks_exact(LANES).zip(row.chunks_exact(LANES));
            let sums = pairs.fold(Lanes::splat(0.0), |sums, (a, b)| {
                sums.plus(Lanes::load(a).times(Lanes::load(b)))
            });
            *to = sums.sum() - offset;
        }
    }
}

/// The pieces of each word that gets a vector.
pub(super) fn places(pieces: &WordPiece, ids: &[u32], kind: Kind) -> Vec<Range<usize>> {
    match kind {
        Kind::Query => (0..ids.len()).map(|place| place..place + 1).collect(),
        Kind::Passage => said(pieces, ids),
    }
}

/// The words of a passage that say something about its subject.
fn said(pieces: &WordPiece, ids: &[u32]) -> Vec<Range<usize>> {
    let mut words: Vec<(String, Range<usize>)> = Vec::new();
    for (place, &id) in ids.iter().enumerate() {
        let (continues, spelling) = pieces.spelling(id);
        match words.last_mut() {
            Some((word, places)) if continues => {
                word.push_str(spelling);
                places.end += 1;
            }
            _ => words.push((spelling.to_owned(), place..place + 1)),
        }
    }
    let spelt = |at: usize| words.get(at).map_or("", |(word, _)| word.as_str());
    let is_apostrophe = |at: usize| matches!(spelt(at), "'" | "’");
    let says = |at: usize| {
        let word = spelt(at);
        let is_unknown = ids[words[at].1.start] == pieces.unknown();
        let is_ending = at > 0 && is_apostrophe(at - 1) && ENDINGS.contains(&word);
        // "don't" has come apart.
        let is_contracted =
            is_apostrophe(at + 1) && is_stop_word(&format!("{word}{}", spelt(at + 2)));
        let has_letters = word.chars().any(char::is_alphanumeric);
        has_letters && !is_unknown && !is_ending && !is_contracted && !is_stop_word(word)
    };
    let saying = (0..words.len()).filter(|&at| says(at));
    saying.map(|at| words[at].1.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_say_nothing_are_left_out_and_pieces_put_together() {
        let vocabulary = "[UNK]\ni\ndon\n'\nt\nlike\nthe\nsail\n##ing\n##boat\n!\nann\ns\n’";
        let pieces = WordPiece::new(vocabulary).unwrap();
        let check = |text: &str, expected: &[Range<usize>]| {
            let ids = pieces.encode(text, 100);
            assert_eq!(places(&pieces, &ids, Kind::Passage), expected, "{text}");
            let each: Vec<_> = (0..ids.len()).map(|place| place..place + 1).collect();
            assert_eq!(places(&pieces, &ids, Kind::Query), each, "{text}");
        };
        check("I don't like the sailing!", &[4..5, 6..8]);
        check("Ann's sailboat", &[0..1, 3..5]);
        check("Ann’s sailboat", &[0..1, 3..5]);
        check("zebra the i", &[]);
        check("", &[]);
    }
}

//! The words of a text as vectors of their own.
//!
//! One vector for a whole text says what it is about; that one word of a long turn is what was asked for is lost in it.
//! Here each word keeps its direction, as the network sees it among the words around it, on a few axes and in 4 bits a component.
//!
//! The bytes are what a store keeps (`docs/format.md`, "vectors"): how many bytes a word takes, and the words, one after another,
//! two components a byte, the earlier one in the low half, each with 8 added.
//! A word has no length: only its direction counts.
//!
//! Products and their sums are whole numbers, so that every platform finds the same.

use crate::real;

/// The greatest component of a word: of 4 bits the sixteenth value is left out, so that both signs reach as far.
const MOST: f32 = 7.0;
/// What is added to a component.
const ZERO: i8 = 8;

/// What chance gives in so many words. Half of what the rows of a table have: a word in its context is less often like another one. It costs
/// .003 recall@10 where all turns are short, and gains .016 where those of one speaker are five times as long (`docs/evaluation.md`).
pub(super) fn by_chance(n_words: usize) -> f32 {
    0.1 * real::ln(1.0 + n_words as f32 / 13.0)
}

/// The words of one text. Nothing can be compared with a text that has none.
///
/// `axes` is even and at most 510. What has no direction is left out.
pub(super) fn pack<'a>(axes: usize, words: impl IntoIterator<Item = &'a [f32]>) -> Vec<u8> {
    let mut bytes = vec![(axes / 2) as u8];
    for word in words {
        let greatest = word.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        // Weights that no training has made can give anything.
        if !(greatest > 0.0 && greatest.is_finite() && word.iter().all(|x| x.is_finite())) {
            continue;
        }
        let half = |x: f32| ((x / greatest * MOST).round() as i8 + ZERO) as u8;
        let pairs = word.chunks_exact(2);
        bytes.extend(pairs.map(|pair| half(pair[0]) | half(pair[1]) << 4));
    }
    bytes
}

/// The bytes of each word; `None` if that is not what they are.
pub(super) fn words_of(bytes: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let (&length, words) = bytes.split_first()?;
    let is_whole = length > 0 && words.len().is_multiple_of(length.into());
    is_whole.then(|| words.chunks_exact(length.into()))
}

/// The components of a word, and the square of its length; `None` if they are all zero.
fn unpack(word: &[u8], to: &mut Vec<i8>) -> Option<i32> {
    to.clear();
    let component = |half: u8| half as i8 - ZERO;
    to.extend(
        word.iter()
            .flat_map(|&byte| [component(byte & 0x0f), component(byte >> 4)]),
    );
    let square: i32 = to.iter().map(|&x| i32::from(x) * i32::from(x)).sum();
    (square > 0).then_some(square)
}

/// The words of a question, to be compared with those of passages.
pub(super) struct Asked {
    /// Bytes of a word.
    length: usize,
    words: Vec<Word>,
}

struct Word {
    components: Vec<i8>,
    square: i32,
}

impl Asked {
    /// `None` for a question without words, and for bytes that are none.
    pub fn new(question: &[u8]) -> Option<Asked> {
        let words = words_of(question)?.filter_map(|word| {
            let mut components = Vec::new();
            let square = unpack(word, &mut components)?;
            Some(Word { components, square })
        });
        let words: Vec<Word> = words.collect();
        (!words.is_empty()).then(|| Asked {
            length: question[0].into(),
            words,
        })
    }

    /// How many words there are.
    pub fn n(&self) -> usize {
        self.words.len()
    }

    /// As [`super::Likest::each`]; `None` for bytes that are no words on these axes.
    pub fn each(&self, passage: &[u8]) -> Option<Vec<f32>> {
        let is_comparable = passage.first().map(|&length| length.into()) == Some(self.length);
        let passage = words_of(passage).filter(|_| is_comparable)?;
        let mut likest: Vec<Option<f32>> = vec![None; self.words.len()];
        let mut components = Vec::with_capacity(2 * self.length);
        for word in passage {
            let Some(square) = unpack(word, &mut components) else {
                continue;
            };
            for (asked, best) in self.words.iter().zip(&mut likest) {
                let pairs = asked.components.iter().zip(&components);
                let product: i32 = pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                let cosine = product as f32 / ((asked.square * square) as f32).sqrt();
                *best = Some(best.map_or(cosine, |best| best.max(cosine)));
            }
        }
        Some(likest.into_iter().map(Option::unwrap_or_default).collect())
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(words: &[[f32; 4]]) -> Vec<u8> {
        pack(4, words.iter().map(|word| &word[..]))
    }

    #[test]
    fn each_word_of_a_question_counts_as_much_as_its_likest() {
        let (east, north, up) = (
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
        );
        let likest = Asked::new(&packed(&[east, north])).unwrap();
        let each = |passage: &[[f32; 4]]| likest.each(&packed(passage)).unwrap();
        assert_eq!(each(&[up, north, east]), [1.0, 1.0]);
        assert_eq!(each(&[up, east]), [1.0, 0.0]);
        assert_eq!(each(&[[-2.0, 0.0, 0.0, 0.0]]), [-1.0, 0.0]);
        assert_eq!(each(&[]), [0.0, 0.0]);
    }

    #[test]
    fn the_bytes_are_as_the_document_says() {
        assert_eq!(
            packed(&[[1.0, -1.0, 0.0, 0.5], [0.0, 0.0, 0.0, -3.0]]),
            [2, 0x1f, 0xc8, 0x88, 0x18]
        );
        assert_eq!(packed(&[]), [2]);
    }

    #[test]
    fn what_has_no_direction_is_left_out() {
        let strange = [f32::NAN, f32::INFINITY, 0.0];
        for x in strange {
            assert_eq!(packed(&[[0.0, x, 0.0, 0.0]]), [2], "{x}");
        }
        assert!(Asked::new(&packed(&[[0.0; 4]])).is_none());
        // As no program writes it.
        assert!(Asked::new(&[1, 0x88]).is_none());
    }

    #[test]
    fn other_bytes_are_no_words() {
        let likest = Asked::new(&packed(&[[1.0; 4]])).unwrap();
        for bytes in [&[][..], &[0], &[0, 1], &[2, 1], &[2, 1, 2, 3]] {
            assert!(words_of(bytes).is_none(), "{bytes:?}");
            assert_eq!(likest.each(bytes), None, "{bytes:?}");
        }
        assert!(words_of(&[3, 1, 2, 3]).is_some());
        assert_eq!(likest.each(&[3, 1, 2, 3]), None, "of other axes");
    }

    proptest! {
        #[test]
        fn it_is_near_what_plain_numbers_say(
            question in prop::collection::vec(prop::array::uniform32(-1.0f32..1.0), 1..6),
            passage in prop::collection::vec(prop::array::uniform32(-1.0f32..1.0), 1..6),
        ) {
            let packed = |words: &[[f32; 32]]| pack(32, words.iter().map(|word| &word[..]));
            let length = |a: &[f32; 32]| a.iter().map(|x| x * x).sum::<f32>().sqrt();
            let cosine = |a: &[f32; 32], b: &[f32; 32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>() / length(a) / length(b);
            let best = question.iter().map(|a| passage.iter().map(|b| cosine(a, b)).fold(-1.0, f32::max));
            let found = Asked::new(&packed(&question)).unwrap().each(&packed(&passage)).unwrap();
            prop_assert_eq!(found.len(), question.len());
            for (expected, found) in best.zip(found) {
                prop_assert!((found - expected).abs() < 0.1, "{found} {expected}");
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(question in prop::collection::vec(any::<u8>(), 0..40), passage in prop::collection::vec(any::<u8>(), 0..40)) {
            let found = Asked::new(&question).and_then(|likest| likest.each(&passage));
            let found = found.unwrap_or_default();
            prop_assert!(found.iter().all(|found| (-1.01..=1.01).contains(found)), "{found:?}");
        }
    }
}

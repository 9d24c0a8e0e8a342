//! A stand-in for an embedding model. It exists in tests only: what it calls similar is written down by hand.

use super::*;
use crate::text::terms;

pub(super) const DIMENSIONS: usize = 256;

/// Words that are said to mean nearly the same. Everything else has a direction of its own.
const CONCEPTS: &[&str] = &[
    "deploy deployment cloud aws gcp run server",
    "birthday cake food peanut allergic cookie",
    "kid child son daughter",
    "blue colour red green",
];

/// As random pairs of its texts come out.
pub(super) fn stand_in_spec() -> EmbedderSpec {
    EmbedderSpec {
        id: "stand-in".into(),
        dimensions: DIMENSIONS,
        mean: 0.0,
        sd: 1.0 / 16.0,
    }
}

/// The mean of a direction per word, derived from the word's letters or its concept's.
pub(super) fn stand_in_vector(text: &str) -> Vec<f32> {
    let mut sum = vec![0.0; DIMENSIONS];
    for term in terms(text) {
        let concept = CONCEPTS.iter().find(|words| terms(words).contains(&term));
        let mut state = concept
            .copied()
            .unwrap_or(term.as_str())
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        for component in &mut sum {
            // xorshift64*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            *component += (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32
                / (1u64 << 24) as f32
                - 0.5;
        }
    }
    sum
}

/// A word for each term, as [`Embedded`](crate::embed::Embedded) has them.
pub(super) fn stand_in_words(text: &str) -> Vec<u8> {
    let hash = |term: &String| {
        let hash = crc32fast::hash(term.as_bytes()).to_le_bytes();
        // No half of a byte is zero.
        [hash[0] | 0x11, hash[1] | 0x11]
    };
    let words = terms(text);
    std::iter::once(2)
        .chain(words.iter().flat_map(hash))
        .collect()
}

/// Gives every text that wants a vector its stand-in, with its words. A text without terms has no direction.
pub(super) fn embed_all(corpus: &mut Corpus) {
    for piece in corpus.missing_vectors() {
        let added = corpus.add_vector(piece.owner, &stand_in_vector(&piece.text));
        assert!(matches!(added, Ok(()) | Err(IndexError::NotADirection)));
        let words = stand_in_words(&piece.text);
        corpus.add_words_of("stand-in", piece.owner, &words);
    }
    assert_eq!(corpus.missing_vectors(), []);
}

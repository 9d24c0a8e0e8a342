//! The tokenizer that a weight file brings.

use super::WeightsError;
use super::header::TokenizerKind;
use crate::embed::TableError;
use crate::embed::unigram::Unigram;
use crate::embed::wordpiece::WordPiece;

#[derive(Clone)]
pub(super) enum Tokenizer {
    WordPiece(WordPiece),
    Unigram(Unigram),
}

impl Tokenizer {
    /// `n_pieces` is the number of rows that the file has vectors for.
    pub(super) fn read(
        kind: TokenizerKind,
        bytes: &[u8],
        n_pieces: usize,
    ) -> Result<Tokenizer, WeightsError> {
        match kind {
            TokenizerKind::WordPiece => {
                let text = std::str::from_utf8(bytes)
                    .map_err(|_| WeightsError::Tokenizer("the vocabulary is not UTF-8"))?;
                let pieces = WordPiece::new(text).map_err(|error| match error {
                    TableError::Vocabulary(what) => WeightsError::Tokenizer(what),
                    _ => WeightsError::Tokenizer("the vocabulary cannot be read"),
                })?;
                if pieces.len() != n_pieces {
                    return Err(WeightsError::Tokenizer(
                        "its number of lines is not the number of rows",
                    ));
                }
                Ok(Tokenizer::WordPiece(pieces))
            }
            TokenizerKind::Unigram => Unigram::from_bytes(bytes, n_pieces)
                .map(Tokenizer::Unigram)
                .map_err(WeightsError::Tokenizer),
        }
    }

    /// Ids of a text's pieces without marks, at most `limit` of them.
    pub(super) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        match self {
            Tokenizer::WordPiece(pieces) => pieces.encode(text, limit),
            Tokenizer::Unigram(pieces) => pieces.encode(text, limit),
        }
    }

    /// The tokenizer, if words can be put together from its pieces.
    pub(super) fn word_pieces(&self) -> Option<&WordPiece> {
        match self {
            Tokenizer::WordPiece(pieces) => Some(pieces),
            Tokenizer::Unigram(_) => None,
        }
    }

    /// The id of what is in no vocabulary.
    pub(super) fn unknown(&self) -> u32 {
        match self {
            Tokenizer::WordPiece(pieces) => pieces.unknown(),
            Tokenizer::Unigram(pieces) => pieces.unknown(),
        }
    }
}

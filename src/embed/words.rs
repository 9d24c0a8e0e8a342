//! The words of a text, and how well they answer those of another text.
//!
//! One vector for a whole text says what it is about; that one word of a long turn is what was asked for is lost in it. Here each word
//! is kept by itself: by its direction, as a network sees it among the words around it, or as a row of a table.
//! [`Likest::each`] finds for each word of a question the likest of a passage; their mean says how well the passage answers ("late
//! interaction").

use super::directions;
use super::pieces::{self, Pieces};

/// The words of a text, as an embedder gives them.
#[derive(Clone, Debug, PartialEq)]
pub enum Words {
    /// By their directions: the bytes that a store keeps.
    Directions(Vec<u8>),
    /// By the rows of a table.
    Pieces(Pieces),
}

impl Words {
    /// What a store keeps (`docs/format.md`, "vectors").
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Words::Directions(bytes) => bytes.clone(),
            Words::Pieces(pieces) => pieces.to_bytes(),
        }
    }
}

/// Whether bytes are the words of a text, perhaps of one without any.
pub fn are_words(bytes: &[u8]) -> bool {
    directions::words_of(bytes).is_some() || pieces::numbers_of(bytes).is_some()
}

/// The words of a question, to be compared with those of passages.
pub struct Likest(Asked);

enum Asked {
    Directions(directions::Asked),
    Pieces(pieces::Asked),
}

impl Likest {
    /// `None` for a question without words, and for bytes that are none.
    pub fn new(question: &Words) -> Option<Likest> {
        let asked = match question {
            Words::Directions(bytes) => directions::Asked::new(bytes).map(Asked::Directions),
            Words::Pieces(pieces) => pieces::Asked::new(pieces).map(Asked::Pieces),
        };
        asked.map(Likest)
    }

    /// For each of the question's words the cosine to the likest word of the passage, -1 to 1; 0 for a passage in which no word
    /// says anything. `None` for bytes that are no words of the same embedder.
    pub fn each(&mut self, passage: &[u8]) -> Option<Vec<f32>> {
        match &mut self.0 {
            Asked::Directions(asked) => asked.each(passage),
            Asked::Pieces(asked) => asked.each(passage),
        }
    }

    /// How like the likest word of a text is by chance, whose passages these are, beyond what it is in the shortest: a long text has
    /// something for everything. To be taken from each cosine.
    pub fn by_chance<'a>(&self, passages: impl IntoIterator<Item = &'a [u8]>) -> f32 {
        let passages = passages.into_iter();
        match &self.0 {
            Asked::Directions(_) => {
                let words = passages.filter_map(directions::words_of);
                directions::by_chance(words.map(Iterator::count).sum())
            }
            Asked::Pieces(_) => {
                let pieces = passages.filter_map(pieces::numbers_of);
                pieces::by_chance(pieces.map(Iterator::count).sum())
            }
        }
    }

    /// The mean over the question's words: of rows of a table by their lengths, which say how much each says.
    pub fn mean(&self, each: &[f32]) -> f32 {
        match &self.0 {
            Asked::Directions(asked) => each.iter().sum::<f32>() / asked.n() as f32,
            Asked::Pieces(asked) => asked.shares.iter().zip(each).map(|(a, b)| a * b).sum(),
        }
    }
}

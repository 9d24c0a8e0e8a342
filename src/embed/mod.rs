//! The default embedder: text to a unit vector, on the device, in microseconds.
//!
//! [`StaticTable`] holds one 4-bit vector per word piece.
//! A text's vector is the direction of the sum of its pieces' vectors; there is no network to run.
//! The table was fitted so that this sum imitates the sentence vectors of all-MiniLM-L6-v2 (`pkg/model/PROVENANCE.md`), and
//! `docs/format-embedding-table.md` describes its file.
//! [`WordPiece`] cuts text into the pieces, as BERT's uncased tokenizer does.
//!
//! ```
//! use onhand::embed::StaticTable;
//!
//! let file = std::fs::read("pkg/model/static-128-int4.bin")?;
//! let table = StaticTable::from_bytes(&file)?;
//! let vector = table.embed("My flight to Lisbon is on Friday.").expect("the text has known words");
//! assert_eq!(vector.len(), table.dimensions());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Transformer`] takes milliseconds instead, and weights of its own, and understands more.
//!
//! When not to use the table: word order and negation are invisible to a sum, and outside English it knows little more than shared
//! names and letters.
//! Split texts of more than about a hundred words before embedding them: the sum of many topics resembles none of them.

mod calibration;
mod directions;
mod error;
mod pieces;
mod spellings;
mod table;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
mod transformer;
mod unicode_ranges;
mod unigram;
mod wordpiece;
mod words;

pub use calibration::{Calibration, TEXTS as CALIBRATION_TEXTS, sample};
pub use error::TableError;
pub use pieces::Pieces;
pub use table::StaticTable;
pub use transformer::{Kind, Transformer, WeightsError};
pub use wordpiece::WordPiece;
pub use words::{Likest, Words, are_words};

/// What an embedder makes of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embedded {
    pub vector: Vec<f32>,
    /// Its words, as [`Likest`] compares them; `None` from an embedder that has only the vector.
    pub words: Option<Words>,
}

impl From<Vec<f32>> for Embedded {
    fn from(vector: Vec<f32>) -> Embedded {
        Embedded {
            vector,
            words: None,
        }
    }
}
